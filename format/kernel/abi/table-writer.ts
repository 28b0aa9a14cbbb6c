/**
 * The inner loop of writing a table: data blocks, filter hashes and the counters behind the properties
 * (`assembly/table-writer.ts`). The host compresses and writes finished blocks and builds everything else.
 */

/** Which hash of each key is collected for the filter. */
export const FilterHashKind = {
  none: 0,
  /** XXPH3 64-bit, 8 bytes each: FastLocalBloom and Ribbon. */
  hash64: 1,
  /** BloomHash 32-bit, 4 bytes each: legacy Bloom. */
  hash32: 2,
} as const;

/** Prefix extractors that the kernel knows. Prefixes of others are added by the host, from the finished block's keys. */
export const PrefixKind = { none: 0, fixed: 1, capped: 2 } as const;

/** Offsets in a table writer. Fields marked "set" are written by the host before the first add. */
export const TableWriterField = {
  /** u32: address of the data block's builder (`BlockBuilderField`). */
  builder: 0,
  /** u32, set: `FilterHashKind`. */
  hashKind: 16,
  /** u32, set: `PrefixKind`. */
  prefixKind: 20,
  /** u32, set: bytes of the prefix. */
  prefixLength: 24,
  /** u32: address of the hashes collected, in key order, neighbours distinct. Moves as it grows. */
  hashes: 28,
  /** u32: how many. */
  hashCount: 32,
  /** u32, set: 1 if whole keys are hashed. */
  wholeKeyFiltering: 40,
  /** u32: becomes 1, and stays, when one user key lies on both sides of a block boundary. */
  sameUserKeyAcrossBlocks: 44,
  /** u32: after `tableWriterAdd` returned 1: the key that was refused, borrowed from that call's caller. */
  nextKey: 48,
  /** u32 */
  nextKeySize: 52,
  /** u32: address of a copy of the first internal key of the current block. */
  firstKey: 56,
  /** u32 */
  firstKeySize: 60,
  /** u32: address of a copy of the first internal key of the table (0 before it). */
  smallestKey: 68,
  /** u32 */
  smallestKeySize: 72,
  /** f64: entries added. The largest key is the builder's `lastKey`. */
  numEntries: 80,
  /** f64: Deletion, SingleDeletion and DeletionWithTimestamp among them. */
  numDeletions: 88,
  /** f64 */
  numMergeOperands: 96,
  /** f64: bytes of internal keys. */
  rawKeySize: 104,
  /** f64 */
  rawValueSize: 112,
  /** f64: of the entries added; 2^53 before the first. */
  smallestSequence: 120,
  /** f64: 0 before the first. */
  largestSequence: 128,
} as const;

/** Outcomes of `tableWriterAdd`. */
export const TableWriterStatus = {
  added: 0,
  /** The block is full by RocksDB's FlushBlockBySizePolicy and the entry was NOT added. */
  blockFull: 1,
  outOfMemory: -1,
  /** The key has no room for a trailer. */
  badKey: -2,
} as const;

/**
 * The loop of a caller: `tableWriterAdd`; on `blockFull` take the block (`tableWriterFinishBlock`, then the builder's
 * buffer and size), write it, `tableWriterNextBlock`, and call add again. At the end finish the last block if
 * `tableWriterBlockEntries` is not 0.
 */
export interface TableWriterExports {
  /** `builderFlags`: `BlockBuilderFlags.hashIndex` or 0; `deviation` in percent of `blockSize`. 0: out of memory. */
  tableWriterCreate(
    blockSize: number,
    deviation: number,
    align: number,
    restartInterval: number,
    builderFlags: number,
    utilRatio: number,
  ): number;
  tableWriterDestroy(writer: number): void;
  /** Adds an entry behind all others, which is the caller's to ensure; a `TableWriterStatus`. */
  tableWriterAdd(writer: number, key: number, keySize: number, value: number, valueSize: number): number;
  /** Hashes one more string for the filter (a prefix of a host extractor). 1, or 0: out of memory. */
  tableWriterAddFilterKey(writer: number, key: number, keySize: number): number;
  /** Entries in the current block. */
  tableWriterBlockEntries(writer: number): number;
  /** What the current block would measure if it were finished. */
  tableWriterSizeEstimate(writer: number): number;
  /** Completes the current block; returns its size, 0: out of memory. Its bytes are at the builder's `buffer`. */
  tableWriterFinishBlock(writer: number): number;
  /** Starts an empty block; the finished one's bytes are gone. */
  tableWriterNextBlock(writer: number): void;
  /** Forgets the hashes collected so far (a filter partition was cut). */
  tableWriterResetHashes(writer: number): void;
}
