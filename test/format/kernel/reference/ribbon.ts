/** Probing a Standard128Ribbon block with 128-bit numbers, after the description of the format. */

import { byteSwap, parity } from '../../../support/bit-math.ts';

const M64 = (1n << 64n) - 1n;
const M128 = (1n << 128n) - 1n;

/** Whether a key of this `Hash64` may be in the filter. */
export function ribbonReference(filter: Uint8Array, key: bigint): boolean {
  const b = Buffer.from(filter);
  const size = b.length - 5;
  const blocks = b.readUIntLE(size + 2, 3);
  if (blocks < 2) return true;
  const segments = Math.floor(size / 16);
  let upper = Math.ceil(segments / blocks);
  let lowerBlocks = upper * blocks - segments;
  if (upper > 32) [upper, lowerBlocks] = [32, 0];
  const t = (BigInt(b[size + 1]!) * 0xc78219a23eeadd03n) & M64;
  const raw = (t ^ ((t & 0xf0f0f0f0f0f0f0f0n) >> 4n)) & 0xffffffffn;
  const hash = ((key ^ raw) * 0x6193d459236a3a0dn) & M64;
  const start = Number((hash * BigInt(blocks * 128 - 127)) >> 64n);
  const a = (hash * 0xc28f82822b650bedn) & M64;
  const coefficients = (a << 64n) | (a ^ 0xc367844a6e52731dn) | 1n;
  const expected = byteSwap(a) & 0xffffffffn;
  const block = Math.floor(start / 128);
  const bit = BigInt(start % 128);
  const first = block * upper - Math.min(block, lowerBlocks);
  const columns = upper - (block < lowerBlocks ? 1 : 0);
  const segment = (i: number): bigint => b.readBigUInt64LE(i * 16) | (b.readBigUInt64LE(i * 16 + 8) << 64n);
  for (let i = 0; i < columns; i++) {
    let v = segment(first + i) & ((coefficients << bit) & M128);
    if (bit > 0n) v ^= segment(first + columns + i) & (coefficients >> (128n - bit));
    if (parity(v) !== ((expected >> BigInt(i)) & 1n)) return false;
  }
  return true;
}
