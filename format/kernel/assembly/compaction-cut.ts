/**
 * Where the outputs of a compaction end: by size, and by what of the grandparents (the files of the level below the output
 * level) they overlap.
 */
import {
  CI_BOUNDARIES,
  CI_FILE_BYTES,
  CI_FILE_BYTES_MAX,
  CI_FILE_BYTES_TARGET,
  CI_FLAGS,
  CI_GRANDPARENTS,
  CI_GRANDPARENT_AT,
  CI_GRANDPARENT_COUNT,
  CI_IN_GAP,
  CI_OVERLAP,
  CI_OVERLAP_MAX,
  CI_SEEN_KEY,
  FLAG_DYNAMIC_FILE_SIZE,
  RANGE_ROW,
  compareToKey,
} from './compaction-layout';

/**
 * Whether the output should end before the user key in the buffer: it is large enough, it overlaps enough grandparents
 * for one later compaction, or a grandparent's boundary is a good place near the target size.
 */
export function mustCut(ci: usize): bool {
  const overlapBefore = load<f64>(ci, CI_OVERLAP);
  const crossed = crossGrandparents(ci);
  const fileBytes = load<f64>(ci, CI_FILE_BYTES);
  if (fileBytes >= load<f64>(ci, CI_FILE_BYTES_MAX)) return true;
  if (crossed == 0) return false;
  const overlap = load<f64>(ci, CI_OVERLAP);
  if (overlap + fileBytes > load<f64>(ci, CI_OVERLAP_MAX)) return true;
  if ((load<u32>(ci, CI_FLAGS) & FLAG_DYNAMIC_FILE_SIZE) == 0) return false;
  const target = load<f64>(ci, CI_FILE_BYTES_TARGET);
  // A whole grandparent is skipped by this gap: ending here spares a later compaction from reading it.
  const skipped: u32 = load<u32>(ci, CI_IN_GAP) != 0 ? 2 : 3;
  if (crossed >= skipped && overlap - overlapBefore > target / 8) return true;
  const percent = 50 + min<u32>(load<u32>(ci, CI_BOUNDARIES) * 5, 40);
  return fileBytes >= (target / 100) * <f64>percent;
}

/** Moves the position among the grandparents to the user key in the buffer; returns how many boundaries lie between. */
export function crossGrandparents(ci: usize): u32 {
  const rows = <usize>load<u32>(ci, CI_GRANDPARENTS);
  const rowCount = load<u32>(ci, CI_GRANDPARENT_COUNT);
  let at = load<u32>(ci, CI_GRANDPARENT_AT);
  let inGap = load<u32>(ci, CI_IN_GAP) != 0;
  const seen = load<u32>(ci, CI_SEEN_KEY) != 0;
  let crossed: u32 = 0;
  while (at < rowCount) {
    const row = rows + at * RANGE_ROW;
    if (inGap) {
      if (compareToKey(ci, load<u32>(row), load<u32>(row, 4)) > 0) break;
      if (seen) store<f64>(ci, load<f64>(ci, CI_OVERLAP) + load<f64>(row, 16), CI_OVERLAP);
      inGap = false;
    } else {
      // A key that ends this file and begins the next belongs to the next.
      if (compareToKey(ci, load<u32>(row, 8), load<u32>(row, 12)) > 0 || endsHereAlone(ci, row, at + 1 < rowCount)) break;
      inGap = true;
      at++;
    }
    if (seen) crossed++;
  }
  store<u32>(ci, at, CI_GRANDPARENT_AT);
  store<u32>(ci, inGap ? 1 : 0, CI_IN_GAP);
  store<u32>(ci, 1, CI_SEEN_KEY);
  store<u32>(ci, load<u32>(ci, CI_BOUNDARIES) + crossed, CI_BOUNDARIES);
  return crossed;
}

/** Whether the buffer's key is the row's largest and does not begin the next row. */
function endsHereAlone(ci: usize, row: usize, hasNext: bool): bool {
  if (compareToKey(ci, load<u32>(row, 8), load<u32>(row, 12)) != 0) return false;
  return !hasNext || compareToKey(ci, load<u32>(row + RANGE_ROW), load<u32>(row + RANGE_ROW, 4)) > 0;
}

/** Bytes of grandparents that hold the user key in the buffer. */
export function overlapHere(ci: usize): f64 {
  const at = load<u32>(ci, CI_GRANDPARENT_AT);
  if (load<u32>(ci, CI_IN_GAP) != 0 || at >= load<u32>(ci, CI_GRANDPARENT_COUNT)) return 0;
  return load<f64>(<usize>load<u32>(ci, CI_GRANDPARENTS) + at * RANGE_ROW, 16);
}
