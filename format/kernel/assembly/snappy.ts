/**
 * Snappy, the raw block format: a varint of the uncompressed length, then literals and copies. Compression works on
 * fragments of 64 KiB with a hash table of positions, which belongs to the instance, so to the thread.
 */
import { putVarint32, readVarint32 } from './bytes';
import { copyMatch, matchLength, WIDE } from './lz-match';
import { malloc } from './memory';

const FRAGMENT_SIZE: u32 = 65536;
const HASH_BITS_MAX: u32 = 14;
const HASH_BITS_MIN: u32 = 8;
const HASH_FACTOR: u32 = 0x1e35a7bd;
/** Bytes before the end of a fragment where matching stops: loads of eight stay inside it. */
const INPUT_MARGIN: u32 = 15;
const COPY_SIZE_MAX: u32 = 64;
/** Longest uncompressed length that is accepted: sizes cross as i32. */
const SIZE_MAX: u32 = 0x7fff_ffff;

/** Positions in the fragment (u16) by hash. */
let table: usize = 0;

/** Bytes that `snappyCompress` writes at most; 0 if the input is too long. */
export function snappyCompressedSizeMax(size: u32): u32 {
  const bytes = <u64>size + size / 6 + 32;
  return bytes > SIZE_MAX ? 0 : <u32>bytes;
}

/** Compresses into `out`, which has room for `snappyCompressedSizeMax(size)` bytes, and returns the size; 0 if no memory. */
export function snappyCompress(from: usize, size: u32, out: usize): u32 {
  if (table == 0) {
    table = malloc(2 << HASH_BITS_MAX);
    if (table == 0) return 0;
  }
  let to = putVarint32(out, size);
  for (let done: u32 = 0; done < size; done += FRAGMENT_SIZE) {
    to = compressFragment(from + done, min(size - done, FRAGMENT_SIZE), to);
  }
  return <u32>(to - out);
}

// @ts-ignore: decorator
@inline
function hashOf(word: u32, shift: u32): u32 {
  return ((word * HASH_FACTOR) >> shift) << 1;
}

function compressFragment(from: usize, size: u32, out: usize): usize {
  if (size < INPUT_MARGIN) return putLiteral(out, from, size);
  const bits = min(HASH_BITS_MAX, max(HASH_BITS_MIN, 32 - <u32>clz(size - 1)));
  const shift = 32 - bits;
  memory.fill(table, 0, 2 << bits);
  const end = from + size;
  const limit = end - INPUT_MARGIN;
  let to = out;
  let literal = from;
  let p = from + 1;
  let nextHash = hashOf(load<u32>(p), shift);
  while (true) {
    // Incompressible input is skimmed: every 32 misses the step grows by one.
    let skip: u32 = 32;
    let next = p;
    let match: usize;
    do {
      p = next;
      const hash = nextHash;
      next = p + (skip >> 5);
      skip++;
      if (next > limit) return putLiteral(to, literal, <u32>(end - literal));
      nextHash = hashOf(load<u32>(next), shift);
      match = from + <usize>load<u16>(table + hash);
      store<u16>(table + hash, <u16>(p - from));
    } while (load<u32>(p) != load<u32>(match));
    to = putLiteral(to, literal, <u32>(p - literal));
    do {
      const matched = 4 + matchLength(match + 4, p + 4, end);
      to = putCopy(to, <u32>(p - match), matched);
      p += matched;
      literal = p;
      if (p >= limit) return putLiteral(to, literal, <u32>(end - literal));
      store<u16>(table + hashOf(load<u32>(p - 1), shift), <u16>(p - 1 - from));
      const hash = hashOf(load<u32>(p), shift);
      match = from + <usize>load<u16>(table + hash);
      store<u16>(table + hash, <u16>(p - from));
    } while (load<u32>(p) == load<u32>(match));
    p++;
    nextHash = hashOf(load<u32>(p), shift);
  }
}

/** Appends a literal. Short ones are copied 16 bytes at a time: the output bound has room for that. */
// @ts-ignore: decorator
@inline
function putLiteral(out: usize, from: usize, size: u32): usize {
  if (size == 0) return out;
  const n = size - 1;
  let to = out;
  if (n < 60) {
    store<u8>(to++, <u8>(n << 2));
  } else if (n < 256) {
    store<u8>(to, 60 << 2);
    store<u8>(to, <u8>n, 1);
    to += 2;
  } else {
    store<u8>(to, 61 << 2);
    store<u16>(to, <u16>n, 1);
    to += 3;
  }
  if (size <= 16) v128.store(to, v128.load(from));
  else memory.copy(to, from, size);
  return to + size;
}

/** Appends a copy of any length: pieces of at most 64 bytes, the last one of at least 4. */
// @ts-ignore: decorator
@inline
function putCopy(out: usize, offset: u32, size: u32): usize {
  let to = out;
  let rest = size;
  while (rest >= COPY_SIZE_MAX + 4) {
    to = putCopyPiece(to, offset, COPY_SIZE_MAX);
    rest -= COPY_SIZE_MAX;
  }
  if (rest > COPY_SIZE_MAX) {
    to = putCopyPiece(to, offset, 60);
    rest -= 60;
  }
  if (rest < 12 && offset < 2048) {
    store<u8>(to, <u8>(1 | ((rest - 4) << 2) | ((offset >> 8) << 5)));
    store<u8>(to, <u8>offset, 1);
    return to + 2;
  }
  return putCopyPiece(to, offset, rest);
}

// @ts-ignore: decorator
@inline
function putCopyPiece(to: usize, offset: u32, size: u32): usize {
  store<u8>(to, <u8>(2 | ((size - 1) << 2)));
  store<u16>(to, <u16>offset, 1);
  return to + 3;
}

/** The uncompressed length that the input claims, or -1 if it claims none that is possible. */
export function snappyUncompressedSize(from: usize, size: u32): i32 {
  const head = readVarint32(from, from + size);
  return head == 0 || <u32>head > SIZE_MAX ? -1 : <i32>(<u32>head);
}

/**
 * Decompresses into `out` and returns the length, or -1 if the input is corrupt or would not fit `capacity`. Reads nothing
 * outside the input and writes nothing outside the capacity, whatever the input is.
 */
export function snappyDecompress(from: usize, size: u32, out: usize, capacity: u32): i32 {
  const inputEnd = from + size;
  const head = readVarint32(from, inputEnd);
  const length = <u32>head;
  if (head == 0 || length > SIZE_MAX || length > capacity) return -1;
  const outEnd = out + length;
  let p = <usize>(head >> 32);
  let to = out;
  while (p < inputEnd) {
    const tag = <u32>load<u8>(p++);
    const inputLeft = <u32>(inputEnd - p);
    const outLeft = <u32>(outEnd - to);
    let count: u32;
    if ((tag & 3) == 0) {
      count = (tag >> 2) + 1;
      if (count <= 16 && inputLeft >= WIDE && outLeft >= WIDE) {
        v128.store(to, v128.load(p));
        to += count;
        p += count;
        continue;
      }
      let extra: u32 = 0;
      if (count > 60) {
        extra = count - 60;
        if (inputLeft < extra) return -1;
        count = littleEndian(p, extra) + 1;
        if (count == 0) return -1;
        p += extra;
      }
      if (count > inputLeft - extra || count > outLeft) return -1;
      memory.copy(to, p, count);
      to += count;
      p += count;
      continue;
    }
    let offset: u32;
    if ((tag & 3) == 1) {
      if (inputLeft < 1) return -1;
      count = 4 + ((tag >> 2) & 7);
      offset = ((tag >> 5) << 8) | <u32>load<u8>(p);
      p++;
    } else if ((tag & 3) == 2) {
      if (inputLeft < 2) return -1;
      count = (tag >> 2) + 1;
      offset = <u32>load<u16>(p);
      p += 2;
    } else {
      if (inputLeft < 4) return -1;
      count = (tag >> 2) + 1;
      offset = load<u32>(p);
      p += 4;
    }
    if (offset == 0 || offset > <u32>(to - out) || count > outLeft) return -1;
    copyMatch(to, offset, count, outLeft);
    to += count;
  }
  return to == outEnd ? <i32>length : -1;
}

/** A number of one to four bytes. */
function littleEndian(p: usize, size: u32): u32 {
  let value: u32 = 0;
  for (let i: u32 = 0; i < size; i++) value |= <u32>load<u8>(p + i) << (i << 3);
  return value;
}
