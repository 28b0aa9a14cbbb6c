/**
 * The order of internal keys as one function, for containers that compare at every step of a search. For the built-in
 * comparators it makes no views of the user keys.
 */
import { bytewiseComparator, type Comparator, reverseBytewiseComparator } from '../../format/base/comparator.ts';
import { compareInternalKeys, TRAILER_SIZE } from '../../format/base/internal-key.ts';

/** Compares two internal keys: negative, zero or positive. */
export type InternalKeyCompare = (a: Uint8Array, b: Uint8Array) => number;

/** User key by `comparator`, then newest first. */
export function internalKeyOrder(comparator: Comparator): InternalKeyCompare {
  if (comparator === bytewiseComparator) return compareBytewise;
  if (comparator === reverseBytewiseComparator) return compareReverseBytewise;
  return (a, b) => compareInternalKeys(comparator, a, b);
}

/**
 * Whether `found`, an entry not before `target`, has target's user key. Orders may hold different bytes equal, so
 * unequal bytes alone do not decide.
 */
export function hasUserKeyOf(compare: InternalKeyCompare, found: Uint8Array, target: Uint8Array): boolean {
  const userSize = target.length - TRAILER_SIZE;
  if (found.length === target.length) {
    let i = 0;
    while (i < userSize && found[i] === target[i]) i++;
    if (i === userSize) return true;
  }
  // No internal key of this user key comes after the one of sequence 0 and type 0.
  const last = target.slice();
  last.fill(0, userSize);
  return compare(found, last) <= 0;
}

function compareBytewise(a: Uint8Array, b: Uint8Array): number {
  return compareUserBytes(a, b) || compareTrailers(a, b);
}

function compareReverseBytewise(a: Uint8Array, b: Uint8Array): number {
  return compareUserBytes(b, a) || compareTrailers(a, b);
}

function compareUserBytes(a: Uint8Array, b: Uint8Array): number {
  const sizeA = a.length - TRAILER_SIZE;
  const sizeB = b.length - TRAILER_SIZE;
  const shared = Math.min(sizeA, sizeB);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return sizeA - sizeB;
}

/** Little-endian numbers, the greater first. */
function compareTrailers(a: Uint8Array, b: Uint8Array): number {
  for (let back = 1; back <= TRAILER_SIZE; back++) {
    const difference = b[b.length - back]! - a[a.length - back]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
