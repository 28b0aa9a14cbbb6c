/** The point lookup in one table, over blocks laid out by hand, against a search of all entries. */
import { afterEach, describe, expect, test } from 'vitest';
import { bytewiseComparator, type Comparator, reverseBytewiseComparator } from '../../../format/base/comparator.ts';
import { equalBytes, makeInternalKey, sequenceOf, typeOf, userKeyOf } from '../../../format/base/internal-key.ts';
import { BlockFlags, GET_RESULT_SIZE, GetResultField } from '../../../format/kernel/abi/block.ts';
import { TABLE_STATS_SIZE, TableField, TableStatsField } from '../../../format/kernel/abi/block-cache.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { hex, utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { lengthFirst, randomEntries, randomUserKey, Scratch } from './block-fixture.ts';
import { type Entry, encodeBlock, encodeIndex, type IndexEntry } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;
const scratch = new Scratch();
afterEach(() => scratch.clear());

interface TableShape {
  comparator: number;
  /** Separators are internal keys, so that one user key may lie in several blocks. */
  internal: boolean;
  delta: boolean;
  firstKeys: boolean;
  cached: boolean;
}

/** A table in memory whose blocks are loaded when the kernel asks for them. */
class HandMadeTable {
  readonly struct = x.tableCreate() >>> 0;
  readonly stats = scratch.room(TABLE_STATS_SIZE);
  readonly result = scratch.room(GET_RESULT_SIZE);
  readonly cache: number;
  readonly blocks = new Map<number, Uint8Array>();
  loads = 0;

  constructor(groups: readonly Entry[][], shape: TableShape, filter?: Uint8Array) {
    this.cache = shape.cached ? x.cacheCreate(1 << 20, 0, 1, 0) >>> 0 : 0;
    kernel.u8.fill(0, this.stats, this.stats + TABLE_STATS_SIZE);
    let offset = 0;
    const index = groups.map((group): IndexEntry => {
      const bytes = encodeBlock(group, { restartInterval: 4, utilRatio: 0.75 });
      this.blocks.set(offset, bytes);
      const last = group.at(-1)!.key;
      const entry: IndexEntry = { key: shape.internal ? last : userKeyOf(last), offset, size: bytes.length };
      if (shape.firstKeys) entry.firstKey = group[0]!.key;
      offset += bytes.length + 5;
      return entry;
    });
    const indexBytes = encodeIndex(index, 2, shape.delta);
    let indexFlags = BlockFlags.handles | (shape.internal ? BlockFlags.internalKeys : BlockFlags.userKeys);
    if (shape.delta) indexFlags |= BlockFlags.deltaValues;
    if (shape.firstKeys) indexFlags |= BlockFlags.firstKeys;
    this.set(TableField.tableId, 1);
    this.set(TableField.filter, filter === undefined ? 0 : scratch.put(filter));
    this.set(TableField.filterSize, filter?.length ?? 0);
    this.set(TableField.wholeKeyFiltering, 1);
    this.set(TableField.index, scratch.put(indexBytes));
    this.set(TableField.indexSize, indexBytes.length);
    this.set(TableField.indexFlags, indexFlags);
    this.set(TableField.dataFlags, BlockFlags.internalKeys | BlockFlags.dataBlock);
    this.set(TableField.comparator, shape.comparator);
    this.set(TableField.stats, this.stats);
    expect(x.tablePrepare(this.struct)).toBe(1);
  }

  set(field: number, value: number): void {
    kernel.u32[(this.struct + field) >>> 2] = value;
  }

  stat(field: number): number {
    return kernel.f64[(this.stats + field) >>> 3]!;
  }

  /** As a reader does it: asks, loads what is missing, asks again. */
  get(userKey: Uint8Array, sequence: number): string {
    const key = scratch.put(userKey);
    let loaded = 0;
    for (let attempt = 0; attempt < 50; attempt++) {
      const status = x.tableGet(this.struct, this.cache, key, userKey.length, sequence, loaded, this.result);
      if (loaded !== 0) x.blockRelease(loaded);
      loaded = 0;
      if (status === 0) return 'absent';
      if (status === 1) return this.takeResult();
      if (status === -1) return 'corrupt';
      loaded = this.load(kernel.f64[(this.result + GetResultField.handleOffset) >>> 3]!);
    }
    return 'endless';
  }

  load(offset: number): number {
    this.loads++;
    const bytes = this.blocks.get(offset)!;
    expect(kernel.f64[(this.result + GetResultField.handleSize) >>> 3]).toBe(bytes.length);
    const block = x.blockAlloc(bytes.length + 5) >>> 0;
    kernel.u8.set(bytes, block);
    if (this.cache !== 0) return x.cacheInsert(this.cache, 1, offset, block, bytes.length) >>> 0;
    x.blockSetSize(block, bytes.length);
    return block;
  }

  takeResult(): string {
    const field = (offset: number): number => kernel.u32[(this.result + offset) >>> 2]!;
    const value = field(GetResultField.value);
    const bytes = kernel.u8.slice(value, value + field(GetResultField.valueSize));
    x.blockRelease(field(GetResultField.block));
    const sequence = kernel.f64[(this.result + GetResultField.sequence) >>> 3]!;
    return `${field(GetResultField.type)}@${sequence} ${hex(bytes)}`;
  }

  close(): void {
    x.tableDestroy(this.struct);
    x.cacheFree(this.cache);
  }
}

function plainGet(entries: readonly Entry[], userKey: Uint8Array, sequence: number): string {
  const entry = entries.find((e) => equalBytes(userKeyOf(e.key), userKey) && sequenceOf(e.key) <= sequence);
  return entry === undefined ? 'absent' : `${typeOf(entry.key)}@${sequenceOf(entry.key)} ${hex(entry.value)}`;
}

/** Cuts entries into blocks, between user keys only unless `anywhere`. */
function cut(random: Random, entries: readonly Entry[], anywhere: boolean): Entry[][] {
  const groups: Entry[][] = [];
  let size = 0;
  for (const entry of entries) {
    const previous = groups.at(-1)?.at(-1);
    const same = previous !== undefined && equalBytes(userKeyOf(previous.key), userKeyOf(entry.key));
    if (previous === undefined || (groups.at(-1)!.length >= size && (anywhere || !same))) {
      groups.push([]);
      size = random.between(1, 12);
    }
    groups.at(-1)!.push(entry);
  }
  return groups;
}

const orders: [string, number, Comparator][] = [
  ['bytewise', 0, bytewiseComparator],
  ['reverse bytewise', 1, reverseBytewiseComparator],
  ['host', kernel.registerComparator(lengthFirst), lengthFirst],
];

describe.each(orders)('%s order', (_name, comparator, order) => {
  test.each([
    ['user keys, delta', { internal: false, delta: true, firstKeys: false, cached: true }],
    ['internal keys, delta', { internal: true, delta: true, firstKeys: false, cached: true }],
    ['internal keys, uncached', { internal: true, delta: false, firstKeys: false, cached: false }],
    ['user keys, first keys', { internal: false, delta: true, firstKeys: true, cached: true }],
    ['internal keys, first keys, uncached', { internal: true, delta: true, firstKeys: true, cached: false }],
  ])('%s: finds what a search of all entries finds', (_form, form) => {
    const random = new Random(seedFor(31));
    const before = x.allocatedBytes();
    for (let round = 0; round < 12; round++) {
      const entries = randomEntries(random, random.below(150), order);
      const table = new HandMadeTable(cut(random, entries, form.internal), { comparator, ...form });
      for (let probe = 0; probe < 120; probe++) {
        const known = entries.length > 0 && random.oneIn(2);
        const userKey = known ? userKeyOf(random.pick(entries).key) : randomUserKey(random);
        const sequence = random.oneIn(3) ? 2 ** 53 - 1 : random.below(420);
        expect(table.get(userKey, sequence)).toBe(plainGet(entries, userKey, sequence));
      }
      table.close();
      scratch.clear();
    }
    // What stays are the buffers that the kernel keeps for lookups, not one a table.
    expect(x.allocatedBytes() - before).toBeLessThan(8192);
  });
});

const plain: TableShape = { comparator: 0, internal: false, delta: true, firstKeys: false, cached: true };

function numbered(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    key: makeInternalKey(utf8(`key${1000 + i}`), 5, 1),
    value: utf8(`value${i}`),
  }));
}

test('the filter spares the block, and is asked once for a lookup that had to load', () => {
  const entries = numbered(64);
  const hashes = scratch.room(64 * 8);
  entries.forEach(({ key }, i) => {
    const at = scratch.put(userKeyOf(key));
    kernel.u32[(hashes + i * 8) >>> 2] = x.hash64(at, key.length - 8);
    kernel.u32[(hashes + i * 8 + 4) >>> 2] = x.hashHigh();
  });
  const size = x.bloomSize(64, 10_000) >>> 0;
  const filterAt = scratch.room(size);
  x.bloomBuild(hashes, 64, 10_000, filterAt);
  const groups = cut(new Random(1), entries, false);
  const table = new HandMadeTable(groups, plain, kernel.u8.slice(filterAt, filterAt + size));
  for (const { key } of entries) expect(table.get(userKeyOf(key), 99)).not.toBe('absent');
  expect(table.stat(TableStatsField.filterPositive)).toBe(64);
  expect(table.stat(TableStatsField.filterTruePositive)).toBe(64);
  expect(table.stat(TableStatsField.dataBlockMisses)).toBe(groups.length);
  expect(table.loads).toBe(groups.length);
  for (let i = 0; i < 200; i++) expect(table.get(utf8(`key10${i}x`), 99)).toBe('absent');
  expect(table.stat(TableStatsField.filterUseful)).toBeGreaterThan(180);
  table.close();
});

test('first keys spare the block for a key between two blocks', () => {
  const entries = numbered(20);
  const groups = [entries.slice(0, 10), entries.slice(15)];
  const table = new HandMadeTable(groups, { ...plain, firstKeys: true });
  expect(table.get(userKeyOf(entries[12]!.key), 99)).toBe('absent');
  expect(table.loads).toBe(0);
  expect(table.get(userKeyOf(entries[15]!.key), 99)).not.toBe('absent');
  expect(table.loads).toBe(1);
  table.close();
});

test('a corrupt data block is named, a corrupt index is not', () => {
  const entries = numbered(20);
  const table = new HandMadeTable([entries.slice(0, 10), entries.slice(10)], plain);
  const second = [...table.blocks.keys()][1]!;
  table.blocks.get(second)!.fill(0xff);
  const probe = userKeyOf(entries[15]!.key);
  expect(table.get(probe, 99)).toBe('corrupt');
  expect(kernel.f64[(table.result + GetResultField.handleOffset) >>> 3]).toBe(second);
  kernel.u8[kernel.u32[(table.struct + TableField.index) >>> 2]!] = 0xff;
  expect(table.get(userKeyOf(entries[1]!.key), 99)).toBe('corrupt');
  expect(kernel.f64[(table.result + GetResultField.handleSize) >>> 3]).toBe(0);
  table.close();
});

test('a malformed index footer is told at once', () => {
  const struct = x.tableCreate() >>> 0;
  kernel.u32[(struct + TableField.index) >>> 2] = scratch.put(new Uint8Array(8));
  kernel.u32[(struct + TableField.indexSize) >>> 2] = 8;
  expect(x.tablePrepare(struct)).toBe(0);
  x.tableDestroy(struct);
});
