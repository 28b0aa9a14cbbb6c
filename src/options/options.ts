/**
 * The options a user gives. Settings are plain data; components (comparators, merge operators, caches …) are live
 * objects with a name that is stored and checked. What each one means, its default and its range stand in
 * `option-table.ts`; `resolve-options.ts` turns this into the complete form the engine works on.
 */
import type { Comparator } from '../../format/base/comparator.ts';
import type { CompactionFilter, CompactionFilterFactory } from '../../format/base/compaction-filter.ts';
import type { MemTableFactory } from '../../format/base/memtable-rep.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import type {
  ChecksumType,
  CompressionOptions,
  CompressionType,
  FilterPolicy,
  IndexType,
} from '../../format/sst/table-options.ts';
import type { Env } from '../env/env.ts';
import type { Logger } from '../env/logger.ts';
import type { EventListener } from '../monitoring/event-listener.ts';
import type { Statistics } from '../monitoring/statistics.ts';
import type { SharedBlockCache } from './shared-block-cache.ts';
import type { WriteBufferManager } from './write-buffer-manager.ts';

/** A component that worker threads can load too: `export` (default `default`) of `module`, called with `options` if it is a function. */
export interface ModuleRef {
  module: URL | string;
  export?: string;
  options?: unknown;
}

/** What happens to write-ahead logs with damage; RocksDB's four modes. */
export type WalRecoveryMode =
  | 'tolerateCorruptedTailRecords'
  | 'absoluteConsistency'
  | 'pointInTime'
  | 'skipAnyCorruptedRecords';

/** Which files a compaction picks and where it puts them. */
export type CompactionStyle = 'level' | 'universal' | 'fifo' | 'none';

/** Tuning of universal compaction; RocksDB's names and defaults. */
export interface UniversalOptions {
  sizeRatio?: number;
  minMergeWidth?: number;
  maxMergeWidth?: number;
  maxSizeAmplificationPercent?: number;
  stopStyle?: 'similarSize' | 'totalSize';
  allowTrivialMove?: boolean;
}

/** Tuning of FIFO compaction. */
export interface FifoOptions {
  /** The oldest files go once the tables together are larger than this, in bytes. */
  maxTableFilesSize?: number;
}

/** Options that may change while the database is open, through `setOptions`. */
export interface MutableOptions {
  writeBufferSize?: number;
  /** Each memtable has a Bloom filter of this share of `writeBufferSize`, at most 0.25; 0, the default: none. */
  memtablePrefixBloomSizeRatio?: number;
  /** Whether those filters hold whole keys beside the prefixes of `prefixExtractor`; gets then ask for keys. Default false. */
  memtableWholeKeyFiltering?: boolean;
  maxWriteBufferNumber?: number;
  disableAutoCompactions?: boolean;
  level0FileNumCompactionTrigger?: number;
  level0SlowdownWritesTrigger?: number;
  level0StopWritesTrigger?: number;
  softPendingCompactionBytesLimit?: number;
  hardPendingCompactionBytesLimit?: number;
  targetFileSizeBase?: number;
  targetFileSizeMultiplier?: number;
  maxBytesForLevelBase?: number;
  maxBytesForLevelMultiplier?: number;
  maxCompactionBytes?: number;
  compression?: CompressionType;
  bottommostCompression?: CompressionType | undefined;
  compressionPerLevel?: CompressionType[];
  compressionOptions?: CompressionOptions;
  compactionOptionsUniversal?: UniversalOptions;
  compactionOptionsFifo?: FifoOptions;
  paranoidFileChecks?: boolean;
  blockSize?: number;
  blockRestartInterval?: number;
  /** Ends each WAL when it holds more than this many bytes over all families; 0: four times all write buffers. Database-wide. */
  maxTotalWalSize?: number;
  delayedWriteRate?: number;
  /** Database-wide. */
  maxSubcompactions?: number;
}

/** Options of one column family; table options stand flat beside the rest. */
export interface ColumnFamilyOptions extends MutableOptions {
  comparator?: string | Comparator | ModuleRef;
  mergeOperator?: string | MergeOperator | ModuleRef;
  compactionFilter?: CompactionFilter | ModuleRef;
  compactionFilterFactory?: CompactionFilterFactory | ModuleRef;
  prefixExtractor?: string | SliceTransform | ModuleRef;
  memtableFactory?: MemTableFactory;
  minWriteBufferNumberToMerge?: number;
  numLevels?: number;
  levelCompactionDynamicLevelBytes?: boolean;
  compactionStyle?: CompactionStyle;
  checksum?: ChecksumType;
  filterPolicy?: FilterPolicy | undefined;
  optimizeFiltersForHits?: boolean;
  wholeKeyFiltering?: boolean;
  partitionFilters?: boolean;
  indexType?: IndexType;
  dataBlockIndexType?: 'binarySearch' | 'binaryAndHash';
  dataBlockHashTableUtilRatio?: number;
  blockSizeDeviation?: number;
  indexBlockRestartInterval?: number;
  metadataBlockSize?: number;
  formatVersion?: number;
  enableIndexCompression?: boolean;
  blockAlign?: boolean;
  blockCache?: SharedBlockCache;
  blockCacheCompressed?: SharedBlockCache;
  noBlockCache?: boolean;
}

/** Options of `DB.open`. Family options given here hold for every family unless `columnFamilies` says otherwise. */
export interface Options extends ColumnFamilyOptions {
  createIfMissing?: boolean;
  createMissingColumnFamilies?: boolean;
  errorIfExists?: boolean;
  readOnly?: boolean;
  columnFamilies?: Record<string, ColumnFamilyOptions>;
  paranoidChecks?: boolean;
  env?: Env;
  walDir?: string;
  walRecoveryMode?: WalRecoveryMode;
  walCorruption?: 'errorIfNotTail' | 'recoverToPoint';
  manualWalFlush?: boolean;
  /**
   * Old logs that RocksDB may overwrite, which it does not while `walRecoveryMode` is `'pointInTime'` (the default) or
   * `'absoluteConsistency'`. Pumice never does; the number stays in the OPTIONS file. Default 0.
   */
  recycleLogFileNum?: number;
  allow2pc?: boolean;
  atomicFlush?: boolean;
  avoidFlushDuringRecovery?: boolean;
  avoidFlushDuringShutdown?: boolean;
  maxOpenFiles?: number;
  useDirectReads?: boolean;
  maxBackgroundJobs?: number;
  maxBackgroundCompactions?: number;
  maxBackgroundFlushes?: number;
  /** Bytes that the memtables of all families may have together before the oldest is flushed; 0, the default: no limit. */
  dbWriteBufferSize?: number;
  /** The same limit over several databases; in the place of `dbWriteBufferSize`. */
  writeBufferManager?: WriteBufferManager;
  maxManifestFileSize?: number;
  walTtlSeconds?: number;
  walSizeLimitMB?: number;
  statistics?: Statistics;
  /** Warn of iterators and snapshots that are never closed, with the stacks that made them. */
  trackLeaks?: boolean;
  listeners?: EventListener[];
  logger?: Logger;
  maxLogFileSize?: number;
  logFileTimeToRoll?: number;
  keepLogFileNum?: number;
  statsDumpPeriodSec?: number;
}
