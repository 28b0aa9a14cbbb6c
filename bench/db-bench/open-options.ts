/** From db_bench's flags to the options of `DB.open`. */
import { availableParallelism } from 'node:os';
import {
  BlockCache,
  bTreeMemTable,
  type ChecksumType,
  type CompactionStyle,
  type CompressionType,
  Env,
  fixedPrefix,
  type MemTableFactory,
  type Options,
  prefixHashMemTable,
  type Statistics,
  skipListMemTable,
  vectorMemTable,
} from '../../src/index.ts';
import { type BenchFlags, FlagError } from './flags.ts';
import { presetOptions } from './preset.ts';

const MIB = 1024 * 1024;
const COMPRESSIONS: readonly CompressionType[] = ['none', 'snappy', 'zlib', 'bzip2', 'lz4', 'lz4hc', 'zstd'];
const CHECKSUMS: readonly ChecksumType[] = ['none', 'crc32c', 'xxHash', 'xxHash64', 'xxh3'];
const STYLES: readonly CompactionStyle[] = ['level', 'universal', 'fifo', 'none'];
const MEMTABLES: Readonly<Record<string, () => MemTableFactory>> = {
  btree: bTreeMemTable,
  skip_list: skipListMemTable,
  vector: vectorMemTable,
  prefix_hash: prefixHashMemTable,
};

/** Flags that are an option of the same meaning under RocksDB's name in camelCase. */
const PLAIN = [
  'write_buffer_size',
  'max_write_buffer_number',
  'min_write_buffer_number_to_merge',
  'memtable_whole_key_filtering',
  'delayed_write_rate',
  'db_write_buffer_size',
  'max_total_wal_size',
  'manual_wal_flush',
  'block_size',
  'block_restart_interval',
  'index_block_restart_interval',
  'metadata_block_size',
  'whole_key_filtering',
  'format_version',
  'num_levels',
  'disable_auto_compactions',
  'level0_file_num_compaction_trigger',
  'level0_slowdown_writes_trigger',
  'level0_stop_writes_trigger',
  'target_file_size_base',
  'target_file_size_multiplier',
  'max_bytes_for_level_base',
  'max_bytes_for_level_multiplier',
  'level_compaction_dynamic_level_bytes',
  'soft_pending_compaction_bytes_limit',
  'hard_pending_compaction_bytes_limit',
  'max_background_jobs',
  'optimize_filters_for_hits',
] as const;

function oneOf<T>(values: readonly T[], index: number, flag: string): T {
  const value = values[index];
  if (value === undefined) throw new FlagError(`ERROR: illegal value '${index}' for --${flag}`);
  return value;
}

/** The compression that `--compression_type` names. */
export function compressionOf(flags: BenchFlags): CompressionType {
  const name = flags.text('compression_type').toLowerCase();
  const found = COMPRESSIONS.find((candidate) => candidate === name);
  if (found === undefined) throw new FlagError(`ERROR: Cannot parse compression type '${name}'`);
  return found;
}

/** The kind of memtable that `--memtablerep` names. */
function memtableOf(flags: BenchFlags): MemTableFactory {
  const name = flags.text('memtablerep').toLowerCase();
  const make = Object.hasOwn(MEMTABLES, name) ? MEMTABLES[name] : undefined;
  if (make === undefined) throw new FlagError(`ERROR: unknown memtablerep '${name}'`);
  return make();
}

/** Threads of the pool for compactions: as many as asked for, but no more than the machine has cores. */
export function poolSize(flags: BenchFlags): number | undefined {
  const asked = flags.number('max_background_compactions');
  return asked <= 0 ? undefined : Math.min(asked, availableParallelism());
}

function compressionOptions(flags: BenchFlags): Options {
  const compression = compressionOf(flags);
  const firstLevel = flags.number('min_level_to_compress');
  const level = flags.number('compression_level');
  return {
    compression,
    compressionOptions: {
      ...(level === 32767 ? {} : { level }),
      maxDictBytes: flags.number('compression_max_dict_bytes'),
      maxDictBufferBytes: flags.number('compression_max_dict_buffer_bytes'),
    },
    ...(firstLevel < 0
      ? {}
      : {
          compressionPerLevel: Array.from({ length: flags.number('num_levels') }, (_, at) =>
            at < firstLevel ? 'none' : compression,
          ),
        }),
  };
}

function compactionOptions(flags: BenchFlags): Options {
  const style = oneOf(STYLES, flags.number('compaction_style'), 'compaction_style');
  const universal: Record<string, number | boolean> = {};
  const tuning = [
    ['universal_size_ratio', 'sizeRatio'],
    ['universal_min_merge_width', 'minMergeWidth'],
    ['universal_max_merge_width', 'maxMergeWidth'],
    ['universal_max_size_amplification_percent', 'maxSizeAmplificationPercent'],
  ] as const;
  for (const [flag, option] of tuning) if (flags.number(flag) !== 0) universal[option] = flags.number(flag);
  if (flags.boolean('universal_allow_trivial_move')) universal.allowTrivialMove = true;
  const fifoMegabytes = flags.number('fifo_compaction_max_table_files_size_mb');
  return {
    compactionStyle: style,
    maxCompactionBytes: compactionBytesMax(flags),
    ...(Object.keys(universal).length === 0 ? {} : { compactionOptionsUniversal: universal }),
    ...(fifoMegabytes === 0 ? {} : { compactionOptionsFifo: { maxTableFilesSize: fifoMegabytes * MIB } }),
  };
}

/** The newest of the three flags that was given counts; the two old ones are multiples of the file size. */
function compactionBytesMax(flags: BenchFlags): number {
  const given = flags.number('max_compaction_bytes');
  const factor = Math.max(flags.number('max_grandparent_overlap_factor'), flags.number('source_compaction_factor'));
  if (given > 0 || factor <= 0) return given;
  return Math.min(factor * flags.number('target_file_size_base'), Number.MAX_SAFE_INTEGER);
}

function tableOptions(flags: BenchFlags): Options {
  const bitsPerKey = flags.number('bloom_bits');
  const cacheBytes = flags.number('cache_size');
  const shardBits = flags.number('cache_numshardbits');
  const partitioned = flags.boolean('partition_index_and_filters');
  const prefixBytes = flags.number('prefix_size');
  return {
    checksum: oneOf(CHECKSUMS, flags.number('checksum_type'), 'checksum_type'),
    ...(bitsPerKey <= 0
      ? {}
      : { filterPolicy: { type: flags.boolean('use_ribbon_filter') ? 'ribbon' : 'bloom', bitsPerKey } }),
    ...(partitioned ? { indexType: 'twoLevelIndexSearch', partitionFilters: bitsPerKey > 0 } : {}),
    ...(prefixBytes <= 0 ? {} : { prefixExtractor: fixedPrefix(prefixBytes) }),
    ...(cacheBytes <= 0
      ? { noBlockCache: true }
      : { blockCache: new BlockCache({ capacity: cacheBytes, numShardBits: shardBits < 0 ? -1 : shardBits }) }),
  };
}

function environment(flags: BenchFlags): Env | undefined {
  const compactionWorkers = poolSize(flags);
  if (flags.boolean('mem_env')) return Env.memory();
  return compactionWorkers === undefined ? undefined : new Env({ compactionWorkers });
}

/** Refuses what this machine cannot do. */
function refuse(flags: BenchFlags): void {
  for (const name of ['mmap_read', 'mmap_write'] as const) {
    if (flags.boolean(name))
      throw new FlagError(`ERROR: --${name}=1 is not supported: Node has no mmap, files are read and written`);
  }
}

/** The options that the flags stand for. With `--preset`, only flags that were given overrule the preset. */
export function openOptions(flags: BenchFlags, statistics: Statistics | undefined): Options {
  refuse(flags);
  const plain: Record<string, unknown> = {};
  for (const flag of PLAIN) {
    const option = flag.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    plain[option] = flags.value(flag);
  }
  const [compactions, flushes] = [flags.number('max_background_compactions'), flags.number('max_background_flushes')];
  const merge = flags.text('merge_operator');
  const env = environment(flags);
  const options: Options = {
    ...(plain as Options),
    ...compressionOptions(flags),
    ...compactionOptions(flags),
    ...tableOptions(flags),
    createIfMissing: !flags.boolean('use_existing_db') && !flags.boolean('readonly'),
    readOnly: flags.boolean('readonly'),
    memtableFactory: memtableOf(flags),
    memtablePrefixBloomSizeRatio: flags.number('memtable_bloom_size_ratio'),
    maxOpenFiles: flags.number('open_files'),
    maxSubcompactions: flags.number('subcompactions'),
    ...(compactions > 0 ? { maxBackgroundCompactions: compactions } : {}),
    ...(flushes > 0 ? { maxBackgroundFlushes: flushes } : {}),
    ...(merge === '' ? {} : { mergeOperator: merge }),
    ...(flags.text('wal_dir') === '' ? {} : { walDir: flags.text('wal_dir') }),
    ...(statistics === undefined ? {} : { statistics }),
    ...(env === undefined ? {} : { env }),
  };
  return presetOptions(flags, options);
}
