/** How many memtables a burst may fill before writes wait. Method: bursts against flushes that are held back; stalls are counted. */
import { describe, expect, test } from 'vitest';
import {
  type Comparator,
  DB,
  type MemTableFactory,
  skipListMemTable,
  Statistics,
  vectorMemTable,
} from '../../../src/index.ts';
import { numbered, quietOptions, rowsOf } from './file-counting.ts';

const MEMTABLE = 64 * 1024;
const VALUE = 'v'.repeat(1000);

/** Bursts of four memtables while the disk takes nothing, each followed by its flushes: how often writes had to wait. */
async function stallsOfBursts(maxWriteBufferNumber: number): Promise<{ stalls: number; rows: number }> {
  const statistics = new Statistics();
  let stalls = 0;
  const db = await DB.open(
    '/db',
    quietOptions({
      maxWriteBufferNumber,
      writeBufferSize: MEMTABLE,
      statistics,
      listeners: [{ onStallConditionsChanged: ({ current }) => void (stalls += current === 'normal' ? 0 : 1) }],
    }),
  );
  for (let burst = 0; burst < 3; burst++) {
    await db.pauseBackgroundWork();
    let written = 0;
    const writes = (async () => {
      for (; written < 250; written++) await db.put(numbered('key', burst * 250 + written), VALUE);
    })();
    // The disk takes nothing until the burst is over or has to wait for it.
    while (written < 250 && db.getProperty('rocksdb.is-write-stopped') === '0') {
      await new Promise((resolve) => setImmediate(resolve));
    }
    db.continueBackgroundWork();
    await writes;
    await db.flush();
  }
  const waited = statistics.getTickerCount('rocksdb.stall.micros') > 0;
  expect(waited).toBe(stalls > 0);
  const rows = (await rowsOf(db)).length;
  await db.close();
  return { stalls, rows };
}

test('S110 on a slow disk bursts of four memtables stop writes with two of them, and never with eight', async () => {
  const [two, eight] = [await stallsOfBursts(2), await stallsOfBursts(8)];
  process.stdout.write(`S110: ${two.stalls} stalls with two memtables, ${eight.stalls} with eight\n`);
  expect(two.stalls).toBeGreaterThanOrEqual(3);
  expect(eight.stalls).toBe(0);
  expect([two.rows, eight.rows]).toEqual([750, 750]);
});

describe('S108 a vector memtable', () => {
  async function comparisons(
    memtableFactory: MemTableFactory,
  ): Promise<{ puts: number; flush: number; tables: number[] }> {
    let count = 0;
    const comparator: Comparator = {
      name: 'test.Counting',
      compare: (a, b) => {
        count++;
        return Buffer.compare(a, b);
      },
    };
    const db = await DB.open('/db', quietOptions({ memtableFactory, comparator }));
    const total = 3000;
    for (let i = 0; i < total; i++) db.putSync(numbered('key', (i * 7919) % total), `${i}`);
    const puts = count;
    await db.flush();
    const flush = count - puts;
    const tables = db.getColumnFamilyMetaData().levels.map(({ files }) => files.length);
    const keys = (await rowsOf(db)).map((row) => row.slice(0, row.indexOf('=')));
    expect(keys).toEqual(Array.from({ length: total }, (_, i) => numbered('key', i)));
    await db.close();
    return { puts, flush, tables };
  }

  test('S108 compares nothing while it is filled, is sorted by the flush, and makes a table of level 0', async () => {
    const vector = await comparisons(vectorMemTable());
    const skipList = await comparisons(skipListMemTable());
    process.stdout.write(`S108: ${JSON.stringify({ vector, skipList })}\n`);
    expect(vector.puts).toBe(0);
    expect(vector.flush).toBeGreaterThan(3000);
    expect(skipList.puts).toBeGreaterThan(3000 * 5);
    expect(vector.tables[0]).toBe(1);
    // All in all as well it compares less than a container that is in order at every moment.
    expect(vector.puts + vector.flush).toBeLessThan(skipList.puts + skipList.flush);
  });
});
