/**
 * A memtable that hashes the prefix of a key and keeps a skip list for every prefix: gets, puts and scans within a
 * prefix search only the entries of that prefix. Keys that have no prefix share one more list. A scan in full order has to
 * sort all entries first.
 */
import { copyOf } from '../../format/base/bytes.ts';
import { equalBytes, userKeyOf } from '../../format/base/internal-key.ts';
import type { MemTableRep, MemTableRepIterator, MemTableRepOptions } from '../../format/base/memtable-rep.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import { SkipList, SkipNodes } from './skiplist.ts';
import { EntryList, SortedViewIterator } from './sorted-view.ts';

/** Objects of a prefix in use beside its skip list's head, estimated. */
const PREFIX_OVERHEAD = 160;

/** The list of one prefix, and the next one of the same bucket. */
interface PrefixList {
  readonly hash: number;
  readonly prefix: Uint8Array;
  readonly list: SkipList;
  next: PrefixList | undefined;
}

/** Skip lists by prefix. */
export class PrefixHashMemTable implements MemTableRep {
  readonly #extractor: SliceTransform;
  readonly #entries: EntryList;
  readonly #nodes: SkipNodes;
  /** Keys outside the extractor's domain. */
  readonly #outside: SkipList;
  #buckets: (PrefixList | undefined)[];
  #prefixCount = 0;
  #prefixBytes = 0;

  /** `bucketCount` must be a power of two; the table doubles when it holds more prefixes than that. */
  constructor(options: MemTableRepOptions, extractor: SliceTransform, bucketCount: number) {
    this.#extractor = extractor;
    this.#entries = new EntryList(options.compare);
    this.#nodes = new SkipNodes(this.#entries);
    this.#outside = new SkipList(this.#nodes);
    this.#buckets = new Array<undefined>(bucketCount).fill(undefined);
  }

  insert(key: Uint8Array, value: Uint8Array): void {
    this.#listFor(key).insert(key, value);
  }

  get(target: Uint8Array): { key: Uint8Array; value: Uint8Array } | undefined {
    return this.listOf(target)?.get(target);
  }

  /** Without `totalOrder`, a seek to a key with a prefix stays within it; every other positioning is in full order. */
  iterator(totalOrder: boolean): MemTableRepIterator {
    return totalOrder ? new SortedViewIterator(this.#entries) : new PrefixIterator(this, this.#entries);
  }

  approximateMemoryUsage(): number {
    return this.#entries.bytes + this.#nodes.bytes + this.#prefixBytes;
  }

  markReadOnly(): void {}

  /** Whether the user key of `key` has a prefix. */
  hasPrefix(key: Uint8Array): boolean {
    return this.#extractor.inDomain(userKeyOf(key));
  }

  /** The list that has the internal key's prefix, if any entry has it. */
  listOf(key: Uint8Array): SkipList | undefined {
    const userKey = userKeyOf(key);
    if (!this.#extractor.inDomain(userKey)) return this.#outside;
    const prefix = this.#extractor.transform(userKey);
    return this.#find(prefix, hashOf(prefix))?.list;
  }

  #listFor(key: Uint8Array): SkipList {
    const userKey = userKeyOf(key);
    if (!this.#extractor.inDomain(userKey)) return this.#outside;
    const prefix = this.#extractor.transform(userKey);
    const hash = hashOf(prefix);
    return (this.#find(prefix, hash) ?? this.#add(prefix, hash)).list;
  }

  #find(prefix: Uint8Array, hash: number): PrefixList | undefined {
    let at = this.#buckets[hash & (this.#buckets.length - 1)];
    while (at !== undefined && (at.hash !== hash || !equalBytes(at.prefix, prefix))) at = at.next;
    return at;
  }

  #add(prefix: Uint8Array, hash: number): PrefixList {
    if (this.#prefixCount >= this.#buckets.length) this.#grow();
    const at = hash & (this.#buckets.length - 1);
    // The prefix may be a view of a key that the caller still owns.
    const added = { hash, prefix: copyOf(prefix), list: new SkipList(this.#nodes), next: this.#buckets[at] };
    this.#buckets[at] = added;
    this.#prefixCount++;
    this.#prefixBytes += prefix.length + PREFIX_OVERHEAD;
    return added;
  }

  #grow(): void {
    const old = this.#buckets;
    const buckets = new Array<PrefixList | undefined>(old.length * 2).fill(undefined);
    for (const chain of old) {
      let each = chain;
      while (each !== undefined) {
        const { next } = each;
        const at = each.hash & (buckets.length - 1);
        each.next = buckets[at];
        buckets[at] = each;
        each = next;
      }
    }
    this.#buckets = buckets;
  }
}

/** FNV-1a, mixed so that its low bits are good. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Moves within the list of a prefix after a seek to a key that has one, within all entries otherwise. */
class PrefixIterator implements MemTableRepIterator {
  readonly #table: PrefixHashMemTable;
  readonly #all: MemTableRepIterator;
  #current: MemTableRepIterator | undefined;

  constructor(table: PrefixHashMemTable, entries: EntryList) {
    this.#table = table;
    this.#all = new SortedViewIterator(entries);
  }

  get valid(): boolean {
    return this.#current?.valid ?? false;
  }

  get key(): Uint8Array {
    return this.#current!.key;
  }

  get value(): Uint8Array {
    return this.#current!.value;
  }

  seekToFirst(): void {
    this.#current = this.#all;
    this.#all.seekToFirst();
  }

  seekToLast(): void {
    this.#current = this.#all;
    this.#all.seekToLast();
  }

  seek(target: Uint8Array): void {
    this.#enter(target);
    this.#current?.seek(target);
  }

  seekForPrev(target: Uint8Array): void {
    this.#enter(target);
    this.#current?.seekForPrev(target);
  }

  next(): void {
    this.#current!.next();
  }

  prev(): void {
    this.#current!.prev();
  }

  /** Takes the entries that a seek to `target` moves in. */
  #enter(target: Uint8Array): void {
    this.#current = this.#table.hasPrefix(target) ? this.#table.listOf(target)?.iterator() : this.#all;
  }
}
