/**
 * Every option: its kind, range, default, whether it may change at run time, what it does, and the name under which the
 * OPTIONS file of RocksDB knows it. Validation, `setOptions`, the OPTIONS file and the option listing are all driven by
 * this table.
 */

/** The values of an option and how to check them. */
export type OptionKind =
  | { type: 'boolean' }
  | { type: 'integer'; min: number; max: number }
  | { type: 'number'; min: number; max: number }
  | { type: 'string' }
  | { type: 'enum'; values: readonly string[] }
  | { type: 'enumList'; values: readonly string[]; maxLength: number }
  /** Checked by code of its own in `resolve-options.ts`. */
  | { type: 'component'; shape: string };

/** One row of the table. */
export interface OptionDescriptor {
  name: string;
  scope: 'db' | 'family';
  kind: OptionKind;
  /** Plain data; `undefined` where leaving it out means "none" or "derived". */
  default: unknown;
  mutable: boolean;
  doc: string;
  /** Section and key in RocksDB's OPTIONS file, where it has one. */
  file?: readonly ['db' | 'cf' | 'table', string];
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MAX = Number.MAX_SAFE_INTEGER;

/** Codec names, in RocksDB's order. */
export const COMPRESSION_NAMES = ['none', 'snappy', 'zlib', 'bzip2', 'lz4', 'lz4hc', 'zstd'] as const;

const boolean: OptionKind = { type: 'boolean' };
const integer = (min: number, max: number = MAX): OptionKind => ({ type: 'integer', min, max });
const number = (min: number, max: number): OptionKind => ({ type: 'number', min, max });
const oneOf = (...values: string[]): OptionKind => ({ type: 'enum', values });
const component = (shape: string): OptionKind => ({ type: 'component', shape });

type Row = [
  name: string,
  kind: OptionKind,
  value: unknown,
  flags: '' | 'mutable',
  file: readonly ['db' | 'cf' | 'table', string] | undefined,
  doc: string,
];

const DB_ROWS: Row[] = [
  [
    'createIfMissing',
    boolean,
    false,
    '',
    ['db', 'create_if_missing'],
    'Create the database if its directory holds none.',
  ],
  [
    'createMissingColumnFamilies',
    boolean,
    false,
    '',
    ['db', 'create_missing_column_families'],
    'Create families named in columnFamilies that the database lacks.',
  ],
  ['errorIfExists', boolean, false, '', ['db', 'error_if_exists'], 'Refuse to open a database that already exists.'],
  ['readOnly', boolean, false, '', undefined, 'Open without lock and without changing anything on disk.'],
  [
    'columnFamilies',
    component('record of column family options'),
    undefined,
    '',
    undefined,
    'Families to open, with options of their own; left out: all that exist.',
  ],
  [
    'paranoidChecks',
    boolean,
    true,
    '',
    ['db', 'paranoid_checks'],
    'Stop writes on corruption found by background work.',
  ],
  ['env', component('Env'), undefined, '', undefined, 'File system, clock and thread pools.'],
  [
    'walDir',
    { type: 'string' },
    undefined,
    '',
    ['db', 'wal_dir'],
    'Directory of write-ahead logs; default the database directory.',
  ],
  [
    'walRecoveryMode',
    oneOf('tolerateCorruptedTailRecords', 'absoluteConsistency', 'pointInTime', 'skipAnyCorruptedRecords'),
    'pointInTime',
    '',
    ['db', 'wal_recovery_mode'],
    'How open treats damage in write-ahead logs.',
  ],
  [
    'walCorruption',
    oneOf('errorIfNotTail', 'recoverToPoint'),
    'errorIfNotTail',
    '',
    undefined,
    'Whether point-in-time recovery fails on damage that intact records follow, or stops there as RocksDB does.',
  ],
  [
    'manualWalFlush',
    boolean,
    false,
    '',
    ['db', 'manual_wal_flush'],
    'Keep WAL bytes in memory until flushWal() or 32 KiB; a killed process loses them.',
  ],
  [
    'recycleLogFileNum',
    integer(0),
    0,
    '',
    ['db', 'recycle_log_file_num'],
    'Kept for RocksDB, which overwrites old logs in some recovery modes; Pumice deletes them.',
  ],
  ['allow2pc', boolean, false, '', ['db', 'allow_2pc'], 'Accept logs that hold prepared transactions.'],
  ['atomicFlush', boolean, false, '', ['db', 'atomic_flush'], 'Flush all families together, in one MANIFEST group.'],
  [
    'avoidFlushDuringRecovery',
    boolean,
    false,
    '',
    ['db', 'avoid_flush_during_recovery'],
    'Leave replayed data in memtables and keep its logs.',
  ],
  [
    'avoidFlushDuringShutdown',
    boolean,
    false,
    '',
    ['db', 'avoid_flush_during_shutdown'],
    'Do not flush data written with disableWAL at close.',
  ],
  [
    'maxOpenFiles',
    { type: 'integer', min: -1, max: 10_000_000 },
    -1,
    '',
    ['db', 'max_open_files'],
    'Tables kept open at once; -1 all. Values 0 to 9 are taken as 10.',
  ],
  [
    'maxBackgroundJobs',
    integer(1, 256),
    2,
    '',
    ['db', 'max_background_jobs'],
    'Background jobs at once, a quarter of them (at least one) flushes.',
  ],
  [
    'maxBackgroundCompactions',
    { type: 'integer', min: -1, max: 256 },
    -1,
    '',
    ['db', 'max_background_compactions'],
    'Compactions at once; -1: from maxBackgroundJobs.',
  ],
  [
    'maxBackgroundFlushes',
    { type: 'integer', min: -1, max: 256 },
    -1,
    '',
    ['db', 'max_background_flushes'],
    'Slots reserved for flushes; -1: from maxBackgroundJobs; 0: none, flushes wait for a slot of compactions.',
  ],
  [
    'maxSubcompactions',
    integer(0, 0xffff_ffff),
    1,
    'mutable',
    ['db', 'max_subcompactions'],
    'Key ranges into which one large compaction is divided, to run side by side in the workers; 0 and 1: none.',
  ],
  [
    'maxTotalWalSize',
    integer(0),
    0,
    'mutable',
    ['db', 'max_total_wal_size'],
    'Bytes of live WAL after which the oldest families are flushed; 0: four times all write buffers.',
  ],
  [
    'dbWriteBufferSize',
    integer(0),
    0,
    '',
    ['db', 'db_write_buffer_size'],
    'Bytes that the memtables of all families may have together before the oldest is flushed; 0: no limit.',
  ],
  [
    'writeBufferManager',
    component('WriteBufferManager'),
    undefined,
    '',
    undefined,
    'A limit on memtables that several databases share; in the place of dbWriteBufferSize.',
  ],
  [
    'maxManifestFileSize',
    integer(64),
    GIB,
    '',
    ['db', 'max_manifest_file_size'],
    'Bytes after which a new MANIFEST is begun.',
  ],
  [
    'delayedWriteRate',
    integer(1024),
    16 * MIB,
    'mutable',
    ['db', 'delayed_write_rate'],
    'Bytes a second that writes are slowed down to.',
  ],
  [
    'walTtlSeconds',
    integer(0),
    0,
    '',
    ['db', 'WAL_ttl_seconds'],
    'Keep obsolete logs in archive/ this long; 0: no limit by age.',
  ],
  [
    'walSizeLimitMB',
    integer(0),
    0,
    '',
    ['db', 'WAL_size_limit_MB'],
    'Keep obsolete logs in archive/ up to this many MiB; 0: no limit by size.',
  ],
  [
    'useDirectReads',
    boolean,
    false,
    '',
    ['db', 'use_direct_reads'],
    'Read tables past the page cache of the system; families with blockCacheCompressed always do.',
  ],
  ['statistics', component('Statistics'), undefined, '', undefined, 'Collects tickers and histograms.'],
  [
    'trackLeaks',
    boolean,
    false,
    '',
    undefined,
    'Warn of iterators and snapshots never closed, with the stacks that made them; PUMICE_TRACK_LEAKS=1 is the same.',
  ],
  [
    'listeners',
    component('array of EventListener'),
    undefined,
    '',
    undefined,
    'Told of flushes, compactions, errors, recovery drops.',
  ],
  ['logger', component('Logger'), undefined, '', undefined, 'Receives what would go to LOG.'],
  [
    'maxLogFileSize',
    integer(0),
    0,
    '',
    ['db', 'max_log_file_size'],
    'Bytes after which LOG is rolled; 0: never by size.',
  ],
  [
    'logFileTimeToRoll',
    integer(0),
    0,
    '',
    ['db', 'log_file_time_to_roll'],
    'Seconds after which LOG is rolled; 0: never by time.',
  ],
  ['keepLogFileNum', integer(1), 1000, '', ['db', 'keep_log_file_num'], 'LOG files kept.'],
  [
    'statsDumpPeriodSec',
    integer(0, 2_000_000),
    600,
    '',
    ['db', 'stats_dump_period_sec'],
    'Seconds between reports of the work done in LOG; 0 none.',
  ],
];

const FAMILY_ROWS: Row[] = [
  [
    'comparator',
    component("'leveldb.BytewiseComparator' | 'rocksdb.ReverseBytewiseComparator' | Comparator | ModuleRef"),
    undefined,
    '',
    ['cf', 'comparator'],
    'Order of keys; its name is stored and checked.',
  ],
  [
    'mergeOperator',
    component("'uint64add' | 'stringappend' | 'put' | 'max' | 'bytesxor' | MergeOperator | ModuleRef"),
    undefined,
    '',
    ['cf', 'merge_operator'],
    'Meaning of merge records.',
  ],
  [
    'compactionFilter',
    component('CompactionFilter | ModuleRef'),
    undefined,
    '',
    undefined,
    'Drops or changes values during compaction.',
  ],
  [
    'compactionFilterFactory',
    component('CompactionFilterFactory | ModuleRef'),
    undefined,
    '',
    undefined,
    'Makes a compaction filter for each compaction.',
  ],
  [
    'prefixExtractor',
    component('SliceTransform | stored name | ModuleRef'),
    undefined,
    '',
    ['cf', 'prefix_extractor'],
    'Prefix of a key, for prefix Blooms and prefix iteration.',
  ],
  ['memtableFactory', component('MemTableFactory'), undefined, '', ['cf', 'memtable_factory'], 'Kind of memtable.'],
  [
    'writeBufferSize',
    integer(4 * KIB, 2 * GIB),
    64 * MIB,
    'mutable',
    ['cf', 'write_buffer_size'],
    'Bytes of a memtable before it is switched and flushed.',
  ],
  [
    'memtablePrefixBloomSizeRatio',
    number(0, 0.25),
    0,
    'mutable',
    ['cf', 'memtable_prefix_bloom_size_ratio'],
    'Share of the write buffer for a Bloom filter of each memtable, of prefixes and of whole keys if those are wanted; 0: none.',
  ],
  [
    'memtableWholeKeyFiltering',
    boolean,
    false,
    'mutable',
    ['cf', 'memtable_whole_key_filtering'],
    'Put whole keys into the Bloom filter of memtables.',
  ],
  [
    'maxWriteBufferNumber',
    integer(2, 1024),
    2,
    'mutable',
    ['cf', 'max_write_buffer_number'],
    'Memtables in memory, active one included, before writes stop.',
  ],
  [
    'minWriteBufferNumberToMerge',
    integer(1, 1024),
    1,
    '',
    ['cf', 'min_write_buffer_number_to_merge'],
    'Immutable memtables that are flushed together.',
  ],
  ['numLevels', integer(1, 64), 7, '', ['cf', 'num_levels'], 'Levels of the tree.'],
  [
    'level0FileNumCompactionTrigger',
    integer(1),
    4,
    'mutable',
    ['cf', 'level0_file_num_compaction_trigger'],
    'Level-0 files that start a compaction.',
  ],
  [
    'level0SlowdownWritesTrigger',
    integer(1),
    20,
    'mutable',
    ['cf', 'level0_slowdown_writes_trigger'],
    'Level-0 files at which writes are slowed down.',
  ],
  [
    'level0StopWritesTrigger',
    integer(1),
    36,
    'mutable',
    ['cf', 'level0_stop_writes_trigger'],
    'Level-0 files at which writes stop.',
  ],
  [
    'softPendingCompactionBytesLimit',
    integer(0),
    64 * GIB,
    'mutable',
    ['cf', 'soft_pending_compaction_bytes_limit'],
    'Estimated compaction debt, in bytes, at which writes are slowed down; 0 never.',
  ],
  [
    'hardPendingCompactionBytesLimit',
    integer(0),
    256 * GIB,
    'mutable',
    ['cf', 'hard_pending_compaction_bytes_limit'],
    'Estimated compaction debt, in bytes, at which writes stop; 0 never.',
  ],
  [
    'targetFileSizeBase',
    integer(1024),
    64 * MIB,
    'mutable',
    ['cf', 'target_file_size_base'],
    'Bytes of a table at level 1.',
  ],
  [
    'targetFileSizeMultiplier',
    integer(1, 1000),
    1,
    'mutable',
    ['cf', 'target_file_size_multiplier'],
    'Growth of table size from level to level.',
  ],
  [
    'maxBytesForLevelBase',
    integer(1024),
    256 * MIB,
    'mutable',
    ['cf', 'max_bytes_for_level_base'],
    'Bytes of level 1.',
  ],
  [
    'maxBytesForLevelMultiplier',
    number(1, 10_000),
    10,
    'mutable',
    ['cf', 'max_bytes_for_level_multiplier'],
    'Growth of level size from level to level.',
  ],
  [
    'maxCompactionBytes',
    integer(0),
    0,
    'mutable',
    ['cf', 'max_compaction_bytes'],
    'Bytes one compaction may take in; 0: 25 tables of the target size.',
  ],
  [
    'levelCompactionDynamicLevelBytes',
    boolean,
    false,
    '',
    ['cf', 'level_compaction_dynamic_level_bytes'],
    'Derive level sizes from the last level.',
  ],
  [
    'disableAutoCompactions',
    boolean,
    false,
    'mutable',
    ['cf', 'disable_auto_compactions'],
    'Start no compaction by itself.',
  ],
  [
    'compactionStyle',
    oneOf('level', 'universal', 'fifo', 'none'),
    'level',
    '',
    ['cf', 'compaction_style'],
    'How compactions are picked.',
  ],
  [
    'compactionOptionsUniversal',
    component('UniversalOptions'),
    undefined,
    'mutable',
    ['cf', 'compaction_options_universal'],
    'Tuning of universal compaction.',
  ],
  [
    'compactionOptionsFifo',
    component('FifoOptions'),
    undefined,
    'mutable',
    ['cf', 'compaction_options_fifo'],
    'Tuning of FIFO compaction.',
  ],
  [
    'paranoidFileChecks',
    boolean,
    false,
    'mutable',
    ['cf', 'paranoid_file_checks'],
    'Read each new table back before it is installed.',
  ],
  [
    'compression',
    { type: 'enum', values: COMPRESSION_NAMES },
    'snappy',
    'mutable',
    ['cf', 'compression'],
    'Codec of data and index blocks.',
  ],
  [
    'bottommostCompression',
    { type: 'enum', values: COMPRESSION_NAMES },
    undefined,
    'mutable',
    ['cf', 'bottommost_compression'],
    'Codec of the last level; default as elsewhere.',
  ],
  [
    'compressionPerLevel',
    { type: 'enumList', values: COMPRESSION_NAMES, maxLength: 64 },
    [],
    'mutable',
    ['cf', 'compression_per_level'],
    'Codec of each level; the last one holds for deeper levels.',
  ],
  [
    'compressionOptions',
    component('{ level?, windowBits?, maxDictBytes?, maxDictBufferBytes? }'),
    {},
    'mutable',
    ['cf', 'compression_opts'],
    'Tuning of the codec, and dictionaries.',
  ],
  [
    'checksum',
    oneOf('none', 'crc32c', 'xxHash', 'xxHash64', 'xxh3'),
    'xxh3',
    '',
    ['table', 'checksum'],
    'Checksum of blocks.',
  ],
  [
    'filterPolicy',
    component("{ type: 'bloom' | 'ribbon', bitsPerKey, bloomBeforeLevel? } | undefined"),
    undefined,
    '',
    ['table', 'filter_policy'],
    'Filter of each table; none by default.',
  ],
  [
    'optimizeFiltersForHits',
    boolean,
    false,
    '',
    ['cf', 'optimize_filters_for_hits'],
    'No filters in tables that compactions write with nothing older below: most keys looked for exist.',
  ],
  ['wholeKeyFiltering', boolean, true, '', ['table', 'whole_key_filtering'], 'Put whole keys into the filter.'],
  [
    'partitionFilters',
    boolean,
    false,
    '',
    ['table', 'partition_filters'],
    'Cut filters into partitions; needs indexType twoLevelIndexSearch.',
  ],
  [
    'indexType',
    oneOf('binarySearch', 'hashSearch', 'twoLevelIndexSearch', 'binarySearchWithFirstKey'),
    'binarySearch',
    '',
    ['table', 'index_type'],
    'Shape of the index.',
  ],
  [
    'dataBlockIndexType',
    oneOf('binarySearch', 'binaryAndHash'),
    'binarySearch',
    '',
    ['table', 'data_block_index_type'],
    'Whether data blocks carry a hash index.',
  ],
  [
    'dataBlockHashTableUtilRatio',
    number(0.01, 100),
    0.75,
    '',
    ['table', 'data_block_hash_table_util_ratio'],
    'Keys a bucket in the hash index of a data block.',
  ],
  [
    'blockSize',
    integer(64, 256 * MIB),
    4096,
    'mutable',
    ['table', 'block_size'],
    'Bytes of a data block before compression.',
  ],
  [
    'blockSizeDeviation',
    integer(0, 100),
    10,
    '',
    ['table', 'block_size_deviation'],
    'Percent of blockSize that a block may fall short by.',
  ],
  [
    'blockRestartInterval',
    integer(1, 65535),
    16,
    'mutable',
    ['table', 'block_restart_interval'],
    'Keys between restart points of a data block.',
  ],
  [
    'indexBlockRestartInterval',
    integer(1, 65535),
    1,
    '',
    ['table', 'index_block_restart_interval'],
    'Keys between restart points of an index block.',
  ],
  [
    'metadataBlockSize',
    integer(64, 256 * MIB),
    4096,
    '',
    ['table', 'metadata_block_size'],
    'Bytes of an index or filter partition.',
  ],
  ['formatVersion', integer(2, 6), 5, '', ['table', 'format_version'], 'Version of the table format that is written.'],
  ['enableIndexCompression', boolean, true, '', ['table', 'enable_index_compression'], 'Compress index blocks too.'],
  ['blockAlign', boolean, false, '', ['table', 'block_align'], 'Pad data blocks to blockSize; needs compression none.'],
  [
    'blockCache',
    component('BlockCache'),
    undefined,
    '',
    undefined,
    'Cache of uncompressed blocks; default 32 MiB of its own.',
  ],
  [
    'blockCacheCompressed',
    component('BlockCache'),
    undefined,
    '',
    undefined,
    'A second cache, of blocks as they are stored, asked before the file is; default none.',
  ],
  [
    'noBlockCache',
    boolean,
    false,
    '',
    ['table', 'no_block_cache'],
    'Keep no cache: each read of a block goes to the file.',
  ],
];

function describe(scope: 'db' | 'family', [name, kind, value, flags, file, doc]: Row): OptionDescriptor {
  return {
    name,
    scope,
    kind,
    default: value,
    mutable: flags === 'mutable',
    doc,
    ...(file === undefined ? {} : { file }),
  };
}

/** All options by name, database-wide ones first. */
export const OPTION_TABLE: ReadonlyMap<string, OptionDescriptor> = new Map(
  [...DB_ROWS.map((row) => describe('db', row)), ...FAMILY_ROWS.map((row) => describe('family', row))].map((row) => [
    row.name,
    row,
  ]),
);
