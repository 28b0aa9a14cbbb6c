/**
 * Bloom filters, built and probed: FastLocalBloom (format_version 5 and later), whose probes of a key stay in one cache
 * line of 64 bytes, and the legacy one that older files have. Blocks are built whole, metadata included.
 */
import { BLOOM_HASH_SEED, hash32 } from './filter-hash';

const LINE_SIZE: u32 = 64;
const LINE_BITS: u32 = 512;
const METADATA_SIZE: u32 = 5;
const PROBES_MAX: u32 = 30;
const GOLDEN: u32 = 0x9e3779b9;
const BLOOM_BITS_SIZE_MAX: u64 = 0xffff_ffc0;

/** Probes of a FastLocalBloom by the bits it has for each key, in thousandths: RocksDB's measured optimum. */
function probesOf(millibits: u32): u32 {
  if (millibits <= 2080) return 1;
  if (millibits <= 3580) return 2;
  if (millibits <= 5100) return 3;
  if (millibits <= 6640) return 4;
  if (millibits <= 8300) return 5;
  if (millibits <= 10070) return 6;
  if (millibits <= 11720) return 7;
  if (millibits <= 14001) return 8;
  if (millibits <= 16050) return 9;
  if (millibits <= 18300) return 10;
  if (millibits <= 22001) return 11;
  if (millibits <= 25501) return 12;
  return millibits > 50000 ? 24 : (millibits - 1) / 2000 - 1;
}

/** Bytes of a FastLocalBloom block for `count` keys, metadata included; 0 if that is more than 32 bits can say. */
export function bloomSize(count: u32, millibits: u32): u32 {
  const bytes = (<u64>count * millibits + 7999) / 8000;
  const rounded = (bytes + (LINE_SIZE - 1)) & ~<u64>(LINE_SIZE - 1);
  return rounded > BLOOM_BITS_SIZE_MAX - LINE_SIZE ? 0 : <u32>rounded + METADATA_SIZE;
}

/** Writes the block of `bloomSize(count, millibits)` bytes for `count` hashes (u64, `Hash64`) and returns that size. */
export function bloomBuild(hashes: usize, count: u32, millibits: u32, out: usize): u32 {
  const size = bloomSize(count, millibits);
  if (size == 0) return 0;
  const bits = size - METADATA_SIZE;
  const lines = <u64>(bits >> 6);
  const probes = probesOf(millibits);
  memory.fill(out, 0, bits);
  const end = hashes + (count << 3);
  for (let p = hashes; p < end; p += 8) {
    const hash = load<u64>(p);
    const line = out + ((<u32>(((hash & 0xffff_ffff) * lines) >> 32)) << 6);
    let g = <u32>(hash >> 32);
    for (let i: u32 = 0; i < probes; i++) {
      const word = line + ((g >> 28) << 2);
      store<u32>(word, load<u32>(word) | (<u32>1 << ((g >> 23) & 31)));
      g *= GOLDEN;
    }
  }
  const metadata = out + bits;
  store<i8>(metadata, -1);
  store<u8>(metadata, 0, 1);
  store<u8>(metadata, <u8>probes, 2);
  store<u16>(metadata, 0, 3);
  return size;
}

/** Probes a FastLocalBloom whose `bits` bytes the five of metadata follow. */
export function bloomMayMatch(filter: usize, bits: u32, hash: u64): u32 {
  const metadata = filter + bits;
  const layout = load<u8>(metadata, 2);
  const probes = <u32>layout & 31;
  if (load<u8>(metadata, 1) != 0 || layout >> 5 != 0 || load<u16>(metadata, 3) != 0) return 1;
  if (probes == 0 || probes > PROBES_MAX || (bits & (LINE_SIZE - 1)) != 0) return 1;
  const line = filter + ((<u32>(((hash & 0xffff_ffff) * <u64>(bits >> 6)) >> 32)) << 6);
  let g = <u32>(hash >> 32);
  for (let i: u32 = 0; i < probes; i++) {
    if (((load<u32>(line + ((g >> 28) << 2)) >> ((g >> 23) & 31)) & 1) == 0) return 0;
    g *= GOLDEN;
  }
  return 1;
}

function legacyLines(count: u32, bitsPerKey: u32): u64 {
  return count == 0 ? 0 : ((<u64>count * bitsPerKey + (LINE_BITS - 1)) / LINE_BITS) | 1;
}

/** Bytes of a legacy Bloom block for `count` keys, metadata included; 0 if that is more than 32 bits can say. */
export function legacyBloomSize(count: u32, millibits: u32): u32 {
  const bytes = legacyLines(count, (millibits + 500) / 1000) * LINE_SIZE + METADATA_SIZE;
  return bytes > 0xffff_ffff ? 0 : <u32>bytes;
}

/** Writes the block of `legacyBloomSize` bytes for `count` hashes (u32, `BloomHash`) and returns that size. */
export function legacyBloomBuild(hashes: usize, count: u32, millibits: u32, out: usize): u32 {
  const size = legacyBloomSize(count, millibits);
  if (size == 0) return 0;
  const bitsPerKey = (millibits + 500) / 1000;
  const bits = size - METADATA_SIZE;
  const lines = bits >> 6;
  const probes = min(PROBES_MAX, max(1, (bitsPerKey * 69) / 100));
  memory.fill(out, 0, bits);
  const end = hashes + (count << 2);
  for (let p = hashes; p < end; p += 4) {
    let h = load<u32>(p);
    const line = out + ((h % lines) << 6);
    const delta = rotr<u32>(h, 17);
    for (let i: u32 = 0; i < probes; i++) {
      const at = line + ((h >> 3) & (LINE_SIZE - 1));
      store<u8>(at, <u8>(<u32>load<u8>(at) | (<u32>1 << (h & 7))));
      h += delta;
    }
  }
  store<u8>(out + bits, <u8>probes);
  store<u32>(out + bits, lines, 1);
  return size;
}

/** Probes a legacy Bloom filter whose `bits` bytes the five of metadata follow. */
export function legacyBloomMayMatch(filter: usize, bits: u32, probes: u32, key: usize, keySize: u32): u32 {
  const lines = load<u32>(filter + bits, 1);
  if (lines == 0 || bits % lines != 0) return 1;
  // Files from machines with other cache lines have other line sizes, but always powers of two.
  const lineSize = bits / lines;
  if ((lineSize & (lineSize - 1)) != 0) return 1;
  let h = hash32(key, keySize, BLOOM_HASH_SEED);
  const line = filter + (h % lines) * lineSize;
  const delta = rotr<u32>(h, 17);
  for (let i: u32 = 0; i < probes; i++) {
    if (((<u32>load<u8>(line + ((h >> 3) & (lineSize - 1))) >> (h & 7)) & 1) == 0) return 0;
    h += delta;
  }
  return 1;
}
