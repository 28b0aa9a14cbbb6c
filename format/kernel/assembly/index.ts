/** What the kernel exports: one line a file, the functions that `abi/*.ts` describes. */
export { allocatedBytes, allocationSize, free, lockAcquire, lockRelease, malloc } from './memory';
export { compareBytes, compareInternal, compareUser } from './compare';
export { crc32c, crc32cExtend, crc32cMask, crc32cUnmask } from './crc32c';
export { blockChecksum, bufferChecksum, hash64, hashHigh, xxh3, xxh32, xxh64 } from './checksum';
export { hash32, hash32Unsigned } from './filter-hash';
export { bloomBuild, bloomSize, legacyBloomBuild, legacyBloomSize } from './bloom';
export { ribbonBuild, ribbonSize } from './ribbon';
export { filterMayMatch } from './filter';
export { snappyCompress, snappyCompressedSizeMax, snappyDecompress, snappyUncompressedSize } from './snappy';
export { lz4Compress, lz4Decompress } from './lz4';
export { lz4CompressedSizeMax } from './lz4-sequence';
export { lz4hcCompress } from './lz4hc';
export { logFrame, logFramedSizeMax } from './log-record';
export {
  blockCursorCreate,
  blockCursorDestroy,
  blockCursorFree,
  blockCursorInit,
  blockCursorNext,
  blockCursorNumRestarts,
  blockCursorPrev,
  blockCursorSeek,
  blockCursorSeekForPrev,
  blockCursorSeekToFirst,
  blockCursorSeekToLast,
} from './block-cursor';
export { blockGet } from './block-get';
export {
  blockBuilderAdd,
  blockBuilderAddHandle,
  blockBuilderCreate,
  blockBuilderDestroy,
  blockBuilderFinish,
  blockBuilderReset,
  blockBuilderSizeEstimate,
  blockBuilderSizeEstimateAfter,
} from './block-builder';
export {
  tableWriterAdd,
  tableWriterAddFilterKey,
  tableWriterBlockEntries,
  tableWriterCreate,
  tableWriterDestroy,
  tableWriterFinishBlock,
  tableWriterNextBlock,
  tableWriterResetHashes,
  tableWriterSizeEstimate,
} from './table-writer';
export {
  blockAlloc,
  blockRelease,
  blockRetain,
  blockSetSize,
  blockSize,
  cacheCreate,
  cacheErase,
  cacheEraseTable,
  cacheFree,
  cacheInsert,
  cacheLookup,
  cacheNewTableId,
  cacheSetCapacity,
  cacheSetStrict,
  cacheStats,
} from './block-cache';
export { tableCreate, tableDestroy, tableGet, tablePrepare } from './table-get';
export {
  cursorNext,
  cursorPrev,
  cursorSeek,
  cursorSeekForPrev,
  cursorSeekToFirst,
  cursorSeekToLast,
} from './cursor';
export {
  mergeCorruptChild,
  mergeCreate,
  mergeFree,
  mergeNeed,
  mergeNext,
  mergePrev,
  mergeResume,
  mergeSetChild,
  mergeStart,
  mergeTop,
} from './merge';
export {
  memtableAllocatedBytes,
  memtableBytes,
  memtableComparator,
  memtableCount,
  memtableCreate,
  memtableDeletes,
  memtableFirstSequence,
  memtableFree,
  memtableGet,
  memtableInsert,
  memtableLargestSequence,
  memtableRangeTree,
  memtableSetFilter,
} from './memtable';
export { memtableCursorCreate, memtableCursorFree } from './memtable-cursor';
export {
  memtableFilterAdd,
  memtableFilterAddString,
  memtableFilterBytes,
  memtableFilterCreate,
  memtableFilterFree,
  memtableFilterMayHoldPrefix,
  memtableFilterMayHoldString,
} from './memtable-filter';
export { batchApply, batchCheck } from './batch-apply';
export {
  readBackward,
  readForward,
  readIteratorClear,
  readIteratorCreate,
  readIteratorFree,
  readIteratorReset,
  readIteratorSetBounds,
  readIteratorSetSnapshot,
  readIteratorSetTombstones,
} from './read-iterator';
export {
  compactionCreate,
  compactionFilterVerdict,
  compactionFree,
  compactionKeepOperands,
  compactionMerged,
  compactionRun,
} from './compaction-iterator';
