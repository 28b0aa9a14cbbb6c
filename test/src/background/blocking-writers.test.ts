/**
 * Background work beside writers that block: the event loop never turns, so all of it must happen within their calls.
 * Method: one stretch without an `await`, on the disk, with worker threads.
 */
import { expect, test } from 'vitest';
import { DB, Env, MemoryFileSystem } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const value = Buffer.alloc(1000, 'v');

function filesAtLevel(db: DB, level: number): number {
  return Number(db.getProperty(`rocksdb.num-files-at-level${level}`));
}

test('flushes and compactions take effect while puts block and never have to wait: none did', async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(directory.path, {
    createIfMissing: true,
    writeBufferSize: 256 << 10,
    maxWriteBufferNumber: 1000,
    level0FileNumCompactionTrigger: 4,
    level0SlowdownWritesTrigger: 1000,
    level0StopWritesTrigger: 1000,
  });
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < 40_000 && filesAtLevel(db, 1) === 0; i++) {
    db.putSync(`key ${i % 5000}`, value);
    if (i % 100 === 0) Atomics.wait(pause, 0, 0, 10);
  }
  expect(filesAtLevel(db, 1)).toBeGreaterThan(0);
});

test('flushes that a blocking writer waits for sync directory and MANIFEST once each: threads synced them as well', async () => {
  const operations: string[] = [];
  const fileSystem = new MemoryFileSystem({
    hooks: { before: (_, { kind, path }) => void operations.push(`${kind} ${path}`) },
  });
  await using db = await DB.open('/db', {
    createIfMissing: true,
    env: new Env({ fileSystem }),
    writeBufferSize: 64 << 10,
    maxWriteBufferNumber: 2,
    disableAutoCompactions: true,
  });
  operations.length = 0;
  for (let i = 0; i < 2000; i++) db.putSync(`key ${i}`, value);
  const flushed = filesAtLevel(db, 0);
  expect(flushed).toBeGreaterThan(10);
  await db.put('key', 'after turns of the event loop');
  for (const pattern of [/^directory-sync \/db$/, /^sync .*MANIFEST/]) {
    const syncs = operations.filter((operation) => pattern.test(operation)).length;
    // The last flush may have ended in those turns.
    expect(syncs - flushed, String(pattern)).toBeOneOf([0, 1]);
  }
});
