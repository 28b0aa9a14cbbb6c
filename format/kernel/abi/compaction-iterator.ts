/**
 * A merge through the dropping rules into a table writer (`assembly/compaction-iterator.ts`). The host fills the fields
 * marked "set" after `compactionCreate`, then calls `compactionRun` until it returns `end`; each other status says what
 * the host must do before the next call.
 */

/** What `compactionRun` returns. */
export const CompactionStatus = {
  /** All input, or all before `endKey`, is read and everything is added to the writer; its last block is not finished yet. */
  end: 0,
  /** The merge's child `mergeNeed` must be refilled; do not call `mergeResume`, the next run does. */
  needRefill: 1,
  /** Finish and write the writer's block, `tableWriterNextBlock`, run again. */
  blockFull: 2,
  /** The operands of one user key are gathered: fold them, then `compactionMerged` or `compactionKeepOperands`. */
  merge: 3,
  /** A value for the compaction filter stands in `key`, `value`: `compactionFilterVerdict`, run again. */
  filter: 4,
  /** Complete the output, if one is open, before the user key in `key`, and set the writer of the next one. */
  cut: 5,
  /** The merge's child `mergeCorruptChild` is corrupt. */
  corrupt: 6,
  /** An entry of type `type`, which Pumice does not write or understand. */
  unsupportedType: 7,
  /** `sliceRecords` entries were read since the call: let others run, run again. */
  pause: 8,
  outOfMemory: 9,
  /** The writer refused a key: its own invariant is broken. */
  writerFailed: 10,
} as const;

/** Bits of `flags`. */
export const CompactionFlags = {
  /** No older sorted run holds a key of the input's range. */
  bottommost: 1,
  /** `deeperRanges` tells all keys of older sorted runs (none at all if its count is 0). */
  deeperKnown: 2,
  /** Values newer than every snapshot are shown to the host's filter. */
  filter: 4,
  /** Outputs may end at grandparents' boundaries well before or after the target size. */
  dynamicFileSize: 8,
} as const;

/** What lies below the gathered operands, in `mergeBase`. */
export const MergeBase = {
  /** Unknown: an older run or an older snapshot may hold it. Only operands can be combined. */
  unknown: 0,
  /** The value in `value`, `valueSize`. */
  value: 1,
  /** Nothing: deleted, or there is no older entry of the key. */
  none: 2,
} as const;

/** Offsets in a compaction iterator. Addresses and sizes are u32, sums and sequences f64. */
export const CompactionField = {
  /** set: the merge, started. */
  merge: 0,
  /** set: `CompactionFlags`. */
  flags: 8,
  /** set: the table writer; 0: `cut` is returned before the first add. */
  writer: 12,
  /** set: address and count of f64, ascending, distinct. */
  snapshots: 16,
  snapshotCount: 20,
  /** set: rows of `TombstoneRow`, by key, not overlapping. */
  tombstones: 24,
  tombstoneCount: 28,
  /** set: rows of `RangeRow`, by key, not overlapping: user keys in older sorted runs, inclusive. */
  deeperRanges: 36,
  deeperRangeCount: 40,
  /** set: rows of `RangeRow` with `sizeBytes`, by key. */
  grandparents: 48,
  grandparentCount: 52,
  /** set: entries to read before `pause`. */
  sliceRecords: 60,
  /** The current internal key, in a buffer of the iterator; valid until the next run. */
  key: 64,
  keySize: 72,
  /** The value for the filter, or the base of a merge. */
  value: 76,
  valueSize: 80,
  /** Type of the current entry. */
  type: 84,
  /** Rows of `OperandRow`, newest first, after status `merge`. */
  operands: 88,
  operandCount: 96,
  /** `MergeBase`. */
  mergeBase: 100,
  /** Copies of the operands' values; rows hold offsets into it. */
  operandBytes: 104,
  /** set: bytes written to the current output, kept up to date by the host at each block. */
  fileBytes: 160,
  /** set: an output ends at the next user key when it has reached this; Infinity never. */
  fileBytesMax: 168,
  /** set: the size outputs should have; `dynamicFileSize` ends them around it. */
  fileBytesTarget: 176,
  /** set: limit on bytes of grandparents that one output overlaps. */
  overlapBytesMax: 184,
  /**
   * set: sequence below which a SingleDelete and its Put may vanish together without a trace; 2^56 unless a transaction
   * must still see that the key was written.
   */
  conflictSnapshot: 192,
  /** Entries read from the inputs. */
  inputRecords: 208,
  inputKeyBytes: 216,
  inputValueBytes: 224,
  inputDeletions: 232,
  /** Dropped: a newer entry of the key hides them. */
  droppedHidden: 240,
  /** Dropped: tombstones with nothing left to hide. */
  droppedObsolete: 248,
  /** Dropped: covered by a range tombstone. */
  droppedRangeDeleted: 256,
  /** Dropped: by the compaction filter. */
  droppedByFilter: 264,
  /** Entries whose sequence became 0. */
  zeroedSequences: 272,
  /** SingleDeletes that met something other than the one Put they are for. */
  singleDeleteMismatches: 280,
  outputRecords: 288,
  /** set: address and size of the user key that ends the range, exclusive; address 0: everything is read. */
  endKey: 332,
  endKeySize: 336,
} as const;

/** Offsets in a row of range tombstones: user keys [begin, end), and all sequences that cover them, descending f64. */
export const TombstoneRow = {
  begin: 0,
  beginSize: 4,
  end: 8,
  endSize: 12,
  sequences: 16,
  count: 20,
  size: 24,
} as const;

/** Offsets in a row of key ranges, both ends inclusive; `sizeBytes` is f64. */
export const RangeRow = { smallest: 0, smallestSize: 4, largest: 8, largestSize: 12, sizeBytes: 16, size: 24 } as const;

/** Offsets in a row of gathered operands; `offset` counts from `operandBytes`, `sequence` is f64. */
export const OperandRow = { offset: 0, valueSize: 4, sequence: 8, size: 16 } as const;

/** Decisions for `compactionFilterVerdict`. */
export const FilterDecision = { keep: 0, remove: 1, change: 2 } as const;

/** The compaction iterator. Not for use by two threads at once. */
export interface CompactionExports {
  /** A compaction iterator with zeros in the fields to set; 0: out of memory. */
  compactionCreate(comparator: number): number;
  /** Frees the iterator and its buffers; everything the host set stays the host's. */
  compactionFree(compaction: number): void;
  /** Goes on until something is needed; a `CompactionStatus`. */
  compactionRun(compaction: number): number;
  /** Answers `filter`; the value for `change` is borrowed until the run after the next status that is not `blockFull` or `cut`. */
  compactionFilterVerdict(compaction: number, decision: number, value: number, valueSize: number): void;
  /** Answers `merge`: one entry of `type` (value or merge) stands for all; the value is borrowed likewise. */
  compactionMerged(compaction: number, type: number, value: number, valueSize: number): void;
  /** Answers `merge`: every operand and the base stay as they are. */
  compactionKeepOperands(compaction: number): void;
}
