/** The model that a memtable is held against: entries in one sorted array. Slow, and plainly right. */
import type { Comparator } from '../../format/base/comparator.ts';
import { compareInternalKeys, makeInternalKey, TYPE_FOR_SEEK, userKeyOf } from '../../format/base/internal-key.ts';

/** An entry as a memtable holds it. */
export interface ModelEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Entries in the order of internal keys. */
export class SortedEntries {
  readonly entries: ModelEntry[] = [];
  readonly #comparator: Comparator;

  constructor(comparator: Comparator) {
    this.#comparator = comparator;
  }

  /** Compares internal keys. */
  compare(a: Uint8Array, b: Uint8Array): number {
    return compareInternalKeys(this.#comparator, a, b);
  }

  /** Keeps both arrays. */
  insert(key: Uint8Array, value: Uint8Array): void {
    this.entries.splice(this.lowerBound(key), 0, { key, value });
  }

  /** Index of the first entry >= key. */
  lowerBound(key: Uint8Array): number {
    const index = this.entries.findIndex((entry) => this.compare(entry.key, key) >= 0);
    return index < 0 ? this.entries.length : index;
  }

  /** Index of the last entry <= key, or -1. */
  upperBound(key: Uint8Array): number {
    return this.entries.findLastIndex((entry) => this.compare(entry.key, key) <= 0);
  }

  /** The newest entry of the user key whose sequence is at most `sequence`. */
  get(userKey: Uint8Array, sequence: number): ModelEntry | undefined {
    const entry = this.entries[this.lowerBound(makeInternalKey(userKey, sequence, TYPE_FOR_SEEK))];
    return entry && this.#comparator.compare(userKeyOf(entry.key), userKey) === 0 ? entry : undefined;
  }
}
