/**
 * Deletion of whole tables by their users, for those who run a compaction policy of their own or drop ranges at once. A
 * table goes through the MANIFEST like the input of a compaction, so no running compaction can have it too.
 */
import { type CompactionInput, inputFiles } from '../../compaction/compaction.ts';
import { planCompaction } from '../../compaction/plan-compaction.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { runAsync } from '../../format/base/io.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../../format/manifest/file-range.ts';
import { ARCHIVE_DIRECTORY, parseFileName } from '../../format/manifest/file-name.ts';
import { unlinkFile } from '../env/file-operations.ts';
import { pickerOptions } from '../options/picker-options.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';
import { type Bytes, checkBytes, toBytes } from './read-options.ts';

/**
 * Deletes one table, or one log of the archive, by name. Only where nothing older can come to light: a table must be the
 * oldest of level 0 with nothing below, or lie in the last level that holds any. `INVALID_ARGUMENT` otherwise, `BUSY` while a
 * compaction reads it.
 */
export async function deleteFile(engine: Engine, name: string): Promise<void> {
  if (typeof name !== 'string') throw invalidArgument('deleteFile takes the name of a file');
  const relative = name.replace(/^\//, '');
  const archived = relative.startsWith(`${ARCHIVE_DIRECTORY}/`);
  const parsed = parseFileName(archived ? relative.slice(ARCHIVE_DIRECTORY.length + 1) : relative);
  if (parsed?.kind === 'wal') {
    if (!archived) throw invalidArgument(`deleteFile: ${relative} is in use; only logs of the archive can be deleted`);
    await runAsync(unlinkFile(engine.context.fs, `${engine.context.walPath}/${relative}`));
    return;
  }
  if (parsed?.kind !== 'table' || archived) {
    throw invalidArgument(`deleteFile: ${JSON.stringify(name)} is not the name of a table or of an archived log`);
  }
  const { family, level, file } = findTable(engine, parsed.number, relative);
  checkDeletable(family, level, file, relative);
  if (engine.background.busyFiles().has(file.number)) {
    throw new DBError('BUSY', `deleteFile: ${relative} is being compacted`, { retryable: true });
  }
  await deleteTables(engine, family, [{ level, files: [file] }]);
}

/**
 * Deletes the tables that lie wholly in [begin, end], both ends inclusive, in all levels but level 0. `undefined` is open.
 * Keys of the range in other tables and in memory stay, and older versions of deleted ones may come to light.
 */
export async function deleteFilesInRange(
  engine: Engine,
  family: ColumnFamilyState,
  begin: Bytes | undefined,
  end: Bytes | undefined,
): Promise<void> {
  if (begin !== undefined) checkBytes(begin, 'begin');
  if (end !== undefined) checkBytes(end, 'end');
  const from = begin === undefined ? undefined : toBytes(begin);
  const to = end === undefined ? undefined : toBytes(end);
  const { comparator, version } = family;
  if (from !== undefined && to !== undefined && comparator.compare(from, to) > 0) {
    throw invalidArgument('deleteFilesInRange: end comes before begin');
  }
  const busy = engine.background.busyFiles();
  const inputs: CompactionInput[] = [];
  for (let level = 1; level < version.levelCount; level++) {
    const files = cleanFiles(family, level, from, to).filter(({ number }) => !busy.has(number));
    if (files.length > 0) inputs.push({ level, files });
  }
  if (inputs.length > 0) await deleteTables(engine, family, inputs);
}

/** Tables wholly inside the range whose first and last user key no neighbour outside of it shares. */
function cleanFiles(
  family: ColumnFamilyState,
  level: number,
  begin: Uint8Array | undefined,
  end: Uint8Array | undefined,
): FileMetadata[] {
  const { comparator, version } = family;
  const files = version.levels[level]!;
  const sharesKey = (left: FileMetadata, right: FileMetadata): boolean =>
    comparator.compare(rangeOfFile(left).largest, rangeOfFile(right).smallest) === 0;
  let first = 0;
  let last = files.length;
  if (begin !== undefined) {
    while (first < last && comparator.compare(rangeOfFile(files[first]!).smallest, begin) < 0) first++;
  }
  if (end !== undefined) {
    while (last > first && comparator.compare(rangeOfFile(files[last - 1]!).largest, end) > 0) last--;
  }
  while (first > 0 && first < last && sharesKey(files[first - 1]!, files[first]!)) first++;
  while (last < files.length && last > first && sharesKey(files[last - 1]!, files[last]!)) last--;
  return files.slice(first, last);
}

function findTable(
  engine: Engine,
  number: number,
  name: string,
): { family: ColumnFamilyState; level: number; file: FileMetadata } {
  for (const family of engine.versions.families.values()) {
    const found = family.dropped ? undefined : family.version.findByNumber(number);
    if (found !== undefined) return { family, ...found };
  }
  throw invalidArgument(`deleteFile: ${name} is not a live table`);
}

function checkDeletable(family: ColumnFamilyState, level: number, file: FileMetadata, name: string): void {
  const { version } = family;
  for (let below = level + 1; below < version.levelCount; below++) {
    if (version.fileCount(below) > 0) {
      throw invalidArgument(`deleteFile: ${name} is in level ${level}, and level ${below} is not empty`);
    }
  }
  if (level === 0 && version.levels[0]!.at(-1) !== file) {
    throw invalidArgument(`deleteFile: ${name} is in level 0 and not the oldest there`);
  }
}

async function deleteTables(engine: Engine, family: ColumnFamilyState, inputs: CompactionInput[]): Promise<void> {
  const choice = {
    kind: 'deletion' as const,
    reason: 'ManualCompaction' as const,
    inputs,
    outputLevel: inputs[0]!.level,
    baseLevel: 1,
    score: 0,
    manual: true,
  };
  const { background } = engine;
  const options = pickerOptions(family.options);
  const plan = planCompaction(choice, background.pickContext(family), options, family.comparator);
  await background.runManual(family, plan);
  const left = inputFiles(plan).find(({ number }) => family.version.findByNumber(number) !== undefined);
  if (left !== undefined) throw new DBError('CLOSED', 'the database closed before the tables were deleted');
}
