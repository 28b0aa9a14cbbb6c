/** Every container in JavaScript, and one that a user wrote, through the published conformance tests. */
import { describe, expect, test } from 'vitest';
import { bytewiseComparator } from '../../../format/base/comparator.ts';
import { compareInternalKeys, makeInternalKey, userKeyOf, ValueType } from '../../../format/base/internal-key.ts';
import {
  BTREE_MEMTABLE_NAME,
  type MemTableFactory,
  type MemTableRep,
  type MemTableRepIterator,
} from '../../../format/base/memtable-rep.ts';
import { fixedPrefix, type SliceTransform } from '../../../format/base/slice-transform.ts';
import {
  bTreeMemTable,
  prefixHashMemTable,
  skipListMemTable,
  vectorMemTable,
} from '../../../src/memtable/memtable-factories.ts';
import { memTableConformance } from '../../../src/testing/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { sortedArrayMemTable } from './sorted-array-memtable.ts';

const seed = seedFor(20);
const KINDS: [row: string, factory: MemTableFactory][] = [
  ['S106', skipListMemTable()],
  ['S107', sortedArrayMemTable()],
  ['S108', vectorMemTable()],
  ['S109', prefixHashMemTable()],
  // One bucket for all: chains and growth.
  ['S109', { ...prefixHashMemTable({ bucketCount: 1 }), name: 'HashSkipListRepFactory of one bucket' }],
];

for (const [row, factory] of KINDS) {
  memTableConformance(factory, { test: (name, run) => test(`${row} ${name}`, run), seed });
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function make(factory: MemTableFactory, prefixExtractor?: SliceTransform): MemTableRep {
  return factory.create({ compare: (a, b) => compareInternalKeys(bytewiseComparator, a, b), prefixExtractor });
}

function textsOf(iterator: MemTableRepIterator): string[] {
  const texts: string[] = [];
  for (; iterator.valid; iterator.next()) texts.push(new TextDecoder().decode(userKeyOf(iterator.key)));
  return texts;
}

describe('the conformance tests find what is wrong', () => {
  /** Names of the failing tests of a skip list whose methods are replaced. */
  function failuresOf(change: (rep: MemTableRep) => Partial<MemTableRep>): string[] {
    const failed: string[] = [];
    const factory: MemTableFactory = {
      name: 'planted',
      create(options) {
        const rep = skipListMemTable().create(options);
        const whole: MemTableRep = {
          insert: (key, value) => rep.insert(key, value),
          get: (target) => rep.get(target),
          iterator: (totalOrder) => rep.iterator(totalOrder),
          approximateMemoryUsage: () => rep.approximateMemoryUsage(),
          markReadOnly: () => rep.markReadOnly(),
        };
        return { ...whole, ...change(rep) };
      },
    };
    const run = (name: string, body: () => void): void => {
      try {
        body();
      } catch {
        failed.push(name);
      }
    };
    memTableConformance(factory, { test: run, seed });
    return failed;
  }

  test('S107 nothing in a right one', () => {
    expect(failuresOf(() => ({}))).toEqual([]);
  });

  test.each<[string, RegExp, (rep: MemTableRep) => Partial<MemTableRep>]>([
    ['a lost insert', /random/, (rep) => ({ insert: (k, v) => void (k.length % 5 === 0 || rep.insert(k, v)) })],
    [
      'a get that passes its user key',
      /versions/,
      (rep) => ({
        get(target) {
          const iterator = rep.iterator(true);
          iterator.seek(target);
          return iterator.valid ? { key: iterator.key, value: iterator.value } : undefined;
        },
      }),
    ],
    ['memory that never grows', /memory/, () => ({ approximateMemoryUsage: () => 0 })],
    [
      'a seekForPrev that is a seek',
      /neighbours/,
      (rep) => ({
        iterator(totalOrder) {
          const iterator = rep.iterator(totalOrder);
          iterator.seekForPrev = (target) => iterator.seek(target);
          return iterator;
        },
      }),
    ],
    [
      'a prev that stands still',
      /turns around/,
      (rep) => ({
        iterator(totalOrder) {
          const iterator = rep.iterator(totalOrder);
          let left = 1000;
          const { prev } = iterator;
          iterator.prev = () => (left-- > 0 ? undefined : prev.call(iterator));
          return iterator;
        },
      }),
    ],
  ])('S107 %s', (_what, name, change) => {
    expect(failuresOf(change).some((failed) => name.test(failed))).toBe(true);
  });
});

test('the factories bear the names that OPTIONS files store', () => {
  expect([skipListMemTable(), vectorMemTable(), prefixHashMemTable()].map(({ name }) => name)).toEqual([
    'SkipListFactory',
    'VectorRepFactory',
    'HashSkipListRepFactory',
  ]);
  expect(bTreeMemTable().name).toBe(BTREE_MEMTABLE_NAME);
  expect(() => make(bTreeMemTable())).toThrow(expect.objectContaining({ code: 'NOT_SUPPORTED' }));
});

test('S109 a prefix-hash memtable needs a prefixExtractor', () => {
  expect(() => make(prefixHashMemTable())).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  for (const bucketCount of [0, -1, 1.5, Number.NaN, 2 ** 25]) {
    expect(() => prefixHashMemTable({ bucketCount })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  }
});

test('S109 a seek stays in its prefix; full order has to be asked for', () => {
  const rep = make(prefixHashMemTable({ bucketCount: 3 }), fixedPrefix(1));
  let sequence = 0;
  for (const key of ['b2', 'a1', '', 'c1', 'b1', 'a2']) {
    rep.insert(makeInternalKey(utf8(key), ++sequence, ValueType.value), utf8(key));
  }
  const target = makeInternalKey(utf8('b'), 100, ValueType.value);
  const within = rep.iterator(false);
  within.seek(target);
  expect(textsOf(within)).toEqual(['b1', 'b2']);
  within.seekForPrev(target);
  expect(within.valid).toBe(false);
  within.seek(makeInternalKey(utf8('x'), 100, ValueType.value));
  expect(within.valid).toBe(false);
  const whole = rep.iterator(true);
  whole.seek(target);
  expect(textsOf(whole)).toEqual(['b1', 'b2', 'c1']);
  // What names no prefix cannot stay in one.
  within.seekToFirst();
  expect(textsOf(within)).toEqual(['', 'a1', 'a2', 'b1', 'b2', 'c1']);
  within.seek(makeInternalKey(utf8(''), 100, ValueType.value));
  expect(textsOf(within)).toHaveLength(6);
});

test('S108 a vector sorts in one go what arrived in any order', () => {
  let comparisons = 0;
  const rep = vectorMemTable().create({
    compare(a, b) {
      comparisons++;
      return compareInternalKeys(bytewiseComparator, a, b);
    },
    prefixExtractor: undefined,
  });
  const random = new Random(seed);
  const count = 20_000;
  for (let i = 1; i <= count; i++) rep.insert(makeInternalKey(random.bytes(8), i, ValueType.value), random.bytes(4));
  expect(comparisons).toBe(0);
  const iterator = rep.iterator(true);
  iterator.seekToFirst();
  expect(comparisons).toBeLessThan(count * Math.log2(count) * 1.5);
  let met = 0;
  let previous: Uint8Array | undefined;
  for (; iterator.valid; iterator.next(), met++) {
    if (previous !== undefined) expect(compareInternalKeys(bytewiseComparator, previous, iterator.key)).toBeLessThan(0);
    previous = iterator.key;
  }
  expect(met).toBe(count);
});

test('S106 a skip list searches in logarithmic time, and appends without a search', () => {
  let comparisons = 0;
  const rep = skipListMemTable().create({
    compare(a, b) {
      comparisons++;
      return compareInternalKeys(bytewiseComparator, a, b);
    },
    prefixExtractor: undefined,
  });
  const count = 30_000;
  const keyOf = (i: number): Uint8Array => utf8(String(i).padStart(8, '0'));
  for (let i = 1; i <= count; i++) rep.insert(makeInternalKey(keyOf(i), i, ValueType.value), utf8('v'));
  expect(comparisons).toBeLessThan(count);
  comparisons = 0;
  const random = new Random(seed);
  const gets = 1000;
  for (let i = 0; i < gets; i++) {
    const key = makeInternalKey(keyOf(random.between(1, count)), count, ValueType.value);
    expect(rep.get(key)?.value).toEqual(utf8('v'));
  }
  // Three in four steps of a level are compared with branching 4: about 3 * log4(n) + 1, with room for bad luck.
  expect(comparisons / gets).toBeLessThan(6 * Math.log2(count) ** 1);
});

test('S106 equal inserts make equal skip lists', () => {
  const usage = [1, 2].map(() => {
    const rep = make(skipListMemTable());
    for (let i = 1; i <= 500; i++) rep.insert(makeInternalKey(utf8(`k${(i * 7) % 500}`), i, 1), utf8('v'));
    return rep.approximateMemoryUsage();
  });
  expect(usage[0]).toBe(usage[1]);
});
