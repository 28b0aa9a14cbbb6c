/** The caches as databases use them: blocks, stored blocks, open tables, and reads that may use nothing else. */

import { readdirSync, readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BlockCache, DB, type DBError, Statistics } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { CountingEnv, numbered, quietOptions, scanAll } from './file-counting.ts';

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

async function filled(db: DB, keys: number, valueSize = 100): Promise<void> {
  for (let i = 0; i < keys; i++) db.putSync(numbered('key', i), `${i}`.padEnd(valueSize, 'v'));
  await db.flush();
}

describe('S92 the block cache serves reads', () => {
  test('S92 hits, misses and added blocks stand in the statistics, of point reads and of scans', async () => {
    const statistics = new Statistics();
    const env = new CountingEnv();
    const db = await DB.open('/db', quietOptions({ env: env.env, statistics }));
    await filled(db, 1000);
    const ticker = (name: string): number => statistics.getTickerCount(`rocksdb.block.cache.${name}`);
    expect([ticker('hit'), ticker('miss'), ticker('add')]).toEqual([0, 0, 0]);
    db.getSync('key000500');
    expect([ticker('hit'), ticker('miss'), ticker('add')]).toEqual([0, 1, 1]);
    db.getSync('key000500');
    await db.get('key000501');
    expect([ticker('hit'), ticker('miss'), ticker('add')]).toEqual([2, 1, 1]);
    scanAll(db);
    const blocks = ticker('add');
    expect(blocks).toBeGreaterThan(20);
    expect(ticker('miss')).toBe(blocks);
    env.clear();
    scanAll(db);
    expect(env.count(/\.sst/)).toBe(0);
    expect(ticker('miss')).toBe(blocks);
    expect(ticker('hit')).toBe(3 + blocks);
    await db.close();
    // What a closed database counted stays, and a reset forgets it.
    expect(ticker('miss')).toBe(blocks);
    statistics.reset();
    expect(ticker('miss')).toBe(0);
  });

  test('S92 a scan with fillCache false leaves the cache as it was', async () => {
    const cache = new BlockCache({ capacity: 1 << 20 });
    const db = await DB.open('/db', quietOptions({ blockCache: cache }));
    await filled(db, 1000);
    scanAll(db, { fillCache: false });
    expect(cache.usage).toBe(0);
    db.getSync('key000001', { fillCache: false });
    expect(cache.usage).toBe(0);
    db.getSync('key000001');
    expect(cache.usage).toBeGreaterThan(0);
    expect(cache.pinnedUsage).toBe(0);
    await db.close();
    cache.close();
  });

  test('S92 Bloom filters: useful and full.positive are counted', async () => {
    const statistics = new Statistics();
    const db = await DB.open('/db', quietOptions({ statistics, filterPolicy: { type: 'bloom', bitsPerKey: 16 } }));
    await filled(db, 1000);
    for (let i = 0; i < 100; i++) db.getSync(`${numbered('key', i)}x`);
    for (let i = 0; i < 10; i++) db.getSync(numbered('key', i));
    expect(statistics.getTickerCount('rocksdb.bloom.filter.useful')).toBeGreaterThan(90);
    expect(statistics.getTickerCount('rocksdb.bloom.filter.full.positive')).toBeGreaterThanOrEqual(10);
    expect(statistics.getTickerCount('rocksdb.bloom.filter.full.true.positive')).toBe(10);
    await db.close();
  });
});

describe('S93 a second cache holds blocks as they are stored', () => {
  async function twoCaches(compression: 'snappy' | 'none' | 'zlib') {
    const env = new CountingEnv();
    const statistics = new Statistics();
    const blockCache = new BlockCache({ capacity: 8 * 1024, numShardBits: 0 });
    const blockCacheCompressed = new BlockCache({ capacity: 8 << 20, numShardBits: 0 });
    const db = await DB.open(
      '/db',
      quietOptions({ env: env.env, statistics, blockCache, blockCacheCompressed, compression }),
    );
    await filled(db, 2000);
    return { db, env, statistics, blockCache, blockCacheCompressed };
  }

  test.each(['snappy', 'zlib'] as const)(
    'S93 a block evicted from the first is served from the second (%s)',
    async (codec) => {
      const { db, env, statistics, blockCache, blockCacheCompressed } = await twoCaches(codec);
      for (let i = 0; i < 2000; i += 10) db.getSync(numbered('key', i));
      expect(blockCache.usage).toBeLessThanOrEqual(blockCache.capacity);
      const stored = blockCacheCompressed.usage;
      // 2000 values of mostly one letter: the stored blocks are far smaller than the blocks.
      expect(stored).toBeGreaterThan(0);
      expect(stored).toBeLessThan(2000 * 100);
      env.clear();
      for (let i = 0; i < 2000; i += 10)
        expect(text(db.getSync(numbered('key', i)))?.trimEnd()).toMatch(new RegExp(`^${i}v`));
      for (const [key, value] of db.entriesSync()) expect(text(value)).toContain(`${Number(text(key)!.slice(3))}`);
      expect(env.count(/\.sst/)).toBe(0);
      expect(statistics.getTickerCount('rocksdb.block.cachecompressed.hit')).toBeGreaterThan(50);
      expect(statistics.getTickerCount('rocksdb.block.cachecompressed.add')).toBeGreaterThan(20);
      expect(blockCacheCompressed.pinnedUsage).toBe(0);
      await db.close();
      blockCache.close();
      blockCacheCompressed.close();
    },
  );

  test('S93 blocks that are not compressed do not go there', async () => {
    const { db, blockCache, blockCacheCompressed } = await twoCaches('none');
    scanAll(db);
    expect(blockCacheCompressed.usage).toBe(0);
    await db.close();
    blockCache.close();
    blockCacheCompressed.close();
  });

  test('S93 a table that is compacted away leaves it', async () => {
    const { db, blockCache, blockCacheCompressed } = await twoCaches('snappy');
    scanAll(db);
    expect(blockCacheCompressed.usage).toBeGreaterThan(0);
    db.deleteRangeSync('key', 'kez');
    await db.compactRange();
    await db.flush();
    await db.pauseBackgroundWork();
    db.continueBackgroundWork();
    expect(blockCacheCompressed.usage).toBe(0);
    await db.close();
    blockCache.close();
    blockCacheCompressed.close();
  });

  test('S93 the same cache for both is refused', async () => {
    const cache = new BlockCache({ capacity: 1 << 20 });
    const opening = DB.open('/db', quietOptions({ blockCache: cache, blockCacheCompressed: cache }));
    await expect(opening).rejects.toThrow(/blockCacheCompressed/);
    cache.close();
  });
});

describe('S95 S96 the table cache', () => {
  test('S95 a table is opened once', async () => {
    const env = new CountingEnv();
    const db = await DB.open('/db', quietOptions({ env: env.env }));
    await filled(db, 100);
    db.getSync('key000001');
    env.clear();
    for (let i = 0; i < 100; i++) db.getSync(numbered('key', i));
    expect(env.count(/^open/)).toBe(0);
    await db.close();
  });

  test('S96 maxOpenFiles bounds the open tables of a database of 500', async () => {
    using directory = temporaryDirectory();
    const options = {
      createIfMissing: true,
      disableAutoCompactions: true,
      level0SlowdownWritesTrigger: 1000,
      level0StopWritesTrigger: 1000,
      maxOpenFiles: 20,
    };
    const openTables = (): number => {
      let count = 0;
      for (const name of readdirSync('/proc/self/fd')) {
        try {
          const target = readlinkSync(`/proc/self/fd/${name}`);
          if (target.startsWith(directory.path) && target.endsWith('.sst')) count++;
        } catch {
          // Closed since the listing: the listing's own descriptor.
        }
      }
      return count;
    };
    const db = await DB.open(directory.path, options);
    for (let table = 0; table < 500; table++) {
      db.putSync(numbered('key', table), `${table}`);
      await db.flush();
    }
    expect(db.getLiveFilesMetaData()).toHaveLength(500);
    let most = 0;
    for (let i = 0; i < 500; i++) {
      expect(text(db.getSync(numbered('key', i)))).toBe(`${i}`);
      most = Math.max(most, openTables());
    }
    const values = await db.multiGet(Array.from({ length: 500 }, (_, i) => numbered('key', i)));
    expect(values.map(text)).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
    most = Math.max(most, openTables());
    expect(most).toBeGreaterThan(5);
    expect(most).toBeLessThanOrEqual(20);
    await db.close();
    expect(openTables()).toBe(0);
    const again = await DB.open(directory.path, { ...options, maxOpenFiles: -1 });
    for (let i = 0; i < 500; i++) again.getSync(numbered('key', i));
    expect(openTables()).toBe(500);
    await again.close();
  });
});

describe('S101 S102 S103 reads that must not wait', () => {
  async function cold(): Promise<{ db: DB; env: CountingEnv }> {
    const env = new CountingEnv();
    const first = await DB.open('/db', quietOptions({ env: env.env }));
    await filled(first, 1000);
    await first.close();
    const db = await DB.open('/db', quietOptions({ env: env.env }));
    env.clear();
    return { db, env };
  }

  const incomplete = expect.objectContaining({ code: 'INCOMPLETE' }) as DBError;

  test('S101 S102 INCOMPLETE where a file would have to be read, never absent, and no file operation', async () => {
    const { db, env } = await cold();
    expect(() => db.getSync('key000500', { readTier: 'blockCache' })).toThrow(incomplete);
    await expect(db.get('key000500', { readTier: 'blockCache' })).rejects.toEqual(incomplete);
    await expect(db.multiGet(['key000500'], { readTier: 'blockCache' })).rejects.toEqual(incomplete);
    using iterator = db.newIterator({ readTier: 'blockCache' });
    expect(() => iterator.seekSync('key000500')).toThrow(incomplete);
    await expect(iterator.seek('key000500')).rejects.toEqual(incomplete);
    expect(env.calls).toEqual([]);
    // A key out of every table's range is known to be absent; one in a memtable is known.
    expect(db.getSync('zzz', { readTier: 'blockCache' })).toBeUndefined();
    db.putSync('mem', 'here', { disableWAL: true });
    expect(text(db.getSync('mem', { readTier: 'blockCache' }))).toBe('here');
    expect(env.count(/\.sst/)).toBe(0);
    await db.close();
  });

  test('S103 the read is scheduled the normal way, and then the cache has it', async () => {
    const { db, env } = await cold();
    const key = 'key000500';
    const get = async (): Promise<Uint8Array | undefined> => {
      try {
        return db.getSync(key, { readTier: 'blockCache' });
      } catch (error) {
        if ((error as DBError).code !== 'INCOMPLETE') throw error;
        return db.get(key);
      }
    };
    expect(text(await get())).toMatch(/^500v/);
    env.clear();
    expect(text(db.getSync(key, { readTier: 'blockCache' }))).toMatch(/^500v/);
    expect(env.calls).toEqual([]);
    await db.close();
  });

  test('S103 an iterator keeps its position over INCOMPLETE, and a blocking one goes on from it', async () => {
    const { db } = await cold();
    db.getSync('key000000');
    using iterator = db.newIterator({ readTier: 'blockCache' });
    expect(iterator.seekSync('key000000')).toBe(true);
    let last = '';
    expect(() => {
      for (;;) {
        last = text(iterator.key)!;
        iterator.nextSync();
      }
    }).toThrow(incomplete);
    expect(last).toMatch(/^key0000\d\d$/);
    expect(text(iterator.key)).toBe(last);
    using blocking = db.newIterator();
    expect(blocking.seekSync(iterator.key)).toBe(true);
    expect(blocking.nextSync()).toBe(true);
    const next = text(blocking.key)!;
    expect(Number(next.slice(3))).toBe(Number(last.slice(3)) + 1);
    // The block is in the cache now: the same move of the first iterator succeeds.
    expect(iterator.nextSync()).toBe(true);
    expect(text(iterator.key)).toBe(next);
    await db.close();
  });
});
