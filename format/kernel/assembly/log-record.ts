/**
 * The framing of log records (WAL and MANIFEST): a logical record is cut into fragments that never cross an edge of the
 * 32 KiB blocks of the file, each with a header of CRC, length and type. Recyclable headers also carry the number of the
 * log, so that what a reused file held before is not taken for its own.
 */
import { copyExact } from './bytes';
import { crc32cExtend, crc32cMask } from './crc32c';

const BLOCK_SIZE: u32 = 32768;
const HEADER_SIZE: u32 = 7;
const RECYCLABLE_HEADER_SIZE: u32 = 11;
const HEADER_TYPE: u32 = 6;

const TYPE_FULL: u32 = 1;
const TYPE_FIRST: u32 = 2;
const TYPE_MIDDLE: u32 = 3;
const TYPE_LAST: u32 = 4;
/** Added to a type whose header is recyclable. */
const TYPE_RECYCLABLE: u32 = 4;

/** Bytes that framing `size` bytes takes at most, wherever in a block it begins; as f64, for it may pass 32 bits. */
export function logFramedSizeMax(size: u32): f64 {
  const fragments = <u64>size / (BLOCK_SIZE - RECYCLABLE_HEADER_SIZE) + 3;
  return <f64>(<u64>size + fragments * RECYCLABLE_HEADER_SIZE);
}

/**
 * Frames one logical record into `out`, which continues a block at `blockOffset` (0..32767), and returns the bytes
 * written: at most `logFramedSizeMax(size)`. `recyclable` is 0 or 1; `logNumber` counts only then (its low 32 bits).
 */
export function logFrame(
  payload: usize,
  size: u32,
  out: usize,
  blockOffset: u32,
  recyclable: u32,
  logNumber: u32,
): u32 {
  const headerSize = recyclable != 0 ? RECYCLABLE_HEADER_SIZE : HEADER_SIZE;
  let from = payload;
  let rest = size;
  let to = out;
  let left = BLOCK_SIZE - blockOffset;
  let begun = false;
  while (true) {
    if (left < headerSize) {
      memory.fill(to, 0, left);
      to += left;
      left = BLOCK_SIZE;
    }
    const fragment = min(rest, left - headerSize);
    const isLast = fragment == rest;
    let type = begun ? (isLast ? TYPE_LAST : TYPE_MIDDLE) : isLast ? TYPE_FULL : TYPE_FIRST;
    if (recyclable != 0) {
      type += TYPE_RECYCLABLE;
      store<u32>(to, logNumber, HEADER_SIZE);
    }
    store<u16>(to, <u16>fragment, 4);
    store<u8>(to, <u8>type, HEADER_TYPE);
    copyExact(to + headerSize, from, fragment);
    store<u32>(to, crc32cMask(crc32cExtend(0, to + HEADER_TYPE, headerSize - HEADER_TYPE + fragment)));
    to += headerSize + fragment;
    if (isLast) return <u32>(to - out);
    from += fragment;
    rest -= fragment;
    left -= headerSize + fragment;
    begun = true;
  }
}
