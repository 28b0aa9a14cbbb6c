/**
 * Blocks of sorted entries: what the kernel exports to write and read them (`assembly/block-builder.ts`,
 * `assembly/block-cursor.ts`, `assembly/block-get.ts`). The byte layout is the one of RocksDB's block-based tables.
 */

/** Bits of `flags` for cursors and gets: how the block's keys and values are to be understood. */
export const BlockFlags = {
  /** Keys end in the 8-byte trailer; targets are internal keys and compare with it. */
  internalKeys: 1,
  /** Keys are user keys (an index of separators); targets are internal keys whose trailer is ignored. */
  userKeys: 2,
  /** `value_length` is absent and handles are delta encoded. Implies `handles`. */
  deltaValues: 4,
  /** Each value is a block handle, decoded into the cursor's handle fields. */
  handles: 8,
  /** After the handle stands the length-prefixed first internal key of the block it points to. */
  firstKeys: 16,
  /** Every key's sequence is replaced by the given global one. Only with `internalKeys`. */
  globalSequence: 32,
  /** A data block: it may carry a hash index. */
  dataBlock: 64,
} as const;

/**
 * Offsets in a block cursor, behind the head that all cursors share (`format/kernel/README.md`). Neither `internalKeys`
 * nor `userKeys` set: keys and targets are plain byte strings in bytewise order (metaindex, properties).
 */
export const BlockCursorField = {
  /** u32: address of the block; 0 before the first init. */
  block: 32,
  /** f64: file offset of the block that the entry's handle points to. */
  handleOffset: 88,
  /** f64: size of that block, its 5-byte trailer excluded. */
  handleSize: 96,
  /** u32: address of the first internal key behind the handle (`firstKeys`), inside the block. */
  firstKey: 104,
  /** u32 */
  firstKeySize: 108,
} as const;

/** Bytes of a block cursor; one placed inside a larger struct must start as zeros. */
export const BLOCK_CURSOR_SIZE = 128;

/** Offsets in the result of `blockGet` and `tableGet`. */
export const GetResultField = {
  /** u32: value type of the entry found. */
  type: 0,
  /** u32: address of its value, inside the block. */
  value: 4,
  /** u32 */
  valueSize: 8,
  /** u32: `tableGet`: the data block that holds the value, for the caller to give to `blockRelease`; 0 none. */
  block: 12,
  /** f64: sequence of the entry found. */
  sequence: 16,
  /** f64: `tableGet` returned 2: file offset of the block to load. */
  handleOffset: 24,
  /** f64: its size without the trailer. */
  handleSize: 32,
} as const;

/** Bytes of a get result. */
export const GET_RESULT_SIZE = 40;

/** Bits of `flags` of `blockBuilderCreate`. */
export const BlockBuilderFlags = {
  /** Values are block handles, given to `blockBuilderAddHandle`, stored without length and delta encoded. */
  deltaValues: 1,
  /** Add a hash index of user keys where it fits (data blocks). */
  hashIndex: 2,
} as const;

/** Offsets in a block builder. All u32; addresses change as the builder grows. */
export const BlockBuilderField = {
  /** Address of the block's bytes; after `blockBuilderFinish` the whole block, with at least 5 spare bytes behind it. */
  buffer: 0,
  /** Bytes so far; after finish the size of the block. */
  size: 8,
  numRestarts: 20,
  /** Address of a copy of the last key added; stays across finish and reset until the next add. */
  lastKey: 32,
  lastKeySize: 36,
  numEntries: 48,
} as const;

/** Reading and writing blocks. Every address is of kernel memory. */
export interface BlockExports {
  /** A cursor that stands nowhere. 0: out of memory. Freed with `blockCursorDestroy`. */
  blockCursorCreate(): number;
  /** Frees the key buffer of a cursor that lies inside another struct. */
  blockCursorFree(cursor: number): void;
  /** Frees the key buffer and the cursor. */
  blockCursorDestroy(cursor: number): void;
  /**
   * Points the cursor at the block `[block, block + size)`, borrowed until the next init or free; it stands nowhere yet.
   * Returns 1, or 0 with `error` set when the block's footer is malformed. `globalSequence` counts only with its flag.
   */
  blockCursorInit(
    cursor: number,
    block: number,
    size: number,
    flags: number,
    comparator: number,
    globalSequence: number,
  ): number;
  /** Moves; `valid`, `key`, `value` and `error` of the head tell the outcome. */
  blockCursorSeekToFirst(cursor: number): void;
  blockCursorSeekToLast(cursor: number): void;
  /** First entry >= target. The target may be any key in kernel memory, borrowed for the call. */
  blockCursorSeek(cursor: number, target: number, targetSize: number): void;
  /** Last entry <= target. */
  blockCursorSeekForPrev(cursor: number, target: number, targetSize: number): void;
  /** REQUIRES a valid cursor. */
  blockCursorNext(cursor: number): void;
  /** REQUIRES a valid cursor. Decodes again from the restart point before. */
  blockCursorPrev(cursor: number): void;
  /** How many restart points the block has: a measure of its size for approximate positions. */
  blockCursorNumRestarts(cursor: number): number;
  /**
   * Newest version of the user key with sequence <= `sequence` in a data block: 1 found (result: type, value,
   * valueSize, sequence), 0 not in this block and not behind it, 2 the block ended before a greater key was met,
   * -1 malformed.
   */
  blockGet(
    block: number,
    size: number,
    flags: number,
    comparator: number,
    globalSequence: number,
    userKey: number,
    userKeySize: number,
    sequence: number,
    result: number,
  ): number;

  /**
   * A builder; `utilRatio` (keys per bucket) counts only with `hashIndex`; `sizeHint` presizes the buffer. 0: out of
   * memory.
   */
  blockBuilderCreate(restartInterval: number, flags: number, utilRatio: number, sizeHint: number): number;
  blockBuilderDestroy(builder: number): void;
  /** Empties it for the next block; keeps the buffers and `lastKey`. */
  blockBuilderReset(builder: number): void;
  /** Adds an entry behind all others. 1, or 0: out of memory, nothing added. REQUIRES no `deltaValues`. */
  blockBuilderAdd(builder: number, key: number, keySize: number, value: number, valueSize: number): number;
  /**
   * Adds an index entry whose value is the handle, then the length-prefixed `firstKey` unless `firstKey` is 0: delta
   * encoded if the builder says so. 1, or 0: out of memory, nothing added.
   */
  blockBuilderAddHandle(
    builder: number,
    key: number,
    keySize: number,
    offset: number,
    size: number,
    firstKey: number,
    firstKeySize: number,
  ): number;
  /** What the finished block would measure now, hash index included. */
  blockBuilderSizeEstimate(builder: number): number;
  /** The same after one more entry, guessed like RocksDB's `EstimateSizeAfterKV`. */
  blockBuilderSizeEstimateAfter(builder: number, keySize: number, valueSize: number): number;
  /** Appends restart points, hash index and footer; returns the size of the block, 0: out of memory. */
  blockBuilderFinish(builder: number): number;
}
