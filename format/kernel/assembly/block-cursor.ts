/**
 * The cursor over a block (kind 1): one struct for data blocks, indexes of every form, and plain blocks. It holds no
 * more of the block than addresses. Seeks search the restart points and decode from there on; so do steps back. A
 * malformed entry ends the walk with `error` set.
 */
import {
  BLOCK_CURSOR_SIZE,
  C_BLOCK,
  C_BUFFER,
  C_BUFFER_CAPACITY,
  C_COMPARATOR,
  C_CURRENT,
  C_FLAGS,
  C_GLOBAL,
  C_NEXT,
  C_NUM_RESTARTS,
  C_NUM_ROWS,
  C_RESTARTS,
  C_ROW_KEYS_USED,
  C_ROWS,
} from './block-cursor-layout';
import { keepRow, takeRow } from './block-cursor-rows';
import { advance, fail } from './block-entry';
import {
  FLAG_DELTA_VALUES,
  FLAG_GLOBAL_SEQUENCE,
  FLAG_INTERNAL_KEYS,
  FLAG_USER_KEYS,
  footerNumRestarts,
  footerRestarts,
  headerNonShared,
  parseFooter,
  restartKey,
} from './block-format';
import { compareBytes, compareUser, TRAILER_SIZE } from './compare';
import { C_ERROR, C_KEY, C_KEY_SIZE, C_KIND, C_VALID, KIND_BLOCK } from './cursor-head';
import { free, malloc } from './memory';

/** A cursor that stands nowhere, or 0. */
export function blockCursorCreate(): usize {
  const c = malloc(BLOCK_CURSOR_SIZE);
  if (c == 0) return 0;
  memory.fill(c, 0, BLOCK_CURSOR_SIZE);
  store<u32>(c, KIND_BLOCK, C_KIND);
  return c;
}

/** Frees what the cursor owns, but not itself. */
export function blockCursorFree(c: usize): void {
  free(load<u32>(c, C_BUFFER));
  free(load<u32>(c, C_ROWS));
  store<u32>(c, 0, C_ROWS);
  store<u32>(c, 0, C_NUM_ROWS);
  store<u32>(c, 0, C_BUFFER);
  store<u32>(c, 0, C_BUFFER_CAPACITY);
  store<u32>(c, 0, C_VALID);
}

/** Frees the cursor and what it owns. */
export function blockCursorDestroy(c: usize): void {
  if (c == 0) return;
  blockCursorFree(c);
  free(c);
}

/** Points the cursor at a block; 1, or 0 if its footer is malformed. */
export function blockCursorInit(
  c: usize,
  block: usize,
  size: u32,
  meaning: u32,
  comparator: u32,
  globalSequence: f64,
): i32 {
  // Only internal keys have a trailer to replace.
  const flags = (meaning & FLAG_INTERNAL_KEYS) != 0 ? meaning : meaning & ~FLAG_GLOBAL_SEQUENCE;
  store<u32>(c, KIND_BLOCK, C_KIND);
  store<u32>(c, 0, C_VALID);
  store<u32>(c, 0, C_ERROR);
  store<u32>(c, <u32>block, C_BLOCK);
  store<u32>(c, flags, C_FLAGS);
  store<u32>(c, comparator, C_COMPARATOR);
  store<u64>(c, (flags & FLAG_GLOBAL_SEQUENCE) != 0 ? <u64>globalSequence << 8 : 0, C_GLOBAL);
  store<u32>(c, 0, C_KEY_SIZE);
  store<u32>(c, 0, C_NUM_ROWS);
  const wellFormed = parseFooter(block, size, flags);
  // A block that cannot be read is one without entries, whatever is asked of the cursor next.
  store<u32>(c, wellFormed ? <u32>footerRestarts : <u32>block, C_RESTARTS);
  store<u32>(c, wellFormed ? footerNumRestarts : 0, C_NUM_RESTARTS);
  store<u32>(c, load<u32>(c, C_RESTARTS), C_NEXT);
  if (!wellFormed) store<u32>(c, 1, C_ERROR);
  return wellFormed ? 1 : 0;
}

/** Restart points of the block. */
export function blockCursorNumRestarts(c: usize): u32 {
  return load<u32>(c, C_NUM_RESTARTS);
}

/** Moves to the first entry. */
export function blockCursorSeekToFirst(c: usize): void {
  if (toRestart(c, 0)) advance(c);
}

/** Moves to the last entry. */
export function blockCursorSeekToLast(c: usize): void {
  if (!toRestart(c, load<u32>(c, C_NUM_RESTARTS) - 1)) return;
  const end: usize = load<u32>(c, C_RESTARTS);
  while (advance(c) && <usize>load<u32>(c, C_NEXT) < end) {}
}

/** Moves to the next entry. */
export function blockCursorNext(c: usize): void {
  advance(c);
}

/** Moves to the entry before. */
export function blockCursorPrev(c: usize): void {
  const current: usize = load<u32>(c, C_CURRENT);
  if (takeRow(c, current)) return;
  const block: usize = load<u32>(c, C_BLOCK);
  if (current == block) {
    store<u32>(c, 0, C_VALID);
    return;
  }
  const restarts: usize = load<u32>(c, C_RESTARTS);
  const offset = <u32>(current - block);
  let low: u32 = 0;
  let high: u32 = load<u32>(c, C_NUM_RESTARTS) - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (load<u32>(restarts + (<usize>middle << 2)) < offset) low = middle;
    else high = middle - 1;
  }
  if (toRestart(c, low)) scanTo(c, current);
}

/** Moves to the first entry >= target. */
export function blockCursorSeek(c: usize, target: usize, targetSize: u32): void {
  const restart = searchRestarts(c, target, targetSize, 0);
  if (restart < 0 || !toRestart(c, restart)) return;
  while (advance(c) && compareKey(c, load<u32>(c, C_KEY), load<u32>(c, C_KEY_SIZE), target, targetSize) < 0) {}
}

/** The same, when the last restart point below the target is known to lie in [low, high], if there is one. */
export function blockCursorSeekWithin(c: usize, target: usize, targetSize: u32, low: u32, high: u32): void {
  const restart = searchRestartsIn(c, target, targetSize, 0, low, high);
  if (restart < 0 || !toRestart(c, restart)) return;
  while (advance(c) && compareKey(c, load<u32>(c, C_KEY), load<u32>(c, C_KEY_SIZE), target, targetSize) < 0) {}
}

/** Moves to the last entry <= target. */
export function blockCursorSeekForPrev(c: usize, target: usize, targetSize: u32): void {
  const restart = searchRestarts(c, target, targetSize, 1);
  if (restart < 0 || !toRestart(c, restart)) return;
  let last: usize = 0;
  while (advance(c) && compareKey(c, load<u32>(c, C_KEY), load<u32>(c, C_KEY_SIZE), target, targetSize) <= 0) {
    last = load<u32>(c, C_CURRENT);
  }
  if (load<u32>(c, C_ERROR) != 0) return;
  store<u32>(c, 0, C_VALID);
  if (last == 0 || !toRestart(c, restart)) return;
  while (advance(c) && <usize>load<u32>(c, C_CURRENT) != last) {}
}

/** Stands before restart point `index`; false if there is no entry, or none where it points to. */
function toRestart(c: usize, index: u32): bool {
  store<u32>(c, 0, C_VALID);
  const block: usize = load<u32>(c, C_BLOCK);
  const restarts: usize = load<u32>(c, C_RESTARTS);
  if (restarts == block) return false;
  const offset = load<u32>(restarts + (<usize>index << 2));
  if (offset >= <u32>(restarts - block)) return fail(c);
  store<u32>(c, <u32>block + offset, C_NEXT);
  // With no key before it, an entry that claims to share bytes is malformed.
  store<u32>(c, 0, C_KEY_SIZE);
  return true;
}

/** Advances to the entry just before the one at `stop`, which must be an entry's address, keeping those it passes. */
function scanTo(c: usize, stop: usize): void {
  store<u32>(c, 0, C_NUM_ROWS);
  store<u32>(c, 0, C_ROW_KEYS_USED);
  while (advance(c)) {
    const next: usize = load<u32>(c, C_NEXT);
    if (next == stop) return;
    if (next > stop) {
      fail(c);
      return;
    }
    keepRow(c);
  }
}

/**
 * The last restart point whose key is below the target (`bias` 0), or not above it (`bias` 1); 0 if there is none.
 * Negative, with `error` set, if one on the way is malformed.
 */
function searchRestarts(c: usize, target: usize, targetSize: u32, bias: i32): i32 {
  const count = load<u32>(c, C_NUM_RESTARTS);
  if (count == 0 || load<u32>(c, C_RESTARTS) == load<u32>(c, C_BLOCK)) {
    store<u32>(c, 0, C_VALID);
    return -1;
  }
  return searchRestartsIn(c, target, targetSize, bias, 0, count - 1);
}

/** The same among the restart points [first, last]. */
function searchRestartsIn(c: usize, target: usize, targetSize: u32, bias: i32, first: u32, last: u32): i32 {
  const block: usize = load<u32>(c, C_BLOCK);
  const restarts: usize = load<u32>(c, C_RESTARTS);
  const delta = (load<u32>(c, C_FLAGS) & FLAG_DELTA_VALUES) != 0;
  let low = first;
  let high = last;
  const minimum: u32 = (load<u32>(c, C_FLAGS) & FLAG_INTERNAL_KEYS) != 0 ? TRAILER_SIZE : 0;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const key = restartKey(block, restarts, middle, delta);
    if (key == 0 || headerNonShared < minimum) {
      fail(c);
      return -1;
    }
    if (compareStoredKey(c, key, headerNonShared, target, targetSize) < bias) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Compares a key as the cursor shows it. */
// @ts-ignore: decorator
@inline
function compareKey(c: usize, key: usize, size: u32, target: usize, targetSize: u32): i32 {
  return compareWith(c, key, size, target, targetSize, 0);
}

/** Compares a key as the block holds it. */
// @ts-ignore: decorator
@inline
function compareStoredKey(c: usize, key: usize, size: u32, target: usize, targetSize: u32): i32 {
  return compareWith(c, key, size, target, targetSize, FLAG_GLOBAL_SEQUENCE);
}

function compareWith(c: usize, key: usize, size: u32, target: usize, targetSize: u32, replace: u32): i32 {
  const flags = load<u32>(c, C_FLAGS);
  if ((flags & (FLAG_INTERNAL_KEYS | FLAG_USER_KEYS)) == 0) return compareBytes(key, size, target, targetSize);
  const comparator = load<u32>(c, C_COMPARATOR);
  const targetUser = targetSize - TRAILER_SIZE;
  if ((flags & FLAG_USER_KEYS) != 0) return compareUser(comparator, key, size, target, targetUser);
  const user = size - TRAILER_SIZE;
  const order = compareUser(comparator, key, user, target, targetUser);
  if (order != 0) return order;
  let trailer = load<u64>(key + user);
  if ((flags & replace) != 0) trailer = (trailer & 0xff) | load<u64>(c, C_GLOBAL);
  const targetTrailer = load<u64>(target + targetUser);
  return trailer > targetTrailer ? -1 : i32(trailer < targetTrailer);
}
