/** db_bench over a real database. Method: small runs in this process; counters and texts are compared, never times. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { META_COMMANDS } from '../../bench/db-bench/meta-commands.ts';
import { WORKLOADS } from '../../bench/db-bench/workload-list.ts';
import { eventsOf } from '../support/event-log.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { benchDocument, runDbBench } from './run-db-bench.ts';

const MEMORY = '--mem_env';

test('report lines have RocksDB’s form', async () => {
  const { code, out } = await runDbBench(
    MEMORY,
    '--num=500',
    '--benchmarks=fillseq,readrandom,readmissing,seekrandom,compact',
  );
  expect(code).toBe(0);
  const rate = String.raw`micros/op \d+ ops/sec \d+\.\d{3} seconds`;
  expect(out).toMatch(new RegExp(String.raw`^fillseq      : +\d+\.\d{3} ${rate} 500 operations; +\d+\.\d MB/s$`, 'm'));
  expect(out).toMatch(/^readrandom .* 500 operations; +\d+\.\d MB\/s \(500 of 500 found\)$/m);
  expect(out).toMatch(/^readmissing .* \(0 of 500 found\)$/m);
  expect(out).toMatch(/^seekrandom .* \(500 of 500 found\)$/m);
  expect(out).toMatch(/^compact .* 1 operations;$/m);
});

test('every workload runs, alone and with several loops', async () => {
  const names =
    'fillseq,fillrandom,filluniquerandom,fillbatch,fillsync,fill100K,overwrite,readrandom,readmissing,readhot,' +
    'multireadrandom,readseq,readreverse,seekrandom,newiterator,deleteseq,deleterandom,updaterandom,' +
    'readrandomwriterandom,mergerandom,readrandommergerandom,readwhilewriting,readwhilemerging,seekrandomwhilewriting,' +
    'queue,compact';
  for (const threads of [1, 3]) {
    const { results } = await benchDocument(
      MEMORY,
      '--num=1000',
      '--batch_size=5',
      '--merge_operator=stringappend',
      '--value_size=20',
      `--threads=${threads}`,
      `--benchmarks=${names}`,
    );
    expect(results.map(({ name }) => name)).toEqual(names.split(','));
    for (const { operations } of results) expect(operations).toBeGreaterThan(0);
    expect(results.find(({ name }) => name === 'overwrite')!.operations).toBe(1000 * threads);
  }
});

test('an unknown workload, a merge without operator and a failing setting end with exit code 1', async () => {
  expect(await runDbBench(MEMORY, '--benchmarks=nosuch')).toMatchObject({
    code: 1,
    err: "unknown benchmark 'nosuch'\n",
  });
  expect((await runDbBench(MEMORY, '--benchmarks=mergerandom')).err).toContain('skipped (--merge_operator is unknown)');
  expect((await runDbBench(MEMORY, '--num=0')).err).toContain('--num must be at least 1');
});

test('the same seed makes the same database', async () => {
  const found = async (seed: number): Promise<string[]> => {
    const run = await benchDocument(MEMORY, '--num=500', `--seed=${seed}`, '--benchmarks=fillrandom,readrandom');
    return run.results.map(({ message }) => message);
  };
  expect(await found(7)).toEqual(await found(7));
  expect(await found(7)).not.toEqual(await found(8));
});

test('S10 reads cost few blocks after a compaction: counters, not times', async () => {
  const { results } = await benchDocument(
    MEMORY,
    '--num=20000',
    '--reads=4000',
    '--bloom_bits=10',
    '--write_buffer_size=524288',
    '--benchmarks=fillrandom,compact,readrandom,readmissing,seekrandom,readseq,readreverse',
  );
  const blocks = (name: string): number => results.find((result) => result.name === name)!.blocksPerOp!;
  expect(blocks('readrandom')).toBeLessThanOrEqual(1);
  expect(blocks('readrandom')).toBeGreaterThan(0.5);
  expect(blocks('readmissing')).toBeLessThanOrEqual(0.02);
  // After the compaction there is one sorted run.
  expect(blocks('seekrandom')).toBeLessThanOrEqual(1.1);
  expect(blocks('readseq')).toBeLessThan(0.1);
});

test('S113 a queue hardly reaches the tables', async () => {
  const { results } = await benchDocument(
    MEMORY,
    '--num=20000',
    '--queue_length=50',
    '--write_buffer_size=1048576',
    '--benchmarks=queue,waitforcompaction',
  );
  const percent = Number(/([\d.]+)%/.exec(results[0]!.message)![1]);
  expect(percent).toBeGreaterThan(0);
  expect(percent).toBeLessThan(2);
});

const BULK = ['--disable_auto_compactions=1', '--memtablerep=vector', '--disable_wal=1', '--write_buffer_size=262144'];
const NO_LIMITS = ['trigger', 'slowdown', 'stop'].map((limit) =>
  limit === 'trigger' ? '--level0_file_num_compaction_trigger=10000000' : `--level0_${limit}_writes_trigger=10000000`,
);

test('S132 S133 a bulk load fills level 0 without compactions, and compact sorts it into one level', async () => {
  using directory = temporaryDirectory();
  const shared = [`--db=${directory.path}/db`, '--num=10000', '--num_levels=2', ...BULK, ...NO_LIMITS];
  const load = await benchDocument(...shared, '--benchmarks=fillrandom,waitforcompaction');
  expect(load.final.levels[0]).toBeGreaterThan(2);
  expect(load.final.levels[1]).toBe(0);
  expect(load.final.writeAmplification).toBeLessThanOrEqual(1.1);
  const { code, out } = await runDbBench(...shared, '--use_existing_db=1', '--benchmarks=compact,levelstats');
  expect(code).toBe(0);
  expect(out).toMatch(/^ +0 +0 +0$/m);
  expect(out).toMatch(/^\d+\t\S+db$/m);
  expect(out).toMatch(/files by level: 0 [1-9]\d*$/m);
});

test('S134 a load in order moves files instead of rewriting them', async () => {
  const { final } = await benchDocument(
    MEMORY,
    '--num=20000',
    '--write_buffer_size=262144',
    '--target_file_size_base=262144',
    '--max_bytes_for_level_base=524288',
    '--benchmarks=fillseq,flush,waitforcompaction',
  );
  expect(final.trivialMoves).toBeGreaterThan(0);
  expect(final.writeAmplification).toBeLessThanOrEqual(1.1);
});

/** A compaction as the LOG tells of it. */
interface LoggedCompaction {
  startsAt: number;
  endsAt: number;
  levels: number[];
  files: number[];
}

/** The compactions, between their start and their end in the order of events. */
function loggedCompactions(log: string): LoggedCompaction[] {
  const open = new Map<number, LoggedCompaction>();
  const done: LoggedCompaction[] = [];
  for (const [at, event] of eventsOf(log.split('\n')).entries()) {
    const job = event.job as number;
    if (event.event === 'compaction_started') {
      const inputs = Object.entries(event).filter(([name]) => name.startsWith('files_L'));
      const levels = inputs.map(([name]) => Number(name.slice('files_L'.length)));
      open.set(job, { startsAt: at, endsAt: at, levels, files: inputs.flatMap(([, files]) => files as number[]) });
    } else if (event.event === 'compaction_finished') done.push({ ...open.get(job)!, endsAt: at });
  }
  return done;
}

test('S135 the event log shows compactions side by side in different levels, which share no table', async () => {
  using directory = temporaryDirectory();
  const { code } = await runDbBench(
    `--db=${directory.path}/db`,
    '--num=30000',
    '--write_buffer_size=65536',
    '--target_file_size_base=8192',
    '--max_bytes_for_level_base=65536',
    '--max_bytes_for_level_multiplier=2',
    '--level0_file_num_compaction_trigger=2',
    '--max_background_compactions=4',
    '--max_background_flushes=1',
    '--benchmarks=fillseq,overwrite,waitforcompaction',
  );
  expect(code).toBe(0);
  const compactions = loggedCompactions(readFileSync(join(directory.path, 'db/LOG'), 'utf8'));
  let inOtherLevels = 0;
  for (const [i, one] of compactions.entries()) {
    for (const other of compactions.slice(i + 1)) {
      if (other.startsAt > one.endsAt || one.startsAt > other.endsAt) continue;
      expect(one.files.filter((file) => other.files.includes(file))).toEqual([]);
      if (one.levels[0] !== other.levels[0]) inOtherLevels++;
    }
  }
  process.stdout.write(`S135: ${compactions.length} compactions, ${inOtherLevels} pairs at once in different levels\n`);
  expect(inOtherLevels).toBeGreaterThan(0);
});

test('S137 twenty compaction threads are asked for, and the header tells how many there are', async () => {
  const { out } = await runDbBench(MEMORY, '--num=10', '--max_background_compactions=20', '--benchmarks=fillseq');
  expect(out).toMatch(/^Compaction threads: \d+ \(20 asked for, at most one a core\)$/m);
});

test('S138 --num_levels=6 makes a tree of six levels', async () => {
  const { final } = await benchDocument(MEMORY, '--num=10', '--num_levels=6', '--benchmarks=fillseq');
  expect(final.levels).toHaveLength(6);
});

test('S143 --histogram and --statistics print percentiles and tickers, --stats_interval reports on the way', async () => {
  const { out, err } = await runDbBench(
    MEMORY,
    '--num=2000',
    '--benchmarks=fillseq',
    '--histogram=1',
    '--statistics=1',
    '--stats_interval=1000',
    '--stats_per_interval=1',
  );
  expect(out).toContain('Microseconds per write:\nCount: 2000 Average: ');
  expect(out).toMatch(/^Percentiles: P50: [\d.]+ P75: [\d.]+ P99: [\d.]+ P99\.9: [\d.]+ P99\.99: [\d.]+$/m);
  expect(out).toMatch(/^\(\s+\d+,\s+\d+ \]\s+\d+\s+[\d.]+%\s+100\.000% #*$/m);
  expect(out).toContain('STATISTICS:\n');
  expect(out).toContain('rocksdb.number.keys.written COUNT : 2000\n');
  expect(err).toMatch(
    /\.\.\. thread 0: \(1000,2000\) ops and \([\d.]+,[\d.]+\) ops\/second in \([\d.]+,[\d.]+\) seconds/,
  );
  expect(err).toContain('** Compaction Stats [default] **');
});

test('S144 thirty-two loops read at once, and the header says what they are', async () => {
  const { out } = await runDbBench(
    MEMORY,
    '--num=500',
    '--reads=50',
    '--threads=32',
    '--block_size=4096',
    '--compression_type=none',
    '--verify_checksum=1',
    '--benchmarks=fillbatch,readrandom',
  );
  expect(out).toContain('32 loops with one operation in flight each, on one event loop; not operating-system threads');
  expect(out).toMatch(/^readrandom .* 1600 operations;/m);
});

test('S145 --verify_checksum=1 finds a flipped bit', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  const shared = [`--db=${path}`, '--num=2000', '--compression_type=none'];
  expect((await runDbBench(...shared, '--benchmarks=fillseq,compact')).code).toBe(0);
  const table = join(path, readdirSync(path).find((name) => name.endsWith('.sst'))!);
  const bytes = readFileSync(table);
  // In the middle of a value of the first block: entries are 16 bytes of key, 100 of value and a few of lengths.
  bytes[90] = bytes[90]! ^ 1;
  writeFileSync(table, bytes);
  const read = [...shared, '--use_existing_db=1', '--reads=4000', '--benchmarks=readrandom'];
  const checked = await runDbBench(...read, '--verify_checksum=1');
  expect(checked.code).toBe(1);
  expect(checked.err).toMatch(/checksum/i);
});

test('S149 the end tells the bytes on disk and the amplification', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  const { out } = await runDbBench(`--db=${path}`, '--num=1000', '--benchmarks=fillseq,compact');
  const bytes = Number(/^Final disk bytes: (\d+); space amplification: 1\.00; write/m.exec(out)![1]);
  expect(bytes).toBeGreaterThan(50_000);
  expect(out).toContain(`${Math.ceil(bytes / 1024)}\t${path}\n`);
});

test('S149 the bytes on disk count logs that lie apart', async () => {
  using directory = temporaryDirectory();
  const [path, logs] = [join(directory.path, 'db'), join(directory.path, 'logs')];
  const { out } = await runDbBench(`--db=${path}`, `--wal_dir=${logs}`, '--num=1000', '--benchmarks=fillseq');
  const bytes = Number(/^Final disk bytes: (\d+);/m.exec(out)![1]);
  // Nothing was flushed: all there is of a thousand entries of 16 + 100 bytes is in the log.
  expect(bytes).toBeGreaterThan(116_000);
});

test('every benchmark of the help runs once', async () => {
  const { out: help } = await runDbBench('--help');
  const listed = [...help.matchAll(/^ {6}(\w+) {2,}\S/gm)].map(([, name]) => name!);
  const others = /^ {6}and (.+)$/m.exec(help)![1]!.split(', ');
  const names = [...listed, ...others];
  expect(names).toEqual([...WORKLOADS.keys(), ...META_COMMANDS.keys()]);
  for (const name of names) {
    const benchmarks = `--benchmarks=fillseq,${name}`;
    const { code, out, err } = await runDbBench(MEMORY, '--num=200', '--merge_operator=stringappend', benchmarks);
    expect({ code, err }, name).toEqual({ code: 0, err: '' });
    if (listed.includes(name)) expect(out, name).toMatch(new RegExp(`^${name} *:.* micros/op `, 'm'));
  }
});

test('workloads that want an empty database are skipped over an existing one', async () => {
  using directory = temporaryDirectory();
  const db = `--db=${join(directory.path, 'db')}`;
  await runDbBench(db, '--num=100', '--benchmarks=fillseq');
  const { out, code } = await runDbBench(db, '--num=100', '--use_existing_db=1', '--benchmarks=fillseq,readrandom');
  expect(code).toBe(0);
  expect(out).toContain('fillseq      : skipped (--use_existing_db is true)\n');
  expect(out).toContain('(100 of 100 found)');
});

test('--report_file holds the operations of every interval', async () => {
  using directory = temporaryDirectory();
  const report = join(directory.path, 'report.csv');
  await runDbBench(
    MEMORY,
    '--num=1000',
    '--duration=2',
    '--report_interval_seconds=1',
    `--report_file=${report}`,
    '--benchmarks=readrandom',
  );
  const lines = readFileSync(report, 'utf8').trim().split('\n');
  expect(lines[0]).toBe('secs_elapsed,interval_qps');
  expect(lines[1]).toMatch(/^1,[1-9]\d*$/);
});

test('values shrink to the part that --compression_ratio says', async () => {
  const size = async (ratio: number): Promise<number> => {
    const run = await runDbBench('--benchmarks=compress', MEMORY, `--compression_ratio=${ratio}`, '--num=10');
    return Number(/output: ([\d.]+)%/.exec(run.out)![1]);
  };
  expect(await size(0.5)).toBeGreaterThan(45);
  expect(await size(0.5)).toBeLessThan(65);
  expect(await size(50)).toBe(100);
});

test('S43 64 loops of synced writes share syncs, and the report says how many a write', async () => {
  using directory = temporaryDirectory();
  const shared = [`--db=${directory.path}/db`, '--num=20000', '--benchmarks=fillsync'];
  const { results } = await benchDocument(...shared, '--threads=64');
  expect(results[0]!.operations).toBe(64 * 20);
  expect(results[0]!.syncsPerOp!).toBeGreaterThan(0);
  expect(results[0]!.syncsPerOp!).toBeLessThan(0.2);
  const { out } = await runDbBench(...shared, '--statistics', '--threads=1');
  expect(out).toMatch(/^fillsync {5}: 1\.0000 syncs\/op$/m);
});

test('S63 a read-only database looks into no more blocks than a writable one', async () => {
  using directory = temporaryDirectory();
  const shared = [`--db=${directory.path}/db`, '--num=5000', '--bloom_bits=10'];
  await benchDocument(...shared, '--benchmarks=fillrandom,compact');
  const blocks = async (...more: string[]): Promise<{ blocksPerOp: number; message: string }> => {
    const { results } = await benchDocument(...shared, '--use_existing_db=1', '--benchmarks=readrandom', ...more);
    return { blocksPerOp: results[0]!.blocksPerOp!, message: results[0]!.message };
  };
  const [writable, readOnly] = [await blocks(), await blocks('--readonly=1')];
  expect(readOnly.blocksPerOp).toBeGreaterThan(0.5);
  expect(readOnly.blocksPerOp).toBeLessThanOrEqual(writable.blocksPerOp);
  expect(readOnly.message).toBe(writable.message);
});

test('S117 mergerandom looks into no block, updaterandom into one for each operation', async () => {
  const { results } = await benchDocument(
    MEMORY,
    '--num=10000',
    '--value_size=8',
    '--merge_operator=uint64add',
    '--benchmarks=fillseq,compact,mergerandom,fillseq,compact,updaterandom',
  );
  const work = Object.fromEntries(results.map(({ name, blocksPerOp }) => [name, blocksPerOp]));
  expect(work.mergerandom).toBe(0);
  // Keys that were updated before are found in the memtable: of n draws out of n keys, 1/e is new at the end.
  expect(work.updaterandom).toBeGreaterThan(0.5);
});

test.each(['flash', 'hdd', 'memory'])('S5 the five published workloads run under --preset=%s', async (preset) => {
  using directory = temporaryDirectory();
  const { results } = await benchDocument(
    `--db=${directory.path}/db`,
    '--num=2000',
    `--preset=${preset}`,
    ...(preset === 'memory' ? [MEMORY] : []),
    '--benchmarks=fillrandom,compact,fillseq,overwrite,readrandom',
  );
  expect(results.map(({ name, operations }) => [name, operations])).toEqual([
    ['fillrandom', 2000],
    ['compact', 1],
    ['fillseq', 2000],
    ['overwrite', 2000],
    ['readrandom', 2000],
  ]);
  expect(results[4]!.message).toBe('(2000 of 2000 found)');
});
