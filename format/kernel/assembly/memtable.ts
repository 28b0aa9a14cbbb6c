/**
 * A memtable: one tree of point entries, one of range tombstones (begin key, type 0x0F, value: end key), and the arena
 * of both. A memtable's address is also the address of its point tree, so that tree and memtable functions take either.
 */
import { ARENA_SIZE, arenaAllocated, arenaFree, arenaInit, arenaUsed } from './arena';
import {
  compareEntry,
  E_KEY,
  E_KEY_SIZE,
  E_VALUE_SIZE,
  entryAt,
  entryTrailer,
  entryUserSize,
  N_COUNT,
  N_NEXT,
  nodeRank,
} from './btree-node';
import { COMPARATOR_REVERSE, compareUser, equalBytes } from './compare';
import { free, malloc } from './memory';
import { memtableFilterAdd, memtableFilterBytes } from './memtable-filter';
import {
  descend,
  T_ARENA,
  T_COMPARATOR,
  T_COUNT,
  T_DELETES,
  T_FILTER,
  T_FIRST_SEQUENCE,
  T_LARGEST_SEQUENCE,
  T_MAX,
  T_MIN,
  T_ROOT,
  TREE_SIZE,
  treeInsert,
} from './memtable-btree';

const RANGE_TREE: usize = TREE_SIZE;
const ARENA: usize = TREE_SIZE * 2;
const MEMTABLE_SIZE: usize = ARENA + ARENA_SIZE;

const TYPE_RANGE_DELETION: u32 = 0x0f;
/** Not below any type in use: a target with it sorts before all entries of its sequence. */
const TYPE_FOR_SEEK: u64 = 0xff;
const SEQUENCE_MAX: f64 = 9007199254740991;

// Offsets in the result of a get; the same as of a get in a block or table.
const R_TYPE: usize = 0;
const R_VALUE: usize = 4;
const R_VALUE_SIZE: usize = 8;
const R_SEQUENCE: usize = 16;

/**
 * An empty memtable, 0 when memory is exhausted. Chunks of `chunkSize` bytes are allocated from the first insert on.
 */
export function memtableCreate(comparator: u32, chunkSize: u32): usize {
  const memtable = malloc(<u32>MEMTABLE_SIZE);
  if (memtable == 0) return 0;
  memory.fill(memtable, 0, MEMTABLE_SIZE);
  const arena = memtable + ARENA;
  arenaInit(arena, chunkSize);
  store<u32>(memtable, <u32>arena, T_ARENA);
  store<u32>(memtable, comparator, T_COMPARATOR);
  store<u32>(memtable + RANGE_TREE, <u32>arena, T_ARENA);
  store<u32>(memtable + RANGE_TREE, comparator, T_COMPARATOR);
  return memtable;
}

/** From now on the keys of point entries are added to `filter`, which stays the caller's. REQUIRES an empty memtable. */
export function memtableSetFilter(memtable: usize, filter: usize): void {
  store<u32>(memtable, <u32>filter, T_FILTER);
}

/** Frees the memtable and all its entries. */
export function memtableFree(memtable: usize): void {
  arenaFree(memtable + ARENA);
  free(memtable);
}

/** The tree of range tombstones. */
// @ts-ignore: decorator
@inline
export function memtableRangeTree(memtable: usize): usize {
  return memtable + RANGE_TREE;
}

/** Inserts one record where its type belongs; for a range deletion key and value are begin and end. An INSERT_ code. */
export function memtableAdd(
  memtable: usize,
  sequence: u64,
  type: u32,
  key: usize,
  keySize: u32,
  value: usize,
  valueSize: u32,
): i32 {
  const tree = type == TYPE_RANGE_DELETION ? memtable + RANGE_TREE : memtable;
  // The tree of range tombstones has none: a filter excludes only point entries.
  const filter = load<u32>(tree, T_FILTER);
  if (filter != 0) memtableFilterAdd(filter, key, keySize);
  return treeInsert(tree, sequence, type, key, keySize, value, valueSize);
}

/** `memtableAdd` for callers outside: the sequence is a double. */
export function memtableInsert(
  memtable: usize,
  sequence: f64,
  type: u32,
  key: usize,
  keySize: u32,
  value: usize,
  valueSize: u32,
): i32 {
  return memtableAdd(memtable, <u64>sequence, type, key, keySize, value, valueSize);
}

/** First entry of the tree >= the key in parts, or 0. */
function firstAtLeast(tree: usize, key: usize, userSize: u32, trailer: u64): usize {
  if (load<u32>(tree, T_ROOT) == 0) return 0;
  const comparator = load<u32>(tree, T_COMPARATOR);
  if (compareEntry(comparator, load<u32>(tree, T_MAX), key, userSize, trailer) < 0) return 0;
  if (compareEntry(comparator, load<u32>(tree, T_MIN), key, userSize, trailer) >= 0) return load<u32>(tree, T_MIN);
  const leaf = descend(tree, key, userSize, trailer, false);
  const slot = nodeRank(comparator, leaf, 0, key, userSize, trailer, false);
  return slot < load<u32>(leaf, N_COUNT) ? entryAt(leaf, slot) : entryAt(load<u32>(leaf, N_NEXT), 0);
}

/** Newest version of the user key with sequence <= `sequence`: 1 and the result filled, or 0. */
export function memtableGet(memtable: usize, key: usize, keySize: u32, sequence: f64, result: usize): i32 {
  const newest = sequence < SEQUENCE_MAX ? <u64>sequence : <u64>SEQUENCE_MAX;
  const entry = firstAtLeast(memtable, key, keySize, (newest << 8) | TYPE_FOR_SEEK);
  if (entry == 0) return 0;
  const userSize = entryUserSize(entry);
  const comparator = load<u32>(memtable, T_COMPARATOR);
  const same =
    comparator > COMPARATOR_REVERSE
      ? compareUser(comparator, entry + E_KEY, userSize, key, keySize) == 0
      : equalBytes(entry + E_KEY, userSize, key, keySize);
  if (!same) return 0;
  const trailer = entryTrailer(entry);
  store<u32>(result, <u32>(trailer & 0xff), R_TYPE);
  store<u32>(result, <u32>entry + <u32>E_KEY + load<u32>(entry, E_KEY_SIZE), R_VALUE);
  store<u32>(result, load<u32>(entry, E_VALUE_SIZE), R_VALUE_SIZE);
  store<f64>(result, <f64>(trailer >> 8), R_SEQUENCE);
  return 1;
}

/** Entries of a tree: give the memtable for its points, `memtableRangeTree` for its range tombstones. */
export function memtableCount(tree: usize): u32 {
  return load<u32>(tree, T_COUNT);
}

/** Point deletions (plain and single) of a tree. */
export function memtableDeletes(tree: usize): u32 {
  return load<u32>(tree, T_DELETES);
}

/** Lowest sequence of a tree; 0 if it is empty. */
export function memtableFirstSequence(tree: usize): f64 {
  return <f64>load<u64>(tree, T_FIRST_SEQUENCE);
}

/** Highest sequence of a tree; 0 if it is empty. */
export function memtableLargestSequence(tree: usize): f64 {
  return <f64>load<u64>(tree, T_LARGEST_SEQUENCE);
}

/** Bytes in use: entries, nodes, the filter, and what the ends of full chunks waste. */
export function memtableBytes(memtable: usize): f64 {
  return <f64>(<u32>MEMTABLE_SIZE + arenaUsed(memtable + ARENA) + memtableFilterBytes(load<u32>(memtable, T_FILTER)));
}

/** Bytes taken from the allocator. */
export function memtableAllocatedBytes(memtable: usize): f64 {
  const filter = memtableFilterBytes(load<u32>(memtable, T_FILTER));
  return <f64>(<u32>MEMTABLE_SIZE + arenaAllocated(memtable + ARENA) + filter);
}

/** The comparator id that the memtable was made with. */
export function memtableComparator(memtable: usize): u32 {
  return load<u32>(memtable, T_COMPARATOR);
}
