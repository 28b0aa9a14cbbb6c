/** The public door of Pumice, and the only one. */
export { mergeOperatorByName, stringAppend } from '../format/base/builtin-merge-operators.ts';
export type { CompactionFilter, CompactionFilterFactory, FilterVerdict } from '../format/base/compaction-filter.ts';
export { bytewiseComparator, type Comparator, reverseBytewiseComparator } from '../format/base/comparator.ts';
export { DBError, type DBErrorCode, type DBErrorSeverity } from '../format/base/db-error.ts';
export type {
  MemTableFactory,
  MemTableRep,
  MemTableRepIterator,
  MemTableRepOptions,
} from '../format/base/memtable-rep.ts';
export { decodeSet, encodeSet, jsonMergePatch, setUnion } from '../format/base/extra-merge-operators.ts';
export type { MergeOperator } from '../format/base/merge-operator.ts';
export {
  cappedPrefix,
  delimiterPrefix,
  fixedPrefix,
  noopPrefix,
  type SliceTransform,
} from '../format/base/slice-transform.ts';
export { WriteBatch } from '../format/batch/write-batch.ts';
export type { WriteBatchHandler } from '../format/batch/write-batch-reader.ts';
export type {
  ChecksumType,
  CompressionOptions,
  CompressionType,
  FilterPolicy,
  IndexType,
} from '../format/sst/table-options.ts';
export { BlockCache, type BlockCacheOptions } from './cache/block-cache.ts';
export type { Amplification } from './db/amplification.ts';
export type { KeyRange } from './db/approximate-sizes.ts';
export { ColumnFamily, type CompactRangeOptions } from './db/column-family-handle.ts';
export { DB, type FamilyChoice, type MultiGetKey } from './db/db.ts';
export type { KeyVersion, KeyVersionsOptions } from './db/key-versions.ts';
export type { ExplainedFile, ExplainedGet, ExplainedMemtable, ExplainedVersion } from './db/explain.ts';
export type { ColumnFamilyMetaData, LiveFileMetaData } from './db/live-files.ts';
export type { IngestOptions } from './db/ingest/ingest-options.ts';
export type { Bytes, IteratorOptions, ReadOptions, WriteOptions } from './db/read-options.ts';
export type { LiveFileStorageInfo } from './db/live-files-storage.ts';
export { type RebuildReport, rebuildFromLogs } from './db/repair/rebuild-from-logs.ts';
export { type ExternalSstFileInfo, SstFileWriter, type SstFileWriterOptions } from './db/sst-file-writer.ts';
export type { LostFile, RepairReport } from './db/repair/repair-report.ts';
export type { UpdatesOptions } from './db/replication.ts';
export { type Clock, ManualClock, SystemClock } from './env/clock.ts';
export { Env, type EnvOptions } from './env/env.ts';
export { FaultFileSystem } from './env/fault-injection-file-system.ts';
export type { FileSystem } from './env/file-system.ts';
export type { Logger } from './env/logger.ts';
export { MemoryFileSystem } from './env/memory-file-system.ts';
export { NodeFileSystem } from './env/node-file-system.ts';
export {
  bTreeMemTable,
  type PrefixHashMemTableOptions,
  prefixHashMemTable,
  skipListMemTable,
  vectorMemTable,
} from './memtable/memtable-factories.ts';
export type {
  CompactionEvent,
  EventListener,
  FlushEvent,
  IngestionEvent,
  RecoveryDropEvent,
  StallCondition,
} from './monitoring/event-listener.ts';
export type { HistogramData } from './monitoring/histogram.ts';
export { Statistics } from './monitoring/statistics.ts';
export type {
  ColumnFamilyOptions,
  CompactionStyle,
  FifoOptions,
  ModuleRef,
  MutableOptions,
  UniversalOptions,
  WalRecoveryMode,
} from './options/options.ts';
export { WriteBufferManager, type WriteBufferManagerOptions } from './options/write-buffer-manager.ts';
export type { IteratorShape as DBIterator } from './read/iterator-shape.ts';
export type { Snapshot } from './read/snapshot-list.ts';
export type { Update } from './wal/update-stream.ts';
export type { WalFileInfo as WalFile } from './wal/wal-listing.ts';
export type { RecoveryDrop, RecoveryReport } from './wal/wal-recovery.ts';
export {
  BackupEngine,
  type BackupEngineOptions,
  type BackupId,
  type BackupInfo,
  type CreateBackupOptions,
  type NewBackup,
  type RestoreOptions,
} from './utilities/backup/backup-engine.ts';
export type { DatabaseShape } from './utilities/database-shape.ts';
export { Options } from './utilities/presets.ts';
export { StackableDB } from './utilities/stackable-db.ts';
export { type TtlColumnFamilyOptions, TtlDB, type TtlOptions } from './utilities/ttl-db.ts';
export type { TtlIterator } from './utilities/ttl-iterator.ts';
