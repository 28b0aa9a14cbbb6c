/** A memtable as a user would write one: a sorted array, against the public interface only. */
import type { MemTableFactory, MemTableRep, MemTableRepIterator } from '../../../format/base/memtable-rep.ts';

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

type Compare = (a: Uint8Array, b: Uint8Array) => number;

class SortedArrayMemTable implements MemTableRep {
  readonly compare: Compare;
  entries: readonly Entry[] = [];
  #bytes = 0;

  constructor(compare: Compare) {
    this.compare = compare;
  }

  insert(key: Uint8Array, value: Uint8Array): void {
    // A new array for every insert: cursors keep the one they were positioned in.
    const at = this.indexOf(key);
    this.entries = [...this.entries.slice(0, at), { key, value }, ...this.entries.slice(at)];
    this.#bytes += key.length + value.length;
  }

  get(target: Uint8Array): Entry | undefined {
    const entry = this.entries[this.indexOf(target)];
    if (entry === undefined) return undefined;
    const lastOfUserKey = target.slice().fill(0, target.length - 8);
    return this.compare(entry.key, lastOfUserKey) <= 0 ? entry : undefined;
  }

  iterator(): MemTableRepIterator {
    return new SortedArrayIterator(this);
  }

  approximateMemoryUsage(): number {
    return this.#bytes;
  }

  markReadOnly(): void {}

  indexOf(key: Uint8Array): number {
    const at = this.entries.findIndex((entry) => this.compare(entry.key, key) >= 0);
    return at < 0 ? this.entries.length : at;
  }
}

class SortedArrayIterator implements MemTableRepIterator {
  readonly #table: SortedArrayMemTable;
  #entries: readonly Entry[] = [];
  #at = -1;

  constructor(table: SortedArrayMemTable) {
    this.#table = table;
  }

  get valid(): boolean {
    return this.#entries[this.#at] !== undefined;
  }

  get key(): Uint8Array {
    return this.#entries[this.#at]!.key;
  }

  get value(): Uint8Array {
    return this.#entries[this.#at]!.value;
  }

  seekToFirst(): void {
    this.#entries = this.#table.entries;
    this.#at = 0;
  }

  seekToLast(): void {
    this.#entries = this.#table.entries;
    this.#at = this.#entries.length - 1;
  }

  seek(target: Uint8Array): void {
    this.#entries = this.#table.entries;
    this.#at = this.#table.indexOf(target);
  }

  seekForPrev(target: Uint8Array): void {
    this.#entries = this.#table.entries;
    this.#at = this.#entries.findLastIndex((entry) => this.#table.compare(entry.key, target) <= 0);
  }

  next(): void {
    this.#at++;
  }

  prev(): void {
    this.#at--;
  }
}

/** The factory. */
export function sortedArrayMemTable(): MemTableFactory {
  return { name: 'user.SortedArray', create: ({ compare }) => new SortedArrayMemTable(compare) };
}
