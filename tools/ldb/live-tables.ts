/** The live tables of a database, as an operator sees them: with the path that `--db` leads to. */
import { resolve } from 'node:path';
import { levelDbTableFileName, tableFileName } from '../../format/manifest/file-name.ts';
import { type DB, DBError, type LiveFileMetaData } from '../../src/index.ts';
import type { CommandContext } from './command-context.ts';

/** One live table. */
export interface LiveTable {
  readonly path: string;
  readonly metadata: LiveFileMetaData;
}

/** All live tables: families in the order of their ids, levels downward, each level in its own order. */
export async function liveTables({ fileSystem, path }: CommandContext, db: DB): Promise<LiveTable[]> {
  const names = new Set(await fileSystem.list(resolve(path)));
  return db.getLiveFilesMetaData().map((metadata) => {
    const name = tableFileName(metadata.fileNumber);
    const older = levelDbTableFileName(metadata.fileNumber);
    return { path: `${path}/${!names.has(name) && names.has(older) ? older : name}`, metadata };
  });
}

/** How many levels a family has. */
export function levelCountOf(db: DB, family: string): number {
  const handle = db.columnFamily(family);
  let count = 0;
  while (handle.getProperty(`rocksdb.num-files-at-level${count}`) !== undefined) count++;
  if (count === 0) throw new DBError('NOT_FOUND', `column family ${family} has no levels`);
  return count;
}
