/**
 * XXH3, 64 bits, seed 0: the final algorithm (block checksum type 4), and the stripe loop for long inputs, which RocksDB's
 * frozen preview of XXH3 (`filter-hash.ts`) shares but for three rules.
 */

/** The default secret of XXH3, 192 bytes; the preview has the same one. */
export const SECRET: usize = memory.data<u64>([
  0xbe4ba423396cfeb8, 0x1cad21f72c81017c, 0xdb979083e96dd4de, 0x1f67b3b7a4a44072,
  0x78e5c0cc4ee679cb, 0x2172ffcc7dd05a82, 0x8e2443f7744608b8, 0x4c263a81e69035e0,
  0xcb00c391bb52283c, 0xa32e531b8b65d088, 0x4ef90da297486471, 0xd8acdea946ef1938,
  0x3f349ce33f76faa8, 0x1d4f0bc7c7bbdcf9, 0x3159b4cd4be0518a, 0x647378d9c97e9fc8,
  0xc3ebd33483acc5ea, 0xeb6313faffa081c5, 0x49daf0b751dd0d17, 0x9e68d429265516d3,
  0xfca1477d58be162b, 0xce31d07ad1b8f88f, 0x280416958f3acb45, 0x7e404bbbcafbd7af,
]);

export const P32_1: u32 = 0x9e3779b1;
export const P32_2: u32 = 0x85ebca77;
export const P32_3: u32 = 0xc2b2ae3d;
export const P64_1: u64 = 0x9e3779b185ebca87;
export const P64_2: u64 = 0xc2b2ae3d27d4eb4f;
export const P64_3: u64 = 0x165667b19e3779f9;
export const P64_4: u64 = 0x85ebca77c2b2ae63;
export const P64_5: u64 = 0x27d4eb2f165667c5;

const AVALANCHE: u64 = 0x165667919e3779f9;
const RRMXMX: u64 = 0x9fb21c651e98df25;
const STRIPE_SIZE: u32 = 64;
const BLOCK_STRIPES: u32 = 16;
const SCRAMBLE_SECRET: usize = 128;
const LAST_STRIPE_SECRET: usize = 121;
const MERGE_SECRET: usize = 11;

/** The high half of the 128-bit product. */
// @ts-ignore: decorator
@inline
export function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffff_ffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffff_ffff;
  const bHigh = b >> 32;
  const cross = aHigh * bLow + ((aLow * bLow) >> 32);
  const other = aLow * bHigh + (cross & 0xffff_ffff);
  return aHigh * bHigh + (cross >> 32) + (other >> 32);
}

/** Both halves of the 128-bit product, xored. */
// @ts-ignore: decorator
@inline
export function fold(a: u64, b: u64): u64 {
  return (a * b) ^ multiplyHigh(a, b);
}

/** Sixteen bytes of input mixed with sixteen of the secret. */
// @ts-ignore: decorator
@inline
export function mix16(p: usize, secret: usize): u64 {
  return fold(load<u64>(p) ^ load<u64>(secret), load<u64>(p, 8) ^ load<u64>(secret, 8));
}

/** The sum over 17 to 128 bytes, before the avalanche. */
// @ts-ignore: decorator
@inline
export function mix17To128(p: usize, size: u32): u64 {
  let sum: u64 = <u64>size * P64_1;
  const end = p + size;
  for (let i = <usize>((size - 1) >> 5) + 1; i > 0; i--) {
    const step = (i - 1) << 4;
    sum += mix16(p + step, SECRET + (step << 1));
    sum += mix16(end - step - 16, SECRET + (step << 1) + 16);
  }
  return sum;
}

/** The sum over 129 to 240 bytes, before the last avalanche; `multiplier` belongs to the inner one. */
// @ts-ignore: decorator
@inline
export function mix129To240(p: usize, size: u32, multiplier: u64): u64 {
  let sum: u64 = <u64>size * P64_1;
  for (let i: usize = 0; i < 128; i += 16) sum += mix16(p + i, SECRET + i);
  sum = avalanche(sum, multiplier);
  const rounds = <usize>(size >> 4) << 4;
  for (let i: usize = 128; i < rounds; i += 16) sum += mix16(p + i, SECRET + i - 125);
  return sum + mix16(p + size - 16, SECRET + 119);
}

/** The final bit mixer; the preview has another multiplier. */
// @ts-ignore: decorator
@inline
export function avalanche(value: u64, multiplier: u64): u64 {
  let h = value ^ (value >> 37);
  h *= multiplier;
  return h ^ (h >> 32);
}

// @ts-ignore: decorator
@inline
function accumulate(lanes: v128, p: usize, secret: usize, preview: bool): v128 {
  const data = v128.load(p);
  const key = v128.xor(data, v128.load(secret));
  const low = v128.shuffle<u32>(key, key, 0, 2, 0, 2);
  const high = v128.shuffle<u32>(key, key, 1, 3, 1, 3);
  const product = i64x2.extmul_low_i32x4_u(low, high);
  return i64x2.add(lanes, i64x2.add(product, preview ? data : v128.shuffle<u64>(data, data, 1, 0)));
}

// @ts-ignore: decorator
@inline
function scramble(lanes: v128, secret: usize): v128 {
  const mixed = v128.xor(v128.xor(lanes, i64x2.shr_u(lanes, 47)), v128.load(secret));
  return i64x2.mul(mixed, i64x2.splat(<i64>(<u64>P32_1)));
}

// @ts-ignore: decorator
@inline
function mergeLanes(lanes: v128, secret: usize): u64 {
  return fold(
    <u64>i64x2.extract_lane(lanes, 0) ^ load<u64>(secret),
    <u64>i64x2.extract_lane(lanes, 1) ^ load<u64>(secret, 8),
  );
}

/**
 * The sum over more than 240 bytes, before the last avalanche. The preview counts blocks by `size`, not `size - 1`, takes
 * the last stripe only when the size is no multiple of 64, and adds each word of the input to its own lane.
 */
// @ts-ignore: decorator
@inline
export function hashLong(start: usize, size: u32, preview: bool): u64 {
  let a = i64x2(0xc2b2ae3d, 0x9e3779b185ebca87);
  let b = i64x2(0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9);
  let c = i64x2(0x85ebca77c2b2ae63, 0x85ebca77);
  let d = i64x2(0x27d4eb2f165667c5, 0x9e3779b1);
  const counted = preview ? size : size - 1;
  let stripes = counted >> 6;
  let p = start;
  while (stripes > 0) {
    const inBlock = min(stripes, BLOCK_STRIPES);
    for (let i: u32 = 0; i < inBlock; i++) {
      const s = SECRET + (i << 3);
      a = accumulate(a, p, s, preview);
      b = accumulate(b, p + 16, s + 16, preview);
      c = accumulate(c, p + 32, s + 32, preview);
      d = accumulate(d, p + 48, s + 48, preview);
      p += STRIPE_SIZE;
    }
    stripes -= inBlock;
    if (inBlock == BLOCK_STRIPES) {
      const s = SECRET + SCRAMBLE_SECRET;
      a = scramble(a, s);
      b = scramble(b, s + 16);
      c = scramble(c, s + 32);
      d = scramble(d, s + 48);
    }
  }
  if (!preview || (size & (STRIPE_SIZE - 1)) != 0) {
    const s = SECRET + LAST_STRIPE_SECRET;
    p = start + size - STRIPE_SIZE;
    a = accumulate(a, p, s, preview);
    b = accumulate(b, p + 16, s + 16, preview);
    c = accumulate(c, p + 32, s + 32, preview);
    d = accumulate(d, p + 48, s + 48, preview);
  }
  const s = SECRET + MERGE_SECRET;
  return (
    <u64>size * P64_1 + mergeLanes(a, s) + mergeLanes(b, s + 16) + mergeLanes(c, s + 32) + mergeLanes(d, s + 48)
  );
}

/** XXH3_64bits of `size` bytes with seed 0. */
export function xxh3Hash(p: usize, size: u32): u64 {
  if (size <= 16) return hash0To16(p, size);
  if (size <= 128) return avalanche(mix17To128(p, size), AVALANCHE);
  if (size <= 240) return avalanche(mix129To240(p, size, AVALANCHE), AVALANCHE);
  return avalanche(hashLong(p, size, false), AVALANCHE);
}

function hash0To16(p: usize, size: u32): u64 {
  if (size > 8) {
    const low = load<u64>(p) ^ load<u64>(SECRET, 24) ^ load<u64>(SECRET, 32);
    const high = load<u64>(p + size - 8) ^ load<u64>(SECRET, 40) ^ load<u64>(SECRET, 48);
    return avalanche(<u64>size + bswap(low) + high + fold(low, high), AVALANCHE);
  }
  if (size >= 4) {
    const input = <u64>load<u32>(p + size - 4) + (<u64>load<u32>(p) << 32);
    let h = input ^ load<u64>(SECRET, 8) ^ load<u64>(SECRET, 16);
    h ^= rotl<u64>(h, 49) ^ rotl<u64>(h, 24);
    h *= RRMXMX;
    h ^= (h >> 35) + <u64>size;
    h *= RRMXMX;
    return h ^ (h >> 28);
  }
  if (size == 0) return avalanche64(load<u64>(SECRET, 56) ^ load<u64>(SECRET, 64));
  const first = <u32>load<u8>(p);
  const middle = <u32>load<u8>(p + (size >> 1));
  const last = <u32>load<u8>(p + size - 1);
  const combined = (first << 16) | (middle << 24) | last | (size << 8);
  return avalanche64(<u64>combined ^ <u64>(load<u32>(SECRET) ^ load<u32>(SECRET, 4)));
}

/** The avalanche of XXH64, which XXH3 uses for the shortest inputs. */
export function avalanche64(value: u64): u64 {
  let h = value ^ (value >> 33);
  h *= P64_2;
  h ^= h >> 29;
  h *= P64_3;
  return h ^ (h >> 32);
}
