/**
 * The write-ahead logs of a database: the current one, and the older ones that still hold unflushed data.
 *
 * A synced write needs every log before the current one durable, too, or a power cut could leave a hole in the order of
 * writes; so older logs stay open until they are synced or obsolete. The name of a log is made durable with its first
 * sync.
 */
import { DBError } from '../../format/base/db-error.ts';
import { closeFile, syncFull } from '../../format/base/file-io.ts';
import { type Io, io, repeatableIo } from '../../format/base/io.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { walFileName } from '../../format/manifest/file-name.ts';
import { createFresh } from '../env/file-operations.ts';
import type { Directory } from '../env/file-system.ts';
import type { DbContext } from '../options/db-context.ts';
import { sequenceJumpRecord } from './sequence-jump.ts';
import { WalFile } from './wal-file.ts';
import { WalListing } from './wal-listing.ts';
import { WalTail } from './wal-tail.ts';

/** Buffered bytes at which `manualWalFlush` writes them out all the same. */
const MANUAL_FLUSH_AT_BYTES = 32 * 1024;

/** A log that is not obsolete. */
export interface AliveLog {
  number: number;
  sizeBytes: number;
}

/** All logs of one open database. */
export class WalManager {
  /** Who follows the log, and is woken when there is more of it. */
  readonly tail = new WalTail();
  readonly listing: WalListing;
  readonly #context: DbContext;
  #directory: Directory | undefined;
  #current: WalFile | undefined;
  /** Closed to appends, not yet known durable, oldest first. */
  #unsynced: WalFile[] = [];
  /** Sizes of logs that are not obsolete, the current one left out, by number. */
  readonly #older = new Map<number, number>();
  /** Whether the current log's name is durable. */
  #nameDurable = false;

  constructor(context: DbContext) {
    this.#context = context;
    this.listing = new WalListing(context.fs, context.walPath);
  }

  /** Number of the log that writes go to. */
  get currentNumber(): number {
    return this.#current?.number ?? 0;
  }

  /** Bytes in the current log. */
  get currentSize(): number {
    return this.#current?.size ?? 0;
  }

  /** Bytes of the current log that were handed to the operating system. */
  get visibleSize(): number {
    return this.#current === undefined ? 0 : this.#current.size - this.#current.bufferedBytes;
  }

  /** Whether nothing waits in memory for `flush`. */
  get isFlushed(): boolean {
    return this.#current === undefined || this.#current.bufferedBytes === 0;
  }

  /** Bytes of all logs that are not obsolete. */
  get totalSize(): number {
    let sum = this.currentSize;
    for (const size of this.#older.values()) sum += size;
    return sum;
  }

  /** Logs that are not obsolete, in order. */
  alive(): AliveLog[] {
    const logs = [...this.#older].map(([number, sizeBytes]) => ({ number, sizeBytes }));
    if (this.#current !== undefined) logs.push({ number: this.#current.number, sizeBytes: this.#current.size });
    return logs.sort((a, b) => a.number - b.number);
  }

  /** Notes a log that recovery left in use. */
  keepRecovered(number: number, sizeBytes: number): void {
    this.#older.set(number, sizeBytes);
  }

  /** Makes a log that recovery leaves in use durable: whoever wrote it may never have synced it, and newer ones build on it. */
  *syncRecovered(number: number): Io<void> {
    const { fs, walPath } = this.#context;
    const path = `${walPath}/${walFileName(number)}`;
    const file = yield* io(
      () => fs.reopenWritableSync(path),
      () => fs.reopenWritable(path),
    );
    try {
      yield* syncFull(file);
    } finally {
      file.closeSync();
    }
  }

  /** Opens the directory; once, before the first log. */
  *start(): Io<void> {
    const { fs, walPath } = this.#context;
    this.#directory = yield* io(
      () => fs.openDirectorySync(walPath),
      () => fs.openDirectory(walPath),
    );
  }

  /** Creates log `number`, ready for `install`. */
  *create(number: number): Io<WalFile> {
    const file = yield* createFresh(this.#context.fs, `${this.#context.walPath}/${walFileName(number)}`);
    return new WalFile(number, file);
  }

  /** Makes `next` the current log. What the previous one buffered is handed to the system first. */
  install(next: WalFile): void {
    const previous = this.#current;
    if (previous !== undefined) {
      if (!previous.isSynced) previous.flush();
      this.#older.set(previous.number, previous.size);
      this.#unsynced.push(previous);
    }
    this.#current = next;
    this.#nameDurable = false;
    this.tail.changed();
  }

  /** Appends one record to the current log; the bytes are with the operating system when it returns, unless deferred. */
  append(record: number, size: number): void {
    const log = this.#requireCurrent();
    const defer = this.#context.options.manualWalFlush && log.bufferedBytes + size < MANUAL_FLUSH_AT_BYTES;
    const before = log.size;
    log.append(record, size, defer);
    this.#context.writeTotals.walRecords++;
    this.#context.writeTotals.walBytes += log.size - before;
    this.#context.statistics?.count('rocksdb.wal.bytes', log.size - before);
    this.#context.statistics?.count('rocksdb.write.wal');
  }

  /** Says in the current log, which is empty, that the sequences before `sequence` did not go through logs. */
  noteSequenceJump(sequence: number): void {
    const kernel = getKernel();
    const record = sequenceJumpRecord(sequence);
    const at = kernel.malloc(record.length);
    try {
      kernel.copyIn(record, at);
      this.append(at, record.length);
    } finally {
      kernel.free(at);
    }
  }

  /** Hands deferred bytes to the operating system. */
  flush(): void {
    this.#current?.flush();
    this.tail.changed();
  }

  /** Makes everything appended so far durable, older logs and names included. All steps are repeatable. */
  *sync(): Io<void> {
    const log = this.#requireCurrent();
    log.flush();
    this.tail.changed();
    const start = this.#context.clock.monotonicMicros();
    yield* this.syncOlder();
    yield* repeatableIo(
      () => log.syncSync(),
      () => log.sync(),
    );
    if (!this.#nameDurable && log === this.#current) {
      yield* this.#syncNames();
      if (log === this.#current) this.#nameDurable = true;
    }
    this.#context.writeTotals.walSyncs++;
    this.#context.statistics?.count('rocksdb.wal.synced');
    this.#context.statistics?.record('rocksdb.wal.file.sync.micros', this.#context.clock.monotonicMicros() - start);
  }

  /** Makes the logs before the current one durable. */
  *syncOlder(): Io<void> {
    if (this.#unsynced.length === 0) return;
    for (const log of [...this.#unsynced]) {
      if (log.isSynced) continue;
      yield* repeatableIo(
        () => log.syncSync(),
        () => log.sync(),
      );
    }
    yield* this.#syncNames();
    const done = this.#unsynced.filter((log) => log.isSynced);
    this.#unsynced = this.#unsynced.filter((log) => !log.isSynced);
    for (const log of done) this.#close(log);
  }

  /** After a failed append or sync: no log written so far is ever appended to or synced again (`resume` begins a new one). */
  abandonAll(): void {
    for (const log of this.#unsynced) log.abandon();
    this.#current?.abandon();
  }

  /** Forgets logs below `minimum`; returns their numbers. Their files are the caller's to delete or to archive. */
  releaseBelow(minimum: number): number[] {
    const gone = [...this.#older.keys()].filter((number) => number < minimum);
    for (const number of gone) this.#older.delete(number);
    const closing = this.#unsynced.filter((log) => log.number < minimum);
    this.#unsynced = this.#unsynced.filter((log) => log.number >= minimum);
    for (const log of closing) this.#close(log);
    return gone;
  }

  /** Closes every file. */
  *close(): Io<void> {
    this.tail.close();
    const logs = [...this.#unsynced, ...(this.#current === undefined ? [] : [this.#current])];
    this.#unsynced = [];
    this.#current = undefined;
    for (const log of logs) {
      yield* closeFile(log);
    }
    const directory = this.#directory;
    this.#directory = undefined;
    if (directory !== undefined) {
      yield* closeFile(directory);
    }
  }

  #syncNames(): Io<void> {
    const directory = this.#directory!;
    return repeatableIo(
      () => directory.syncSync('file-created'),
      () => directory.sync('file-created'),
    );
  }

  #close(log: WalFile): void {
    log.close().catch((error) => this.#context.logger.warn(`closing ${log.path}: ${String(error)}`));
  }

  #requireCurrent(): WalFile {
    if (this.#current === undefined) throw new DBError('CLOSED', 'the write-ahead log is closed');
    return this.#current;
  }
}
