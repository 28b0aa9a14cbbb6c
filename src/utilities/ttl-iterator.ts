/** An iterator of a TTL database: the base's, with values that end before their time. */
import type { DBError } from '../../format/base/db-error.ts';
import type { IteratorShape } from '../read/iterator-shape.ts';
import { timestampOf, plainValue } from './ttl-value.ts';

type Entry = [Uint8Array, Uint8Array];

/** Forwards every move; see `DBIterator`. */
export class TtlIterator implements IteratorShape {
  readonly #base: IteratorShape;

  /** Takes `base` over. */
  constructor(base: IteratorShape) {
    this.#base = base;
  }

  get valid(): boolean {
    return this.#base.valid;
  }

  get key(): Uint8Array {
    return this.#base.key;
  }

  get value(): Uint8Array {
    return plainValue(this.#base.value);
  }

  /** When the present value was written, in Unix seconds. */
  get writeTime(): number {
    const { value } = this.#base;
    plainValue(value);
    return timestampOf(value);
  }

  status(): DBError | undefined {
    return this.#base.status();
  }

  seek(key: Uint8Array | string): Promise<boolean> {
    return this.#base.seek(key);
  }

  seekSync(key: Uint8Array | string): boolean {
    return this.#base.seekSync(key);
  }

  seekForPrev(key: Uint8Array | string): Promise<boolean> {
    return this.#base.seekForPrev(key);
  }

  seekForPrevSync(key: Uint8Array | string): boolean {
    return this.#base.seekForPrevSync(key);
  }

  seekToFirst(): Promise<boolean> {
    return this.#base.seekToFirst();
  }

  seekToFirstSync(): boolean {
    return this.#base.seekToFirstSync();
  }

  seekToLast(): Promise<boolean> {
    return this.#base.seekToLast();
  }

  seekToLastSync(): boolean {
    return this.#base.seekToLastSync();
  }

  next(): Promise<boolean> {
    return this.#base.next();
  }

  nextSync(): boolean {
    return this.#base.nextSync();
  }

  prev(): Promise<boolean> {
    return this.#base.prev();
  }

  prevSync(): boolean {
    return this.#base.prevSync();
  }

  async nextMany(count: number): Promise<Entry[]> {
    return (await this.#base.nextMany(count)).map(withoutTime);
  }

  nextManySync(count: number): Entry[] {
    return this.#base.nextManySync(count).map(withoutTime);
  }

  close(): void {
    this.#base.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function withoutTime([key, value]: Entry): Entry {
  return [key, plainValue(value)];
}
