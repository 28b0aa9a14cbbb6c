/** Shortcuts from a table's index to the directories of cached blocks: they lead to what is there, and to nothing else. */
import { afterEach, expect, test } from 'vitest';
import { makeInternalKey, userKeyOf } from '../../../format/base/internal-key.ts';
import { GetResultField } from '../../../format/kernel/abi/block.ts';
import { CACHE_STATS_SIZE, CacheStatsField, TableField } from '../../../format/kernel/abi/block-cache.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { GetStatus } from '../../../format/sst/partitioned-get.ts';
import { utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { Scratch } from './block-fixture.ts';
import { DENSE, HandMadeTable, inBlocksOf, plainGet, type TableShape } from './hand-made-table.ts';
import type { Entry } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;
const scratch = new Scratch();
afterEach(() => scratch.clear());

const shape: TableShape = { ...DENSE, cacheCapacity: 64 << 20 };

function numbered(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    key: makeInternalKey(utf8(`key${String(2 * i).padStart(9, '0')}`), 5, 1),
    value: utf8(`value ${i}`),
  }));
}

function expectAll(table: HandMadeTable, entries: readonly Entry[]): void {
  for (const entry of entries) {
    const userKey = userKeyOf(entry.key);
    expect(table.get(userKey, 99)).toBe(plainGet([entry], userKey, 99));
  }
}

/** The blocks that lookups found in the cache. */
function hits(cache: number): number {
  const stats = scratch.room(CACHE_STATS_SIZE);
  x.cacheStats(cache, stats);
  return kernel.f64[(stats + CacheStatsField.hits) >>> 3]!;
}

/** A second table struct over the same blocks, with another index of its own. */
function twin(table: HandMadeTable): number {
  const struct = x.tableCreate() >>> 0;
  for (let field = 0; field <= TableField.globalSequence; field += 4) {
    kernel.u32[(struct + field) >>> 2] = kernel.u32[(table.struct + field) >>> 2]!;
  }
  expect(x.tablePrepare(struct)).toBe(GetStatus.found);
  return struct;
}

/** How many shortcuts of a table lead somewhere: as `restart-prefixes.ts` lays the index out. */
function shortcuts(struct: number): number {
  const word = (at: number): number => kernel.u32[at >>> 2]!;
  const prefixes = word(struct + 48);
  const places = word(prefixes + 20);
  let leading = 0;
  for (let i = 0; i < word(prefixes); i++) if (word(places + 8 * i + 4) !== 0) leading++;
  return leading;
}

function ask(struct: number, table: HandMadeTable, key: Uint8Array): number {
  const at = scratch.put(userKeyOf(key));
  const status = x.tableGet(struct, table.cache, at, key.length - 8, 99, 0, table.result);
  const block = status === GetStatus.found ? kernel.u32[(table.result + GetResultField.block) >>> 2]! : 0;
  if (block !== 0) x.blockRelease(block);
  return status;
}

test('in an index of thousands of blocks every key is found three times over, and nothing between them', () => {
  const entries = numbered(24_000);
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 5), shape);
  const random = new Random(seedFor(91));
  for (let round = 0; round < 3; round++) {
    for (let probe = 0; probe < 4000; probe++) {
      const i = random.below(entries.length);
      const { key } = entries[i]!;
      expect(table.get(userKeyOf(key), 99)).toBe(plainGet([entries[i]!], userKeyOf(key), 99));
      expect(table.get(utf8(`key${String(2 * i + 1).padStart(9, '0')}`), 99)).toBe('absent');
    }
  }
  table.close();
});

test('a table that goes cuts its shortcuts, and the blocks serve the next one', () => {
  const entries = numbered(900);
  const before = x.allocatedBytes();
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 9), shape);
  const first = twin(table);
  for (let again = 0; again < 3; again++) expectAll(table, entries);
  for (const { key } of entries) expect(ask(first, table, key)).toBe(GetStatus.found);
  expect(shortcuts(first)).toBe(100);
  const lay = kernel.u32[(first + 48) >>> 2]!;
  const size = x.allocationSize(lay);
  x.tableDestroy(first);
  // What lay there belongs to somebody else now, and stays as it is when the blocks go.
  const others = kernel.malloc(size);
  expect(others).toBe(lay);
  kernel.u8.fill(0xee, others, others + size);
  const loads = table.loads;
  expectAll(table, entries.slice(0, 100));
  expect(table.loads).toBe(loads);
  x.cacheSetCapacity(table.cache, 0);
  expect(kernel.bytes(others, size).every((byte) => byte === 0xee)).toBe(true);
  kernel.free(others);
  table.close();
  scratch.clear();
  expect(x.allocatedBytes() - before).toBeLessThan(16_384);
});

test('two tables that take turns over the same blocks both find everything, in the cache', () => {
  const entries = numbered(900);
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 9), shape);
  for (let again = 0; again < 2; again++) expectAll(table, entries);
  const other = twin(table);
  const before = hits(table.cache);
  for (const { key } of entries) {
    expect(ask(other, table, key)).toBe(GetStatus.found);
    expect(ask(table.struct, table, key)).toBe(GetStatus.found);
    expect(ask(other, table, key)).toBe(GetStatus.found);
  }
  expect(hits(table.cache) - before).toBe(3 * entries.length);
  for (const { key } of entries) ask(other, table, key);
  expect([shortcuts(other), shortcuts(table.struct)]).toEqual([100, 0]);
  x.tableDestroy(other);
  expectAll(table, entries.slice(0, 100));
  table.close();
});

test('a block that was erased or evicted is not found by its shortcut', () => {
  const entries = numbered(900);
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 9), shape);
  for (let again = 0; again < 3; again++) expectAll(table, entries);
  const key = entries[500]!.key;
  expect(ask(table.struct, table, key)).toBe(GetStatus.found);
  for (const offset of table.blocks.keys()) x.cacheErase(table.cache, 1, offset);
  expect(ask(table.struct, table, key)).toBe(GetStatus.needsLoad);
  expectAll(table, entries.slice(450, 550));
  for (let again = 0; again < 3; again++) expectAll(table, entries.slice(490, 510));
  x.cacheSetCapacity(table.cache, 0);
  expect(ask(table.struct, table, key)).toBe(GetStatus.needsLoad);
  table.close();
});

test('a cache may be freed before the tables that used it', () => {
  const entries = numbered(900);
  const before = x.allocatedBytes();
  const table = new HandMadeTable(scratch, inBlocksOf(entries, 9), shape);
  for (let again = 0; again < 3; again++) expectAll(table, entries);
  expect(shortcuts(table.struct)).toBe(100);
  x.cacheFree(table.cache);
  expect(shortcuts(table.struct)).toBe(0);
  x.tableDestroy(table.struct);
  scratch.clear();
  expect(x.allocatedBytes() - before).toBeLessThan(16_384);
});
