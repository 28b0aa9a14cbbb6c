/** Both faces of the engine's memtable, the B+tree in the kernel and containers in JavaScript, through one suite. */
import { afterEach, describe, expect, test } from 'vitest';
import { bytewiseComparator, type Comparator, reverseBytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, ValueType } from '../../../format/base/internal-key.ts';
import { BTREE_MEMTABLE_NAME, type MemTableFactory } from '../../../format/base/memtable-rep.ts';
import { cappedPrefix } from '../../../format/base/slice-transform.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { BTreeMemTable } from '../../../src/memtable/btree-memtable.ts';
import { internalKeyOrder } from '../../../src/memtable/internal-key-order.ts';
import { makeMemTable } from '../../../src/memtable/make-memtable.ts';
import type { MemTable } from '../../../src/memtable/memtable.ts';
import {
  bTreeMemTable,
  prefixHashMemTable,
  skipListMemTable,
  vectorMemTable,
} from '../../../src/memtable/memtable-factories.ts';
import { RepMemTable } from '../../../src/memtable/rep-memtable.ts';
import { memTableSuite } from '../../conformance/memtable-suite.ts';
import { utf8 } from '../../support/bytes.ts';
import { Random } from '../../support/random.ts';
import { sortedArrayMemTable } from './sorted-array-memtable.ts';

const kernel = getKernel();

/** A user's order: shorter keys first. */
const shortFirst: Comparator = {
  name: 'test.ShortFirst',
  compare: (a, b) => a.length - b.length || bytewiseComparator.compare(a, b),
};
const COMPARATORS = [bytewiseComparator, reverseBytewiseComparator, shortFirst];

function idOf(comparator: Comparator): number {
  const builtin = [bytewiseComparator, reverseBytewiseComparator].indexOf(comparator);
  return builtin >= 0 ? builtin : kernel.registerComparator(comparator);
}

function make(
  factory: MemTableFactory | undefined,
  comparator: Comparator = bytewiseComparator,
  prefixBloomSizeRatio = 0,
): MemTable {
  return makeMemTable(kernel, {
    comparator,
    comparatorId: idOf(comparator),
    factory,
    prefixExtractor: cappedPrefix(4),
    writeBufferSize: 1 << 20,
    prefixBloomSizeRatio,
    wholeKeyFiltering: true,
  });
}

memTableSuite('the B+tree', COMPARATORS, (comparator) => make(undefined, comparator));
const factories = [skipListMemTable(), vectorMemTable(), prefixHashMemTable(), sortedArrayMemTable()];
for (const factory of factories) memTableSuite(factory.name, COMPARATORS, (comparator) => make(factory, comparator));
for (const factory of [undefined, skipListMemTable()]) {
  const title = `${factory?.name ?? 'the B+tree'} behind a Bloom filter`;
  memTableSuite(title, COMPARATORS, (comparator) => make(factory, comparator, 0.1));
}

test('the default and its factory make the B+tree; others make containers in JavaScript', () => {
  const made = [undefined, bTreeMemTable(), skipListMemTable()].map((factory) => make(factory));
  expect(made.map((memtable) => memtable.constructor)).toEqual([BTreeMemTable, BTreeMemTable, RepMemTable]);
  expect(bTreeMemTable().name).toBe(BTREE_MEMTABLE_NAME);
  for (const memtable of made) memtable.unref();
});

describe('the copy for a flush', () => {
  let made: MemTable | undefined;
  afterEach(() => {
    made?.unref();
    made = undefined;
  });

  test('the copy is made of immutable memtables only', () => {
    made = make(skipListMemTable());
    made.add(ValueType.value, 1, utf8('a'), utf8('1'));
    expect(() => made?.flushAddress()).toThrow(/immutable/);
    made.markImmutable();
    expect(made.flushAddress()).toBeGreaterThan(0);
  });

  test('a flush writes what a faulty container lost', () => {
    const lossy: MemTableFactory = {
      name: 'lossy',
      create(options) {
        const rep = sortedArrayMemTable().create(options);
        const insert = rep.insert.bind(rep);
        let count = 0;
        rep.insert = (key, value) => (++count === 3 ? undefined : insert(key, value));
        return rep;
      },
    };
    made = make(lossy);
    for (let i = 1; i <= 5; i++) made.add(ValueType.value, i, utf8(`k${i}`), utf8('v'));
    made.markImmutable();
    expect(kernel.x.memtableCount(made.flushAddress())).toBe(5);
  });

  test('the copy grows in slices of bounded size and is whole at the end', () => {
    made = make(vectorMemTable());
    const random = new Random(10);
    const count = 5000;
    for (let i = 1; i <= count; i++) made.add(ValueType.value, i, random.bytes(8), utf8('v'));
    for (let i = 1; i <= 4; i++) made.add(ValueType.value, count + i, utf8('large'), new Uint8Array(900_000));
    made.add(ValueType.rangeDeletion, count + 5, utf8('a'), utf8('b'));
    made.markImmutable();
    let slices = 1;
    while (!made.copyForFlush()) slices++;
    // Four of entries, of which the last has two large ones, and one of bytes.
    expect(slices).toBe(5);
    const address = made.flushAddress();
    expect(kernel.x.memtableCount(address)).toBe(count + 4);
    expect(kernel.x.memtableCount(kernel.x.memtableRangeTree(address))).toBe(1);
  });

  test('a memtable that is given up half copied frees what there is', () => {
    const run = (): void => {
      const memtable = make(skipListMemTable());
      for (let i = 1; i <= 2000; i++) memtable.add(ValueType.value, i, utf8(`k${i}`), utf8('v'));
      memtable.markImmutable();
      expect(memtable.copyForFlush()).toBe(false);
      memtable.unref();
    };
    run();
    const used = kernel.x.allocatedBytes();
    run();
    expect(kernel.x.allocatedBytes()).toBe(used);
  });
});

test.each(COMPARATORS)('the short cut of $name orders as the plain comparison', (comparator) => {
  const random = new Random(9);
  const compare = internalKeyOrder(comparator);
  const plain = internalKeyOrder({ name: 'plain', compare: comparator.compare });
  const keys = Array.from({ length: 120 }, () => {
    const userKey = random.bytes(random.below(4)).map((byte) => [0, 1, 0xfe, 0xff][byte & 3]!);
    return makeInternalKey(userKey, random.pick([0, 1, 255, 256, 2 ** 32, 2 ** 53 - 1]), random.below(3));
  });
  for (const a of keys) for (const b of keys) expect(Math.sign(compare(a, b))).toBe(Math.sign(plain(a, b)));
});
