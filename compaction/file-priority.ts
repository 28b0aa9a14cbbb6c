/** In which order the files of one level are offered to a compaction (RocksDB's `CompactionPri`). */
import type { Comparator } from '../format/base/comparator.ts';
import { compareInternalKeys } from '../format/base/internal-key.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../format/manifest/file-range.ts';
import type { CompactionPri } from './compaction-options.ts';
import { filesOf, type LevelsView } from './levels-view.ts';

/**
 * The files of `level`, best candidate first.
 *
 * @param cursor internal key up to which the round-robin order has come in this level
 */
export function filesByPriority(
  view: LevelsView,
  comparator: Comparator,
  level: number,
  outputLevel: number,
  priority: CompactionPri,
  cursor: Uint8Array | undefined,
): readonly FileMetadata[] {
  if (priority === 'minOverlappingRatio' && level > 0)
    return byOverlappingRatio(comparator, filesOf(view, level), filesOf(view, outputLevel));
  const files = [...filesOf(view, level)];
  switch (priority) {
    case 'byCompensatedSize':
      return files.sort((a, b) => b.sizeBytes - a.sizeBytes);
    // Level 0 has no order of keys that an overlap could be found by.
    case 'minOverlappingRatio':
    case 'oldestLargestSeqFirst':
      return files.sort((a, b) => a.largestSequence - b.largestSequence);
    case 'oldestSmallestSeqFirst':
      return files.sort((a, b) => a.smallestSequence - b.smallestSequence);
    case 'roundRobin':
      return afterCursor(comparator, files, cursor);
  }
}

/** Starts at the first file at or after the cursor and wraps around. */
function afterCursor(comparator: Comparator, files: FileMetadata[], cursor: Uint8Array | undefined): FileMetadata[] {
  if (!cursor) return files;
  const sorted = files.sort((a, b) => compareInternalKeys(comparator, a.smallest, b.smallest));
  const start = sorted.findIndex((file) => compareInternalKeys(comparator, file.smallest, cursor) >= 0);
  return start <= 0 ? sorted : [...sorted.slice(start), ...sorted.slice(0, start)];
}

/**
 * The order that two levels led to last. Versions share the levels that did not change, and picks come by the dozen for each
 * change of a level.
 */
const knownOrders = new WeakMap<
  readonly FileMetadata[],
  { readonly below: readonly FileMetadata[]; readonly order: readonly FileMetadata[] }
>();

/** Fewest bytes to rewrite below for each byte moved down. */
function byOverlappingRatio(
  comparator: Comparator,
  files: readonly FileMetadata[],
  below: readonly FileMetadata[],
): readonly FileMetadata[] {
  const known = knownOrders.get(files);
  if (known?.below === below) return known.order;
  const ratios = overlappingRatios(comparator, files, below);
  const order = Array.from(
    Uint32Array.from(files.keys()).sort((a, b) => ratios[a]! - ratios[b]! || files[a]!.number - files[b]!.number),
    (index) => files[index]!,
  );
  knownOrders.set(files, { below, order });
  return order;
}

/** Both levels are sorted, so one sweep finds all overlaps. */
function overlappingRatios(
  comparator: Comparator,
  files: readonly FileMetadata[],
  below: readonly FileMetadata[],
): Float64Array {
  const ratios = new Float64Array(files.length);
  let at = 0;
  for (const [index, file] of files.entries()) {
    const { smallest, largest } = rangeOfFile(file);
    while (at < below.length && comparator.compare(rangeOfFile(below[at]!).largest, smallest) < 0) at++;
    let overlapBytes = 0;
    for (let i = at; i < below.length && comparator.compare(rangeOfFile(below[i]!).smallest, largest) <= 0; i++) {
      overlapBytes += below[i]!.sizeBytes;
    }
    ratios[index] = overlapBytes / Math.max(file.sizeBytes, 1);
  }
  return ratios;
}
