/** A memtable over one skip list: RocksDB's default container, in JavaScript. Order, inserts and moves in O(log n). */
import type { MemTableRep, MemTableRepIterator, MemTableRepOptions } from '../../format/base/memtable-rep.ts';
import { SkipList, SkipNodes } from './skiplist.ts';
import { EntryList } from './sorted-view.ts';

/** A skip list of entries. */
export class SkipListMemTable implements MemTableRep {
  readonly #nodes: SkipNodes;
  readonly #list: SkipList;

  constructor(options: MemTableRepOptions) {
    this.#nodes = new SkipNodes(new EntryList(options.compare));
    this.#list = new SkipList(this.#nodes);
  }

  insert(key: Uint8Array, value: Uint8Array): void {
    this.#list.insert(key, value);
  }

  get(target: Uint8Array): { key: Uint8Array; value: Uint8Array } | undefined {
    return this.#list.get(target);
  }

  iterator(_totalOrder: boolean): MemTableRepIterator {
    return this.#list.iterator();
  }

  approximateMemoryUsage(): number {
    return this.#nodes.bytes + this.#nodes.entries.bytes;
  }

  markReadOnly(): void {}
}
