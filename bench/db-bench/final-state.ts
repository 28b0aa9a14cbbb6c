/** What the database holds when the workloads are done: bytes on disk, amplification, and the shape of the tree. */
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DB, Env } from '../../src/index.ts';
import type { FinalState } from './bench-output.ts';

/** Bytes of all files of a directory. */
async function directoryBytes({ fileSystem }: Env, directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await fileSystem.list(directory)) {
    try {
      bytes += (await fileSystem.stat(join(directory, name))).size;
    } catch (error) {
      // Obsolete files are deleted beside this walk.
      if (!(await fileSystem.exists(join(directory, name)))) continue;
      throw error;
    }
  }
  return bytes;
}

/** Time for files to be deleted that nothing refers to any more; background work that goes on for longer is not awaited. */
const SETTLE_MS = 50;
const SETTLE_ROUNDS = 20;

/** The bytes of the database once they stand still: its tables and, wherever they lie, its logs. */
async function settledBytes({ env, path }: DB, walDir: string | undefined): Promise<number> {
  const directories = new Set([path, resolve(walDir ?? path)]);
  const measure = async (): Promise<number> => {
    let sum = 0;
    for (const directory of directories) sum += await directoryBytes(env, directory);
    return sum;
  };
  let bytes = await measure();
  for (let round = 0; round < SETTLE_ROUNDS; round++) {
    await sleep(SETTLE_MS);
    const now = await measure();
    if (now === bytes) break;
    bytes = now;
  }
  return bytes;
}

/** Measures; `walDir` is where logs lie apart from the tables. Space amplification is the tables' bytes over those of the last sorted run. */
export async function finalState(db: DB, walDir: string | undefined): Promise<FinalState> {
  const { space, write } = db.getAmplification();
  const { statistics } = db;
  return {
    directory: db.path,
    diskBytes: await settledBytes(db, walDir),
    spaceAmplification: space,
    writeAmplification: write,
    levels: db.getColumnFamilyMetaData().levels.map(({ files }) => files.length),
    ...(statistics === undefined
      ? {}
      : {
          trivialMoves: statistics.getTickerCount('rocksdb.compaction.trivial.move'),
          syncs: statistics.getTickerCount('rocksdb.wal.synced') + statistics.getTickerCount('rocksdb.manifest.synced'),
        }),
  };
}

/** The lines behind the figures; the first is what `du -s -k` prints. */
export function finalStateText(state: FinalState): string {
  const kibibytes = Math.ceil(state.diskBytes / 1024);
  return (
    `${kibibytes}\t${state.directory}\n` +
    `Final disk bytes: ${state.diskBytes}; space amplification: ${state.spaceAmplification.toFixed(2)}; ` +
    `write amplification: ${state.writeAmplification.toFixed(2)}; files by level: ${state.levels.join(' ')}\n`
  );
}
