/** What a workload works with: the database, the numbers that the flags set, and the loops that run it. */

import { SeededRandom } from '../../src/env/random.ts';
import type { DB, ReadOptions, WriteOptions } from '../../src/index.ts';
import { setKey } from './bench-keys.ts';
import { BenchStats, type OperationKind } from './bench-stats.ts';
import type { BenchFlags } from './flags.ts';
import { RandomValues } from './random-values.ts';

/** Numbers of one workload, from the flags and what the workload changes of them. */
export interface RunSettings {
  /** Entries of the database: keys lie below it. */
  entries: number;
  reads: number;
  writes: number;
  threads: number;
  keySize: number;
  valueSize: number;
  batchSize: number;
  sync: boolean;
  disableWal: boolean;
}

/** Operations that a loop of blocking calls makes before it lets timers and background work have their turn. */
const YIELD_EVERY = 512;
/** With `--duration`, the clock is read once in so many operations. */
const CLOCK_EVERY = 64;

/** One run of one workload. */
export class BenchRun {
  readonly flags: BenchFlags;
  readonly settings: RunSettings;
  readonly db: DB;
  readonly readOptions: ReadOptions;
  readonly writeOptions: WriteOptions;
  /** Loops wait for each other by promises: there is more than one, or `--async` was given. */
  readonly concurrent: boolean;
  /** Set by the loop that ends all others. */
  stopped = false;
  /** Loops that read while the last one writes. */
  readersLeft: number;
  /** Called with every operation that ends. */
  readonly onFinished: (count: number, thread: BenchThread) => void;

  constructor(
    flags: BenchFlags,
    settings: RunSettings,
    db: DB,
    onFinished: (count: number, thread: BenchThread) => void,
  ) {
    this.flags = flags;
    this.settings = settings;
    this.db = db;
    this.onFinished = onFinished;
    this.concurrent = settings.threads > 1 || flags.boolean('async');
    this.readersLeft = settings.threads - 1;
    this.readOptions = { verifyChecksums: flags.boolean('verify_checksum') };
    this.writeOptions = { sync: settings.sync, disableWAL: settings.disableWal };
  }
}

/** One loop. Its random numbers depend on the seed and its index only. */
export class BenchThread {
  readonly run: BenchRun;
  readonly index: number;
  readonly random: SeededRandom;
  readonly values: RandomValues;
  readonly stats: BenchStats;
  /** The key of the current operation, filled by `keyOf`. Reused: writes take their bytes when they are called. */
  readonly #key: Uint8Array;
  #sinceTurn = 0;

  constructor(run: BenchRun, index: number, seed: number) {
    const { flags, settings } = run;
    this.run = run;
    this.index = index;
    this.random = new SeededRandom(seed + index);
    this.values = new RandomValues(
      {
        distribution: flags.text('value_size_distribution_type') as 'fixed' | 'uniform' | 'normal',
        size: settings.valueSize,
        min: flags.number('value_size_min'),
        max: flags.number('value_size_max'),
      },
      flags.number('compression_ratio'),
      new SeededRandom(seed + index),
    );
    this.stats = new BenchStats(flags.boolean('histogram'));
    this.#key = new Uint8Array(settings.keySize);
  }

  /** The key of a number: a buffer that the next call changes. */
  keyOf(number: number): Uint8Array {
    setKey(this.#key, number);
    return this.#key;
  }

  /** A number below `limit`, uniform. */
  below(limit: number): number {
    return Math.floor(this.random.nextFloat() * limit);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    const { db, concurrent, readOptions } = this.run;
    return concurrent ? db.get(key, readOptions) : db.getSync(key, readOptions);
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> | void {
    const { db, concurrent, writeOptions } = this.run;
    return concurrent ? db.put(key, value, writeOptions) : db.putSync(key, value, writeOptions);
  }

  merge(key: Uint8Array, operand: Uint8Array): Promise<void> | void {
    const { db, concurrent, writeOptions } = this.run;
    return concurrent ? db.merge(key, operand, writeOptions) : db.mergeSync(key, operand, writeOptions);
  }

  /** Repeats `step` as often as asked, or for `--duration` seconds; each makes `perStep` operations. */
  async repeat(
    count: number,
    kind: OperationKind | ((at: number) => OperationKind),
    step: (at: number) => Promise<void> | void,
    perStep = 1,
  ): Promise<void> {
    const durationMs = this.run.flags.number('duration') * 1000;
    for (let at = 0; this.#goesOn(at, count, durationMs); at += perStep) {
      const pending = step(at);
      if (pending !== undefined) await pending;
      const turn = this.finished(perStep, typeof kind === 'string' ? kind : kind(at));
      if (turn !== undefined) await turn;
    }
  }

  /** Counts operations, and gives timers their turn now and then. */
  finished(count: number, kind: OperationKind): Promise<void> | undefined {
    this.stats.finished(count, kind);
    this.run.onFinished(count, this);
    if (++this.#sinceTurn < YIELD_EVERY) return undefined;
    this.#sinceTurn = 0;
    return this.#yield();
  }

  async #yield(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.stats.skipTime();
  }

  #goesOn(at: number, count: number, durationMs: number): boolean {
    if (this.run.stopped) return false;
    if (durationMs === 0) return at < count;
    return at % CLOCK_EVERY !== 0 || this.stats.elapsedMs < durationMs;
  }
}
