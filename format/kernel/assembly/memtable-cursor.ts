/**
 * A cursor over a tree of a memtable. It stands on an entry, which never moves, and remembers the leaf and slot where
 * it found it; inserts between two steps may shift the slot or split the leaf, so a step first looks whether the entry
 * is still there, and searches for it otherwise.
 *
 * Entries lie in the order of their arrival, so walking them in order misses the cache at each. On entering a leaf
 * forward the cursor touches all its entries at once: the misses then overlap.
 */
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
  N_PREVIOUS,
  nodeRank,
} from './btree-node';
import { TRAILER_SIZE } from './compare';
import {
  C_ERROR,
  C_KEY,
  C_KEY_SIZE,
  C_KIND,
  C_VALID,
  C_VALUE,
  C_VALUE_SIZE,
  CURSOR_HEAD_SIZE,
  KIND_MEMTABLE,
} from './cursor-head';
import { free, malloc } from './memory';
import {
  descend,
  T_COMPARATOR,
  T_COUNT,
  T_FIRST_LEAF,
  T_LAST_LEAF,
  T_MAX,
  T_MIN,
  T_ROOT,
} from './memtable-btree';

const MC_TREE: usize = CURSOR_HEAD_SIZE;
const MC_LEAF: usize = CURSOR_HEAD_SIZE + 4;
const MC_SLOT: usize = CURSOR_HEAD_SIZE + 8;
const MC_TOUCHED: usize = CURSOR_HEAD_SIZE + 12; // keeps the touching loads alive
const MEMTABLE_CURSOR_SIZE: u32 = 48;

/** Trees below this many entries fit the cache: touching ahead would gain nothing. */
const TOUCH_COUNT_MIN: u32 = 2048;

/**
 * A cursor over a memtable's points or, given its range tree, over its range tombstones; 0 when memory is exhausted.
 */
export function memtableCursorCreate(tree: usize): usize {
  const cursor = malloc(MEMTABLE_CURSOR_SIZE);
  if (cursor == 0) return 0;
  memory.fill(cursor, 0, MEMTABLE_CURSOR_SIZE);
  store<u32>(cursor, KIND_MEMTABLE, C_KIND);
  store<u32>(cursor, <u32>tree, MC_TREE);
  return cursor;
}

/** Frees the cursor. */
export function memtableCursorFree(cursor: usize): void {
  free(cursor);
}

// @ts-ignore: decorator
@inline
function stand(cursor: usize, leaf: usize, slot: u32): void {
  const entry = entryAt(leaf, slot);
  const keySize = load<u32>(entry, E_KEY_SIZE);
  store<u32>(cursor, <u32>leaf, MC_LEAF);
  store<u32>(cursor, slot, MC_SLOT);
  store<u32>(cursor, 1, C_VALID);
  store<u32>(cursor, <u32>(entry + E_KEY), C_KEY);
  store<u32>(cursor, keySize, C_KEY_SIZE);
  store<u32>(cursor, <u32>(entry + E_KEY) + keySize, C_VALUE);
  store<u32>(cursor, load<u32>(entry, E_VALUE_SIZE), C_VALUE_SIZE);
}

function leave(cursor: usize): void {
  store<u32>(cursor, 0, C_VALID);
  store<u32>(cursor, 0, C_ERROR);
}

/** Loads the first lines of all entries of a leaf; no load waits for another. */
function touchEntries(cursor: usize, leaf: usize): void {
  const count = load<u32>(leaf, N_COUNT);
  let sum: u32 = 0;
  for (let slot: u32 = 0; slot < count; slot++) {
    const entry = entryAt(leaf, slot);
    sum += load<u32>(entry) + load<u32>(entry, 64) + load<u32>(entry, 128);
  }
  store<u32>(cursor, sum, MC_TOUCHED);
}

/** Finds the current entry again after inserts moved it to another slot or leaf. */
function find(cursor: usize, entry: usize): void {
  const tree: usize = load<u32>(cursor, MC_TREE);
  const userSize = entryUserSize(entry);
  const trailer = entryTrailer(entry);
  const leaf = descend(tree, entry + E_KEY, userSize, trailer, false);
  store<u32>(cursor, <u32>leaf, MC_LEAF);
  const slot = nodeRank(load<u32>(tree, T_COMPARATOR), leaf, 0, entry + E_KEY, userSize, trailer, false);
  store<u32>(cursor, slot, MC_SLOT);
}

// @ts-ignore: decorator
@inline
function assureSlot(cursor: usize): void {
  const entry: usize = load<u32>(cursor, C_KEY) - <u32>E_KEY;
  const leaf: usize = load<u32>(cursor, MC_LEAF);
  const slot = load<u32>(cursor, MC_SLOT);
  if (slot >= load<u32>(leaf, N_COUNT) || entryAt(leaf, slot) != entry) find(cursor, entry);
}

export function memtableCursorNext(cursor: usize): void {
  assureSlot(cursor);
  const leaf: usize = load<u32>(cursor, MC_LEAF);
  const slot = load<u32>(cursor, MC_SLOT) + 1;
  if (slot < load<u32>(leaf, N_COUNT)) {
    stand(cursor, leaf, slot);
    return;
  }
  const next: usize = load<u32>(leaf, N_NEXT);
  if (next == 0) {
    leave(cursor);
    return;
  }
  if (load<u32>(load<u32>(cursor, MC_TREE), T_COUNT) >= TOUCH_COUNT_MIN) touchEntries(cursor, next);
  stand(cursor, next, 0);
}

export function memtableCursorPrev(cursor: usize): void {
  assureSlot(cursor);
  const leaf: usize = load<u32>(cursor, MC_LEAF);
  const slot = load<u32>(cursor, MC_SLOT);
  if (slot > 0) {
    stand(cursor, leaf, slot - 1);
    return;
  }
  const previous: usize = load<u32>(leaf, N_PREVIOUS);
  if (previous == 0) {
    leave(cursor);
    return;
  }
  if (load<u32>(load<u32>(cursor, MC_TREE), T_COUNT) >= TOUCH_COUNT_MIN) touchEntries(cursor, previous);
  stand(cursor, previous, load<u32>(previous, N_COUNT) - 1);
}

export function memtableCursorSeekToFirst(cursor: usize): void {
  const leaf: usize = load<u32>(load<u32>(cursor, MC_TREE), T_FIRST_LEAF);
  if (leaf == 0) leave(cursor);
  else stand(cursor, leaf, 0);
}

export function memtableCursorSeekToLast(cursor: usize): void {
  const leaf: usize = load<u32>(load<u32>(cursor, MC_TREE), T_LAST_LEAF);
  if (leaf == 0) leave(cursor);
  else stand(cursor, leaf, load<u32>(leaf, N_COUNT) - 1);
}

/** First entry >= the internal key. */
export function memtableCursorSeek(cursor: usize, key: usize, keySize: u32): void {
  const tree: usize = load<u32>(cursor, MC_TREE);
  if (load<u32>(tree, T_ROOT) == 0) return leave(cursor);
  const comparator = load<u32>(tree, T_COMPARATOR);
  const userSize = keySize - TRAILER_SIZE;
  const trailer = load<u64>(key + userSize);
  if (compareEntry(comparator, load<u32>(tree, T_MAX), key, userSize, trailer) < 0) return leave(cursor);
  if (compareEntry(comparator, load<u32>(tree, T_MIN), key, userSize, trailer) >= 0) {
    return memtableCursorSeekToFirst(cursor);
  }
  const leaf = descend(tree, key, userSize, trailer, false);
  const slot = nodeRank(comparator, leaf, 0, key, userSize, trailer, false);
  if (slot < load<u32>(leaf, N_COUNT)) stand(cursor, leaf, slot);
  else stand(cursor, load<u32>(leaf, N_NEXT), 0);
}

/** Last entry <= the internal key. */
export function memtableCursorSeekForPrev(cursor: usize, key: usize, keySize: u32): void {
  const tree: usize = load<u32>(cursor, MC_TREE);
  if (load<u32>(tree, T_ROOT) == 0) return leave(cursor);
  const comparator = load<u32>(tree, T_COMPARATOR);
  const userSize = keySize - TRAILER_SIZE;
  const trailer = load<u64>(key + userSize);
  if (compareEntry(comparator, load<u32>(tree, T_MIN), key, userSize, trailer) > 0) return leave(cursor);
  if (compareEntry(comparator, load<u32>(tree, T_MAX), key, userSize, trailer) <= 0) {
    return memtableCursorSeekToLast(cursor);
  }
  const leaf = descend(tree, key, userSize, trailer, false);
  // The leaf's first entry is its separator, which is not above the key; only the first leaf has none, but the smallest
  // entry is not above the key either.
  const slot = nodeRank(comparator, leaf, 0, key, userSize, trailer, true);
  stand(cursor, leaf, slot - 1);
}
