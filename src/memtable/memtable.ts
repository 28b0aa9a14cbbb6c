/**
 * A memtable: the writes of one column family since the last switch, in key order. Two kinds stand behind one face: the
 * B+tree in kernel memory (`BTreeMemTable`), which batches go into without passing through JavaScript, and any
 * `MemTableRep` (`RepMemTable`).
 *
 * A memtable is ref-counted: by its family while it is active or immutable, and by every super-version that shows it.
 * The last `unref` frees its memory.
 */
import type { CursorSource } from '../../format/base/cursor-source.ts';
import type { RangeTombstone } from '../../format/iterator/range-tombstones.ts';
import type { MemTableFilter } from './memtable-filter.ts';

/** One memtable. */
export interface MemTable {
  /** Address of the kernel B+tree, or 0 for a memtable in JavaScript. */
  readonly kernelAddress: number;
  /** The Bloom filter of the point entries, if the options want one; it lives as long as the memtable. */
  readonly filter: MemTableFilter | undefined;
  /** Entries, range tombstones included. */
  readonly entryCount: number;
  /** Bytes in use, the filter's included. */
  readonly bytes: number;
  /** Sequence of the first entry; 0 when empty. */
  readonly firstSequence: number;
  readonly largestSequence: number;
  /** Logs below this hold nothing of this family that is not in an older memtable or a table. */
  logNumber: number;
  /** Number of the WAL that was begun when this memtable was switched; what a flush of it records as the family's log number. */
  nextLogNumber: number;
  /** Set while a flush job has it. */
  flushing: boolean;

  /** Adds one entry; the arrays are copied. For paths that do not go through `batchApply`. */
  add(type: number, sequence: number, userKey: Uint8Array, value: Uint8Array): void;
  /**
   * Newest version of the user key (in kernel memory) with a sequence <= `sequence`: 1 and the kernel's result struct at
   * `result` filled, or 0; the filter is asked first. What the struct points to lives as long as the memtable, or for `RepMemTable` until the next lookup.
   */
  get(userKey: number, userKeySize: number, sequence: number, result: number): number;
  /** All range tombstones, unordered; borrowed until the memtable changes. */
  rangeTombstones(): readonly RangeTombstone[];
  /** A cursor over point entries in key order. */
  source(totalOrder: boolean): CursorSource;
  /** No entry follows. */
  markImmutable(): void;
  /**
   * Does a slice of the work that `flushAddress` would do at once, and returns whether all is done: call it with turns of
   * the event loop in between. REQUIRES an immutable memtable.
   */
  copyForFlush(): boolean;
  /**
   * Address of a kernel B+tree with the same entries, for a flush, which may run in another thread; it lives as long as the
   * memtable. REQUIRES an immutable memtable.
   */
  flushAddress(): number;
  ref(): void;
  unref(): void;
}
