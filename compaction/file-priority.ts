/** In which order the files of one level are offered to a compaction (RocksDB's `CompactionPri`). */
import type { Comparator } from '../format/base/comparator.ts';
import { compareInternalKeys, userKeyOf } from '../format/base/internal-key.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
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
): FileMetadata[] {
  const files = [...filesOf(view, level)];
  switch (priority) {
    case 'byCompensatedSize':
      return files.sort((a, b) => b.sizeBytes - a.sizeBytes);
    case 'oldestLargestSeqFirst':
      return files.sort((a, b) => a.largestSequence - b.largestSequence);
    case 'oldestSmallestSeqFirst':
      return files.sort((a, b) => a.smallestSequence - b.smallestSequence);
    case 'roundRobin':
      return afterCursor(comparator, files, cursor);
    case 'minOverlappingRatio':
      return level === 0
        ? files.sort((a, b) => a.largestSequence - b.largestSequence)
        : byOverlappingRatio(comparator, files, filesOf(view, outputLevel));
  }
}

/** Starts at the first file at or after the cursor and wraps around. */
function afterCursor(comparator: Comparator, files: FileMetadata[], cursor: Uint8Array | undefined): FileMetadata[] {
  if (!cursor) return files;
  const sorted = files.sort((a, b) => compareInternalKeys(comparator, a.smallest, b.smallest));
  const start = sorted.findIndex((file) => compareInternalKeys(comparator, file.smallest, cursor) >= 0);
  return start <= 0 ? sorted : [...sorted.slice(start), ...sorted.slice(0, start)];
}

/** Fewest bytes to rewrite below for each byte moved down. Both levels are sorted, so one sweep finds all overlaps. */
function byOverlappingRatio(
  comparator: Comparator,
  files: FileMetadata[],
  below: readonly FileMetadata[],
): FileMetadata[] {
  const ratio = new Map<FileMetadata, number>();
  let at = 0;
  for (const file of files) {
    const smallest = userKeyOf(file.smallest);
    const largest = userKeyOf(file.largest);
    while (at < below.length && comparator.compare(userKeyOf(below[at]!.largest), smallest) < 0) at++;
    let overlapBytes = 0;
    for (let i = at; i < below.length && comparator.compare(userKeyOf(below[i]!.smallest), largest) <= 0; i++) {
      overlapBytes += below[i]!.sizeBytes;
    }
    ratio.set(file, overlapBytes / Math.max(file.sizeBytes, 1));
  }
  return files.sort((a, b) => ratio.get(a)! - ratio.get(b)! || a.number - b.number);
}
