/**
 * The hashes of filters and of the hash index. `filterHash64` is RocksDB's `Hash64`: XXH3 as it stood in xxHash 0.7.2,
 * frozen because filters on disk depend on it. `hash32` is its older `Hash`, Murmur-like, with a sign-extended tail that
 * is part of the format too; LevelDB's own has the tail unsigned.
 */
import {
  P32_1,
  P64_1,
  P64_2,
  P64_3,
  SECRET,
  avalanche,
  fold,
  hashLong,
  mix129To240,
  mix17To128,
} from './xxh3';

const MURMUR: u32 = 0xc6a4a793;

/** Seed of `BloomHash`, the hash of legacy Bloom filters. */
export const BLOOM_HASH_SEED: u32 = 0xbc9f1d34;
/** Seed of `GetSliceHash`, the hash of the data-block hash index. */
export const SLICE_HASH_SEED: u32 = 397;

/** `Hash64` of a key, seed 0. */
export function filterHash64(p: usize, size: u32): u64 {
  if (size <= 16) return hash0To16(p, size);
  if (size <= 128) return avalanche(mix17To128(p, size), P64_3);
  if (size <= 240) return avalanche(mix129To240(p, size, P64_3), P64_3);
  return avalanche(hashLong(p, size, true), P64_3);
}

function hash0To16(p: usize, size: u32): u64 {
  if (size > 8) {
    const low = load<u64>(p) ^ load<u64>(SECRET);
    const high = load<u64>(p + size - 8) ^ load<u64>(SECRET, 8);
    return avalanche(<u64>size + low + high + fold(low, high), P64_3);
  }
  if (size >= 4) {
    const value = <u64>load<u32>(p) | (<u64>load<u32>(p + size - 4) << 32);
    const key = value ^ load<u64>(SECRET);
    const m = <u64>size + (key ^ (key >> 51)) * <u64>P32_1;
    return avalanche((m ^ (m >> 47)) * P64_2, P64_3);
  }
  if (size == 0) return fold(load<u64>(SECRET), P64_2);
  const first = <u32>load<u8>(p);
  const middle = <u32>load<u8>(p + (size >> 1));
  const last = <u32>load<u8>(p + size - 1);
  const combined = first | (middle << 8) | (last << 16) | (size << 24);
  return avalanche(<u64>(combined ^ load<u32>(SECRET)) * P64_1, P64_3);
}

/** RocksDB's 32-bit `Hash`. */
export function hash32(p: usize, size: u32, seed: u32): u32 {
  const body = size & ~3;
  let h = hashWords(p, body, size, seed);
  const tail = p + body;
  const rest = size & 3;
  if (rest == 0) return h;
  if (rest == 3) h += <u32>load<i8>(tail, 2) << 16;
  if (rest >= 2) h += <u32>load<i8>(tail, 1) << 8;
  return finish(h + <u32>load<i8>(tail));
}

/** LevelDB's 32-bit `Hash`. */
export function hash32Unsigned(p: usize, size: u32, seed: u32): u32 {
  const body = size & ~3;
  let h = hashWords(p, body, size, seed);
  const tail = p + body;
  const rest = size & 3;
  if (rest == 0) return h;
  if (rest == 3) h += <u32>load<u8>(tail, 2) << 16;
  if (rest >= 2) h += <u32>load<u8>(tail, 1) << 8;
  return finish(h + <u32>load<u8>(tail));
}

// @ts-ignore: decorator
@inline
function hashWords(p: usize, body: u32, size: u32, seed: u32): u32 {
  let h = seed ^ (size * MURMUR);
  for (let i: u32 = 0; i < body; i += 4) {
    h = (h + load<u32>(p + i)) * MURMUR;
    h ^= h >> 16;
  }
  return h;
}

// @ts-ignore: decorator
@inline
function finish(hash: u32): u32 {
  const h = hash * MURMUR;
  return h ^ (h >> 24);
}
