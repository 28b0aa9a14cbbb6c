/** Block checksums by type, and 64-bit hashes as two halves for the host. */
import { crc32c, crc32cMask } from './crc32c';
import { filterHash64 } from './filter-hash';
import { xxh32Hash } from './xxh32';
import { xxh3Hash } from './xxh3';
import { xxh64Hash } from './xxh64';

const CHECKSUM_CRC32C: u32 = 1;
const CHECKSUM_XXHASH: u32 = 2;
const CHECKSUM_XXHASH64: u32 = 3;
const CHECKSUM_XXH3: u32 = 4;

/** By this the last byte is mixed into a type 4 checksum, so that it need not lie behind the others. */
const LAST_BYTE_FACTOR: u32 = 0x6b9083d9;

let high: u32 = 0;

/** The checksum of the given type over a whole buffer; 0 for type 0 and for types that are not known. */
export function bufferChecksum(type: u32, p: usize, size: u32): u32 {
  if (type == CHECKSUM_XXH3) {
    if (size == 0) return 0;
    return <u32>xxh3Hash(p, size - 1) ^ (<u32>load<u8>(p + size - 1) * LAST_BYTE_FACTOR);
  }
  if (type == CHECKSUM_CRC32C) return crc32cMask(crc32c(p, size));
  if (type == CHECKSUM_XXHASH) return xxh32Hash(p, size);
  if (type == CHECKSUM_XXHASH64) return <u32>xxh64Hash(p, size);
  return 0;
}

/** The checksum over a block of `size` bytes and its compression type, which is stored behind it, at `p + size`. */
export function blockChecksum(type: u32, p: usize, size: u32, compressionType: u32): u32 {
  store<u8>(p + size, <u8>compressionType);
  return bufferChecksum(type, p, size + 1);
}

/** The high half of the 64-bit hash computed last by this thread. */
export function hashHigh(): u32 {
  return high;
}

// @ts-ignore: decorator
@inline
function halves(hash: u64): u32 {
  high = <u32>(hash >> 32);
  return <u32>hash;
}

/** `Hash64` of filters: the low half. */
export function hash64(p: usize, size: u32): u32 {
  return halves(filterHash64(p, size));
}

/** XXH3, the low half. */
export function xxh3(p: usize, size: u32): u32 {
  return halves(xxh3Hash(p, size));
}

/** XXH64, the low half. */
export function xxh64(p: usize, size: u32): u32 {
  return halves(xxh64Hash(p, size));
}

/** XXH32. */
export function xxh32(p: usize, size: u32): u32 {
  return xxh32Hash(p, size);
}
