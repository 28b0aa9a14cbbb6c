/**
 * Which block leaves a cache shard next: segmented LRU. A shard has one to four lists, coldest first, each from least to
 * most recently used, of the blocks that nobody has pinned. A block enters the coldest; a hit lifts it by one; a list
 * that outgrows its share sinks its oldest blocks into the one below. With one list this is LRU, with four S4LRU, which
 * a scan of blocks used once cannot flush.
 *
 * A pinned block is in no list, so victims are found without a search.
 */
import { H_CHARGE, H_NEXT, H_PREVIOUS, H_SEGMENT, S_CAPACITY, S_SEGMENTS } from './cache-layout';

const LIST_SIZE: u32 = 16;
const L_OLDEST: usize = 0;
const L_NEWEST: usize = 4;
const L_CHARGE: usize = 8; // u64

// @ts-ignore: decorator
@inline
function listOf(shard: usize, segment: u32): usize {
  return shard + S_SEGMENTS + segment * LIST_SIZE;
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
  append(listOf(shard, segment), block);
  if (segment == 0) return;
  const share = load<u64>(shard, S_CAPACITY) / segments;
  for (; segment > 0; segment--) {
    const list = listOf(shard, segment);
    const below = listOf(shard, segment - 1);
    while (load<u64>(list, L_CHARGE) > share) {
      const oldest: usize = load<u32>(list, L_OLDEST);
      detach(list, oldest);
      store<u32>(oldest - H_SEGMENT, segment - 1);
      append(below, oldest);
    }
  }
}

/** Takes an evictable block out of its list. */
export function evictionRemove(shard: usize, block: usize): void {
  detach(listOf(shard, load<u32>(block - H_SEGMENT)), block);
}

/** The next block to evict, still in its list; 0: all are pinned. */
export function evictionVictim(shard: usize, segments: u32): usize {
  for (let segment: u32 = 0; segment < segments; segment++) {
    const oldest: usize = load<u32>(listOf(shard, segment), L_OLDEST);
    if (oldest != 0) return oldest;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function append(list: usize, block: usize): void {
  const newest: usize = load<u32>(list, L_NEWEST);
  store<u32>(block - H_PREVIOUS, <u32>newest);
  store<u32>(block - H_NEXT, 0);
  if (newest != 0) store<u32>(newest - H_NEXT, <u32>block);
  else store<u32>(list, <u32>block, L_OLDEST);
  store<u32>(list, <u32>block, L_NEWEST);
  store<u64>(list, load<u64>(list, L_CHARGE) + load<u32>(block - H_CHARGE), L_CHARGE);
}

// @ts-ignore: decorator
@inline
function detach(list: usize, block: usize): void {
  const previous: usize = load<u32>(block - H_PREVIOUS);
  const next: usize = load<u32>(block - H_NEXT);
  if (previous != 0) store<u32>(previous - H_NEXT, <u32>next);
  else store<u32>(list, <u32>next, L_OLDEST);
  if (next != 0) store<u32>(next - H_PREVIOUS, <u32>previous);
  else store<u32>(list, <u32>previous, L_NEWEST);
  store<u64>(list, load<u64>(list, L_CHARGE) - load<u32>(block - H_CHARGE), L_CHARGE);
}
