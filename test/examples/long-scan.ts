/**
 * A long scan that does not hold the disk: an iterator keeps every table of its moment, so a scan of hours would keep all
 * that compactions replace meanwhile. This scan reads from a snapshot, which keeps only entries, and makes a new iterator
 * every so many keys; the answer is the same, and replaced tables go while it runs.
 */
import { readdirSync } from 'node:fs';
import { DB, WriteBatch } from '../../src/index.ts';
import { runAsProgram } from './run-as-program.ts';

/** Rows of one `nextMany`. */
const ROWS = 500;

/** All entries as they are now, with a new iterator every `keysPerIterator` keys. The caller owns the bytes. */
export async function* longScan(db: DB, keysPerIterator = 10_000): AsyncGenerator<[Uint8Array, Uint8Array]> {
  using snapshot = db.snapshot();
  // A key that follows `last` at once is `last` with a zero byte: the smallest key that is larger.
  for (let from = new Uint8Array(0), more = true; more; ) {
    using iterator = db.newIterator({ snapshot, fillCache: false });
    await iterator.seek(from);
    for (let seen = 0; seen < keysPerIterator; ) {
      const rows = await iterator.nextMany(Math.min(ROWS, keysPerIterator - seen));
      yield* rows;
      seen += rows.length;
      const last = rows.at(-1)?.[0];
      if (last === undefined) {
        more = false;
        break;
      }
      from = Buffer.concat([last, new Uint8Array(1)]);
    }
  }
}

/** Names of tables that stand in the directory though the database does not read them any more. */
function replacedTables(db: DB): string[] {
  const live = new Set(db.getLiveFilesMetaData().map(({ name }) => name.slice(1)));
  return readdirSync(db.path).filter((name) => name.endsWith('.sst') && !live.has(name));
}

function keyOf(index: number): string {
  return `key${String(index).padStart(8, '0')}`;
}

/** Overwrites a slice of the keys. */
async function overwrite(db: DB, keys: number, round: number): Promise<void> {
  const batch = new WriteBatch();
  for (let i = 0; i < 500; i++) batch.put(keyOf((round * 500 + i) % keys), `changed in round ${round}`.padEnd(50));
  await db.write(batch);
}

/**
 * Scans while all keys are overwritten several times, and counts which tables that were there at the start still take up
 * disk at the end though compactions replaced them.
 */
export async function main(directory: string, keys = 60_000, keysPerIterator = 5_000) {
  const db = await DB.open(directory, {
    createIfMissing: true,
    writeBufferSize: 512 * 1024,
    targetFileSizeBase: 512 * 1024,
    maxBytesForLevelBase: 2 * 1024 * 1024,
  });
  for (let start = 0; start < keys; start += 1000) {
    const batch = new WriteBatch();
    for (let i = start; i < Math.min(keys, start + 1000); i++) batch.put(keyOf(i), 'as it was');
    await db.write(batch);
  }
  await db.flush();
  const firstTables = new Set(db.getLiveFilesMetaData().map(({ name }) => name.slice(1)));
  let seen = 0;
  let wrong = 0;
  let round = 0;
  let firstTablesLeft = 0;
  for await (const [key, value] of longScan(db, keysPerIterator)) {
    if (Buffer.from(key).toString() !== keyOf(seen) || Buffer.from(value).toString() !== 'as it was') wrong++;
    seen++;
    if (seen % 200 === 0) await overwrite(db, keys, round++);
    // Stands in for what hours of compactions do to the tables of the start.
    if (seen === keys / 2) await db.compactRange();
    if (seen === keys) firstTablesLeft = replacedTables(db).filter((name) => firstTables.has(name)).length;
  }
  await db.close();
  return { keys, seen, wrong, overwritten: round * 500, firstTables: firstTables.size, firstTablesLeft };
}

await runAsProgram(import.meta.url, main);
