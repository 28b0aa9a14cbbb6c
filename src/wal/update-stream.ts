/**
 * The stream of updates: every batch of the log from a sequence on, in order, each once. It reads the log files, alive and
 * archived, and at the live end sees only what was handed to the operating system and is visible to readers of the
 * database. What writers committed as one group is one record of the log, and so one batch here, as in RocksDB.
 *
 * Nothing is left out in silence. Sequences that are not in the logs (written with `disableWAL`, or in a log that is gone)
 * end the stream with `NOT_FOUND`, damage that hides some with `CORRUPTION`.
 *
 * A batch is read when it is asked for: a consumer that is slow keeps one log file open and one chunk of it in memory.
 */
import { getFixed32, getFixed64 } from '../../format/base/coding.ts';
import { corruption, DBError } from '../../format/base/db-error.ts';
import { runAsync } from '../../format/base/io.ts';
import { BATCH_COUNT_OFFSET, BATCH_HEADER_SIZE } from '../../format/batch/batch-format.ts';
import { isTransactionMarker } from '../../format/batch/prepared-transactions.ts';
import { WriteBatch } from '../../format/batch/write-batch.ts';
import { WriteBatchReader } from '../../format/batch/write-batch-reader.ts';
import type { LogEvent } from '../../format/log/log-event.ts';
import { LogReader, LogStep } from '../../format/log/log-reader.ts';
import type { RandomAccessFile } from '../env/file-system.ts';
import type { DbContext } from '../options/db-context.ts';
import { type LogPlace, logReaderOptions, openLog, type WalListing } from './wal-listing.ts';
import type { TailFollower, WalTail } from './wal-tail.ts';

/** Bytes of a log read at once. */
const READ_SIZE = 256 * 1024;

/** One record of the log. */
export interface Update {
  /** Sequence of the batch's first operation; it takes `batch.count` of them. */
  sequence: number;
  /** The consumer's. */
  batch: WriteBatch;
}

/** What the stream sees of the log that is being written. */
export interface LiveLog {
  readonly tail: WalTail;
  readonly listing: WalListing;
  /** Number of the log that writes go to; 0 when none does. */
  readonly currentNumber: number;
  /** Bytes of the current log that were handed to the operating system. */
  readonly visibleSize: number;
  /** Whether nothing of the current log waits in memory. */
  readonly isFlushed: boolean;
}

/** How the stream is to behave. */
export interface UpdateStreamOptions {
  follow: boolean;
  signal: AbortSignal | undefined;
}

/** One record, owned. */
interface LogRecord {
  sequence: number;
  data: Uint8Array;
}

/** Damage and where it is. */
interface Damage {
  event: LogEvent;
  place: LogPlace;
}

/** One pass over a log file, up to what was visible when it began. */
interface Pass {
  reader: LogReader;
  /** Whether nothing can be added to the file any more. */
  final: boolean;
  /** The newest visible write when the pass began, if all of the log was with the operating system then. */
  sequenceAtStart: number | undefined;
}

/** See `DB.getUpdatesSince`. Calls of `next` may overlap; they are answered in order. */
export class UpdateStream implements AsyncIterableIterator<Update>, TailFollower {
  readonly #context: DbContext;
  readonly #live: LiveLog;
  readonly #lastSequence: () => number;
  readonly #start: number;
  readonly #options: UpdateStreamOptions;
  /** The first sequence not yet given; `undefined` before the start is found. */
  #expected: number | undefined;
  #place: LogPlace | undefined;
  #file: RandomAccessFile | undefined;
  #offset = 0;
  #pass: Pass | undefined;
  /** A record that is in the log but not yet visible to readers. */
  #held: LogRecord | undefined;
  /** The last record given; looked at again only where sequences do not continue. */
  #previous: Uint8Array | undefined;
  /** The last damage met since sequences last continued. */
  #damage: Damage | undefined;
  #done = false;
  #busy = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    context: DbContext,
    live: LiveLog,
    lastSequence: () => number,
    start: number,
    options: UpdateStreamOptions,
  ) {
    this.#context = context;
    this.#live = live;
    this.#lastSequence = lastSequence;
    // Sequences begin with 1.
    this.#start = Math.max(1, start);
    this.#options = options;
    live.tail.join(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next batch. After an error, and after the end, the stream is done. */
  next(): Promise<IteratorResult<Update>> {
    return this.#inTurn(() => this.#next());
  }

  /** Ends the stream and closes its file. */
  return(): Promise<IteratorResult<Update>> {
    return this.#inTurn(async () => {
      await this.#finish();
      return { done: true, value: undefined };
    });
  }

  onTailClosed(): void {
    // Between two calls nothing of this is in use; a call that is under way sees the close itself.
    if (!this.#busy) void this.#release().catch(() => {});
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #next(): Promise<IteratorResult<Update>> {
    if (this.#done) return { done: true, value: undefined };
    this.#busy = true;
    try {
      const update = await this.#advance();
      if (update !== undefined) return { done: false, value: update };
      await this.#finish();
      return { done: true, value: undefined };
    } catch (error) {
      await this.#finish();
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  async #advance(): Promise<Update | undefined> {
    for (;;) {
      this.#checkAlive();
      const held = this.#held;
      if (held !== undefined) {
        if (isVisible(held, this.#lastSequence())) {
          this.#held = undefined;
          return this.#give(held);
        }
      } else {
        const found = this.#place === undefined ? await this.#openStart() : await this.#read();
        if (found === 'again') continue;
        if (found !== 'end') {
          if (isVisible(found, this.#lastSequence())) return this.#give(found);
          this.#held = found;
          continue;
        }
      }
      if (!this.#options.follow) return undefined;
      // No wait since the end was seen: a change cannot be missed.
      await this.#live.tail.wait(this.#options.signal);
    }
  }

  #checkAlive(): void {
    if (this.#live.tail.closed) throw new DBError('CLOSED', `${this.#context.path}: the database is closed`);
    this.#options.signal?.throwIfAborted();
  }

  /** Reads on: a record to give, `again` after a step of another kind, `end` where there is nothing more now. */
  async #read(): Promise<LogRecord | 'again' | 'end'> {
    this.#pass ??= this.#beginPass();
    const { reader } = this.#pass;
    const step = reader.tryNext();
    if (step === LogStep.needData) {
      await runAsync(reader.load());
      return 'again';
    }
    if (step === LogStep.event) {
      this.#damage = { event: reader.event!, place: this.#place! };
      return 'again';
    }
    if (step === LogStep.end) return this.#endPass();
    const record = this.#takeRecord(reader);
    return record === 'skipRest' ? this.#endPass() : (record ?? 'again');
  }

  #beginPass(): Pass {
    const { currentNumber, visibleSize, isFlushed } = this.#live;
    const final = currentNumber !== this.#place!.number;
    const file = final ? this.#file! : new LimitedFile(this.#file!, visibleSize);
    const options = { ...logReaderOptions(this.#place!.number), readSize: READ_SIZE, startOffset: this.#offset };
    return {
      reader: new LogReader(file, options),
      final,
      sequenceAtStart: final || isFlushed ? this.#lastSequence() : undefined,
    };
  }

  async #endPass(): Promise<'again' | 'end'> {
    const pass = this.#pass!;
    this.#offset = pass.reader.nextOffset;
    this.#pass = undefined;
    pass.reader.close();
    if (pass.final) {
      if (await this.#openAfter(this.#place!.number)) return 'again';
    } else if (this.#live.currentNumber !== this.#place!.number || this.#live.visibleSize > this.#offset) {
      return 'again';
    }
    this.#checkAlive();
    const next = this.#expected ?? this.#start;
    if (pass.sequenceAtStart !== undefined && next <= pass.sequenceAtStart)
      throw this.#missing(pass.sequenceAtStart + 1);
    return 'end';
  }

  /** The present record if it is one to give; `skipRest` where the rest of the log was dropped by a recovery. */
  #takeRecord(reader: LogReader): LogRecord | 'skipRest' | undefined {
    if (reader.recordSize < BATCH_HEADER_SIZE) {
      this.#damage = { event: tooSmall(reader), place: this.#place! };
      return undefined;
    }
    const record = reader.record();
    const sequence = getFixed64(record, 0);
    const end = sequence + getFixed32(record, BATCH_COUNT_OFFSET);
    if (end > Number.MAX_SAFE_INTEGER) {
      throw new DBError('NOT_SUPPORTED', `${reader.path}: sequence numbers of 2^53 and above are not supported`);
    }
    if (this.#expected === undefined) {
      // A record without operations stands before the write that takes its sequence.
      if (sequence < this.#start && end <= this.#start) return undefined;
      if (sequence > this.#start) return this.#onJump(sequence);
    } else if (sequence !== this.#expected && !this.#tookUncounted()) {
      if (sequence > this.#expected) return this.#onJump(sequence);
      if (end <= this.#expected) return undefined;
      throw corruption(
        `${reader.path}: record at offset ${reader.recordOffset} has sequence ${sequence}, expected ${this.#expected}`,
      );
    }
    this.#damage = undefined;
    // Owned: the record lives in kernel memory until the next step.
    return { sequence, data: record.slice() };
  }

  /**
   * Sequences are missing before the present record. What stands behind damage was dropped by the recovery that met it
   * if the next log continues where the damage began; so the rest of this log is passed over.
   */
  #onJump(sequence: number): 'skipRest' {
    if (this.#damage?.place !== this.#place || !this.#pass!.final) throw this.#missing(sequence);
    return 'skipRest';
  }

  #missing(from: number): DBError {
    const next = this.#expected ?? this.#start;
    const damage = this.#damage;
    if (damage !== undefined) {
      const { event, place } = damage;
      return corruption(
        `${place.path}: updates from sequence ${next} on are lost: ${event.kind} at offset ${event.offset}: ${event.reason}; the logs go on with sequence ${from}`,
      );
    }
    const what = this.#expected === undefined ? 'the requested updates' : 'a gap: updates';
    return new DBError(
      'NOT_FOUND',
      `${this.#context.walPath}: ${what} from sequence ${next} on are not in the logs (deleted, or written with disableWAL); the logs go on with sequence ${from}`,
    );
  }

  /** Whether the last record holds marks of prepared transactions, whose sequences are not counted in its header. */
  #tookUncounted(): boolean {
    if (this.#previous === undefined) return false;
    const reader = new WriteBatchReader(this.#previous);
    while (reader.next()) if (isTransactionMarker(reader.type)) return true;
    return false;
  }

  #give({ sequence, data }: LogRecord): Update {
    const batch = WriteBatch.from(data);
    this.#expected = sequence + batch.count;
    this.#previous = data;
    return { sequence, batch };
  }

  /** Opens the log that the start lies in; `end` when there is no log at all. */
  async #openStart(): Promise<'again' | 'end'> {
    const { listing, isFlushed } = this.#live;
    const lastSequence = this.#lastSequence();
    const places = await runAsync(listing.places());
    let oldest: number | undefined;
    let first: LogPlace | undefined;
    for (const place of places.toReversed()) {
      const startSequence = await runAsync(listing.startSequence(place));
      if (startSequence === undefined) continue;
      first = place;
      if (startSequence === 0) continue;
      oldest = startSequence;
      if (startSequence <= this.#start) break;
    }
    this.#checkAlive();
    const isMissing = oldest === undefined ? isFlushed && this.#start <= lastSequence : oldest > this.#start;
    if (isMissing) throw this.#missing(oldest ?? lastSequence + 1);
    if (first === undefined) return 'end';
    // A log that is gone since it was listed: look again.
    await this.#open(first);
    return 'again';
  }

  /** Opens the oldest log behind `number`; false when there is none. */
  async #openAfter(number: number): Promise<boolean> {
    for (;;) {
      const places = await runAsync(this.#live.listing.places());
      const next = places.find((place) => place.number > number);
      if (next === undefined) return false;
      if (await this.#open(next)) return true;
      this.#checkAlive();
    }
  }

  async #open(place: LogPlace): Promise<boolean> {
    const file = await runAsync(openLog(this.#context.fs, this.#context.walPath, place));
    if (file === undefined) return false;
    const previous = this.#file;
    this.#file = file;
    this.#place = place;
    this.#offset = 0;
    await previous?.close();
    return true;
  }

  async #finish(): Promise<void> {
    this.#done = true;
    this.#live.tail.leave(this);
    await this.#release();
  }

  async #release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#pass?.reader.close();
    this.#pass = undefined;
    await file?.close();
  }
}

/** A file cut at what may be seen of it. */
class LimitedFile implements RandomAccessFile {
  readonly path: string;
  readonly #file: RandomAccessFile;
  readonly #limit: number;

  constructor(file: RandomAccessFile, limit: number) {
    this.path = file.path;
    this.#file = file;
    this.#limit = limit;
  }

  read(buffer: Uint8Array, offset: number): Promise<number> {
    return this.#file.read(this.#cut(buffer, offset), offset);
  }

  readSync(buffer: Uint8Array, offset: number): number {
    return this.#file.readSync(this.#cut(buffer, offset), offset);
  }

  size(): Promise<number> {
    return Promise.resolve(this.#limit);
  }

  sizeSync(): number {
    return this.#limit;
  }

  /** The file below is its owner's. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  closeSync(): void {}

  #cut(buffer: Uint8Array, offset: number): Uint8Array {
    return buffer.subarray(0, Math.max(0, Math.min(buffer.length, this.#limit - offset)));
  }
}

function isVisible({ sequence, data }: LogRecord, lastSequence: number): boolean {
  return sequence + getFixed32(data, BATCH_COUNT_OFFSET) - 1 <= lastSequence;
}

function tooSmall(reader: LogReader): LogEvent {
  const reason = `expected at least ${BATCH_HEADER_SIZE} bytes, found ${reader.recordSize}`;
  return { kind: 'recordTooSmall', offset: reader.recordOffset, bytes: reader.recordSize, reason };
}
