/** The block builder against the plain encoder, byte for byte, and its estimates against RocksDB's formulas. */
import { afterEach, expect, test } from 'vitest';
import { bytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, userKeyOf } from '../../../format/base/internal-key.ts';
import { BlockBuilderField, BlockBuilderFlags } from '../../../format/kernel/abi/block.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { hex, utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { randomEntries, randomUserKey, Scratch } from './block-fixture.ts';
import { type Entry, encodeBlock, encodeIndex, type IndexEntry } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;
const scratch = new Scratch();
afterEach(() => scratch.clear());

function field(builder: number, offset: number): number {
  return kernel.u32[(builder + offset) >>> 2]!;
}

function add(builder: number, entry: Entry): void {
  const key = scratch.put(entry.key);
  const value = scratch.put(entry.value);
  expect(x.blockBuilderAdd(builder, key, entry.key.length, value, entry.value.length)).toBe(1);
}

function finished(builder: number): Uint8Array {
  const size = x.blockBuilderFinish(builder) >>> 0;
  expect(field(builder, BlockBuilderField.size)).toBe(size);
  const start = field(builder, BlockBuilderField.buffer);
  return kernel.u8.slice(start, start + size);
}

test.each([
  [1, undefined],
  [2, 0.75],
  [16, undefined],
  [16, 0.75],
  [16, 0.1],
  [128, 0.9],
])('interval %i, hash index %s: the bytes of the plain encoder, block after block', (restartInterval, utilRatio) => {
  const random = new Random(seedFor(restartInterval));
  const flags = utilRatio === undefined ? 0 : BlockBuilderFlags.hashIndex;
  const builder = x.blockBuilderCreate(restartInterval, flags, utilRatio ?? 0, 0) >>> 0;
  for (let round = 0; round < 30; round++) {
    const count = random.oneIn(10) ? 700 : random.below(80);
    const entries = randomEntries(random, count, bytewiseComparator);
    for (const entry of entries) add(builder, entry);
    expect(field(builder, BlockBuilderField.numEntries)).toBe(entries.length);
    const shape = utilRatio === undefined ? { restartInterval } : { restartInterval, utilRatio };
    const expected = encodeBlock(entries, shape);
    const estimate = x.blockBuilderSizeEstimate(builder);
    expect(hex(finished(builder))).toBe(hex(expected));
    // A hash index that does not fit is estimated and then left out.
    if (expected.length < 60000) expect(estimate).toBe(expected.length);
    else expect(estimate).toBeGreaterThanOrEqual(expected.length);
    const last = field(builder, BlockBuilderField.lastKey);
    const lastSize = field(builder, BlockBuilderField.lastKeySize);
    if (entries.length > 0) expect(hex(kernel.bytes(last, lastSize))).toBe(hex(entries.at(-1)!.key));
    x.blockBuilderReset(builder);
    scratch.clear();
  }
  x.blockBuilderDestroy(builder);
});

test('a block with restart points past 253 has no hash index, the next one has again', () => {
  const builder = x.blockBuilderCreate(1, BlockBuilderFlags.hashIndex, 0.75, 0) >>> 0;
  const entries = Array.from({ length: 300 }, (_, i) => ({
    key: makeInternalKey(utf8(`k${1000 + i}`), 1, 1),
    value: utf8('v'),
  }));
  for (const entry of entries) add(builder, entry);
  const big = finished(builder);
  expect(hex(big)).toBe(hex(encodeBlock(entries, { restartInterval: 1 })));
  x.blockBuilderReset(builder);
  for (const entry of entries.slice(0, 254)) add(builder, entry);
  const small = finished(builder);
  expect(small.at(-1)).toBe(0x80);
  expect(hex(small)).toBe(hex(encodeBlock(entries.slice(0, 254), { restartInterval: 1, utilRatio: 0.75 })));
  x.blockBuilderDestroy(builder);
});

test('a block above 64 KiB has no hash index', () => {
  const builder = x.blockBuilderCreate(16, BlockBuilderFlags.hashIndex, 0.75, 0) >>> 0;
  const entries = [1, 2, 3].map((i) => ({ key: makeInternalKey(utf8(`k${i}`), 1, 1), value: new Uint8Array(30000) }));
  for (const entry of entries) add(builder, entry);
  const bytes = finished(builder);
  expect(Buffer.compare(bytes, encodeBlock(entries, { restartInterval: 16 }))).toBe(0);
  x.blockBuilderDestroy(builder);
});

test.each([
  [1, true, false],
  [8, true, true],
  [16, false, true],
  [3, true, false],
])('index, interval %i, delta %s, first keys %s: the bytes of the plain encoder', (interval, delta, firstKeys) => {
  const random = new Random(seedFor(40 + interval));
  const builder = x.blockBuilderCreate(interval, delta ? BlockBuilderFlags.deltaValues : 0, 0, 0) >>> 0;
  for (let round = 0; round < 30; round++) {
    const keys = new Map(Array.from({ length: 60 }, () => randomUserKey(random)).map((key) => [hex(key), key]));
    let offset = random.pick([0, 2 ** 40]);
    const entries = [...keys.values()].sort(bytewiseComparator.compare).map((key) => {
      const size = random.below(random.pick([10, 5000, 2 ** 31]));
      const entry: IndexEntry = { key, offset, size };
      if (firstKeys) entry.firstKey = makeInternalKey(key, 7, 1);
      offset += size + 5;
      return entry;
    });
    for (const { key, offset: at, size, firstKey } of entries) {
      const first = firstKey === undefined ? 0 : scratch.put(firstKey);
      const keyAt = scratch.put(key);
      expect(x.blockBuilderAddHandle(builder, keyAt, key.length, at, size, first, firstKey?.length ?? 0)).toBe(1);
    }
    expect(hex(finished(builder))).toBe(hex(encodeIndex(entries, interval, delta)));
    x.blockBuilderReset(builder);
    scratch.clear();
  }
  x.blockBuilderDestroy(builder);
});

test('the estimate for one more entry is that of EstimateSizeAfterKV', () => {
  const builder = x.blockBuilderCreate(2, 0, 0, 0) >>> 0;
  // Header of lengths, key, value, a varint for each of their sizes; the third entry opens a restart point.
  expect(x.blockBuilderSizeEstimate(builder)).toBe(8);
  expect(x.blockBuilderSizeEstimateAfter(builder, 20, 200)).toBe(8 + 20 + 200 + 4 + 1 + 2);
  add(builder, { key: makeInternalKey(utf8('a'), 1, 1), value: utf8('1') });
  add(builder, { key: makeInternalKey(utf8('b'), 1, 1), value: utf8('2') });
  const before = x.blockBuilderSizeEstimate(builder);
  expect(x.blockBuilderSizeEstimateAfter(builder, 20, 200)).toBe(before + 20 + 200 + 4 + 1 + 2 + 4);
  x.blockBuilderDestroy(builder);
});

test('one value of 20 MiB and a key of 1 MiB fit', () => {
  const builder = x.blockBuilderCreate(16, 0, 0, 4096) >>> 0;
  const entries = [
    { key: makeInternalKey(new Uint8Array(1 << 20).fill(65), 9, 1), value: new Uint8Array(20 << 20).fill(7) },
    { key: makeInternalKey(new Uint8Array(1 << 20).fill(66), 8, 1), value: utf8('small') },
  ];
  for (const entry of entries) add(builder, entry);
  const bytes = finished(builder);
  expect(bytes.length).toBeGreaterThan(22 << 20);
  const secondKey = bytes.subarray(bytes.length - 8 - 5 - entries[1]!.key.length, bytes.length - 8 - 5);
  expect(Buffer.compare(userKeyOf(secondKey), userKeyOf(entries[1]!.key))).toBe(0);
  x.blockBuilderDestroy(builder);
});

test('builders give back all they took', () => {
  const before = x.allocatedBytes();
  const builder = x.blockBuilderCreate(1, BlockBuilderFlags.hashIndex, 0.75, 0) >>> 0;
  for (const entry of randomEntries(new Random(1), 500, bytewiseComparator)) add(builder, entry);
  x.blockBuilderDestroy(builder);
  scratch.clear();
  expect(x.allocatedBytes()).toBe(before);
});
