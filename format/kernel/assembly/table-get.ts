/**
 * The point lookup in one table, in one call: filter, index, data block. It never waits: a block that is not at hand is
 * named in the result, the host loads it and calls again.
 *
 * An index of user keys proves that a key lies in one block. In an index of internal keys the versions of one user key
 * may run on into the next block, so the search goes on while the separator still has that user key.
 */
import { blockRelease, blockRetain, blockSize, cacheCutShortcut, cacheLookup } from './block-cache';
import { borrowedGet } from './borrowed-get';
import {
  blockCursorFree,
  blockCursorInit,
  blockCursorNext,
  blockCursorSeek,
  blockCursorSeekWithin,
} from './block-cursor';
import {
  BLOCK_CURSOR_SIZE,
  C_FIRST_KEY,
  C_FIRST_KEY_SIZE,
  C_HANDLE_OFFSET,
  C_HANDLE_SIZE,
  C_NUM_RESTARTS,
  C_RESTARTS,
} from './block-cursor-layout';
import { FLAG_DELTA_VALUES, FLAG_FIRST_KEYS, FLAG_HANDLES, FLAG_INTERNAL_KEYS } from './block-format';
import { blockGet, lookupKey } from './block-get';
import {
  GET_ABSENT,
  GET_BLOCK_ENDED,
  GET_CORRUPT,
  GET_FOUND,
  GET_NEED_BLOCK,
  R_BLOCK,
  R_HANDLE_OFFSET,
  R_HANDLE_SIZE,
  R_TYPE,
} from './block-get-result';
import { C_ERROR, C_KEY, C_KEY_SIZE, C_VALID } from './cursor-head';
import { filterMayMatch } from './filter';
import { COMPARATOR_BYTEWISE, compareUser, TRAILER_SIZE } from './compare';
import { free, malloc } from './memory';
import {
  firstPlace,
  freeRestartPrefixes,
  handleOfPlace,
  makeRestartPrefixes,
  narrowedHigh,
  narrowedLow,
  narrowedPlace,
  narrowRestarts,
  nextPlace,
  PLACE_OFFSET,
  PLACE_SHORTCUT,
  placeHandleSize,
  placesEnd,
} from './restart-prefixes';

// `abi/block-cache.ts` explains the fields.
const T_TABLE_ID: usize = 0;
const T_FILTER: usize = 4;
const T_FILTER_SIZE: usize = 8;
const T_WHOLE_KEY: usize = 12;
const T_INDEX: usize = 16;
const T_INDEX_SIZE: usize = 20;
const T_INDEX_FLAGS: usize = 24;
const T_DATA_FLAGS: usize = 28;
const T_COMPARATOR: usize = 32;
const T_STATS: usize = 36;
const T_GLOBAL: usize = 40; // f64
const T_PREFIXES: usize = 48; // of the index block's restart keys, 0 none
const T_FLEETING: usize = 52;
const T_CACHE: usize = 56; // where shortcuts lead to
const T_PASSED: usize = 60; // what the filter said last
const T_CURSOR: usize = 64; // over the index block, set up once
const TABLE_SIZE: u32 = 64 + BLOCK_CURSOR_SIZE;

// Counters.
const STAT_FILTER_USEFUL: usize = 0;
const STAT_FILTER_POSITIVE: usize = 8;
const STAT_FILTER_TRUE_POSITIVE: usize = 16;
const STAT_BLOCK_HITS: usize = 24;
const STAT_BLOCK_MISSES: usize = 32;

// Of the index cursor.
const I_VALID: usize = T_CURSOR + C_VALID;
const I_KEY: usize = T_CURSOR + C_KEY;
const I_KEY_SIZE: usize = T_CURSOR + C_KEY_SIZE;
const I_ERROR: usize = T_CURSOR + C_ERROR;
const I_HANDLE_OFFSET: usize = T_CURSOR + C_HANDLE_OFFSET;
const I_HANDLE_SIZE: usize = T_CURSOR + C_HANDLE_SIZE;
const I_FIRST_KEY: usize = T_CURSOR + C_FIRST_KEY;
const I_FIRST_KEY_SIZE: usize = T_CURSOR + C_FIRST_KEY_SIZE;

/** A table of zeros, or 0. */
export function tableCreate(): usize {
  const t = malloc(TABLE_SIZE);
  if (t != 0) memory.fill(t, 0, TABLE_SIZE);
  return t;
}

/** Sets up the index once the fields are filled; 0 if it is malformed. */
export function tablePrepare(t: usize): i32 {
  const flags = load<u32>(t, T_INDEX_FLAGS) | FLAG_HANDLES;
  const cursor = t + T_CURSOR;
  const index: usize = load<u32>(t, T_INDEX);
  if (blockCursorInit(cursor, index, load<u32>(t, T_INDEX_SIZE), flags, load<u32>(t, T_COMPARATOR), 0) == 0) return 0;
  dropPrefixes(t);
  let prefixes: usize = 0;
  if (load<u32>(t, T_COMPARATOR) == COMPARATOR_BYTEWISE && load<u32>(t, T_FLEETING) == 0) {
    prefixes = makeRestartPrefixes(
      index,
      load<u32>(cursor, C_RESTARTS),
      load<u32>(cursor, C_NUM_RESTARTS),
      (flags & FLAG_DELTA_VALUES) != 0,
      (flags & FLAG_INTERNAL_KEYS) != 0,
    );
  }
  store<u32>(t, <u32>prefixes, T_PREFIXES);
  return 1;
}

/** Frees the struct; index and filter are the host's. */
export function tableDestroy(t: usize): void {
  if (t == 0) return;
  blockCursorFree(t + T_CURSOR);
  dropPrefixes(t);
  free(t);
}

/** Cuts all shortcuts into the cache, and frees what they lie in. */
function dropPrefixes(t: usize): void {
  const prefixes: usize = load<u32>(t, T_PREFIXES);
  if (prefixes == 0) return;
  const first = firstPlace(prefixes);
  const end = placesEnd(prefixes);
  for (let place = first; first != 0 && place < end; place = nextPlace(place)) {
    const offset = load<u32>(place, PLACE_OFFSET);
    cacheCutShortcut(load<u32>(t, T_CACHE), load<u32>(t, T_TABLE_ID), offset, place + PLACE_SHORTCUT);
  }
  freeRestartPrefixes(prefixes);
}

/** Newest version of a user key with sequence <= `sequence`; `abi/block-cache.ts` lists the outcomes. */
export function tableGet(
  t: usize,
  cache: usize,
  userKey: usize,
  userKeySize: u32,
  sequence: f64,
  loaded: usize,
  result: usize,
): i32 {
  const filtered = load<u32>(t, T_FILTER) != 0 && load<u32>(t, T_WHOLE_KEY) != 0;
  // Filters tend to say what they said last. Where that was yes, the index is searched before the answer is there.
  const ahead = load<u32>(t, T_PASSED) != 0;
  let narrowed = ahead && narrow(t, userKey, userKeySize, result);
  if (filtered && loaded == 0 && !passesFilter(t, userKey, userKeySize)) return GET_ABSENT;
  if (!ahead) narrowed = narrow(t, userKey, userKeySize, result);
  if (narrowed && narrowedPlace != 0 && loaded == 0 && cache != 0) {
    const status = getThere(t, cache, narrowedPlace, userKey, userKeySize, sequence, result);
    if (status == GET_FOUND && filtered) countUp(t, STAT_FILTER_TRUE_POSITIVE);
    return status;
  }
  const target = lookupKey(userKey, userKeySize, sequence);
  if (target == 0) unreachable();
  if (narrowed) {
    blockCursorSeekWithin(t + T_CURSOR, target, userKeySize + TRAILER_SIZE, narrowedLow, narrowedHigh);
  } else {
    blockCursorSeek(t + T_CURSOR, target, userKeySize + TRAILER_SIZE);
  }
  // With a loaded block the blocks before it were searched by the call that asked for it.
  if (loaded != 0) {
    const wanted = load<f64>(result, R_HANDLE_OFFSET);
    while (load<u32>(t, I_VALID) != 0 && load<f64>(t, I_HANDLE_OFFSET) != wanted) blockCursorNext(t + T_CURSOR);
  }
  const status = searchBlocks(t, cache, userKey, userKeySize, sequence, loaded, result);
  if (status == GET_FOUND && filtered) countUp(t, STAT_FILTER_TRUE_POSITIVE);
  return status;
}

// @ts-ignore: decorator
@inline
function passesFilter(t: usize, userKey: usize, userKeySize: u32): bool {
  const passes = filterMayMatch(load<u32>(t, T_FILTER), load<u32>(t, T_FILTER_SIZE), userKey, userKeySize);
  store<u32>(t, passes, T_PASSED);
  countUp(t, passes == 0 ? STAT_FILTER_USEFUL : STAT_FILTER_POSITIVE);
  return passes != 0;
}

/** `narrowRestarts` for the index, where it is prepared. */
// @ts-ignore: decorator
@inline
function narrow(t: usize, userKey: usize, userKeySize: u32, result: usize): bool {
  const prefixes: usize = load<u32>(t, T_PREFIXES);
  if (prefixes == 0 || !narrowRestarts(prefixes, userKey, userKeySize)) return false;
  if (narrowedPlace != 0) touchDirectory(narrowedPlace, result);
  return true;
}

/**
 * Has the directory of a block come from memory, all of what a block of 4 KiB has at once, while the filter does: the lock of
 * the block's shard, behind which it is looked at, keeps the processor from reading ahead. The address may be out of date; what
 * is read counts for nothing, and goes into the result, where it is overwritten, lest the loads are optimized away.
 */
// @ts-ignore: decorator
@inline
function touchDirectory(place: usize, result: usize): void {
  const d: usize = load<u32>(place, PLACE_SHORTCUT);
  const ofDefaultBlock = load<u32>(d) + load<u32>(d, 64) + load<u32>(d, 128) + load<u32>(d, 192) + load<u32>(d, 256);
  store<u32>(result, ofDefaultBlock + load<u32>(d, 320) + load<u32>(d, 380), R_TYPE);
}

/** Searches the one data block that can hold the key, if it is in the cache. */
function getThere(
  t: usize,
  cache: usize,
  place: usize,
  userKey: usize,
  userKeySize: u32,
  sequence: f64,
  result: usize,
): i32 {
  store<u32>(t, <u32>cache, T_CACHE);
  const flags = load<u32>(t, T_DATA_FLAGS);
  const global = load<f64>(t, T_GLOBAL);
  const status = borrowedGet(
    cache, load<u32>(t, T_TABLE_ID), place, flags, global, userKey, userKeySize, sequence, result,
  );
  countUp(t, status == GET_NEED_BLOCK ? STAT_BLOCK_MISSES : STAT_BLOCK_HITS);
  if (status == GET_FOUND || status == GET_ABSENT) return status;
  store<f64>(result, <f64>handleOfPlace(load<u32>(t, T_PREFIXES), place), R_HANDLE_OFFSET);
  store<f64>(result, <f64>placeHandleSize, R_HANDLE_SIZE);
  return status;
}

/** Searches the data block that the index cursor names, and the following ones as long as the key can go on in them. */
function searchBlocks(
  t: usize,
  cache: usize,
  userKey: usize,
  userKeySize: u32,
  sequence: f64,
  loaded: usize,
  result: usize,
): i32 {
  let own = loaded;
  while (load<u32>(t, I_VALID) != 0) {
    if (startsBehind(t, userKey, userKeySize)) return GET_ABSENT;
    const offset = load<f64>(t, I_HANDLE_OFFSET);
    let block = own;
    if (block == 0) {
      if (cache != 0) block = cacheLookup(cache, load<u32>(t, T_TABLE_ID), offset);
      countUp(t, block == 0 ? STAT_BLOCK_MISSES : STAT_BLOCK_HITS);
      if (block == 0) return nameBlock(t, result, GET_NEED_BLOCK);
    }
    const flags = load<u32>(t, T_DATA_FLAGS);
    const comparator = load<u32>(t, T_COMPARATOR);
    const global = load<f64>(t, T_GLOBAL);
    const status = blockGet(
      block, blockSize(block), flags, comparator, global, userKey, userKeySize, sequence, result,
    );
    if (status == GET_FOUND) {
      if (own != 0) blockRetain(block);
      store<u32>(result, <u32>block, R_BLOCK);
      return GET_FOUND;
    }
    if (own == 0) blockRelease(block);
    if (status == GET_CORRUPT) return nameBlock(t, result, GET_CORRUPT);
    if (status != GET_BLOCK_ENDED || !mayGoOn(t, userKey, userKeySize)) return GET_ABSENT;
    own = 0;
    blockCursorNext(t + T_CURSOR);
  }
  if (load<u32>(t, I_ERROR) == 0) return GET_ABSENT;
  store<f64>(result, 0, R_HANDLE_OFFSET);
  store<f64>(result, 0, R_HANDLE_SIZE);
  return GET_CORRUPT;
}

/** Puts the handle at the index cursor into the result. */
function nameBlock(t: usize, result: usize, status: i32): i32 {
  store<f64>(result, load<f64>(t, I_HANDLE_OFFSET), R_HANDLE_OFFSET);
  store<f64>(result, load<f64>(t, I_HANDLE_SIZE), R_HANDLE_SIZE);
  return status;
}

/** Whether an index with first keys shows that the block begins behind the key. */
// @ts-ignore: decorator
@inline
function startsBehind(t: usize, userKey: usize, userKeySize: u32): bool {
  if ((load<u32>(t, T_INDEX_FLAGS) & FLAG_FIRST_KEYS) == 0) return false;
  const size = load<u32>(t, I_FIRST_KEY_SIZE);
  if (size < TRAILER_SIZE) return false;
  const first: usize = load<u32>(t, I_FIRST_KEY);
  return compareUser(load<u32>(t, T_COMPARATOR), userKey, userKeySize, first, size - TRAILER_SIZE) < 0;
}

/** Whether versions of the key may follow in the next block. */
function mayGoOn(t: usize, userKey: usize, userKeySize: u32): bool {
  if ((load<u32>(t, T_INDEX_FLAGS) & FLAG_INTERNAL_KEYS) == 0) return false;
  const key: usize = load<u32>(t, I_KEY);
  const size = load<u32>(t, I_KEY_SIZE) - TRAILER_SIZE;
  return compareUser(load<u32>(t, T_COMPARATOR), userKey, userKeySize, key, size) == 0;
}

// @ts-ignore: decorator
@inline
function countUp(t: usize, stat: usize): void {
  const stats: usize = load<u32>(t, T_STATS);
  if (stats != 0) store<f64>(stats + stat, load<f64>(stats + stat) + 1);
}
