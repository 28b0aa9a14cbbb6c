/**
 * XXH3's 128-bit hash of inputs of 9 to 128 bytes: the identity of a database, a UUID, is such an input. Only printing
 * uses it, so that it may be as slow as big integers are.
 */
const MASK = (1n << 64n) - 1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME64_4 = 0x85ebca77c2b2ae63n;
const PRIME_MX1 = 0x165667919e3779f9n;

/** The first 128 bytes of XXH3's secret. */
const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e' +
    'e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a' +
    '51e04bcdb45931c89f7ec9d9787364',
  'hex',
);

/** Shortest and longest input. */
export const XXH3_128_SIZE_MIN = 9;
export const XXH3_128_SIZE_MAX = 128;

/** Two 64-bit halves. */
export interface Hash128 {
  readonly high: bigint;
  readonly low: bigint;
}

/** The last step of XXH3's mixing, a bijection. */
export function avalanche(hash: bigint): bigint {
  let h = hash ^ (hash >> 37n);
  h = (h * PRIME_MX1) & MASK;
  return h ^ (h >> 32n);
}

function secretWord(at: number): bigint {
  return SECRET.readBigUInt64LE(at);
}

function foldedProduct(a: bigint, b: bigint): bigint {
  const product = a * b;
  return (product & MASK) ^ (product >> 64n);
}

function mix16(input: Buffer, at: number, secretAt: number, seed: bigint): bigint {
  const low = input.readBigUInt64LE(at) ^ ((secretWord(secretAt) + seed) & MASK);
  const high = input.readBigUInt64LE(at + 8) ^ ((secretWord(secretAt + 8) - seed) & MASK);
  return foldedProduct(low, high);
}

/** XXH3_128bits_withSeed. REQUIRES `XXH3_128_SIZE_MIN` to `XXH3_128_SIZE_MAX` bytes and a seed of 64 bits. */
export function xxh3Hash128(bytes: Uint8Array, seed: bigint): Hash128 {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = input.length;
  if (size <= 16) return mixShort(input.readBigUInt64LE(size - 8), input.readBigUInt64LE(0), size, seed);
  let low = (BigInt(size) * PRIME64_1) & MASK;
  let high = 0n;
  for (let i = (size - 1) >> 5; i >= 0; i--) {
    const front = 16 * i;
    const back = size - 16 * (i + 1);
    low = (low + mix16(input, front, 32 * i, seed)) & MASK;
    low ^= (input.readBigUInt64LE(back) + input.readBigUInt64LE(back + 8)) & MASK;
    high = (high + mix16(input, back, 32 * i + 16, seed)) & MASK;
    high ^= (input.readBigUInt64LE(front) + input.readBigUInt64LE(front + 8)) & MASK;
  }
  const sum = (low + high) & MASK;
  const mixed = (low * PRIME64_1 + high * PRIME64_4 + ((BigInt(size) - seed) & MASK) * PRIME64_2) & MASK;
  return { low: avalanche(sum), high: (MASK + 1n - avalanche(mixed)) & MASK };
}

/** RocksDB's bijection over 128 bits: XXH3's hash of 16 bytes without a seed. */
export function bijectiveHash128(inHigh: bigint, inLow: bigint): Hash128 {
  return mixShort(inHigh, inLow, 16, 0n);
}

/** The hash of 9 to 16 bytes, given as their last and their first word, which overlap. */
function mixShort(last: bigint, first: bigint, size: number, seed: bigint): Hash128 {
  const flipLow = ((secretWord(32) ^ secretWord(40)) - seed) & MASK;
  const flipHigh = ((secretWord(48) ^ secretWord(56)) + seed) & MASK;
  const product = (first ^ last ^ flipLow) * PRIME64_1;
  let low = ((product & MASK) + (BigInt(size - 1) << 54n)) & MASK;
  const flipped = last ^ flipHigh;
  let high = ((product >> 64n) + flipped + (flipped & 0xffffffffn) * (PRIME32_2 - 1n)) & MASK;
  low ^= swapBytes(high);
  const second = low * PRIME64_2;
  high = ((second >> 64n) + high * PRIME64_2) & MASK;
  return { low: avalanche(second & MASK), high: avalanche(high) };
}

function swapBytes(word: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(word);
  return bytes.readBigUInt64BE();
}
