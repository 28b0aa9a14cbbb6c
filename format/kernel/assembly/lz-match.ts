/** Matches of the LZ77 family: how long they are, and their copies. Snappy and LZ4 share them. */

/** Decoding may write this much past what it means to while that much room is left. */
export const WIDE: u32 = 16;

/** How far the bytes at `a` and `b` agree, up to the `end` of b. */
// @ts-ignore: decorator
@inline
export function matchLength(a: usize, b: usize, end: usize): u32 {
  let i: u32 = 0;
  while (b + i + 8 <= end) {
    const difference = load<u64>(a + i) ^ load<u64>(b + i);
    if (difference != 0) return i + (<u32>ctz(difference) >> 3);
    i += 8;
  }
  while (b + i < end && load<u8>(a + i) == load<u8>(b + i)) i++;
  return i;
}

/**
 * Repeats `count` bytes from `offset` before `to`; the ranges overlap when the offset is the smaller. `room` bytes may be
 * written at `to`.
 */
// @ts-ignore: decorator
@inline
export function copyMatch(to: usize, offset: u32, count: u32, room: u32): void {
  const from = to - offset;
  if (offset >= 16 && count + WIDE <= room) {
    let i: u32 = 0;
    do {
      v128.store(to + i, v128.load(from + i));
      i += 16;
    } while (i < count);
  } else {
    copyMatchCareful(to, from, offset, count, room);
  }
}

function copyMatchCareful(to: usize, from: usize, offset: u32, count: u32, room: u32): void {
  let i: u32 = 0;
  if (offset >= 8 && count + 8 <= room) {
    for (; i < count; i += 8) store<u64>(to + i, load<u64>(from + i));
    return;
  }
  if (offset < 8 && count + 8 + 8 <= room) {
    // A short pattern: once it stands eight bytes long, it repeats in steps of the greatest multiple that fits.
    for (; i < 8; i++) store<u8>(to + i, load<u8>(from + i));
    const step = (8 / offset) * offset;
    const pattern = load<u64>(to);
    for (i = 0; i < count; i += step) store<u64>(to + i, pattern);
    return;
  }
  for (; i < count; i++) store<u8>(to + i, load<u8>(from + i));
}
