/** The OPTIONS file that Pumice writes: what C++ RocksDB needs to open the database as it is, under its own names. */
import { printNestedOptions } from '../options/option-value.ts';
import type { OptionsFile } from '../options/options-file.ts';
import type { DbOptions, FamilyOptions } from '../options/resolved-options.ts';

/** The version whose reader knows every name written here. */
const ROCKSDB_VERSION = '7.8.3';

const COMPRESSION = {
  none: 'kNoCompression',
  snappy: 'kSnappyCompression',
  zlib: 'kZlibCompression',
  bzip2: 'kBZip2Compression',
  lz4: 'kLZ4Compression',
  lz4hc: 'kLZ4HCCompression',
  zstd: 'kZSTD',
} as const;

const CHECKSUM = {
  none: 'kNoChecksum',
  crc32c: 'kCRC32c',
  xxHash: 'kxxHash',
  xxHash64: 'kxxHash64',
  xxh3: 'kXXH3',
} as const;

const INDEX = {
  binarySearch: 'kBinarySearch',
  hashSearch: 'kHashSearch',
  twoLevelIndexSearch: 'kTwoLevelIndexSearch',
  binarySearchWithFirstKey: 'kBinarySearchWithFirstKey',
} as const;

const STYLE = {
  level: 'kCompactionStyleLevel',
  universal: 'kCompactionStyleUniversal',
  fifo: 'kCompactionStyleFIFO',
  none: 'kCompactionStyleNone',
} as const;

const RECOVERY = {
  tolerateCorruptedTailRecords: 'kTolerateCorruptedTailRecords',
  absoluteConsistency: 'kAbsoluteConsistency',
  pointInTime: 'kPointInTimeRecovery',
  skipAnyCorruptedRecords: 'kSkipAnyCorruptedRecords',
} as const;

function rows(values: Record<string, string | number | boolean>): Map<string, string> {
  return new Map(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function dbRows(o: DbOptions): Map<string, string> {
  return rows({
    create_if_missing: o.createIfMissing,
    create_missing_column_families: o.createMissingColumnFamilies,
    error_if_exists: o.errorIfExists,
    paranoid_checks: o.paranoidChecks,
    max_background_jobs: o.maxBackgroundJobs,
    max_background_compactions: o.maxBackgroundCompactions,
    max_background_flushes: o.maxBackgroundFlushes,
    max_subcompactions: o.maxSubcompactions,
    max_open_files: Number.isFinite(o.maxOpenFiles) ? o.maxOpenFiles : -1,
    use_direct_reads: o.useDirectReads,
    db_write_buffer_size: o.dbWriteBufferSize,
    max_total_wal_size: o.maxTotalWalSize,
    max_manifest_file_size: o.maxManifestFileSize,
    delayed_write_rate: o.delayedWriteRate,
    wal_dir: o.walDir ?? '',
    wal_recovery_mode: RECOVERY[o.walRecoveryMode],
    WAL_ttl_seconds: o.walTtlSeconds,
    WAL_size_limit_MB: o.walSizeLimitMB,
    manual_wal_flush: o.manualWalFlush,
    recycle_log_file_num: o.recycleLogFileNum,
    allow_2pc: o.allow2pc,
    atomic_flush: o.atomicFlush,
    avoid_flush_during_recovery: o.avoidFlushDuringRecovery,
    avoid_flush_during_shutdown: o.avoidFlushDuringShutdown,
    max_log_file_size: o.maxLogFileSize,
    log_file_time_to_roll: o.logFileTimeToRoll,
    keep_log_file_num: o.keepLogFileNum,
    stats_dump_period_sec: o.statsDumpPeriodSec,
  });
}

function compressionTuning({ table }: FamilyOptions): string {
  const { level = 32_767, windowBits = 14, maxDictBytes = 0, maxDictBufferBytes = 0 } = table.compressionOptions;
  // RocksDB's negative number asks zlib for a bare stream, which is what both write.
  return printNestedOptions(
    rows({
      window_bits: -windowBits,
      level,
      max_dict_bytes: maxDictBytes,
      max_dict_buffer_bytes: maxDictBufferBytes,
    }),
  );
}

function universalTuning({ universal: u }: FamilyOptions): string {
  return printNestedOptions(
    rows({
      size_ratio: u.sizeRatio,
      min_merge_width: u.minMergeWidth,
      max_merge_width: u.maxMergeWidth,
      max_size_amplification_percent: u.maxSizeAmplificationPercent,
      stop_style: u.stopStyle === 'totalSize' ? 'kCompactionStopStyleTotalSize' : 'kCompactionStopStyleSimilarSize',
      allow_trivial_move: u.allowTrivialMove,
    }),
  );
}

function familyRows(o: FamilyOptions): Map<string, string> {
  return rows({
    comparator: o.comparator!.value.name,
    merge_operator: o.mergeOperator?.value.name ?? 'nullptr',
    prefix_extractor: o.prefixExtractor?.value.name ?? 'nullptr',
    table_factory: 'BlockBasedTable',
    memtable_factory: 'SkipListFactory',
    compression: COMPRESSION[o.compression],
    bottommost_compression:
      o.bottommostCompression === undefined ? 'kDisableCompressionOption' : COMPRESSION[o.bottommostCompression],
    compression_per_level: o.compressionPerLevel.map((codec) => COMPRESSION[codec]).join(':'),
    compression_opts: compressionTuning(o),
    compaction_style: STYLE[o.compactionStyle],
    compaction_options_universal: universalTuning(o),
    compaction_options_fifo: printNestedOptions(rows({ max_table_files_size: o.fifo.maxTableFilesSize })),
    optimize_filters_for_hits: o.optimizeFiltersForHits,
    num_levels: o.numLevels,
    write_buffer_size: o.writeBufferSize,
    memtable_prefix_bloom_size_ratio: o.memtablePrefixBloomSizeRatio.toFixed(6),
    memtable_whole_key_filtering: o.memtableWholeKeyFiltering,
    max_write_buffer_number: o.maxWriteBufferNumber,
    min_write_buffer_number_to_merge: o.minWriteBufferNumberToMerge,
    level0_file_num_compaction_trigger: o.level0FileNumCompactionTrigger,
    level0_slowdown_writes_trigger: o.level0SlowdownWritesTrigger,
    level0_stop_writes_trigger: o.level0StopWritesTrigger,
    soft_pending_compaction_bytes_limit: o.softPendingCompactionBytesLimit,
    hard_pending_compaction_bytes_limit: o.hardPendingCompactionBytesLimit,
    target_file_size_base: o.targetFileSizeBase,
    target_file_size_multiplier: o.targetFileSizeMultiplier,
    max_bytes_for_level_base: o.maxBytesForLevelBase,
    max_bytes_for_level_multiplier: o.maxBytesForLevelMultiplier.toFixed(6),
    max_compaction_bytes: o.maxCompactionBytes,
    level_compaction_dynamic_level_bytes: o.levelCompactionDynamicLevelBytes,
    disable_auto_compactions: o.disableAutoCompactions,
    paranoid_file_checks: o.paranoidFileChecks,
  });
}

function filterPolicyText(o: FamilyOptions): string {
  const policy = o.table.filterPolicy;
  if (policy === undefined) return 'nullptr';
  if (policy.type === 'bloom') return `bloomfilter:${policy.bitsPerKey}:false`;
  return `ribbonfilter:${policy.bitsPerKey}:${policy.bloomBeforeLevel ?? 0}`;
}

function tableRows(o: FamilyOptions): Map<string, string> {
  const { table } = o;
  return rows({
    block_size: table.blockSize,
    block_size_deviation: table.blockSizeDeviation,
    block_restart_interval: table.blockRestartInterval,
    index_block_restart_interval: table.indexBlockRestartInterval,
    metadata_block_size: table.metadataBlockSize,
    // 7.8.3 writes and reads versions up to 5; a newer one in the file would make it refuse the options.
    format_version: Math.min(5, table.formatVersion),
    checksum: CHECKSUM[table.checksum],
    index_type: INDEX[table.indexType],
    data_block_index_type:
      table.dataBlockIndexType === 'binarySearch' ? 'kDataBlockBinarySearch' : 'kDataBlockBinaryAndHash',
    data_block_hash_table_util_ratio: table.dataBlockHashTableUtilRatio.toFixed(6),
    filter_policy: filterPolicyText(o),
    whole_key_filtering: table.wholeKeyFiltering,
    partition_filters: table.partitionFilters,
    enable_index_compression: table.enableIndexCompression,
    block_align: table.blockAlign,
    no_block_cache: o.noBlockCache,
  });
}

/** The file's content for these options; families in id order, the default one first. */
export function makeOptionsFile(
  db: DbOptions,
  families: readonly { name: string; options: FamilyOptions }[],
): OptionsFile {
  return {
    rocksdbVersion: ROCKSDB_VERSION,
    optionsFileVersion: '1.1',
    db: dbRows(db),
    families: families.map(({ name, options }) => ({
      name,
      columnFamily: familyRows(options),
      table: tableRows(options),
      tableFactory: 'BlockBasedTable',
    })),
  };
}
