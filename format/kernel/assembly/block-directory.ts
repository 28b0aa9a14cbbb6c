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
import { COMPARATOR_BYTEWISE, countBelow, equalBytes, prefixWord, sharedPrefix, TRAILER_SIZE } from './compare';
import { C_ERROR, C_KEY, C_KEY_SIZE, C_VALID } from './cursor-head';
import { malloc, SLACK } from './memory';

/** Stands for the directory of a block that can have none, or needs none. */
export const NO_DIRECTORY: usize = 1;

// The structure: counts, the common bytes, the words, the offsets (u16) of the entries.
const D_SIZE: usize = 0; // u32: bytes of all
const D_COUNT: usize = 4; // u16
const D_COMMON_SIZE: usize = 6; // u16
const HEADER_SIZE: u32 = 8;
const WORD_SIZE: u32 = 8;
const COMMON_SIZE_MAX: u32 = 240;
/** Fewer entries lie close enough together. */
const COUNT_MIN: u32 = 4;
/** Offsets are u16. */
const BLOCK_SIZE_MAX: u32 = 65535;

let cursor: usize = 0;
// What `measure` found.
let count: u32 = 0;
let common: u32 = 0;

/** Bytes of a directory. */
export function directorySize(directory: usize): u32 {
  return load<u32>(directory, D_SIZE);
}

/** The directory of a data block, or `NO_DIRECTORY`. */
export function makeDirectory(block: usize, size: u32, flags: u32): usize {
  if (size > BLOCK_SIZE_MAX) return NO_DIRECTORY;
  if (cursor == 0) cursor = blockCursorCreate();
  if (cursor == 0 || !measure(block, size, flags) || count < COUNT_MIN) return NO_DIRECTORY;
  const commonRoom = (common + 7) & ~7;
  const bytes = HEADER_SIZE + commonRoom + count * (WORD_SIZE + 2);
  const directory = malloc(bytes + <u32>SLACK);
  if (directory == 0) return NO_DIRECTORY;
  store<u32>(directory, bytes, D_SIZE);
  store<u16>(directory, <u16>count, D_COUNT);
  store<u16>(directory, <u16>common, D_COMMON_SIZE);
  blockCursorSeekToFirst(cursor);
  copyExact(directory + HEADER_SIZE, load<u32>(cursor, C_KEY), common);
  const words = directory + HEADER_SIZE + commonRoom;
  const offsets = words + (<usize>count << 3);
  for (let i: u32 = 0; i < count; i++) {
    const key: usize = load<u32>(cursor, C_KEY);
    store<u64>(words + (<usize>i << 3), prefixWord(key + common, load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE - common));
    store<u16>(offsets + (<usize>i << 1), <u16>(load<u32>(cursor, C_CURRENT) - load<u32>(cursor, C_BLOCK)));
    blockCursorNext(cursor);
  }
  return directory;
}

/** Walks the block: how many entries it has and what their keys share; false for one that is malformed or out of order. */
function measure(block: usize, size: u32, flags: u32): bool {
  if (blockCursorInit(cursor, block, size, flags & ~FLAG_GLOBAL_SEQUENCE, COMPARATOR_BYTEWISE, 0) == 0) return false;
  blockCursorSeekToFirst(cursor);
  if (load<u32>(cursor, C_VALID) == 0) return false;
  // The first key is stored whole, so it is shown where it lies and stays there.
  const first: usize = load<u32>(cursor, C_KEY);
  common = min(load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE, COMMON_SIZE_MAX);
  count = 0;
  for (; load<u32>(cursor, C_VALID) != 0; blockCursorNext(cursor)) {
    const key: usize = load<u32>(cursor, C_KEY);
    common = min(common, sharedPrefix(first, common, key, load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE));
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
  const word = prefixWord(key + commonSize, keySize - commonSize);
  let i = countBelow(words, entries, word);
  for (; i < entries && load<u64>(words + (<usize>i << 3)) == word; i++) {
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
