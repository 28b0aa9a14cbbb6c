/**
 * Which block leaves a cache shard next: segmented LRU. A shard has one to four lists, coldest first, each from least to
 * most recently used, of the blocks that nobody has pinned. A block enters the coldest; a hit lifts it by one; a list
 * that outgrows its share sinks its oldest blocks into the one below. With one list this is LRU, with four S4LRU, which
 * a scan of blocks used once cannot flush.
 *
 * A pinned block is in no list, so victims are found without a search. The lists link nodes (`cache-layout.ts`), not blocks.
 */
import {
  H_CHARGE,
  H_NODE,
  H_SEGMENT,
  N_BLOCK,
  N_CHARGE,
  N_NEXT,
  N_PREVIOUS,
  NODE_SIZE,
  S_CAPACITY,
  S_NODE_CAPACITY,
  S_NODE_FREE,
  S_NODES,
  S_SEGMENTS,
} from './cache-layout';
import { free, malloc } from './memory';

const NODES_MIN: u32 = 16;
const LIST_SIZE: u32 = 16;
const L_OLDEST: usize = 0;
const L_NEWEST: usize = 4;
const L_CHARGE: usize = 8; // u64

// @ts-ignore: decorator
@inline
function listOf(shard: usize, segment: u32): usize {
  return shard + S_SEGMENTS + segment * LIST_SIZE;
}

// @ts-ignore: decorator
@inline
function nodeAt(shard: usize, index: u32): usize {
  return <usize>load<u32>(shard, S_NODES) + <usize>index * NODE_SIZE;
}

/** Makes sure of a free node; false: out of memory. */
export function evictionReserve(shard: usize): bool {
  if (load<u32>(shard, S_NODE_FREE) != 0) return true;
  const capacity = load<u32>(shard, S_NODE_CAPACITY);
  const wanted = max(capacity << 1, NODES_MIN);
  const nodes = malloc(wanted * NODE_SIZE);
  if (nodes == 0) return false;
  const old: usize = load<u32>(shard, S_NODES);
  if (old != 0) memory.copy(nodes, old, capacity * NODE_SIZE);
  free(old);
  store<u32>(shard, <u32>nodes, S_NODES);
  store<u32>(shard, wanted, S_NODE_CAPACITY);
  // Node 0 is never handed out.
  for (let i = max(capacity, 1); i < wanted; i++) giveNode(shard, i);
  return true;
}

/** Gives a block of this shard its node. REQUIRES a reserved one. */
export function evictionEnter(shard: usize, block: usize): void {
  const index = load<u32>(shard, S_NODE_FREE);
  const node = nodeAt(shard, index);
  store<u32>(shard, load<u32>(node, N_NEXT), S_NODE_FREE);
  store<u32>(node, <u32>block, N_BLOCK);
  store<u32>(node, load<u32>(block - H_CHARGE), N_CHARGE);
  store<u32>(block - H_NODE, index);
}

/** Takes the block's node back. REQUIRES a block that is in no list. */
export function evictionLeave(shard: usize, block: usize): void {
  giveNode(shard, load<u32>(block - H_NODE));
}

/** Frees the nodes of a shard. */
export function evictionFree(shard: usize): void {
  free(load<u32>(shard, S_NODES));
}

// @ts-ignore: decorator
@inline
function giveNode(shard: usize, index: u32): void {
  store<u32>(nodeAt(shard, index), load<u32>(shard, S_NODE_FREE), N_NEXT);
  store<u32>(shard, index, S_NODE_FREE);
}

/** The block was asked for again: remembers that it deserves the next segment. It must be pinned, so in no list. */
// @ts-ignore: decorator
@inline
export function evictionPromote(block: usize, segments: u32): void {
  const segment = load<u32>(block - H_SEGMENT) + 1;
  if (segment < segments) store<u32>(block - H_SEGMENT, segment);
}

/** Makes a block that nobody pins any more evictable, as the most recently used of its segment. */
export function evictionAdd(shard: usize, block: usize, segments: u32): void {
  let segment = load<u32>(block - H_SEGMENT);
  append(shard, listOf(shard, segment), load<u32>(block - H_NODE));
  if (segment == 0) return;
  const share = load<u64>(shard, S_CAPACITY) / segments;
  for (; segment > 0; segment--) {
    const list = listOf(shard, segment);
    const below = listOf(shard, segment - 1);
    while (load<u64>(list, L_CHARGE) > share) {
      const oldest = load<u32>(list, L_OLDEST);
      detach(shard, list, oldest);
      store<u32>(<usize>load<u32>(nodeAt(shard, oldest), N_BLOCK) - H_SEGMENT, segment - 1);
      append(shard, below, oldest);
    }
  }
}

/** Takes an evictable block out of its list. */
export function evictionRemove(shard: usize, block: usize): void {
  detach(shard, listOf(shard, load<u32>(block - H_SEGMENT)), load<u32>(block - H_NODE));
}

/** Tells of a block's new charge. REQUIRES a block that is in no list. */
export function evictionRecharge(shard: usize, block: usize): void {
  store<u32>(nodeAt(shard, load<u32>(block - H_NODE)), load<u32>(block - H_CHARGE), N_CHARGE);
}

/** The next block to evict, still in its list; 0: all are pinned. */
export function evictionVictim(shard: usize, segments: u32): usize {
  for (let segment: u32 = 0; segment < segments; segment++) {
    const oldest = load<u32>(listOf(shard, segment), L_OLDEST);
    if (oldest != 0) return load<u32>(nodeAt(shard, oldest), N_BLOCK);
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function append(shard: usize, list: usize, index: u32): void {
  const node = nodeAt(shard, index);
  const newest = load<u32>(list, L_NEWEST);
  store<u32>(node, newest, N_PREVIOUS);
  store<u32>(node, 0, N_NEXT);
  if (newest != 0) store<u32>(nodeAt(shard, newest), index, N_NEXT);
  else store<u32>(list, index, L_OLDEST);
  store<u32>(list, index, L_NEWEST);
  store<u64>(list, load<u64>(list, L_CHARGE) + load<u32>(node, N_CHARGE), L_CHARGE);
}

// @ts-ignore: decorator
@inline
function detach(shard: usize, list: usize, index: u32): void {
  const node = nodeAt(shard, index);
  const previous = load<u32>(node, N_PREVIOUS);
  const next = load<u32>(node, N_NEXT);
  if (previous != 0) store<u32>(nodeAt(shard, previous), next, N_NEXT);
  else store<u32>(list, next, L_OLDEST);
  if (next != 0) store<u32>(nodeAt(shard, next), previous, N_PREVIOUS);
  else store<u32>(list, previous, L_NEWEST);
  store<u64>(list, load<u64>(list, L_CHARGE) - load<u32>(node, N_CHARGE), L_CHARGE);
}
