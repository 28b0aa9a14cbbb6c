/**
 * LZ4, the raw block format, compressed fast (`lz4hc.ts` compresses it well) and decompressed. A dictionary stands
 * logically before the input and the output.
 */
import { copyMatch, matchLength, WIDE } from './lz-match';
import {
  LITERAL_MARGIN,
  MATCH_MARGIN,
  MATCH_SIZE_MIN,
  OFFSET_MAX,
  putLast,
  putSequence,
  RUN_MASK,
  SIZE_MAX,
} from './lz4-sequence';
import { malloc } from './memory';

const HASH_BITS_MAX: u32 = 13;
const HASH_BITS_MIN: u32 = 8;
const HASH_FACTOR: u32 = 2654435761;
const DICTIONARY_STEP: u32 = 3;

/** Positions (u32, from the beginning of the dictionary) by hash. */
let table: usize = 0;

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
