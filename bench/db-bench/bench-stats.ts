/** What one loop of a workload did, and how it is printed: RocksDB's report lines. */
import { Histogram } from '../../src/monitoring/histogram.ts';
import { histogramText } from './histogram-text.ts';

/** What operations are counted as in histograms. */
export type OperationKind =
  | 'read'
  | 'write'
  | 'delete'
  | 'seek'
  | 'merge'
  | 'update'
  | 'compress'
  | 'uncompress'
  | 'crc'
  | 'op';

const MICROS_PER_MS = 1000;
const MIB = 1048576;

/** Counters of one loop, or of several merged. */
export class BenchStats {
  readonly histograms = new Map<OperationKind, Histogram>();
  operations = 0;
  bytes = 0;
  message = '';
  /** Sum of the loops' running times. */
  micros = 0;
  /** A loop that only disturbs the others is left out of the sums. */
  excluded = false;
  readonly #timed: boolean;
  #startMs: number;
  #endMs: number;
  #lastMs: number;

  /** `timed`: keep a histogram of the times between finished operations. */
  constructor(timed: boolean) {
    this.#timed = timed;
    this.#startMs = this.#endMs = this.#lastMs = performance.now();
  }

  /** Milliseconds since the start. */
  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Counts operations that ended now; a batch counts as one time. */
  finished(count: number, kind: OperationKind): void {
    this.operations += count;
    if (!this.#timed) return;
    const now = performance.now();
    let histogram = this.histograms.get(kind);
    if (histogram === undefined) {
      histogram = new Histogram();
      this.histograms.set(kind, histogram);
    }
    histogram.add((now - this.#lastMs) * MICROS_PER_MS);
    this.#lastMs = now;
  }

  /** Leaves time that just passed out of the next operation's. */
  skipTime(): void {
    if (this.#timed) this.#lastMs = performance.now();
  }

  /** Ends the measurement. */
  stop(): void {
    this.#endMs = performance.now();
    this.micros = (this.#endMs - this.#startMs) * MICROS_PER_MS;
  }

  /** Adds what another loop did. */
  merge(other: BenchStats): void {
    if (other.excluded) return;
    this.operations += other.operations;
    this.bytes += other.bytes;
    this.micros += other.micros;
    this.#startMs = Math.min(this.#startMs, other.#startMs);
    this.#endMs = Math.max(this.#endMs, other.#endMs);
    if (this.message === '') this.message = other.message;
    for (const [kind, histogram] of other.histograms) {
      const own = this.histograms.get(kind);
      if (own === undefined) this.histograms.set(kind, histogram);
      else own.merge(histogram);
    }
  }

  /** The figures of the report line. */
  figures(): { microsPerOp: number; opsPerSecond: number; seconds: number; operations: number; mbPerSecond: number } {
    const seconds = Math.max((this.#endMs - this.#startMs) / 1000, 1e-9);
    const operations = Math.max(this.operations, 1);
    return {
      microsPerOp: this.micros / operations,
      opsPerSecond: operations / seconds,
      seconds,
      operations,
      mbPerSecond: this.bytes / MIB / seconds,
    };
  }

  /** The report line, and the histograms when they were kept. */
  report(name: string): string {
    const { microsPerOp, opsPerSecond, seconds, operations, mbPerSecond } = this.figures();
    const rate = this.bytes > 0 ? `${mbPerSecond.toFixed(1).padStart(6)} MB/s` : '';
    const extra = [rate, this.message].filter((part) => part !== '').join(' ');
    const line =
      `${name.padEnd(12)} : ${microsPerOp.toFixed(3).padStart(11)} micros/op ${Math.floor(opsPerSecond)} ops/sec ` +
      `${seconds.toFixed(3)} seconds ${operations} operations;${extra === '' ? '' : ` ${extra}`}\n`;
    let histograms = '';
    for (const [kind, histogram] of this.histograms) {
      histograms += `Microseconds per ${kind}:\n${histogramText(histogram)}\n`;
    }
    return line + histograms;
  }
}
