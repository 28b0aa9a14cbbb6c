/**
 * db_bench: runs the workloads that `--benchmarks` names, one after the other, and reports each in RocksDB's words.
 * Names, flags and report lines are those of RocksDB's tool; `bench/README.md` says where they differ.
 */
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { DB, type Options, Statistics } from '../../src/index.ts';
import { BenchOutput, type BenchStreams, type WorkloadResult } from './bench-output.ts';
import { BenchRun, BenchThread, type RunSettings } from './bench-run.ts';
import type { BenchStats } from './bench-stats.ts';
import { finalState, finalStateText } from './final-state.ts';
import { type FlagName, flagHelp } from './flag-table.ts';
import { BenchFlags, FlagError } from './flags.ts';
import { describeMachine, headerText } from './header.ts';
import { PERCENTILES } from './histogram-text.ts';
import { CsvReport, IntervalReports } from './interval-reports.ts';
import { META_COMMANDS } from './meta-commands.ts';
import { openOptions } from './open-options.ts';
import type { Workload } from './workload.ts';
import { WORKLOADS } from './workload-list.ts';

/** Threads' seeds lie this far apart, run by run. */
const SEED_STEP = 1_000_003;

/** Settings before a workload changes them. */
function generalSettings(flags: BenchFlags): RunSettings {
  const orEntries = (name: FlagName): number => (flags.number(name) < 0 ? flags.number('num') : flags.number(name));
  return {
    entries: flags.number('num'),
    reads: orEntries('reads'),
    writes: orEntries('writes'),
    threads: flags.number('threads'),
    keySize: flags.number('key_size'),
    valueSize: flags.number('value_size'),
    batchSize: flags.number('batch_size'),
    sync: flags.boolean('sync'),
    disableWal: flags.boolean('disable_wal'),
  };
}

function checkSettings(flags: BenchFlags): void {
  for (const name of ['num', 'threads', 'key_size', 'batch_size'] as const) {
    if (flags.number(name) < 1) throw new FlagError(`ERROR: --${name} must be at least 1`);
  }
  if (flags.number('value_size') < 0) throw new FlagError('ERROR: --value_size must not be negative');
  if (!['fixed', 'uniform', 'normal'].includes(flags.text('value_size_distribution_type'))) {
    throw new FlagError('ERROR: --value_size_distribution_type must be fixed, uniform or normal');
  }
}

function resultOf(name: string, threads: number, stats: BenchStats): WorkloadResult {
  const percentiles = Object.fromEntries(
    [...stats.histograms].map(([kind, histogram]) => [
      kind,
      Object.fromEntries(PERCENTILES.map((p) => [`p${p}`, histogram.percentile(p)])),
    ]),
  );
  return {
    name,
    threads,
    ...stats.figures(),
    message: stats.message.trim(),
    ...(stats.histograms.size === 0 ? {} : { percentiles }),
  };
}

/** One run of the tool. */
class Session {
  readonly #flags: BenchFlags;
  readonly #output: BenchOutput;
  readonly #seed: number;
  readonly #path: string;
  readonly #statistics: Statistics | undefined;
  readonly #options: Options;
  #db: DB | undefined;
  #runs = 0;
  /** Operations of workloads that are over, for the CSV file. */
  #operationsBefore = 0;
  #reports: IntervalReports | undefined;

  constructor(flags: BenchFlags, output: BenchOutput) {
    this.#flags = flags;
    this.#output = output;
    this.#seed = flags.number('seed') || Date.now();
    this.#path = flags.text('db') || join(tmpdir(), `pumicetest-${userInfo().uid}`, 'dbbench');
    this.#statistics = flags.boolean('statistics') ? new Statistics() : undefined;
    this.#options = openOptions(flags, this.#statistics);
  }

  async run(): Promise<void> {
    const print = (text: string): void => this.#output.print(text);
    if (this.#flags.number('seed') === 0) print(`Set seed to ${this.#seed} because --seed was 0\n`);
    print(headerText(this.#flags));
    if (this.#flags.boolean('print_options')) print(`${optionsText(this.#options)}\n`);
    const keep = this.#flags.boolean('use_existing_db') || this.#flags.boolean('readonly');
    if (!keep) await DB.destroy(this.#path, this.#destroyOptions());
    using _csv = new CsvReport(
      this.#flags.text('report_file'),
      this.#flags.number('report_interval_seconds'),
      () => this.#operationsBefore + (this.#reports?.total ?? 0),
    );
    try {
      for (const name of this.#flags.text('benchmarks').split(',')) if (name !== '') await this.#one(name);
      await this.#finish();
    } finally {
      await this.#db?.close();
    }
  }

  async #one(name: string): Promise<void> {
    const meta = META_COMMANDS.get(name);
    if (meta !== undefined) {
      await meta(await this.#open(), this.#output);
      return;
    }
    const workload = WORKLOADS.get(name);
    if (workload === undefined) throw new FlagError(`unknown benchmark '${name}'`);
    if (workload.merges === true && this.#flags.text('merge_operator') === '') {
      throw new FlagError(`${name.padEnd(12)} : skipped (--merge_operator is unknown)`);
    }
    if (workload.fresh === true && this.#flags.boolean('use_existing_db')) {
      this.#output.print(`${name.padEnd(12)} : skipped (--use_existing_db is true)\n`);
      return;
    }
    await this.#measure(workload);
  }

  async #measure(workload: Workload): Promise<void> {
    if (workload.fresh === true) await this.#reset();
    const db = await this.#open();
    if (workload.standalone !== true) this.#output.print(`DB path: [${this.#path}]\n`);
    const general = generalSettings(this.#flags);
    const settings = { ...general, ...workload.adjust?.(general) };
    const reports = new IntervalReports(this.#output, this.#flags, () => run);
    this.#reports = reports;
    const run = new BenchRun(this.#flags, settings, db, (count, thread) => reports.finished(count, thread));
    const [blocksBefore, syncsBefore] = [this.#blocks(), this.#syncs()];
    const stats = await runThreads(run, workload, this.#seed + SEED_STEP * this.#runs++);
    const blocks = this.#blocks() - blocksBefore;
    const syncs = this.#syncs() - syncsBefore;
    this.#operationsBefore += reports.total;
    this.#reports = undefined;
    this.#output.print(stats.report(workload.name));
    const result = resultOf(workload.name, settings.threads, stats);
    const blocksPerOp = blocks / result.operations;
    if (this.#statistics !== undefined && blocks > 0) {
      this.#output.print(`${workload.name.padEnd(12)} : ${blocksPerOp.toFixed(4)} data blocks/op\n`);
    }
    const syncsPerOp = syncs / result.operations;
    if (syncs > 0) this.#output.print(`${workload.name.padEnd(12)} : ${syncsPerOp.toFixed(4)} syncs/op\n`);
    this.#output.results.push({ ...result, ...(this.#statistics === undefined ? {} : { blocksPerOp, syncsPerOp }) });
  }

  /** Syncs of the log so far. */
  #syncs(): number {
    return this.#statistics?.getTickerCount('rocksdb.wal.synced') ?? 0;
  }

  /** Data blocks looked into so far. */
  #blocks(): number {
    const count = (name: string): number => this.#statistics?.getTickerCount(`rocksdb.block.cache.${name}`) ?? 0;
    return count('hit') + count('miss');
  }

  async #open(): Promise<DB> {
    this.#db ??= await DB.open(this.#path, this.#options);
    return this.#db;
  }

  async #reset(): Promise<void> {
    if (this.#db === undefined) return;
    await this.#db.close();
    this.#db = undefined;
    await DB.destroy(this.#path, this.#destroyOptions());
  }

  #destroyOptions(): Options {
    const { env, walDir } = this.#options;
    return { ...(env === undefined ? {} : { env }), ...(walDir === undefined ? {} : { walDir }) };
  }

  async #finish(): Promise<void> {
    if (this.#db === undefined) return;
    const state = await finalState(this.#db, this.#options.walDir);
    this.#output.print(finalStateText(state));
    if (this.#statistics !== undefined) this.#output.print(`STATISTICS:\n${this.#statistics.toString()}`);
    const tickers = this.#statistics?.toString();
    this.#output.finish(() => ({
      machine: describeMachine(),
      seed: this.#seed,
      flags: Object.fromEntries(this.#flags.given.map((name) => [name, this.#flags.value(name)])),
      final: state,
      ...(tickers === undefined ? {} : { statistics: tickers }),
    }));
  }
}

async function runThreads(run: BenchRun, workload: Workload, seed: number): Promise<BenchStats> {
  const threads = Array.from({ length: run.settings.threads }, (_, index) => new BenchThread(run, index, seed));
  await Promise.all(
    threads.map(async (thread) => {
      try {
        await workload.run(thread);
      } catch (error) {
        run.stopped = true;
        throw error;
      }
      thread.stats.stop();
    }),
  );
  const [first, ...others] = threads.map(({ stats }) => stats);
  for (const other of others) first!.merge(other);
  return first!;
}

/** The plain options as JSON; components by their names. */
function optionsText(options: Options): string {
  return JSON.stringify(
    options,
    (_, value: unknown) => (typeof value === 'object' && value !== null && 'name' in value ? value.name : value),
    2,
  );
}

function helpText(): string {
  const workloads = [...WORKLOADS.values()].map(({ name, help }) => `      ${name.padEnd(24)} ${help}\n`).join('');
  return (
    'db_bench: measures the database with well-known workloads\n\nUSAGE:\ndb_bench [OPTIONS]...\n\n' +
    `  Workloads:\n${workloads}      and ${[...META_COMMANDS.keys()].join(', ')}\n\n  Flags:\n${flagHelp()}`
  );
}

/** Runs the tool; returns its exit code. */
export async function dbBench(args: readonly string[], streams: BenchStreams): Promise<number> {
  if (args.some((argument) => /^--?help$/.test(argument))) {
    streams.out.write(helpText());
    return 1;
  }
  try {
    const flags = new BenchFlags(args);
    checkSettings(flags);
    await new Session(flags, new BenchOutput(streams, flags.boolean('json'))).run();
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    streams.err.write(error instanceof FlagError ? `${error.message}\n` : `db_bench: ${error.message}\n`);
    return 1;
  }
}
