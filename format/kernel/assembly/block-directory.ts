/**
 * A directory of a data block that point lookups come back to: eight bytes of each user key, behind what all keys of the
 * block have in common, in a dense array, and where each entry lies. With it a lookup reads two or three cache lines of the
 * directory and one or two of the block, where a search over restart points and a walk through half an interval read a dozen,
 * one waiting for the other. Only for bytewise order.
 *
 * It decides whatever it can see whole: an entry whose stored suffix begins no later than the eight bytes end. The rest is
 * left to `blockGet`. Entries were checked when the directory was made, and blocks never change.
 */
import {
  blockCursorCreate,
  blockCursorInit,
  blockCursorNext,
  blockCursorSeekToFirst,
  blockCursorSeekToLast,
} from './block-cursor';
import { C_BLOCK, C_CURRENT } from './block-cursor-layout';
import {
  FLAG_GLOBAL_SEQUENCE,
  headerNonShared,
  headerShared,
  headerValueSize,
  parseHeader,
} from './block-format';
import { GET_ABSENT, GET_BLOCK_ENDED, GET_UNDECIDED, getFound } from './block-get-result';
import { copyExact } from './bytes';
import { DIRECTORY_HEAD_SIZE } from './cache-layout';
import { COMPARATOR_BYTEWISE, equalBytes, sharedPrefix, TRAILER_SIZE } from './compare';
import { C_ERROR, C_KEY, C_KEY_SIZE, C_VALID } from './cursor-head';
import { free, malloc, SLACK } from './memory';
import { countBelow, searchWord } from './word-search';

/** Stands for the directory of a block that can have none, or needs none. */
export const NO_DIRECTORY: usize = 1;

// The structure: what the cache keeps, counts, the common bytes, the words, the offsets (u16) of the entries.
const D_SIZE: usize = 16; // u32: bytes of all
const D_COUNT: usize = 20; // u16
const D_COMMON_SIZE: usize = 22; // u16
const HEADER_SIZE: u32 = DIRECTORY_HEAD_SIZE + 8;
const WORD_SIZE: u32 = 8;
const COMMON_SIZE_MAX: u32 = 240;
/** Fewer entries lie close enough together. */
const COUNT_MIN: u32 = 4;
/** Three lengths. */
const ENTRY_SIZE_MIN: u32 = 3;
/** Offsets are u16. */
const BLOCK_SIZE_MAX: u32 = 65535;

let cursor: usize = 0;
/** Where words and offsets are gathered before their count is known; of this thread. */
let gathered: usize = 0;
let gatheredRoom: u32 = 0;
// What `gather` found.
let count: u32 = 0;
let common: u32 = 0;

/** Bytes of a directory. */
export function directorySize(directory: usize): u32 {
  return load<u32>(directory, D_SIZE);
}

/** The directory of a data block, or `NO_DIRECTORY`. */
export function makeDirectory(block: usize, size: u32, flags: u32): usize {
  if (size > BLOCK_SIZE_MAX || !reserve(size) || !gather(block, size, flags) || count < COUNT_MIN) return NO_DIRECTORY;
  const commonRoom = (common + 7) & ~7;
  const bytes = HEADER_SIZE + commonRoom + count * (WORD_SIZE + 2);
  const directory = malloc(bytes + <u32>SLACK);
  if (directory == 0) return NO_DIRECTORY;
  memory.fill(directory, 0, DIRECTORY_HEAD_SIZE);
  store<u32>(directory, bytes, D_SIZE);
  store<u16>(directory, <u16>count, D_COUNT);
  store<u16>(directory, <u16>common, D_COMMON_SIZE);
  // The first key is stored whole, behind a header of three lengths.
  const first = parseHeader(block, block + size, false);
  copyExact(directory + HEADER_SIZE, first, common);
  const words = directory + HEADER_SIZE + commonRoom;
  memory.copy(words, gathered, count << 3);
  memory.copy(words + (<usize>count << 3), offsetsGathered(), count << 1);
  return directory;
}

/** Makes sure of the cursor, and of room for as many entries as fit into a block of `size`; false: out of memory. */
function reserve(size: u32): bool {
  if (cursor == 0) cursor = blockCursorCreate();
  const entries = size / ENTRY_SIZE_MIN + 1;
  if (gatheredRoom < entries) {
    free(gathered);
    gathered = malloc(entries * (WORD_SIZE + 2));
    gatheredRoom = gathered == 0 ? 0 : entries;
  }
  return cursor != 0 && gathered != 0;
}

// @ts-ignore: decorator
@inline
function offsetsGathered(): usize {
  return gathered + (<usize>gatheredRoom << 3);
}

/** Walks the block once and gathers word and offset of each entry; false for one that is malformed or out of order. */
function gather(block: usize, size: u32, flags: u32): bool {
  if (blockCursorInit(cursor, block, size, flags & ~FLAG_GLOBAL_SEQUENCE, COMPARATOR_BYTEWISE, 0) == 0) return false;
  blockCursorSeekToLast(cursor);
  if (load<u32>(cursor, C_VALID) == 0) return false;
  const first = parseHeader(block, block + size, false);
  if (first == 0 || headerShared != 0 || headerNonShared < TRAILER_SIZE) return false;
  const shortest = min(min(headerNonShared, load<u32>(cursor, C_KEY_SIZE)) - TRAILER_SIZE, COMMON_SIZE_MAX);
  common = sharedPrefix(first, shortest, load<u32>(cursor, C_KEY), shortest);
  count = 0;
  let before: i64 = i64.MIN_VALUE;
  for (blockCursorSeekToFirst(cursor); load<u32>(cursor, C_VALID) != 0; blockCursorNext(cursor)) {
    const key: usize = load<u32>(cursor, C_KEY);
    const userSize = load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE;
    if (userSize < common || sharedPrefix(first, common, key, common) != common) return false;
    const word = searchWord(key + common, userSize - common);
    if (word < before) return false;
    before = word;
    store<i64>(gathered + (<usize>count << 3), word);
    store<u16>(offsetsGathered() + (<usize>count << 1), <u16>(load<u32>(cursor, C_CURRENT) - load<u32>(cursor, C_BLOCK)));
    count++;
  }
  return load<u32>(cursor, C_ERROR) == 0;
}

/** Newest version of a user key up to the trailer `newest`: an outcome of `blockGet`, or `GET_UNDECIDED`. */
export function directoryGet(
  directory: usize,
  block: usize,
  size: u32,
  keepMask: u64,
  global: u64,
  key: usize,
  keySize: u32,
  newest: u64,
  result: usize,
): i32 {
  const commonSize = <u32>load<u16>(directory, D_COMMON_SIZE);
  if (keySize < commonSize || !equalBytes(directory + HEADER_SIZE, commonSize, key, commonSize)) return GET_UNDECIDED;
  const words = directory + HEADER_SIZE + ((commonSize + 7) & ~7);
  const entries = <u32>load<u16>(directory, D_COUNT);
  const offsets = words + (<usize>entries << 3);
  const known = commonSize + WORD_SIZE;
  const word = searchWord(key + commonSize, keySize - commonSize);
  let i = countBelow(words, entries, word);
  for (; i < entries && load<i64>(words + (<usize>i << 3)) == word; i++) {
    const suffix = parseHeader(block + load<u16>(offsets + (<usize>i << 1)), block + size, false);
    if (suffix == 0 || headerShared > known || headerNonShared < TRAILER_SIZE) return GET_UNDECIDED;
    const user = headerShared + headerNonShared - TRAILER_SIZE;
    if (user != keySize) continue;
    const at = suffix + (user - headerShared);
    if (user > known && !equalBytes(at - (user - known), user - known, key + known, user - known)) continue;
    const trailer = (load<u64>(at) & keepMask) | global;
    if (trailer <= newest) return getFound(result, trailer, at + TRAILER_SIZE, headerValueSize);
  }
  return i == entries ? GET_BLOCK_ENDED : GET_ABSENT;
}
