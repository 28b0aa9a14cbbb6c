/**
 * Search in an ascending array of words: eight bytes of each key, as signed numbers whose order is that of the bytes. Halving
 * without branches, since no predictor knows a random key, and then all of the few words left at once.
 */
import { prefixWord } from './compare';

/** So many words are compared rather than halved: two cache lines for each half of the loop below. */
const FEW: u32 = 32;

/** The word of a key: of its first eight bytes, zero-padded. Reads at most the slack behind the key. */
// @ts-ignore: decorator
@inline
export function searchWord(key: usize, size: u32): i64 {
  return <i64>(prefixWord(key, size) ^ (<u64>1 << 63));
}

/** How many of the `count` ascending words at `words` are below `word`. */
// @ts-ignore: decorator
@inline
export function countBelow(words: usize, count: u32, word: i64): u32 {
  let base = words;
  let left = count;
  while (left > FEW) {
    const half = left >> 1;
    const middle = base + (<usize>half << 3);
    const step = <usize>i32(load<i64>(middle) < word);
    base += (<usize>half << 3) & (0 - step);
    left = half + (left & 1 & <u32>step);
  }
  return (<u32>(base - words) >> 3) + countFewBelow(base, left, word);
}

// @ts-ignore: decorator
@inline
function countFewBelow(words: usize, count: u32, word: i64): u32 {
  const target = i64x2.splat(word);
  let below = i64x2.splat(0);
  const even = words + (<usize>(count & ~1) << 3);
  for (let at = words; at < even; at += 16) below = i64x2.sub(below, i64x2.gt_s(target, v128.load(at)));
  const sum = <u32>i64x2.extract_lane(below, 0) + <u32>i64x2.extract_lane(below, 1);
  return (count & 1) == 0 ? sum : sum + u32(load<i64>(even) < word);
}
