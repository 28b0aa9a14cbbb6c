/**
 * Decodes entries of a block into its cursor, one behind the other. A key stored whole is shown where it lies; one that
 * shares bytes with its predecessor is put together in the cursor's buffer. Every length is checked against the end of
 * the entries before it is followed, and each step consumes at least one byte.
 */
import {
  C_BUFFER,
  C_BUFFER_CAPACITY,
  C_CURRENT,
  C_FIRST_KEY,
  C_FIRST_KEY_SIZE,
  C_FLAGS,
  C_GLOBAL,
  C_HANDLE_OFFSET,
  C_HANDLE_SIZE,
  C_NEXT,
  C_RESTARTS,
  C_STORED_TRAILER,
} from './block-cursor-layout';
import {
  BLOCK_TRAILER_SIZE,
  FLAG_DELTA_VALUES,
  FLAG_FIRST_KEYS,
  FLAG_GLOBAL_SEQUENCE,
  FLAG_HANDLES,
  FLAG_INTERNAL_KEYS,
  headerNonShared,
  headerShared,
  headerValueSize,
  parseHeader,
} from './block-format';
import { copyWide, readVarint32, readVarint64, varintNext } from './bytes';
import { TRAILER_SIZE } from './compare';
import { C_ERROR, C_KEY, C_KEY_SIZE, C_VALID, C_VALUE, C_VALUE_SIZE } from './cursor-head';
import { free, malloc, SLACK } from './memory';

const KEY_CAPACITY_MIN: u32 = 112;

/** Makes the cursor invalid because of malformed bytes. */
export function fail(c: usize): bool {
  store<u32>(c, 0, C_VALID);
  store<u32>(c, 1, C_ERROR);
  return false;
}

/** Decodes the entry at `C_NEXT`; false at the end and, with `error` set, if it is malformed. */
export function advance(c: usize): bool {
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
