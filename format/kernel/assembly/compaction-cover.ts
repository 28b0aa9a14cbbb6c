/**
 * What lies over and under the current user key of a compaction: range tombstones that cover it, and older sorted runs that
 * may hold it. Keys come in order, so the positions among both only move on.
 */
import {
  CI_DEEPER,
  CI_DEEPER_AT,
  CI_DEEPER_COUNT,
  CI_FLAGS,
  CI_FRAGMENT,
  CI_TOMBSTONES,
  CI_TOMBSTONE_AT,
  CI_TOMBSTONE_COUNT,
  FLAG_DEEPER_KNOWN,
  RANGE_ROW,
  TOMBSTONE_ROW,
  compareToKey,
  stripeOf,
} from './compaction-layout';

/** Whether no older sorted run can hold the user key in the buffer. */
export function historyEndsHere(ci: usize): bool {
  if ((load<u32>(ci, CI_FLAGS) & FLAG_DEEPER_KNOWN) == 0) return false;
  const rows = <usize>load<u32>(ci, CI_DEEPER);
  const rowCount = load<u32>(ci, CI_DEEPER_COUNT);
  let at = load<u32>(ci, CI_DEEPER_AT);
  while (at < rowCount && compareToKey(ci, load<u32>(rows + at * RANGE_ROW, 8), load<u32>(rows + at * RANGE_ROW, 12)) < 0) at++;
  store<u32>(ci, at, CI_DEEPER_AT);
  if (at == rowCount) return true;
  const row = rows + at * RANGE_ROW;
  return compareToKey(ci, load<u32>(row), load<u32>(row, 4)) > 0;
}

/** The row of range tombstones that covers the user key in the buffer; keys come in order, so the position only moves on. */
export function fragmentOf(ci: usize): usize {
  const rows = <usize>load<u32>(ci, CI_TOMBSTONES);
  const rowCount = load<u32>(ci, CI_TOMBSTONE_COUNT);
  let at = load<u32>(ci, CI_TOMBSTONE_AT);
  while (at < rowCount) {
    const row = rows + at * TOMBSTONE_ROW;
    if (compareToKey(ci, load<u32>(row, 8), load<u32>(row, 12)) > 0) break;
    at++;
  }
  store<u32>(ci, at, CI_TOMBSTONE_AT);
  if (at == rowCount) return 0;
  const row = rows + at * TOMBSTONE_ROW;
  return compareToKey(ci, load<u32>(row), load<u32>(row, 4)) <= 0 ? row : 0;
}

/** Whether a range tombstone of the same stripe covers the version `sequence` of the user key. */
export function isRangeDeleted(ci: usize, sequence: u64, stripe: u32): bool {
  const row = <usize>load<u32>(ci, CI_FRAGMENT);
  if (row == 0) return false;
  const sequences = <usize>load<u32>(row, 16);
  // The oldest tombstone that is newer than the version: a younger one cannot be in an older stripe.
  for (let i = load<u32>(row, 20); i-- > 0; ) {
    const tombstone = <u64>load<f64>(sequences + (i << 3));
    if (tombstone > sequence) return stripeOf(ci, tombstone) == stripe;
  }
  return false;
}
