/** Flags of db_stress: RocksDB's names, as far as they mean something here. */
import type { Flags, FlagTable } from '../lib/arguments.ts';
import { ToolFailure } from '../lib/tool-failure.ts';

const integer = (help: string): FlagTable[string] => ({ kind: 'integer', value: '<number>', help });
const boolean = (help: string): FlagTable[string] => ({ kind: 'boolean', help });

/** Every flag. Defaults stand in `stressSettings`. */
export const STRESS_FLAGS: FlagTable = {
  db: { kind: 'text', value: '<directory>', help: 'Where the database is.' },
  expected_values_dir: {
    kind: 'text',
    value: '<directory>',
    help: 'Where the expected state is kept, so that a later run can check what a killed one left. Default with --kill_random_test: beside the database.',
  },
  max_key: integer('Keys of a column family. Default 10000.'),
  ops_per_thread: integer('Operations of a loop. Default 10000.'),
  threads: integer('Loops with an operation in flight each, on one event loop. Default 8.'),
  column_families: integer('Column families. Default 1.'),
  reopen: integer('How often the database is closed and opened again on the way. Default 2.'),
  seed: integer('Seed of all random choices. Default: from the clock, and printed.'),
  kill_random_test: integer('Kill this process without notice, one in so many chances. Default 0: never.'),
  test_batches_snapshots: boolean(
    'Write ten copies of a key in one batch, and check that they are equal in every snapshot.',
  ),
  use_merge: boolean('Write half of the values as merge operands.'),
  value_size_mult: integer('Values have 4 bytes and up to three times so many. Default 8.'),
  readpercent: integer('Gets and multiGets. Default 10.'),
  prefixpercent: integer('Scans of 16 neighbouring keys. Default 20.'),
  writepercent: integer('Writes. Default 45.'),
  delpercent: integer('Deletes. Default 15.'),
  delrangepercent: integer('Range deletes. Default 0.'),
  iterpercent: integer('Scans of up to 200 keys, in both directions. Default 10.'),
  acquire_snapshot_one_in: integer('Take a snapshot with one in so many operations and check it later. Default 100.'),
  flush_one_in: integer('Flush with one in so many operations. Default 0: never.'),
  compact_range_one_in: integer('Compact a range with one in so many operations. Default 0: never.'),
  sync: boolean('Sync every write.'),
  disable_wal: boolean('Refused: without the log a kill may lose what it likes.'),
  destroy_db_initially: boolean('Begin with an empty database.'),
  verify_db_one_in: integer('Check the whole database with one in so many reopenings. Default 1.'),
  compaction_style: integer('0 level, 1 universal. Default 0.'),
  compression_type: {
    kind: 'text',
    value: '<name>',
    help: 'none, snappy, zlib, bzip2, lz4, lz4hc or zstd. Default snappy.',
  },
  write_buffer_size: integer('Bytes of a memtable. Default 262144.'),
  target_file_size_base: integer('Bytes of a table. Default 131072.'),
  max_bytes_for_level_base: integer('Bytes of level 1. Default 524288.'),
  max_write_buffer_number: integer('Memtables at a time. Default 3.'),
  max_background_compactions: integer('Compactions at a time. Default 2.'),
  subcompactions: integer('Maximum number of subcompactions to divide L0-L1 compactions into. Default 1.'),
  level0_file_num_compaction_trigger: integer('Files in level 0 that start a compaction. Default 4.'),
  block_size: integer('Bytes of a data block. Default 1024.'),
  bloom_bits: integer('Bits a key of the filters; 0: none. Default 10.'),
  cache_size: integer('Bytes of the block cache. Default 1048576.'),
  memtablerep: { kind: 'text', value: '<name>', help: 'btree or skip_list. Default btree.' },
  open_files: integer('Tables kept open; -1: all. Default -1.'),
  atomic_flush: boolean('Flush all families together.'),
};

/** Percent of each kind of operation; they sum to 100. */
export interface OperationMix {
  readonly read: number;
  readonly prefix: number;
  readonly write: number;
  readonly delete: number;
  readonly deleteRange: number;
  readonly iterate: number;
}

/** What a run is told. */
export interface StressSettings {
  readonly path: string;
  readonly expectedDirectory: string | undefined;
  readonly maxKey: number;
  readonly opsPerThread: number;
  readonly threads: number;
  readonly columnFamilies: number;
  readonly reopen: number;
  readonly seed: number;
  readonly killOneIn: number;
  readonly batches: boolean;
  readonly useMerge: boolean;
  readonly valueSizeMult: number;
  readonly mix: OperationMix;
  readonly snapshotOneIn: number;
  readonly flushOneIn: number;
  readonly compactOneIn: number;
  readonly sync: boolean;
  readonly destroyInitially: boolean;
  readonly verifyOneIn: number;
}

function mixOf(flags: Flags): OperationMix {
  const mix = {
    read: flags.number('readpercent') ?? 10,
    prefix: flags.number('prefixpercent') ?? 20,
    write: flags.number('writepercent') ?? 45,
    delete: flags.number('delpercent') ?? 15,
    deleteRange: flags.number('delrangepercent') ?? 0,
    iterate: flags.number('iterpercent') ?? 10,
  };
  const parts = Object.values(mix);
  if (parts.some((part) => part < 0) || parts.reduce((sum, part) => sum + part, 0) !== 100) {
    throw new ToolFailure('Error: Read+Prefix+Write+Delete+DeleteRange+Iterate percents != 100!');
  }
  return mix;
}

function atLeast(flags: Flags, name: string, fallback: number, least: number): number {
  const value = flags.number(name) ?? fallback;
  if (value < least) throw new ToolFailure(`Error: --${name} must be at least ${least}`);
  return value;
}

/** Checks the flags. */
export function stressSettings(flags: Flags): StressSettings {
  const path = flags.text('db') ?? '';
  if (path === '') throw new ToolFailure('Error: --db=<directory> must be given');
  if (flags.boolean('disable_wal')) {
    throw new ToolFailure('Error: --disable_wal=1 is not supported: without the log, losses cannot be told from bugs');
  }
  const killOneIn = atLeast(flags, 'kill_random_test', 0, 0);
  const seed = flags.number('seed') ?? 0;
  return {
    path,
    expectedDirectory: flags.text('expected_values_dir') ?? (killOneIn > 0 ? `${path}-expected` : undefined),
    maxKey: atLeast(flags, 'max_key', 10_000, 1),
    opsPerThread: atLeast(flags, 'ops_per_thread', 10_000, 1),
    threads: atLeast(flags, 'threads', 8, 1),
    columnFamilies: atLeast(flags, 'column_families', 1, 1),
    reopen: atLeast(flags, 'reopen', 2, 0),
    seed: seed === 0 ? Date.now() : seed,
    killOneIn,
    batches: flags.boolean('test_batches_snapshots'),
    useMerge: flags.boolean('use_merge'),
    valueSizeMult: atLeast(flags, 'value_size_mult', 8, 1),
    mix: mixOf(flags),
    snapshotOneIn: atLeast(flags, 'acquire_snapshot_one_in', 100, 0),
    flushOneIn: atLeast(flags, 'flush_one_in', 0, 0),
    compactOneIn: atLeast(flags, 'compact_range_one_in', 0, 0),
    sync: flags.boolean('sync'),
    destroyInitially: flags.boolean('destroy_db_initially'),
    verifyOneIn: atLeast(flags, 'verify_db_one_in', 1, 0),
  };
}
