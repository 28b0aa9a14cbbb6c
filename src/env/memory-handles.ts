/** Open files, directories and locks of a memory file system. */
import { assert } from '../../format/base/assert.ts';
import { closedError, poisonedError, systemError } from './file-error.ts';
import type { FileOperation } from './file-operation.ts';
import type { Directory, DirectorySyncReason, FileLock, RandomAccessFile, WritableFile } from './file-system.ts';
import type { MemoryDirectory, MemoryFile } from './memory-nodes.ts';

/** What handles need of their file system. */
export interface MemoryHost {
  /** Index that the next operation gets. */
  readonly nextIndex: number;
  /** Counts an operation, runs hooks and faults around `effect`, names failures. */
  perform<T>(operation: FileOperation, effect: (index: number) => T): T;
  /** Runs a call at the time the scheduler gives it. */
  later<T>(call: () => T): Promise<T>;
  /** Bytes of `wanted` that the device has room for at the file's end. */
  roomFor(file: MemoryFile, wanted: number, offset: number): number;
  write(index: number, file: MemoryFile, bytes: Uint8Array, offset: number): void;
  resize(index: number, file: MemoryFile, size: number): void;
  syncFile(file: MemoryFile, limit: number): void;
  /** A sync called before `limit` failed; the pages count as clean now. */
  failSync(file: MemoryFile, limit: number): void;
  syncDirectory(directory: MemoryDirectory, limit: number): void;
  afterRead(path: string, buffer: Uint8Array, offset: number, count: number): void;
  opened(file: MemoryFile | undefined): void;
  closed(file: MemoryFile | undefined): void;
  /** Whether the power went off. */
  readonly isOff: boolean;
}

/** Close, and use after close, are the same for all. */
abstract class Handle {
  readonly path: string;
  protected readonly host: MemoryHost;
  #file: MemoryFile | undefined;
  #closed = false;

  constructor(host: MemoryHost, path: string, file: MemoryFile | undefined) {
    this.host = host;
    this.path = path;
    this.#file = file;
    host.opened(file);
  }

  protected requireOpen(): void {
    if (this.#closed) throw closedError(this.path);
  }

  close(): Promise<void> {
    return this.host.later(() => this.closeSync());
  }

  closeSync(): void {
    if (this.#closed) return;
    // The descriptor is gone even when close reports an error.
    this.#closed = true;
    this.host.closed(this.#file);
    this.#file = undefined;
    this.host.perform({ kind: 'close', path: this.path }, () => {});
  }
}

/** See `RandomAccessFile`. */
export class MemoryRandomAccessFile extends Handle implements RandomAccessFile {
  readonly #bytes: MemoryFile;

  constructor(host: MemoryHost, path: string, file: MemoryFile) {
    super(host, path, file);
    this.#bytes = file;
  }

  read(buffer: Uint8Array, offset: number): Promise<number> {
    return this.host.later(() => this.readSync(buffer, offset));
  }

  readSync(buffer: Uint8Array, offset: number): number {
    this.requireOpen();
    return this.host.perform({ kind: 'read', path: this.path, offset, length: buffer.length }, () => {
      if (!Number.isSafeInteger(offset) || offset < 0) throw systemError('EINVAL');
      const count = this.#bytes.current.read(buffer, offset);
      this.host.afterRead(this.path, buffer, offset, count);
      return count;
    });
  }

  size(): Promise<number> {
    return this.host.later(() => this.sizeSync());
  }

  sizeSync(): number {
    this.requireOpen();
    return this.host.perform({ kind: 'size', path: this.path }, () => this.#bytes.current.size);
  }
}

/** See `WritableFile`. */
export class MemoryWritableFile extends Handle implements WritableFile {
  readonly #bytes: MemoryFile;
  #size: number;
  #failure: unknown;
  #busy = false;

  /** `size`: where appends begin. */
  constructor(host: MemoryHost, path: string, file: MemoryFile, size: number) {
    super(host, path, file);
    this.#bytes = file;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  get poisoned(): boolean {
    return this.#failure !== undefined;
  }

  append(parts: readonly Uint8Array[]): Promise<void> {
    return this.#alone(() => this.#append(parts));
  }

  appendSync(parts: readonly Uint8Array[]): void {
    assert(!this.#busy, `one append at a time: ${this.path}`);
    this.#append(parts);
  }

  truncate(size: number): Promise<void> {
    return this.#alone(() => this.#truncate(size));
  }

  truncateSync(size: number): void {
    assert(!this.#busy, `one append at a time: ${this.path}`);
    this.#truncate(size);
  }

  sync(_kind: 'data' | 'full'): Promise<void> {
    const limit = this.host.nextIndex;
    return this.host.later(() => this.#sync(limit));
  }

  syncSync(_kind: 'data' | 'full'): void {
    this.#sync(this.host.nextIndex);
  }

  #append(parts: readonly Uint8Array[]): void {
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    this.#change({ kind: 'append', path: this.path, length: total }, (index) => {
      // A full device takes what it has room for first: the short write that comes before ENOSPC.
      let room = this.host.roomFor(this.#bytes, total, this.#size);
      const isShort = room < total;
      for (const part of parts) {
        const bytes = part.length <= room ? part : part.subarray(0, room);
        if (bytes.length > 0) this.host.write(index, this.#bytes, bytes, this.#size);
        this.#size += bytes.length;
        room -= bytes.length;
      }
      if (isShort) throw systemError('ENOSPC');
    });
  }

  #truncate(size: number): void {
    this.#change({ kind: 'truncate', path: this.path, length: size }, (index) => {
      if (!Number.isSafeInteger(size) || size < 0 || size > this.#size) throw systemError('EINVAL');
      this.host.resize(index, this.#bytes, size);
      this.#size = size;
    });
  }

  #sync(limit: number): void {
    this.#requireUsable();
    let reached = false;
    try {
      this.#change({ kind: 'sync', path: this.path }, () => {
        reached = true;
        this.host.syncFile(this.#bytes, limit);
      });
    } catch (error) {
      if (!reached && !this.host.isOff) this.host.failSync(this.#bytes, limit);
      throw error;
    }
  }

  #change(operation: FileOperation, effect: (index: number) => void): void {
    this.#requireUsable();
    try {
      this.host.perform(operation, effect);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #requireUsable(): void {
    this.requireOpen();
    if (this.#failure !== undefined) throw poisonedError(this.path, this.#failure);
  }

  async #alone(call: () => void): Promise<void> {
    assert(!this.#busy, `one append at a time: ${this.path}`);
    this.#busy = true;
    try {
      await this.host.later(call);
    } finally {
      this.#busy = false;
    }
  }
}

/** See `Directory`. */
export class MemoryDirectoryHandle extends Handle implements Directory {
  readonly #directory: MemoryDirectory;

  constructor(host: MemoryHost, path: string, directory: MemoryDirectory) {
    super(host, path, undefined);
    this.#directory = directory;
  }

  sync(_reason: DirectorySyncReason): Promise<void> {
    const limit = this.host.nextIndex;
    return this.host.later(() => this.#sync(limit));
  }

  syncSync(_reason: DirectorySyncReason): void {
    this.#sync(this.host.nextIndex);
  }

  #sync(limit: number): void {
    this.requireOpen();
    this.host.perform({ kind: 'directory-sync', path: this.path }, () =>
      this.host.syncDirectory(this.#directory, limit),
    );
  }
}

/** See `FileLock`. */
export class MemoryFileLock implements FileLock {
  readonly path: string;
  readonly #host: MemoryHost;
  readonly #file: MemoryFile;
  #released = false;

  constructor(host: MemoryHost, path: string, file: MemoryFile) {
    this.path = path;
    this.#host = host;
    this.#file = file;
    host.opened(file);
  }

  release(): Promise<void> {
    return this.#host.later(() => this.releaseSync());
  }

  releaseSync(): void {
    if (this.#released) return;
    this.#released = true;
    this.#file.lockedSince = undefined;
    this.#host.closed(this.#file);
    this.#host.perform({ kind: 'unlock', path: this.path }, () => {});
  }
}
