/** The child of many-readers.test.ts: opens a database read-only, and reads all of it when a line arrives. */
import { DB } from '../../../src/index.ts';

const db = await DB.open(process.argv[2]!, { readOnly: true });
process.stdout.write('open\n');
process.stdin.once('data', () => {
  let rows = 0;
  for (const [key] of db.entriesSync()) rows += key.length > 0 ? 1 : 0;
  const value = Buffer.from(db.getSync('key1234')!).toString();
  process.stdout.write(`${rows} rows, key1234=${value}\n`);
});
