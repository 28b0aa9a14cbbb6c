/**
 * Merges sorted runs: a binary heap of cursors, the one whose entry comes first in the direction of travel at the top.
 *
 * Two habits of real data make it cheap. Runs come in stretches, so that the top mostly stays the top after a step:
 * which child of the heap's root is the smaller is remembered while neither changes, and one comparison tells. And the
 * last run left needs none.
 *
 * The merge does not own its cursors and knows nothing of blocks. When a cursor falls off its block, the merge stops
 * with `NEED_REFILL`; the owner makes the cursor valid again (the next block) or leaves it invalid (the run has ended)
 * and calls `mergeResume`.
 */
import { compareInternal, TRAILER_SIZE } from './compare';
import { cursorNext, cursorPrev } from './cursor';
import { C_ERROR, C_KEY, C_KEY_SIZE, C_TAG, C_VALID } from './cursor-head';
import { free, malloc } from './memory';

export const MERGE_ENTRY: i32 = 0;
export const MERGE_END: i32 = 1;
export const MERGE_NEED_REFILL: i32 = 2;
export const MERGE_CORRUPT: i32 = 3;

const M_COMPARATOR: usize = 0;
const M_CAPACITY: usize = 4;
const M_COUNT: usize = 8; // cursors in the heap
const M_DIRECTION: usize = 12; // 1 or -1
const M_NEED: usize = 16; // child that waits for a refill, or -1
const M_SECOND: usize = 20; // heap slot (1 or 2) of the root's smaller child; 0 when not known
const M_CORRUPT: usize = 24; // child whose cursor met corrupt bytes, or -1
// From here on `capacity` rows of { cursor u32, refillable u32 }, then the heap: `capacity` cursors, u32 each.
const M_CHILDREN: usize = 32;

const CHILD_ROW: u32 = 8;

/** A merge of up to `capacity` runs; 0 when memory is exhausted. */
export function mergeCreate(comparator: u32, capacity: u32): usize {
  const size = <u32>M_CHILDREN + capacity * (CHILD_ROW + 4);
  const merge = malloc(size);
  if (merge == 0) return 0;
  memory.fill(merge, 0, size);
  store<u32>(merge, comparator, M_COMPARATOR);
  store<u32>(merge, capacity, M_CAPACITY);
  store<i32>(merge, 1, M_DIRECTION);
  store<i32>(merge, -1, M_NEED);
  store<i32>(merge, -1, M_CORRUPT);
  return merge;
}

/** Frees the merge, not its cursors. */
export function mergeFree(merge: usize): void {
  free(merge);
}

/**
 * Makes `cursor` (0: none) the child number `child` and writes the number into its tag. Of equal entries the one of the
 * lower child comes first. Takes effect at the next `mergeStart`.
 */
export function mergeSetChild(merge: usize, child: u32, cursor: usize, refillable: u32): void {
  const row = merge + M_CHILDREN + child * CHILD_ROW;
  store<u32>(row, <u32>cursor);
  store<u32>(row, refillable, 4);
  if (cursor != 0) store<u32>(cursor, child, C_TAG);
}

/** The cursor at the top, or 0 when there is none or a refill is awaited. */
export function mergeTop(merge: usize): usize {
  return load<u32>(merge, M_COUNT) == 0 || load<i32>(merge, M_NEED) >= 0 ? 0 : heapTop(merge);
}

/** The child that must be refilled, -1 if none. */
export function mergeNeed(merge: usize): i32 {
  return load<i32>(merge, M_NEED);
}

/** The child whose bytes were found corrupt, -1 if none. */
export function mergeCorruptChild(merge: usize): i32 {
  return load<i32>(merge, M_CORRUPT);
}

/** The comparator id. */
// @ts-ignore: decorator
@inline
export function mergeComparator(merge: usize): u32 {
  return load<u32>(merge, M_COMPARATOR);
}

// @ts-ignore: decorator
@inline
function heapBase(merge: usize): usize {
  return merge + M_CHILDREN + load<u32>(merge, M_CAPACITY) * CHILD_ROW;
}

// @ts-ignore: decorator
@inline
function heapTop(merge: usize): usize {
  return load<u32>(heapBase(merge));
}

/** Whether the entry of cursor `a` comes before that of `b` in the direction of travel. */
function before(merge: usize, a: usize, b: usize): bool {
  const order = compareInternal(
    load<u32>(merge, M_COMPARATOR),
    load<u32>(a, C_KEY),
    load<u32>(a, C_KEY_SIZE),
    load<u32>(b, C_KEY),
    load<u32>(b, C_KEY_SIZE),
  );
  if (order == 0) return load<u32>(a, C_TAG) < load<u32>(b, C_TAG);
  return order < 0 == load<i32>(merge, M_DIRECTION) > 0;
}

/** Moves the cursor at heap slot `start` down to its place. */
function siftDown(merge: usize, start: u32): void {
  const heap = heapBase(merge);
  const count = load<u32>(merge, M_COUNT);
  const cursor = load<u32>(heap + (start << 2));
  let slot = start;
  for (;;) {
    let child = (slot << 1) + 1;
    if (child >= count) break;
    let other = load<u32>(heap + (child << 2));
    if (child + 1 < count) {
      const sibling = load<u32>(heap + ((child + 1) << 2));
      if (before(merge, sibling, other)) {
        child++;
        other = sibling;
      }
    }
    if (!before(merge, other, cursor)) break;
    store<u32>(heap + (slot << 2), other);
    slot = child;
  }
  store<u32>(heap + (slot << 2), cursor);
}

/** Puts the top, whose entry changed, in its place. */
function settleTop(merge: usize): void {
  const count = load<u32>(merge, M_COUNT);
  if (count < 2) return;
  const heap = heapBase(merge);
  let second = load<u32>(merge, M_SECOND);
  if (second == 0) {
    second = 1;
    if (count > 2 && before(merge, load<u32>(heap, 8), load<u32>(heap, 4))) second = 2;
    store<u32>(merge, second, M_SECOND);
  }
  const top = load<u32>(heap);
  const rival = load<u32>(heap + (second << 2));
  if (!before(merge, rival, top)) return;
  store<u32>(heap, rival);
  store<u32>(heap + (second << 2), top);
  store<u32>(merge, 0, M_SECOND);
  siftDown(merge, second);
}

function removeTop(merge: usize): i32 {
  const heap = heapBase(merge);
  const count = load<u32>(merge, M_COUNT) - 1;
  store<u32>(merge, count, M_COUNT);
  store<u32>(merge, 0, M_SECOND);
  if (count == 0) return MERGE_END;
  store<u32>(heap, load<u32>(heap + (count << 2)));
  siftDown(merge, 0);
  return MERGE_ENTRY;
}

function fail(merge: usize, cursor: usize): i32 {
  store<u32>(merge, load<u32>(cursor, C_TAG), M_CORRUPT);
  store<u32>(merge, 0, M_COUNT);
  return MERGE_CORRUPT;
}

/**
 * Starts in `direction` (1 forward, -1 backward) from cursors that the owner has positioned, refills included: an
 * invalid cursor counts as a run that has ended. Returns 0 with an entry at the top, 1 at the end, 3 when a cursor is
 * corrupt.
 */
export function mergeStart(merge: usize, direction: i32): i32 {
  const heap = heapBase(merge);
  const capacity = load<u32>(merge, M_CAPACITY);
  store<i32>(merge, direction, M_DIRECTION);
  store<i32>(merge, -1, M_NEED);
  store<i32>(merge, -1, M_CORRUPT);
  store<u32>(merge, 0, M_SECOND);
  let count: u32 = 0;
  for (let child: u32 = 0; child < capacity; child++) {
    const cursor = load<u32>(merge + M_CHILDREN + child * CHILD_ROW);
    if (cursor == 0) continue;
    if (load<u32>(cursor, C_VALID) != 0) {
      if (load<u32>(cursor, C_KEY_SIZE) < TRAILER_SIZE) return fail(merge, cursor);
      store<u32>(heap + (count << 2), cursor);
      count++;
    } else if (load<u32>(cursor, C_ERROR) != 0) {
      return fail(merge, cursor);
    }
  }
  store<u32>(merge, count, M_COUNT);
  for (let slot = count >> 1; slot-- > 0; ) siftDown(merge, slot);
  return count == 0 ? MERGE_END : MERGE_ENTRY;
}

/** Takes up the top's new entry, or deals with the run that ran out. */
// @ts-ignore: decorator
@inline
function afterStep(merge: usize, cursor: usize): i32 {
  if (load<u32>(cursor, C_VALID) != 0) {
    if (load<u32>(cursor, C_KEY_SIZE) < TRAILER_SIZE) return fail(merge, cursor);
    settleTop(merge);
    return MERGE_ENTRY;
  }
  return ranOut(merge, cursor);
}

function ranOut(merge: usize, cursor: usize): i32 {
  if (load<u32>(cursor, C_ERROR) != 0) return fail(merge, cursor);
  const child = load<u32>(cursor, C_TAG);
  if (load<u32>(merge + M_CHILDREN + child * CHILD_ROW, 4) == 0) return removeTop(merge);
  store<u32>(merge, child, M_NEED);
  return MERGE_NEED_REFILL;
}

/** One entry forward. REQUIRES an entry at the top and direction 1. */
export function mergeNext(merge: usize): i32 {
  const cursor = heapTop(merge);
  cursorNext(cursor);
  return afterStep(merge, cursor);
}

/** One entry backward. REQUIRES an entry at the top and direction -1. */
export function mergePrev(merge: usize): i32 {
  const cursor = heapTop(merge);
  cursorPrev(cursor);
  return afterStep(merge, cursor);
}

/** Goes on after status 2: the child's cursor is valid again, or it is not and its run has ended. */
export function mergeResume(merge: usize): i32 {
  if (load<i32>(merge, M_NEED) < 0) return load<u32>(merge, M_COUNT) == 0 ? MERGE_END : MERGE_ENTRY;
  store<i32>(merge, -1, M_NEED);
  const cursor = heapTop(merge);
  if (load<u32>(cursor, C_VALID) != 0) return afterStep(merge, cursor);
  return load<u32>(cursor, C_ERROR) != 0 ? fail(merge, cursor) : removeTop(merge);
}
