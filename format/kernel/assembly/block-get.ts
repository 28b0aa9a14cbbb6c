/**
 * The point lookup in one data block. For the two built-in orders no key is put together: while entries pass by, only
 * the length of the prefix that the last one has in common with the target is kept. An entry that shares more than that
 * with its predecessor differs from the target where its predecessor did; one that shares less is compared from there
 * on. What this cannot decide, a key whose trailer is itself shared, goes the long way through a cursor.
 *
 * A hash index, if the block has one, names the restart interval to scan. For orders of the host it is not used: there
 * keys that are equal may have different bytes, and so different hashes.
 */
import { blockCursorCreate, blockCursorInit, blockCursorSeek } from './block-cursor';
import {
  FLAG_GLOBAL_SEQUENCE,
  footerBuckets,
  footerNumBuckets,
  footerNumRestarts,
  footerRestarts,
  HASH_INDEX_COLLISION,
  HASH_INDEX_NO_ENTRY,
  HASH_INDEX_SEED,
  headerNonShared,
  headerShared,
  headerValueSize,
  parseFooter,
  parseHeader,
  restartKey,
} from './block-format';
import {
  GET_ABSENT,
  GET_BLOCK_ENDED,
  GET_CORRUPT,
  GET_UNDECIDED,
  getFound,
} from './block-get-result';
import { copyExact } from './bytes';
import { COMPARATOR_REVERSE, compareBytes, compareUser, sharedPrefix, TRAILER_SIZE } from './compare';
import { C_ERROR, C_KEY, C_KEY_SIZE, C_VALID, C_VALUE, C_VALUE_SIZE } from './cursor-head';
import { hash32 } from './filter-hash';
import { free, malloc, SLACK } from './memory';

/** Compares greater or equal to every type, so that it selects all entries of its sequence. */
const TYPE_MAX: u64 = 0xff;
/** 2^56: no sequence of a file reaches it. */
const SEQUENCE_LIMIT: f64 = 72057594037927936;

// Of this thread: the cursor of lookups that go the long way, and the internal key that they and `tableGet` seek.
let cursor: usize = 0;
let targetBuffer: usize = 0;
let targetCapacity: u32 = 0;

/**
 * The internal key that sorts before all versions with sequence <= `sequence`, in a buffer that the next call reuses;
 * 0: out of memory.
 */
export function lookupKey(userKey: usize, userKeySize: u32, sequence: f64): usize {
  const size = userKeySize + TRAILER_SIZE;
  if (size > targetCapacity) {
    const grown = malloc(size + (size >> 1) + <u32>SLACK);
    if (grown == 0) return 0;
    free(targetBuffer);
    targetBuffer = grown;
    targetCapacity = size + (size >> 1);
  }
  copyExact(targetBuffer, userKey, userKeySize);
  store<u64>(targetBuffer + userKeySize, trailerMax(sequence));
  return targetBuffer;
}

/** Newest version of a user key with sequence <= `sequence` in a data block; `abi/block.ts` lists the outcomes. */
export function blockGet(
  block: usize,
  size: u32,
  flags: u32,
  comparator: u32,
  globalSequence: f64,
  userKey: usize,
  userKeySize: u32,
  sequence: f64,
  result: usize,
): i32 {
  if (!parseFooter(block, size, flags)) return GET_CORRUPT;
  if (comparator <= COMPARATOR_REVERSE) {
    const keepMask = trailerMask(flags);
    const global = trailerGlobal(flags, globalSequence);
    const newest = trailerMax(sequence);
    const status = footerNumBuckets != 0
      ? getHashed(block, comparator, keepMask, global, userKey, userKeySize, newest, result)
      : getSearched(block, comparator, keepMask, global, userKey, userKeySize, newest, result);
    if (status != GET_UNDECIDED) return status;
  }
  return getByCursor(block, size, flags, comparator, globalSequence, userKey, userKeySize, sequence, result);
}

/** What a stored trailer keeps, when a global sequence takes the place of its own. */
// @ts-ignore: decorator
@inline
export function trailerMask(flags: u32): u64 {
  return (flags & FLAG_GLOBAL_SEQUENCE) != 0 ? 0xff : u64.MAX_VALUE;
}

/** And what it gets. */
// @ts-ignore: decorator
@inline
export function trailerGlobal(flags: u32, globalSequence: f64): u64 {
  return (flags & FLAG_GLOBAL_SEQUENCE) != 0 ? <u64>globalSequence << 8 : 0;
}

/** The greatest trailer that a read at `sequence` sees. */
// @ts-ignore: decorator
@inline
export function trailerMax(sequence: f64): u64 {
  return sequence < SEQUENCE_LIMIT ? (<u64>sequence << 8) | TYPE_MAX : u64.MAX_VALUE;
}

/** Through the hash index: only the interval it names is scanned. */
function getHashed(
  block: usize,
  comparator: u32,
  keepMask: u64,
  global: u64,
  key: usize,
  keySize: u32,
  newest: u64,
  result: usize,
): i32 {
  let interval = <u32>load<u8>(footerBuckets + (hash32(key, keySize, HASH_INDEX_SEED) % footerNumBuckets));
  if (interval == HASH_INDEX_COLLISION) {
    return getSearched(block, comparator, keepMask, global, key, keySize, newest, result);
  }
  // A key that is not in this block may still begin in the next one, if the last interval ends below it.
  if (interval == HASH_INDEX_NO_ENTRY) interval = footerNumRestarts - 1;
  if (interval >= footerNumRestarts) return GET_CORRUPT;
  const restarts = footerRestarts;
  const start = load<u32>(restarts + (<usize>interval << 2));
  const last = interval + 1 == footerNumRestarts;
  const stop = last ? <u32>(restarts - block) : load<u32>(restarts + (<usize>(interval + 1) << 2));
  if (start > stop || stop > <u32>(restarts - block)) return GET_CORRUPT;
  const status = scan(block + start, block + stop, comparator, keepMask, global, key, keySize, newest, result);
  return status == GET_BLOCK_ENDED && !last ? GET_ABSENT : status;
}

/** By binary search over the restart points. */
function getSearched(
  block: usize,
  comparator: u32,
  keepMask: u64,
  global: u64,
  key: usize,
  keySize: u32,
  newest: u64,
  result: usize,
): i32 {
  const restarts = footerRestarts;
  const reverse = comparator == COMPARATOR_REVERSE;
  let low: u32 = 0;
  let high: u32 = footerNumRestarts - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const at = restartKey(block, restarts, middle, false);
    if (at == 0 || headerNonShared < TRAILER_SIZE) return GET_CORRUPT;
    const user = headerNonShared - TRAILER_SIZE;
    const order = compareBytes(at, user, key, keySize);
    const below =
      order == 0 ? ((load<u64>(at + user) & keepMask) | global) > newest : reverse ? order > 0 : order < 0;
    if (below) low = middle;
    else high = middle - 1;
  }
  const offset = load<u32>(restarts + (<usize>low << 2));
  if (offset > <u32>(restarts - block)) return GET_CORRUPT;
  return scan(block + offset, restarts, comparator, keepMask, global, key, keySize, newest, result);
}

/** Looks at the entries from the restart point at `start` up to `end`. */
function scan(
  start: usize,
  end: usize,
  comparator: u32,
  keepMask: u64,
  global: u64,
  key: usize,
  keySize: u32,
  newest: u64,
  result: usize,
): i32 {
  const reverse = comparator == COMPARATOR_REVERSE;
  let p = start;
  let matched: u32 = 0; // bytes that the user key before has in common with the target
  let wholly = true; // whether those are all of its bytes: then what follows them is its trailer
  while (p < end) {
    const lengths = load<u32>(p);
    let shared = lengths & 0xff;
    let nonShared = (lengths >> 8) & 0xff;
    let valueSize = (lengths >> 16) & 0xff;
    let suffix = p + 3;
    if ((lengths & 0x808080) != 0 || suffix + nonShared + valueSize > end) {
      suffix = parseHeader(p, end, false);
      if (suffix == 0) return GET_CORRUPT;
      shared = headerShared;
      nonShared = headerNonShared;
      valueSize = headerValueSize;
    }
    const value = suffix + nonShared;
    p = value + valueSize;
    if (shared > matched) {
      if (wholly || shared + nonShared <= matched + TRAILER_SIZE) return GET_UNDECIDED;
      continue;
    }
    if (nonShared < TRAILER_SIZE) return GET_UNDECIDED;
    const user = nonShared - TRAILER_SIZE;
    const targetRest = keySize - shared;
    const more = sharedPrefix(suffix, user, key + shared, targetRest);
    matched = shared + more;
    wholly = more == user;
    if (more == user && more == targetRest) {
      const trailer = (load<u64>(suffix + user) & keepMask) | global;
      if (trailer <= newest) return getFound(result, trailer, value, valueSize);
    } else {
      const below = more == user || (more < targetRest && load<u8>(suffix + more) < load<u8>(key + matched));
      if (below == reverse) return GET_ABSENT;
    }
  }
  return GET_BLOCK_ENDED;
}

/** For orders of the host, and for what the scan could not decide. */
function getByCursor(
  block: usize,
  size: u32,
  flags: u32,
  comparator: u32,
  globalSequence: f64,
  userKey: usize,
  userKeySize: u32,
  sequence: f64,
  result: usize,
): i32 {
  if (cursor == 0) cursor = blockCursorCreate();
  const target = lookupKey(userKey, userKeySize, sequence);
  if (cursor == 0 || target == 0) unreachable();
  if (blockCursorInit(cursor, block, size, flags, comparator, globalSequence) == 0) return GET_CORRUPT;
  blockCursorSeek(cursor, target, userKeySize + TRAILER_SIZE);
  if (load<u32>(cursor, C_ERROR) != 0) return GET_CORRUPT;
  if (load<u32>(cursor, C_VALID) == 0) return GET_BLOCK_ENDED;
  const key: usize = load<u32>(cursor, C_KEY);
  const user = load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE;
  if (compareUser(comparator, key, user, userKey, userKeySize) != 0) return GET_ABSENT;
  return getFound(result, load<u64>(key + user), load<u32>(cursor, C_VALUE), load<u32>(cursor, C_VALUE_SIZE));
}
