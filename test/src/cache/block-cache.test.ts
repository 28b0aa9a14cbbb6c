/** The block cache: eviction order, exact charges, pins, shards, and a model over random histories. */
import { afterEach, describe, expect, test } from 'vitest';
import { BLOCK_CHARGE_OVERHEAD } from '../../../format/kernel/abi/block-cache.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { BlockCache, type BlockCacheOptions } from '../../../src/cache/block-cache.ts';
import { Random, seedFor } from '../../support/random.ts';

const kernel = getKernel();
const x = kernel.x;
const open: BlockCache[] = [];

function makeCache(options: BlockCacheOptions): BlockCache {
  const cache = new BlockCache(options);
  open.push(cache);
  return cache;
}

afterEach(() => {
  for (const cache of open.splice(0)) cache.close();
});

const SIZE = 1000;
const CHARGE = SIZE + BLOCK_CHARGE_OVERHEAD;

/** Inserts a block whose bytes tell its offset; returns it pinned. */
function insert(cache: BlockCache, tableId: number, offset: number, size = SIZE): number {
  const block = x.blockAlloc(size) >>> 0;
  kernel.u8.fill(offset & 255, block, block + size);
  return cache.insert(tableId, offset, block, size);
}

/** Inserts and releases. */
function put(cache: BlockCache, tableId: number, offset: number, size = SIZE): void {
  cache.release(insert(cache, tableId, offset, size));
}

/** Looks up, checks the contents and releases. */
function has(cache: BlockCache, tableId: number, offset: number): boolean {
  const block = cache.lookup(tableId, offset);
  if (block === 0) return false;
  expect(kernel.u8[block]).toBe(offset & 255);
  cache.release(block);
  return true;
}

test('S92 the block used longest ago leaves first', () => {
  const cache = makeCache({ capacity: 3 * CHARGE, numShardBits: 0 });
  const id = cache.newTableId();
  for (const offset of [1, 2, 3]) put(cache, id, offset);
  expect(has(cache, id, 1)).toBe(true);
  put(cache, id, 4);
  expect([1, 2, 3, 4].map((offset) => has(cache, id, offset))).toEqual([true, false, true, true]);
  put(cache, id, 5);
  expect([1, 3, 4, 5].map((offset) => has(cache, id, offset))).toEqual([false, true, true, true]);
});

test('S92 usage is the sum of exact charges', () => {
  const cache = makeCache({ capacity: 10_000_000, numShardBits: 4 });
  const id = cache.newTableId();
  let expected = 0;
  for (let i = 0; i < 100; i++) {
    put(cache, id, i * 4096, 100 + i);
    expected += 100 + i + BLOCK_CHARGE_OVERHEAD;
  }
  expect(cache.usage).toBe(expected);
  expect(cache.stats().count).toBe(100);
  expect(cache.pinnedUsage).toBe(0);
  for (let i = 0; i < 100; i++) cache.erase(id, i * 4096);
  expect(cache.usage).toBe(0);
});

test('S92 pinned blocks stay, above the capacity too, and go when the last pin is released', () => {
  const cache = makeCache({ capacity: 2 * CHARGE, numShardBits: 0 });
  const id = cache.newTableId();
  const pinned = [1, 2, 3, 4].map((offset) => insert(cache, id, offset));
  expect(cache.usage).toBe(4 * CHARGE);
  expect(cache.pinnedUsage).toBe(4 * CHARGE);
  const second = cache.lookup(id, 1);
  expect(second).toBe(pinned[0]);
  cache.release(second);
  expect(cache.usage).toBe(4 * CHARGE);
  for (const block of pinned) cache.release(block);
  expect(cache.usage).toBe(2 * CHARGE);
  expect(cache.pinnedUsage).toBe(0);
  expect([1, 2, 3, 4].map((offset) => has(cache, id, offset))).toEqual([false, false, true, true]);
});

test('a strict limit refuses what does not fit, and the block stays with its owner', () => {
  const cache = makeCache({ capacity: 2 * CHARGE, numShardBits: 0, strictCapacityLimit: true });
  const id = cache.newTableId();
  const pinned = [insert(cache, id, 1), insert(cache, id, 2)];
  const block = x.blockAlloc(SIZE) >>> 0;
  expect(cache.insert(id, 3, block, SIZE)).toBe(0);
  expect(cache.usage).toBe(2 * CHARGE);
  expect(cache.stats().refusals).toBe(1);
  kernel.u8.fill(7, block, block + SIZE);
  cache.release(pinned[0]!);
  expect(cache.insert(id, 3, block, SIZE)).toBe(block);
  expect(has(cache, id, 1)).toBe(false);
  cache.release(block);
  cache.release(pinned[1]!);
});

test('of two blocks for one place the first stays', () => {
  const before = x.allocatedBytes();
  const cache = makeCache({ capacity: 100_000, numShardBits: 0 });
  const id = cache.newTableId();
  const first = insert(cache, id, 8);
  expect(insert(cache, id, 8)).toBe(first);
  expect(cache.usage).toBe(CHARGE);
  cache.release(first);
  expect(cache.pinnedUsage).toBe(CHARGE);
  cache.release(first);
  expect(cache.pinnedUsage).toBe(0);
  cache.close();
  expect(x.allocatedBytes()).toBe(before);
});

test('erasing a table leaves those of others, and pinned blocks to their readers', () => {
  const before = x.allocatedBytes();
  const cache = makeCache({ capacity: 10_000_000, numShardBits: 2 });
  const [gone, stays] = [cache.newTableId(), cache.newTableId()];
  for (let i = 0; i < 200; i++) {
    put(cache, gone, i * 4096, 50);
    put(cache, stays, i * 4096, 50);
  }
  const pinned = cache.lookup(gone, 4096 * 7);
  cache.eraseTable(gone);
  for (let i = 0; i < 200; i++) {
    expect(has(cache, gone, i * 4096)).toBe(false);
    expect(has(cache, stays, i * 4096)).toBe(true);
  }
  expect(kernel.u8[pinned]).toBe((4096 * 7) & 255);
  expect(cache.pinnedUsage).toBe(50 + BLOCK_CHARGE_OVERHEAD);
  cache.release(pinned);
  expect(cache.pinnedUsage).toBe(0);
  expect(cache.usage).toBe(200 * (50 + BLOCK_CHARGE_OVERHEAD));
  cache.close();
  expect(x.allocatedBytes()).toBe(before);
});

test('a smaller capacity evicts at once, a capacity of zero keeps nothing', () => {
  const cache = makeCache({ capacity: 100 * CHARGE, numShardBits: 0 });
  const id = cache.newTableId();
  for (let i = 0; i < 100; i++) put(cache, id, i);
  cache.capacity = 10 * CHARGE;
  expect(cache.capacity).toBe(10 * CHARGE);
  expect(cache.usage).toBe(10 * CHARGE);
  expect(has(cache, id, 89)).toBe(false);
  expect(has(cache, id, 90)).toBe(true);
  cache.capacity = 0;
  expect(cache.usage).toBe(0);
  put(cache, id, 1);
  expect(cache.stats().count).toBe(0);
});

test('counts hits, misses, inserts and evictions', () => {
  const cache = makeCache({ capacity: 2 * CHARGE, numShardBits: 0 });
  const id = cache.newTableId();
  for (const offset of [1, 2, 3]) put(cache, id, offset);
  for (const offset of [1, 2, 3]) has(cache, id, offset);
  expect(cache.stats()).toMatchObject({ hits: 2, misses: 1, inserts: 3, evictions: 1, count: 2 });
});

test('blocks live on after the cache is closed while they are pinned', () => {
  const before = x.allocatedBytes();
  const cache = makeCache({ capacity: 100_000 });
  const block = insert(cache, cache.newTableId(), 77);
  cache.close();
  expect(kernel.u8[block + 5]).toBe(77);
  cache.release(block);
  expect(x.allocatedBytes()).toBe(before);
  expect(() => cache.lookup(1, 1)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
});

test('S147 the shards are 2^numShardBits, by default as RocksDB derives them', () => {
  expect(makeCache({ capacity: 8 << 20 }).numShardBits).toBe(4);
  expect(makeCache({ capacity: 1 << 30 }).numShardBits).toBe(6);
  expect(makeCache({ capacity: 1000 }).numShardBits).toBe(0);
  expect(makeCache({ capacity: 1 << 20, numShardBits: -1 }).numShardBits).toBe(1);
  const cache = makeCache({ capacity: 64 * 100 * CHARGE, numShardBits: 6 });
  expect(cache.numShardBits).toBe(6);
  const id = cache.newTableId();
  // With 64 shards of room for 100 blocks each, 3200 spread evenly lose none.
  for (let i = 0; i < 3200; i++) put(cache, id, i * 4101);
  expect(cache.stats()).toMatchObject({ count: 3200, evictions: 0 });
});

test('S4LRU: a scan does not flush what was asked for twice', () => {
  const hot = Array.from({ length: 20 }, (_, i) => i);
  const survivors = (policy: 'lru' | 's4lru'): number => {
    const cache = makeCache({ capacity: 100 * CHARGE, numShardBits: 0, policy });
    const id = cache.newTableId();
    for (const offset of hot) put(cache, id, offset);
    for (const offset of hot) has(cache, id, offset);
    for (let i = 0; i < 1000; i++) put(cache, id, 10_000 + i);
    return hot.filter((offset) => has(cache, id, offset)).length;
  };
  expect(survivors('lru')).toBe(0);
  expect(survivors('s4lru')).toBe(20);
});

test.each([
  [{ capacity: -1 }, /capacity/],
  [{ capacity: 1.5 }, /capacity/],
  [{ capacity: Number.NaN }, /capacity/],
  [{ capacity: 2 ** 60 }, /capacity/],
  [{ capacity: 1, numShardBits: 21 }, /numShardBits/],
  [{ capacity: 1, numShardBits: -2 }, /numShardBits/],
  [{ capacity: 1, numShardBits: 0.5 }, /numShardBits/],
  [{ capacity: 1, policy: 'fifo' as 'lru' }, /policy/],
])('refuses %o', (options, message) => {
  expect(() => new BlockCache(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(() => new BlockCache(options)).toThrow(message);
});

/** LRU over pinned and unpinned blocks, as plain lists. */
class Model {
  readonly pins = new Map<string, number>();
  readonly order: string[] = [];
  readonly charge = new Map<string, number>();
  readonly capacity: number;
  constructor(capacity: number) {
    this.capacity = capacity;
  }
  get usage(): number {
    return [...this.charge.values()].reduce((a, b) => a + b, 0);
  }
  shrink(extra: number): void {
    while (this.usage + extra > this.capacity && this.order.length > 0) this.charge.delete(this.order.shift()!);
  }
  lookup(key: string): boolean {
    if (!this.charge.has(key)) return false;
    const at = this.order.indexOf(key);
    if (at >= 0) this.order.splice(at, 1);
    this.pins.set(key, (this.pins.get(key) ?? 0) + 1);
    return true;
  }
  insert(key: string, charge: number): void {
    if (this.lookup(key)) return;
    this.shrink(charge);
    this.charge.set(key, charge);
    this.pins.set(key, 1);
  }
  release(key: string): void {
    const pins = this.pins.get(key)! - 1;
    this.pins.set(key, pins);
    if (pins > 0) return;
    this.order.push(key);
    this.shrink(0);
  }
}

describe('random histories', () => {
  test.each([2, 5, 30])('S92 equal a plain LRU with pins, room for %i blocks', (room) => {
    const random = new Random(seedFor(room));
    const cache = makeCache({ capacity: room * CHARGE, numShardBits: 0 });
    const ids = [cache.newTableId(), cache.newTableId(), cache.newTableId()];
    const model = new Model(room * CHARGE);
    const held: { key: string; block: number }[] = [];
    for (let step = 0; step < 20_000; step++) {
      const id = random.pick(ids);
      const offset = random.below(40) * 4101;
      const key = `${id}/${offset}`;
      if (held.length > 0 && random.oneIn(2)) {
        const [one] = held.splice(random.below(held.length), 1);
        cache.release(one!.block);
        model.release(one!.key);
      } else if (random.oneIn(2)) {
        const block = cache.lookup(id, offset);
        expect(block !== 0).toBe(model.lookup(key));
        if (block !== 0) held.push({ key, block });
      } else {
        const size = random.between(1, 2 * SIZE);
        const present = model.charge.has(key);
        held.push({ key, block: insert(cache, id, offset, size) });
        model.insert(key, present ? 0 : size + BLOCK_CHARGE_OVERHEAD);
      }
      if (step % 50 === 0) {
        expect(cache.usage).toBe(model.usage);
        expect(cache.stats().count).toBe(model.charge.size);
      }
    }
    for (const { block } of held) cache.release(block);
  });

  test.each(['lru', 's4lru'] as const)('%s: give back all memory and keep within the capacity', (policy) => {
    const before = x.allocatedBytes();
    const random = new Random(seedFor(8));
    const cache = makeCache({ capacity: 300_000, numShardBits: 3, policy });
    const ids = Array.from({ length: 8 }, () => cache.newTableId());
    const held: number[] = [];
    for (let step = 0; step < 40_000; step++) {
      const id = random.pick(ids);
      const offset = random.below(200) * 4101;
      if (random.oneIn(500)) cache.eraseTable(id);
      else if (random.oneIn(50)) cache.erase(id, offset);
      else if (random.oneIn(2)) put(cache, id, offset, random.between(1, 3000));
      else if (random.oneIn(4)) held.push(cache.lookup(id, offset) || insert(cache, id, offset));
      else has(cache, id, offset);
      if (held.length > 20) cache.release(held.shift()!);
      if (step % 100 === 0) expect(cache.usage - cache.pinnedUsage).toBeLessThanOrEqual(cache.capacity + 7);
    }
    for (const block of held) cache.release(block);
    expect(cache.usage).toBeLessThanOrEqual(cache.capacity + 7);
    expect(cache.pinnedUsage).toBe(0);
    cache.close();
    expect(x.allocatedBytes()).toBe(before);
  });
});
