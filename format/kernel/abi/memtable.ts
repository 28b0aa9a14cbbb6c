/**
 * Memtables and the application of write batches: what `assembly/memtable.ts`, `assembly/memtable-cursor.ts` and
 * `assembly/batch-apply.ts` export. One thread writes a memtable; others may read it once it is immutable.
 */

/** What inserts return. */
export const InsertStatus = {
  ok: 0,
  /** An entry with the same key, sequence and type is there already; nothing was changed. */
  duplicate: 1,
  /** Nothing was changed. */
  outOfMemory: -1,
} as const;

/** Offsets in a tree: a memtable's points, or its range tombstones. */
export const TreeField = {
  /** u32: entries, as `memtableCount` tells. */
  count: 28,
} as const;

/** What `batchCheck` and `batchApply` return. */
export const BatchStatus = {
  ok: 0,
  /** A record is cut off, or the batch is shorter than its header. */
  malformed: 1,
  /** The header's count is not the number of counting records. */
  wrongCount: 2,
  /** A record of a kind that is not supported or not known. */
  unsupportedTag: 3,
  /** A record names a family that is not in the table. */
  unknownFamily: 4,
  /** The memory is exhausted; the records before this one have been inserted. */
  outOfMemory: 5,
  /** A marker of two-phase commit: the caller must handle the batch itself. */
  needsHost: 6,
} as const;

/** Offsets in the result of `batchCheck` and `batchApply`, all u32. */
export const BatchResultField = {
  /** Counting records met: how far the sequence advances. */
  count: 0,
  /** Offset in the batch of the record that stopped it. */
  offset: 4,
  /** Tag of that record. */
  tag: 8,
  /** Family of that record. */
  family: 12,
  /** Counting records whose family was in the table with a memtable. */
  inserted: 16,
} as const;

/** Bytes of that result. */
export const BATCH_RESULT_SIZE = 20;

/** Bytes of a row of the family table: { id u32, memtable u32 (0: skip its records) }. */
export const FAMILY_ROW_SIZE = 8;

/** Memtables in kernel memory. A memtable's address also names its tree of point entries. */
export interface MemtableExports {
  /**
   * An empty memtable for a comparator id, in chunks of `chunkSize` bytes from the first insert on; 0 when memory is
   * exhausted.
   */
  memtableCreate(comparator: number, chunkSize: number): number;
  /**
   * From now on the keys of point entries are added to the filter (`memtable-filter.ts`), which is borrowed until the
   * memtable is freed. REQUIRES an empty memtable.
   */
  memtableSetFilter(memtable: number, filter: number): void;
  /** Frees the memtable and its entries; no cursor over it may be used after. */
  memtableFree(memtable: number): void;
  /**
   * Copies one record in and returns an `InsertStatus`. Type 0x0F goes to the tree of range tombstones: key is its begin,
   * value its end. Records may come in any order of sequence.
   */
  memtableInsert(
    memtable: number,
    sequence: number,
    type: number,
    key: number,
    keySize: number,
    value: number,
    valueSize: number,
  ): number;
  /**
   * Newest version of the user key with sequence <= `sequence`, range tombstones aside: 1 and `result` filled (the layout
   * `GetResultField` of `block.ts`, `block` untouched; the value lives as long as the memtable), or 0.
   */
  memtableGet(memtable: number, key: number, keySize: number, sequence: number, result: number): number;
  /** The tree of range tombstones, for the functions below. */
  memtableRangeTree(memtable: number): number;
  /** Entries of a tree. */
  memtableCount(tree: number): number;
  /** Point deletions, plain and single, of a tree. */
  memtableDeletes(tree: number): number;
  /** Lowest sequence of a tree, 0 if it is empty. */
  memtableFirstSequence(tree: number): number;
  /** Highest sequence of a tree, 0 if it is empty. */
  memtableLargestSequence(tree: number): number;
  /** Bytes in use by entries, nodes and filter: what a write buffer's limit is compared with. */
  memtableBytes(memtable: number): number;
  /** Bytes taken from the allocator, chunks not yet filled included. */
  memtableAllocatedBytes(memtable: number): number;
  /** The comparator id it was made with. */
  memtableComparator(memtable: number): number;

  /**
   * A cursor (kind 2) over a tree; 0 when memory is exhausted. It survives inserts between its moves; keys and values it
   * shows live as long as the memtable.
   */
  memtableCursorCreate(tree: number): number;
  memtableCursorFree(cursor: number): void;

  /**
   * Parses a whole batch (12-byte header, records) in kernel memory without applying it. Families are not looked up.
   * Returns a `BatchStatus` and fills `result`.
   */
  batchCheck(batch: number, size: number, result: number): number;
  /**
   * Inserts every record of a batch into the memtable of its family; counting records get `sequence`, `sequence + 1` and
   * so on (the header's own sequence is not looked at). `families` has `familyCount` rows sorted by id. Stops at the first
   * record that is not in order, those before it being inserted: check batches of doubtful origin first.
   */
  batchApply(
    batch: number,
    size: number,
    sequence: number,
    families: number,
    familyCount: number,
    result: number,
  ): number;
}
