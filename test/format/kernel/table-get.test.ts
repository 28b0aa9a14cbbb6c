/** The point lookup in one table, over blocks laid out by hand, against a search of all entries. */
import { afterEach, describe, expect, test } from 'vitest';
import { bytewiseComparator, type Comparator, reverseBytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, userKeyOf } from '../../../format/base/internal-key.ts';
import { GetResultField } from '../../../format/kernel/abi/block.ts';
import { TableField, TableStatsField } from '../../../format/kernel/abi/block-cache.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { lengthFirst, randomEntries, randomUserKey, Scratch } from './block-fixture.ts';
import { cut, HandMadeTable, plainGet, type TableShape } from './hand-made-table.ts';
import type { Entry } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;
const scratch = new Scratch();
afterEach(() => scratch.clear());

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
      const table = new HandMadeTable(scratch, cut(random, entries, form.internal), { comparator, ...form });
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
  const table = new HandMadeTable(scratch, groups, plain, kernel.u8.slice(filterAt, filterAt + size));
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
  const table = new HandMadeTable(scratch, groups, { ...plain, firstKeys: true });
  expect(table.get(userKeyOf(entries[12]!.key), 99)).toBe('absent');
  expect(table.loads).toBe(0);
  expect(table.get(userKeyOf(entries[15]!.key), 99)).not.toBe('absent');
  expect(table.loads).toBe(1);
  table.close();
});

test('a corrupt data block is named, a corrupt index is not', () => {
  const entries = numbered(20);
  const table = new HandMadeTable(scratch, [entries.slice(0, 10), entries.slice(10)], plain);
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
