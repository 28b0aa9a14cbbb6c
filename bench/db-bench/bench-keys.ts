/** Keys as RocksDB's db_bench makes them: the number, big-endian, in the first eight bytes, then the digit 0. */

const PAD = 0x30;
const NUMBER_SIZE = 8;

/** Fills `key` with the key of `number`, a whole number below 2^53. */
export function setKey(key: Uint8Array, number: number): void {
  const used = Math.min(NUMBER_SIZE, key.length);
  let rest = number;
  for (let at = used - 1; at >= 0; at--) {
    key[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  key.fill(PAD, used);
}

/** A new key of `size` bytes. */
export function makeKey(number: number, size: number): Uint8Array {
  const key = new Uint8Array(size);
  setKey(key, number);
  return key;
}
