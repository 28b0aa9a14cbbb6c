/**
 * Entries in the order of their arrival, and a sorted view of them that is made when it is first asked for. Entries that
 * arrived since then are sorted by themselves and merged in, into a new array: a cursor over an older view keeps it and
 * is never disturbed.
 */
import type { MemTableRepIterator } from '../../format/base/memtable-rep.ts';
import { ENTRY_OVERHEAD } from './entry-slab.ts';
import type { InternalKeyCompare } from './internal-key-order.ts';

/** Entry numbers in key order. */
type Order = Uint32Array;

/** An append-only list of entries. */
export class EntryList {
  readonly compare: InternalKeyCompare;
  readonly keys: Uint8Array[] = [];
  readonly values: Uint8Array[] = [];
  #bytes = 0;
  #order: Order = new Uint32Array(0);

  constructor(compare: InternalKeyCompare) {
    this.compare = compare;
  }

  /** Bytes in use, the views' overhead included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes both arrays and returns the entry's number. */
  append(key: Uint8Array, value: Uint8Array): number {
    this.#bytes += key.length + value.length + ENTRY_OVERHEAD;
    this.values.push(value);
    return this.keys.push(key) - 1;
  }

  /** All entries in key order; the array never changes. */
  sorted(): Order {
    const { keys } = this;
    const known = this.#order.length;
    if (known === keys.length) return this.#order;
    const fresh = new Uint32Array(keys.length - known);
    for (let i = 0; i < fresh.length; i++) fresh[i] = known + i;
    fresh.sort((a, b) => this.compare(keys[a]!, keys[b]!));
    this.#order = known === 0 ? fresh : this.#merge(this.#order, fresh);
    return this.#order;
  }

  /** Index in `order` of the first entry >= target; `order.length` if there is none. */
  lowerBound(order: Order, target: Uint8Array): number {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.keys[order[middle]!]!, target) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #merge(old: Order, fresh: Order): Order {
    const { keys } = this;
    const merged = new Uint32Array(old.length + fresh.length);
    let from = 0;
    for (let i = 0; i < fresh.length; i++) {
      // The rest of `old` is searched, not walked: few entries are new where reads and writes take turns.
      const rest = old.subarray(from);
      const before = this.lowerBound(rest, keys[fresh[i]!]!);
      merged.set(rest.subarray(0, before), from + i);
      from += before;
      merged[from + i] = fresh[i]!;
    }
    merged.set(old.subarray(from), from + fresh.length);
    return merged;
  }
}

/** A cursor over the sorted view; every seek takes in what was inserted before it. */
export class SortedViewIterator implements MemTableRepIterator {
  readonly #list: EntryList;
  #order: Order = new Uint32Array(0);
  #at = -1;

  constructor(list: EntryList) {
    this.#list = list;
  }

  get valid(): boolean {
    return this.#at >= 0 && this.#at < this.#order.length;
  }

  get key(): Uint8Array {
    return this.#list.keys[this.#order[this.#at]!]!;
  }

  get value(): Uint8Array {
    return this.#list.values[this.#order[this.#at]!]!;
  }

  seekToFirst(): void {
    this.#order = this.#list.sorted();
    this.#at = 0;
  }

  seekToLast(): void {
    this.#order = this.#list.sorted();
    this.#at = this.#order.length - 1;
  }

  seek(target: Uint8Array): void {
    this.#order = this.#list.sorted();
    this.#at = this.#list.lowerBound(this.#order, target);
  }

  seekForPrev(target: Uint8Array): void {
    this.seek(target);
    const exact = this.valid && this.#list.compare(this.key, target) === 0;
    if (!exact) this.#at--;
  }

  next(): void {
    this.#at++;
  }

  prev(): void {
    this.#at--;
  }
}
