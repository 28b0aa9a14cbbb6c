/**
 * Databases whose memtables have Bloom filters: every read is the one of a database without them, over every container
 * and from the log, and the tickers of memtables count what a read found.
 */
import { describe, expect, test } from 'vitest';
import {
  bTreeMemTable,
  DB,
  Env,
  type IteratorOptions,
  type MemTableFactory,
  type Options,
  prefixHashMemTable,
  type SliceTransform,
  skipListMemTable,
  Statistics,
  stringAppend,
  vectorMemTable,
} from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { sortedArrayMemTable } from './sorted-array-memtable.ts';

const LETTERS = 'abcd';

/** A user's extractor, which the kernel does not know: two bytes, the second one doubled. */
const doubled: SliceTransform = {
  name: 'test.Doubled',
  inDomain: (key) => key.length >= 2,
  transform: (key) => Uint8Array.of(key[0]!, key[1]!, key[1]!),
};

const factories: MemTableFactory[] = [
  bTreeMemTable(),
  skipListMemTable(),
  vectorMemTable(),
  prefixHashMemTable(),
  sortedArrayMemTable(),
];
const extractors = ['rocksdb.FixedPrefix.2', 'rocksdb.CappedPrefix.2', doubled];
const cases = factories.flatMap((factory) =>
  extractors.flatMap((extractor) =>
    [true, false].map((wholeKeys) => {
      const name = typeof extractor === 'string' ? extractor : extractor.name;
      return [`${factory.name}, ${name}, whole keys: ${wholeKeys}`, factory, extractor, wholeKeys] as const;
    }),
  ),
);

function randomKey(random: Random, lengthMax = 5): string {
  return Array.from({ length: random.below(lengthMax + 1) }, () => LETTERS[random.below(LETTERS.length)]).join('');
}

/** One random write, the same on all databases. */
async function writeOne(random: Random, databases: readonly DB[], i: number): Promise<void> {
  const [kind, key, other] = [random.below(20), randomKey(random), randomKey(random)];
  for (const db of databases) {
    if (kind === 0) await db.deleteRange(key < other ? key : other, key < other ? other : key);
    else if (kind < 4) await db.delete(key);
    else if (kind < 7) await db.merge(key, `${i}`);
    else if (kind === 7 && i % 3 === 0) await db.flush();
    else await db.put(key, `value ${i}`);
  }
}

function rowsOf(db: DB, options: IteratorOptions, seek: string, backward: boolean): string[] {
  const iterator = db.newIterator(options);
  const rows: string[] = [];
  try {
    if (backward) iterator.seekForPrevSync(seek);
    else iterator.seekSync(seek);
    while (iterator.valid) {
      rows.push(`${Buffer.from(iterator.key)}=${Buffer.from(iterator.value)}`);
      if (backward) iterator.prevSync();
      else iterator.nextSync();
    }
  } finally {
    iterator.close();
  }
  return rows;
}

function expectSameReads(random: Random, [plain, filtered]: readonly [DB, DB]): void {
  for (let i = 0; i < 150; i++) {
    const key = randomKey(random);
    expect(filtered.getSync(key)).toEqual(plain.getSync(key));
  }
  for (let i = 0; i < 40; i++) {
    const [seek, backward] = [randomKey(random), random.oneIn(2)];
    for (const options of [{}, { prefixSameAsStart: true }, { prefixSameAsStart: true, totalOrderSeek: true }]) {
      expect(rowsOf(filtered, options, seek, backward)).toEqual(rowsOf(plain, options, seek, backward));
    }
  }
}

describe('a database with filters reads what one without them reads', () => {
  test.each(cases)('%s', async (_name, memtableFactory, prefixExtractor, memtableWholeKeyFiltering) => {
    const random = new Random(seedFor(4601));
    const options: Options = {
      createIfMissing: true,
      memtableFactory,
      prefixExtractor,
      mergeOperator: stringAppend(),
      writeBufferSize: 64 * 1024,
      avoidFlushDuringRecovery: true,
      avoidFlushDuringShutdown: true,
    };
    const filter: Options = { memtablePrefixBloomSizeRatio: 0.05, memtableWholeKeyFiltering };
    const envs = [Env.memory(), Env.memory()] as const;
    const open = async (): Promise<[DB, DB]> => [
      await DB.open('/db', { ...options, env: envs[0] }),
      await DB.open('/db', { ...options, ...filter, env: envs[1] }),
    ];
    for (let life = 0; life < 2; life++) {
      const databases = await open();
      for (let i = 0; i < 250; i++) await writeOne(random, databases, i);
      expectSameReads(random, databases);
      for (const db of databases) await db.close();
    }
    const databases = await open();
    expectSameReads(random, databases);
    for (const db of databases) await db.close();
  });
});

test('memtable.hit and memtable.miss count the same with a filter, and no table’s ticker counts it', async () => {
  const seen: Record<string, number>[] = [];
  for (const memtablePrefixBloomSizeRatio of [0, 0.1]) {
    const statistics = new Statistics();
    const env = Env.memory();
    await using db = await DB.open('/db', {
      createIfMissing: true,
      env,
      statistics,
      memtablePrefixBloomSizeRatio,
      memtableWholeKeyFiltering: true,
      prefixExtractor: 'rocksdb.FixedPrefix.1',
    });
    await db.put('a1', 'table');
    await db.flush();
    await db.put('b1', 'memtable');
    await db.delete('c1');
    for (const key of ['a1', 'b1', 'b1', 'b2', 'c1', 'd1']) db.getSync(key);
    rowsOf(db, { prefixSameAsStart: true }, 'd', false);
    const names = ['memtable.hit', 'memtable.miss', 'bloom.filter.useful', 'bloom.filter.prefix.checked', 'l0.hit'];
    seen.push(Object.fromEntries(names.map((name) => [name, statistics.getTickerCount(`rocksdb.${name}`)])));
  }
  // The tombstone of c1 decides in the memtable.
  const expected = {
    'memtable.hit': 3,
    'memtable.miss': 3,
    'bloom.filter.useful': 0,
    'bloom.filter.prefix.checked': 0,
  };
  expect(seen).toEqual([
    { ...expected, 'l0.hit': 1 },
    { ...expected, 'l0.hit': 1 },
  ]);
});

test('setOptions gives the next memtable a filter, or takes it away', async () => {
  await using db = await DB.open('/db', { createIfMissing: true, env: Env.memory(), memtableWholeKeyFiltering: true });
  const sizeOfEmpty = async () => {
    await db.put('key', 'value');
    await db.flush();
    return db.getIntProperty('rocksdb.cur-size-active-mem-table');
  };
  const without = (await sizeOfEmpty())!;
  await db.setOptions({ memtablePrefixBloomSizeRatio: 0.25, writeBufferSize: 1 << 20 });
  expect(await sizeOfEmpty()).toBeGreaterThanOrEqual(without + (1 << 18));
  await db.setOptions({ memtablePrefixBloomSizeRatio: 0 });
  expect(await sizeOfEmpty()).toBe(without);
  await expect(db.setOptions({ memtablePrefixBloomSizeRatio: 0.26 })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});
