/**
 * Every flag of db_bench, with RocksDB's names, kinds and defaults. Flags that are accepted without an effect say why in
 * `ignored`, and db_bench says it when they are given.
 */

/** One flag. */
export interface FlagDescriptor {
  readonly kind: 'boolean' | 'integer' | 'number' | 'text';
  readonly default: boolean | number | string;
  readonly help: string;
  /** Why the flag changes nothing; absent for flags that do. */
  readonly ignored?: string;
}

const boolean = (value: boolean, help: string): FlagDescriptor => ({ kind: 'boolean', default: value, help });
const integer = (value: number, help: string): FlagDescriptor => ({ kind: 'integer', default: value, help });
const number = (value: number, help: string): FlagDescriptor => ({ kind: 'number', default: value, help });
const text = (value: string, help: string): FlagDescriptor => ({ kind: 'text', default: value, help });
const ignored = (flag: FlagDescriptor, why: string): FlagDescriptor => ({ ...flag, ignored: why });

const RUN = {
  benchmarks: text(
    'fillseq,fillrandom,overwrite,readrandom,readseq,readreverse',
    'Workloads, separated by commas, in order.',
  ),
  db: text('', 'Directory of the database; default: one below the system’s place for temporary files.'),
  wal_dir: text('', 'Directory of the write-ahead logs; default: beside the tables.'),
  use_existing_db: boolean(false, 'Keep what the database holds; workloads that want a new one are skipped.'),
  readonly: boolean(false, 'Open the database read-only.'),
  num: integer(1_000_000, 'Entries.'),
  reads: integer(-1, 'Reads a thread; negative: num.'),
  writes: integer(-1, 'Writes a thread; negative: num.'),
  duration: integer(
    0,
    'Seconds that workloads in random order run; 0: as many operations as num, reads or writes say.',
  ),
  threads: integer(1, 'Loops with an operation in flight each, on one event loop; one loop uses the blocking calls.'),
  async: boolean(false, 'Use the promise calls for a single loop, too. More than one loop always does.'),
  seed: integer(0, 'Seed of all random numbers; 0: taken from the clock and printed.'),
  key_size: integer(16, 'Bytes of a key.'),
  value_size: integer(100, 'Bytes of a value.'),
  value_size_distribution_type: text('fixed', 'fixed, uniform (value_size_min to value_size_max) or normal.'),
  value_size_min: integer(100, 'Smallest value of the uniform and normal distributions.'),
  value_size_max: integer(102400, 'Largest value of the uniform and normal distributions.'),
  compression_ratio: number(0.5, 'Values shrink to this part of their size; from 1 on they do not shrink.'),
  batch_size: integer(1, 'Entries of a write batch, and keys of a multiGet.'),
  seek_nexts: integer(0, 'Entries read behind every seek.'),
  reverse_iterator: boolean(false, 'Read them with prev instead of next.'),
  readwritepercent: integer(90, 'Reads among the operations of readrandomwriterandom.'),
  mergereadpercent: integer(70, 'Merges among the operations of readrandommergerandom.'),
  merge_keys: integer(-1, 'Distinct keys of the merge workloads; negative: num.'),
  merge_operator: text('', 'Merge operator by RocksDB’s name: uint64add, stringappend, put, max, bytesxor.'),
  benchmark_write_rate_limit: integer(0, 'Bytes a second that the writing workloads write at most; 0: no limit.'),
  writes_per_second: integer(0, 'Writes a second of the writer beside reads; 0: no limit.'),
  finish_after_writes: boolean(false, 'readwhilewriting ends when the writer has made all its writes.'),
  queue_length: integer(100, 'Elements that the queue workload holds.'),
  mem_env: boolean(false, 'Keep the files in memory.'),
  preset: text(
    '',
    'Options to start from: flash, hdd, memory, pointLookup, updateHeavy, mixed or bulkLoad; other flags come on top.',
  ),
} satisfies Record<string, FlagDescriptor>;

const REPORT = {
  histogram: boolean(false, 'Print a histogram of the operations’ times.'),
  statistics: boolean(false, 'Count tickers and histograms, and print them at the end.'),
  stats_interval: integer(0, 'Report every so many operations; 0: never.'),
  stats_interval_seconds: integer(0, 'Report every so many seconds; counts instead of stats_interval.'),
  stats_per_interval: integer(0, 'Print rocksdb.stats with every such report.'),
  report_file: text('report.csv', 'Where report_interval_seconds writes to.'),
  report_interval_seconds: integer(0, 'Write the operations of every so many seconds as CSV.'),
  json: boolean(false, 'Print one JSON document on stdout, and the text on stderr.'),
  progress_reports: boolean(true, 'Show the number of finished operations at a terminal.'),
  print_options: boolean(false, 'Print the options that the database is opened with, as JSON.'),
} satisfies Record<string, FlagDescriptor>;

const WRITE = {
  sync: boolean(false, 'Sync every write.'),
  disable_wal: boolean(false, 'Write no log.'),
  manual_wal_flush: boolean(false, 'Keep log bytes in memory until 32 KiB are together.'),
  write_buffer_size: integer(67108864, 'Bytes of a memtable.'),
  db_write_buffer_size: integer(0, 'Bytes of all memtables together; 0: no limit.'),
  max_write_buffer_number: integer(2, 'Memtables at a time.'),
  min_write_buffer_number_to_merge: integer(1, 'Memtables flushed together.'),
  memtablerep: text('btree', 'btree, skip_list, vector or prefix_hash.'),
  memtable_bloom_size_ratio: number(0, 'Share of the write buffer for a Bloom filter of each memtable; 0: none.'),
  memtable_whole_key_filtering: boolean(false, 'Put whole keys into the filters of memtables.'),
  delayed_write_rate: integer(8388608, 'Bytes a second while writes are slowed down.'),
  max_total_wal_size: integer(0, 'Bytes of all logs before memtables are flushed.'),
} satisfies Record<string, FlagDescriptor>;

const TABLE = {
  block_size: integer(4096, 'Bytes of a data block.'),
  block_restart_interval: integer(16, 'Keys between restarts in data blocks.'),
  index_block_restart_interval: integer(1, 'Keys between restarts in index blocks.'),
  bloom_bits: number(-1, 'Bits a key of the Bloom filters; negative or 0: none.'),
  use_ribbon_filter: boolean(false, 'Ribbon filters instead of Bloom filters.'),
  optimize_filters_for_hits: boolean(false, 'No filters where compactions end: most keys looked for exist.'),
  whole_key_filtering: boolean(true, 'Put whole keys into the filters.'),
  prefix_size: integer(0, 'Bytes of the prefix that fixedPrefix extracts; 0: no extractor.'),
  partition_index_and_filters: boolean(false, 'Index and filters in partitions.'),
  metadata_block_size: integer(4096, 'Bytes of a partition.'),
  compression_type: text('snappy', 'none, snappy, zlib, bzip2, lz4, lz4hc or zstd.'),
  compression_level: integer(32767, 'Level of the compression; 32767: its own default.'),
  compression_max_dict_bytes: integer(0, 'Largest dictionary of a table (zlib, lz4, lz4hc, zstd); 0: none.'),
  compression_max_dict_buffer_bytes: integer(0, 'Bytes of blocks kept for a dictionary; 0: a file.'),
  min_level_to_compress: integer(-1, 'First level that is compressed; negative: all are.'),
  checksum_type: integer(4, '0 none, 1 crc32c, 2 xxHash, 3 xxHash64, 4 XXH3.'),
  format_version: integer(5, 'Version of the table format.'),
  cache_size: integer(8388608, 'Bytes of the block cache; 0 or less: no cache.'),
  cache_numshardbits: integer(-1, 'The block cache has 2^n shards; negative: by its size.'),
  open_files: integer(-1, 'Tables kept open; -1: all.'),
  verify_checksum: boolean(true, 'Check the checksum of every block that is read.'),
} satisfies Record<string, FlagDescriptor>;

const COMPACTION = {
  compaction_style: integer(0, '0 level, 1 universal, 2 FIFO, 3 none.'),
  num_levels: integer(7, 'Levels of the tree.'),
  disable_auto_compactions: boolean(false, 'Compact only when asked.'),
  level0_file_num_compaction_trigger: integer(4, 'Files in level 0 that start a compaction.'),
  level0_slowdown_writes_trigger: integer(20, 'Files in level 0 that slow writes down.'),
  level0_stop_writes_trigger: integer(36, 'Files in level 0 that stop writes.'),
  target_file_size_base: integer(67108864, 'Bytes of a table in level 1.'),
  target_file_size_multiplier: integer(1, 'How much larger tables are, level by level.'),
  max_bytes_for_level_base: integer(268435456, 'Bytes of level 1.'),
  max_bytes_for_level_multiplier: number(10, 'How much larger levels are, one by one.'),
  level_compaction_dynamic_level_bytes: boolean(false, 'Level sizes follow the last level.'),
  soft_pending_compaction_bytes_limit: integer(68719476736, 'Bytes to compact that slow writes down.'),
  hard_pending_compaction_bytes_limit: integer(274877906944, 'Bytes to compact that stop writes.'),
  max_compaction_bytes: integer(0, 'Bytes of one compaction; 0: 25 times target_file_size_base.'),
  max_background_jobs: integer(2, 'Flushes and compactions at a time.'),
  max_background_compactions: integer(
    -1,
    'Compactions at a time; the pool has as many threads, but at most one a core.',
  ),
  max_background_flushes: integer(-1, 'Flushes at a time.'),
  subcompactions: integer(1, 'Maximum number of subcompactions to divide L0-L1 compactions into.'),
  universal_size_ratio: integer(0, 'Universal compaction: size ratio; 0: the default.'),
  universal_min_merge_width: integer(0, 'Universal compaction: fewest runs; 0: the default.'),
  universal_max_merge_width: integer(0, 'Universal compaction: most runs; 0: the default.'),
  universal_max_size_amplification_percent: integer(0, 'Universal compaction: space amplification; 0: the default.'),
  universal_allow_trivial_move: boolean(false, 'Universal compaction: move files that overlap nothing.'),
  fifo_compaction_max_table_files_size_mb: integer(0, 'FIFO compaction: megabytes kept; 0: the default.'),
  max_grandparent_overlap_factor: integer(-1, 'Became max_compaction_bytes: this many times target_file_size_base.'),
  source_compaction_factor: integer(-1, 'Became max_compaction_bytes, as well: the larger of the two counts.'),
} satisfies Record<string, FlagDescriptor>;

/** Accepted so that old command lines run. */
const OBSOLETE = {
  disable_seek_compaction: ignored(
    integer(1, 'LevelDB’s compactions triggered by seeks.'),
    'Pumice never compacts because of seeks',
  ),
  mmap_read: boolean(false, 'Map tables into memory; refused: Node has no mmap.'),
  mmap_write: boolean(false, 'Map written files into memory; refused: Node has no mmap.'),
  disable_data_sync: ignored(
    boolean(false, 'Do not sync tables.'),
    'tables are always synced before the MANIFEST names them',
  ),
  delete_obsolete_files_period_micros: ignored(
    integer(0, 'How often obsolete files are looked for.'),
    'a file is deleted as soon as nothing refers to it',
  ),
  readahead: ignored(integer(0, 'Read ahead.'), 'iterators read ahead by themselves'),
  allow_concurrent_memtable_write: ignored(boolean(true, 'Parallel writers.'), 'one thread writes, in groups'),
  enable_pipelined_write: ignored(boolean(true, 'Pipeline of log and memtable.'), 'one thread writes, in groups'),
  perf_level: ignored(integer(1, 'Level of the perf context.'), 'there is no perf context'),
  rate_limit: ignored(number(0, 'RocksDB’s old rate limit.'), 'it is gone from RocksDB, too'),
} satisfies Record<string, FlagDescriptor>;

const TABLE_OF_ALL = { ...RUN, ...REPORT, ...WRITE, ...TABLE, ...COMPACTION, ...OBSOLETE };

/** Name of a flag. */
export type FlagName = keyof typeof TABLE_OF_ALL;

/** All flags by name. */
export const FLAG_TABLE: Readonly<Record<FlagName, FlagDescriptor>> = TABLE_OF_ALL;

/** The help: a line or two for every flag. */
export function flagHelp(): string {
  return Object.entries(FLAG_TABLE)
    .map(([name, { kind, default: value, help, ignored: why }]) => {
      const obsolete = why === undefined ? '' : ` Accepted without effect: ${why}.`;
      return `    --${name} (${help}${obsolete}) type: ${kind} default: ${JSON.stringify(value)}\n`;
    })
    .join('');
}
