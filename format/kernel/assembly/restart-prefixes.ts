/**
 * Narrows the binary search over the restart points of a pinned index block: eight bytes of each restart key, behind what all
 * of them have in common, in a dense array, with every 64th in a second one. A search in a large index then touches three or
 * four cache lines instead of two for each halving. Where every entry is a restart point, the block handles lie decoded beside
 * them, so that a search which the prefixes decide touches the index block no more. Only for bytewise order; whatever the
 * prefixes leave open, equal ones or a key that lacks the common part, is searched in the block itself.
 */
import { countBelow, prefixWord, sharedPrefix, TRAILER_SIZE } from './compare';
import { headerNonShared, restartKey } from './block-format';
import { readVarint64, varintNext } from './bytes';
import { free, malloc } from './memory';

// The structure: header, sampled prefixes, all prefixes, handles.
const P_COUNT: usize = 0;
const P_COMMON_SIZE: usize = 4; // bytes that all restart keys begin with
const P_COMMON: usize = 8; // where they are: in the block
const P_SAMPLES: usize = 12; // address
const P_WORDS: usize = 16; // address
const P_HANDLES: usize = 20; // address of {offset f64, size f64} by restart point, 0 none
const HEADER_SIZE: u32 = 24;
const HANDLE_SIZE: u32 = 16;
const SAMPLE_SHIFT: u32 = 6;
/** Below this the block itself is small enough to stay in the nearest cache. */
const RESTARTS_MIN: u32 = 64;

/** The range of restart points that may be the last one below a key; set by `narrowRestarts`. */
export let narrowedLow: u32 = 0;
export let narrowedHigh: u32 = 0;
/** What `narrowRestarts` decided: the handle of the block to look in, 0 for none or undecided. */
export let narrowedHandle: usize = 0;

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
  const p = malloc(HEADER_SIZE + samples * 8 + count * (8 + HANDLE_SIZE));
  if (p == 0) return 0;
  const sampleWords = p + HEADER_SIZE;
  const words = sampleWords + (<usize>samples << 3);
  store<u32>(p, count, P_COUNT);
  store<u32>(p, common, P_COMMON_SIZE);
  store<u32>(p, <u32>first, P_COMMON);
  store<u32>(p, <u32>sampleWords, P_SAMPLES);
  store<u32>(p, <u32>words, P_WORDS);
  let handles = words + (<usize>count << 3);
  let before: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const key = restartKey(block, restarts, i, delta);
    const size = headerNonShared;
    // A block that is out of order, or whose keys do not share what first and last do, is left to the plain search.
    const inOrder = key != 0 && size >= trailer + common;
    const word = inOrder ? prefixWord(key + common, size - trailer - common) : 0;
    if (!inOrder || word < before) {
      free(p);
      return 0;
    }
    before = word;
    store<u64>(words + (<usize>i << 3), word);
    if ((i & ((1 << SAMPLE_SHIFT) - 1)) == 0) store<u64>(sampleWords + (<usize>(i >> SAMPLE_SHIFT) << 3), word);
    const next = i + 1 < count ? block + load<u32>(restarts + (<usize>(i + 1) << 2)) : restarts;
    if (handles != 0 && !decodeHandle(key + size, next, handles + <usize>i * HANDLE_SIZE)) handles = 0;
  }
  store<u32>(p, <u32>handles, P_HANDLES);
  return p;
}

/** Decodes the handle at `at`; false unless it ends at `end`, where the next restart point begins. */
function decodeHandle(at: usize, end: usize, to: usize): bool {
  if (at >= end) return false;
  store<f64>(to, <f64>readVarint64(at, end));
  if (varintNext == 0) return false;
  store<f64>(to, <f64>readVarint64(varintNext, end), 8);
  return varintNext == end;
}

/** Frees them; 0 is ignored. */
export function freeRestartPrefixes(p: usize): void {
  free(p);
}

/**
 * Sets `narrowedLow` and `narrowedHigh` so that the last restart point whose key is below the user key lies between them,
 * both included, if there is one. False when the prefixes cannot tell.
 */
export function narrowRestarts(p: usize, userKey: usize, userKeySize: u32): bool {
  narrowedHandle = 0;
  const common = load<u32>(p, P_COMMON_SIZE);
  if (userKeySize < common || sharedPrefix(load<u32>(p, P_COMMON), common, userKey, common) != common) return false;
  const word = prefixWord(userKey + common, userKeySize - common);
  const count = load<u32>(p, P_COUNT);
  const words: usize = load<u32>(p, P_WORDS);
  const samples: usize = load<u32>(p, P_SAMPLES);
  // First by samples: how many of them are below the word.
  const sampled = countBelow(samples, ((count - 1) >> SAMPLE_SHIFT) + 1, word);
  const from: u32 = sampled == 0 ? 0 : (sampled - 1) << SAMPLE_SHIFT;
  const below: u32 = from + countBelow(words + (<usize>from << 3), min(count, sampled << SAMPLE_SHIFT) - from, word);
  let equalEnd = below;
  while (equalEnd < count && load<u64>(words + (<usize>equalEnd << 3)) == word) equalEnd++;
  const handles: usize = load<u32>(p, P_HANDLES);
  // With no prefix equal, the first restart point behind the key is known, and if each is an entry, that is the entry.
  narrowedHandle = handles != 0 && equalEnd == below && below < count ? handles + <usize>below * HANDLE_SIZE : 0;
  narrowedLow = below == 0 ? 0 : below - 1;
  narrowedHigh = equalEnd == 0 ? 0 : equalEnd - 1;
  return true;
}
