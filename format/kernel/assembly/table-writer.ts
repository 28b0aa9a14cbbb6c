/**
 * The inner loop of writing a table: entries into the data block, filter hashes, and the counters behind the table's
 * properties. When the block is full by RocksDB's FlushBlockBySizePolicy the entry is refused, so that the host can
 * take the block, and learns from the refused key where the separator must lie.
 *
 * Hashes of neighbours that are equal are kept once: versions of one key, and keys of one prefix.
 */
import {
  B_LAST_KEY,
  B_LAST_KEY_SIZE,
  B_NUM_ENTRIES,
  blockBuilderAdd,
  blockBuilderCreate,
  blockBuilderDestroy,
  blockBuilderFinish,
  blockBuilderReset,
  blockBuilderSizeEstimate,
  blockBuilderSizeEstimateAfter,
  growArray,
} from './block-builder';
import { BLOCK_TRAILER_SIZE } from './block-format';
import { copyWide } from './bytes';
import { equalBytes, TRAILER_SIZE } from './compare';
import { filterHash64, hash32 } from './filter-hash';
import { free, malloc, SLACK } from './memory';

// `abi/table-writer.ts` explains the fields the host sees.
const W_BUILDER: usize = 0;
const W_BLOCK_SIZE: usize = 4;
const W_DEVIATION_LIMIT: usize = 8; // a block above this may be cut before it is full; 0 never
const W_ALIGN: usize = 12;
const W_HASH_KIND: usize = 16;
const W_PREFIX_KIND: usize = 20;
const W_PREFIX_LENGTH: usize = 24;
const W_HASHES: usize = 28;
const W_HASH_COUNT: usize = 32;
const W_HASH_CAPACITY: usize = 36;
const W_WHOLE_KEY: usize = 40;
const W_SAME_USER_KEY: usize = 44;
const W_NEXT_KEY: usize = 48;
const W_NEXT_KEY_SIZE: usize = 52;
const W_FIRST_KEY: usize = 56;
const W_FIRST_KEY_SIZE: usize = 60;
const W_FIRST_KEY_CAPACITY: usize = 64;
const W_SMALLEST_KEY: usize = 68;
const W_SMALLEST_KEY_SIZE: usize = 72;
const W_HAVE: usize = 76; // which of the two hashes below exist
const W_NUM_ENTRIES: usize = 80;
const W_NUM_DELETIONS: usize = 88;
const W_NUM_MERGE_OPERANDS: usize = 96;
const W_RAW_KEY_SIZE: usize = 104;
const W_RAW_VALUE_SIZE: usize = 112;
const W_SMALLEST_SEQUENCE: usize = 120;
const W_LARGEST_SEQUENCE: usize = 128;
const W_LAST_KEY_HASH: usize = 136; // u64
const W_LAST_PREFIX_HASH: usize = 144; // u64
const WRITER_SIZE: u32 = 152;

const HAVE_KEY_HASH: u32 = 1;
const HAVE_PREFIX_HASH: u32 = 2;

const HASH_KIND_64: u32 = 1;
const HASH_KIND_32: u32 = 2;
const BLOOM_HASH_SEED: u32 = 0xbc9f1d34;

const PREFIX_KIND_FIXED: u32 = 1;

const ADDED: i32 = 0;
const BLOCK_FULL: i32 = 1;
const OUT_OF_MEMORY: i32 = -1;
const BAD_KEY: i32 = -2;

const TYPE_DELETION: u32 = 0x00;
const TYPE_MERGE: u32 = 0x02;
const TYPE_SINGLE_DELETION: u32 = 0x07;
const TYPE_DELETION_WITH_TIMESTAMP: u32 = 0x14;

const SEQUENCE_NONE: f64 = 9007199254740992;

/** A table writer, or 0. */
export function tableWriterCreate(
  blockSize: u32,
  deviation: u32,
  align: u32,
  restartInterval: u32,
  builderFlags: u32,
  utilRatio: f64,
): usize {
  const w = malloc(WRITER_SIZE);
  if (w == 0) return 0;
  memory.fill(w, 0, WRITER_SIZE);
  const builder = blockBuilderCreate(restartInterval, builderFlags, utilRatio, min(blockSize, 1 << 20) + 1024);
  if (builder == 0) {
    free(w);
    return 0;
  }
  store<u32>(w, <u32>builder, W_BUILDER);
  store<u32>(w, blockSize, W_BLOCK_SIZE);
  const limit = deviation == 0 || deviation > 100 ? 0 : (<u64>blockSize * (100 - deviation) + 99) / 100;
  store<u32>(w, <u32>limit, W_DEVIATION_LIMIT);
  store<u32>(w, align, W_ALIGN);
  store<f64>(w, SEQUENCE_NONE, W_SMALLEST_SEQUENCE);
  return w;
}

/** Frees the writer, its block builder and everything it collected. */
export function tableWriterDestroy(w: usize): void {
  if (w == 0) return;
  blockBuilderDestroy(load<u32>(w, W_BUILDER));
  free(load<u32>(w, W_HASHES));
  free(load<u32>(w, W_FIRST_KEY));
  free(load<u32>(w, W_SMALLEST_KEY));
  free(w);
}

/** Adds an entry behind all others, unless the block is full. */
export function tableWriterAdd(w: usize, key: usize, keySize: u32, value: usize, valueSize: u32): i32 {
  if (keySize < TRAILER_SIZE) return BAD_KEY;
  const builder: usize = load<u32>(w, W_BUILDER);
  const userKeySize = keySize - TRAILER_SIZE;
  if (load<u32>(builder, B_NUM_ENTRIES) == 0) {
    if (!noteFirstKey(w, key, keySize)) return OUT_OF_MEMORY;
  } else if (isFull(w, builder, keySize, valueSize)) {
    store<u32>(w, <u32>key, W_NEXT_KEY);
    store<u32>(w, keySize, W_NEXT_KEY_SIZE);
    const lastUserKeySize = load<u32>(builder, B_LAST_KEY_SIZE) - TRAILER_SIZE;
    if (equalBytes(load<u32>(builder, B_LAST_KEY), lastUserKeySize, key, userKeySize)) {
      store<u32>(w, 1, W_SAME_USER_KEY);
    }
    return BLOCK_FULL;
  }
  if (load<u32>(w, W_HASH_KIND) != 0 && !noteHashes(w, key, userKeySize)) return OUT_OF_MEMORY;
  if (blockBuilderAdd(builder, key, keySize, value, valueSize) == 0) return OUT_OF_MEMORY;
  count(w, load<u64>(key + userKeySize), keySize, valueSize);
  return ADDED;
}

/** Hashes one more string for the filter. */
export function tableWriterAddFilterKey(w: usize, key: usize, keySize: u32): i32 {
  return noteHash(w, key, keySize, HAVE_PREFIX_HASH, W_LAST_PREFIX_HASH) ? 1 : 0;
}

/** Entries in the current block. */
export function tableWriterBlockEntries(w: usize): u32 {
  return load<u32>(load<u32>(w, W_BUILDER), B_NUM_ENTRIES);
}

/** Size of the current block if it were finished. */
export function tableWriterSizeEstimate(w: usize): u32 {
  return blockBuilderSizeEstimate(load<u32>(w, W_BUILDER));
}

/** Completes the current block; its size, 0: out of memory. */
export function tableWriterFinishBlock(w: usize): u32 {
  return blockBuilderFinish(load<u32>(w, W_BUILDER));
}

/** Starts an empty block. */
export function tableWriterNextBlock(w: usize): void {
  blockBuilderReset(load<u32>(w, W_BUILDER));
}

/** Forgets the hashes collected so far. */
export function tableWriterResetHashes(w: usize): void {
  store<u32>(w, 0, W_HASH_COUNT);
  store<u32>(w, 0, W_HAVE);
}

/** FlushBlockBySizePolicy. */
// @ts-ignore: decorator
@inline
function isFull(w: usize, builder: usize, keySize: u32, valueSize: u32): bool {
  const size = blockBuilderSizeEstimate(builder);
  const blockSize = load<u32>(w, W_BLOCK_SIZE);
  if (size >= blockSize) return true;
  const limit = load<u32>(w, W_DEVIATION_LIMIT);
  if (limit == 0) return false;
  const align = load<u32>(w, W_ALIGN) != 0;
  if (size <= limit && !align) return false;
  const after = blockBuilderSizeEstimateAfter(builder, keySize, valueSize);
  return (align ? after + BLOCK_TRAILER_SIZE : after) > blockSize;
}

/** Keeps the first key of the block, and of the table. */
function noteFirstKey(w: usize, key: usize, keySize: u32): bool {
  if (keySize > load<u32>(w, W_FIRST_KEY_CAPACITY)) {
    const capacity = keySize + 64;
    const grown = malloc(capacity + <u32>SLACK);
    if (grown == 0) return false;
    free(load<u32>(w, W_FIRST_KEY));
    store<u32>(w, <u32>grown, W_FIRST_KEY);
    store<u32>(w, capacity, W_FIRST_KEY_CAPACITY);
  }
  if (load<u32>(w, W_SMALLEST_KEY) == 0) {
    const smallest = malloc(keySize + <u32>SLACK);
    if (smallest == 0) return false;
    copyWide(smallest, key, keySize);
    store<u32>(w, <u32>smallest, W_SMALLEST_KEY);
    store<u32>(w, keySize, W_SMALLEST_KEY_SIZE);
  }
  copyWide(load<u32>(w, W_FIRST_KEY), key, keySize);
  store<u32>(w, keySize, W_FIRST_KEY_SIZE);
  return true;
}

// @ts-ignore: decorator
@inline
function count(w: usize, trailer: u64, keySize: u32, valueSize: u32): void {
  const type = <u32>trailer & 0xff;
  const sequence = <f64>(trailer >> 8);
  if (type == TYPE_DELETION || type == TYPE_SINGLE_DELETION || type == TYPE_DELETION_WITH_TIMESTAMP) {
    store<f64>(w, load<f64>(w, W_NUM_DELETIONS) + 1, W_NUM_DELETIONS);
  } else if (type == TYPE_MERGE) {
    store<f64>(w, load<f64>(w, W_NUM_MERGE_OPERANDS) + 1, W_NUM_MERGE_OPERANDS);
  }
  if (sequence < load<f64>(w, W_SMALLEST_SEQUENCE)) store<f64>(w, sequence, W_SMALLEST_SEQUENCE);
  if (sequence > load<f64>(w, W_LARGEST_SEQUENCE)) store<f64>(w, sequence, W_LARGEST_SEQUENCE);
  store<f64>(w, load<f64>(w, W_NUM_ENTRIES) + 1, W_NUM_ENTRIES);
  store<f64>(w, load<f64>(w, W_RAW_KEY_SIZE) + <f64>keySize, W_RAW_KEY_SIZE);
  store<f64>(w, load<f64>(w, W_RAW_VALUE_SIZE) + <f64>valueSize, W_RAW_VALUE_SIZE);
}

/** Hashes the whole key and its prefix, as far as the filter wants them. */
// @ts-ignore: decorator
@inline
function noteHashes(w: usize, userKey: usize, userKeySize: u32): bool {
  if (load<u32>(w, W_WHOLE_KEY) != 0 && !noteHash(w, userKey, userKeySize, HAVE_KEY_HASH, W_LAST_KEY_HASH)) return false;
  const prefixKind = load<u32>(w, W_PREFIX_KIND);
  if (prefixKind == 0) return true;
  const length = load<u32>(w, W_PREFIX_LENGTH);
  if (prefixKind == PREFIX_KIND_FIXED && userKeySize < length) return true;
  return noteHash(w, userKey, min(length, userKeySize), HAVE_PREFIX_HASH, W_LAST_PREFIX_HASH);
}

/** Appends the hash of a string unless it is the one this kind had last. */
function noteHash(w: usize, bytes: usize, size: u32, have: u32, lastField: usize): bool {
  const kind = load<u32>(w, W_HASH_KIND);
  const hash = kind == HASH_KIND_64 ? filterHash64(bytes, size) : <u64>hash32(bytes, size, BLOOM_HASH_SEED);
  const known = load<u32>(w, W_HAVE);
  if ((known & have) != 0 && load<u64>(w + lastField) == hash) return true;
  const index = load<u32>(w, W_HASH_COUNT);
  if (
    index == load<u32>(w, W_HASH_CAPACITY) &&
    !growArray(w, W_HASHES, W_HASH_CAPACITY, index, kind == HASH_KIND_32 ? 2 : 3)
  ) {
    return false;
  }
  const hashes: usize = load<u32>(w, W_HASHES);
  if (kind == HASH_KIND_32) store<u32>(hashes + (<usize>index << 2), <u32>hash);
  else store<u64>(hashes + (<usize>index << 3), hash);
  store<u32>(w, index + 1, W_HASH_COUNT);
  store<u64>(w + lastField, hash);
  store<u32>(w, known | have, W_HAVE);
  return true;
}
