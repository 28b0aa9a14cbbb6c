/** Reads tables through, with all their checksums, and counts what they hold. */
import { join } from 'node:path';
import { sequenceOf, typeOf, userKeyOf, ValueType } from '../../format/base/internal-key.ts';
import { levelDbTableFileName, tableFileName } from '../../format/manifest/file-name.ts';
import type { FileSystem } from '../../src/env/file-system.ts';
import type { LiveFileMetaData } from '../../src/index.ts';
import { statusText } from '../lib/status-text.ts';
import { TableEntries } from '../lib/table-entries.ts';
import { openTableFile } from '../lib/table-file.ts';

/** What a table holds, or what is wrong with it. */
export interface TableCheck {
  readonly file: LiveFileMetaData;
  readonly entries: number;
  readonly tombstones: number;
  readonly error: string | undefined;
}

/** Path of a live table; databases of LevelDB have another ending. */
async function pathOf(fileSystem: FileSystem, directory: string, { fileNumber }: LiveFileMetaData): Promise<string> {
  const path = join(directory, tableFileName(fileNumber));
  const older = join(directory, levelDbTableFileName(fileNumber));
  return !(await fileSystem.exists(path)) && (await fileSystem.exists(older)) ? older : path;
}

/** Reads one table from end to end. What is wrong with it is a part of the answer. */
export async function checkTable(
  fileSystem: FileSystem,
  directory: string,
  file: LiveFileMetaData,
): Promise<TableCheck> {
  let entries = 0;
  let tombstones = 0;
  try {
    const path = await pathOf(fileSystem, directory, file);
    const { size } = await fileSystem.stat(path);
    if (size !== file.size) throw new Error(`${path} has ${size} bytes, the MANIFEST says ${file.size}`);
    const table = await openTableFile(fileSystem, path, true, file.largestSequence);
    try {
      let previous: { key: Uint8Array; sequence: number } | undefined;
      using cursor = new TableEntries(table.reader);
      for (cursor.seek(undefined); cursor.valid; cursor.next()) {
        const key = userKeyOf(cursor.key).slice();
        const sequence = sequenceOf(cursor.key);
        const order = previous === undefined ? -1 : table.comparator.compare(previous.key, key);
        if (order > 0 || (order === 0 && previous!.sequence <= sequence)) {
          throw new Error(`${path}: entry ${entries} is out of order`);
        }
        previous = { key, sequence };
        entries++;
        if (isTombstone(typeOf(cursor.key))) tombstones++;
      }
    } finally {
      table.close();
    }
    return { file, entries, tombstones, error: undefined };
  } catch (error) {
    return { file, entries, tombstones, error: statusText(error) };
  }
}

function isTombstone(type: number): boolean {
  return type === ValueType.deletion || type === ValueType.singleDeletion || type === ValueType.rangeDeletion;
}
