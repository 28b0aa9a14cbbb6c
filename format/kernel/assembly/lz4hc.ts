/**
 * LZ4 compressed well, for the type LZ4HC: the bytes are those of LZ4, found with more effort.
 *
 * 1. Hash chains: every position is linked with the one before it that has the same hash of four bytes. The level says how
 *    many candidates are compared for the longest match of a position.
 * 2. A match costs the same wherever it points, so the longest one of a position and its beginnings are all there is to
 *    choose from. The input is cut into segments, and from the end of each the cheapest way on is noted for every position:
 *    a literal, or a match of one length. Segments overlap, as what is best near an end depends on what follows.
 * 3. A match of at least `enough` bytes is taken without choice and ends its segment: what the choice could save is little,
 *    and long repeats would make it slow.
 */
import { matchLength } from './lz-match';
import {
  LITERAL_MARGIN,
  MATCH_MARGIN,
  MATCH_SIZE_MIN,
  OFFSET_MAX,
  putLast,
  putSequence,
  RUN_MASK,
} from './lz4-sequence';
import { malloc } from './memory';

const HASH_BITS_MAX: u32 = 15;
const HASH_BITS_MIN: u32 = 8;
const HASH_FACTOR: u32 = 2654435761;
/** Positions whose links are kept, a power of two: what an offset reaches, from before the latest one that is linked. */
const WINDOW: u32 = 2 * (OFFSET_MAX + 1);
/** Positions that are decided together, and how many of the last are decided once more with those behind them. */
const SEGMENT: u32 = 16384;
const OVERLAP: u32 = 1024;
/** A match as long as this is not searched for a longer one. */
const SEARCH_ENOUGH: u32 = 4096;

const LEVEL_DEFAULT: i32 = 9;
const LEVEL_MAX: i32 = 12;
/** Candidates of a position at the highest level. */
const DEPTH_MAX: u32 = 16384;

// A position of a segment: the bytes from it to the segment's end at best, the literals that this begins with, and the
// match it begins with (none: length 0).
const S_COST: usize = 0;
const S_RUN: usize = 4;
const S_LENGTH: usize = 8;
const S_OFFSET: usize = 10;
const STEP_SIZE: u32 = 12;

// Working space: heads of the chains (position + 1, 0 for none), links (distance to the one before, 0 for none), steps.
const HEADS_SIZE: u32 = 4 << HASH_BITS_MAX;
const LINKS_SIZE: u32 = 2 * WINDOW;
let heads: usize = 0;
let links: usize = 0;
let steps: usize = 0;

// The input being compressed, set by `lz4hcCompress`.
let base: usize = 0;
let hashShift: u32 = 0;
let searchDepth: u32 = 0;
let enough: u32 = 0;
/** The first position that is in no chain yet. */
let unlinked: usize = 0;
/** No match begins behind `lastStart`, none reaches over `matchEnd`. */
let lastStart: usize = 0;
let matchEnd: usize = 0;

// What `findLongest` found last.
let foundLength: u32 = 0;
let foundOffset: u32 = 0;

// Where the output goes on, and the first literal that is not in it yet.
let output: usize = 0;
let literal: usize = 0;

/**
 * Compresses into `out`, which has room for `lz4CompressedSizeMax(size)` bytes, and returns the size; 0 if no memory.
 * `level`: 3 (fast) to 12 (smallest) as LZ4HC counts them; below 1 its default 9, 1 and 2 less than 3, above 12 as 12.
 * `dictionarySize` bytes directly before `from` are the dictionary (0 for none; only the last 64 KiB of it count).
 */
export function lz4hcCompress(from: usize, size: u32, out: usize, level: i32, dictionarySize: u32): u32 {
  if (size <= MATCH_MARGIN) return <u32>(putLast(out, from, size) - out);
  if (!prepare()) return 0;
  setEffort(level);
  const used = min(dictionarySize, OFFSET_MAX);
  base = from - used;
  const bits = min(HASH_BITS_MAX, max(HASH_BITS_MIN, 32 - <u32>clz(size + used)));
  hashShift = 32 - bits;
  memory.fill(heads, 0, 4 << bits);
  unlinked = base;
  const end = from + size;
  lastStart = end - MATCH_MARGIN;
  matchEnd = end - LITERAL_MARGIN;
  output = out;
  literal = from;
  let p = from;
  while (p <= lastStart) p = compressSegment(p);
  return <u32>(putLast(output, literal, <u32>(end - literal)) - out);
}

function prepare(): bool {
  if (heads != 0) return true;
  const at = malloc(HEADS_SIZE + LINKS_SIZE + STEP_SIZE * (SEGMENT + 1));
  if (at == 0) return false;
  links = at + HEADS_SIZE;
  steps = links + LINKS_SIZE;
  heads = at;
  return true;
}

/** Chains are searched about as deep as LZ4HC does at the same level. */
function setEffort(level: i32): void {
  const effort = level < 1 ? LEVEL_DEFAULT : min(level, LEVEL_MAX);
  searchDepth = effort == LEVEL_MAX ? DEPTH_MAX : 1 << (max(effort, 2) - 1);
  enough = effort == LEVEL_MAX ? 512 : effort == LEVEL_MAX - 1 ? 128 : 64;
}

/** Decides and writes what begins at `start`; returns where the next segment begins. REQUIRES start <= lastStart. */
function compressSegment(start: usize): usize {
  const stop = min(start + SEGMENT, matchEnd);
  let p = start;
  let longest: u32 = 0;
  let step = steps;
  while (p < stop) {
    if (p <= lastStart) findLongest(p);
    else foundLength = 0;
    if (foundLength >= enough) {
      longest = foundLength;
      break;
    }
    store<u16>(step, <u16>foundLength, S_LENGTH);
    store<u16>(step, <u16>foundOffset, S_OFFSET);
    step += STEP_SIZE;
    p++;
  }
  const offset = foundOffset;
  // At the very end literals follow, and they count.
  choose(<u32>(p - start), p == matchEnd ? LITERAL_MARGIN : 0);
  if (longest == 0) return writeChosen(start, p == matchEnd ? p : p - OVERLAP);
  writeChosen(start, p);
  output = putSequence(output, literal, <u32>(p - literal), offset, longest);
  literal = p + longest;
  return literal;
}

/** Links all positions up to `p` into their chains. */
// @ts-ignore: decorator
@inline
function linkUpTo(p: usize): void {
  for (; unlinked <= p; unlinked++) {
    const head = heads + (((load<u32>(unlinked) * HASH_FACTOR) >> hashShift) << 2);
    const position = <u32>(unlinked - base);
    const distance = position + 1 - load<u32>(head);
    const reachable = load<u32>(head) != 0 && distance <= OFFSET_MAX;
    store<u16>(links + ((position & (WINDOW - 1)) << 1), reachable ? <u16>distance : 0);
    store<u32>(head, position + 1);
  }
}

/** The longest match at `p`: `foundLength` (0: none) and `foundOffset`. */
function findLongest(p: usize): void {
  linkUpTo(p);
  foundLength = 0;
  foundOffset = 0;
  const room = <u32>(matchEnd - p);
  let best: u32 = MATCH_SIZE_MIN - 1;
  let candidate = p;
  for (let left = searchDepth; left > 0; left--) {
    const distance = <u32>load<u16>(links + ((<u32>(candidate - base) & (WINDOW - 1)) << 1));
    if (distance == 0) return;
    candidate -= distance;
    if (<u32>(p - candidate) > OFFSET_MAX) return;
    // A longer match agrees in the four bytes that end with the first one beyond the best.
    const check = best - (MATCH_SIZE_MIN - 1);
    if (load<u32>(candidate + check) != load<u32>(p + check)) continue;
    const length = matchLength(candidate, p, matchEnd);
    if (length <= best) continue;
    best = length;
    foundLength = length;
    foundOffset = <u32>(p - candidate);
    if (length >= SEARCH_ENOUGH || length >= room) return;
  }
}

/** Bytes of a match in the output, its token included. */
// @ts-ignore: decorator
@inline
function matchCost(length: u32): u32 {
  const rest = length - MATCH_SIZE_MIN;
  return rest < RUN_MASK ? 3 : 4 + (rest - RUN_MASK) / 255;
}

/** Whether the last of so many literals in a row needs one more byte of their length. */
// @ts-ignore: decorator
@inline
function lengthens(literals: u32): bool {
  return literals >= RUN_MASK && (literals - RUN_MASK) % 255 == 0;
}

/** Goes through the segment backwards and notes for every position how the cheapest way begins. */
function choose(count: u32, literalsBehind: u32): void {
  let step = steps + STEP_SIZE * count;
  store<u32>(step, 0, S_COST);
  store<u32>(step, literalsBehind, S_RUN);
  for (let i = count; i > 0; i--) {
    step -= STEP_SIZE;
    const run = load<u32>(step + STEP_SIZE, S_RUN) + 1;
    const asLiteral = load<u32>(step + STEP_SIZE, S_COST) + 1 + (lengthens(run) ? 1 : 0);
    let cost: u32 = u32.MAX_VALUE;
    let chosen: u32 = 0;
    for (let length = min(<u32>load<u16>(step, S_LENGTH), count - i + 1); length >= MATCH_SIZE_MIN; length--) {
      const through = matchCost(length) + load<u32>(step + STEP_SIZE * length, S_COST);
      if (through < cost) {
        cost = through;
        chosen = length;
      }
    }
    const matches = cost <= asLiteral;
    store<u32>(step, matches ? cost : asLiteral, S_COST);
    store<u32>(step, matches ? 0 : run, S_RUN);
    store<u16>(step, <u16>(matches ? chosen : 0), S_LENGTH);
  }
}

/** Writes the matches that were chosen from `start` up to `stop`, each with the literals before it; returns where that ends. */
function writeChosen(start: usize, stop: usize): usize {
  let p = start;
  while (p < stop) {
    const step = steps + STEP_SIZE * <u32>(p - start);
    const length = <u32>load<u16>(step, S_LENGTH);
    if (length == 0) {
      p++;
      continue;
    }
    output = putSequence(output, literal, <u32>(p - literal), <u32>load<u16>(step, S_OFFSET), length);
    p += length;
    literal = p;
  }
  return p;
}
