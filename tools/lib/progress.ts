/** How far a long piece of work has come, for somebody who watches: one line on stderr, written over. */
import type { ToolStreams } from './tool-process.ts';

/** Steps between two updates: often enough to see it move, too seldom to cost anything. */
const STEP = 10_000;

/** Counts, and shows the count on a terminal only; in scripts stderr stays empty. */
export class Progress {
  readonly #streams: ToolStreams;
  readonly #what: string;
  #count = 0;
  #shown = false;

  /** `what` follows the number: `rows loaded`. */
  constructor(streams: ToolStreams, what: string) {
    this.#streams = streams;
    this.#what = what;
  }

  /** One step more. */
  async step(): Promise<void> {
    if (++this.#count % STEP !== 0 || !this.#streams.interactive) return;
    this.#shown = true;
    this.#streams.err.write(`\r${this.#count} ${this.#what}`);
    await this.#streams.err.flush();
  }

  /** Leaves the last count standing. */
  finish(): void {
    if (this.#shown) this.#streams.err.line(`\r${this.#count} ${this.#what}`);
  }
}
