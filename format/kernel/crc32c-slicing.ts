/** CRC-32C in JavaScript, eight bytes a step: each byte has a table that knows how many others follow it. */

const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

let tables: Uint32Array | undefined;

/** Table k: the sum of a byte that k zero bytes follow. */
function makeTables(): Uint32Array {
  const made = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (POLYNOMIAL & -(sum & 1));
    made[byte] = sum;
  }
  for (let i = 256; i < made.length; i++) {
    const sum = made[i - 256]!;
    made[i] = (sum >>> 8) ^ made[sum & 0xff]!;
  }
  return made;
}

/** Continues the unmasked sum `crc` over `size` bytes of `bytes` from `at` on; below 2^32. */
export function crc32cOfBytes(crc: number, bytes: Uint8Array, at: number, size: number): number {
  tables ??= makeTables();
  const t = tables;
  const end = at + size;
  let sum = ~crc;
  for (; at + SLICES <= end; at += SLICES) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    sum =
      t[1792 + (sum & 0xff)]! ^
      t[1536 + ((sum >>> 8) & 0xff)]! ^
      t[1280 + ((sum >>> 16) & 0xff)]! ^
      t[1024 + (sum >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!;
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ t[(sum ^ bytes[at]!) & 0xff]!;
  return ~sum >>> 0;
}
