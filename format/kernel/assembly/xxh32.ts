/** XXH32, seed 0: block checksum type 2 and the checksums of LZ4 frames. */
import { P32_1, P32_2, P32_3 } from './xxh3';

const P32_4: u32 = 0x27d4eb2f;
const P32_5: u32 = 0x165667b1;

// @ts-ignore: decorator
@inline
function round(lane: u32, input: u32): u32 {
  return rotl<u32>(lane + input * P32_2, 13) * P32_1;
}

/** XXH32 of `size` bytes with seed 0. */
export function xxh32Hash(start: usize, size: u32): u32 {
  const end = start + size;
  let p = start;
  let h: u32 = P32_5;
  if (size >= 16) {
    let a: u32 = P32_1 + P32_2;
    let b: u32 = P32_2;
    let c: u32 = 0;
    let d: u32 = 0 - P32_1;
    for (const last = end - 16; p <= last; p += 16) {
      a = round(a, load<u32>(p));
      b = round(b, load<u32>(p, 4));
      c = round(c, load<u32>(p, 8));
      d = round(d, load<u32>(p, 12));
    }
    h = rotl<u32>(a, 1) + rotl<u32>(b, 7) + rotl<u32>(c, 12) + rotl<u32>(d, 18);
  }
  h += size;
  for (; p + 4 <= end; p += 4) h = rotl<u32>(h + load<u32>(p) * P32_3, 17) * P32_4;
  for (; p < end; p++) h = rotl<u32>(h + <u32>load<u8>(p) * P32_5, 11) * P32_1;
  h ^= h >> 15;
  h *= P32_2;
  h ^= h >> 13;
  h *= P32_3;
  return h ^ (h >> 16);
}
