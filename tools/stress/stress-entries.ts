/** Keys and values of db_stress. A value is made of its key and a number, so that all of it can be checked. */
import { getFixed32, setFixed32 } from '../../format/base/coding.ts';

const NUMBER_SIZE = 8;
const HEADER_SIZE = 4;
/** One value in so many is long, so that blocks and memtables are not all alike. */
const LONG_ONE_IN = 61;
const LONG_SIZE = 2000;
const DIGIT_ZERO = 0x30;

/** Prefixes of the copies that `--test_batches_snapshots` writes. */
export const COPIES = 10;

/** The key of a number: big-endian, so that order is numeric; behind a digit where there are copies. */
export function stressKey(number: number, copy?: number): Uint8Array {
  const start = copy === undefined ? 0 : 1;
  const key = new Uint8Array(start + NUMBER_SIZE);
  if (copy !== undefined) key[0] = DIGIT_ZERO + copy;
  let rest = number;
  for (let at = key.length - 1; at >= start; at--) {
    key[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return key;
}

/** The number of a key. */
export function keyNumber(key: Uint8Array): number {
  return key.subarray(-NUMBER_SIZE).reduce((number, byte) => number * 256 + byte, 0);
}

/** The value with a number, not 0, of a key. */
export function stressValue(key: number, value: number, sizeMult: number): Uint8Array {
  const size = HEADER_SIZE + (value % LONG_ONE_IN === 0 ? LONG_SIZE : ((value % 3) + 1) * sizeMult);
  const bytes = new Uint8Array(size);
  setFixed32(bytes, 0, value);
  const first = Math.imul(value, 31) + key;
  for (let at = HEADER_SIZE; at < size; at++) bytes[at] = first + at;
  return bytes;
}

/** The number of a value; `undefined` when it is not the value of that number and key, byte for byte. */
export function valueNumber(key: number, bytes: Uint8Array, sizeMult: number): number | undefined {
  if (bytes.length < HEADER_SIZE) return undefined;
  const value = getFixed32(bytes, 0);
  if (value === 0) return undefined;
  const whole = stressValue(key, value, sizeMult);
  return whole.length === bytes.length && whole.every((byte, at) => byte === bytes[at]) ? value : undefined;
}
