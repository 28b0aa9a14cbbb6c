/** `entries`, `keys` and `values`: iteration protocols over a cursor, which fetch many rows at once. */
import type { IteratorShape } from '../read/iterator-shape.ts';

type Entry = [Uint8Array, Uint8Array];

/** Rows of one fetch; each costs a promise or two in the async form. */
const BATCH = 128;

/** Entries as an async iteration; closes the cursor at its end, on `return` and on an error. `limit` entries at most. */
export class AsyncEntries<T> implements AsyncIterableIterator<T> {
  readonly #iterator: IteratorShape;
  readonly #select: (entry: Entry) => T;
  #left: number;
  #batch: Entry[] = [];
  #at = 0;
  #done = false;
  /** Calls of `next` that overlap are answered in order. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(iterator: IteratorShape, limit: number, select: (entry: Entry) => T) {
    this.#iterator = iterator;
    this.#left = limit;
    this.#select = select;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#at < this.#batch.length) {
      return Promise.resolve({ value: this.#select(this.#batch[this.#at++]!), done: false });
    }
    const result = this.#last.then(() => this.#fetch());
    this.#last = result.catch(() => {});
    return result;
  }

  return(): Promise<IteratorResult<T>> {
    this.#finish();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish();
  }

  async #fetch(): Promise<IteratorResult<T>> {
    if (this.#at >= this.#batch.length && !this.#done && this.#left > 0) {
      try {
        this.#batch = await this.#iterator.nextMany(Math.min(BATCH, this.#left));
      } catch (error) {
        this.#finish();
        throw error;
      }
      this.#at = 0;
      this.#left -= this.#batch.length;
    }
    if (this.#at < this.#batch.length) return { value: this.#select(this.#batch[this.#at++]!), done: false };
    this.#finish();
    return { value: undefined, done: true };
  }

  #finish(): void {
    this.#done = true;
    this.#batch = [];
    this.#iterator.close();
  }
}

/** The same, blocking. */
export function* syncEntries(iterator: IteratorShape, limit: number): IterableIterator<Entry> {
  try {
    for (let left = limit; left > 0; ) {
      const batch = iterator.nextManySync(Math.min(BATCH, left));
      if (batch.length === 0) return;
      yield* batch;
      left -= batch.length;
    }
  } finally {
    iterator.close();
  }
}
