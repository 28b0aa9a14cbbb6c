/** Reports while a workload runs: every so many operations or seconds, at a terminal, and into a CSV file. */
import { appendFileSync, writeFileSync } from 'node:fs';
import type { BenchOutput } from './bench-output.ts';
import type { BenchRun, BenchThread } from './bench-run.ts';

/** Steps after which a terminal sees the count; it grows with the count as RocksDB's does. */
function nextReport(count: number): number {
  if (count < 1000) return count + 100;
  if (count < 5000) return count + 500;
  if (count < 10_000) return count + 1000;
  if (count < 50_000) return count + 5000;
  if (count < 100_000) return count + 10_000;
  if (count < 500_000) return count + 50_000;
  return count + 100_000;
}

interface Progress {
  operations: number;
  next: number;
  atMs: number;
}

/** Watches one run. */
export class IntervalReports {
  readonly #output: BenchOutput;
  readonly #run: () => BenchRun;
  readonly #everyOps: number;
  readonly #everyMs: number;
  readonly #withStats: boolean;
  readonly #progress: boolean;
  readonly #loops = new Map<BenchThread, Progress>();
  #total = 0;

  /** `run` is asked when there is something to print. */
  constructor(output: BenchOutput, flags: BenchRun['flags'], run: () => BenchRun) {
    this.#output = output;
    this.#run = run;
    this.#everyOps = flags.number('stats_interval');
    this.#everyMs = flags.number('stats_interval_seconds') * 1000;
    this.#withStats = flags.number('stats_per_interval') > 0;
    this.#progress = flags.boolean('progress_reports') && output.interactive;
  }

  /** All operations that ended. */
  get total(): number {
    return this.#total;
  }

  /** Counts; prints when it is time. */
  finished(count: number, thread: BenchThread): void {
    this.#total += count;
    if (this.#everyOps === 0 && this.#everyMs === 0 && !this.#progress) return;
    let loop = this.#loops.get(thread);
    if (loop === undefined) {
      loop = { operations: 0, next: this.#everyOps || 100, atMs: 0 };
      this.#loops.set(thread, loop);
    }
    const { operations } = thread.stats;
    if (operations < loop.next) return;
    if (this.#everyOps === 0 && this.#everyMs === 0) {
      loop.next = nextReport(loop.next);
      this.#output.complain(`... finished ${operations} ops${' '.repeat(30)}\r`);
      return;
    }
    // With seconds, the clock is looked at with every thousandth operation.
    loop.next = operations + (this.#everyMs > 0 ? 1000 : this.#everyOps);
    const nowMs = thread.stats.elapsedMs;
    if (this.#everyMs > 0 && nowMs - loop.atMs < this.#everyMs) return;
    this.#report(thread, loop, nowMs);
  }

  #report(thread: BenchThread, loop: Progress, nowMs: number): void {
    const { operations } = thread.stats;
    const [interval, intervalSeconds] = [operations - loop.operations, (nowMs - loop.atMs) / 1000];
    const rates = [interval / intervalSeconds, operations / (nowMs / 1000)].map((rate) => rate.toFixed(1));
    const stamp = new Date().toISOString().slice(0, 19).replaceAll('-', '/').replace('T', '-');
    this.#output.complain(
      `${stamp}  ... thread ${thread.index}: (${interval},${operations}) ops and (${rates.join(',')}) ops/second in ` +
        `(${intervalSeconds.toFixed(6)},${(nowMs / 1000).toFixed(6)}) seconds\n`,
    );
    if (this.#withStats && thread.index === 0)
      this.#output.complain(`${this.#run().db.getProperty('rocksdb.stats') ?? ''}\n`);
    loop.operations = operations;
    loop.atMs = nowMs;
    thread.stats.skipTime();
  }
}

/** Writes the operations of every interval to a CSV file. */
export class CsvReport implements Disposable {
  readonly #timer: NodeJS.Timeout | undefined;

  /** An interval of 0 writes nothing. REQUIRES that `total` never falls. */
  constructor(path: string, intervalSeconds: number, total: () => number) {
    if (intervalSeconds <= 0) return;
    writeFileSync(path, 'secs_elapsed,interval_qps\n');
    let seconds = 0;
    let before = 0;
    this.#timer = setInterval(() => {
      seconds += intervalSeconds;
      const now = total();
      appendFileSync(path, `${seconds},${Math.round((now - before) / intervalSeconds)}\n`);
      before = now;
    }, intervalSeconds * 1000);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
