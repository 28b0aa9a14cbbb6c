/**
 * LZ4, the raw block format: sequences of a token, literals and a match. The compressor is the fast one (the LZ4HC type on
 * disk is the same format); the decompressor takes a dictionary, which stands logically before the output.
 */
import { copyMatch, matchLength, WIDE } from './lz-match';
import { malloc } from './memory';

const HASH_BITS_MAX: u32 = 13;
const HASH_BITS_MIN: u32 = 8;
const HASH_FACTOR: u32 = 2654435761;
const MATCH_SIZE_MIN: u32 = 4;
/** The format: no match begins in the last 12 bytes, and the last 5 are literals. */
const MATCH_MARGIN: u32 = 12;
const LITERAL_MARGIN: u32 = 5;
const OFFSET_MAX: u32 = 65535;
const RUN_MASK: u32 = 15;
const SIZE_MAX: u32 = 0x7e00_0000;
const DICTIONARY_STEP: u32 = 3;

/** Positions (u32, from the beginning of the dictionary) by hash. */
let table: usize = 0;

/** Bytes that `lz4Compress` writes at most; 0 if the input is too long. */
export function lz4CompressedSizeMax(size: u32): u32 {
  return size > SIZE_MAX ? 0 : size + size / 255 + 32;
}

// @ts-ignore: decorator
@inline
function hashOf(word: u32, shift: u32): u32 {
  return ((word * HASH_FACTOR) >> shift) << 2;
}

/**
 * Compresses into `out`, which has room for `lz4CompressedSizeMax(size)` bytes, and returns the size; 0 if no memory.
 * `dictionarySize` bytes directly before `from` are the dictionary (0 for none; only the last 64 KiB of it count).
 */
export function lz4Compress(from: usize, size: u32, out: usize, dictionarySize: u32): u32 {
  if (table == 0) {
    table = malloc(4 << HASH_BITS_MAX);
    if (table == 0) return 0;
  }
  const end = from + size;
  if (size <= MATCH_MARGIN) return <u32>(putLast(out, from, size) - out);
  const used = min(dictionarySize, OFFSET_MAX);
  const base = from - used;
  const bits = min(HASH_BITS_MAX, max(HASH_BITS_MIN, 31 - <u32>clz(size + used)));
  const shift = 32 - bits;
  memory.fill(table, 0, 4 << bits);
  for (let i: u32 = 0; i < used; i += DICTIONARY_STEP) {
    store<u32>(table + hashOf(load<u32>(base + i), shift), i);
  }
  const limit = end - MATCH_MARGIN;
  const matchEnd = end - LITERAL_MARGIN;
  let to = out;
  let literal = from;
  // Position 0 is what an empty slot says; it is a true candidate only if it lies before the current one.
  let p = used == 0 ? from + 1 : from;
  while (p <= limit) {
    // Incompressible input is skimmed: every 32 misses the step grows by one.
    let skip: u32 = 32;
    let next = p;
    let nextSlot = table + hashOf(load<u32>(p), shift);
    let match: usize;
    while (true) {
      p = next;
      const slot = nextSlot;
      next = p + (skip++ >> 5);
      if (next > limit) return <u32>(putLast(to, literal, <u32>(end - literal)) - out);
      nextSlot = table + hashOf(load<u32>(next), shift);
      match = base + load<u32>(slot);
      store<u32>(slot, <u32>(p - base));
      if (load<u32>(match) == load<u32>(p) && <u32>(p - match) <= OFFSET_MAX) break;
    }
    while (p > literal && match > base && load<u8>(p - 1) == load<u8>(match - 1)) {
      p--;
      match--;
    }
    const offset = <u32>(p - match);
    const matched = MATCH_SIZE_MIN + matchLength(match + MATCH_SIZE_MIN, p + MATCH_SIZE_MIN, matchEnd);
    to = putSequence(to, literal, <u32>(p - literal), offset, matched);
    p += matched;
    literal = p;
    if (p > limit) break;
    store<u32>(table + hashOf(load<u32>(p - 2), shift), <u32>(p - 2 - base));
  }
  return <u32>(putLast(to, literal, <u32>(end - literal)) - out);
}

/** Appends what a length has beyond the 15 of its half of the token. */
// @ts-ignore: decorator
@inline
function putLength(out: usize, size: u32): usize {
  let to = out;
  let rest = size;
  for (; rest >= 255; rest -= 255) store<u8>(to++, 255);
  store<u8>(to, <u8>rest);
  return to + 1;
}

// @ts-ignore: decorator
@inline
function putSequence(out: usize, from: usize, literals: u32, offset: u32, matched: u32): usize {
  let to = out + 1;
  const rest = matched - MATCH_SIZE_MIN;
  store<u8>(out, <u8>((min(literals, RUN_MASK) << 4) | min(rest, RUN_MASK)));
  if (literals >= RUN_MASK) to = putLength(to, literals - RUN_MASK);
  if (literals <= 16) v128.store(to, v128.load(from));
  else memory.copy(to, from, literals);
  to += literals;
  store<u16>(to, <u16>offset);
  to += 2;
  return rest >= RUN_MASK ? putLength(to, rest - RUN_MASK) : to;
}

function putLast(out: usize, from: usize, literals: u32): usize {
  let to = out + 1;
  store<u8>(out, <u8>(min(literals, RUN_MASK) << 4));
  if (literals >= RUN_MASK) to = putLength(to, literals - RUN_MASK);
  memory.copy(to, from, literals);
  return to + literals;
}

/** The address behind the length that `readLength` read last, or 0 if it was cut off or too great. */
let lengthNext: usize = 0;

/** A length whose half of the token was full: more bytes follow, up to the first below 255. */
function readLength(start: usize, end: usize): u32 {
  let p = start;
  let length: u32 = RUN_MASK;
  while (p < end && length <= SIZE_MAX) {
    const byte = <u32>load<u8>(p++);
    length += byte;
    if (byte != 255) {
      lengthNext = p;
      return length;
    }
  }
  lengthNext = 0;
  return 0;
}

/**
 * Decompresses into `out` and returns the length, or -1 if the input is corrupt or would not fit `capacity`. Reads nothing
 * outside input and dictionary and writes nothing outside the capacity, whatever the input is.
 */
export function lz4Decompress(
  from: usize,
  size: u32,
  out: usize,
  capacity: u32,
  dictionary: usize,
  dictionarySize: u32,
): i32 {
  if (capacity > SIZE_MAX) return -1;
  const inputEnd = from + size;
  const outEnd = out + capacity;
  let p = from;
  let to = out;
  while (p < inputEnd) {
    const token = <u32>load<u8>(p++);
    let count = token >> 4;
    if (count == RUN_MASK) {
      count = readLength(p, inputEnd);
      p = lengthNext;
      if (p == 0) return -1;
    }
    if (count > <u32>(inputEnd - p) || count > <u32>(outEnd - to)) return -1;
    if (count <= WIDE && <u32>(inputEnd - p) >= WIDE && <u32>(outEnd - to) >= WIDE) v128.store(to, v128.load(p));
    else memory.copy(to, p, count);
    to += count;
    p += count;
    // Only the last sequence has no match.
    if (p == inputEnd) return (token & RUN_MASK) == 0 ? <i32>(to - out) : -1;
    if (<u32>(inputEnd - p) < 2) return -1;
    const offset = <u32>load<u16>(p);
    p += 2;
    count = token & RUN_MASK;
    if (count == RUN_MASK) {
      count = readLength(p, inputEnd);
      p = lengthNext;
      if (p == 0) return -1;
    }
    count += MATCH_SIZE_MIN;
    const room = <u32>(outEnd - to);
    const have = <u32>(to - out);
    if (offset == 0 || count > room) return -1;
    if (offset > have) {
      const before = offset - have;
      if (before > dictionarySize) return -1;
      const part = min(before, count);
      memory.copy(to, dictionary + dictionarySize - before, part);
      to += part;
      count -= part;
      if (count > 0) copyMatch(to, offset, count, room - part);
    } else {
      copyMatch(to, offset, count, room);
    }
    to += count;
  }
  return -1;
}
