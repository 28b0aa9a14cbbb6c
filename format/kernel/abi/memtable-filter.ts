/**
 * The Bloom filter of a memtable: what `assembly/memtable-filter.ts` exports. The thread that writes the memtable fills it;
 * whoever may read the memtable may ask it.
 */
import { PrefixKind } from './table-writer.ts';

/** Which prefixes a filter takes: those that the kernel cuts off, and those that the host is asked for at each insert. */
export const FilterPrefixKind = { ...PrefixKind, host: 3 } as const;

/** Filters of memtables. A string is a user key or a prefix; both share the bits. */
export interface MemtableFilterExports {
  /**
   * An empty filter of at least `size` bytes; 0 when memory is exhausted. `wholeKeys`: 1 to take user keys. `prefixKind` is a
   * `FilterPrefixKind`, `prefixLength` counts for fixed and capped ones.
   */
  memtableFilterCreate(size: number, wholeKeys: number, prefixKind: number, prefixLength: number): number;
  /** Frees the filter; the memtable that was given it must be gone. */
  memtableFilterFree(filter: number): void;
  /** Bytes taken from the allocator. */
  memtableFilterBytes(filter: number): number;
  /** Adds what the filter wants of a user key: the key, its prefix, or both; calls `host.addPrefix` for the kind `host`. */
  memtableFilterAdd(filter: number, key: number, keySize: number): void;
  /** Adds a string as it is. */
  memtableFilterAddString(filter: number, string: number, size: number): void;
  /** 0 if the string was surely not added, else 1. */
  memtableFilterMayHoldString(filter: number, string: number, size: number): number;
  /** 0 if surely no key with the user key's prefix was added, else 1: also for a key without one. Not for the kind `host`. */
  memtableFilterMayHoldPrefix(filter: number, key: number, keySize: number): number;
}
