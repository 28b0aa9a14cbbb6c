/**
 * A file system in memory that knows what a power cut would leave. Deterministic: its operations are numbered, the
 * order of completions may be drawn from a seed, and hooks may fail or stop any of them. Without `crashable` it is
 * just fast.
 */
import { assert } from '../../format/base/assert.ts';
import { DBError } from '../../format/base/db-error.ts';
import { type Clock, SystemClock } from './clock.ts';
import { type CrashModel, crashTree } from './crash-image.ts';
import { fileError, systemError } from './file-error.ts';
import { describeOperation, type FileOperation, type FileOperationKind } from './file-operation.ts';
import type {
  CreateOptions,
  Directory,
  FileLock,
  FileStat,
  FileSystem,
  FileSystemCapabilities,
  OpenOptions,
  RandomAccessFile,
  SequentialFile,
  WritableFile,
} from './file-system.ts';
import {
  MemoryDirectoryHandle,
  MemoryFileLock,
  type MemoryHost,
  MemoryRandomAccessFile,
  MemoryWritableFile,
} from './memory-handles.ts';
import {
  type EntryPlace,
  type FailedSyncOutcome,
  MemoryDirectory,
  MemoryFile,
  type MemoryNode,
  StalePages,
} from './memory-nodes.ts';
import { PagedBytes } from './memory-pages.ts';
import { PositionedFile } from './positioned-file.ts';
import type { Rng } from './random.ts';
import type { SeededScheduler } from './seeded-scheduler.ts';

/** What a hook orders: fail with that errno, or lose power here. */
export type HookOrder = { readonly errno: string } | 'power-off' | undefined;

/** Called around every operation with its number. An errno after the effect is a failure of something that happened. */
export interface MemoryFileSystemHooks {
  before?(index: number, operation: FileOperation): HookOrder;
  after?(index: number, operation: FileOperation): HookOrder;
  /** May change bytes that were read. */
  read?(path: string, buffer: Uint8Array, offset: number, count: number): void;
}

/** Settings of a `MemoryFileSystem`. */
export interface MemoryFileSystemOptions {
  /** Keep what `crashImage` needs. Default false. */
  readonly crashable?: boolean;
  /** Gives files their times. Default: the system's. */
  readonly clock?: Clock;
  /** Completes promise calls. Default: at once. */
  readonly scheduler?: SeededScheduler;
  readonly hooks?: MemoryFileSystemHooks;
  /** Bytes of all files together. Default: no limit. */
  readonly capacityBytes?: number;
  /** Handles open at once; above it EMFILE. Default: no limit. */
  readonly openFilesMax?: number;
  readonly caps?: Partial<FileSystemCapabilities>;
  /** What a sync leaves that a hook fails. Default `cached`. */
  readonly failedSyncOutcome?: FailedSyncOutcome;
}

const FREE_BYTES_UNLIMITED = 2n ** 44n;

/** See the head of this file. All files are gone with the object. */
export class MemoryFileSystem implements FileSystem, MemoryHost {
  readonly caps: FileSystemCapabilities;
  /** Undefined: other threads cannot see this memory. */
  readonly workerSpec = undefined;
  /** Bytes all files may take; may be changed at any time. */
  capacityBytes: number;
  hooks: MemoryFileSystemHooks;
  failedSyncOutcome: FailedSyncOutcome;
  /** One line an operation, when set to an array. */
  trace: string[] | undefined;

  readonly #crashable: boolean;
  readonly #clock: Clock;
  readonly #scheduler: SeededScheduler | undefined;
  readonly #openFilesMax: number;
  #root = new MemoryDirectory(new Map(), 0);
  #nextIndex = 0;
  #openFiles = 0;
  #usedBytes = 0;
  #isOff = false;
  readonly #unsyncedFiles = new Set<MemoryFile>();
  readonly #unsyncedDirectories = new Set<MemoryDirectory>();
  readonly #stale = new StalePages();

  constructor(options: MemoryFileSystemOptions = {}) {
    this.caps = { dirSync: true, locks: 'none', hardLink: true, punchHole: false, directIo: false, ...options.caps };
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    this.hooks = options.hooks ?? {};
    this.failedSyncOutcome = options.failedSyncOutcome ?? 'cached';
    this.#crashable = options.crashable ?? false;
    this.#clock = options.clock ?? new SystemClock();
    this.#scheduler = options.scheduler;
    this.#openFilesMax = options.openFilesMax ?? Number.POSITIVE_INFINITY;
  }

  /** The number of the next operation, which is the count of those so far. */
  get nextIndex(): number {
    return this.#nextIndex;
  }

  /** Handles and locks open now. */
  get openDescriptors(): number {
    return this.#openFiles;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  /** From here on every operation fails; `crashImage` shows what was left. */
  powerOff(): void {
    this.#isOff = true;
  }

  /** A file system as it may be found after a power cut now; everything in it is durable. This one goes on as before. */
  crashImage(model: CrashModel, rng: Rng): MemoryFileSystem {
    assert(this.#crashable, 'only a crashable file system knows what a power cut leaves');
    const image = new MemoryFileSystem({ crashable: true, clock: this.#clock, caps: this.caps });
    const nodes = { files: this.#unsyncedFiles, directories: this.#unsyncedDirectories };
    image.#root = crashTree(this.#root, nodes, this.#stale, model, rng);
    image.#usedBytes = bytesUnder(image.#root, new Set());
    return image;
  }

  /** Equal for trees of equal names and bytes, with the odds of a 64-bit hash for each page. Tells images apart. */
  contentHash(): string {
    return hashTree(this.#root);
  }

  openSequential(path: string, options?: OpenOptions): Promise<SequentialFile> {
    return this.later(() => this.openSequentialSync(path, options));
  }

  openSequentialSync(path: string, _options?: OpenOptions): SequentialFile {
    return new PositionedFile(this.#openFile('open-sequential', path));
  }

  openRandom(path: string, options?: OpenOptions): Promise<RandomAccessFile> {
    return this.later(() => this.openRandomSync(path, options));
  }

  openRandomSync(path: string, _options?: OpenOptions): RandomAccessFile {
    return this.#openFile('open-random', path);
  }

  createWritable(path: string, options?: CreateOptions): Promise<WritableFile> {
    return this.later(() => this.createWritableSync(path, options));
  }

  createWritableSync(path: string, _options?: CreateOptions): WritableFile {
    return this.#performOpen({ kind: 'create', path }, (index) => {
      const place = this.#place(path);
      if (place.directory.entries.has(place.name)) throw systemError('EEXIST');
      const file = new MemoryFile(new PagedBytes(), this.#clock.nowMicros());
      this.#change(index, undefined, { ...place, node: file });
      return new MemoryWritableFile(this, path, file, 0);
    });
  }

  reopenWritable(path: string, options?: { readonly truncateTo?: number }): Promise<WritableFile> {
    return this.later(() => this.reopenWritableSync(path, options));
  }

  reopenWritableSync(path: string, options: { readonly truncateTo?: number } = {}): WritableFile {
    return this.#performOpen({ kind: 'reopen', path }, (index) => {
      const file = this.#soleFile(path);
      const size = options.truncateTo ?? file.current.size;
      if (!Number.isSafeInteger(size) || size < 0 || size > file.current.size) throw systemError('EINVAL');
      if (size < file.current.size) this.resize(index, file, size);
      return new MemoryWritableFile(this, path, file, size);
    });
  }

  reuseWritable(oldPath: string, newPath: string): Promise<WritableFile> {
    return this.later(() => this.reuseWritableSync(oldPath, newPath));
  }

  reuseWritableSync(oldPath: string, newPath: string): WritableFile {
    return this.#performOpen({ kind: 'reuse', path: oldPath, to: newPath }, (index) => {
      const file = this.#soleFile(oldPath);
      this.#rename(index, oldPath, newPath);
      return new MemoryWritableFile(this, newPath, file, 0);
    });
  }

  openDirectory(path: string): Promise<Directory> {
    return this.later(() => this.openDirectorySync(path));
  }

  openDirectorySync(path: string): Directory {
    return this.#performOpen({ kind: 'open-directory', path }, () => {
      return new MemoryDirectoryHandle(this, path, this.#directory(path));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.later(() => this.renameSync(from, to));
  }

  renameSync(from: string, to: string): void {
    this.perform({ kind: 'rename', path: from, to }, (index) => this.#rename(index, from, to));
  }

  link(from: string, to: string): Promise<void> {
    return this.later(() => this.linkSync(from, to));
  }

  linkSync(from: string, to: string): void {
    this.perform({ kind: 'link', path: from, to }, (index) => {
      if (!this.caps.hardLink) throw systemError('EPERM');
      const node = this.#node(from);
      const place = this.#place(to);
      if (place.directory.entries.has(place.name)) throw systemError('EEXIST');
      if (node.kind !== 'file') throw systemError('EPERM');
      this.#change(index, undefined, { ...place, node });
    });
  }

  unlink(path: string): Promise<void> {
    return this.later(() => this.unlinkSync(path));
  }

  unlinkSync(path: string): void {
    this.perform({ kind: 'unlink', path }, (index) => {
      if (this.#node(path).kind !== 'file') throw systemError('EISDIR');
      this.#change(index, this.#place(path), undefined);
    });
  }

  mkdir(path: string, mode?: number): Promise<void> {
    return this.later(() => this.mkdirSync(path, mode));
  }

  mkdirSync(path: string, _mode?: number): void {
    this.perform({ kind: 'mkdir', path }, (index) => {
      if (partsOf(path).length === 0) throw systemError('EEXIST');
      const place = this.#place(path);
      if (place.directory.entries.has(place.name)) throw systemError('EEXIST');
      const node = new MemoryDirectory(new Map(), this.#clock.nowMicros());
      this.#change(index, undefined, { ...place, node });
    });
  }

  rmdir(path: string): Promise<void> {
    return this.later(() => this.rmdirSync(path));
  }

  rmdirSync(path: string): void {
    this.perform({ kind: 'rmdir', path }, (index) => {
      if (this.#directory(path).entries.size > 0) throw systemError('ENOTEMPTY');
      this.#change(index, this.#place(path), undefined);
    });
  }

  list(path: string): Promise<string[]> {
    return this.later(() => this.listSync(path));
  }

  listSync(path: string): string[] {
    return this.perform({ kind: 'list', path }, () => [...this.#directory(path).entries.keys()].sort());
  }

  stat(path: string): Promise<FileStat> {
    return this.later(() => this.statSync(path));
  }

  statSync(path: string): FileStat {
    return this.perform({ kind: 'stat', path }, () => {
      const node = this.#node(path);
      const { kind, modifiedMicros } = node;
      if (node.kind === 'directory') return { kind, size: 0, modifiedMicros, linkCount: 1 };
      return { kind, size: node.current.size, modifiedMicros, linkCount: node.links };
    });
  }

  exists(path: string): Promise<boolean> {
    return this.later(() => this.existsSync(path));
  }

  existsSync(path: string): boolean {
    return this.perform({ kind: 'exists', path }, () => this.#find(path) !== undefined);
  }

  truncate(path: string, size: number): Promise<void> {
    return this.later(() => this.truncateSync(path, size));
  }

  truncateSync(path: string, size: number): void {
    this.perform({ kind: 'truncate', path, length: size }, (index) => {
      const file = this.#soleFile(path);
      if (!Number.isSafeInteger(size) || size < 0) throw systemError('EINVAL');
      this.resize(index, file, size);
    });
  }

  lock(path: string): Promise<FileLock> {
    return this.later(() => this.lockSync(path));
  }

  lockSync(path: string): FileLock {
    return this.#performOpen({ kind: 'lock', path }, (index) => {
      const place = this.#place(path);
      let node = place.directory.entries.get(place.name);
      if (node === undefined) {
        node = new MemoryFile(new PagedBytes(), this.#clock.nowMicros());
        this.#change(index, undefined, { ...place, node });
      }
      if (node.kind !== 'file') throw systemError('EISDIR');
      if (node.lockedSince !== undefined) {
        const who = `acquire time ${node.lockedSince} acquiring thread 0`;
        throw new DBError('LOCKED', `lock hold by current process, ${who}: ${path}: No locks available`);
      }
      node.lockedSince = Math.floor(this.#clock.nowMicros() / 1_000_000);
      return new MemoryFileLock(this, path, node);
    });
  }

  freeSpace(path: string): Promise<bigint> {
    return this.later(() => this.freeSpaceSync(path));
  }

  freeSpaceSync(path: string): bigint {
    return this.perform({ kind: 'free-space', path }, () => {
      this.#node(path);
      if (!Number.isFinite(this.capacityBytes)) return FREE_BYTES_UNLIMITED;
      return BigInt(Math.max(0, this.capacityBytes - this.#usedBytes));
    });
  }

  perform<T>(operation: FileOperation, effect: (index: number) => T): T {
    const index = this.#nextIndex++;
    const obey = (order: HookOrder) => {
      if (order === 'power-off') this.powerOff();
      if (this.#isOff) throw fileError(operation.kind, operation.path, new Error('The power is off'));
      if (order !== undefined && order !== 'power-off') throw systemError(order.errno);
    };
    try {
      this.trace?.push(describeOperation(index, operation));
      obey(this.#isOff ? undefined : this.hooks.before?.(index, operation));
      const result = effect(index);
      obey(this.hooks.after?.(index, operation));
      return result;
    } catch (error) {
      throw fileError(operation.kind, operation.path, error);
    }
  }

  later<T>(call: () => T): Promise<T> {
    if (this.#scheduler !== undefined) return this.#scheduler.run(call);
    try {
      return Promise.resolve(call());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  roomFor(file: MemoryFile, wanted: number, offset: number): number {
    const growth = Math.max(0, offset + wanted - file.current.size);
    return wanted - Math.max(0, Math.min(growth, this.#usedBytes + growth - this.capacityBytes));
  }

  write(index: number, file: MemoryFile, bytes: Uint8Array, offset: number): void {
    const sizeBefore = file.current.size;
    file.write(this.#crashable ? index : undefined, bytes, offset);
    this.#changed(file, sizeBefore);
  }

  resize(index: number, file: MemoryFile, size: number): void {
    const sizeBefore = file.current.size;
    file.resize(this.#crashable ? index : undefined, size);
    this.#changed(file, sizeBefore);
  }

  syncFile(file: MemoryFile, limit: number): void {
    file.commit(limit);
    if (file.changes.length === 0) this.#unsyncedFiles.delete(file);
  }

  failSync(file: MemoryFile, limit: number): void {
    file.failSync(limit, this.failedSyncOutcome);
    if (file.changes.length === 0) this.#unsyncedFiles.delete(file);
  }

  syncDirectory(directory: MemoryDirectory, limit: number): void {
    if (!this.caps.dirSync) return;
    directory.commit(limit);
    for (const other of this.#unsyncedDirectories) {
      if (other.changes.length === 0) this.#unsyncedDirectories.delete(other);
    }
  }

  afterRead(path: string, buffer: Uint8Array, offset: number, count: number): void {
    this.hooks.read?.(path, buffer, offset, count);
  }

  opened(file: MemoryFile | undefined): void {
    this.#openFiles++;
    if (file !== undefined) file.handles++;
  }

  closed(file: MemoryFile | undefined): void {
    this.#openFiles--;
    if (file === undefined) return;
    file.handles--;
    this.#freeIfUnused(file);
  }

  #changed(file: MemoryFile, sizeBefore: number): void {
    this.#usedBytes += file.current.size - sizeBefore;
    file.modifiedMicros = this.#clock.nowMicros();
    if (this.#crashable) this.#unsyncedFiles.add(file);
  }

  #freeIfUnused(file: MemoryFile): void {
    if (file.links > 0 || file.handles > 0) return;
    this.#usedBytes -= file.current.size;
    if (this.#crashable) this.#stale.add(file.current);
    this.#unsyncedFiles.delete(file);
  }

  #openFile(kind: FileOperationKind, path: string): RandomAccessFile {
    return this.#performOpen({ kind, path }, () => {
      const node = this.#node(path);
      if (node.kind !== 'file') throw systemError('EISDIR');
      return new MemoryRandomAccessFile(this, path, node);
    });
  }

  /** Opens, and closes again when an after-hook fails what was opened. */
  #performOpen<T extends { closeSync(): void } | { releaseSync(): void }>(
    operation: FileOperation,
    effect: (index: number) => T,
  ): T {
    let handle: T | undefined;
    try {
      return this.perform(operation, (index) => {
        if (this.#openFiles >= this.#openFilesMax) throw systemError('EMFILE');
        handle = effect(index);
        return handle;
      });
    } catch (error) {
      this.#discard(handle);
      throw error;
    }
  }

  #discard(handle: { closeSync(): void } | { releaseSync(): void } | undefined): void {
    if (handle === undefined) return;
    try {
      if ('closeSync' in handle) handle.closeSync();
      else handle.releaseSync();
    } catch (error) {
      // Without power the close fails too, and says nothing that the failure of the open does not.
      assert(error instanceof DBError, 'a close fails with a DBError');
    }
  }

  #rename(index: number, from: string, to: string): void {
    // Both directories are looked up before either name, as Linux does: it decides which error is reported.
    const source = this.#place(from);
    const target = this.#place(to);
    const node = this.#node(from);
    const present = target.directory.entries.get(target.name);
    if (present === node) return;
    if (node.kind === 'directory' && isInside(target.directory, node)) throw systemError('EINVAL');
    if (present?.kind === 'directory' && isInside(source.directory, present)) throw systemError('ENOTEMPTY');
    if (present !== undefined) requireReplaceable(node, present);
    this.#change(index, source, { ...target, node });
  }

  /** The one place where names change. */
  #change(
    index: number,
    removed: EntryPlace | undefined,
    added: (EntryPlace & { readonly node: MemoryNode }) | undefined,
  ): void {
    const now = this.#clock.nowMicros();
    const gone: MemoryNode[] = [];
    if (added !== undefined) {
      const replaced = added.directory.entries.get(added.name);
      if (replaced !== undefined) gone.push(replaced);
      if (added.node.kind === 'file') added.node.links++;
      added.directory.modifiedMicros = now;
    }
    if (removed !== undefined) {
      gone.push(removed.directory.entries.get(removed.name)!);
      removed.directory.entries.delete(removed.name);
      removed.directory.modifiedMicros = now;
    }
    if (added !== undefined) added.directory.entries.set(added.name, added.node);
    for (const node of gone) {
      if (node.kind !== 'file') continue;
      node.links--;
      this.#freeIfUnused(node);
    }
    if (this.#crashable) this.#record(index, removed, added);
  }

  #record(
    index: number,
    removed: EntryPlace | undefined,
    added: (EntryPlace & { readonly node: MemoryNode }) | undefined,
  ): void {
    const directories = new Set<MemoryDirectory>();
    if (removed !== undefined) directories.add(removed.directory);
    if (added !== undefined) directories.add(added.directory);
    const change = { index, removed, added, unsynced: new Set(directories) };
    for (const directory of directories) {
      directory.record(change);
      this.#unsyncedDirectories.add(directory);
    }
  }

  #find(path: string): MemoryNode | undefined {
    let node: MemoryNode | undefined = this.#root;
    for (const part of partsOf(path)) {
      if (node?.kind !== 'directory') return undefined;
      node = node.entries.get(part);
    }
    return node;
  }

  #node(path: string): MemoryNode {
    const parts = partsOf(path);
    const node = parts.length === 0 ? this.#root : this.#place(path).directory.entries.get(parts.at(-1)!);
    if (node === undefined) throw systemError('ENOENT');
    return node;
  }

  #directory(path: string): MemoryDirectory {
    const node = this.#node(path);
    if (node.kind !== 'directory') throw systemError('ENOTDIR');
    return node;
  }

  /** A file whose bytes may be changed in place. */
  #soleFile(path: string): MemoryFile {
    const node = this.#node(path);
    if (node.kind !== 'file') throw systemError('EISDIR');
    if (node.links > 1) throw systemError('EMLINK');
    return node;
  }

  #place(path: string): EntryPlace {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw systemError('EBUSY');
    let directory = this.#root;
    for (const part of parts) {
      const node = directory.entries.get(part);
      if (node === undefined) throw systemError('ENOENT');
      if (node.kind !== 'directory') throw systemError('ENOTDIR');
      directory = node;
    }
    return { directory, name };
  }
}

function partsOf(path: string): string[] {
  if (!path.startsWith('/')) throw systemError('ENOENT');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts;
}

function isInside(directory: MemoryDirectory, ancestor: MemoryDirectory): boolean {
  if (directory === ancestor) return true;
  return [...ancestor.entries.values()].some((node) => node.kind === 'directory' && isInside(directory, node));
}

function requireReplaceable(moved: MemoryNode, present: MemoryNode): void {
  if (moved.kind === 'file' && present.kind === 'directory') throw systemError('EISDIR');
  if (moved.kind === 'directory' && present.kind === 'file') throw systemError('ENOTDIR');
  if (present.kind === 'directory' && present.entries.size > 0) throw systemError('ENOTEMPTY');
}

function bytesUnder(directory: MemoryDirectory, seen: Set<MemoryFile>): number {
  let total = 0;
  for (const node of directory.entries.values()) {
    if (node.kind === 'directory') total += bytesUnder(node, seen);
    else if (!seen.has(node)) {
      seen.add(node);
      total += node.current.size;
    }
  }
  return total;
}

function hashTree(directory: MemoryDirectory): string {
  const lines: string[] = [];
  for (const name of [...directory.entries.keys()].sort()) {
    const node = directory.entries.get(name)!;
    lines.push(`${JSON.stringify(name)}:${node.kind === 'file' ? node.current.hash() : hashTree(node)}`);
  }
  return `{${lines.join(';')}}`;
}
