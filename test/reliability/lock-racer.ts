/**
 * A process that races for a database: `lock-racer.ts <directory>`. It prints `ready`; for each line on its input, the name of
 * a round, it tries to open, prints `won` or the code of the refusal, and keeps the database open. The line `close` closes it.
 * What it won it marks with a synced write, so that nothing of a killed winner is lost either.
 */

import { createInterface } from 'node:readline';
import { DB, DBError } from '../../src/index.ts';

const directory = process.argv[2]!;
let db: DB | undefined;

async function race(round: string): Promise<string> {
  try {
    db = await DB.open(directory, { createIfMissing: true });
    await db.put(round, String(process.pid), { sync: true });
    return 'won';
  } catch (error) {
    return error instanceof DBError ? error.code : String(error);
  }
}

async function close(): Promise<string> {
  await db?.close();
  db = undefined;
  return 'closed';
}

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await (line === 'close' ? close() : race(line))}\n`);
}
await close();
