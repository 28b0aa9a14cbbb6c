/** XXH64, seed 0: block checksum type 3. */
import { P64_1, P64_2, P64_3, P64_4, P64_5, avalanche64 } from './xxh3';

// @ts-ignore: decorator
@inline
function round(lane: u64, input: u64): u64 {
  return rotl<u64>(lane + input * P64_2, 31) * P64_1;
}

// @ts-ignore: decorator
@inline
function mergeRound(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * P64_1 + P64_4;
}

/** XXH64 of `size` bytes with seed 0. */
export function xxh64Hash(start: usize, size: u32): u64 {
  const end = start + size;
  let p = start;
  let h: u64 = P64_5;
  if (size >= 32) {
    let a: u64 = P64_1 + P64_2;
    let b: u64 = P64_2;
    let c: u64 = 0;
    let d: u64 = 0 - P64_1;
    for (const last = end - 32; p <= last; p += 32) {
      a = round(a, load<u64>(p));
      b = round(b, load<u64>(p, 8));
      c = round(c, load<u64>(p, 16));
      d = round(d, load<u64>(p, 24));
    }
    h = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    h = mergeRound(mergeRound(mergeRound(mergeRound(h, a), b), c), d);
  }
  h += <u64>size;
  for (; p + 8 <= end; p += 8) h = rotl<u64>(h ^ round(0, load<u64>(p)), 27) * P64_1 + P64_4;
  if (p + 4 <= end) {
    h = rotl<u64>(h ^ (<u64>load<u32>(p) * P64_1), 23) * P64_2 + P64_3;
    p += 4;
  }
  for (; p < end; p++) h = rotl<u64>(h ^ (<u64>load<u8>(p) * P64_5), 11) * P64_1;
  return avalanche64(h);
}
