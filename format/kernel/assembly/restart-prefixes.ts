/**
 * Narrows the binary search over the restart points of a pinned index block: eight bytes of each restart key, behind what all
 * of them have in common, in a dense array, with every 64th in a second one. A search in a large index then touches three or
 * four cache lines instead of two for each halving. Where every entry is a restart point, the offsets of the data blocks lie
 * decoded beside them, each with a shortcut to the directory of the block while that is in the cache (`block-cache.ts`), so that
 * a search which the prefixes decide touches the index block no more. Only for bytewise order; whatever the prefixes leave
 * open, equal ones or a key that lacks the common part, is searched in the block itself.
 */
import { sharedPrefix, TRAILER_SIZE } from './compare';
import { headerNonShared, restartKey } from './block-format';
import { readVarint64, varintNext } from './bytes';
import { free, malloc } from './memory';
import { countBelow, searchWord } from './word-search';

// The structure: header, sampled prefixes, all prefixes, places.
const P_COUNT: usize = 0;
const P_COMMON_SIZE: usize = 4; // bytes that all restart keys begin with
const P_COMMON: usize = 8; // where they are: in the block
const P_SAMPLES: usize = 12; // address
const P_WORDS: usize = 16; // address
const P_PLACES: usize = 20; // address of the places by restart point, 0 none
const P_BLOCK: usize = 24;
const P_RESTARTS: usize = 28;
const P_DELTA: usize = 32;
const HEADER_SIZE: u32 = 40;
// A place: where a data block is.
const PLACE_SIZE: u32 = 8;
/** u32: its offset in the file. */
export const PLACE_OFFSET: usize = 0;
/** u32: its directory, while the cache has it (`cacheBorrow`); else 0. */
export const PLACE_SHORTCUT: usize = 4;
const SAMPLE_SHIFT: u32 = 6;
/** Below this the block itself is small enough to stay in the nearest cache. */
const RESTARTS_MIN: u32 = 64;

/** The range of restart points that may be the last one below a key; set by `narrowRestarts`. */
export let narrowedLow: u32 = 0;
export let narrowedHigh: u32 = 0;
/** What `narrowRestarts` decided: the place of the block to look in, 0 for none or undecided. */
export let narrowedPlace: usize = 0;
/** Set by `handleOfPlace`. */
export let placeHandleSize: u64 = 0;

/**
 * Prefixes of the restart keys of a block whose entries end at `restarts`; `trailer` bytes end each key. 0 when they would not
 * help, a key is malformed or memory is short: searches then work without.
 */
export function makeRestartPrefixes(block: usize, restarts: usize, count: u32, delta: bool, internal: bool): usize {
  if (count < RESTARTS_MIN) return 0;
  const trailer: u32 = internal ? TRAILER_SIZE : 0;
  const first = restartKey(block, restarts, 0, delta);
  if (first == 0 || headerNonShared < trailer) return 0;
  const firstSize = headerNonShared - trailer;
  const last = restartKey(block, restarts, count - 1, delta);
  if (last == 0 || headerNonShared < trailer) return 0;
  const common = sharedPrefix(first, firstSize, last, headerNonShared - trailer);
  const samples = ((count - 1) >> SAMPLE_SHIFT) + 1;
  const p = malloc(HEADER_SIZE + samples * 8 + count * (8 + PLACE_SIZE));
  if (p == 0) return 0;
  const sampleWords = p + HEADER_SIZE;
  const words = sampleWords + (<usize>samples << 3);
  store<u32>(p, count, P_COUNT);
  store<u32>(p, common, P_COMMON_SIZE);
  store<u32>(p, <u32>first, P_COMMON);
  store<u32>(p, <u32>sampleWords, P_SAMPLES);
  store<u32>(p, <u32>words, P_WORDS);
  store<u32>(p, <u32>block, P_BLOCK);
  store<u32>(p, <u32>restarts, P_RESTARTS);
  store<u32>(p, delta ? 1 : 0, P_DELTA);
  let places = words + (<usize>count << 3);
  let before: i64 = i64.MIN_VALUE;
  for (let i: u32 = 0; i < count; i++) {
    const key = restartKey(block, restarts, i, delta);
    const size = headerNonShared;
    // A block that is out of order, or whose keys do not share what first and last do, is left to the plain search.
    const inOrder = key != 0 && size >= trailer + common;
    const word = inOrder ? searchWord(key + common, size - trailer - common) : 0;
    if (!inOrder || word < before) {
      free(p);
      return 0;
    }
    before = word;
    store<i64>(words + (<usize>i << 3), word);
    if ((i & ((1 << SAMPLE_SHIFT) - 1)) == 0) store<i64>(sampleWords + (<usize>(i >> SAMPLE_SHIFT) << 3), word);
    const next = i + 1 < count ? block + load<u32>(restarts + (<usize>(i + 1) << 2)) : restarts;
    if (places != 0 && !makePlace(key + size, next, places + <usize>i * PLACE_SIZE)) places = 0;
  }
  store<u32>(p, <u32>places, P_PLACES);
  return p;
}

/** From the handle at `at`; false unless it ends at `end`, where the next restart point begins, and the offset has 32 bits. */
function makePlace(at: usize, end: usize, place: usize): bool {
  if (at >= end) return false;
  const offset = readVarint64(at, end);
  if (varintNext == 0 || offset > <u64>u32.MAX_VALUE) return false;
  readVarint64(varintNext, end);
  store<u32>(place, <u32>offset, PLACE_OFFSET);
  store<u32>(place, 0, PLACE_SHORTCUT);
  return varintNext == end;
}

/** Sets `placeHandleSize` for a place, which lacks it; returns the offset. The index block was checked when places were made. */
export function handleOfPlace(p: usize, place: usize): u32 {
  const index = <u32>(place - load<u32>(p, P_PLACES)) / PLACE_SIZE;
  const restarts: usize = load<u32>(p, P_RESTARTS);
  const key = restartKey(load<u32>(p, P_BLOCK), restarts, index, load<u32>(p, P_DELTA) != 0);
  const offset = readVarint64(key + headerNonShared, restarts);
  placeHandleSize = readVarint64(varintNext, restarts);
  return <u32>offset;
}

/** The places, `placesEnd` behind the last; 0 none. */
export function firstPlace(p: usize): usize {
  return load<u32>(p, P_PLACES);
}

/** See `firstPlace`. */
export function placesEnd(p: usize): usize {
  return load<u32>(p, P_PLACES) + load<u32>(p, P_COUNT) * PLACE_SIZE;
}

/** The place behind this one. */
// @ts-ignore: decorator
@inline
export function nextPlace(place: usize): usize {
  return place + PLACE_SIZE;
}

/** Frees them, whose shortcuts must be cut; 0 is ignored. */
export function freeRestartPrefixes(p: usize): void {
  free(p);
}

/**
 * Sets `narrowedLow` and `narrowedHigh` so that the last restart point whose key is below the user key lies between them,
 * both included, if there is one. False when the prefixes cannot tell.
 */
export function narrowRestarts(p: usize, userKey: usize, userKeySize: u32): bool {
  narrowedPlace = 0;
  const common = load<u32>(p, P_COMMON_SIZE);
  if (userKeySize < common || sharedPrefix(load<u32>(p, P_COMMON), common, userKey, common) != common) return false;
  const word = searchWord(userKey + common, userKeySize - common);
  const count = load<u32>(p, P_COUNT);
  const words: usize = load<u32>(p, P_WORDS);
  const samples: usize = load<u32>(p, P_SAMPLES);
  // First by samples: how many of them are below the word.
  const sampled = countBelow(samples, ((count - 1) >> SAMPLE_SHIFT) + 1, word);
  const from: u32 = sampled == 0 ? 0 : (sampled - 1) << SAMPLE_SHIFT;
  const below: u32 = from + countBelow(words + (<usize>from << 3), min(count, sampled << SAMPLE_SHIFT) - from, word);
  let equalEnd = below;
  while (equalEnd < count && load<i64>(words + (<usize>equalEnd << 3)) == word) equalEnd++;
  const places: usize = load<u32>(p, P_PLACES);
  // With no prefix equal, the first restart point behind the key is known, and if each is an entry, that is the entry.
  narrowedPlace = places != 0 && equalEnd == below && below < count ? places + <usize>below * PLACE_SIZE : 0;
  narrowedLow = below == 0 ? 0 : below - 1;
  narrowedHigh = equalEnd == 0 ? 0 : equalEnd - 1;
  return true;
}
