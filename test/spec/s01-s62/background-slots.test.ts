/**
 * Who works when in the background: as many compactions at once as there are slots, in threads of their own, and flushes
 * that no compaction holds up. Method: a filter that hangs until a file is gone, one that writes down its thread, counters.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CompactionEvent, DB, Env, type ModuleRef, type Options, Statistics } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { expectRows, scanForward } from '../../support/read-database.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const key = (i: number): string => `key${String(i).padStart(6, '0')}`;

function fromModule(name: string, options: unknown): ModuleRef {
  const module = new URL('../../support/worker-modules.mjs', import.meta.url).href;
  return { module, export: name, options };
}

describe('S58 threads reserved for flushes', () => {
  const MEMTABLE = 256 << 10;
  const value = new Uint8Array(1000);

  /** A database whose only compaction hangs during `work`; what that returns is called once the compaction goes on. */
  async function withHangingCompaction(
    maxBackgroundFlushes: number,
    work: (
      db: DB,
      seen: { flushes: number; stalls: string[] },
      statistics: Statistics,
    ) => Promise<(() => Promise<void>) | void>,
  ): Promise<void> {
    using directory = temporaryDirectory();
    const gate = join(directory.path, 'gate');
    writeFileSync(gate, '');
    const statistics = new Statistics();
    const seen = { flushes: 0, stalls: [] as string[] };
    let compactions = 0;
    await using db = await DB.open(join(directory.path, 'db'), {
      createIfMissing: true,
      env: new Env({ compactionWorkers: 1, flushWorkers: 1 }),
      compression: 'none',
      writeBufferSize: MEMTABLE,
      maxWriteBufferNumber: 3,
      maxBackgroundCompactions: 1,
      maxBackgroundFlushes,
      level0FileNumCompactionTrigger: 2,
      compactionFilter: fromModule('gated', { gate }),
      statistics,
      listeners: [
        {
          onFlushCompleted: () => void seen.flushes++,
          onCompactionBegin: () => void compactions++,
          onStallConditionsChanged: ({ current, cause }) => void seen.stalls.push(`${current} ${cause}`),
        },
      ],
    });
    let afterwards: (() => Promise<void>) | void;
    try {
      for (const _ of [1, 2]) {
        for (let i = 0; i < 150; i++) await db.put(key(i), value);
        await db.flush();
      }
      await expect.poll(() => compactions, { timeout: 10_000 }).toBe(1);
      seen.flushes = 0;
      afterwards = await work(db, seen, statistics);
    } finally {
      rmSync(gate);
    }
    await afterwards?.();
    await db.flush();
    expect(db.getProperty('rocksdb.num-immutable-mem-table')).toBe('0');
    expect(db.getSync(key(149))).toHaveLength(1000);
  }

  test('S58 five memtables are flushed while every compaction hangs, and no write waits', async () => {
    await withHangingCompaction(1, async (db, seen, statistics) => {
      for (let memtable = 1; memtable <= 5; memtable++) {
        for (let i = 0; seen.flushes < memtable && db.getProperty('rocksdb.num-immutable-mem-table') === '0'; i++) {
          await db.put(key(i), value);
          expect(i).toBeLessThan(1000);
        }
        await expect.poll(() => seen.flushes, { timeout: 10_000, interval: 5 }).toBe(memtable);
      }
      expect(db.getProperty('rocksdb.num-running-compactions')).toBe('1');
      expect(seen.stalls).toEqual([]);
      expect(statistics.getTickerCount('rocksdb.stall.micros')).toBe(0);
      expect(statistics.getHistogram('rocksdb.db.write.stall').count).toBe(0);
    });
  });

  test('S58 without a reservation flushes wait for the compaction, and so do writes', async () => {
    await withHangingCompaction(0, async (db, seen, statistics) => {
      const writes = (async () => {
        for (let i = 0; i < 1500; i++) await db.put(key(i), value);
      })();
      await expect.poll(() => db.getProperty('rocksdb.is-write-stopped'), { timeout: 10_000, interval: 5 }).toBe('1');
      expect(seen).toEqual({ flushes: 0, stalls: ['stopped memtable_limit'] });
      expect(db.getProperty('rocksdb.num-running-compactions')).toBe('1');
      return async () => {
        await writes;
        expect(seen.flushes).toBeGreaterThan(0);
        expect(statistics.getTickerCount('rocksdb.stall.micros')).toBeGreaterThan(0);
      };
    });
  });
});

/** Options whose compactions are large enough for worker threads. */
const PARALLEL: Options = {
  createIfMissing: true,
  compression: 'none',
  writeBufferSize: 1 << 20,
  targetFileSizeBase: 128 << 10,
  maxBackgroundFlushes: 1,
};

const noWatch = { onBegin: (_: CompactionEvent): void => {}, onEnd: (_: CompactionEvent): void => {} };

async function filled(path: string, options: Options, watch = noWatch): Promise<DB> {
  const listeners = [{ onCompactionBegin: watch.onBegin, onCompactionCompleted: watch.onEnd }];
  const db = await DB.open(path, { ...PARALLEL, listeners, ...options });
  for (let i = 0; i < 8000; i++) await db.put(key(i), i % 100 === 0 ? 'where' : `${i} `.padEnd(120, '.'));
  return db;
}

test('S50 four calls on disjoint ranges run in four worker threads', { timeout: 60_000 }, async () => {
  using directory = temporaryDirectory();
  const env = new Env({ compactionWorkers: 4, flushWorkers: 1 });
  // So far apart that no two of them share a table.
  const inRange = (i: number): boolean => i % 2000 >= 100 && i % 2000 <= 700;
  const ranges = [0, 2000, 4000, 6000].map((from) => ({ begin: key(from + 100), end: key(from + 700) }));
  {
    await using db = await filled(join(directory.path, 'db'), { env, disableAutoCompactions: true });
    // The one table of level 0 moves down as it is; only then is it rewritten as several.
    await db.compactRange();
    await db.compactRange({ bottommostLevelCompaction: 'force' });
  }
  const options: Options = {
    ...PARALLEL,
    env,
    disableAutoCompactions: true,
    maxBackgroundCompactions: 4,
    compactionFilter: fromModule('filtering', { ending: '7' }),
  };
  await using db = await DB.open(join(directory.path, 'db'), options);
  await Promise.all(ranges.map((range) => db.compactRange({ ...range, bottommostLevelCompaction: 'force' })));
  const threads = new Set<string>();
  let met = 0;
  for await (const [name, value] of db.entries()) {
    const number = Number(Buffer.from(name).toString().slice(3));
    met++;
    if (!inRange(number)) continue;
    expect(number % 10).not.toBe(7);
    if (number % 100 === 0) threads.add(Buffer.from(value).toString());
  }
  // What was left out ends in 7.
  const missing = Array.from({ length: 8000 }, (_, i) => i).filter((i) => db.getSync(key(i)) === undefined);
  expect(missing.every((i) => i % 10 === 7)).toBe(true);
  expect(met + missing.length).toBe(8000);
  expect([...threads].every((text) => /^thread [1-9]/.test(text))).toBe(true);
  expect(threads.size).toBe(4);
});

test.each([1, 2, 4])(
  'S51 with %d slots as many compactions run side by side, and the rows are the same',
  async (slots) => {
    using directory = temporaryDirectory();
    let running = 0;
    let together = 0;
    const watch = {
      onBegin: () => {
        running++;
        together = Math.max(together, running);
      },
      onEnd: () => void running--,
    };
    const expected = new Map<string, string>();
    const env = new Env({ compactionWorkers: slots, flushWorkers: 1 });
    const families = ['default', 'a', 'b', 'c'];
    const options: Options = {
      ...PARALLEL,
      env,
      maxBackgroundCompactions: slots,
      columnFamilies: Object.fromEntries(families.map((name) => [name, {}])),
      createMissingColumnFamilies: true,
      // Only the fourth table of each family lets its compaction begin.
      level0FileNumCompactionTrigger: 4,
      listeners: [{ onCompactionBegin: watch.onBegin, onCompactionCompleted: watch.onEnd }],
    };
    await using db = await DB.open(join(directory.path, 'db'), options);
    const random = new Random(seedFor(5100));
    for (let table = 0; table < 4; table++) {
      for (let i = 0; i < 1500; i++) {
        const [name, value] = [key(random.below(3000)), `${table} ${i} `.padEnd(150, '.')];
        for (const family of families) await db.put(name, value, { columnFamily: db.columnFamily(family) });
        expected.set(name, value);
      }
      if (table === 3) await db.pauseBackgroundWork();
      else for (const family of families) await db.columnFamily(family).flush();
    }
    // All four families are due at the same moment.
    db.continueBackgroundWork();
    await Promise.all(families.map((name) => db.columnFamily(name).flush()));
    await expect
      .poll(() => running === 0 && db.getProperty('rocksdb.num-files-at-level0') === '0', { timeout: 20_000 })
      .toBe(true);
    const hex = (text: string): string => Buffer.from(text).toString('hex');
    const rows = [...expected.keys()].sort().map((name) => `${hex(name)}=${hex(expected.get(name)!)}`);
    await expectRows(db, rows);
    for (const family of families) expect(scanForward(db.columnFamily(family))).toEqual(rows);
    expect(together).toBe(slots);
  },
);

test('S57 ten compactions that end together take fewer than ten syncs of the MANIFEST', async () => {
  const statistics = new Statistics();
  const families = Array.from({ length: 10 }, (_, i) => `family${i}`);
  let compactions = 0;
  await using db = await DB.open('/db', {
    env: Env.memory(),
    createIfMissing: true,
    disableAutoCompactions: true,
    statistics,
    columnFamilies: Object.fromEntries(['default', ...families].map((name) => [name, {}])),
    maxBackgroundCompactions: 10,
    listeners: [{ onCompactionCompleted: () => void compactions++ }],
  });
  for (const round of [1, 2]) {
    for (const name of families) await db.columnFamily(name).put('key', `${round}`);
    await db.flush();
  }
  const before = statistics.getTickerCount('rocksdb.manifest.synced');
  await Promise.all(families.map((name) => db.columnFamily(name).compactRange()));
  const syncs = statistics.getTickerCount('rocksdb.manifest.synced') - before;
  process.stdout.write(`S57: ${syncs} syncs for ${compactions} compactions that end together\n`);
  expect(compactions).toBe(10);
  expect(syncs).toBeGreaterThan(0);
  expect(syncs).toBeLessThan(10);
  for (const name of families) expect(Buffer.from(db.columnFamily(name).getSync('key')!).toString()).toBe('2');
});
