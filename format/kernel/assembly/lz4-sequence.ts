/** The raw block format of LZ4: sequences of a token, literals and a match. Its limits, and how a sequence is written. */

/** The shortest match. */
export const MATCH_SIZE_MIN: u32 = 4;
/** No match begins in the last 12 bytes, and the last 5 are literals. */
export const MATCH_MARGIN: u32 = 12;
export const LITERAL_MARGIN: u32 = 5;
/** How far back a match may lie. */
export const OFFSET_MAX: u32 = 65535;
/** A half of the token with this value goes on in the bytes behind it. */
export const RUN_MASK: u32 = 15;
/** The longest input. */
export const SIZE_MAX: u32 = 0x7e00_0000;

/** Bytes that either compressor writes at most; 0 if the input is too long. */
export function lz4CompressedSizeMax(size: u32): u32 {
  return size > SIZE_MAX ? 0 : size + size / 255 + 32;
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

/** Appends `literals` bytes at `from` and a match of `matched` bytes; up to 16 bytes behind them may be written too. */
// @ts-ignore: decorator
@inline
export function putSequence(out: usize, from: usize, literals: u32, offset: u32, matched: u32): usize {
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

/** Appends the last sequence, which has no match. */
export function putLast(out: usize, from: usize, literals: u32): usize {
  let to = out + 1;
  store<u8>(out, <u8>(min(literals, RUN_MASK) << 4));
  if (literals >= RUN_MASK) to = putLength(to, literals - RUN_MASK);
  memory.copy(to, from, literals);
  return to + literals;
}
