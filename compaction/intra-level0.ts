/**
 * Merging the newest files of level 0 with each other while the base level is busy. Fewer files means fewer places to
 * look for every read, and the write stall by number of files is put off.
 */
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import type { CompactionInput } from './compaction.ts';
import { maxCompactionBytesOf } from './compaction-options.ts';
import type { InputScope } from './level-inputs.ts';
import { filesOf } from './levels-view.ts';

const INTRA_FILES_MIN = 4;

/**
 * A run of neighbouring idle files, newest first, that is cheap for what it saves; `undefined` if there is none.
 *
 * A longer run is taken as long as it lowers the bytes rewritten per file that disappears.
 */
export function pickIntraLevel0(scope: InputScope): CompactionInput | undefined {
  const files = filesOf(scope.view, 0);
  const { running, options } = scope;
  if (files.length < options.level0FileNumCompactionTrigger + 2 || running.isBusy(files[0]!)) return undefined;
  const run = cheapestRun(files, (file) => running.isBusy(file), maxCompactionBytesOf(options));
  return run.length >= INTRA_FILES_MIN ? { level: 0, files: run } : undefined;
}

function cheapestRun(
  files: readonly FileMetadata[],
  isBusy: (file: FileMetadata) => boolean,
  bytesMax: number,
): FileMetadata[] {
  let bytes = files[0]!.sizeBytes;
  let bytesPerDeletedFile = Number.POSITIVE_INFINITY;
  let count = 1;
  for (; count < files.length; count++) {
    const file = files[count]!;
    const perDeletedFile = (bytes + file.sizeBytes) / count;
    if (isBusy(file) || perDeletedFile > bytesPerDeletedFile || bytes + file.sizeBytes > bytesMax) break;
    bytes += file.sizeBytes;
    bytesPerDeletedFile = perDeletedFile;
  }
  return files.slice(0, count);
}
