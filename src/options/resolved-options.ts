/**
 * Options as the engine uses them: complete, checked, nothing optional but what really may be absent. No code below
 * this folder asks `?? default` again.
 */
import type { Comparator } from '../../format/base/comparator.ts';
import type { CompactionFilter, CompactionFilterFactory } from '../../format/base/compaction-filter.ts';
import type { MemTableFactory } from '../../format/base/memtable-rep.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import type { CompressionType, TableOptions } from '../../format/sst/table-options.ts';
import type { Env } from '../env/env.ts';
import type { Logger } from '../env/logger.ts';
import type { EventListener } from '../monitoring/event-listener.ts';
import type { Statistics } from '../monitoring/statistics.ts';
import type { Component } from './components.ts';
import type { CompactionStyle, FifoOptions, UniversalOptions, WalRecoveryMode } from './options.ts';
import type { SharedBlockCache } from './shared-block-cache.ts';
import type { WriteBufferManager } from './write-buffer-manager.ts';

/** Plain settings of a family that `setOptions` may replace. */
export interface MutableFamilySettings {
  writeBufferSize: number;
  memtablePrefixBloomSizeRatio: number;
  memtableWholeKeyFiltering: boolean;
  maxWriteBufferNumber: number;
  disableAutoCompactions: boolean;
  level0FileNumCompactionTrigger: number;
  level0SlowdownWritesTrigger: number;
  level0StopWritesTrigger: number;
  softPendingCompactionBytesLimit: number;
  hardPendingCompactionBytesLimit: number;
  targetFileSizeBase: number;
  targetFileSizeMultiplier: number;
  maxBytesForLevelBase: number;
  maxBytesForLevelMultiplier: number;
  /** Already derived: never 0. */
  maxCompactionBytes: number;
  compression: CompressionType;
  bottommostCompression: CompressionType | undefined;
  compressionPerLevel: CompressionType[];
  universal: Required<UniversalOptions>;
  fifo: Required<FifoOptions>;
  paranoidFileChecks: boolean;
  table: TableOptions;
}

/** A family's complete options. Only the fields of `MutableFamilySettings` ever change. */
export interface FamilyOptions extends MutableFamilySettings {
  /** `undefined` until the stored name is known (`withStoredComponents`). */
  comparator: Component<Comparator> | undefined;
  mergeOperator: Component<MergeOperator> | undefined;
  prefixExtractor: Component<SliceTransform> | undefined;
  compactionFilter: Component<CompactionFilter> | undefined;
  compactionFilterFactory: Component<CompactionFilterFactory> | undefined;
  memtableFactory: MemTableFactory | undefined;
  minWriteBufferNumberToMerge: number;
  numLevels: number;
  levelCompactionDynamicLevelBytes: boolean;
  compactionStyle: CompactionStyle;
  optimizeFiltersForHits: boolean;
  blockCache: SharedBlockCache | undefined;
  blockCacheCompressed: SharedBlockCache | undefined;
  noBlockCache: boolean;
}

/** Database-wide options, complete. */
export interface DbOptions {
  createIfMissing: boolean;
  createMissingColumnFamilies: boolean;
  errorIfExists: boolean;
  readOnly: boolean;
  paranoidChecks: boolean;
  env: Env;
  /** Where logs lie; the database directory unless `walDir` was given. */
  walDir: string | undefined;
  walRecoveryMode: WalRecoveryMode;
  walCorruption: 'errorIfNotTail' | 'recoverToPoint';
  manualWalFlush: boolean;
  /** Without effect, but for the OPTIONS file. */
  recycleLogFileNum: number;
  allow2pc: boolean;
  atomicFlush: boolean;
  avoidFlushDuringRecovery: boolean;
  avoidFlushDuringShutdown: boolean;
  maxOpenFiles: number;
  useDirectReads: boolean;
  /** As they were given, for the OPTIONS file. */
  maxBackgroundJobs: number;
  maxBackgroundCompactions: number;
  maxBackgroundFlushes: number;
  /** Jobs at once, from these three. */
  flushSlots: number;
  compactionSlots: number;
  maxSubcompactions: number;
  maxTotalWalSize: number;
  /** As it was given, for the OPTIONS file. */
  dbWriteBufferSize: number;
  /** The given one, or a private one of `dbWriteBufferSize`. */
  writeBufferManager: WriteBufferManager | undefined;
  maxManifestFileSize: number;
  delayedWriteRate: number;
  walTtlSeconds: number;
  walSizeLimitMB: number;
  statistics: Statistics | undefined;
  trackLeaks: boolean;
  listeners: EventListener[];
  logger: Logger | undefined;
  maxLogFileSize: number;
  logFileTimeToRoll: number;
  keepLogFileNum: number;
  statsDumpPeriodSec: number;
}

/** What `DB.open` works from. */
export interface ResolvedOptions {
  db: DbOptions;
  /** Options of a family that `columnFamilies` does not name. */
  base: FamilyOptions;
  /** Families named by the caller; `undefined`: open all that exist. */
  families: Map<string, FamilyOptions> | undefined;
}
