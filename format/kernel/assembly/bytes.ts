/**
 * Raw bytes: wide copies and varints. All readers take the end of the bytes they may look at and never read beyond it;
 * the wide copies say how far they overrun.
 */

/**
 * Copies `size` bytes in steps of 16; reads and writes up to 15 bytes past both ends, so both need slack and the bytes
 * after the destination must not matter yet. The ranges must not overlap. The fastest copy below some 256 bytes.
 */
// @ts-ignore: decorator
@inline
export function copyWide(to: usize, from: usize, size: u32): void {
  if (size > 256) {
    memory.copy(to, from, size);
  } else {
    for (let i: u32 = 0; i < size; i += 16) v128.store(to + i, v128.load(from + i));
  }
}

/** Copies exactly `size` bytes; the ranges must not overlap. Faster than `memory.copy` for short ones. */
export function copyExact(to: usize, from: usize, size: u32): void {
  if (size > 256) {
    memory.copy(to, from, size);
  } else if (size >= 16) {
    const last = size - 16;
    for (let i: u32 = 0; i < last; i += 16) v128.store(to + i, v128.load(from + i));
    v128.store(to + last, v128.load(from + last));
  } else if (size >= 8) {
    const tail = load<u64>(from + size - 8);
    store<u64>(to, load<u64>(from));
    store<u64>(to + size - 8, tail);
  } else if (size >= 4) {
    const tail = load<u32>(from + size - 4);
    store<u32>(to, load<u32>(from));
    store<u32>(to + size - 4, tail);
  } else if (size > 0) {
    store<u8>(to, load<u8>(from));
    store<u8>(to + (size >> 1), load<u8>(from + (size >> 1)));
    store<u8>(to + size - 1, load<u8>(from + size - 1));
  }
}

/**
 * The varint32 at `p`: value in the low half, the address behind it in the high half; 0 if it is cut off by `limit` or
 * does not fit 32 bits.
 */
// @ts-ignore: decorator
@inline
export function readVarint32(p: usize, limit: usize): u64 {
  if (p < limit) {
    const first = load<u8>(p);
    if (first < 0x80) return <u64>first | (<u64>(p + 1) << 32);
  }
  return readVarint32Slow(p, limit);
}

function readVarint32Slow(start: usize, limit: usize): u64 {
  let value: u32 = 0;
  let p = start;
  for (let shift: u32 = 0; shift <= 28 && p < limit; shift += 7) {
    const byte = <u32>load<u8>(p++);
    if (shift == 28 && byte > 0x0f) return 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return <u64>value | (<u64>p << 32);
  }
  return 0;
}

/** The address behind the last varint64 that was read, or 0 when it was malformed. Per instance, so per thread. */
export let varintNext: usize = 0;

/** The varint64 at `start`; sets `varintNext`, to 0 when it is cut off by `limit` or does not fit 64 bits. */
export function readVarint64(start: usize, limit: usize): u64 {
  let value: u64 = 0;
  let p = start;
  for (let shift: u32 = 0; shift <= 63 && p < limit; shift += 7) {
    const byte = <u64>load<u8>(p++);
    if (shift == 63 && byte > 1) break;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      varintNext = p;
      return value;
    }
  }
  varintNext = 0;
  return 0;
}

/** Writes a varint32 (at most 5 bytes) and returns the address behind it. */
// @ts-ignore: decorator
@inline
export function putVarint32(p: usize, value: u32): usize {
  if (value < 0x80) {
    store<u8>(p, <u8>value);
    return p + 1;
  }
  return putVarint64(p, value);
}

/** Writes a varint64 (at most 10 bytes) and returns the address behind it. */
export function putVarint64(start: usize, value: u64): usize {
  let p = start;
  let rest = value;
  while (rest >= 0x80) {
    store<u8>(p++, <u8>(rest | 0x80));
    rest >>= 7;
  }
  store<u8>(p, <u8>rest);
  return p + 1;
}

/** Bytes that `putVarint64` (and `putVarint32`) writes for a value. */
export function varintSize(value: u64): u32 {
  return (((63 - <u32>clz(value | 1)) * 37) >> 8) + 1;
}
