/**
 * Tables at the bottom of the tree that hold what only snapshots could see that are released by now (RocksDB's
 * `ComputeBottommostFilesMarkedForCompaction`). Nothing else would ever touch them: no level below takes them in.
 */
import type { Comparator } from '../format/base/comparator.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../format/manifest/file-range.ts';
import { filesOf, type LevelsView, nonEmptyLevelCount, overlappingFiles } from './levels-view.ts';
import type { PickContext } from './pick-context.ts';

/** A table and the level that it is in. */
export interface FileAtLevel {
  readonly level: number;
  readonly file: FileMetadata;
}

/**
 * The tables to be rewritten in the level that they are in. A rewrite at the bottom leaves no sequence but 0, so a table
 * that still has one was written under a snapshot, or was never merged; either way it is rewritten once at most. Level 0 is
 * left out: its tables go down by themselves.
 */
export function releasedBottommostFiles(context: PickContext, comparator: Comparator): FileAtLevel[] {
  const { view, releasedSequence, settledFiles } = context;
  const found: FileAtLevel[] = [];
  if (releasedSequence === 0) return found;
  for (let level = 1; level < view.levels.length; level++) {
    for (const file of filesOf(view, level)) {
      if (file.largestSequence === 0 || file.largestSequence > releasedSequence) continue;
      if (settledFiles.has(file.number) || hasOlderBelow(view, comparator, level, file)) continue;
      found.push({ level, file });
    }
  }
  return found;
}

function hasOlderBelow(view: LevelsView, comparator: Comparator, level: number, file: FileMetadata): boolean {
  const range = rangeOfFile(file);
  for (let deeper = level + 1; deeper < nonEmptyLevelCount(view); deeper++) {
    if (overlappingFiles(view, comparator, deeper, range).length > 0) return true;
  }
  return false;
}
