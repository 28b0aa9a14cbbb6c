/** Visible rows of a merge, in chunks: what `assembly/read-iterator.ts` exports. */

/** What `readForward` and `readBackward` return; the rows so far are good in every case. */
export const ReadStatus = {
  /** The chunk is full; there may be more. */
  more: 0,
  /** The end of the merge, or the bound in this direction. */
  end: 1,
  /**
   * Child `mergeNeed` of the merge must be refilled. Rows whose values were not copied must be used before the refill;
   * after `mergeResume` reading goes on.
   */
  needRefill: 2,
  /** The cursor of child `mergeCorruptChild` met corrupt bytes. */
  corrupt: 3,
  /** The newest version of the last row's key is a merge operand: its value address is 0, the caller reads that key itself. */
  mergeOperand: 4,
  /** A type that reading does not support: field `type`. */
  unsupportedType: 5,
  /** The memory is exhausted. */
  outOfMemory: 6,
} as const;

/** Offsets in an iterator, all u32. */
export const ReadIteratorField = {
  /** Address of the rows; constant. */
  rows: 0,
  rowCount: 4,
  /** The value type that stopped the reading. */
  type: 8,
} as const;

/** Bytes of a row: { key u32, keySize u32, value u32, valueSize u32 }; keys are user keys. */
export const READ_ROW_SIZE = 16;

/** Bytes of a tombstone fragment: { start u32, startSize u32, end u32, endSize u32, sequence f64 }, 8-aligned. */
export const TOMBSTONE_ROW_SIZE = 24;

/** Reads of what a snapshot shows. All addresses that are given in are borrowed until replaced or the iterator is freed. */
export interface ReadIteratorExports {
  /**
   * An iterator over `merge` for at most `rowCapacity` rows a chunk, whose keys (and values, if `copyValues` is 1) lie in
   * a slab of `slabSize` bytes, which grows for a single large row. With `copyValues` 0 values stay in their block or
   * memtable, those of host cursors excepted. 0: out of memory.
   */
  readIteratorCreate(
    merge: number,
    snapshot: number,
    rowCapacity: number,
    slabSize: number,
    copyValues: number,
  ): number;
  /** Frees the iterator, its rows and slab; not the merge. */
  readIteratorFree(iterator: number): void;
  /** Entries with a greater sequence are not seen. */
  readIteratorSetSnapshot(iterator: number, snapshot: number): void;
  /** User-key bounds: lower inclusive, upper exclusive; address 0 for none. */
  readIteratorSetBounds(iterator: number, lower: number, lowerSize: number, upper: number, upperSize: number): void;
  /**
   * Fragments of range tombstones, sorted and not overlapping, each with the largest sequence that the snapshot sees.
   * May be replaced at any time.
   */
  readIteratorSetTombstones(iterator: number, rows: number, count: number): void;
  /** Begins a new chunk: forgets the rows, not the position. */
  readIteratorClear(iterator: number): void;
  /** Forgets rows and position. Call it whenever the merge was positioned anew. */
  readIteratorReset(iterator: number): void;
  /**
   * Appends rows until there are `maxRows`, or their keys and values have at least `maxBytes`. REQUIRES a merge that goes
   * forward.
   */
  readForward(iterator: number, maxRows: number, maxBytes: number): number;
  /** The same backward; rows come in descending order. REQUIRES a merge that goes backward. */
  readBackward(iterator: number, maxRows: number, maxBytes: number): number;
}
