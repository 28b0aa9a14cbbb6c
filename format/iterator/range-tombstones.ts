/**
 * Range tombstones: each hides, of the user keys in [begin, end), the versions with a lower sequence. They overlap as they
 * were written; readers and compactions want them as fragments that do not, each with the sequences of all tombstones
 * that cover it.
 *
 *     [a ------- m) #9            [a, f) 9     [f, m) 9 5     [m, t) 5
 *          [f ------- t) #5
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts';
import { SENTINEL_SEQUENCE, sequenceOf, userKeyOf } from '../base/internal-key.ts';
import { TOMBSTONE_ROW_SIZE } from '../kernel/abi/read-iterator.ts';
import type { Kernel } from '../kernel/kernel.ts';

/** One range tombstone; the end is exclusive. */
export interface RangeTombstone {
  readonly begin: Uint8Array;
  readonly end: Uint8Array;
  readonly sequence: number;
}

/** A range that all its tombstones cover whole. */
export interface TombstoneFragment {
  readonly begin: Uint8Array;
  readonly end: Uint8Array;
  /** Of the tombstones, highest first, each once. */
  readonly sequences: readonly number[];
}

/** Fragments in order that do not overlap. Immutable; keys are shared with the tombstones they were made of. */
export class FragmentedTombstones {
  readonly fragments: readonly TombstoneFragment[];
  readonly #comparator: Comparator;

  /** Empty ranges (begin not before end) are left out. The tombstones may come in any order. */
  constructor(comparator: Comparator, tombstones: readonly RangeTombstone[]) {
    this.#comparator = comparator;
    this.fragments = fragment(comparator, tombstones);
  }

  get isEmpty(): boolean {
    return this.fragments.length === 0;
  }

  /** The highest sequence <= `snapshot` of a tombstone over the user key, 0 if none: versions below it are hidden. */
  coveringSequence(userKey: Uint8Array, snapshot: number): number {
    let low = 0;
    let high = this.fragments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#comparator.compare(this.fragments[middle]!.end, userKey) > 0) high = middle;
      else low = middle + 1;
    }
    const found = this.fragments[low];
    if (found === undefined || this.#comparator.compare(found.begin, userKey) > 0) return 0;
    return newestVisible(found.sequences, snapshot);
  }

  /** What a snapshot sees: ranges with the highest sequence <= `snapshot`; adjacent ones with the same are joined. */
  visibleAt(snapshot: number): RangeTombstone[] {
    const result: RangeTombstone[] = [];
    for (const { begin, end, sequences } of this.fragments) {
      const sequence = newestVisible(sequences, snapshot);
      if (sequence === 0) continue;
      const last = result[result.length - 1];
      if (last !== undefined && last.sequence === sequence && this.#comparator.compare(last.end, begin) === 0) {
        result[result.length - 1] = { begin: last.begin, end, sequence };
      } else {
        result.push({ begin, end, sequence });
      }
    }
    return result;
  }
}

function newestVisible(sequences: readonly number[], snapshot: number): number {
  for (const sequence of sequences) if (sequence <= snapshot) return sequence;
  return 0;
}

function fragment(comparator: Comparator, tombstones: readonly RangeTombstone[]): TombstoneFragment[] {
  const byBegin = tombstones.filter(({ begin, end }) => comparator.compare(begin, end) < 0);
  byBegin.sort((a, b) => comparator.compare(a.begin, b.begin));
  const result: TombstoneFragment[] = [];
  let active: RangeTombstone[] = [];
  let at: Uint8Array | undefined;
  /** Emits what is active between `at` and `limit` (`undefined`: to the last end), piece by piece as tombstones end. */
  const sweepTo = (limit: Uint8Array | undefined): void => {
    while (active.length > 0) {
      let end = active[0]!.end;
      for (const tombstone of active) if (comparator.compare(tombstone.end, end) < 0) end = tombstone.end;
      if (limit !== undefined && comparator.compare(limit, end) < 0) end = limit;
      if (comparator.compare(at!, end) >= 0) return;
      result.push({ begin: at!, end, sequences: distinctDescending(active) });
      at = end;
      active = active.filter((tombstone) => comparator.compare(tombstone.end, end) > 0);
    }
  };
  for (const tombstone of byBegin) {
    sweepTo(tombstone.begin);
    at = tombstone.begin;
    active.push(tombstone);
  }
  sweepTo(undefined);
  return result;
}

function distinctDescending(tombstones: readonly RangeTombstone[]): number[] {
  const sorted = tombstones.map(({ sequence }) => sequence).sort((a, b) => b - a);
  return sorted.filter((sequence, i) => i === 0 || sequence !== sorted[i - 1]);
}

/**
 * The parts of a file's tombstones that count: those inside the file's boundaries, two internal keys. A largest key with
 * the sentinel sequence is exclusive: the rest of the tombstone belongs to the next file. Otherwise the largest key itself
 * is covered; only in bytewise order there is a key right behind it to end at, elsewhere such a tombstone keeps its end.
 * (No writer makes one: a tombstone that reaches beyond the last point key sets the boundary.)
 */
export function clipToFile(
  comparator: Comparator,
  tombstones: readonly RangeTombstone[],
  smallest: Uint8Array,
  largest: Uint8Array,
): RangeTombstone[] {
  const first = userKeyOf(smallest);
  const last = userKeyOf(largest);
  const exclusive = sequenceOf(largest) >= SENTINEL_SEQUENCE;
  const limit = exclusive ? last : comparator === bytewiseComparator ? keyBehind(last) : undefined;
  const result: RangeTombstone[] = [];
  for (const tombstone of tombstones) {
    const begin = comparator.compare(tombstone.begin, first) < 0 ? first : tombstone.begin;
    const end = limit !== undefined && comparator.compare(tombstone.end, limit) > 0 ? limit : tombstone.end;
    if (comparator.compare(begin, end) >= 0) continue;
    const whole = begin === tombstone.begin && end === tombstone.end;
    result.push(whole ? tombstone : { begin, end, sequence: tombstone.sequence });
  }
  return result;
}

function keyBehind(key: Uint8Array): Uint8Array {
  const result = new Uint8Array(key.length + 1);
  result.set(key);
  return result;
}

/**
 * Lays tombstones that are sorted and do not overlap into kernel memory, as rows for `readIteratorSetTombstones`. Returns
 * the address of the rows, which the caller frees; 0 for an empty list.
 */
export function layTombstoneRows(kernel: Kernel, tombstones: readonly RangeTombstone[]): number {
  if (tombstones.length === 0) return 0;
  const rowsSize = tombstones.length * TOMBSTONE_ROW_SIZE;
  const keysSize = tombstones.reduce((sum, { begin, end }) => sum + begin.length + end.length, 0);
  const rows = kernel.malloc(rowsSize + keysSize);
  let key = rows + rowsSize;
  const putKey = (bytes: Uint8Array, field: number): void => {
    kernel.copyIn(bytes, key);
    kernel.u32[field >>> 2] = key;
    kernel.u32[(field >>> 2) + 1] = bytes.length;
    key += bytes.length;
  };
  tombstones.forEach(({ begin, end, sequence }, i) => {
    const row = rows + i * TOMBSTONE_ROW_SIZE;
    putKey(begin, row);
    putKey(end, row + 8);
    kernel.f64[(row + 16) >>> 3] = sequence;
  });
  return rows;
}
