/**
 * Tickers and histograms of what the engine does. Method: a clock that goes on by 8 microseconds whenever it is asked, so that
 * times are known; counts are compared with what was done.
 */
import { describe, expect, test } from 'vitest';
import { SystemClock } from '../../../src/env/clock.ts';
import { MemoryFileSystem } from '../../../src/env/memory-file-system.ts';
import { DB, Env, type Options, Statistics, stringAppend } from '../../../src/index.ts';
import { HISTOGRAMS, TICKERS } from '../../../src/monitoring/statistics.ts';

const TICK = 8;

class TickingClock extends SystemClock {
  #micros = 0;

  override monotonicMicros(): number {
    this.#micros += TICK;
    return this.#micros;
  }
}

async function open(options: Options = {}): Promise<{ db: DB; statistics: Statistics }> {
  const statistics = new Statistics();
  const env = new Env({ fileSystem: new MemoryFileSystem(), clock: new TickingClock() });
  const db = await DB.open('/db', { createIfMissing: true, env, statistics, ...options });
  return { db, statistics };
}

/** Values of tickers, without `rocksdb.`. */
function tickers(statistics: Statistics, ...names: string[]): number[] {
  return names.map((name) => statistics.getTickerCount(`rocksdb.${name}`));
}

function histogram(statistics: Statistics, name: string) {
  return statistics.getHistogram(`rocksdb.${name}`);
}

describe('reads', () => {
  test('a get is timed by the clock and counted with its bytes; a missing key has none', async () => {
    const { db, statistics } = await open();
    await db.put('a', 'four');
    await db.get('a');
    db.getSync('a');
    db.getSync('b');
    expect(histogram(statistics, 'db.get.micros')).toMatchObject({ count: 3, sum: 3 * TICK, min: TICK, max: TICK });
    expect(histogram(statistics, 'bytes.per.read')).toMatchObject({ count: 2, sum: 8 });
    expect(tickers(statistics, 'number.keys.read', 'bytes.read')).toEqual([3, 8]);
    await db.flush();
    await db.get('a');
    expect(histogram(statistics, 'db.get.micros').max).toBeGreaterThan(TICK);
    expect(histogram(statistics, 'table.open.io.micros').count).toBe(1);
    expect(histogram(statistics, 'sst.read.micros').count).toBeGreaterThan(0);
    expect(tickers(statistics, 'l0.hit')).toEqual([1]);
    await db.close();
  });

  test('multiGet has counts of its own and is no get', async () => {
    const { db, statistics } = await open();
    await db.put('a', '12');
    await db.put('b', '345');
    await db.multiGet(['a', 'b', 'c']);
    db.multiGetSync(['a']);
    const names = ['get', 'keys.read', 'keys.found', 'bytes.read'].map((name) => `number.multiget.${name}`);
    expect(tickers(statistics, ...names)).toEqual([2, 4, 3, 7]);
    expect(histogram(statistics, 'db.multiget.micros')).toMatchObject({ count: 2, sum: 2 * TICK });
    expect(histogram(statistics, 'bytes.per.multiget')).toMatchObject({ count: 2, sum: 7, max: 5 });
    expect(histogram(statistics, 'db.get.micros').count).toBe(0);
    expect(tickers(statistics, 'number.keys.read')).toEqual([0]);
    await db.close();
  });

  test('merge operands that a read folds are counted', async () => {
    const { db, statistics } = await open({ mergeOperator: stringAppend(',') });
    for (const operand of ['1', '2', '3']) await db.merge('m', operand);
    await db.put('p', 'plain');
    db.getSync('m');
    db.getSync('p');
    expect(histogram(statistics, 'read.num.merge_operands')).toMatchObject({ count: 1, sum: 3 });
    await db.close();
  });

  test('iterators count positionings, steps, what they came to, and bytes', async () => {
    const { db, statistics } = await open();
    for (const key of ['a', 'b', 'c']) await db.put(key, '22');
    const iterator = db.newIterator();
    await iterator.seekToFirst();
    iterator.nextSync();
    await iterator.next();
    await iterator.next();
    await iterator.seekToLast();
    await iterator.prev();
    iterator.seekSync('zzz');
    expect(tickers(statistics, 'number.db.seek', 'number.db.seek.found')).toEqual([3, 2]);
    expect(tickers(statistics, 'number.db.next', 'number.db.next.found')).toEqual([3, 2]);
    expect(tickers(statistics, 'number.db.prev', 'number.db.prev.found')).toEqual([1, 1]);
    expect(tickers(statistics, 'db.iter.bytes.read')).toEqual([5 * 3]);
    expect(histogram(statistics, 'db.seek.micros')).toMatchObject({ count: 3, sum: 3 * TICK });
    expect(tickers(statistics, 'num.iterator.created', 'num.iterator.deleted')).toEqual([1, 0]);
    iterator.close();
    expect(tickers(statistics, 'num.iterator.created', 'num.iterator.deleted')).toEqual([1, 1]);
    await db.close();
  });

  test('a scan with entries counts a step an entry', async () => {
    const { db, statistics } = await open();
    for (let i = 0; i < 300; i++) await db.put(`key${1000 + i}`, '22');
    expect([...db.entriesSync()].length).toBe(300);
    expect(tickers(statistics, 'number.db.seek.found', 'number.db.next', 'number.db.next.found')).toEqual([
      1, 300, 299,
    ]);
    expect(tickers(statistics, 'db.iter.bytes.read')).toEqual([300 * 9]);
    await db.close();
  });
});

describe('writes', () => {
  test('each call is timed, alone and in a group', async () => {
    const { db, statistics } = await open();
    await db.put('a', '1');
    db.putSync('b', '2');
    await Promise.all(Array.from({ length: 10 }, (_, i) => db.put(`c${i}`, '3')));
    expect(histogram(statistics, 'db.write.micros').count).toBe(12);
    expect(histogram(statistics, 'db.write.micros').min).toBeGreaterThanOrEqual(TICK);
    expect(histogram(statistics, 'bytes.per.write').count).toBe(statistics.getTickerCount('rocksdb.write.self'));
    await db.put('s', '4', { sync: true });
    expect(histogram(statistics, 'wal.file.sync.micros').count).toBe(1);
    await db.close();
  });
});

describe('background work', () => {
  test('flushes and compactions time their syncs and count what they dropped and why', async () => {
    const { db, statistics } = await open({ compression: 'none', disableAutoCompactions: true });
    for (const value of ['first', 'second']) {
      for (let i = 0; i < 100; i++) await db.put(`key${i}`, value);
      await db.flush();
    }
    for (let i = 0; i < 50; i++) await db.delete(`key${i}`);
    await db.deleteRange('key60', 'key7');
    await db.flush();
    expect(histogram(statistics, 'db.flush.micros').count).toBe(3);
    expect(histogram(statistics, 'table.sync.micros').count).toBe(3);
    expect(histogram(statistics, 'table.sync.micros').sum).toBe(3 * TICK);
    await db.compactRange();
    expect(histogram(statistics, 'numfiles.in.singlecompaction')).toMatchObject({ count: 1, sum: 3 });
    expect(histogram(statistics, 'compaction.outfile.sync.micros').count).toBe(1);
    expect(histogram(statistics, 'compaction.times.micros').count).toBe(1);
    const drops = ['new', 'obsolete', 'range_del', 'user'].map((name) => `compaction.key.drop.${name}`);
    const [hidden, obsolete, covered, filtered] = tickers(statistics, ...drops);
    // 250 records; 40 keys are left.
    expect(hidden! + obsolete! + covered!).toBe(250 - 40);
    expect(obsolete).toBe(50);
    expect(covered).toBeGreaterThan(0);
    expect(filtered).toBe(0);
    expect(tickers(statistics, 'files.deleted.immediately')).toEqual([3]);
    await db.close();
  });

  test('a compaction filter, a failing merge and a stream of updates have their tickers', async () => {
    const { db, statistics } = await open({
      compactionFilter: { name: 'drop', filter: (_level, key) => (key[0] === 0x64 ? 'remove' : 'keep') },
      mergeOperator: {
        name: 'fails',
        fullMerge() {
          throw new Error('no');
        },
      },
    });
    await db.put('d1', 'x');
    await db.put('d2', 'x');
    await db.merge('m', 'x');
    await db.flush();
    await db.compactRange();
    expect(tickers(statistics, 'compaction.key.drop.user')).toEqual([2]);
    expect(statistics.getTickerCount('rocksdb.number.merge.failures')).toBeGreaterThan(0);
    const updates = db.getUpdatesSince(1);
    expect(tickers(statistics, 'getupdatessince.calls')).toEqual([1]);
    await updates.return?.();
    await db.close();
  });
});

test("toString has RocksDB's lines: tickers, then histograms with percentiles, count and whole sum", async () => {
  const { db, statistics } = await open();
  await db.put('a', '1');
  db.getSync('a');
  const lines = statistics.toString().trimEnd().split('\n');
  expect(lines.length).toBe(TICKERS.length + HISTOGRAMS.length);
  expect(lines).toContain('rocksdb.number.keys.read COUNT : 1');
  expect(lines).toContain(
    'rocksdb.db.get.micros P50 : 8.000000 P95 : 8.000000 P99 : 8.000000 P100 : 8.000000 COUNT : 1 SUM : 8',
  );
  const form = /^rocksdb\.[a-z_.\d]+ (COUNT : \d+|(P(50|95|99|100) : \d+\.\d{6} ){4}COUNT : \d+ SUM : \d+)$/;
  for (const line of lines) expect(line).toMatch(form);
  expect(db.getProperty('rocksdb.options-statistics')).toBe(statistics.toString());
  statistics.reset();
  expect(statistics.toString()).not.toMatch(/COUNT : [1-9]/);
  await db.close();
});

test('every name is listed once', () => {
  expect(new Set([...TICKERS, ...HISTOGRAMS]).size).toBe(TICKERS.length + HISTOGRAMS.length);
});
