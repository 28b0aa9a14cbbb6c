/** The options that pickers read: a complete, plain-data part of a column family's options, under RocksDB's names. */
import type { CompressionOptions, CompressionType } from '../format/sst/table-options.ts';

/** Which file of a level is compacted first (RocksDB's `CompactionPri`). */
export type CompactionPri =
  | 'byCompensatedSize'
  | 'oldestLargestSeqFirst'
  | 'oldestSmallestSeqFirst'
  | 'minOverlappingRatio'
  | 'roundRobin';

/** How sorted runs are compared for size in universal compaction. */
export type CompactionStopStyle = 'similarSize' | 'totalSize';

/** Universal compaction; percentages are whole numbers. */
export interface UniversalCompactionOptions {
  /** A run joins when it is at most this many percent larger than what was picked so far. */
  sizeRatio: number;
  minMergeWidth: number;
  /** At most so many runs at once; `Infinity` no limit. */
  maxMergeWidth: number;
  /** Bytes beyond the oldest run, in percent of it, that start a full compaction. */
  maxSizeAmplificationPercent: number;
  /** Compress outputs only while the older data is below this percentage of everything; -1 always compress. */
  compressionSizePercent: number;
  stopStyle: CompactionStopStyle;
  /** Runs that overlap nothing move without being rewritten. */
  allowTrivialMove: boolean;
}

/** FIFO compaction. */
export interface FifoCompactionOptions {
  /** Oldest files go when the family is larger, in bytes. */
  maxTableFilesSize: number;
  /** Whether small files are merged within level 0. */
  allowCompaction: boolean;
}

/** What a picker needs to know. Sizes in bytes, times in seconds. */
export interface CompactionPickerOptions {
  compactionStyle: 'level' | 'universal' | 'fifo' | 'none';
  numLevels: number;
  level0FileNumCompactionTrigger: number;
  maxBytesForLevelBase: number;
  maxBytesForLevelMultiplier: number;
  levelCompactionDynamicLevelBytes: boolean;
  targetFileSizeBase: number;
  targetFileSizeMultiplier: number;
  /** 0: RocksDB's rule, 25 times `targetFileSizeBase`. */
  maxCompactionBytes: number;
  compactionPri: CompactionPri;
  /** Age at which a file is rewritten (level) or dropped (FIFO); 0 never. */
  ttlSeconds: number;
  compression: CompressionType;
  compressionOptions: CompressionOptions;
  /** By level from the base level on, level 0 first; empty: `compression` everywhere. */
  compressionPerLevel: readonly CompressionType[];
  bottommostCompression: CompressionType | undefined;
  bottommostCompressionOptions: CompressionOptions | undefined;
  universal: UniversalCompactionOptions;
  fifo: FifoCompactionOptions;
  /** A compaction filter is set: manual compactions must rewrite what they could move. */
  hasCompactionFilter: boolean;
}

/** RocksDB 7.8's defaults. */
export const defaultCompactionPickerOptions: Readonly<CompactionPickerOptions> = {
  compactionStyle: 'level',
  numLevels: 7,
  level0FileNumCompactionTrigger: 4,
  maxBytesForLevelBase: 256 * 2 ** 20,
  maxBytesForLevelMultiplier: 10,
  levelCompactionDynamicLevelBytes: false,
  targetFileSizeBase: 64 * 2 ** 20,
  targetFileSizeMultiplier: 1,
  maxCompactionBytes: 0,
  compactionPri: 'minOverlappingRatio',
  ttlSeconds: 30 * 24 * 3600,
  compression: 'snappy',
  compressionOptions: {},
  compressionPerLevel: [],
  bottommostCompression: undefined,
  bottommostCompressionOptions: undefined,
  universal: {
    sizeRatio: 1,
    minMergeWidth: 2,
    maxMergeWidth: Number.POSITIVE_INFINITY,
    maxSizeAmplificationPercent: 200,
    compressionSizePercent: -1,
    stopStyle: 'totalSize',
    allowTrivialMove: false,
  },
  fifo: { maxTableFilesSize: 2 ** 30, allowCompaction: false },
  hasCompactionFilter: false,
};

/** The limit of one compaction in bytes, RocksDB's default rule applied. */
export function maxCompactionBytesOf(options: CompactionPickerOptions): number {
  return options.maxCompactionBytes > 0 ? options.maxCompactionBytes : options.targetFileSizeBase * 25;
}
