/**
 * The default memtable: a B+tree over entries that lie in an arena and never move. A node holds up to 32 slots, each
 * the address of an entry and, beside it, eight bytes of its user key as a number that sorts like the key. All keys
 * that can reach a node share the prefix of its two fences (the separators to its left and right in the tree), so the
 * eight bytes are taken from behind a part of that prefix, `skip`: a prefix like "user:0000" costs nothing, and a
 * search reads an entry only where these numbers are equal.
 *
 * The outermost fences are the smallest and the largest entry of the tree. An entry beyond them narrows what the nodes
 * along that edge share, and their `skip` shrinks; such an entry is also known to go to the first or last leaf, which
 * makes ascending inserts cheap. A reverse order flips the bits of the numbers; with a host comparator they are all
 * equal, and every comparison asks the host.
 *
 * One thread writes; others may read only once the tree no longer changes.
 */
import { arenaAllocate } from './arena';
import {
  childAt,
  compareEntry,
  E_KEY,
  E_KEY_SIZE,
  E_VALUE_SIZE,
  entryAt,
  entryTrailer,
  entryUserSize,
  FANOUT,
  moveSlots,
  N_CHILDREN,
  N_COUNT,
  N_ENTRIES,
  N_HIGH,
  N_LOW,
  N_NEXT,
  N_PREFIXES,
  N_PREVIOUS,
  N_SKIP,
  newNode,
  nodeRank,
  putSlot,
  rebuildPrefixes,
  sharedByEntries,
} from './btree-node';
import { copyWide } from './bytes';
import { TRAILER_SIZE } from './compare';

// Offsets in a tree.
export const T_ARENA: usize = 0;
export const T_COMPARATOR: usize = 4;
export const T_ROOT: usize = 8;
export const T_FIRST_LEAF: usize = 12;
export const T_LAST_LEAF: usize = 16;
export const T_MIN: usize = 20; // smallest entry
export const T_MAX: usize = 24; // largest entry
export const T_COUNT: usize = 28;
export const T_DELETES: usize = 32;
export const T_HEIGHT: usize = 36; // inner levels above the leaves
export const T_FIRST_SEQUENCE: usize = 40; // u64, the lowest of all entries
export const T_LARGEST_SEQUENCE: usize = 48; // u64
export const T_FILTER: usize = 56; // of a memtable's point entries, 0 for none
const T_PATH: usize = 64; // { node u32, slot u32 } a level, root first: where the last descent for an insert went
const PATH_LEVELS_MAX: u32 = 16; // nodes split half and half: 16 levels hold more than 2^32 entries
export const TREE_SIZE: usize = T_PATH + PATH_LEVELS_MAX * 8;

export const INSERT_OK: i32 = 0;
export const INSERT_DUPLICATE: i32 = 1;
export const INSERT_OUT_OF_MEMORY: i32 = -1;

const TYPE_DELETION: u32 = 0x00;
const TYPE_SINGLE_DELETION: u32 = 0x07;

/**
 * The leaf whose range holds the key, remembering the path when `record`. REQUIRES smallest <= key <= largest entry.
 */
export function descend(tree: usize, key: usize, userSize: u32, trailer: u64, record: bool): usize {
  const comparator = load<u32>(tree, T_COMPARATOR);
  const height = load<u32>(tree, T_HEIGHT);
  let node: usize = load<u32>(tree, T_ROOT);
  for (let level: u32 = 0; level < height; level++) {
    const slot = nodeRank(comparator, node, 1, key, userSize, trailer, true) - 1;
    if (record) {
      store<u32>(tree + T_PATH + (level << 3), <u32>node);
      store<u32>(tree + T_PATH + (level << 3), slot, 4);
    }
    node = childAt(node, slot);
  }
  return node;
}

/** Records the path along the left (`last` false) or right edge and returns its leaf. */
function edgePath(tree: usize, last: bool): usize {
  const height = load<u32>(tree, T_HEIGHT);
  let node: usize = load<u32>(tree, T_ROOT);
  for (let level: u32 = 0; level < height; level++) {
    const slot = last ? load<u32>(node, N_COUNT) - 1 : 0;
    store<u32>(tree + T_PATH + (level << 3), <u32>node);
    store<u32>(tree + T_PATH + (level << 3), slot, 4);
    node = childAt(node, slot);
  }
  return node;
}

/**
 * After a split: skips more of what the narrower fences share, if that makes the numbers tell much more than before.
 */
function widenSkip(tree: usize, node: usize, inner: bool): void {
  const comparator = load<u32>(tree, T_COMPARATOR);
  const low = load<u32>(node, N_LOW);
  const high = load<u32>(node, N_HIGH);
  const shared = sharedByEntries(
    comparator,
    low == 0 ? load<u32>(tree, T_MIN) : low,
    high == 0 ? load<u32>(tree, T_MAX) : high,
  );
  // A rebuild reads every entry of the node; four wasted bytes of eight are worth it.
  if (shared >= load<u32>(node, N_SKIP) + 4) rebuildPrefixes(comparator, node, inner, shared);
}

/** The edge of the tree moves out to `entry`: the nodes of `edgePath` down to `leaf` now share only `shared` bytes. */
function narrowEdge(tree: usize, leaf: usize, shared: u32): void {
  // Ranges nest, so a leaf skips at least what its parents may: mostly this one test ends it.
  const comparator = load<u32>(tree, T_COMPARATOR);
  if (load<u32>(leaf, N_SKIP) > shared) rebuildPrefixes(comparator, leaf, false, shared);
  for (let level = load<u32>(tree, T_HEIGHT); level-- > 0; ) {
    const node = load<u32>(tree + T_PATH + (level << 3));
    if (load<u32>(node, N_SKIP) > shared) rebuildPrefixes(comparator, node, true, shared);
  }
}

/** A new root above `left` and `right`, with `separator` between them. */
function growRoot(tree: usize, root: usize, left: usize, right: usize, separator: usize): void {
  const comparator = load<u32>(tree, T_COMPARATOR);
  store<i64>(root, i64.MIN_VALUE, N_PREFIXES);
  store<u32>(root, 0, N_ENTRIES);
  store<u32>(root, <u32>left, N_CHILDREN);
  store<u32>(root, 1, N_COUNT);
  store<u32>(root, sharedByEntries(comparator, load<u32>(tree, T_MIN), load<u32>(tree, T_MAX)), N_SKIP);
  putSlot(comparator, root, 1, separator, right, true);
  store<u32>(tree, <u32>root, T_ROOT);
  store<u32>(tree, load<u32>(tree, T_HEIGHT) + 1, T_HEIGHT);
}

/** Hangs `right` into the tree behind `left`, which was split at `separator`, along the recorded path. */
function insertAbove(tree: usize, leftLeaf: usize, rightLeaf: usize, leafSeparator: usize, spare: usize): void {
  const comparator = load<u32>(tree, T_COMPARATOR);
  let left = leftLeaf;
  let right = rightLeaf;
  let separator = leafSeparator;
  let next = spare;
  for (let level = load<u32>(tree, T_HEIGHT); level-- > 0; ) {
    const parent: usize = load<u32>(tree + T_PATH + (level << 3));
    const slot = load<u32>(tree + T_PATH + (level << 3), 4) + 1;
    if (load<u32>(parent, N_COUNT) < FANOUT) {
      putSlot(comparator, parent, slot, separator, right, true);
      return;
    }
    // As in leaves, an append leaves a full node behind.
    const append = slot == FANOUT;
    const at = append ? FANOUT - 1 : FANOUT >> 1;
    const node = next;
    next = load<u32>(node, N_NEXT);
    store<u32>(node, 0, N_NEXT);
    const raised: usize = entryAt(parent, at);
    moveSlots(parent, node, at, raised, true);
    if (slot > at) putSlot(comparator, node, slot - at, separator, right, true);
    else putSlot(comparator, parent, slot, separator, right, true);
    widenSkip(tree, parent, true);
    widenSkip(tree, node, true);
    left = parent;
    right = node;
    separator = raised;
  }
  growRoot(tree, next, left, right, separator);
}

/**
 * All inner nodes that a split of the leaf under the recorded path will need, chained by N_NEXT; 0 if memory ran out.
 */
function reserveInner(tree: usize, needed: u32): usize {
  let chain: usize = 0;
  for (let i: u32 = 0; i < needed; i++) {
    const node = newNode(load<u32>(tree, T_ARENA), true);
    if (node == 0) return 0;
    store<u32>(node, <u32>chain, N_NEXT);
    chain = node;
  }
  return chain;
}

/** Nodes above the leaf that are full, plus one for the root if all are. */
function innerNeeded(tree: usize): u32 {
  let needed: u32 = 0;
  for (let level = load<u32>(tree, T_HEIGHT); level-- > 0; ) {
    if (load<u32>(load<u32>(tree + T_PATH + (level << 3)), N_COUNT) < FANOUT) return needed;
    needed++;
  }
  return needed + 1;
}

/** Inserts into a full leaf by splitting it. Nothing has changed when memory runs out. */
function splitInsert(tree: usize, leaf: usize, slot: u32, entry: usize): bool {
  const comparator = load<u32>(tree, T_COMPARATOR);
  const needed = innerNeeded(tree);
  const spare = reserveInner(tree, needed);
  if (needed != 0 && spare == 0) return false;
  const right = newNode(load<u32>(tree, T_ARENA), false);
  if (right == 0) return false;
  const nextLeaf: usize = load<u32>(leaf, N_NEXT);
  // Keys that arrive in ascending order leave full leaves behind.
  const append = slot == FANOUT && nextLeaf == 0;
  const at = append ? FANOUT : FANOUT >> 1;
  const separator = append ? entry : entryAt(leaf, at);
  moveSlots(leaf, right, at, separator, false);
  store<u32>(right, <u32>nextLeaf, N_NEXT);
  store<u32>(right, <u32>leaf, N_PREVIOUS);
  if (nextLeaf != 0) store<u32>(nextLeaf, <u32>right, N_PREVIOUS);
  else store<u32>(tree, <u32>right, T_LAST_LEAF);
  store<u32>(leaf, <u32>right, N_NEXT);
  if (append || slot > at) putSlot(comparator, right, slot - at, entry, 0, false);
  else putSlot(comparator, leaf, slot, entry, 0, false);
  widenSkip(tree, leaf, false);
  widenSkip(tree, right, false);
  insertAbove(tree, leaf, right, separator, spare);
  return true;
}

function firstEntry(tree: usize, entry: usize): bool {
  const comparator = load<u32>(tree, T_COMPARATOR);
  const leaf = newNode(load<u32>(tree, T_ARENA), false);
  if (leaf == 0) return false;
  store<u32>(tree, <u32>leaf, T_ROOT);
  store<u32>(tree, <u32>leaf, T_FIRST_LEAF);
  store<u32>(tree, <u32>leaf, T_LAST_LEAF);
  store<u32>(tree, <u32>entry, T_MIN);
  store<u32>(tree, <u32>entry, T_MAX);
  putSlot(comparator, leaf, 0, entry, 0, false);
  return true;
}

/** Inserts an entry that lies beyond the smallest or the largest one: into the first or last leaf. */
function insertAtEdge(tree: usize, entry: usize, last: bool): bool {
  const comparator = load<u32>(tree, T_COMPARATOR);
  const edge = last ? T_MAX : T_MIN;
  const leaf = edgePath(tree, last);
  const shared = sharedByEntries(comparator, load<u32>(tree + edge), entry);
  // The numbers of the edge must be right for the new range before anything is placed by them.
  narrowEdge(tree, leaf, shared);
  const count = load<u32>(leaf, N_COUNT);
  const slot = last ? count : 0;
  const before = load<u32>(tree + edge);
  store<u32>(tree + edge, <u32>entry);
  if (count < FANOUT) {
    putSlot(comparator, leaf, slot, entry, 0, false);
  } else if (!splitInsert(tree, leaf, slot, entry)) {
    store<u32>(tree + edge, before);
    return false;
  }
  return true;
}

function place(tree: usize, entry: usize, userSize: u32, trailer: u64): i32 {
  if (load<u32>(tree, T_ROOT) == 0) return firstEntry(tree, entry) ? INSERT_OK : INSERT_OUT_OF_MEMORY;
  const comparator = load<u32>(tree, T_COMPARATOR);
  const key = entry + E_KEY;
  const toMax = compareEntry(comparator, load<u32>(tree, T_MAX), key, userSize, trailer);
  if (toMax < 0) return insertAtEdge(tree, entry, true) ? INSERT_OK : INSERT_OUT_OF_MEMORY;
  const toMin = compareEntry(comparator, load<u32>(tree, T_MIN), key, userSize, trailer);
  if (toMin > 0) return insertAtEdge(tree, entry, false) ? INSERT_OK : INSERT_OUT_OF_MEMORY;
  if (toMax == 0 || toMin == 0) return INSERT_DUPLICATE;
  const leaf = descend(tree, key, userSize, trailer, true);
  const slot = nodeRank(comparator, leaf, 0, key, userSize, trailer, false);
  const count = load<u32>(leaf, N_COUNT);
  if (slot < count) {
    const found = entryAt(leaf, slot);
    if (entryTrailer(found) == trailer && compareEntry(comparator, found, key, userSize, trailer) == 0)
      return INSERT_DUPLICATE;
  }
  if (count < FANOUT) {
    putSlot(comparator, leaf, slot, entry, 0, false);
    return INSERT_OK;
  }
  return splitInsert(tree, leaf, slot, entry) ? INSERT_OK : INSERT_OUT_OF_MEMORY;
}

/** Copies key and value into the arena and hangs the entry into the tree. Returns an INSERT_ code. */
export function treeInsert(
  tree: usize,
  sequence: u64,
  type: u32,
  key: usize,
  keySize: u32,
  value: usize,
  valueSize: u32,
): i32 {
  const size = <u64>E_KEY + keySize + TRAILER_SIZE + valueSize;
  if (size > 0xffff_0000) return INSERT_OUT_OF_MEMORY;
  const entry = arenaAllocate(load<u32>(tree, T_ARENA), <u32>size);
  if (entry == 0) return INSERT_OUT_OF_MEMORY;
  const trailer = (sequence << 8) | type;
  store<u32>(entry, keySize + TRAILER_SIZE, E_KEY_SIZE);
  store<u32>(entry, valueSize, E_VALUE_SIZE);
  copyWide(entry + E_KEY, key, keySize);
  store<u64>(entry + E_KEY + keySize, trailer);
  copyWide(entry + E_KEY + keySize + TRAILER_SIZE, value, valueSize);
  const outcome = place(tree, entry, keySize, trailer);
  if (outcome != INSERT_OK) return outcome;
  const count = load<u32>(tree, T_COUNT);
  store<u32>(tree, count + 1, T_COUNT);
  const isDelete = type == TYPE_DELETION || type == TYPE_SINGLE_DELETION;
  store<u32>(tree, load<u32>(tree, T_DELETES) + u32(isDelete), T_DELETES);
  if (count == 0 || sequence < load<u64>(tree, T_FIRST_SEQUENCE)) store<u64>(tree, sequence, T_FIRST_SEQUENCE);
  if (sequence > load<u64>(tree, T_LARGEST_SEQUENCE)) store<u64>(tree, sequence, T_LARGEST_SEQUENCE);
  return INSERT_OK;
}
