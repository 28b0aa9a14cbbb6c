/** The plain model of a memtable, a merge and a reader: one sorted array. */
import type { Comparator } from '../../../../format/base/comparator.ts';
import {
  compareInternalKeys,
  MAX_SEQUENCE,
  makeInternalKey,
  sequenceOf,
  typeOf,
  userKeyOf,
  ValueType,
} from '../../../../format/base/internal-key.ts';
import type { RangeTombstone } from '../../../../format/iterator/range-tombstones.ts';

/** An entry of a sorted run. */
export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A row that a reader sees; a merge operand's value is not resolved. */
export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array | 'merge';
}

/** Entries in the order of their internal keys. */
export class SortedEntries {
  readonly comparator: Comparator;
  readonly entries: Entry[] = [];

  constructor(comparator: Comparator) {
    this.comparator = comparator;
  }

  /** Index of the first entry >= key. */
  indexOf(key: Uint8Array): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareInternalKeys(this.comparator, this.entries[middle]!.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** False if the same internal key is there already. */
  insert(sequence: number, type: number, userKey: Uint8Array, value: Uint8Array): boolean {
    const key = makeInternalKey(userKey, sequence, type);
    const index = this.indexOf(key);
    const there = this.entries[index];
    if (there !== undefined && compareInternalKeys(this.comparator, there.key, key) === 0) return false;
    this.entries.splice(index, 0, { key, value });
    return true;
  }

  /** Newest version of the user key with sequence <= `sequence`. */
  get(userKey: Uint8Array, sequence: number): Entry | undefined {
    const entry = this.entries[this.indexOf(makeInternalKey(userKey, Math.min(sequence, MAX_SEQUENCE), 0xff))];
    return entry !== undefined && this.comparator.compare(userKeyOf(entry.key), userKey) === 0 ? entry : undefined;
  }
}

/** What a reader at `snapshot` sees, ascending. */
export function visibleRows(
  comparator: Comparator,
  entries: readonly Entry[],
  snapshot: number,
  tombstones: readonly RangeTombstone[],
  lower?: Uint8Array,
  upper?: Uint8Array,
): Row[] {
  const rows: Row[] = [];
  let last: Uint8Array | undefined;
  for (const { key, value } of entries) {
    const userKey = userKeyOf(key);
    if (sequenceOf(key) > snapshot) continue;
    if (last !== undefined && comparator.compare(last, userKey) === 0) continue;
    last = userKey;
    if (lower !== undefined && comparator.compare(userKey, lower) < 0) continue;
    if (upper !== undefined && comparator.compare(userKey, upper) >= 0) continue;
    const hidden = tombstones.some(
      ({ begin, end, sequence }) =>
        sequence <= snapshot &&
        sequence > sequenceOf(key) &&
        comparator.compare(begin, userKey) <= 0 &&
        comparator.compare(userKey, end) < 0,
    );
    if (hidden) continue;
    if (typeOf(key) === ValueType.value) rows.push({ key: userKey, value });
    else if (typeOf(key) === ValueType.merge) rows.push({ key: userKey, value: 'merge' });
  }
  return rows;
}
