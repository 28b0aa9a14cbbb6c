/**
 * Integers and slices as RocksDB stores them (`format/README.md`, "Integers"): fixed-width little-endian, varints of
 * 7-bit groups, and slices behind a varint32 length. `ByteReader` takes them from bytes of a file with every bound
 * checked; `ByteWriter` makes them.
 *
 * Numbers are doubles, so 64-bit values are exact below 2^53 and refused above; the `BigInt` forms take the rest. The
 * one exception is a sequence, where 2^56-1 has a meaning and reads as `SENTINEL_SEQUENCE`.
 */
import { corruption, type DBError } from './db-error.ts';
import { SENTINEL_SEQUENCE } from './internal-key.ts';

const TWO_32 = 2 ** 32;
const MAX_UINT64 = 2n ** 64n - 1n;

/** The most bytes a varint32 and a varint64 take. */
export const VARINT32_SIZE_MAX = 5;
export const VARINT64_SIZE_MAX = 10;

/** 16 bits at `at`; the caller has checked the bounds. */
export function getFixed16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** 32 bits, unsigned, at `at`; the caller has checked the bounds. */
export function getFixed32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** 64 bits at `at` as a double: exact below 2^53, rounded above. The caller has checked the bounds. */
export function getFixed64(bytes: Uint8Array, at: number): number {
  return getFixed32(bytes, at + 4) * TWO_32 + getFixed32(bytes, at);
}

/** All 64 bits at `at`; the caller has checked the bounds. */
export function getFixed64BigInt(bytes: Uint8Array, at: number): bigint {
  return (BigInt(getFixed32(bytes, at + 4)) << 32n) | BigInt(getFixed32(bytes, at));
}

/** Stores the low 16 bits of `value` at `at`. */
export function setFixed16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

/** Stores `value` modulo 2^32 at `at`. */
export function setFixed32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Stores a non-negative integer below 2^64 that is exact in a double. */
export function setFixed64(bytes: Uint8Array, at: number, value: number): void {
  setFixed32(bytes, at, value % TWO_32);
  setFixed32(bytes, at + 4, Math.floor(value / TWO_32));
}

/** Stores a varint of an integer below 2^53 at `at` and returns the offset after it; there must be room. */
export function setVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= TWO_32) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  rest >>>= 0;
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Bytes that `setVarint` takes for `value`. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Maps a signed 64-bit integer to an unsigned one with small magnitudes first (0, -1, 1, -2 ... to 0, 1, 2, 3 ...). */
export function zigzagEncode(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
}

/** The inverse of `zigzagEncode`. */
export function zigzagDecode(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}

/**
 * Reads bytes of a file from front to back. Every read is checked; what does not fit is `CORRUPTION` with a message that
 * begins with `source` (a file and what part of it) and names the field and its offset. Slices are views of the input.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Offset of the next byte to read. */
  position: number;
  readonly limit: number;
  readonly #source: string;

  constructor(bytes: Uint8Array, source: string, start = 0, limit = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.limit = limit;
    this.#source = source;
  }

  get remaining(): number {
    return this.limit - this.position;
  }

  /** A `CORRUPTION` error about `what`, at `offset` of these bytes. */
  error(what: string, offset = this.position): DBError {
    return corruption(`${this.#source}: ${what} at offset ${offset}`);
  }

  uint8(what: string): number {
    if (this.position >= this.limit) throw this.error(`${what}: expected 1 byte, found the end`);
    return this.bytes[this.position++]!;
  }

  fixed16(what: string): number {
    return getFixed16(this.bytes, this.#take(2, what));
  }

  fixed32(what: string): number {
    return getFixed32(this.bytes, this.#take(4, what));
  }

  /** A 64-bit field below 2^53. */
  fixed64(what: string): number {
    const at = this.#take(8, what);
    const value = getFixed64(this.bytes, at);
    if (value > Number.MAX_SAFE_INTEGER) throw this.error(`${what}: expected a number below 2^53, found ${value}`, at);
    return value;
  }

  fixed64BigInt(what: string): bigint {
    return getFixed64BigInt(this.bytes, this.#take(8, what));
  }

  varint32(what: string): number {
    const start = this.position;
    const value = this.#varint(VARINT32_SIZE_MAX, what);
    if (value >= TWO_32) throw this.error(`${what}: expected a varint32, found ${value}`, start);
    return value;
  }

  /** A varint below 2^53. */
  varint64(what: string): number {
    const start = this.position;
    const value = this.#varint(VARINT64_SIZE_MAX, what);
    if (value > Number.MAX_SAFE_INTEGER)
      throw this.error(`${what}: expected a number below 2^53, found ${value}`, start);
    return value;
  }

  /** A varint that holds a sequence: below 2^53, or 2^56-1 (`SENTINEL_SEQUENCE`). */
  sequence(what: string): number {
    const start = this.position;
    const value = this.varint64BigInt(what);
    if (value === 2n ** 56n - 1n) return SENTINEL_SEQUENCE;
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw this.error(`${what}: expected a sequence below 2^53, found ${value}`, start);
    return Number(value);
  }

  varint64BigInt(what: string): bigint {
    const start = this.position;
    let value = 0n;
    for (let i = 0; i < VARINT64_SIZE_MAX; i++) {
      const byte = this.#varintByte(i, start, what);
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) {
        if (value > MAX_UINT64) break;
        return value;
      }
    }
    this.position = start;
    throw this.error(`${what}: expected a varint64, found a longer number`);
  }

  /** A signed 64-bit number in zigzag form. */
  signedVarint64(what: string): number {
    const start = this.position;
    const value = zigzagDecode(this.varint64BigInt(what));
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER))
      throw this.error(`${what}: expected a number of at most 53 bits, found ${value}`, start);
    return Number(value);
  }

  /** `size` bytes as a view. */
  slice(size: number, what: string): Uint8Array {
    const at = this.#take(size, what);
    return this.bytes.subarray(at, at + size);
  }

  /** A varint32 length and that many bytes, as a view. */
  lengthPrefixed(what: string): Uint8Array {
    const start = this.position;
    const size = this.varint32(what);
    if (size > this.remaining) {
      const left = this.remaining;
      this.position = start;
      throw this.error(`${what}: expected ${size} bytes, found ${left}`);
    }
    return this.slice(size, what);
  }

  /** A reader of a part of the same bytes, with the same offsets in its errors. */
  within(start: number, limit: number): ByteReader {
    return new ByteReader(this.bytes, this.#source, start, limit);
  }

  #take(size: number, what: string): number {
    const at = this.position;
    if (size > this.limit - at) throw this.error(`${what}: expected ${size} bytes, found ${this.limit - at}`);
    this.position = at + size;
    return at;
  }

  #varintByte(index: number, start: number, what: string): number {
    if (this.position < this.limit) return this.bytes[this.position++]!;
    this.position = start;
    throw this.error(`${what}: expected a varint, found the end after ${index} bytes`);
  }

  #varint(sizeMax: number, what: string): number {
    const start = this.position;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < sizeMax; i++) {
      const byte = this.#varintByte(i, start, what);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    this.position = start;
    throw this.error(`${what}: expected a varint of at most ${sizeMax} bytes, found a longer one`);
  }
}

/** Builds bytes front to back in an array that grows by doubling. */
export class ByteWriter {
  #bytes: Uint8Array;
  #size = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** The bytes so far: a view, valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** The bytes so far, copied. */
  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  clear(): void {
    this.#size = 0;
  }

  uint8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#size++] = value;
    return this;
  }

  fixed16(value: number): this {
    const at = this.#grow(2);
    setFixed16(this.#bytes, at, value);
    return this;
  }

  fixed32(value: number): this {
    const at = this.#grow(4);
    setFixed32(this.#bytes, at, value);
    return this;
  }

  /** An integer below 2^53. */
  fixed64(value: number): this {
    const at = this.#grow(8);
    setFixed64(this.#bytes, at, value);
    return this;
  }

  fixed64BigInt(value: bigint): this {
    const at = this.#grow(8);
    setFixed32(this.#bytes, at, Number(value & 0xffffffffn));
    setFixed32(this.#bytes, at + 4, Number((value >> 32n) & 0xffffffffn));
    return this;
  }

  /** A varint32 or varint64 of an integer below 2^53; both have one form. */
  varint(value: number): this {
    this.#reserve(VARINT64_SIZE_MAX);
    this.#size = setVarint(this.#bytes, this.#size, value);
    return this;
  }

  varintBigInt(value: bigint): this {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.uint8(Number(rest & 0x7fn) | 0x80);
    return this.uint8(Number(rest));
  }

  /** A signed number in zigzag form. */
  signedVarint(value: number): this {
    return this.varintBigInt(zigzagEncode(BigInt(value)));
  }

  /** A sequence as a varint; `SENTINEL_SEQUENCE` is stored as 2^56-1. */
  sequence(value: number): this {
    return value >= SENTINEL_SEQUENCE ? this.varintBigInt(2n ** 56n - 1n) : this.varint(value);
  }

  slice(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** A varint32 length, then the bytes. */
  lengthPrefixed(bytes: Uint8Array): this {
    return this.varint(bytes.length).slice(bytes);
  }

  /** Takes room for `size` bytes and returns where; `#bytes` may be another array afterwards. */
  #grow(size: number): number {
    this.#reserve(size);
    const at = this.#size;
    this.#size += size;
    return at;
  }

  #reserve(size: number): void {
    const needed = this.#size + size;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}
