/** The removal of files that flushes and compactions replaced. Method: a file system that counts the removals under way. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DB, Env, MemoryFileSystem } from '../../../src/index.ts';

class CountingFileSystem extends MemoryFileSystem {
  underWay = 0;
  most = 0;
  attempts = 0;
  removed = 0;

  override async unlink(path: string): Promise<void> {
    this.attempts++;
    this.most = Math.max(this.most, ++this.underWay);
    try {
      await setImmediate();
      await super.unlink(path);
      if (path.endsWith('.sst')) this.removed++;
    } finally {
      this.underWay--;
    }
  }
}

test('tables and logs go side by side: one a turn of the event loop lagged ten times behind compactions of small tables', async () => {
  const fileSystem = new CountingFileSystem();
  const env = new Env({ fileSystem });
  const db = await DB.open('/db', { createIfMissing: true, env, disableAutoCompactions: true });
  await db.disableFileDeletions();
  for (let i = 0; i < 40; i++) {
    await db.put('key', `value ${i}`);
    await db.flush();
  }
  await db.compactRange();
  fileSystem.attempts = 0;
  await db.enableFileDeletions();
  await db.close();
  expect(fileSystem.removed).toBe(40);
  // 40 tables and the 40 logs of what is in them: each with one call, no table is asked for under LevelDB's name too.
  expect(fileSystem.attempts).toBe(80);
  expect(fileSystem.most).toBe(80);
  expect(await tablesIn(fileSystem)).toHaveLength(1);
});

test('writers that block remove what their compactions replaced: without a turn of the event loop all of it stayed', async () => {
  const fileSystem = new MemoryFileSystem();
  const db = await DB.open('/db', {
    createIfMissing: true,
    env: new Env({ fileSystem }),
    writeBufferSize: 64 << 10,
    level0FileNumCompactionTrigger: 2,
    level0SlowdownWritesTrigger: 3,
    level0StopWritesTrigger: 4,
  });
  const value = Buffer.alloc(1000, 'v');
  for (let i = 0; i < 10_000; i++) db.putSync(`key ${i % 100}`, value);
  const numbers = (await tablesIn(fileSystem)).map((name) => Number.parseInt(name, 10));
  expect(Math.max(...numbers)).toBeGreaterThan(100);
  expect(numbers.length).toBeLessThan(10);
  await db.close();
});

async function tablesIn(fileSystem: MemoryFileSystem): Promise<string[]> {
  return (await fileSystem.list('/db')).filter((name) => name.endsWith('.sst'));
}
