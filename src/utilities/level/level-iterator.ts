/** The iterator behind `iterator()`, `keys()` and `values()` of a `PumiceLevel`. */
import { AbstractIterator, type AbstractLevel } from 'abstract-level';
import type { IteratorShape } from '../../read/iterator-shape.ts';
import { LevelError, levelError } from './level-error.ts';
import { bytesOf, decoderOf, inRange, type LevelData, type LevelRange } from './level-format.ts';

/** Entries that `next` fetches at once after the first; more would hold the event loop up while they are used up. */
const BATCH = 1000;

/** Options as abstract-level completes them. */
export interface LevelIteratorOptions extends LevelRange {
  keyEncoding: string;
  valueEncoding: string;
  keys: boolean;
  values: boolean;
  reverse?: boolean;
  limit?: number;
  fillCache?: boolean;
  signal?: AbortSignal;
}

/** An entry, or the half of it that was asked for. */
type Item = [LevelData | undefined, LevelData | undefined];

/** Reads ahead in batches; everything it shows was there when it was made. */
export class LevelIterator<K, V> extends AbstractIterator<AbstractLevel<LevelData, K, V>, K, V> {
  readonly #iterator: IteratorShape | undefined;
  readonly #options: LevelIteratorOptions;
  readonly #decodeKey: (bytes: Uint8Array) => LevelData;
  readonly #decodeValue: (bytes: Uint8Array) => LevelData;
  #batch: Item[] = [];
  #at = 0;
  /** The first `next` after a positioning fetches one entry: often one is all that is wanted. */
  #fresh = true;
  #ended = false;
  /** Where the next fetch begins, if `seek` was called. */
  #target: Uint8Array | undefined;

  /** Takes `iterator` over; without one there is nothing to read. */
  constructor(db: AbstractLevel<LevelData, K, V>, options: LevelIteratorOptions, iterator: IteratorShape | undefined) {
    super(db, options as never);
    this.#iterator = iterator;
    this.#options = options;
    this.#decodeKey = decoderOf(options.keyEncoding);
    this.#decodeValue = decoderOf(options.valueEncoding);
  }

  async _next(): Promise<Item | undefined> {
    if (this.#at >= this.#batch.length) {
      const count = this.#fresh ? 1 : BATCH;
      this.#fresh = false;
      this.#batch = await this.#fetch(count);
      this.#at = 0;
    }
    return this.#batch[this.#at++];
  }

  async _nextv(size: number): Promise<Item[]> {
    this.#fresh = false;
    if (this.#at >= this.#batch.length) return this.#fetch(size);
    const items = this.#batch.slice(this.#at, this.#at + size);
    this.#at += items.length;
    return items;
  }

  _seek(target: LevelData): void {
    const key = bytesOf(target);
    this.#batch = [];
    this.#at = 0;
    this.#fresh = true;
    // abstract-level: a target outside of the range ends the iterator, in either direction.
    this.#ended = !inRange(key, this.#options);
    this.#target = this.#ended ? undefined : key;
  }

  async _close(): Promise<void> {
    this.#batch = [];
    this.#iterator?.close();
  }

  async #fetch(count: number): Promise<Item[]> {
    const iterator = this.#iterator;
    if (this.#ended || iterator === undefined) return [];
    try {
      if (this.#target !== undefined) await this.#position(iterator, this.#target);
      const rows = await iterator.nextMany(count);
      this.#options.signal?.throwIfAborted();
      if (rows.length < count) this.#ended = true;
      return rows.map(([key, value]) => this.#item(key, value));
    } catch (error) {
      if (this.#options.signal?.aborted === true) throw new LevelError('LEVEL_ABORTED', 'Operation was aborted', error);
      throw levelError(error);
    }
  }

  async #position(iterator: IteratorShape, target: Uint8Array): Promise<void> {
    this.#target = undefined;
    await (this.#options.reverse === true ? iterator.seekForPrev(target) : iterator.seek(target));
  }

  #item(key: Uint8Array, value: Uint8Array): Item {
    const { keys, values } = this.#options;
    return [keys ? this.#decodeKey(key) : undefined, values ? this.#decodeValue(value) : undefined];
  }
}
