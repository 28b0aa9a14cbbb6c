/** Open files, directories and locks of a fault-injecting file system. */
import { poisonedError } from './file-error.ts';
import type { FileOperation } from './file-operation.ts';
import type {
  Directory,
  DirectorySyncReason,
  FileLock,
  RandomAccessFile,
  SequentialFile,
  WritableFile,
} from './file-system.ts';

/** What handles need of their file system. */
export interface FaultHost {
  perform<T>(operation: FileOperation, call: () => T, shortened?: () => T): T;
  performAsync<T>(operation: FileOperation, call: () => Promise<T>, shortened?: () => Promise<T>): Promise<T>;
}

/** Half of a buffer: what a short read fills. */
function firstHalf(buffer: Uint8Array): Uint8Array {
  return buffer.subarray(0, Math.floor(buffer.length / 2));
}

/** The first half of the bytes of all parts: what a short write brings to the file. */
function firstHalfOfParts(parts: readonly Uint8Array[]): Uint8Array[] {
  let left = Math.floor(parts.reduce((sum, part) => sum + part.length, 0) / 2);
  const half: Uint8Array[] = [];
  for (const part of parts) {
    half.push(part.subarray(0, Math.min(left, part.length)));
    left -= Math.min(left, part.length);
  }
  return half;
}

/** See `RandomAccessFile`. */
export class FaultRandomAccessFile implements RandomAccessFile {
  readonly direct: boolean;
  readonly #host: FaultHost;
  readonly #inner: RandomAccessFile;

  constructor(host: FaultHost, inner: RandomAccessFile) {
    this.#host = host;
    this.#inner = inner;
    this.direct = inner.direct === true;
  }

  get path(): string {
    return this.#inner.path;
  }

  read(buffer: Uint8Array, offset: number): Promise<number> {
    return this.#host.performAsync(
      { kind: 'read', path: this.path, offset, length: buffer.length },
      () => this.#inner.read(buffer, offset),
      () => this.#inner.read(firstHalf(buffer), offset),
    );
  }

  readSync(buffer: Uint8Array, offset: number): number {
    return this.#host.perform(
      { kind: 'read', path: this.path, offset, length: buffer.length },
      () => this.#inner.readSync(buffer, offset),
      () => this.#inner.readSync(firstHalf(buffer), offset),
    );
  }

  size(): Promise<number> {
    return this.#host.performAsync({ kind: 'size', path: this.path }, () => this.#inner.size());
  }

  sizeSync(): number {
    return this.#host.perform({ kind: 'size', path: this.path }, () => this.#inner.sizeSync());
  }

  async close(): Promise<void> {
    await this.#host.performAsync({ kind: 'close', path: this.path }, () => this.#inner.close());
  }

  closeSync(): void {
    this.#host.perform({ kind: 'close', path: this.path }, () => this.#inner.closeSync());
  }
}

/** See `SequentialFile`. */
export class FaultSequentialFile implements SequentialFile {
  readonly #host: FaultHost;
  readonly #inner: SequentialFile;

  constructor(host: FaultHost, inner: SequentialFile) {
    this.#host = host;
    this.#inner = inner;
  }

  get path(): string {
    return this.#inner.path;
  }

  read(buffer: Uint8Array): Promise<number> {
    return this.#host.performAsync(
      { kind: 'read', path: this.path, length: buffer.length },
      () => this.#inner.read(buffer),
      () => this.#inner.read(firstHalf(buffer)),
    );
  }

  readSync(buffer: Uint8Array): number {
    return this.#host.perform(
      { kind: 'read', path: this.path, length: buffer.length },
      () => this.#inner.readSync(buffer),
      () => this.#inner.readSync(firstHalf(buffer)),
    );
  }

  skip(count: number): void {
    this.#inner.skip(count);
  }

  async close(): Promise<void> {
    await this.#host.performAsync({ kind: 'close', path: this.path }, () => this.#inner.close());
  }

  closeSync(): void {
    this.#host.perform({ kind: 'close', path: this.path }, () => this.#inner.closeSync());
  }
}

/** See `WritableFile`. An injected failure poisons this handle just as a real one poisons the inner. */
export class FaultWritableFile implements WritableFile {
  readonly #host: FaultHost;
  readonly #inner: WritableFile;
  #failure: unknown;

  constructor(host: FaultHost, inner: WritableFile) {
    this.#host = host;
    this.#inner = inner;
  }

  get path(): string {
    return this.#inner.path;
  }

  get size(): number {
    return this.#inner.size;
  }

  get poisoned(): boolean {
    return this.#failure !== undefined || this.#inner.poisoned;
  }

  append(parts: readonly Uint8Array[]): Promise<void> {
    return this.#watch(() =>
      this.#host.performAsync(
        { kind: 'append', path: this.path, length: totalOf(parts) },
        () => this.#inner.append(parts),
        () => this.#inner.append(firstHalfOfParts(parts)),
      ),
    );
  }

  appendSync(parts: readonly Uint8Array[]): void {
    this.#watchSync(() =>
      this.#host.perform(
        { kind: 'append', path: this.path, length: totalOf(parts) },
        () => this.#inner.appendSync(parts),
        () => this.#inner.appendSync(firstHalfOfParts(parts)),
      ),
    );
  }

  sync(kind: 'data' | 'full'): Promise<void> {
    return this.#watch(() => this.#host.performAsync({ kind: 'sync', path: this.path }, () => this.#inner.sync(kind)));
  }

  syncSync(kind: 'data' | 'full'): void {
    this.#watchSync(() => this.#host.perform({ kind: 'sync', path: this.path }, () => this.#inner.syncSync(kind)));
  }

  truncate(size: number): Promise<void> {
    const operation = { kind: 'truncate', path: this.path, length: size } as const;
    return this.#watch(() => this.#host.performAsync(operation, () => this.#inner.truncate(size)));
  }

  truncateSync(size: number): void {
    const operation = { kind: 'truncate', path: this.path, length: size } as const;
    this.#watchSync(() => this.#host.perform(operation, () => this.#inner.truncateSync(size)));
  }

  async close(): Promise<void> {
    await this.#host.performAsync({ kind: 'close', path: this.path }, () => this.#inner.close());
  }

  closeSync(): void {
    this.#host.perform({ kind: 'close', path: this.path }, () => this.#inner.closeSync());
  }

  async #watch(call: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw poisonedError(this.path, this.#failure);
    try {
      await call();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #watchSync(call: () => void): void {
    if (this.#failure !== undefined) throw poisonedError(this.path, this.#failure);
    try {
      call();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}

/** See `Directory`. */
export class FaultDirectory implements Directory {
  readonly #host: FaultHost;
  readonly #inner: Directory;

  constructor(host: FaultHost, inner: Directory) {
    this.#host = host;
    this.#inner = inner;
  }

  get path(): string {
    return this.#inner.path;
  }

  sync(reason: DirectorySyncReason): Promise<void> {
    return this.#host.performAsync({ kind: 'directory-sync', path: this.path }, () => this.#inner.sync(reason));
  }

  syncSync(reason: DirectorySyncReason): void {
    this.#host.perform({ kind: 'directory-sync', path: this.path }, () => this.#inner.syncSync(reason));
  }

  async close(): Promise<void> {
    await this.#host.performAsync({ kind: 'close', path: this.path }, () => this.#inner.close());
  }

  closeSync(): void {
    this.#host.perform({ kind: 'close', path: this.path }, () => this.#inner.closeSync());
  }
}

/** See `FileLock`. */
export class FaultFileLock implements FileLock {
  readonly #host: FaultHost;
  readonly #inner: FileLock;

  constructor(host: FaultHost, inner: FileLock) {
    this.#host = host;
    this.#inner = inner;
  }

  get path(): string {
    return this.#inner.path;
  }

  release(): Promise<void> {
    return this.#host.performAsync({ kind: 'unlock', path: this.path }, () => this.#inner.release());
  }

  releaseSync(): void {
    this.#host.perform({ kind: 'unlock', path: this.path }, () => this.#inner.releaseSync());
  }
}

function totalOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
