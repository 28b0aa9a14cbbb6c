/** One write-ahead log that is being written: a log writer, and the account of what is durable. */
import { LogWriter } from '../../format/log/log-writer.ts';
import type { WritableFile } from '../env/file-system.ts';

/** A log open for appending. Owns its file. */
export class WalFile {
  readonly number: number;
  readonly path: string;
  readonly #file: WritableFile;
  readonly #log: LogWriter;
  /** Bytes of the file that are known to be durable. */
  #syncedSize = 0;
  #abandoned = false;
  /** A log is closed when it is durable or obsolete: a sync that was on its way to it has nothing left to do. */
  #closed = false;

  constructor(number: number, file: WritableFile) {
    this.number = number;
    this.path = file.path;
    this.#file = file;
    // Headers with the log's number: after a power cut a page of the file may hold records of a log that was deleted, and
    // those must not be taken for its own.
    this.#log = new LogWriter(file, { recyclableLogNumber: number });
  }

  /** Bytes of the log, buffered ones included. */
  get size(): number {
    return this.#log.size;
  }

  get bufferedBytes(): number {
    return this.#log.bufferedBytes;
  }

  /** Whether nothing is left that a sync could make durable. */
  get isSynced(): boolean {
    return this.#abandoned || this.#closed || (this.#log.bufferedBytes === 0 && this.#syncedSize === this.#file.size);
  }

  /** Frames a record that lies in kernel memory and appends it, or with `defer` only buffers it. A throw poisons the log. */
  append(record: number, size: number, defer: boolean): void {
    this.#log.addFromKernel(record, size);
    if (!defer) this.#log.flushSync();
  }

  /** Hands buffered bytes to the operating system. */
  flush(): void {
    this.#log.flushSync();
  }

  /** The log failed: nothing later is acknowledged on it, and no sync of it is tried again. */
  abandon(): void {
    this.#abandoned = true;
  }

  syncSync(): void {
    if (this.#abandoned || this.#closed) return;
    const size = this.#file.size;
    this.#file.syncSync('data');
    this.#syncedSize = Math.max(this.#syncedSize, size);
  }

  async sync(): Promise<void> {
    if (this.#abandoned || this.#closed) return;
    const size = this.#file.size;
    await this.#file.sync('data');
    this.#syncedSize = Math.max(this.#syncedSize, size);
  }

  closeSync(): void {
    this.#closed = true;
    this.#log.close();
    this.#file.closeSync();
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#log.close();
    return this.#file.close();
  }
}
