/**
 * How long a tool has been at work, for somebody who sits at the terminal: one line on stderr after the first second,
 * written over each second and taken away at the end. It stays away where the tool itself shows that it moves: once it has
 * written to stderr, or to a stdout that is the same terminal.
 */
import type { Output } from './output.ts';

const PERIOD_MS = 1000;
const MEBIBYTE = 1024 * 1024;

/** What of a tool's streams the line looks at: see `ToolStreams`. */
export interface WatchedStreams {
  readonly out: Output;
  readonly err: Output;
  readonly interactive: boolean;
  readonly outIsTerminal?: boolean;
}

/** See the head of this file. In scripts, where stderr is no terminal, nothing is written. */
export class ElapsedLine {
  readonly #streams: WatchedStreams;
  #timer: NodeJS.Timeout | undefined;
  #seconds = 0;
  /** Bytes of stderr that are this line's. */
  #own = 0;

  constructor(streams: WatchedStreams) {
    this.#streams = streams;
  }

  /** Begins to count. */
  start(): void {
    if (!this.#streams.interactive) return;
    this.#timer = setInterval(() => this.#tick(), PERIOD_MS);
    this.#timer.unref();
  }

  /** Takes the line away. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#own > 0 && this.#isAlone()) this.#write('\r\x1b[K');
  }

  #tick(): void {
    this.#seconds++;
    if (!this.#isAlone()) return;
    const { bytes } = this.#streams.out;
    const printed = bytes === 0 ? '' : `, ${(bytes / MEBIBYTE).toFixed(1)} MiB printed`;
    this.#write(`\r${this.#seconds} s${printed}`);
  }

  #isAlone(): boolean {
    const { out, err, outIsTerminal } = this.#streams;
    return err.bytes === this.#own && !(outIsTerminal === true && out.bytes > 0);
  }

  #write(text: string): void {
    const { err } = this.#streams;
    err.write(text);
    err.end();
    this.#own = err.bytes;
  }
}
