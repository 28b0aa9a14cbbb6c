/** `--count_delim`: how many keys there are, and how large, for each beginning up to a delimiter. */
import { utf8 } from '../../format/base/bytes.ts';
import type { CommandContext } from './command-context.ts';

/** Counts neighbours with the same beginning, and prints a line when another one begins. */
export class CountByPrefix {
  readonly #context: CommandContext;
  readonly #delimiter: number;
  #prefix: Uint8Array | undefined;
  #count = 0;
  #size = 0;

  /** The first byte of `delimiter` counts; it may be empty: then whole keys are compared. */
  constructor(context: CommandContext, delimiter: string) {
    this.#context = context;
    this.#delimiter = utf8(delimiter)[0] ?? -1;
  }

  /** Keys must come in order. The key is copied if it is kept. */
  add(key: Uint8Array, valueSize: number): void {
    const end = key.indexOf(this.#delimiter);
    const prefix = end < 0 ? key : key.subarray(0, end);
    if (this.#prefix === undefined || Buffer.compare(this.#prefix, prefix) !== 0) {
      if (this.#prefix !== undefined) this.#print();
      this.#prefix = prefix.slice();
      this.#count = 0;
      this.#size = 0;
    }
    this.#count++;
    this.#size += key.length + valueSize;
  }

  /** Prints the last line; one of nothing when there were no keys. */
  finish(): void {
    this.#print();
  }

  #print(): void {
    const { json, out } = this.#context;
    const prefix = this.#prefix ?? new Uint8Array();
    const [count, size] = [this.#count, this.#size];
    if (json) out.line(JSON.stringify({ prefix: this.#context.jsonKey(prefix), count, size }));
    else out.line(prefix, ` => count:${count}\tsize:${size}`);
  }
}
