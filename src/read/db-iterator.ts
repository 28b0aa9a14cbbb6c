/**
 * The iterator that users hold. It shows the rows of one family as they were when it was made, in both directions, and
 * serves most moves out of the chunk at hand, without a call into the kernel.
 */
import { copyOf } from '../../format/base/bytes.ts';
import type { Comparator } from '../../format/base/comparator.ts';
import { DBError } from '../../format/base/db-error.ts';
import { equalBytes } from '../../format/base/internal-key.ts';
import { type Io, runAsync, runSync } from '../../format/base/io.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import { MUST_LOAD, Position, type PositionCode } from '../../format/iterator/merging-iterator.ts';
import type { IteratorStatistics } from './iterator-statistics.ts';
import type { RowBounds, VisibleRows } from './visible-rows.ts';

/** Rows of the first chunk after a positioning, and the growth from chunk to chunk: short scans stay cheap. */
const FIRST_CHUNK_ROWS = 2;
const CHUNK_GROWTH = 4;
const CHUNK_ROWS_MAX = 256;

/** How an iterator was made. */
export interface DBIteratorSettings {
  comparator: Comparator;
  bounds: RowBounds;
  /** Where an iterator begins that is never positioned. */
  reverse: boolean;
  /** Stay inside the prefix of the last seek. */
  prefix: SliceTransform | undefined;
  /** `readTier: 'blockCache'`: `INCOMPLETE` instead of a wait. */
  cacheOnly: boolean;
  signal: AbortSignal | undefined;
  /** Called once, by the first `close`. */
  onClose: () => void;
  /** Counts positionings and steps; `undefined` without statistics. */
  statistics: IteratorStatistics | undefined;
}

/**
 * A cursor over one column family. Positioning and moves come as promises and as blocking twins (`…Sync`); both resolve to
 * whether the iterator stands on an entry. Moves of one iterator must not overlap.
 *
 * `key` and `value` are views, borrowed until the next move or `close`. Errors (`CORRUPTION`, `IO_ERROR`, `MERGE_FAILED` …) are
 * thrown by the move that meets them, leave the iterator without an entry and stay in `status()` until it is positioned
 * anew; `INCOMPLETE` leaves the position as it was, so that the same move can be made again.
 */
export class DBIterator implements Disposable {
  readonly #rows: VisibleRows;
  readonly #settings: DBIteratorSettings;
  /** Index of the present row in the chunk; -1: no entry. */
  #row = -1;
  #forward = true;
  #positioned = false;
  #chunkRows = FIRST_CHUNK_ROWS;
  #error: DBError | undefined;
  #prefixBytes: Uint8Array | undefined;
  /** A move under way; the iterator is closed when it ends. */
  #busy = false;
  #closed = false;
  #closeWanted = false;

  /** Made by `db.newIterator`. */
  constructor(rows: VisibleRows, settings: DBIteratorSettings) {
    this.#rows = rows;
    this.#settings = settings;
  }

  /** Whether there is a present entry. */
  get valid(): boolean {
    return this.#row >= 0;
  }

  /** The present key, borrowed until the next move. Throws `INVALID_ARGUMENT` when there is none. */
  get key(): Uint8Array {
    this.#requireEntry();
    return this.#rows.key(this.#row);
  }

  /** The present value, borrowed until the next move. Throws `INVALID_ARGUMENT` when there is none. */
  get value(): Uint8Array {
    this.#requireEntry();
    return this.#rows.value(this.#row);
  }

  /** The error that took the entry away, if one did. */
  status(): DBError | undefined {
    return this.#error;
  }

  /** Stands on the first entry >= `key`. */
  seek(key: Uint8Array | string): Promise<boolean> {
    return this.#async(() => this.#seekIo(bytesOf(key)));
  }

  seekSync(key: Uint8Array | string): boolean {
    return this.#sync(() => this.#seekIo(bytesOf(key)));
  }

  /** Stands on the last entry <= `key`. */
  seekForPrev(key: Uint8Array | string): Promise<boolean> {
    return this.#async(() => this.#seekForPrevIo(bytesOf(key)));
  }

  seekForPrevSync(key: Uint8Array | string): boolean {
    return this.#sync(() => this.#seekForPrevIo(bytesOf(key)));
  }

  /** Stands on the first entry. */
  seekToFirst(): Promise<boolean> {
    return this.#async(() => this.#seekToFirstIo());
  }

  seekToFirstSync(): boolean {
    return this.#sync(() => this.#seekToFirstIo());
  }

  /** Stands on the last entry. */
  seekToLast(): Promise<boolean> {
    return this.#async(() => this.#seekToLastIo());
  }

  seekToLastSync(): boolean {
    return this.#sync(() => this.#seekToLastIo());
  }

  /** Moves to the next entry. `INVALID_ARGUMENT` when there is no present one. */
  next(): Promise<boolean> {
    if (this.#stepInChunk(true)) return TRUE;
    return this.#async(() => this.#stepIo(true));
  }

  nextSync(): boolean {
    if (this.#stepInChunk(true)) return true;
    return this.#sync(() => this.#stepIo(true));
  }

  /** Moves to the previous entry. `INVALID_ARGUMENT` when there is no present one. */
  prev(): Promise<boolean> {
    if (this.#stepInChunk(false)) return TRUE;
    return this.#async(() => this.#stepIo(false));
  }

  prevSync(): boolean {
    if (this.#stepInChunk(false)) return true;
    return this.#sync(() => this.#stepIo(false));
  }

  /**
   * Copies of the present entry and those behind it, at most `count` of them, and moves behind the last one returned. Fewer,
   * and no present entry, at the end. The caller owns the arrays. Goes in the direction of the last move; an iterator that
   * was never positioned begins at its first entry (with `reverse`, its last).
   */
  nextMany(count: number): Promise<[Uint8Array, Uint8Array][]> {
    return this.#async(() => this.#nextManyIo(count));
  }

  nextManySync(count: number): [Uint8Array, Uint8Array][] {
    return this.#sync(() => this.#nextManyIo(count));
  }

  /** Lets go of everything. Idempotent; the iterator throws `CLOSED` afterwards. */
  close(): void {
    if (this.#closed) return;
    if (this.#busy) {
      this.#closeWanted = true;
      return;
    }
    this.#closed = true;
    this.#row = -1;
    this.#rows.close();
    this.#settings.statistics?.deleted();
    this.#settings.onClose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A step inside the chunk; false when the chunk has no such row. */
  #stepInChunk(forward: boolean): boolean {
    const row = this.#row + 1;
    if (this.#row < 0 || forward !== this.#forward || row >= this.#rows.count || this.#busy) return false;
    if (this.#prefixBytes !== undefined) return false;
    this.#row = row;
    this.#settings.statistics?.moved(forward, 1, 1, this.#entryBytes());
    return true;
  }

  *#seekIo(key: Uint8Array): Io<boolean> {
    const { comparator, bounds } = this.#settings;
    this.#rememberPrefix(key);
    const below = bounds.lower !== undefined && comparator.compare(key, bounds.lower) < 0;
    return yield* this.#place(Position.seek, below ? bounds.lower! : key, true);
  }

  *#seekForPrevIo(key: Uint8Array): Io<boolean> {
    const { comparator, bounds } = this.#settings;
    this.#rememberPrefix(key);
    if (bounds.upper !== undefined && comparator.compare(key, bounds.upper) >= 0) {
      return yield* this.#place(Position.seekForPrev, bounds.upper, false);
    }
    return yield* this.#place(Position.seekForPrev, key, true);
  }

  *#seekToFirstIo(): Io<boolean> {
    const { lower } = this.#settings.bounds;
    // A bound is sought like a key, so it sets the prefix too: what has another may be passed over unread.
    this.#rememberPrefix(lower);
    if (lower === undefined) return yield* this.#place(Position.first, undefined, true);
    return yield* this.#place(Position.seek, lower, true);
  }

  *#seekToLastIo(): Io<boolean> {
    const { upper } = this.#settings.bounds;
    this.#rememberPrefix(upper);
    if (upper === undefined) return yield* this.#place(Position.last, undefined, true);
    return yield* this.#place(Position.seekForPrev, upper, false);
  }

  *#place(where: PositionCode, key: Uint8Array | undefined, includeKey: boolean): Io<boolean> {
    const { statistics } = this.#settings;
    const startMicros = statistics === undefined ? 0 : statistics.now();
    this.#error = undefined;
    this.#row = -1;
    this.#positioned = true;
    this.#forward = where === Position.first || where === Position.seek;
    this.#chunkRows = FIRST_CHUNK_ROWS;
    if (this.#rows.tryPosition(where, key, includeKey) === MUST_LOAD) {
      this.#refuseWait();
      yield* this.#rows.position();
    }
    const found = yield* this.#fill();
    statistics?.sought(startMicros, found ? this.#entryBytes() : undefined);
    return found;
  }

  *#stepIo(forward: boolean): Io<boolean> {
    this.#requireEntry();
    const found = yield* this.#move(forward);
    this.#settings.statistics?.moved(forward, 1, found ? 1 : 0, found ? this.#entryBytes() : 0);
    return found;
  }

  *#move(forward: boolean): Io<boolean> {
    if (forward === this.#forward) {
      if (this.#row + 1 >= this.#rows.count) return yield* this.#fill();
      this.#row++;
      return this.#checkPrefix();
    }
    // Turning: the merge stands somewhere ahead; start again from the present key.
    const key = this.#rows.copyKey(this.#row);
    this.#forward = forward;
    this.#chunkRows = FIRST_CHUNK_ROWS;
    if (this.#rows.tryPosition(forward ? Position.seek : Position.seekForPrev, key, false) === MUST_LOAD) {
      this.#refuseWait();
      yield* this.#rows.position();
    }
    return yield* this.#fill();
  }

  /** Fetches the next chunk and stands on its first row. */
  *#fill(): Io<boolean> {
    let count = this.#rows.tryFill(this.#chunkRows);
    while (count === MUST_LOAD) {
      this.#refuseWait();
      yield* this.#rows.load();
      this.#settings.signal?.throwIfAborted();
      count = this.#rows.tryFill(this.#chunkRows);
    }
    this.#chunkRows = Math.min(CHUNK_ROWS_MAX, this.#chunkRows * CHUNK_GROWTH);
    this.#row = count > 0 ? 0 : -1;
    return count > 0 && this.#checkPrefix();
  }

  *#nextManyIo(count: number): Io<[Uint8Array, Uint8Array][]> {
    if (!Number.isInteger(count) || count < 1)
      throw new DBError('INVALID_ARGUMENT', 'nextMany: count must be at least 1');
    const entries: [Uint8Array, Uint8Array][] = [];
    if (!this.#positioned) yield* this.#settings.reverse ? this.#seekToLastIo() : this.#seekToFirstIo();
    yield* this.#takeMany(count, entries);
    if (entries.length > 0) this.#countMany(entries);
    return entries;
  }

  /** Copies entries into `entries` until there are `count`; stands behind the last one. */
  *#takeMany(count: number, entries: [Uint8Array, Uint8Array][]): Io<void> {
    const rows = this.#rows;
    while (this.#row >= 0) {
      const end = Math.min(rows.count, this.#row + count - entries.length);
      for (let i = this.#row; i < end; i++) {
        this.#row = i;
        if (!this.#checkPrefix()) return;
        entries.push([rows.copyKey(i), rows.copyValue(i)]);
      }
      this.#row = end;
      if (end < rows.count) return;
      this.#row = end - 1;
      if (!(yield* this.#fill()) || entries.length === count) return;
    }
  }

  /** Each entry handed out was left by one step. */
  #countMany(entries: readonly [Uint8Array, Uint8Array][]): void {
    const { statistics } = this.#settings;
    if (statistics === undefined) return;
    let bytes = this.#row >= 0 ? this.#entryBytes() : 0;
    for (let i = 1; i < entries.length; i++) bytes += entries[i]![0].length + entries[i]![1].length;
    statistics.moved(this.#forward, entries.length, entries.length - (this.#row >= 0 ? 0 : 1), bytes);
  }

  /** Bytes of the present entry; for statistics. */
  #entryBytes(): number {
    return this.#rows.key(this.#row).length + this.#rows.value(this.#row).length;
  }

  #rememberPrefix(key: Uint8Array | undefined): void {
    const { prefix } = this.#settings;
    this.#prefixBytes = key !== undefined && prefix?.inDomain(key) ? copyOf(prefix.transform(key)) : undefined;
  }

  /** Gives up the entry if it has left the prefix of the last seek. */
  #checkPrefix(): boolean {
    const wanted = this.#prefixBytes;
    if (wanted === undefined) return true;
    const { prefix } = this.#settings;
    const key = this.#rows.key(this.#row);
    if (prefix!.inDomain(key) && equalBytes(prefix!.transform(key), wanted)) return true;
    this.#row = -1;
    return false;
  }

  #refuseWait(): void {
    if (this.#settings.cacheOnly)
      throw new DBError('INCOMPLETE', 'the iterator needs a block that is not in the cache');
  }

  #requireEntry(): void {
    if (this.#closed) throw new DBError('CLOSED', 'the iterator is closed');
    if (this.#error !== undefined) throw this.#error;
    if (this.#row < 0) throw new DBError('INVALID_ARGUMENT', 'the iterator has no present entry');
  }

  #sync<T>(move: () => Io<T>): T {
    this.#enter();
    try {
      return runSync(move());
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#leave();
    }
  }

  async #async<T>(move: () => Io<T>): Promise<T> {
    this.#enter();
    try {
      this.#settings.signal?.throwIfAborted();
      return await runAsync(move());
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#leave();
    }
  }

  #enter(): void {
    if (this.#closed) throw new DBError('CLOSED', 'the iterator is closed');
    if (this.#busy) throw new DBError('BUSY', 'a move of this iterator is under way');
    this.#busy = true;
  }

  #leave(): void {
    this.#busy = false;
    if (this.#closeWanted) this.close();
  }

  #fail(error: unknown): unknown {
    if (!(error instanceof DBError) || error.code === 'INCOMPLETE' || error.code === 'INVALID_ARGUMENT') return error;
    this.#row = -1;
    this.#error = error;
    return error;
  }
}

const TRUE = Promise.resolve(true);
const encoder = new TextEncoder();

function bytesOf(key: Uint8Array | string): Uint8Array {
  if (typeof key === 'string') return encoder.encode(key);
  if (key instanceof Uint8Array) return key;
  throw new DBError('INVALID_ARGUMENT', 'a key must be a Uint8Array or a string');
}
