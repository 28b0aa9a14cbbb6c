/**
 * The pluggable part of a memtable: a sorted container of internal keys and values in JavaScript. The default B+tree
 * does not go through this interface (it lives in kernel memory); the others, and a user's own, do.
 */
import type { SliceTransform } from './slice-transform.ts';

/** What a representation is made with. */
export interface MemTableRepOptions {
  /** The order of internal keys: user key by the family's comparator, then newest first. */
  compare(a: Uint8Array, b: Uint8Array): number;
  prefixExtractor: SliceTransform | undefined;
}

/** A cursor over a representation. Inserts made after it was positioned may or may not be met. */
export interface MemTableRepIterator {
  readonly valid: boolean;
  /** The internal key; owned by the representation and never changed. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  seekToFirst(): void;
  seekToLast(): void;
  /** The first entry >= target. */
  seek(target: Uint8Array): void;
  /** The last entry <= target. */
  seekForPrev(target: Uint8Array): void;
  next(): void;
  prev(): void;
}

/** One memtable's container. Internal keys are unique. Calls come from one thread. */
export interface MemTableRep {
  /** Takes ownership of both arrays. */
  insert(key: Uint8Array, value: Uint8Array): void;
  /** The first entry >= target with target's user key, or `undefined`. */
  get(target: Uint8Array): { key: Uint8Array; value: Uint8Array } | undefined;
  /** A cursor in key order; `totalOrder` false lets a hashed container stay inside the prefix of a seek. */
  iterator(totalOrder: boolean): MemTableRepIterator;
  /** Bytes in use; the memtable is switched when this passes `writeBufferSize`. */
  approximateMemoryUsage(): number;
  /** No insert follows; the place to sort. */
  markReadOnly(): void;
}

/** Makes memtables of one kind. */
export interface MemTableFactory {
  readonly name: string;
  create(options: MemTableRepOptions): MemTableRep;
}

/** The name under which the built-in kernel B+tree is recognised. */
export const BTREE_MEMTABLE_NAME = 'pumice.BTreeMemTable';
