/**
 * The layout of a block of sorted entries, as its readers see it: the footer with restart points and hash index, and
 * the lengths in front of an entry. Results of more than one number are left in globals, which belong to the instance
 * and so to one thread.
 */
import { readVarint32 } from './bytes';

/** Bits of `flags`; `abi/block.ts` explains them. */
export const FLAG_INTERNAL_KEYS: u32 = 1;
export const FLAG_USER_KEYS: u32 = 2;
export const FLAG_DELTA_VALUES: u32 = 4;
export const FLAG_HANDLES: u32 = 8;
export const FLAG_FIRST_KEYS: u32 = 16;
export const FLAG_GLOBAL_SEQUENCE: u32 = 32;
export const FLAG_DATA_BLOCK: u32 = 64;

/** Bytes between two blocks of a file: type and checksum. */
export const BLOCK_TRAILER_SIZE: u32 = 5;
/** A data block above this size never has a hash index, and its last word is a plain count. */
export const HASH_INDEX_BLOCK_SIZE_MAX: u32 = 65536;
/** A hash index can name restart points up to this one. */
export const HASH_INDEX_RESTART_MAX: u32 = 253;
export const HASH_INDEX_COLLISION: u32 = 254;
export const HASH_INDEX_NO_ENTRY: u32 = 255;
/** Seed of `GetSliceHash`. */
export const HASH_INDEX_SEED: u32 = 397;

const FOOTER_HASH_INDEX: u32 = 1 << 31;
/** Newer versions mark blocks of evenly spread keys; it changes no byte of the entries. No count reaches this bit. */
const FOOTER_UNIFORM_KEYS: u32 = 1 << 29;

/** Address of the restart offsets of the footer parsed last, which is also the end of its entries. */
export let footerRestarts: usize = 0;
export let footerNumRestarts: u32 = 0;
/** Address and count of the hash index's buckets; count 0: none. */
export let footerBuckets: usize = 0;
export let footerNumBuckets: u32 = 0;

/** Finds the parts of the block `[block, block + size)`; false if they do not fit into it. */
export function parseFooter(block: usize, size: u32, flags: u32): bool {
  if (size < 8) return false;
  let limit = size - 4;
  let count = load<u32>(block + limit);
  footerNumBuckets = 0;
  if ((flags & FLAG_DATA_BLOCK) != 0 && size <= HASH_INDEX_BLOCK_SIZE_MAX && (count & FOOTER_HASH_INDEX) != 0) {
    count &= ~FOOTER_HASH_INDEX;
    limit -= 2;
    const buckets = <u32>load<u16>(block + limit);
    if (buckets == 0 || buckets > limit) return false;
    limit -= buckets;
    footerBuckets = block + limit;
    footerNumBuckets = buckets;
  }
  count &= ~FOOTER_UNIFORM_KEYS;
  if (count == 0 || count > limit >> 2) return false;
  const restarts = block + limit - (count << 2);
  footerRestarts = restarts;
  footerNumRestarts = count;
  // The first entry must be a restart point, else a walk and a search would see different entries.
  return load<u32>(restarts) == 0;
}

/** Lengths of the entry whose header was parsed last. */
export let headerShared: u32 = 0;
export let headerNonShared: u32 = 0;
export let headerValueSize: u32 = 0;

/**
 * Reads the lengths of the entry at `p`; returns the address of its key suffix, or 0 if key or value would pass `end`.
 * Without value lengths (`delta`) only the key is checked and the value size is 0.
 */
export function parseHeader(p: usize, end: usize, delta: bool): usize {
  const shared = readVarint32(p, end);
  if (shared == 0) return 0;
  const nonShared = readVarint32(<usize>(shared >> 32), end);
  if (nonShared == 0) return 0;
  let at = <usize>(nonShared >> 32);
  headerShared = <u32>shared;
  headerNonShared = <u32>nonShared;
  headerValueSize = 0;
  if (!delta) {
    const valueSize = readVarint32(at, end);
    if (valueSize == 0) return 0;
    at = <usize>(valueSize >> 32);
    headerValueSize = <u32>valueSize;
  }
  return <u64>headerNonShared + <u64>headerValueSize <= <u64>(end - at) ? at : 0;
}

/** Address of the key of restart point `index`, whose size is then `headerNonShared`; 0 if it is malformed. */
export function restartKey(block: usize, restarts: usize, index: u32, delta: bool): usize {
  const offset = load<u32>(restarts + (<usize>index << 2));
  if (offset >= <u32>(restarts - block)) return 0;
  const p = block + offset;
  if (!delta) {
    const lengths = load<u32>(p);
    if ((lengths & 0x8080ff) == 0) {
      const nonShared = (lengths >> 8) & 0x7f;
      headerNonShared = nonShared;
      const end = p + 3 + nonShared + ((lengths >> 16) & 0x7f);
      return end <= restarts ? p + 3 : 0;
    }
  }
  const key = parseHeader(p, restarts, delta);
  return key != 0 && headerShared == 0 ? key : 0;
}
