/** Blocks written and read the plain way, from the description of the format alone: what the kernel is compared with. */

/** One entry of a plain block. */
export interface Entry {
  key: Uint8Array;
  value: Uint8Array;
}

/** One entry of an index block. */
export interface IndexEntry {
  key: Uint8Array;
  offset: number;
  size: number;
  firstKey?: Uint8Array;
}

/** How to write a block. */
export interface BlockShape {
  restartInterval: number;
  /** Keys per bucket of a hash index over user keys; left out: none. */
  utilRatio?: number;
}

/** A varint of up to 53 bits. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

function fixed32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

/** GetSliceHash: the Murmur-like 32-bit hash with seed 397, the last bytes sign-extended. */
export function sliceHash(bytes: Uint8Array): number {
  const m = 0xc6a4a793;
  let h = (397 ^ Math.imul(bytes.length, m)) >>> 0;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    h = Math.imul((h + word) | 0, m) >>> 0;
    h = (h ^ (h >>> 16)) >>> 0;
  }
  const rest = bytes.length - i;
  const signed = (at: number): number => (bytes[at]! << 24) >> 24;
  if (rest === 3) h = (h + (signed(i + 2) << 16)) >>> 0;
  if (rest >= 2) h = (h + (signed(i + 1) << 8)) >>> 0;
  if (rest >= 1) {
    h = Math.imul((h + signed(i)) | 0, m) >>> 0;
    h = (h ^ (h >>> 24)) >>> 0;
  }
  return h;
}

function sharedPrefix(a: Uint8Array, b: Uint8Array): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  return i;
}

/** The bytes of a block of entries in the order given. */
export function encodeBlock(entries: readonly Entry[], shape: BlockShape): Uint8Array {
  const bytes: number[] = [];
  const restarts: number[] = [0];
  const hashed: { hash: number; restart: number }[] = [];
  let counter = 0;
  let previous = new Uint8Array(0);
  for (const { key, value } of entries) {
    let shared = 0;
    if (counter === shape.restartInterval) {
      restarts.push(bytes.length);
      counter = 0;
    } else if (counter > 0) {
      shared = sharedPrefix(previous, key);
    }
    bytes.push(...varint(shared), ...varint(key.length - shared), ...varint(value.length));
    bytes.push(...key.subarray(shared), ...value);
    hashed.push({ hash: sliceHash(key.subarray(0, Math.max(0, key.length - 8))), restart: restarts.length - 1 });
    counter++;
    previous = new Uint8Array(key);
  }
  for (const offset of restarts) bytes.push(...fixed32(offset));
  const buckets = shape.utilRatio === undefined ? undefined : hashIndex(hashed, shape.utilRatio, bytes.length);
  bytes.push(...(buckets ?? []));
  bytes.push(...fixed32((restarts.length | (buckets === undefined ? 0 : 0x8000_0000)) >>> 0));
  return new Uint8Array(bytes);
}

/** The buckets and their count, or undefined where the block must go without. */
function hashIndex(
  hashed: readonly { hash: number; restart: number }[],
  utilRatio: number,
  sizeBefore: number,
): number[] | undefined {
  if (hashed.some((row) => row.restart > 253)) return undefined;
  let estimate = 0;
  for (let i = 0; i < hashed.length; i++) estimate += 1 / utilRatio;
  const count = (Math.floor(estimate) & 0xffff) | 1;
  if (sizeBefore + count + 2 + 4 > 65536) return undefined;
  const buckets = new Array<number>(count).fill(255);
  for (const { hash, restart } of hashed) {
    const at = hash % count;
    if (buckets[at] === 255) buckets[at] = restart;
    else if (buckets[at] !== restart) buckets[at] = 254;
  }
  return [...buckets, count & 255, count >>> 8];
}

/** The bytes of an index block. */
export function encodeIndex(entries: readonly IndexEntry[], restartInterval: number, delta: boolean): Uint8Array {
  const bytes: number[] = [];
  const restarts: number[] = [0];
  let counter = 0;
  let previous = new Uint8Array(0);
  let previousSize = 0;
  for (const { key, offset, size, firstKey } of entries) {
    let shared = 0;
    if (counter === restartInterval) {
      restarts.push(bytes.length);
      counter = 0;
    } else if (counter > 0) {
      shared = sharedPrefix(previous, key);
    }
    const change = size - previousSize;
    const value =
      delta && shared > 0 ? varint(change < 0 ? -change * 2 - 1 : change * 2) : [...varint(offset), ...varint(size)];
    if (firstKey !== undefined) value.push(...varint(firstKey.length), ...firstKey);
    bytes.push(...varint(shared), ...varint(key.length - shared));
    if (!delta) bytes.push(...varint(value.length));
    bytes.push(...key.subarray(shared), ...value);
    counter++;
    previous = new Uint8Array(key);
    previousSize = size;
  }
  for (const offset of restarts) bytes.push(...fixed32(offset));
  bytes.push(...fixed32(restarts.length));
  return new Uint8Array(bytes);
}
