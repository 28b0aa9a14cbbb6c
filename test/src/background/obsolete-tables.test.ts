/** The removal of tables that compactions replaced. Method: a file system that counts the removals under way. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DB, Env, MemoryFileSystem } from '../../../src/index.ts';

class CountingFileSystem extends MemoryFileSystem {
  underWay = 0;
  most = 0;
  removed = 0;

  override async unlink(path: string): Promise<void> {
    if (path.endsWith('.sst')) this.most = Math.max(this.most, ++this.underWay);
    try {
      await setImmediate();
      await super.unlink(path);
      if (path.endsWith('.sst')) this.removed++;
    } finally {
      if (path.endsWith('.sst')) this.underWay--;
    }
  }
}

test('many tables go side by side: one a turn of the event loop lagged ten times behind compactions of small tables', async () => {
  const fileSystem = new CountingFileSystem();
  const env = new Env({ fileSystem });
  const db = await DB.open('/db', { createIfMissing: true, env, disableAutoCompactions: true });
  for (let i = 0; i < 40; i++) {
    await db.put('key', `value ${i}`);
    await db.flush();
  }
  await db.compactRange();
  await db.close();
  expect(fileSystem.removed).toBe(40);
  expect(fileSystem.most).toBe(32);
  const left = (await fileSystem.list('/db')).filter((name) => name.endsWith('.sst'));
  expect(left).toHaveLength(1);
});
