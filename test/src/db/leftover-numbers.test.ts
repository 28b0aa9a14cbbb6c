/** Files that a crash left behind are removed in the background: nothing new may take their names meanwhile. */
import { expect, test } from 'vitest';
import { DB, Env, MemoryFileSystem, type Options } from '../../../src/index.ts';
import { scanForward } from '../../support/read-database.ts';

const LEFTOVERS = 60;

test('a table that is made while leftovers are removed does not go with them', async () => {
  const fileSystem = new MemoryFileSystem();
  const env = new Env({ fileSystem });
  const options: Options = { env, createIfMissing: true, disableAutoCompactions: true, writeBufferSize: 16 << 10 };
  const first = await DB.open('/db', options);
  first.putSync('first', 'value');
  await first.flush();
  const [table] = first.getLiveFilesMetaData();
  await first.close();
  // As a compaction leaves them that was cut off before the MANIFEST knew of its outputs, or of their numbers.
  for (let i = 1; i <= LEFTOVERS; i++) {
    const name = `${String(table!.fileNumber + i).padStart(6, '0')}.sst`;
    (await fileSystem.createWritable(`/db/${name}`)).closeSync();
  }
  const db = await DB.open('/db', options);
  // A writer that blocks flushes in place: nothing was removed yet.
  for (let i = 0; i < 20; i++) db.putSync(`key${i}`, 'x'.repeat(8 << 10));
  await db.flush();
  const rows = scanForward(db);
  const live = db.getLiveFilesMetaData().map(({ fileNumber }) => `${String(fileNumber).padStart(6, '0')}.sst`);
  await db.close();
  const tables = fileSystem.listSync('/db').filter((name) => name.endsWith('.sst'));
  expect(tables.sort()).toEqual(live.sort());
  const again = await DB.open('/db', options);
  expect(scanForward(again)).toEqual(rows);
  expect(rows).toHaveLength(21);
  await again.close();
});
