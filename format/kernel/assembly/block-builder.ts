/**
 * Builds a block of sorted entries in a buffer that grows and is used again for the next block. Sizes and their
 * estimates are RocksDB's to the byte, since they decide where blocks are cut.
 *
 * For a hash index the hash of each user key and its restart index are kept until the block is finished.
 */
import {
  BLOCK_TRAILER_SIZE,
  HASH_INDEX_BLOCK_SIZE_MAX,
  HASH_INDEX_COLLISION,
  HASH_INDEX_NO_ENTRY,
  HASH_INDEX_RESTART_MAX,
  HASH_INDEX_SEED,
} from './block-format';
import { copyWide, putVarint32, putVarint64, varintSize } from './bytes';
import { sharedPrefix, TRAILER_SIZE } from './compare';
import { hash32 } from './filter-hash';
import { free, malloc, SLACK } from './memory';

/** Bits of a builder's flags. */
export const BUILDER_DELTA_VALUES: u32 = 1;
export const BUILDER_HASH_INDEX: u32 = 2;

export const B_BUFFER: usize = 0;
const B_CAPACITY: usize = 4; // slack excluded
export const B_SIZE: usize = 8;
const B_RESTARTS: usize = 12; // array of u32
const B_RESTARTS_CAPACITY: usize = 16;
const B_NUM_RESTARTS: usize = 20;
const B_INTERVAL: usize = 24;
const B_COUNTER: usize = 28; // entries since the last restart point
export const B_LAST_KEY: usize = 32;
export const B_LAST_KEY_SIZE: usize = 36;
const B_LAST_KEY_CAPACITY: usize = 40; // slack excluded
const B_FLAGS: usize = 44;
export const B_NUM_ENTRIES: usize = 48;
const B_HASHED: usize = 52; // array of {hash u32, restart u32}
const B_HASHED_CAPACITY: usize = 56;
const B_HASH_VALID: usize = 60; // whether this block can still have a hash index
const B_HANDLE_SIZE: usize = 72; // f64: size in the handle before
const B_BUCKETS: usize = 80; // f64: estimated buckets
const B_BUCKETS_PER_KEY: usize = 88; // f64
const BUILDER_SIZE: u32 = 96;

/** Three varint32 before a key. */
const HEADER_SIZE_MAX: u32 = 15;
const HANDLE_SIZE_MAX: u32 = 20;
const UTIL_RATIO_DEFAULT: f64 = 0.75;
const BUFFER_SIZE_MIN: u32 = 256;
/** Blocks beyond this are refused as lack of memory; handles and restart offsets have 32 bits. */
const BLOCK_SIZE_MAX: u64 = 0xf000_0000;

/** A builder of blocks, or 0. */
export function blockBuilderCreate(restartInterval: u32, flags: u32, utilRatio: f64, sizeHint: u32): usize {
  const b = malloc(BUILDER_SIZE);
  if (b == 0) return 0;
  memory.fill(b, 0, BUILDER_SIZE);
  store<u32>(b, max(1, restartInterval), B_INTERVAL);
  store<u32>(b, flags, B_FLAGS);
  store<f64>(b, 1 / (utilRatio > 0 ? utilRatio : UTIL_RATIO_DEFAULT), B_BUCKETS_PER_KEY);
  if (!reserveBytes(b, max(sizeHint, BUFFER_SIZE_MIN)) || !reserveRestart(b)) {
    blockBuilderDestroy(b);
    return 0;
  }
  blockBuilderReset(b);
  return b;
}

/** Frees the builder and its buffers. */
export function blockBuilderDestroy(b: usize): void {
  if (b == 0) return;
  free(load<u32>(b, B_BUFFER));
  free(load<u32>(b, B_RESTARTS));
  free(load<u32>(b, B_LAST_KEY));
  free(load<u32>(b, B_HASHED));
  free(b);
}

/** Empties the builder; the last key stays readable until the next add. */
export function blockBuilderReset(b: usize): void {
  store<u32>(b, 0, B_SIZE);
  store<u32>(load<u32>(b, B_RESTARTS), 0);
  store<u32>(b, 1, B_NUM_RESTARTS);
  store<u32>(b, 0, B_COUNTER);
  store<u32>(b, 0, B_NUM_ENTRIES);
  store<u32>(b, load<u32>(b, B_FLAGS) & BUILDER_HASH_INDEX, B_HASH_VALID);
  store<f64>(b, 0, B_BUCKETS);
  store<f64>(b, 0, B_HANDLE_SIZE);
}

/** Adds an entry behind all others; 0: out of memory. */
export function blockBuilderAdd(b: usize, key: usize, keySize: u32, value: usize, valueSize: u32): i32 {
  if (!reserveEntry(b, key, keySize, valueSize)) return 0;
  const shared = beginEntry(b, key, keySize);
  let p: usize = load<u32>(b, B_BUFFER) + load<u32>(b, B_SIZE);
  const nonShared = keySize - shared;
  if ((shared | nonShared | valueSize) < 0x80) {
    store<u32>(p, shared | (nonShared << 8) | (valueSize << 16));
    p += 3;
  } else {
    p = putVarint32(p, shared);
    p = putVarint32(p, nonShared);
    p = putVarint32(p, valueSize);
  }
  copyWide(p, key + shared, nonShared);
  p += nonShared;
  copyWide(p, value, valueSize);
  endEntry(b, key, keySize, shared, p + valueSize);
  return 1;
}

/** Adds an index entry; 0: out of memory. */
export function blockBuilderAddHandle(
  b: usize,
  key: usize,
  keySize: u32,
  offset: f64,
  size: f64,
  firstKey: usize,
  firstKeySize: u32,
): i32 {
  if (<u64>firstKeySize + 64 > BLOCK_SIZE_MAX) return 0;
  if (!reserveEntry(b, key, keySize, HANDLE_SIZE_MAX + firstKeySize + 5)) return 0;
  const shared = beginEntry(b, key, keySize);
  const delta = (load<u32>(b, B_FLAGS) & BUILDER_DELTA_VALUES) != 0;
  const firstKeyBytes = firstKey == 0 ? 0 : varintSize(firstKeySize) + firstKeySize;
  let p: usize = load<u32>(b, B_BUFFER) + load<u32>(b, B_SIZE);
  p = putVarint32(p, shared);
  p = putVarint32(p, keySize - shared);
  if (!delta) p = putVarint32(p, varintSize(<u64>offset) + varintSize(<u64>size) + firstKeyBytes);
  copyWide(p, key + shared, keySize - shared);
  p += keySize - shared;
  if (delta && shared != 0) {
    const change = <i64>(size - load<f64>(b, B_HANDLE_SIZE));
    p = putVarint64(p, <u64>((change << 1) ^ (change >> 63)));
  } else {
    p = putVarint64(putVarint64(p, <u64>offset), <u64>size);
  }
  store<f64>(b, size, B_HANDLE_SIZE);
  if (firstKey != 0) {
    p = putVarint32(p, firstKeySize);
    copyWide(p, firstKey, firstKeySize);
    p += firstKeySize;
  }
  endEntry(b, key, keySize, shared, p);
  return 1;
}

/** Bytes the block would have if it were finished now. */
export function blockBuilderSizeEstimate(b: usize): u32 {
  const entries = load<u32>(b, B_SIZE) + (load<u32>(b, B_NUM_RESTARTS) << 2) + 4;
  return load<u32>(b, B_HASH_VALID) == 0 ? entries : entries + 2 + numBuckets(b);
}

/** The estimate for one more entry: RocksDB counts the whole key, and half the value where values are deltas. */
export function blockBuilderSizeEstimateAfter(b: usize, keySize: u32, valueSize: u32): u32 {
  const restart = load<u32>(b, B_COUNTER) >= load<u32>(b, B_INTERVAL);
  const whole = restart || (load<u32>(b, B_FLAGS) & BUILDER_DELTA_VALUES) == 0;
  let estimate = blockBuilderSizeEstimate(b) + keySize + (whole ? valueSize : valueSize >> 1);
  estimate += 4 + varintSize(keySize);
  if (restart) estimate += 4;
  if (whole) estimate += varintSize(valueSize);
  return estimate;
}

/** Completes the block in the buffer; returns its size, 0: out of memory. */
export function blockBuilderFinish(b: usize): u32 {
  const estimate = blockBuilderSizeEstimate(b);
  if (!reserveBytes(b, <u64>estimate + BLOCK_TRAILER_SIZE)) return 0;
  const start: usize = load<u32>(b, B_BUFFER);
  const numRestarts = load<u32>(b, B_NUM_RESTARTS);
  let p = start + load<u32>(b, B_SIZE);
  memory.copy(p, load<u32>(b, B_RESTARTS), numRestarts << 2);
  p += numRestarts << 2;
  let footer = numRestarts;
  if (load<u32>(b, B_HASH_VALID) != 0 && estimate <= HASH_INDEX_BLOCK_SIZE_MAX) {
    p = putHashIndex(b, p);
    footer |= 1 << 31;
  }
  store<u32>(p, footer);
  const size = <u32>(p + 4 - start);
  store<u32>(b, size, B_SIZE);
  return size;
}

/** Room for an entry, its restart point and its hash, and for the last key: all that can fail, before anything changes. */
// @ts-ignore: decorator
@inline
function reserveEntry(b: usize, key: usize, keySize: u32, valueSize: u32): bool {
  const needed = <u64>load<u32>(b, B_SIZE) + keySize + valueSize + HEADER_SIZE_MAX;
  if (needed > <u64>load<u32>(b, B_CAPACITY) && !reserveBytes(b, needed)) return false;
  if (keySize > load<u32>(b, B_LAST_KEY_CAPACITY) && !growLastKey(b, keySize)) return false;
  if (load<u32>(b, B_NUM_RESTARTS) == load<u32>(b, B_RESTARTS_CAPACITY) && !reserveRestart(b)) return false;
  return load<u32>(b, B_HASH_VALID) == 0 || reserveHash(b);
}

/** Opens a restart point if one is due; returns how many bytes the key shares with the one before. */
// @ts-ignore: decorator
@inline
function beginEntry(b: usize, key: usize, keySize: u32): u32 {
  const counter = load<u32>(b, B_COUNTER);
  if (counter >= load<u32>(b, B_INTERVAL)) {
    const index = load<u32>(b, B_NUM_RESTARTS);
    store<u32>(<usize>load<u32>(b, B_RESTARTS) + (<usize>index << 2), load<u32>(b, B_SIZE));
    store<u32>(b, index + 1, B_NUM_RESTARTS);
    store<u32>(b, 0, B_COUNTER);
    return 0;
  }
  return counter == 0 ? 0 : sharedPrefix(load<u32>(b, B_LAST_KEY), load<u32>(b, B_LAST_KEY_SIZE), key, keySize);
}

/** Takes note of an entry that now ends at `end`. */
// @ts-ignore: decorator
@inline
function endEntry(b: usize, key: usize, keySize: u32, shared: u32, end: usize): void {
  store<u32>(b, <u32>(end - <usize>load<u32>(b, B_BUFFER)), B_SIZE);
  copyWide(<usize>load<u32>(b, B_LAST_KEY) + shared, key + shared, keySize - shared);
  store<u32>(b, keySize, B_LAST_KEY_SIZE);
  store<u32>(b, load<u32>(b, B_COUNTER) + 1, B_COUNTER);
  if (load<u32>(b, B_HASH_VALID) != 0) noteHash(b, key, keySize);
  store<u32>(b, load<u32>(b, B_NUM_ENTRIES) + 1, B_NUM_ENTRIES);
}

function noteHash(b: usize, key: usize, keySize: u32): void {
  const restart = load<u32>(b, B_NUM_RESTARTS) - 1;
  if (restart > HASH_INDEX_RESTART_MAX || keySize < TRAILER_SIZE) {
    store<u32>(b, 0, B_HASH_VALID);
    return;
  }
  const row: usize = load<u32>(b, B_HASHED) + (load<u32>(b, B_NUM_ENTRIES) << 3);
  store<u32>(row, hash32(key, keySize - TRAILER_SIZE, HASH_INDEX_SEED));
  store<u32>(row, restart, 4);
  store<f64>(b, load<f64>(b, B_BUCKETS) + load<f64>(b, B_BUCKETS_PER_KEY), B_BUCKETS);
}

/** Odd, so that hashes spread; RocksDB counts in 16 bits. */
// @ts-ignore: decorator
@inline
function numBuckets(b: usize): u32 {
  return (<u32>load<f64>(b, B_BUCKETS) & 0xffff) | 1;
}

function putHashIndex(b: usize, p: usize): usize {
  const count = numBuckets(b);
  memory.fill(p, <u8>HASH_INDEX_NO_ENTRY, count);
  const rows: usize = load<u32>(b, B_HASHED);
  const end = rows + (load<u32>(b, B_NUM_ENTRIES) << 3);
  for (let row = rows; row < end; row += 8) {
    const bucket = p + (load<u32>(row) % count);
    const restart = load<u32>(row, 4);
    const present = <u32>load<u8>(bucket);
    if (present == HASH_INDEX_NO_ENTRY) store<u8>(bucket, <u8>restart);
    else if (present != restart) store<u8>(bucket, <u8>HASH_INDEX_COLLISION);
  }
  store<u16>(p + count, <u16>count);
  return p + count + 2;
}

/** Makes the buffer hold `needed` bytes and slack, keeping what is in it. */
function reserveBytes(b: usize, needed: u64): bool {
  const capacity = load<u32>(b, B_CAPACITY);
  if (needed <= capacity) return true;
  if (needed > BLOCK_SIZE_MAX) return false;
  const doubled = min(max(needed, <u64>capacity << 1), BLOCK_SIZE_MAX);
  let grown = malloc(<u32>doubled + <u32>SLACK);
  let size = <u32>doubled;
  if (grown == 0) {
    grown = malloc(<u32>needed + <u32>SLACK);
    size = <u32>needed;
    if (grown == 0) return false;
  }
  const old: usize = load<u32>(b, B_BUFFER);
  memory.copy(grown, old, load<u32>(b, B_SIZE));
  free(old);
  store<u32>(b, <u32>grown, B_BUFFER);
  store<u32>(b, size, B_CAPACITY);
  return true;
}

function growLastKey(b: usize, keySize: u32): bool {
  const capacity = <u32>min(max(<u64>keySize + (keySize >> 1), 112), BLOCK_SIZE_MAX);
  const grown = malloc(capacity + <u32>SLACK);
  if (grown == 0) return false;
  const old: usize = load<u32>(b, B_LAST_KEY);
  memory.copy(grown, old, load<u32>(b, B_LAST_KEY_SIZE));
  free(old);
  store<u32>(b, <u32>grown, B_LAST_KEY);
  store<u32>(b, capacity, B_LAST_KEY_CAPACITY);
  return true;
}

function reserveRestart(b: usize): bool {
  return growArray(b, B_RESTARTS, B_RESTARTS_CAPACITY, load<u32>(b, B_NUM_RESTARTS), 2);
}

function reserveHash(b: usize): bool {
  const count = load<u32>(b, B_NUM_ENTRIES);
  return count < load<u32>(b, B_HASHED_CAPACITY) || growArray(b, B_HASHED, B_HASHED_CAPACITY, count, 3);
}

/** Doubles the array at `field`, whose elements measure `1 << shift` bytes. */
export function growArray(b: usize, field: usize, capacityField: usize, count: u32, shift: u32): bool {
  const capacity = max(64, load<u32>(b + capacityField) << 1);
  if (<u64>capacity << shift > BLOCK_SIZE_MAX) return false;
  const grown = malloc(capacity << shift);
  if (grown == 0) return false;
  const old: usize = load<u32>(b + field);
  memory.copy(grown, old, count << shift);
  free(old);
  store<u32>(b + field, <u32>grown);
  store<u32>(b + capacityField, capacity);
  return true;
}
