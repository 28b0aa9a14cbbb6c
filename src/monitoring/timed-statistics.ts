/** Statistics together with the clock that times what they record. */
import type { HistogramName, Statistics } from './statistics.ts';

/** What is needed of a clock. */
export interface MicrosecondClock {
  /** Microseconds from some point on, never fewer than before. */
  monotonicMicros(): number;
}

/** See the head of this file. Made only for databases with `statistics`. */
export class TimedStatistics {
  readonly statistics: Statistics;
  readonly #clock: MicrosecondClock;

  constructor(statistics: Statistics, clock: MicrosecondClock) {
    this.statistics = statistics;
    this.#clock = clock;
  }

  /** Monotonic microseconds, for `recordSince`. */
  now(): number {
    return this.#clock.monotonicMicros();
  }

  /** Records the time since `startMicros`. */
  recordSince(name: HistogramName, startMicros: number): void {
    this.statistics.record(name, this.#clock.monotonicMicros() - startMicros);
  }
}
