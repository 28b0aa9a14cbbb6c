/** CRC-32C bit by bit: what the kernel's tables must come to. */

/** The unmasked CRC of the bytes, after those that gave `crc`. */
export function crc32cReference(bytes: Uint8Array, crc = 0): number {
  let sum = ~crc;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  return ~sum >>> 0;
}

/** The form that is stored in files. */
export function maskReference(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
