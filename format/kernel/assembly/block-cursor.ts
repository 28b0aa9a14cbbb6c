/**
 * The cursor over a block (kind 1): one struct for data blocks, indexes of every form, and plain blocks. It holds no
 * more of the block than addresses, and a buffer in which keys that share bytes with their predecessor are put together.
 * A key stored whole is shown where it lies.
 *
 * A step back has to decode from a restart point on. The entries passed on that way are kept, a bounded number of them,
 * so that the following steps back find theirs decoded.
 *
 * Every length is checked against the end of the entries before it is followed. A malformed entry ends the walk with
 * `error` set; each step consumes at least one byte, so no walk is endless.
 */
import {
  BLOCK_TRAILER_SIZE,
  FLAG_DELTA_VALUES,
  FLAG_FIRST_KEYS,
  FLAG_GLOBAL_SEQUENCE,
  FLAG_HANDLES,
  FLAG_INTERNAL_KEYS,
  FLAG_USER_KEYS,
  footerNumRestarts,
  footerRestarts,
  headerNonShared,
  headerShared,
  headerValueSize,
  parseFooter,
  parseHeader,
  restartKey,
} from './block-format';
import { copyWide, readVarint32, readVarint64, varintNext } from './bytes';
import { compareBytes, compareUser, TRAILER_SIZE } from './compare';
import { C_ERROR, C_KEY, C_KEY_SIZE, C_KIND, C_VALID, C_VALUE, C_VALUE_SIZE, KIND_BLOCK } from './cursor-head';
import { free, malloc, SLACK } from './memory';

const C_BLOCK: usize = 32;
const C_RESTARTS: usize = 36; // address of the restart offsets, the end of the entries
const C_NUM_RESTARTS: usize = 40;
const C_FLAGS: usize = 44;
const C_COMPARATOR: usize = 48;
const C_CURRENT: usize = 52; // address of the current entry
const C_NEXT: usize = 56; // and of the one behind it
const C_BUFFER: usize = 60; // key buffer, 0 none
const C_BUFFER_CAPACITY: usize = 64; // slack excluded
const C_GLOBAL: usize = 72; // u64: the global sequence, shifted to its place in a trailer
const C_STORED_TRAILER: usize = 80; // u64: with a global sequence, the trailer as the file has it
export const C_HANDLE_OFFSET: usize = 88;
export const C_HANDLE_SIZE: usize = 96;
export const C_FIRST_KEY: usize = 104;
export const C_FIRST_KEY_SIZE: usize = 108;
const C_ROWS: usize = 112; // address of the rows kept for stepping back, 0 none
const C_NUM_ROWS: usize = 116;
const C_ROW_KEYS_USED: usize = 120;

// A row: an entry passed on the way to the one that a step back went to.
const ROW_SIZE: u32 = 24;
const ROW_CURRENT: usize = 0;
const ROW_NEXT: usize = 4;
const ROW_KEY: usize = 8;
const ROW_KEY_SIZE: usize = 12;
const ROW_VALUE: usize = 16;
const ROW_VALUE_SIZE: usize = 20;
const ROWS_MAX: u32 = 64;
const ROW_KEYS: usize = 1536; // their keys lie behind the rows
const ROW_KEYS_CAPACITY: u32 = 4096;

/** Bytes of a cursor. */
export const BLOCK_CURSOR_SIZE: u32 = 128;

const KEY_CAPACITY_MIN: u32 = 112;

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

/** Makes the cursor invalid because of malformed bytes. */
function fail(c: usize): bool {
  store<u32>(c, 0, C_VALID);
  store<u32>(c, 1, C_ERROR);
  return false;
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

/** Keeps the current entry as a row. When there is no more room the rows start anew: the last ones are wanted first. */
function keepRow(c: usize): void {
  // Rows have no room for handles, nor for the trailer that a global sequence hides.
  if ((load<u32>(c, C_FLAGS) & (FLAG_HANDLES | FLAG_DELTA_VALUES | FLAG_GLOBAL_SEQUENCE)) != 0) return;
  let rows: usize = load<u32>(c, C_ROWS);
  if (rows == 0) {
    rows = malloc(<u32>ROW_KEYS + ROW_KEYS_CAPACITY + <u32>SLACK);
    if (rows == 0) return;
    store<u32>(c, <u32>rows, C_ROWS);
  }
  const keySize = load<u32>(c, C_KEY_SIZE);
  let key: usize = load<u32>(c, C_KEY);
  const inBuffer = key == <usize>load<u32>(c, C_BUFFER);
  let used = load<u32>(c, C_ROW_KEYS_USED);
  let count = load<u32>(c, C_NUM_ROWS);
  if (count == ROWS_MAX || (inBuffer && keySize > ROW_KEYS_CAPACITY - used)) {
    used = 0;
    count = 0;
  }
  if (inBuffer) {
    if (keySize > ROW_KEYS_CAPACITY) {
      store<u32>(c, 0, C_NUM_ROWS);
      return;
    }
    copyWide(rows + ROW_KEYS + used, key, keySize);
    key = rows + ROW_KEYS + used;
    used += keySize;
  }
  const row = rows + count * ROW_SIZE;
  store<u32>(row, load<u32>(c, C_CURRENT), ROW_CURRENT);
  store<u32>(row, load<u32>(c, C_NEXT), ROW_NEXT);
  store<u32>(row, <u32>key, ROW_KEY);
  store<u32>(row, keySize, ROW_KEY_SIZE);
  store<u32>(row, load<u32>(c, C_VALUE), ROW_VALUE);
  store<u32>(row, load<u32>(c, C_VALUE_SIZE), ROW_VALUE_SIZE);
  store<u32>(c, count + 1, C_NUM_ROWS);
  store<u32>(c, used, C_ROW_KEYS_USED);
}

/** Moves to the entry of the last row if it is the one before `current`. */
function takeRow(c: usize, current: usize): bool {
  const count = load<u32>(c, C_NUM_ROWS);
  if (count == 0) return false;
  const row = <usize>load<u32>(c, C_ROWS) + (count - 1) * ROW_SIZE;
  if (<usize>load<u32>(row, ROW_NEXT) != current) return false;
  store<u32>(c, count - 1, C_NUM_ROWS);
  store<u32>(c, load<u32>(row, ROW_CURRENT), C_CURRENT);
  store<u32>(c, load<u32>(row, ROW_NEXT), C_NEXT);
  store<u32>(c, load<u32>(row, ROW_KEY), C_KEY);
  store<u32>(c, load<u32>(row, ROW_KEY_SIZE), C_KEY_SIZE);
  store<u32>(c, load<u32>(row, ROW_VALUE), C_VALUE);
  store<u32>(c, load<u32>(row, ROW_VALUE_SIZE), C_VALUE_SIZE);
  return true;
}

/**
 * The last restart point whose key is below the target (`bias` 0), or not above it (`bias` 1); 0 if there is none.
 * Negative, with `error` set, if one on the way is malformed.
 */
function searchRestarts(c: usize, target: usize, targetSize: u32, bias: i32): i32 {
  const block: usize = load<u32>(c, C_BLOCK);
  const restarts: usize = load<u32>(c, C_RESTARTS);
  const delta = (load<u32>(c, C_FLAGS) & FLAG_DELTA_VALUES) != 0;
  let low: u32 = 0;
  let high: u32 = load<u32>(c, C_NUM_RESTARTS);
  if (high == 0 || restarts == block) {
    store<u32>(c, 0, C_VALID);
    return -1;
  }
  high--;
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

/** Decodes the entry at `C_NEXT`; false at the end and, with `error` set, if it is malformed. */
function advance(c: usize): bool {
  const p: usize = load<u32>(c, C_NEXT);
  const end: usize = load<u32>(c, C_RESTARTS);
  if (p >= end) {
    store<u32>(c, 0, C_VALID);
    return false;
  }
  const flags = load<u32>(c, C_FLAGS);
  const delta = (flags & FLAG_DELTA_VALUES) != 0;
  const lengths = load<u32>(p);
  let shared = lengths & 0xff;
  let nonShared = (lengths >> 8) & 0xff;
  let valueSize = (lengths >> 16) & 0xff;
  let suffix = p + 3;
  if (delta || (lengths & 0x808080) != 0 || suffix + nonShared + valueSize > end) {
    suffix = parseHeader(p, end, delta);
    if (suffix == 0) return fail(c);
    shared = headerShared;
    nonShared = headerNonShared;
    valueSize = headerValueSize;
  }
  if (!takeKey(c, flags, shared, suffix, nonShared)) return fail(c);
  const value = suffix + nonShared;
  if ((flags & (FLAG_HANDLES | FLAG_DELTA_VALUES)) != 0) {
    const valueEnd = takeHandle(c, flags, value, delta ? end : value + valueSize, delta && shared != 0);
    if (valueEnd == 0) return fail(c);
    if (delta) valueSize = <u32>(valueEnd - value);
  }
  store<u32>(c, <u32>value, C_VALUE);
  store<u32>(c, valueSize, C_VALUE_SIZE);
  store<u32>(c, <u32>p, C_CURRENT);
  store<u32>(c, <u32>(value + valueSize), C_NEXT);
  store<u32>(c, 1, C_VALID);
  return true;
}

/** Makes the key of an entry out of the one before it and the suffix; false if they do not fit together. */
// @ts-ignore: decorator
@inline
function takeKey(c: usize, flags: u32, shared: u32, suffix: usize, nonShared: u32): bool {
  const previousSize = load<u32>(c, C_KEY_SIZE);
  if (shared > previousSize) return false;
  const size = shared + nonShared;
  if ((flags & FLAG_INTERNAL_KEYS) != 0 && size < TRAILER_SIZE) return false;
  const global = flags & FLAG_GLOBAL_SEQUENCE;
  if (shared == 0 && global == 0) {
    store<u32>(c, <u32>suffix, C_KEY);
  } else {
    const previous: usize = load<u32>(c, C_KEY);
    if (size > load<u32>(c, C_BUFFER_CAPACITY) && !growBuffer(c, size, shared, previous)) return false;
    const buffer: usize = load<u32>(c, C_BUFFER);
    // The key before shows the global sequence; the bytes that this one shares are those of the file.
    if (global != 0 && shared != 0) store<u64>(buffer + previousSize - TRAILER_SIZE, load<u64>(c, C_STORED_TRAILER));
    if (<usize>load<u32>(c, C_KEY) != buffer) copyWide(buffer, previous, shared);
    copyWide(buffer + shared, suffix, nonShared);
    store<u32>(c, <u32>buffer, C_KEY);
    if (global != 0) {
      const trailer = load<u64>(buffer + size - TRAILER_SIZE);
      store<u64>(c, trailer, C_STORED_TRAILER);
      store<u64>(buffer + size - TRAILER_SIZE, (trailer & 0xff) | load<u64>(c, C_GLOBAL));
    }
  }
  store<u32>(c, size, C_KEY_SIZE);
  return true;
}

/** Makes room for a key of `size` bytes, keeping the whole key before if it lies in the buffer. */
function growBuffer(c: usize, size: u32, shared: u32, previous: usize): bool {
  const capacity = max(KEY_CAPACITY_MIN, size + (size >> 1));
  if (capacity < size) return false;
  const grown = malloc(capacity + <u32>SLACK);
  if (grown == 0) return false;
  const old: usize = load<u32>(c, C_BUFFER);
  if (shared != 0 && previous == old) {
    memory.copy(grown, old, load<u32>(c, C_KEY_SIZE));
    store<u32>(c, <u32>grown, C_KEY);
  }
  free(old);
  store<u32>(c, <u32>grown, C_BUFFER);
  store<u32>(c, capacity, C_BUFFER_CAPACITY);
  return true;
}

/** Decodes a block handle, and a first key behind it; returns the address behind them, 0 if they pass `end`. */
function takeHandle(c: usize, flags: u32, value: usize, end: usize, relative: bool): usize {
  let p: usize;
  if (relative) {
    const zigzag = readVarint64(value, end);
    p = varintNext;
    const change = <i64>(zigzag >> 1) ^ -(<i64>(zigzag & 1));
    const previousSize = load<f64>(c, C_HANDLE_SIZE);
    const size = previousSize + <f64>change;
    if (p == 0 || size < 0) return 0;
    store<f64>(c, load<f64>(c, C_HANDLE_OFFSET) + previousSize + <f64>BLOCK_TRAILER_SIZE, C_HANDLE_OFFSET);
    store<f64>(c, size, C_HANDLE_SIZE);
  } else {
    store<f64>(c, <f64>readVarint64(value, end), C_HANDLE_OFFSET);
    p = varintNext;
    if (p == 0) return 0;
    store<f64>(c, <f64>readVarint64(p, end), C_HANDLE_SIZE);
    p = varintNext;
    if (p == 0) return 0;
  }
  if ((flags & FLAG_FIRST_KEYS) == 0) return p;
  const firstKeySize = readVarint32(p, end);
  p = <usize>(firstKeySize >> 32);
  if (firstKeySize == 0 || <u32>firstKeySize > <u32>(end - p)) return 0;
  store<u32>(c, <u32>p, C_FIRST_KEY);
  store<u32>(c, <u32>firstKeySize, C_FIRST_KEY_SIZE);
  return p + <u32>firstKeySize;
}
