/** Arithmetic on bigints that take the place of machine words in references. */

/** The eight bytes of a word in the other order. */
export function byteSwap(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE();
}

/** 1n for an odd number of ones, else 0n. */
export function parity(value: bigint): bigint {
  let ones = 0n;
  for (let rest = value; rest > 0n; rest >>= 1n) ones ^= rest & 1n;
  return ones;
}
