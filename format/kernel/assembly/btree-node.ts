/**
 * Nodes of the memtable's B+tree and the entries they point to. A slot is the address of an entry and, beside it, eight
 * bytes of the entry's user key as a number that sorts like the key, taken from behind the first `skip` bytes, which
 * all keys that can reach the node share. `memtable-btree.ts` says how `skip` is chosen.
 *
 * An entry is `keySize u32 | valueSize u32 | internal key | value`. The comparator is passed wherever keys are
 * compared.
 */
import { arenaAllocateNode } from './arena';
import { COMPARATOR_REVERSE, compareUser, sharedPrefix, TRAILER_SIZE } from './compare';

/** Slots of a node. Measured for gets of 500,000 entries: better than 64, no worse for inserts than 16. */
export const FANOUT: u32 = 32;

// Offsets in a node. Slot i of an inner node is child i, and its separator: the first entry below it (slot 0 has none).
export const N_COUNT: usize = 0;
export const N_SKIP: usize = 4;
export const N_LOW: usize = 8; // left fence: entry, 0 at the edge of the tree
export const N_HIGH: usize = 12; // right fence
export const N_PREVIOUS: usize = 16; // leaves only
export const N_NEXT: usize = 20;
export const N_PREFIXES: usize = 64;
export const N_ENTRIES: usize = N_PREFIXES + FANOUT * 8;
export const N_CHILDREN: usize = N_ENTRIES + FANOUT * 4; // inner nodes only
const LEAF_SIZE: u32 = <u32>N_CHILDREN;
const INNER_SIZE: u32 = <u32>N_CHILDREN + FANOUT * 4;

// Offsets in an entry.
export const E_KEY_SIZE: usize = 0;
export const E_VALUE_SIZE: usize = 4;
export const E_KEY: usize = 8;

// @ts-ignore: decorator
@inline
export function entryAt(node: usize, slot: u32): usize {
  return load<u32>(node + (slot << 2), N_ENTRIES);
}

// @ts-ignore: decorator
@inline
export function childAt(node: usize, slot: u32): usize {
  return load<u32>(node + (slot << 2), N_CHILDREN);
}

// @ts-ignore: decorator
@inline
export function entryUserSize(entry: usize): u32 {
  return load<u32>(entry, E_KEY_SIZE) - TRAILER_SIZE;
}

// @ts-ignore: decorator
@inline
export function entryTrailer(entry: usize): u64 {
  return load<u64>(entry + load<u32>(entry, E_KEY_SIZE));
}

/** Eight key bytes behind the first `skip`, zero-padded, as an i64 that orders like the comparator. */
// @ts-ignore: decorator
@inline
function prefixNumber(comparator: u32, key: usize, userSize: u32, skip: u32): i64 {
  if (comparator > COMPARATOR_REVERSE) return 0;
  const rest = userSize - skip;
  let word: u64 = 0;
  if (rest != 0) {
    word = bswap(load<u64>(key + skip));
    if (rest < 8) word &= ~(<u64>0) << ((8 - rest) << 3);
  }
  return <i64>(word ^ (comparator == COMPARATOR_REVERSE ? 0x7fff_ffff_ffff_ffff : 0x8000_0000_0000_0000));
}

/** Order of an entry against a key given in parts. */
// @ts-ignore: decorator
@inline
export function compareEntry(comparator: u32, entry: usize, key: usize, userSize: u32, trailer: u64): i32 {
  const order = compareUser(comparator, entry + E_KEY, entryUserSize(entry), key, userSize);
  if (order != 0) return order;
  const own = entryTrailer(entry);
  return own > trailer ? -1 : i32(own < trailer);
}

/**
 * How many slots of the node from `first` on, and those before, hold entries below the key (`orEqual`: or equal to it).
 * All prefixes are compared, two at a time: their four cache lines load side by side, where a binary search would wait
 * for one after the other. Slots behind the count hold the largest number.
 */
export function nodeRank(
  comparator: u32,
  node: usize,
  first: u32,
  key: usize,
  userSize: u32,
  trailer: u64,
  orEqual: bool,
): u32 {
  const count = load<u32>(node, N_COUNT);
  const number = prefixNumber(comparator, key, userSize, load<u32>(node, N_SKIP));
  const wanted = i64x2.splat(number);
  let below = i64x2.splat(0);
  let equal = i64x2.splat(0);
  for (let at = node + N_PREFIXES, end = at + (count << 3); at < end; at += 16) {
    const pair = v128.load(at);
    below = i64x2.add(below, i64x2.lt_s(pair, wanted));
    equal = i64x2.add(equal, i64x2.eq(pair, wanted));
  }
  const rank = <u32>-(i64x2.extract_lane(below, 0) + i64x2.extract_lane(below, 1));
  const same = <u32>-(i64x2.extract_lane(equal, 0) + i64x2.extract_lane(equal, 1));
  if (same == 0) return max(rank, first);
  let low = max(rank, first);
  let high = min(rank + same, count);
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareEntry(comparator, entryAt(node, middle), key, userSize, trailer);
    if (order < 0 || (orEqual && order == 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Common prefix of the user keys of two entries; 0 where the order is not bytewise. */
export function sharedByEntries(comparator: u32, a: usize, b: usize): u32 {
  if (comparator > COMPARATOR_REVERSE) return 0;
  return sharedPrefix(a + E_KEY, entryUserSize(a), b + E_KEY, entryUserSize(b));
}

/** Takes all numbers of a node anew behind `skip`. */
export function rebuildPrefixes(comparator: u32, node: usize, inner: bool, skip: u32): void {
  store<u32>(node, skip, N_SKIP);
  const count = load<u32>(node, N_COUNT);
  for (let slot: u32 = inner ? 1 : 0; slot < count; slot++) {
    const entry = entryAt(node, slot);
    const number = prefixNumber(comparator, entry + E_KEY, entryUserSize(entry), skip);
    store<i64>(node + (slot << 3), number, N_PREFIXES);
  }
}

/** An empty node from the arena, 0 when memory is exhausted. */
export function newNode(arena: usize, inner: bool): usize {
  const node = arenaAllocateNode(arena, inner ? INNER_SIZE : LEAF_SIZE);
  if (node == 0) return 0;
  memory.fill(node, 0, N_PREFIXES);
  for (let slot: u32 = 0; slot < FANOUT; slot++) store<i64>(node + (slot << 3), i64.MAX_VALUE, N_PREFIXES);
  return node;
}

/** Moves the slots from `from` on to the new node to the right, and makes `separator` the fence between the two. */
export function moveSlots(node: usize, right: usize, from: u32, separator: usize, inner: bool): void {
  const count = load<u32>(node, N_COUNT);
  const moved = count - from;
  memory.copy(right + N_PREFIXES, node + N_PREFIXES + (from << 3), moved << 3);
  memory.copy(right + N_ENTRIES, node + N_ENTRIES + (from << 2), moved << 2);
  if (inner) memory.copy(right + N_CHILDREN, node + N_CHILDREN + (from << 2), moved << 2);
  for (let slot = from; slot < count; slot++) store<i64>(node + (slot << 3), i64.MAX_VALUE, N_PREFIXES);
  store<u32>(node, from, N_COUNT);
  store<u32>(right, moved, N_COUNT);
  store<u32>(right, load<u32>(node, N_SKIP), N_SKIP);
  store<u32>(right, load<u32>(node, N_HIGH), N_HIGH);
  store<u32>(right, <u32>separator, N_LOW);
  store<u32>(node, <u32>separator, N_HIGH);
  if (inner) {
    store<i64>(right, i64.MIN_VALUE, N_PREFIXES);
    store<u32>(right, 0, N_ENTRIES);
  }
}

// @ts-ignore: decorator
@inline
function openSlot(node: usize, slot: u32, inner: bool): void {
  const count = load<u32>(node, N_COUNT);
  const moved = count - slot;
  if (moved != 0) {
    memory.copy(node + N_PREFIXES + ((slot + 1) << 3), node + N_PREFIXES + (slot << 3), moved << 3);
    memory.copy(node + N_ENTRIES + ((slot + 1) << 2), node + N_ENTRIES + (slot << 2), moved << 2);
    if (inner) memory.copy(node + N_CHILDREN + ((slot + 1) << 2), node + N_CHILDREN + (slot << 2), moved << 2);
  }
  store<u32>(node, count + 1, N_COUNT);
}

/** Puts `entry` (and `child` right of it) at `slot` of a node that has room. */
export function putSlot(comparator: u32, node: usize, slot: u32, entry: usize, child: usize, inner: bool): void {
  openSlot(node, slot, inner);
  const skip = load<u32>(node, N_SKIP);
  const number = prefixNumber(comparator, entry + E_KEY, entryUserSize(entry), skip);
  store<i64>(node + (slot << 3), number, N_PREFIXES);
  store<u32>(node + (slot << 2), <u32>entry, N_ENTRIES);
  if (inner) store<u32>(node + (slot << 2), <u32>child, N_CHILDREN);
}
