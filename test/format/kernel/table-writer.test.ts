/** The kernel's table writer: where blocks are cut, what is hashed, what is counted. */
import { afterEach, expect, test } from 'vitest';
import { bytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, sequenceOf, typeOf, userKeyOf, ValueType } from '../../../format/base/internal-key.ts';
import { BlockBuilderField, BlockBuilderFlags } from '../../../format/kernel/abi/block.ts';
import {
  FilterHashKind,
  PrefixKind,
  TableWriterField,
  TableWriterStatus,
} from '../../../format/kernel/abi/table-writer.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { hex, utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { randomEntries, Scratch } from './block-fixture.ts';
import { type Entry, encodeBlock } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;
const scratch = new Scratch();
afterEach(() => scratch.clear());

function u32(struct: number, field: number): number {
  return kernel.u32[(struct + field) >>> 2]!;
}

function f64(struct: number, field: number): number {
  return kernel.f64[(struct + field) >>> 3]!;
}

function set(writer: number, field: number, value: number): void {
  kernel.u32[(writer + field) >>> 2] = value;
}

function bytesAt(struct: number, addressField: number, sizeField: number): string {
  return hex(kernel.bytes(u32(struct, addressField), u32(struct, sizeField)));
}

interface Written {
  blocks: string[];
  firstKeys: string[];
}

/** Drives a writer as its host does, checking the key that each full block was refused. */
function writeAll(writer: number, entries: readonly Entry[]): Written {
  const written: Written = { blocks: [], firstKeys: [] };
  const builder = u32(writer, TableWriterField.builder);
  const take = (): void => {
    written.firstKeys.push(bytesAt(writer, TableWriterField.firstKey, TableWriterField.firstKeySize));
    const size = x.tableWriterFinishBlock(writer) >>> 0;
    const start = u32(builder, BlockBuilderField.buffer);
    written.blocks.push(hex(kernel.u8.slice(start, start + size)));
    x.tableWriterNextBlock(writer);
  };
  for (const { key, value } of entries) {
    const keyAt = scratch.put(key);
    const valueAt = scratch.put(value);
    let status = x.tableWriterAdd(writer, keyAt, key.length, valueAt, value.length);
    if (status === TableWriterStatus.blockFull) {
      expect(u32(writer, TableWriterField.nextKey)).toBe(keyAt);
      expect(u32(writer, TableWriterField.nextKeySize)).toBe(key.length);
      take();
      status = x.tableWriterAdd(writer, keyAt, key.length, valueAt, value.length);
    }
    expect(status).toBe(TableWriterStatus.added);
  }
  if (x.tableWriterBlockEntries(writer) > 0) take();
  return written;
}

function varintLength(value: number): number {
  return value < 128 ? 1 : value < 16384 ? 2 : 3;
}

/** Cuts entries into blocks by FlushBlockBySizePolicy, measuring each block by encoding it. */
function plainCut(
  entries: readonly Entry[],
  blockSize: number,
  deviation: number,
  align: boolean,
  interval: number,
): Entry[][] {
  const limit = deviation === 0 ? 0 : Math.floor((blockSize * (100 - deviation) + 99) / 100);
  const blocks: Entry[][] = [[]];
  for (const entry of entries) {
    const block = blocks.at(-1)!;
    if (block.length > 0) {
      const size = encodeBlock(block, { restartInterval: interval }).length;
      const restart = block.length % interval === 0 ? 4 : 0;
      const lengths = 4 + varintLength(entry.key.length) + varintLength(entry.value.length);
      const after = size + entry.key.length + entry.value.length + lengths + restart;
      const almost = limit > 0 && (align ? after + 5 > blockSize : after > blockSize && size > limit);
      if (size >= blockSize || almost) blocks.push([]);
    }
    blocks.at(-1)!.push(entry);
  }
  return blocks.filter((block) => block.length > 0);
}

test.each([
  [256, 10, false, 16],
  [1024, 10, false, 1],
  [1024, 0, false, 16],
  [1024, 10, true, 16],
  [1, 10, false, 16],
  [4096, 50, false, 4],
])(
  'blocks of %i bytes, deviation %i, align %s, interval %i: cut where RocksDB cuts',
  (size, deviation, align, interval) => {
    const random = new Random(seedFor(size + deviation));
    for (let round = 0; round < 8; round++) {
      const entries = randomEntries(random, 300, bytewiseComparator);
      const writer = x.tableWriterCreate(size, deviation, align ? 1 : 0, interval, 0, 0) >>> 0;
      const { blocks, firstKeys } = writeAll(writer, entries);
      const expected = plainCut(entries, size, deviation, align, interval);
      expect(blocks).toEqual(expected.map((block) => hex(encodeBlock(block, { restartInterval: interval }))));
      expect(firstKeys).toEqual(expected.map((block) => hex(block[0]!.key)));
      x.tableWriterDestroy(writer);
      scratch.clear();
    }
  },
);

test('counts what the properties tell', () => {
  const random = new Random(seedFor(9));
  const entries = randomEntries(random, 400, bytewiseComparator);
  const writer = x.tableWriterCreate(4096, 10, 0, 16, BlockBuilderFlags.hashIndex, 0.75) >>> 0;
  expect(f64(writer, TableWriterField.smallestSequence)).toBe(2 ** 53);
  writeAll(writer, entries);
  const types = entries.map(({ key }) => typeOf(key));
  const sequences = entries.map(({ key }) => sequenceOf(key));
  const deletions = types.filter((type) => type === ValueType.deletion || type === ValueType.singleDeletion);
  expect(f64(writer, TableWriterField.numEntries)).toBe(entries.length);
  expect(f64(writer, TableWriterField.numDeletions)).toBe(deletions.length);
  expect(f64(writer, TableWriterField.numMergeOperands)).toBe(types.filter((type) => type === ValueType.merge).length);
  expect(f64(writer, TableWriterField.rawKeySize)).toBe(entries.reduce((sum, { key }) => sum + key.length, 0));
  expect(f64(writer, TableWriterField.rawValueSize)).toBe(entries.reduce((sum, { value }) => sum + value.length, 0));
  expect(f64(writer, TableWriterField.smallestSequence)).toBe(Math.min(...sequences));
  expect(f64(writer, TableWriterField.largestSequence)).toBe(Math.max(...sequences));
  const smallest = bytesAt(writer, TableWriterField.smallestKey, TableWriterField.smallestKeySize);
  expect(smallest).toBe(hex(entries[0]!.key));
  const builder = u32(writer, TableWriterField.builder);
  const largest = bytesAt(builder, BlockBuilderField.lastKey, BlockBuilderField.lastKeySize);
  expect(largest).toBe(hex(entries.at(-1)!.key));
  x.tableWriterDestroy(writer);
});

/** The hashes that a writer collected. */
function hashesOf(writer: number, wide: boolean): string[] {
  const start = u32(writer, TableWriterField.hashes);
  const count = u32(writer, TableWriterField.hashCount);
  const width = wide ? 8 : 4;
  return Array.from({ length: count }, (_, i) => hex(kernel.bytes(start + i * width, width)));
}

function expectedHash(bytes: Uint8Array, wide: boolean): string {
  const at = scratch.put(bytes);
  const out = Buffer.alloc(wide ? 8 : 4);
  if (wide) {
    out.writeUInt32LE(x.hash64(at, bytes.length) >>> 0);
    out.writeUInt32LE(x.hashHigh() >>> 0, 4);
  } else {
    out.writeUInt32LE(x.hash32(at, bytes.length, 0xbc9f1d34) >>> 0);
  }
  return out.toString('hex');
}

const prefixes = {
  none: (): undefined => undefined,
  fixed: (key: Uint8Array): Uint8Array | undefined => (key.length >= 5 ? key.slice(0, 5) : undefined),
  capped: (key: Uint8Array): Uint8Array | undefined => key.slice(0, 5),
};

test.each([
  ['hash64', true, 'none'],
  ['hash64', true, 'fixed'],
  ['hash64', false, 'capped'],
  ['hash32', true, 'none'],
  ['hash32', true, 'capped'],
] as const)('collects %s, whole keys %s, prefix %s, without repeating neighbours', (kind, wholeKey, prefix) => {
  const entries = randomEntries(new Random(seedFor(21)), 500, bytewiseComparator);
  const writer = x.tableWriterCreate(4096, 10, 0, 16, 0, 0) >>> 0;
  set(writer, TableWriterField.hashKind, FilterHashKind[kind]);
  set(writer, TableWriterField.wholeKeyFiltering, wholeKey ? 1 : 0);
  set(writer, TableWriterField.prefixKind, PrefixKind[prefix]);
  set(writer, TableWriterField.prefixLength, 5);
  writeAll(writer, entries);
  const wide = kind === 'hash64';
  const expected: string[] = [];
  let lastKey = '';
  let lastPrefix = '';
  for (const { key } of entries) {
    const whole = expectedHash(userKeyOf(key), wide);
    if (wholeKey && whole !== lastKey) expected.push((lastKey = whole));
    const prefixBytes = prefixes[prefix](userKeyOf(key));
    const hash = prefixBytes === undefined ? lastPrefix : expectedHash(prefixBytes, wide);
    if (hash !== lastPrefix) expected.push((lastPrefix = hash));
  }
  expect(hashesOf(writer, wide)).toEqual(expected);
  x.tableWriterResetHashes(writer);
  const again = scratch.put(utf8('prefix'));
  expect(x.tableWriterAddFilterKey(writer, again, 6)).toBe(1);
  expect(x.tableWriterAddFilterKey(writer, again, 6)).toBe(1);
  expect(hashesOf(writer, wide)).toEqual([expectedHash(utf8('prefix'), wide)]);
  x.tableWriterDestroy(writer);
});

test('one user key on both sides of a boundary is noticed, another one is not', () => {
  const version = (name: string, sequence: number): Entry => ({
    key: makeInternalKey(utf8(name), sequence, 1),
    value: new Uint8Array(60),
  });
  const split = x.tableWriterCreate(100, 0, 0, 16, 0, 0) >>> 0;
  expect(writeAll(split, [version('a', 9), version('a', 8), version('a', 7)]).blocks.length).toBe(2);
  expect(u32(split, TableWriterField.sameUserKeyAcrossBlocks)).toBe(1);
  const clean = x.tableWriterCreate(100, 0, 0, 16, 0, 0) >>> 0;
  expect(writeAll(clean, [version('a', 9), version('a', 8), version('b', 7)]).blocks.length).toBe(2);
  expect(u32(clean, TableWriterField.sameUserKeyAcrossBlocks)).toBe(0);
  x.tableWriterDestroy(split);
  x.tableWriterDestroy(clean);
});

test('a key without a trailer is refused', () => {
  const writer = x.tableWriterCreate(4096, 10, 0, 16, 0, 0) >>> 0;
  expect(x.tableWriterAdd(writer, scratch.put(utf8('1234567')), 7, scratch.room(1), 0)).toBe(TableWriterStatus.badKey);
  expect(x.tableWriterBlockEntries(writer)).toBe(0);
  x.tableWriterDestroy(writer);
});
