/**
 * The question that every filter answers: may this key be in the file? The last five bytes of a filter block say its kind.
 * A block that cannot be understood matches everything: that costs a read, while a wrong "no" would lose a key.
 */
import { bloomMayMatch, legacyBloomMayMatch } from './bloom';
import { filterHash64 } from './filter-hash';
import { ribbonMayMatch } from './ribbon';

/** Bytes behind the bits of every filter block. */
export const FILTER_METADATA_SIZE: u32 = 5;

/** The first metadata byte of a FastLocalBloom block. */
export const FILTER_KIND_BLOOM: i32 = -1;
/** The first metadata byte of a Standard128Ribbon block. */
export const FILTER_KIND_RIBBON: i32 = -2;

/** 0 if the key (a user key or a prefix) was surely not added to the filter block, else 1. */
export function filterMayMatch(filter: usize, size: u32, key: usize, keySize: u32): u32 {
  if (size <= FILTER_METADATA_SIZE) return 0;
  const bits = size - FILTER_METADATA_SIZE;
  const metadata = filter + bits;
  const kind = <i32>load<i8>(metadata);
  if (kind == FILTER_KIND_BLOOM) return bloomMayMatch(filter, bits, filterHash64(key, keySize));
  if (kind == FILTER_KIND_RIBBON) return ribbonMayMatch(filter, bits, filterHash64(key, keySize));
  if (kind > 0) return legacyBloomMayMatch(filter, bits, <u32>kind, key, keySize);
  return 1;
}
