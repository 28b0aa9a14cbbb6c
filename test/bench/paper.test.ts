/** The eleven published command lines. Method: the scripts print their lines to `echo`, and db_bench runs them here. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FLAG_TABLE } from '../../bench/db-bench/flag-table.ts';
import { BenchFlags } from '../../bench/db-bench/flags.ts';
import { openOptions } from '../../bench/db-bench/open-options.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runDbBench } from './run-db-bench.ts';

const FOLDER = join(PROJECT_ROOT, 'bench/paper');
const SCRIPTS = readdirSync(FOLDER).filter((name) => /^(rocksdb|leveldb)-\d/.test(name));

/** The flags that a script hands to its program. */
function lineOf(script: string, scale: string, directory: string): string[] {
  const env = {
    ...process.env,
    SCALE: scale,
    DIRECTORY: directory,
    DB_BENCH: 'echo',
    DB_BENCH_LEVELDB: 'echo',
    DROP_FLAGS: '',
    EXTRA_FLAGS: '',
    RATIO: '50',
    MEMORY_MAX: '',
  };
  const text = execFileSync('sh', [join(FOLDER, script)], { env, encoding: 'utf8' });
  return text.trim().split('\n').at(-1)!.split(' ');
}

/** The flags of the specification. */
const FLAGS_OF_THE_TEXT = (
  'benchmarks disable_seek_compaction mmap_read statistics histogram num threads value_size block_size cache_size bloom_bits ' +
  'cache_numshardbits open_files verify_checksum db sync disable_wal compression_type stats_interval compression_ratio ' +
  'disable_data_sync write_buffer_size target_file_size_base max_write_buffer_number max_background_compactions ' +
  'level0_file_num_compaction_trigger level0_slowdown_writes_trigger level0_stop_writes_trigger num_levels ' +
  'delete_obsolete_files_period_micros min_level_to_compress max_grandparent_overlap_factor stats_per_interval ' +
  'max_bytes_for_level_base memtablerep use_existing_db disable_auto_compactions source_compaction_factor'
).split(' ');

test('S142 the eleven lines use the 38 flags of the text, and db_bench knows each', () => {
  expect(SCRIPTS.filter((name) => name.startsWith('rocksdb'))).toHaveLength(6);
  expect(SCRIPTS.filter((name) => name.startsWith('leveldb'))).toHaveLength(5);
  const used = new Set<string>();
  for (const script of SCRIPTS) for (const name of new BenchFlags(lineOf(script, '1', 'x')).given) used.add(name);
  expect([...used].sort()).toEqual([...FLAGS_OF_THE_TEXT].sort());
  expect(FLAGS_OF_THE_TEXT).toHaveLength(38);
});

test('S129 at SCALE=1 the lines have the published sizes', () => {
  const sizes = (script: string): Record<string, number> => {
    const flags = new BenchFlags(lineOf(script, '1', 'x'));
    return {
      num: flags.number('num'),
      value: flags.number('value_size'),
      cache: flags.number('cache_size'),
      buffer: flags.number('write_buffer_size'),
      file: flags.number('target_file_size_base'),
      level: flags.number('max_bytes_for_level_base'),
    };
  };
  const shared = { num: 1_000_000_000, value: 800, cache: 1_048_576, level: 10_485_760 };
  expect(sizes('rocksdb-1-bulk-load.sh')).toEqual({ ...shared, buffer: 268_435_456, file: 1_073_741_824 });
  expect(sizes('rocksdb-4-overwrite.sh')).toEqual({ ...shared, buffer: 134_217_728, file: 67_108_864 });
});

test('S130 with MEMORY_MAX a line runs in a control group of its own, or is refused where none can be made', () => {
  using directory = temporaryDirectory();
  const program = join(directory.path, 'program.sh');
  writeFileSync(program, '#!/bin/sh\ncat /proc/self/cgroup\n', { mode: 0o755 });
  const env = { ...process.env, DIRECTORY: directory.path, DB_BENCH: program, EXTRA_FLAGS: '', MEMORY_MAX: '400M' };
  const line = spawnSync('sh', [join(FOLDER, 'rocksdb-4-overwrite.sh')], { env, encoding: 'utf8' });
  if (line.status !== 0) {
    expect(line.stderr).toMatch(/MEMORY_MAX needs|systemd/);
    return;
  }
  const memoryGroup = (text: string): string => /^\d+:(?:memory|[^:]*,memory|):.*$/m.exec(text)![0];
  expect(memoryGroup(line.stdout)).not.toBe(memoryGroup(readFileSync('/proc/self/cgroup', 'utf8')));
});

test('S136 overwrites write the log and do not sync it', () => {
  const flags = new BenchFlags(lineOf('rocksdb-4-overwrite.sh', '1', 'x'));
  expect([flags.boolean('disable_wal'), flags.boolean('sync'), flags.boolean('use_existing_db')]).toEqual([
    false,
    false,
    true,
  ]);
});

test('S141 files of 64 MB, so that few are synced', () => {
  expect(new BenchFlags(lineOf('rocksdb-4-overwrite.sh', '1', 'x')).number('target_file_size_base')).toBe(67_108_864);
});

test('S142 all eleven lines run, in order, over one directory', async () => {
  using directory = temporaryDirectory();
  for (const script of SCRIPTS) {
    const { code, out, err } = await runDbBench(...lineOf(script, '1e-7', join(directory.path, 'db')));
    expect(`${script} ${code} ${err.startsWith('ERROR') ? err : ''}`).toBe(`${script} 0 `);
    expect(out).toMatch(/^(fillrandom|compact|fillseq|overwrite|readrandom) +: +[\d.]+ micros\/op/m);
    expect(out).toMatch(/^Final disk bytes: \d+;/m);
  }
});

test('S142 what a flag without effect would have done is said', async () => {
  using directory = temporaryDirectory();
  const { out } = await runDbBench(...lineOf('rocksdb-3-fillseq.sh', '1e-8', join(directory.path, 'db')));
  for (const name of ['disable_seek_compaction', 'disable_data_sync', 'delete_obsolete_files_period_micros']) {
    expect(out).toContain(`--${name} is accepted and changes nothing: `);
  }
});

test('S131 flags that another program does not know are left out, and flags that it needs are added', () => {
  const env = {
    ...process.env,
    DB_BENCH: 'echo',
    DROP_FLAGS: 'disable_data_sync source_compaction_factor',
    EXTRA_FLAGS: '--more=1',
  };
  const line = execFileSync('sh', [join(FOLDER, 'rocksdb-1-bulk-load.sh')], { env, encoding: 'utf8' }).trim();
  expect(line).not.toMatch(/disable_data_sync|source_compaction_factor/);
  expect(line).toMatch(/--disable_seek_compaction=1 .* --memtablerep=vector .* --more=1$/);
});

test('S146 S148 files are read, not mapped, and no read triggers a compaction', () => {
  const flags = new BenchFlags(lineOf('rocksdb-6-readrandom.sh', '1', 'x'));
  expect(flags.boolean('mmap_read')).toBe(false);
  expect(flags.number('disable_seek_compaction')).toBe(1);
  expect(FLAG_TABLE.disable_seek_compaction.ignored).toContain('never compacts because of seeks');
  expect(() => openOptions(new BenchFlags(['--mmap_read=1']), undefined)).toThrow('Node has no mmap');
});
