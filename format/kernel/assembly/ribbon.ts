/**
 * Standard128Ribbon: a filter that stores, for every key, r bits of a hash as the solution of a linear system over GF(2).
 * Each key is an equation with coefficients in a band of 128 slots; a probe is the parity of the coefficients with each of
 * the r solution columns. It saves some 30 % of the space of a Bloom filter and costs more to build.
 *
 * Building is Gaussian elimination on the fly ("banding"): an equation goes to the row of its first coefficient, or is
 * reduced by the equation that stands there and moves on. If one is reduced to nothing against its result, another seed is
 * tried. Back substitution from the last row then gives the solution, stored column by column in blocks of 128 slots; the
 * last blocks have one column more than the first ones, which fits the size to fractions of a bit a key.
 */
import { free, malloc } from './memory';
import { multiplyHigh } from './xxh3';

const METADATA_SIZE: u32 = 5;
const SEED_FACTOR: u64 = 0xc78219a23eeadd03;
const HASH_FACTOR: u64 = 0x6193d459236a3a0d;
const COEFFICIENT_FACTOR: u64 = 0xc28f82822b650bed;
const COEFFICIENT_XOR: u64 = 0xc367844a6e52731d;
const BLOCK_SLOTS: u32 = 128;
const BLOCKS_MIN: u32 = 2;
const BLOCKS_MAX: u32 = 0xff_ffff;
const SEGMENT_SIZE: u32 = 16;
const COLUMNS_MAX: u32 = 32;
const STATE_SIZE: u32 = COLUMNS_MAX * SEGMENT_SIZE;
const SEED_COUNT: u32 = 256;
/** Attempts before building gives up; each succeeds far more often than not at the load that `ribbonBlocks` chooses. */
const ATTEMPTS: u32 = 64;

// A row of the banding: coefficients (16 bytes), result (4), unused (4).
const ROW_SIZE: u32 = 24;
const ROW_HIGH: usize = 8;
const ROW_RESULT: usize = 16;

// @ts-ignore: decorator
@inline
function rawSeed(seed: u32): u64 {
  const t = <u64>seed * SEED_FACTOR;
  return <u64>(<u32>(t ^ ((t & 0xf0f0_f0f0_f0f0_f0f0) >> 4)));
}

/** Probes a Ribbon filter whose `size` bytes of segments the five of metadata follow. */
export function ribbonMayMatch(filter: usize, size: u32, key: u64): u32 {
  const metadata = filter + size;
  const blocks = load<u32>(metadata, 1) >> 8;
  const segments = size / SEGMENT_SIZE;
  if (blocks < BLOCKS_MIN) return 1;
  let upperColumns = (segments + blocks - 1) / blocks;
  let lowerBlocks = upperColumns * blocks - segments;
  if (upperColumns > COLUMNS_MAX) {
    upperColumns = COLUMNS_MAX;
    lowerBlocks = 0;
  }
  const hash = (key ^ rawSeed(load<u8>(metadata, 1))) * HASH_FACTOR;
  const start = <u32>multiplyHigh(hash, <u64>(blocks * BLOCK_SLOTS - (BLOCK_SLOTS - 1)));
  const a = hash * COEFFICIENT_FACTOR;
  const low = (a ^ COEFFICIENT_XOR) | 1;
  const expected = <u32>bswap(a);
  const block = start / BLOCK_SLOTS;
  const bit = <u64>(start % BLOCK_SLOTS);
  const columns = upperColumns - u32(block < lowerBlocks);
  let at = filter + (block * upperColumns - min(block, lowerBlocks)) * SEGMENT_SIZE;
  const nextBlock = columns * SEGMENT_SIZE;
  // The coefficients, split at the block edge: 128 bits of this block and 128 of the next.
  const firstLow = bit < 64 ? low << bit : 0;
  const firstHigh = bit == 0 ? a : bit < 64 ? (a << bit) | (low >> (64 - bit)) : low << (bit - 64);
  let nextLow: u64 = 0;
  let nextHigh: u64 = 0;
  if (bit > 64) {
    nextLow = (low >> (128 - bit)) | (a << (bit - 64));
    nextHigh = a >> (128 - bit);
  } else if (bit > 0) {
    nextLow = bit == 64 ? a : a >> (64 - bit);
  }
  for (let i: u32 = 0; i < columns; i++, at += SEGMENT_SIZE) {
    let word = (load<u64>(at) & firstLow) ^ (load<u64>(at, 8) & firstHigh);
    if (bit != 0) word ^= (load<u64>(at + nextBlock) & nextLow) ^ (load<u64>(at + nextBlock, 8) & nextHigh);
    if ((<u32>popcnt<u64>(word) & 1) != ((expected >> i) & 1)) return 0;
  }
  return 1;
}

/** Blocks of 128 slots for `count` keys: the more keys, the emptier the bands must be for elimination to succeed. */
function ribbonBlocks(count: u32): u32 {
  const load = count < 1_000_000 ? 0.95 : count < 20_000_000 ? 0.935 : 0.92;
  const blocks = <u32>Math.ceil(<f64>count / load / <f64>BLOCK_SLOTS);
  return max(BLOCKS_MIN, blocks);
}

/** The solution columns of all blocks together, for a rate of false positives of one in `oneIn`. */
function ribbonSegments(blocks: u32, oneIn: f64): u32 {
  let columns: u32 = 1;
  let rate: f64 = 2;
  while (rate * 2 <= oneIn && columns < COLUMNS_MAX) {
    rate *= 2;
    columns++;
  }
  if (columns == COLUMNS_MAX || oneIn <= 2) return blocks * columns;
  // Blocks with one column more are wrong half as often; as many as bring the average down to the wanted rate.
  const upper = 2 - (2 * rate) / oneIn;
  return blocks * columns + <u32>Math.round(<f64>blocks * upper);
}

/** Bytes of a Ribbon block for `count` keys and one false positive in `oneIn`, metadata included; 0 if out of range. */
export function ribbonSize(count: u32, oneIn: f64): u32 {
  const blocks = ribbonBlocks(count);
  if (count == 0 || blocks > BLOCKS_MAX) return 0;
  const bytes = <u64>ribbonSegments(blocks, oneIn) * SEGMENT_SIZE + METADATA_SIZE;
  return bytes > 0x7fff_ffff ? 0 : <u32>bytes;
}

/**
 * Writes the block of `ribbonSize(count, oneIn)` bytes for `count` hashes (u64, `Hash64`) and returns that size, or 0 if
 * there are no keys, no memory (24 bytes a slot for a while) or no solution: then a Bloom filter takes its place.
 */
export function ribbonBuild(hashes: usize, count: u32, oneIn: f64, out: usize): u32 {
  const size = ribbonSize(count, oneIn);
  if (size == 0) return 0;
  const blocks = ribbonBlocks(count);
  const slots = blocks * BLOCK_SLOTS;
  if (<u64>slots * ROW_SIZE > 0x7fff_ffff) return 0;
  const rows = malloc(slots * ROW_SIZE + STATE_SIZE);
  if (rows == 0) return 0;
  let seed = load<u32>(hashes) & (SEED_COUNT - 1);
  let solved = false;
  for (let i: u32 = 0; i < ATTEMPTS && !solved; i++) {
    if (i > 0) seed = (seed + 1) & (SEED_COUNT - 1);
    memory.fill(rows, 0, slots * ROW_SIZE);
    solved = band(rows, hashes, count, seed, slots);
  }
  if (solved) {
    solve(rows, rows + slots * ROW_SIZE, blocks, (size - METADATA_SIZE) / SEGMENT_SIZE, out);
    const metadata = out + size - METADATA_SIZE;
    store<i8>(metadata, -2);
    store<u32>(metadata, seed | (blocks << 8), 1);
  }
  free(rows);
  return solved ? size : 0;
}

/** Enters all equations into the rows; false if two of them contradict each other under this seed. */
function band(rows: usize, hashes: usize, count: u32, seed: u32, slots: u32): bool {
  const raw = rawSeed(seed);
  const starts = <u64>(slots - (BLOCK_SLOTS - 1));
  const end = hashes + (count << 3);
  for (let p = hashes; p < end; p += 8) {
    const hash = (load<u64>(p) ^ raw) * HASH_FACTOR;
    const a = hash * COEFFICIENT_FACTOR;
    if (!enter(rows + <u32>multiplyHigh(hash, starts) * ROW_SIZE, (a ^ COEFFICIENT_XOR) | 1, a, <u32>bswap(a))) return false;
  }
  return true;
}

/** Enters one equation, whose lowest coefficient belongs to `row`, there or further on. */
function enter(first: usize, firstLow: u64, firstHigh: u64, firstResult: u32): bool {
  let row = first;
  let low = firstLow;
  let high = firstHigh;
  let result = firstResult;
  while (true) {
    const rowLow = load<u64>(row);
    if (rowLow == 0) {
      store<u64>(row, low);
      store<u64>(row, high, ROW_HIGH);
      store<u32>(row, result, ROW_RESULT);
      return true;
    }
    low ^= rowLow;
    high ^= load<u64>(row, ROW_HIGH);
    result ^= load<u32>(row, ROW_RESULT);
    if (low == 0) {
      if (high == 0) return result == 0;
      row += 64 * ROW_SIZE;
      low = high;
      high = 0;
    }
    const skip = ctz(low);
    row += <usize>skip * ROW_SIZE;
    if (skip != 0) {
      low = (low >> skip) | (high << (64 - skip));
      high >>= skip;
    }
  }
}

/** Back substitution: from the last row to the first, a window of 128 solved slots a column moves down. */
function solve(rows: usize, state: usize, blocks: u32, segments: u32, out: usize): void {
  const upperColumns = (segments + blocks - 1) / blocks;
  const lowerBlocks = upperColumns * blocks - segments;
  memory.fill(state, 0, STATE_SIZE);
  let at = out + segments * SEGMENT_SIZE;
  for (let block = blocks; block-- > 0; ) {
    for (let slot = BLOCK_SLOTS; slot-- > 0; ) {
      const row = rows + (block * BLOCK_SLOTS + slot) * ROW_SIZE;
      const low = load<u64>(row);
      const high = load<u64>(row, ROW_HIGH);
      const result = load<u32>(row, ROW_RESULT);
      for (let i: u32 = 0; i < upperColumns; i++) {
        const s = state + i * SEGMENT_SIZE;
        const sLow = load<u64>(s);
        const sHigh = (load<u64>(s, 8) << 1) | (sLow >> 63);
        const shifted = sLow << 1;
        const bit = popcnt<u64>((shifted & low) ^ (sHigh & high)) ^ <u64>(result >> i);
        store<u64>(s, shifted | (bit & 1));
        store<u64>(s, sHigh, 8);
      }
    }
    const columns = upperColumns - u32(block < lowerBlocks);
    at -= columns * SEGMENT_SIZE;
    memory.copy(at, state, columns * SEGMENT_SIZE);
  }
}
