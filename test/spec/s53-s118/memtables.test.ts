/** Memtables in a pipeline: several wait for a slow disk, together, and lose nothing. */

import { describe, expect, test } from 'vitest';
import { DB, type EventListener, type FlushEvent, Statistics } from '../../../src/index.ts';
import { CountingEnv, numbered, quietOptions, rowsOf } from './file-counting.ts';

describe('S110 memtables in a pipeline', () => {
  /** Writes until writes would have to wait; background work is held back. Gives the immutable memtables then. */
  async function immutablesBeforeStall(maxWriteBufferNumber: number): Promise<number> {
    const db = await DB.open('/db', quietOptions({ maxWriteBufferNumber, writeBufferSize: 64 * 1024 }));
    await db.pauseBackgroundWork();
    const model = new Map<string, string>();
    for (let i = 0; ; i++) {
      try {
        await db.put(numbered('key', i), 'v'.repeat(500), { noSlowdown: true });
        model.set(numbered('key', i), 'v'.repeat(500));
      } catch (error) {
        expect(error).toMatchObject({ code: 'INCOMPLETE' });
        break;
      }
      expect(i).toBeLessThan(10_000);
    }
    const waiting = Number(db.getProperty('rocksdb.num-immutable-mem-table'));
    // Reads see all of them, in memory and, later, in tables.
    expect(await rowsOf(db)).toEqual([...model].map(([key, value]) => `${key}=${value}`));
    for (const key of model.keys()) expect(db.getSync(key)).toBeDefined();
    db.continueBackgroundWork();
    await db.flush();
    expect(db.getProperty('rocksdb.num-immutable-mem-table')).toBe('0');
    expect(await rowsOf(db)).toHaveLength(model.size);
    await db.close();
    return waiting;
  }

  test('S110 maxWriteBufferNumber says how many queue before writes wait', async () => {
    const two = await immutablesBeforeStall(2);
    const eight = await immutablesBeforeStall(8);
    expect(two).toBeGreaterThanOrEqual(1);
    expect(two).toBeLessThanOrEqual(2);
    // From seven on writes would be slowed down.
    expect(eight).toBeGreaterThanOrEqual(6);
    expect(eight).toBeLessThanOrEqual(8);
  });

  test('S110 minWriteBufferNumberToMerge flushes several together, and a key in all of them is written once', async () => {
    const flushes: FlushEvent[] = [];
    const listener: EventListener = { onFlushCompleted: (event) => flushes.push(event) };
    const db = await DB.open(
      '/db',
      quietOptions({
        maxWriteBufferNumber: 6,
        minWriteBufferNumberToMerge: 3,
        writeBufferSize: 64 * 1024,
        listeners: [listener],
      }),
    );
    let sealed = 0;
    for (let i = 0; flushes.length < 2 && i < 100_000; i++) {
      db.putSync(numbered('key', i % 50), `${i}`.padEnd(400, '.'));
      sealed = Math.max(sealed, Number(db.getProperty('rocksdb.num-immutable-mem-table')));
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(flushes.length).toBeGreaterThanOrEqual(2);
    expect(sealed).toBeGreaterThanOrEqual(3);
    expect(flushes.every(({ entries }) => entries === 50)).toBe(true);
    await db.close();
  });
});

describe('S111 S112 a flush compacts its memtables', () => {
  test('S111 100 000 puts of ten keys become a table of ten entries', async () => {
    const db = await DB.open('/db', quietOptions());
    for (let i = 0; i < 100_000; i++) db.putSync(`key${i % 10}`, `${i}`);
    await db.flush();
    expect(db.getMapProperty('rocksdb.aggregated-table-properties')).toMatchObject({ numEntries: '10' });
    for (let i = 0; i < 10; i++) expect(Buffer.from(db.getSync(`key${i}`)!).toString()).toBe(`${99_990 + i}`);
    await db.close();
  });

  test('S112 of a put and its delete only the tombstone is written; under a snapshot both', async () => {
    const db = await DB.open('/db', quietOptions());
    db.putSync('key', 'value');
    db.deleteSync('key');
    await db.flush();
    expect(db.getMapProperty('rocksdb.aggregated-table-properties')).toMatchObject({
      numEntries: '1',
      numDeletions: '1',
    });
    db.putSync('other', 'value');
    const snapshot = db.snapshot();
    db.deleteSync('other');
    await db.flush();
    expect(db.getMapProperty('rocksdb.aggregated-table-properties')).toMatchObject({
      numEntries: '3',
      numDeletions: '2',
    });
    expect(db.getSync('other')).toBeUndefined();
    expect(Buffer.from(db.getSync('other', { snapshot })!).toString()).toBe('value');
    snapshot.release();
    await db.close();
  });

  test('S113 a queue whose elements live shortly hardly reaches the tables', async () => {
    const statistics = new Statistics();
    const env = new CountingEnv();
    const db = await DB.open(
      '/db',
      quietOptions({
        env: env.env,
        statistics,
        writeBufferSize: 1024 * 1024,
        compression: 'none',
        disableAutoCompactions: false,
      }),
    );
    const element = new Uint8Array(1000);
    let put = 0;
    for (let i = 0; i < 20_000; i++) {
      db.putSync(numbered('queue', i), element);
      put += element.length;
      // The consumer is a few elements behind.
      if (i >= 10) db.singleDeleteSync(numbered('queue', i - 10));
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await rowsOf(db)).toHaveLength(10);
    await db.flush();
    const flushed = statistics.getTickerCount('rocksdb.flush.write.bytes');
    process.stderr.write(`S113 bytes flushed of bytes put: ${((100 * flushed) / put).toFixed(2)} %\n`);
    expect(put).toBe(20_000_000);
    expect(flushed / put).toBeLessThan(0.02);
    await db.close();
  });
});
