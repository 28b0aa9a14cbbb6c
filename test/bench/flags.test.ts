/** db_bench's command lines. Method: lines as gflags takes them, and the options that each flag of the published lines changes. */
import { expect, test } from 'vitest';
import { FLAG_TABLE, type FlagName } from '../../bench/db-bench/flag-table.ts';
import { BenchFlags } from '../../bench/db-bench/flags.ts';
import { openOptions } from '../../bench/db-bench/open-options.ts';

function optionsOf(...args: string[]): Record<string, unknown> {
  return openOptions(new BenchFlags(args), undefined) as Record<string, unknown>;
}

test('flags are taken in every form that gflags knows, and the last one counts', () => {
  const flags = new BenchFlags([
    '--num=5',
    '-reads=6',
    '--threads',
    '3',
    '--histogram',
    '--nosync',
    '--num=7',
    '--disable_wal=1',
  ]);
  expect(flags.number('num')).toBe(7);
  expect(flags.number('reads')).toBe(6);
  expect(flags.number('threads')).toBe(3);
  expect(flags.boolean('histogram')).toBe(true);
  expect(flags.boolean('sync')).toBe(false);
  expect(flags.boolean('disable_wal')).toBe(true);
  expect(flags.number('value_size')).toBe(100);
});

test('what gflags refuses is refused in its words', () => {
  expect(() => new BenchFlags(['--nosuch=1'])).toThrow("ERROR: unknown command line flag 'nosuch'");
  expect(() => new BenchFlags(['--num=x'])).toThrow("ERROR: illegal value 'x' specified for int64 flag 'num'");
  expect(() => new BenchFlags(['--sync=maybe'])).toThrow("ERROR: illegal value 'maybe' specified for bool flag 'sync'");
  expect(() => new BenchFlags(['--num'])).toThrow("ERROR: flag '--num' is missing its argument");
  expect(() => new BenchFlags(['--nonum'])).toThrow("ERROR: unknown command line flag 'nonum'");
  expect(() => new BenchFlags(['constructor'])).toThrow('unexpected argument');
  expect(() => new BenchFlags(['--constructor=1'])).toThrow("unknown command line flag 'constructor'");
});

/** Flags of the published lines that are an option: what to give, which option it is, what that must be. */
const EFFECTS: readonly [flag: FlagName, value: string, option: string, expected: unknown][] = [
  ['block_size', '65536', 'blockSize', 65536],
  ['bloom_bits', '10', 'filterPolicy', { type: 'bloom', bitsPerKey: 10 }],
  ['open_files', '500000', 'maxOpenFiles', 500000],
  ['compression_type', 'zlib', 'compression', 'zlib'],
  ['compression_level', '3', 'compressionOptions', { level: 3, maxDictBytes: 0, maxDictBufferBytes: 0 }],
  ['compression_max_dict_bytes', '4096', 'compressionOptions', { maxDictBytes: 4096, maxDictBufferBytes: 0 }],
  ['compression_max_dict_buffer_bytes', '9', 'compressionOptions', { maxDictBytes: 0, maxDictBufferBytes: 9 }],
  ['write_buffer_size', '134217728', 'writeBufferSize', 134217728],
  ['memtable_bloom_size_ratio', '0.1', 'memtablePrefixBloomSizeRatio', 0.1],
  ['memtable_whole_key_filtering', '1', 'memtableWholeKeyFiltering', true],
  ['target_file_size_base', '1073741824', 'targetFileSizeBase', 1073741824],
  ['db_write_buffer_size', '1048576', 'dbWriteBufferSize', 1048576],
  ['max_write_buffer_number', '30', 'maxWriteBufferNumber', 30],
  ['max_background_compactions', '20', 'maxBackgroundCompactions', 20],
  ['subcompactions', '4', 'maxSubcompactions', 4],
  ['level0_file_num_compaction_trigger', '10000000', 'level0FileNumCompactionTrigger', 10000000],
  ['level0_slowdown_writes_trigger', '8', 'level0SlowdownWritesTrigger', 8],
  ['level0_stop_writes_trigger', '12', 'level0StopWritesTrigger', 12],
  ['num_levels', '6', 'numLevels', 6],
  ['max_bytes_for_level_base', '10485760', 'maxBytesForLevelBase', 10485760],
  ['disable_auto_compactions', '1', 'disableAutoCompactions', true],
  ['max_grandparent_overlap_factor', '10', 'maxCompactionBytes', 10 * 67108864],
  ['source_compaction_factor', '10000000', 'maxCompactionBytes', 10000000 * 67108864],
  ['optimize_filters_for_hits', '1', 'optimizeFiltersForHits', true],
  ['use_existing_db', '1', 'createIfMissing', false],
];

test.each(EFFECTS)('S14 S142 --%s=%s changes the option %s', (flag, value, option, expected) => {
  expect(optionsOf(`--${flag}=${value}`)[option]).toEqual(expected);
  expect(optionsOf()[option]).not.toEqual(expected);
});

test('S14 S142 the vector memtable and the number of cache shards are those of the flags', () => {
  expect(optionsOf('--memtablerep=vector')).toMatchObject({ memtableFactory: { name: 'VectorRepFactory' } });
  expect(optionsOf('--cache_size=1048576', '--cache_numshardbits=4')).toMatchObject({
    blockCache: { capacity: 1048576, numShardBits: 4 },
  });
});

test('S142 obsolete flags say why they change nothing, and mmap is refused', () => {
  for (const name of ['disable_seek_compaction', 'disable_data_sync', 'delete_obsolete_files_period_micros'] as const) {
    expect(FLAG_TABLE[name].ignored).toMatch(/\w/);
  }
  expect(optionsOf('--mmap_read=0')).toBeDefined();
  expect(() => optionsOf('--mmap_read=1')).toThrow('Node has no mmap');
});

test('S147 --cache_numshardbits=6 makes a cache of 64 shards', () => {
  const { blockCache } = optionsOf('--cache_size=1048576', '--cache_numshardbits=6');
  expect(2 ** (blockCache as { numShardBits: number }).numShardBits).toBe(64);
});

test('S140 --min_level_to_compress=2 leaves the first two levels uncompressed', () => {
  const { compressionPerLevel } = optionsOf('--min_level_to_compress=2', '--compression_type=zlib', '--num_levels=6');
  expect(compressionPerLevel).toEqual(['none', 'none', 'zlib', 'zlib', 'zlib', 'zlib']);
});

test('S5 --preset starts from the options of a preset, and flags that are given overrule it', () => {
  expect(optionsOf('--preset=hdd').blockSize).toBe(64 * 1024);
  expect(optionsOf('--preset=hdd', '--block_size=8192').blockSize).toBe(8192);
  expect(optionsOf('--preset=flash').levelCompactionDynamicLevelBytes).toBe(true);
  const memory = optionsOf('--preset=memory');
  expect(memory.noBlockCache).toBe(true);
  expect(memory.blockCache).toBeUndefined();
  expect(() => optionsOf('--preset=tape')).toThrow('--preset=tape');
});

test('S11 the presets for point lookups, updates and mixed loads differ from the defaults', () => {
  const plain = optionsOf();
  expect(optionsOf('--preset=pointLookup').dataBlockIndexType).toBe('binaryAndHash');
  expect(optionsOf('--preset=updateHeavy').compactionStyle).toBe('universal');
  expect(optionsOf('--preset=mixed').writeBufferSize).toBe(128 << 20);
  expect(plain.compactionStyle).toBe('level');
});
