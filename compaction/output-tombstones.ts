/**
 * The range tombstones of a job on their way into output tables: which must be kept, and what part belongs to which
 * file. Outputs of one level must not overlap, so a tombstone is cut where a file ends; the file's largest key then is
 * the sentinel at that user key, which is exclusive.
 */
import type { Comparator } from '../format/base/comparator.ts';
import type { RangeTombstone, TombstoneFragment } from '../format/iterator/range-tombstones.ts';
import type { UserKeyRange } from './compaction.ts';

/** What decides about dropping. */
export interface TombstoneKeepRules {
  readonly comparator: Comparator;
  /** Ascending, distinct. */
  readonly snapshots: readonly number[];
  /** User keys of older sorted runs, in order; `undefined`: not known. */
  readonly deeperRanges: readonly UserKeyRange[] | undefined;
}

/**
 * The tombstones that outputs need: in each snapshot stripe the newest covers for the others, and the oldest stripe
 * needs none where no older run holds a key. In key order, newest first, not overlapping but for equal ranges.
 */
export function neededTombstones(fragments: readonly TombstoneFragment[], rules: TombstoneKeepRules): RangeTombstone[] {
  const kept: TombstoneFragment[] = [];
  for (const { begin, end, sequences } of fragments) {
    const needed = onePerStripe(sequences, rules.snapshots, overlapsAny(rules, begin, end));
    const last = kept[kept.length - 1];
    // Fragments that were cut apart by a tombstone which is no longer needed grow together again.
    if (last && sameNumbers(last.sequences, needed) && rules.comparator.compare(last.end, begin) === 0) {
      kept[kept.length - 1] = { begin: last.begin, end, sequences: needed };
    } else if (needed.length > 0) {
      kept.push({ begin, end, sequences: needed });
    }
  }
  return kept.flatMap(({ begin, end, sequences }) => sequences.map((sequence) => ({ begin, end, sequence })));
}

/** The newest of each stripe; of the oldest stripe only if it hides something. */
function onePerStripe(sequences: readonly number[], snapshots: readonly number[], hidesOlder: boolean): number[] {
  let lastStripe = -1;
  return sequences.filter((sequence) => {
    const stripe = stripeOf(snapshots, sequence);
    const newest = stripe !== lastStripe;
    lastStripe = stripe;
    return newest && (stripe > 0 || hidesOlder);
  });
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((number, i) => number === b[i]);
}

function stripeOf(snapshots: readonly number[], sequence: number): number {
  let low = 0;
  let high = snapshots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (snapshots[middle]! < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

function overlapsAny({ comparator, deeperRanges }: TombstoneKeepRules, begin: Uint8Array, end: Uint8Array): boolean {
  if (!deeperRanges) return true;
  let low = 0;
  let high = deeperRanges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparator.compare(deeperRanges[middle]!.largest, begin) < 0) low = middle + 1;
    else high = middle;
  }
  const range = deeperRanges[low];
  return range !== undefined && comparator.compare(range.smallest, end) < 0;
}

/** Hands out the parts of tombstones file by file, in key order. */
export class TombstoneCutter {
  readonly #comparator: Comparator;
  readonly #tombstones: readonly RangeTombstone[];
  /** Tombstones before it end before every later file begins. */
  #first = 0;

  constructor(comparator: Comparator, tombstones: readonly RangeTombstone[]) {
    this.#comparator = comparator;
    this.#tombstones = tombstones;
  }

  /**
   * The parts in `[from, to)`; `undefined` is unbounded. REQUIRES that each call begins where the last one ended.
   */
  take(from: Uint8Array | undefined, to: Uint8Array | undefined): RangeTombstone[] {
    const { compare } = this.#comparator;
    const parts: RangeTombstone[] = [];
    for (let i = this.#first; i < this.#tombstones.length; i++) {
      const { begin, end, sequence } = this.#tombstones[i]!;
      if (to && compare(begin, to) >= 0) break;
      if (!to || compare(end, to) <= 0) this.#first = i + 1;
      const cutBegin = from && compare(begin, from) < 0 ? from : begin;
      const cutEnd = to && compare(end, to) > 0 ? to : end;
      if (compare(cutBegin, cutEnd) < 0) parts.push({ begin: cutBegin, end: cutEnd, sequence });
    }
    return parts;
  }
}
