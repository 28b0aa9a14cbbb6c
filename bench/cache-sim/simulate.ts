/** Hits of one trace in the real block cache, and in the best cache that could be. Blocks are all of one size. */
import { BLOCK_CHARGE_OVERHEAD } from '../../format/kernel/abi/block-cache.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { BlockCache } from '../../src/index.ts';

/** Policies of the block cache. */
export const POLICIES = ['lru', 's4lru'] as const;

/** A policy of the block cache. */
export type Policy = (typeof POLICIES)[number];

/** Bytes of a simulated block: its contents do not matter, so it takes little memory. */
const BLOCK_BYTES = 16;

/**
 * Accesses that a block cache with room for `capacityBlocks` blocks serves: it is looked up in for each, and given what it
 * lacked. One shard, so that the order of eviction is the policy's alone.
 */
export function cacheHits(trace: Float64Array, policy: Policy, capacityBlocks: number): number {
  const { x } = getKernel();
  const capacity = capacityBlocks * (BLOCK_BYTES + BLOCK_CHARGE_OVERHEAD);
  using cache = new BlockCache({ capacity, policy, numShardBits: 0 });
  const tableId = cache.newTableId();
  const numbers = numbersOf(trace);
  let hits = 0;
  for (const number of numbers) {
    const offset = number * BLOCK_BYTES;
    let block = cache.lookup(tableId, offset);
    if (block !== 0) hits++;
    else block = cache.insert(tableId, offset, allocate(x.blockAlloc(BLOCK_BYTES)), BLOCK_BYTES);
    cache.release(block);
  }
  return hits;
}

function allocate(block: number): number {
  if (block === 0) throw new Error('kernel memory has no room for another block: simulate fewer blocks');
  return block >>> 0;
}

/** The trace with its blocks numbered from 0 in the order of their first access. */
function numbersOf(trace: Float64Array): Uint32Array {
  const numbers = new Map<number, number>();
  return Uint32Array.from(trace, (id) => {
    const known = numbers.get(id);
    if (known !== undefined) return known;
    numbers.set(id, numbers.size);
    return numbers.size - 1;
  });
}

/** Different blocks in a trace. */
export function blocksOf(trace: Float64Array): number {
  return new Set(trace).size;
}

/**
 * Accesses that Belady's cache serves, which knows the future and evicts what is needed last: no policy has
 * more, not even one that need not keep what it read. A block's next access is its place in an order from which the last is evicted: a heap, whose entries
 * are outdated once the block was accessed again.
 */
export function optimumHits(trace: Float64Array, capacityBlocks: number): number {
  const next = nextAccesses(trace);
  const cached = new Set<number>();
  const heap = new LatestFirst();
  let hits = 0;
  for (let at = 0; at < trace.length; at++) {
    const id = trace[at]!;
    if (next[at] === trace.length) {
      // Never needed again: it goes at once, which frees room earlier than eviction would.
      if (cached.delete(id)) hits++;
      continue;
    }
    if (cached.has(id)) hits++;
    cached.add(id);
    heap.push(next[at]!);
    if (cached.size <= capacityBlocks) continue;
    // Outdated entries lie before `at`, all others behind it, so the latest is never outdated.
    const latest = heap.pop();
    cached.delete(trace[latest]!);
  }
  return hits;
}

/** Of each access the next one of the same block; the trace's length where there is none. */
function nextAccesses(trace: Float64Array): Uint32Array {
  const next = new Uint32Array(trace.length);
  const seen = new Map<number, number>();
  for (let at = trace.length - 1; at >= 0; at--) {
    next[at] = seen.get(trace[at]!) ?? trace.length;
    seen.set(trace[at]!, at);
  }
  return next;
}

/** A binary heap of numbers, the largest on top. */
class LatestFirst {
  readonly #items: number[] = [];

  push(value: number): void {
    const items = this.#items;
    let at = items.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (items[parent]! >= value) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = value;
  }

  /** REQUIRES that it is not empty. */
  pop(): number {
    const items = this.#items;
    const top = items[0]!;
    const last = items.pop()!;
    if (items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]! > items[child]!) child++;
      if (items[child]! <= last) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
