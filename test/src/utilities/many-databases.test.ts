/** Many databases in one process: what they share is shared, what they own is their own. */

import { expect, test } from 'vitest';
import { BlockCache, DB, Env } from '../../../src/index.ts';
import { Random } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('S89 a hundred databases in one process take mixed load, each keeps its own', { timeout: 120_000 }, async () => {
  const env = Env.memory();
  const random = new Random(89);
  const open = (i: number): Promise<DB> =>
    DB.open(`/db${i}`, { env, createIfMissing: true, writeBufferSize: 64 << 10, maxLogFileSize: 1 << 16 });
  const databases = await Promise.all(Array.from({ length: 100 }, (_, i) => open(i)));
  await expect(open(17)).rejects.toMatchObject({ code: 'LOCKED' });
  const expected = databases.map(() => new Map<string, string>());
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      databases.map(async (db, i) => {
        const writes: Promise<void>[] = [];
        for (let n = 0; n < 20; n++) {
          const key = `k${random.below(50)}`;
          const value = `${i}:${round}:${n}:${'x'.repeat(random.below(200))}`;
          expected[i]!.set(key, value);
          writes.push(db.put(key, value));
        }
        if (round % 7 === i % 7) writes.push(db.flush());
        if (round === 15 && i % 10 === 0) writes.push(db.compactRange());
        await Promise.all(writes);
        const probe = `k${random.below(50)}`;
        expect(Buffer.from((await db.get(probe)) ?? '').toString()).toBe(expected[i]!.get(probe) ?? '');
      }),
    );
  }
  await Promise.all(databases.map((db) => db.close()));
  for (const i of [0, 17, 50, 99]) {
    await using db = await open(i);
    const rows = new Map<string, string>();
    for await (const [key, value] of db.entries()) {
      rows.set(Buffer.from(key).toString(), Buffer.from(value).toString());
    }
    expect(rows).toEqual(new Map([...expected[i]!].sort(([a], [b]) => (a < b ? -1 : 1))));
  }
  await env.close();
});

test('S89 the same path twice is LOCKED on disk, too, and free again after a close', async () => {
  using directory = temporaryDirectory();
  const first = await DB.open(directory.path, { createIfMissing: true });
  await expect(DB.open(directory.path)).rejects.toMatchObject({ code: 'LOCKED' });
  await first.close();
  await (await DB.open(directory.path)).close();
});

test('S90 twenty databases compact at once and never run more threads than their Env allows', async () => {
  using directory = temporaryDirectory();
  const env = new Env({ compactionWorkers: 2, flushWorkers: 1 });
  const databases = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      DB.open(`${directory.path}/${i}`, {
        env,
        createIfMissing: true,
        level0FileNumCompactionTrigger: 2,
      }),
    ),
  );
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, env.stats().workers);
  }, 1);
  const load = databases.map(async (db) => {
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 200; i++) db.putSync(`k${i}`, `${round}`.repeat(1000));
      await db.flush();
      most = Math.max(most, env.stats().workers);
    }
    await db.compactRange();
    expect(Buffer.from(db.getSync('k42')!).toString()).toBe('3'.repeat(1000));
  });
  await Promise.all(load);
  clearInterval(watch);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(3);
  await Promise.all(databases.map((db) => db.close()));
  await env.close();
});

test('S91 ten databases share one block cache: together below its capacity, hits from each', async () => {
  const env = Env.memory();
  using blockCache = new BlockCache({ capacity: 256 << 10, numShardBits: 0 });
  const databases = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      DB.open(`/db${i}`, { env, createIfMissing: true, blockCache, compression: 'none' }),
    ),
  );
  for (const [i, db] of databases.entries()) {
    for (let n = 0; n < 1000; n++) db.putSync(`k${n}`, `${i}`.repeat(100));
    await db.flush();
  }
  for (let n = 0; n < 1000; n++) {
    for (const [i, db] of databases.entries()) {
      expect(db.getSync(`k${n}`)![0]).toBe(48 + i);
      expect(blockCache.usage).toBeLessThanOrEqual(blockCache.capacity);
    }
  }
  expect(blockCache.stats().evictions).toBeGreaterThan(0);
  for (const db of databases) {
    const before = blockCache.stats().hits;
    db.getSync('k5');
    db.getSync('k5');
    expect(blockCache.stats().hits).toBeGreaterThan(before);
    expect(db.getIntProperty('rocksdb.block-cache-usage')).toBe(blockCache.usage);
  }
  await Promise.all(databases.map((db) => db.close()));
});
