/**
 * The Bloom filters of memtables: no entry is ever hidden, whatever the container, the extractor and the order; what is
 * excluded is not searched for; range tombstones are not touched.
 */
import { describe, expect, test } from 'vitest';
import { bytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, MAX_SEQUENCE, TYPE_FOR_SEEK, ValueType } from '../../../format/base/internal-key.ts';
import type { MemTableFactory } from '../../../format/base/memtable-rep.ts';
import { runSync } from '../../../format/base/io.ts';
import {
  cappedPrefix,
  delimiterPrefix,
  fixedPrefix,
  noopPrefix,
  type SliceTransform,
} from '../../../format/base/slice-transform.ts';
import { MergingIterator, Position } from '../../../format/iterator/merging-iterator.ts';
import { GET_RESULT_SIZE } from '../../../format/kernel/abi/block.ts';
import { MergeStatus } from '../../../format/kernel/abi/merge.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { makeMemTable } from '../../../src/memtable/make-memtable.ts';
import type { MemTable } from '../../../src/memtable/memtable.ts';
import { prefixHashMemTable, skipListMemTable, vectorMemTable } from '../../../src/memtable/memtable-factories.ts';
import { PrefixFilteredSource } from '../../../src/memtable/prefix-filtered-source.ts';
import { utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { sortedArrayMemTable } from './sorted-array-memtable.ts';

const kernel = getKernel();
const WRITE_BUFFER_SIZE = 1 << 17;
const result = kernel.malloc(GET_RESULT_SIZE);

/** Prefixes of words that end with a bar, in capitals: not a part of the key. */
const shoutedWord: SliceTransform = {
  name: 'test.ShoutedWord',
  inDomain: (key) => key.includes(0x7c),
  transform: (key) =>
    utf8(
      Buffer.from(key.subarray(0, key.indexOf(0x7c)))
        .toString('latin1')
        .toUpperCase(),
    ),
};

interface Wanted {
  factory?: MemTableFactory | undefined;
  extractor?: SliceTransform | undefined;
  ratio?: number;
  wholeKeys?: boolean;
}

function make({ factory, extractor, ratio = 0.1, wholeKeys = false }: Wanted): MemTable {
  return makeMemTable(kernel, {
    comparator: bytewiseComparator,
    comparatorId: 0,
    factory,
    prefixExtractor: extractor,
    writeBufferSize: WRITE_BUFFER_SIZE,
    prefixBloomSizeRatio: ratio,
    wholeKeyFiltering: wholeKeys,
  });
}

function withKey<T>(key: Uint8Array, use: (at: number, size: number) => T): T {
  const at = kernel.malloc(key.length + 16);
  kernel.copyIn(key, at);
  try {
    return use(at, key.length);
  } finally {
    kernel.free(at);
  }
}

const finds = (memtable: MemTable, key: Uint8Array): boolean =>
  withKey(key, (at, size) => memtable.get(at, size, MAX_SEQUENCE, result) === 1);

/** Inserts by a batch where the memtable is in the kernel, as writes do, or one by one. */
function insert(memtable: MemTable, keys: readonly Uint8Array[], byBatch: boolean): void {
  if (!byBatch || memtable.kernelAddress === 0) {
    for (const [i, key] of keys.entries()) memtable.add(ValueType.value, i + 1, key, utf8('v'));
    return;
  }
  const head = Buffer.alloc(12);
  head.writeUInt32LE(keys.length, 8);
  const records = keys.flatMap((key) => [Uint8Array.of(1, key.length), key, Uint8Array.of(1, 0x76)]);
  const batch = Buffer.concat([head, ...records]);
  const rows = kernel.malloc(8);
  kernel.u32[rows >>> 2] = 0;
  kernel.u32[(rows >>> 2) + 1] = memtable.kernelAddress;
  const answer = kernel.malloc(20);
  withKey(batch, (at, size) => expect(kernel.x.batchApply(at, size, 1, rows, 1, answer)).toBe(0));
  kernel.free(answer);
  kernel.free(rows);
}

function randomKeys(random: Random, count: number, letters: string): Uint8Array[] {
  const key = () => {
    const text = Array.from({ length: random.below(9) }, () => letters[random.below(letters.length)]).join('');
    return utf8(random.oneIn(3) ? text : `${text.slice(0, 4)}|${text.slice(4)}`);
  };
  return Array.from({ length: count }, key);
}

const factories: [string, MemTableFactory | undefined][] = [
  ['the B+tree', undefined],
  ['a skip list', skipListMemTable()],
  ['a vector', vectorMemTable()],
  ["a user's array", sortedArrayMemTable()],
  ['a hash of prefixes', prefixHashMemTable()],
];
const extractors: [string, SliceTransform | undefined][] = [
  ['no prefixes', undefined],
  ['fixed prefixes', fixedPrefix(3)],
  ['capped prefixes', cappedPrefix(3)],
  ['the whole key as prefix', noopPrefix],
  ['prefixes up to a bar', delimiterPrefix(0x7c)],
  ["a user's prefixes", shoutedWord],
];
const cases = factories.flatMap(([container, factory]) =>
  extractors.flatMap(([prefixes, extractor]) =>
    [false, true].map((wholeKeys) => ({ container, factory, prefixes, extractor, wholeKeys })),
  ),
);

describe('no false negatives', () => {
  test.each(cases.filter(({ container, extractor }) => extractor !== undefined || container !== 'a hash of prefixes'))(
    '$container, $prefixes, whole keys: $wholeKeys',
    ({ factory, extractor, wholeKeys }) => {
      const random = new Random(seedFor(4501));
      for (const byBatch of [true, false]) {
        const memtable = make({ factory, extractor, wholeKeys });
        expect(memtable.filter === undefined).toBe(extractor === undefined && !wholeKeys);
        const keys = randomKeys(random, 300, 'abc');
        insert(memtable, keys, byBatch);
        const names = new Set(keys.map((key) => Buffer.from(key).toString()));
        const prefixOf = (key: Uint8Array) => Buffer.from(extractor!.transform(key)).toString();
        const prefixes = new Set(extractor === undefined ? [] : keys.filter(extractor.inDomain).map(prefixOf));
        let [excludedKeys, excludedPrefixes] = [0, 0];
        for (const key of [...keys, ...randomKeys(random, 600, 'abcxyz')]) {
          const isThere = names.has(Buffer.from(key).toString());
          expect(finds(memtable, key)).toBe(isThere);
          const { filter } = memtable;
          if (filter === undefined) continue;
          const excluded = withKey(key, (at, size) => [filter.excludesKey(at, size), filter.excludesPrefix(at, size)]);
          if (isThere) expect(excluded).toEqual([false, false]);
          if (extractor === undefined || !extractor.inDomain(key)) expect(excluded[1]).toBe(false);
          else if (prefixes.has(prefixOf(key))) expect(excluded[1]).toBe(false);
          if (!wholeKeys) expect(excluded[0]).toBe(excluded[1]);
          if (excluded[0]) excludedKeys++;
          if (excluded[1]) excludedPrefixes++;
        }
        // 13,107 bytes for some hundred strings: nearly everything that is absent is excluded.
        if (wholeKeys) expect(excludedKeys).toBeGreaterThan(350);
        if (extractor !== undefined) expect(excludedPrefixes).toBeGreaterThan(100);
        memtable.unref();
      }
    },
  );
});

test('keys of every length are held, the empty one and those longer than the working space', () => {
  const random = new Random(seedFor(4502));
  for (const extractor of [undefined, cappedPrefix(2000), shoutedWord]) {
    for (const factory of [undefined, skipListMemTable()]) {
      const memtable = make({ factory, extractor, wholeKeys: true });
      const keys = [0, 1, 2, 7, 8, 9, 63, 64, 500, 3000, 100_000].map((size) => random.bytes(size, true));
      insert(memtable, keys, false);
      for (const key of keys) expect(finds(memtable, key)).toBe(true);
      expect(finds(memtable, random.bytes(700))).toBe(false);
      memtable.unref();
    }
  }
});

test('a filter excludes points only: range tombstones of excluded keys are there, and do not fill it', () => {
  for (const [, factory] of factories.slice(0, 4)) {
    const memtable = make({ factory, extractor: fixedPrefix(1), wholeKeys: true });
    memtable.add(ValueType.rangeDeletion, 5, utf8('a'), utf8('c'));
    expect(memtable.rangeTombstones()).toHaveLength(1);
    expect(withKey(utf8('a'), (at, size) => memtable.filter!.excludesKey(at, size))).toBe(true);
    expect(withKey(utf8('a'), (at, size) => memtable.filter!.excludesPrefix(at, size))).toBe(true);
    memtable.unref();
  }
});

/** A container that counts its lookups and seeks. */
function countingFactory(): { factory: MemTableFactory; calls: { gets: number; seeks: number } } {
  const calls = { gets: 0, seeks: 0 };
  const factory: MemTableFactory = {
    name: 'test.Counting',
    create(options) {
      const rep = sortedArrayMemTable().create(options);
      const [get, iterator] = [rep.get.bind(rep), rep.iterator.bind(rep)];
      rep.get = (target) => {
        calls.gets++;
        return get(target);
      };
      rep.iterator = (totalOrder) => {
        const made = iterator(totalOrder);
        const seek = made.seek.bind(made);
        made.seek = (target) => {
          calls.seeks++;
          seek(target);
        };
        return made;
      };
      return rep;
    },
  };
  return { factory, calls };
}

test('what the filter excludes is not searched for', () => {
  const { factory, calls } = countingFactory();
  const memtable = make({ factory, extractor: fixedPrefix(2), wholeKeys: true });
  insert(memtable, ['aa1', 'aa2', 'cc1'].map(utf8), false);
  expect([finds(memtable, utf8('aa1')), calls.gets]).toEqual([true, 1]);
  expect([finds(memtable, utf8('aa3')), finds(memtable, utf8('bb1')), calls.gets]).toEqual([false, false, 1]);

  const source = new PrefixFilteredSource(kernel, memtable.source(false), memtable.filter!);
  const merging = new MergingIterator(kernel, 0, [source]);
  const seek = (key: string) => {
    const target = makeInternalKey(utf8(key), MAX_SEQUENCE, TYPE_FOR_SEEK);
    return withKey(target, (at, size) => {
      const status = merging.tryPosition(Position.seek, at, size);
      expect(runSync(merging.position(Position.seek, at, size))).toBe(status);
      return status === MergeStatus.end ? undefined : Buffer.from(merging.key()).subarray(0, -8).toString();
    });
  };
  expect([seek('aa2'), calls.seeks]).toEqual(['aa2', 2]);
  expect([seek('bb1'), calls.seeks]).toEqual([undefined, 2]);
  // A key without a prefix is sought; and the run is there again after it had been passed over.
  expect([seek('b'), calls.seeks]).toEqual(['cc1', 4]);
  expect(merging.tryPosition(Position.first)).toBe(MergeStatus.entry);
  expect(merging.tryPosition(Position.last)).toBe(MergeStatus.entry);
  merging.close();
  memtable.unref();
});

test('the filter takes its share of the write buffer, counts as memory, and is freed with the memtable', () => {
  const pass = () => {
    for (const factory of [undefined, skipListMemTable()]) {
      const plain = make({ factory, wholeKeys: true, ratio: 0 });
      const filtered = make({ factory, wholeKeys: true, ratio: 0.25 });
      const share = WRITE_BUFFER_SIZE / 4;
      expect(plain.filter).toBeUndefined();
      expect(filtered.bytes - plain.bytes).toBeGreaterThanOrEqual(share);
      expect(filtered.bytes - plain.bytes).toBeLessThan(share + 256);
      insert(filtered, [utf8('key')], false);
      filtered.markImmutable();
      // The copy for a flush needs none.
      expect(kernel.x.memtableCount(filtered.flushAddress())).toBe(1);
      plain.unref();
      filtered.unref();
      const shouted = make({ factory, extractor: shoutedWord });
      insert(shouted, randomKeys(new Random(seedFor(4503)), 100, 'abc'), true);
      shouted.unref();
    }
  };
  pass();
  const before = kernel.x.allocatedBytes();
  pass();
  expect(kernel.x.allocatedBytes()).toBe(before);
});
