/**
 * A process that works on a database of more tables than it may have open: `fd-child.ts <directory> <max open files>`. It
 * writes tables that no compaction merges, reads, has them all merged, scans, reads again and closes. It prints as JSON how
 * each of these ended, how many descriptors /proc counted at the most during reads, and how many were left.
 */

import { readdirSync } from 'node:fs';
import { DB, DBError, type Options } from '../../src/index.ts';

/** Tables that are flushed; the test knows the number of rows. */
const TABLES = 300;
const ROWS_A_TABLE = 40;
const directory = process.argv[2]!;
const maxOpenFiles = Number(process.argv[3]);
const options: Options = { createIfMissing: true, maxOpenFiles, disableAutoCompactions: true };

/** Pipes of the event loop are open from the start; what is opened from here on counts. */
const before = readdirSync('/proc/self/fd').length;
let most = 0;

function openNow(): number {
  return readdirSync('/proc/self/fd').length - before;
}

function count(): void {
  most = Math.max(most, openNow());
}

function key(table: number, row: number): string {
  return `key${String(row * TABLES + table).padStart(8, '0')}`;
}

async function fill(db: DB): Promise<void> {
  for (let table = 0; table < TABLES; table++) {
    const rows = Array.from({ length: ROWS_A_TABLE }, (_, row) => row);
    await Promise.all(rows.map((row) => db.put(key(table, row), `value ${table} ${row} `.repeat(8))));
    await db.flush();
    count();
  }
}

async function read(db: DB): Promise<number> {
  const gets = Array.from({ length: 3000 }, (_, i) => db.get(key(i % TABLES, i % ROWS_A_TABLE)));
  const values = await Promise.all(gets);
  return values.filter((value) => value !== undefined).length;
}

async function scan(db: DB): Promise<number> {
  let rows = 0;
  for await (const _row of db.entries()) {
    rows++;
  }
  return rows;
}

/** What comes of a call, or the code and the words of its refusal. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return (await call) ?? 'done';
  } catch (error) {
    return error instanceof DBError ? `${error.code} ${error.message}` : `untyped: ${error}`;
  }
}

const watch = setInterval(count, 2);
const found: Record<string, unknown> = {};
{
  await using db = await DB.open(directory, options);
  await fill(db);
  found.tables = db.getLiveFilesMetaData().length;
  found.reads = await read(db);
  found.mostReading = most;
  // Counting takes a descriptor itself, and there may be none left from here on.
  clearInterval(watch);
  found.compaction = await outcomeOf(db.compactRange());
  found.rows = await outcomeOf(scan(db));
  found.readsAgain = await read(db);
}
process.stdout.write(`${JSON.stringify({ ...found, left: openNow() })}\n`);
process.exit();
