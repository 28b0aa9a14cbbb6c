/** `--bucket`: how many rows of a database with a time to live were written in each stretch of time. */
import type { CommandContext } from './command-context.ts';
import type { TimeWindow } from './time-window.ts';
import { timeOf, timeText } from './ttl-value.ts';

/** Counts over a window, cut into stretches of equal length; the last one may be shorter. */
export class BucketCounts {
  readonly #window: TimeWindow;
  readonly #seconds: number;
  readonly #counts = new Map<number, number>();

  /** `seconds` is shorter than the window. */
  constructor(window: TimeWindow, seconds: number) {
    this.#window = window;
    this.#seconds = seconds;
  }

  add(stored: Uint8Array): void {
    const bucket = Math.floor((timeOf(stored) - this.#window.start) / this.#seconds);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
  }

  /** One line a stretch, also for those without any row. */
  async print({ json, out }: CommandContext): Promise<void> {
    const { start, end } = this.#window;
    const count = Math.ceil((end - start) / this.#seconds);
    for (let bucket = 0; bucket < count; bucket++) {
      const from = start + bucket * this.#seconds;
      const to = bucket === count - 1 ? end : from + this.#seconds;
      const keys = this.#counts.get(bucket) ?? 0;
      out.line(
        json ? JSON.stringify({ from, to, keys }) : `Keys in range ${timeText(from)} to ${timeText(to)} : ${keys}`,
      );
      if (out.full) await out.flush();
    }
  }
}
