/** Lookups that come back to cached blocks: the decoded index and the directories of blocks, against a search of all entries. */
import { afterEach, expect, test } from 'vitest';
import { bytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, userKeyOf } from '../../../format/base/internal-key.ts';
import { BlockFlags, GetResultField } from '../../../format/kernel/abi/block.ts';
import {
  BLOCK_CHARGE_OVERHEAD,
  CACHE_STATS_SIZE,
  CacheStatsField,
  TableField,
} from '../../../format/kernel/abi/block-cache.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { randomEntries, randomUserKey, Scratch } from './block-fixture.ts';
import { cut, DENSE, HandMadeTable, inBlocksOf, plainGet } from './hand-made-table.ts';
import type { Entry } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;
const scratch = new Scratch();
afterEach(() => scratch.clear());

function usageOf(cache: number): number {
  const stats = scratch.room(CACHE_STATS_SIZE);
  x.cacheStats(cache, stats);
  return kernel.f64[(stats + CacheStatsField.usage) >>> 3]!;
}

test.each([
  ['user keys', DENSE],
  ['user keys, whole handles', { ...DENSE, delta: false }],
  ['internal keys', { ...DENSE, internal: true }],
  ['a cache that holds a part', { ...DENSE, cacheCapacity: 20_000 }],
  ['a cache of one block', { ...DENSE, cacheCapacity: 400 }],
])('%s: the first lookup and the fifth find what a search of all entries finds', (_form, shape) => {
  const random = new Random(seedFor(77));
  const before = x.allocatedBytes();
  for (let round = 0; round < 4; round++) {
    // Enough blocks that the index is worth preparing.
    const entries = randomEntries(random, random.between(900, 1500), bytewiseComparator);
    const groups = cut(random, entries, shape.internal);
    expect(groups.length).toBeGreaterThan(64);
    const table = new HandMadeTable(scratch, groups, shape);
    for (let probe = 0; probe < 250; probe++) {
      const userKey = random.oneIn(4) ? randomUserKey(random) : userKeyOf(random.pick(entries).key);
      for (let again = 0; again < 5; again++) {
        const sequence = again === 0 ? 2 ** 53 - 1 : random.below(420);
        expect(table.get(userKey, sequence)).toBe(plainGet(entries, userKey, sequence));
      }
    }
    table.close();
    scratch.clear();
  }
  expect(x.allocatedBytes() - before).toBeLessThan(16_384);
});

function sequential(count: number, value: (i: number) => Uint8Array): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    key: makeInternalKey(utf8(`user:${String(1_000_000 + i)}:profile`), 5, 1),
    value: value(i),
  }));
}

test('a second lookup gives the block a directory, which the cache charges for and frees', () => {
  const entries = sequential(1000, () => utf8('v'));
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 10), DENSE);
  const sizes = [...table.blocks.values()];
  const key = userKeyOf(entries[0]!.key);
  table.get(key, 99);
  const plain = sizes[0]!.length + 5 + BLOCK_CHARGE_OVERHEAD;
  expect(usageOf(table.cache)).toBe(plain);
  table.get(key, 99);
  const withDirectory = usageOf(table.cache);
  // A header, what the keys have in common, and ten entries of eight bytes and an offset each.
  expect(withDirectory - plain).toBe(24 + 16 + 10 * 10);
  table.get(key, 99);
  expect(usageOf(table.cache)).toBe(withDirectory);
  const allocated = x.allocatedBytes();
  x.cacheErase(table.cache, 1, 0);
  expect(usageOf(table.cache)).toBe(0);
  expect(allocated - x.allocatedBytes()).toBeGreaterThanOrEqual(sizes[0]!.length + withDirectory - plain);
  table.close();
});

test('a directory made while the block is pinned is charged until the last pin goes', () => {
  const entries = sequential(1000, () => utf8('v'));
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 10), DENSE);
  const key = userKeyOf(entries[0]!.key);
  table.get(key, 99);
  const pinned = x.cacheLookup(table.cache, 1, 0) >>> 0;
  expect(table.get(key, 99)).toBe(plainGet(entries, key, 99));
  const usage = usageOf(table.cache);
  x.cacheErase(table.cache, 1, 0);
  expect(usageOf(table.cache)).toBe(usage);
  x.blockRelease(pinned);
  expect(usageOf(table.cache)).toBe(0);
  table.close();
});

test.each([0, 1])('directories do not let the cache pass its capacity, strict %i', (strict) => {
  const entries = sequential(1000, () => utf8('value'));
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 10), { ...DENSE, cacheCapacity: 20_000 });
  x.cacheSetStrict(table.cache, strict);
  // Once a block: none has a directory yet, and the last ones fill the cache.
  for (let i = 0; i < entries.length; i += 10) table.get(userKeyOf(entries[i]!.key), 99);
  let directories = 0;
  for (let round = 0; round < 20; round++) {
    // The last blocks are in the cache, which is full; none is read, so nothing is inserted that would make room.
    for (const { key } of entries.slice(-10 * (round + 1))) {
      const before = usageOf(table.cache);
      expect(table.get(userKeyOf(key), 99)).toBe(plainGet(entries, userKeyOf(key), 99));
      expect(usageOf(table.cache)).toBeLessThanOrEqual(20_000);
      if (usageOf(table.cache) !== before) directories++;
    }
  }
  expect(directories).toBeGreaterThan(0);
  table.close();
});

test('a block that lookups come back to stays, though it moves in the eviction order only now and then', () => {
  const entries = sequential(4000, () => utf8('value'));
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 10), { ...DENSE, cacheCapacity: 40_000 });
  const loads = (i: number): number => {
    const before = table.loads;
    expect(table.get(userKeyOf(entries[i]!.key), 99)).toBe(plainGet([entries[i]!], userKeyOf(entries[i]!.key), 99));
    return table.loads - before;
  };
  loads(3);
  for (let i = 10; i < entries.length; i += 10) {
    expect(loads(i)).toBe(1);
    expect(loads(3)).toBe(0);
  }
  // What was asked for once went long ago.
  expect(loads(20)).toBe(1);
  table.close();
});

test('where everything is pinned, a strict limit gives a block no directory', () => {
  const entries = sequential(1000, () => utf8('value'));
  const probe = new HandMadeTable(scratch, inBlocksOf(entries, 10), DENSE);
  const key = userKeyOf(entries[0]!.key);
  probe.get(key, 99);
  const cacheCapacity = usageOf(probe.cache);
  probe.close();
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 10), { ...DENSE, cacheCapacity });
  x.cacheSetStrict(table.cache, 1);
  for (let again = 0; again < 3; again++) {
    expect(table.get(key, 99)).toBe(plainGet(entries, key, 99));
    expect(usageOf(table.cache)).toBe(cacheCapacity);
  }
  table.close();
});

test('values of every size outlive the loan: short ones copied, long ones pinned', () => {
  const sizes = [0, 1, 100, 1023, 1024, 1025, 5000];
  const entries = sequential(700, (i) => new Uint8Array(sizes[i % sizes.length]!).fill(i));
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 7), DENSE);
  for (let again = 0; again < 3; again++) {
    for (const { key } of entries) {
      expect(table.get(userKeyOf(key), 99)).toBe(plainGet(entries, userKeyOf(key), 99));
    }
  }
  const long = entries[5]!;
  const at = scratch.put(userKeyOf(long.key));
  expect(x.tableGet(table.struct, table.cache, at, long.key.length - 8, 99, 0, table.result)).toBe(1);
  const block = kernel.u32[(table.result + GetResultField.block) >>> 2]!;
  expect(block).not.toBe(0);
  x.cacheErase(table.cache, 1, 0);
  const value = kernel.u32[(table.result + GetResultField.value) >>> 2]!;
  expect(kernel.u8[value]).toBe(5);
  x.blockRelease(block);
  table.close();
});

test('with a global sequence every version has it, seen from the directory too', () => {
  const entries = sequential(1000, (i) => utf8(`${i}`));
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 10), DENSE);
  table.set(TableField.dataFlags, BlockFlags.internalKeys | BlockFlags.dataBlock | BlockFlags.globalSequence);
  kernel.f64[(table.struct + TableField.globalSequence) >>> 3] = 77;
  const key = userKeyOf(entries[123]!.key);
  for (let again = 0; again < 3; again++) {
    expect(table.get(key, 77)).toContain('@77 ');
    expect(table.get(key, 76)).toBe('absent');
  }
  table.close();
});

test('a block that was damaged after its check is told as corrupt or answered from its own bytes', () => {
  const random = new Random(seedFor(5));
  const entries = sequential(640, () => utf8('value'));
  for (let round = 0; round < 120; round++) {
    const table = new HandMadeTable(scratch, inBlocksOf(entries, 10), DENSE);
    const bytes = table.blocks.get(0)!;
    for (let i = random.between(1, 4); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    for (let probe = 0; probe < 30; probe++) {
      expect(table.get(userKeyOf(entries[random.below(10)]!.key), 99)).not.toBe('endless');
    }
    table.close();
    scratch.clear();
  }
});
