/**
 * A memtable for bulk loads: an insert only appends, and the entries are sorted when they are first read, at the latest
 * for the flush. A read between inserts sorts what is new and merges it in, which costs a copy of the order of all
 * entries: not for a database that is read while it is written.
 */
import type { MemTableRep, MemTableRepIterator, MemTableRepOptions } from '../../format/base/memtable-rep.ts';
import { hasUserKeyOf } from './internal-key-order.ts';
import { EntryList, SortedViewIterator } from './sorted-view.ts';

/** Bytes of an entry's place in the sorted view. */
const ORDER_BYTES = 4;

/** A vector of entries. */
export class VectorMemTable implements MemTableRep {
  readonly #list: EntryList;

  constructor(options: MemTableRepOptions) {
    this.#list = new EntryList(options.compare);
  }

  insert(key: Uint8Array, value: Uint8Array): void {
    this.#list.append(key, value);
  }

  get(target: Uint8Array): { key: Uint8Array; value: Uint8Array } | undefined {
    const list = this.#list;
    const order = list.sorted();
    const entry = order[list.lowerBound(order, target)];
    if (entry === undefined) return undefined;
    const key = list.keys[entry]!;
    return hasUserKeyOf(list.compare, key, target) ? { key, value: list.values[entry]! } : undefined;
  }

  iterator(_totalOrder: boolean): MemTableRepIterator {
    return new SortedViewIterator(this.#list);
  }

  approximateMemoryUsage(): number {
    return this.#list.bytes + this.#list.keys.length * ORDER_BYTES;
  }

  /** The sort is left to the first read: a memtable becomes read-only in the middle of a write. */
  markReadOnly(): void {}
}
