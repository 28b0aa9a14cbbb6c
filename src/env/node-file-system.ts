/** The file system of the machine, through node:fs. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { DIRECT_ALIGNMENT, DirectBuffers } from './direct-buffers.ts';
import { fileError, systemError } from './file-error.ts';
import type {
  CreateOptions,
  Directory,
  FileLock,
  FileStat,
  FileSystem,
  FileSystemCapabilities,
  FileSystemWorkerSpec,
  OpenOptions,
  RandomAccessFile,
  SequentialFile,
  WritableFile,
} from './file-system.ts';
import { LatencyGuard } from './latency-guard.ts';
import { type DescriptorCount, NodeDescriptor } from './node-descriptor.ts';
import { NodeDirectFile } from './node-direct-file.ts';
import { NodeDirectory, UnsyncedDirectory } from './node-directory.ts';
import { heldElsewhere, loadTryLock, lockDescriptor } from './node-file-lock.ts';
import { NodeRandomAccessFile } from './node-readable-files.ts';
import { NodeWritableFile } from './node-writable-file.ts';
import { PositionedFile } from './positioned-file.ts';

const { O_CREAT, O_EXCL } = fs.constants;
/** Zero where the system has no such flag (Windows). */
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0;
const O_DIRECTORY = fs.constants.O_DIRECTORY ?? 0;
const O_DIRECT = fs.constants.O_DIRECT ?? 0;
/** A named pipe that somebody planted must not hang the open; regular files do not care. */
const O_NONBLOCK = fs.constants.O_NONBLOCK ?? 0;
const O_RDONLY = fs.constants.O_RDONLY | O_NONBLOCK;
const O_WRONLY = fs.constants.O_WRONLY | O_NONBLOCK;
const O_RDWR = fs.constants.O_RDWR | O_NONBLOCK;

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** Opens of a LOCK file that somebody keeps deleting. */
const LOCK_ATTEMPTS_MAX = 10;

const OPEN_SEQUENTIAL = 'opening a file for sequentially reading';
const OPEN_RANDOM = 'open a file for random read';
const OPEN_APPEND = 'open a file for appending';
const REOPEN = 'reopen file for write';

const async = {
  open: promisify(fs.open),
  fstat: promisify(fs.fstat),
  ftruncate: promisify(fs.ftruncate),
  rename: promisify(fs.rename),
  link: promisify(fs.link),
  unlink: promisify(fs.unlink),
  mkdir: promisify(fs.mkdir),
  rmdir: promisify(fs.rmdir),
  readdir: promisify(fs.readdir),
  stat: promisify(fs.stat),
  statfs: promisify(fs.statfs),
};

/** Settings of a `NodeFileSystem`. */
export interface NodeFileSystemOptions {
  /** False: never load the native lock, use the owner file. Default true. */
  readonly nativeLocks?: boolean;
}

function attempt<T>(operation: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fileError(operation, path, error);
  }
}

async function attemptAsync<T>(operation: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fileError(operation, path, error);
  }
}

function toFileStat(stat: fs.Stats): FileStat {
  return {
    kind: stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other',
    size: stat.size,
    modifiedMicros: Math.round(stat.mtimeMs * 1000),
    linkCount: stat.nlink,
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Bytes changed in place change under every name of the file, perhaps one in a checkpoint. */
function requireOneName(stat: fs.Stats): void {
  if (!stat.isFile()) throw systemError(stat.isDirectory() ? 'EISDIR' : 'EINVAL');
  if (stat.nlink > 1) throw systemError('EMLINK');
}

function requireNotLonger(size: number, stat: fs.Stats): void {
  if (!Number.isSafeInteger(size) || size < 0 || size > stat.size) throw systemError('EINVAL');
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * node:fs. In the promise forms, short reads and appends run in place while the page cache serves them
 * (`latency-guard.ts`); everything else runs in libuv's pool.
 */
export class NodeFileSystem implements FileSystem {
  readonly workerSpec: FileSystemWorkerSpec = { kind: 'node' };
  readonly #nativeLocks: boolean;
  readonly #count: DescriptorCount = { open: 0 };
  readonly #readGuard = new LatencyGuard();
  readonly #appendGuard = new LatencyGuard();
  readonly #directBuffers = new DirectBuffers();
  /** Directories where a direct read has worked. */
  readonly #directDirectories = new Set<string>();

  constructor(options: NodeFileSystemOptions = {}) {
    this.#nativeLocks = options.nativeLocks ?? true;
  }

  get caps(): FileSystemCapabilities {
    const seenByAll = this.#tryLock() !== null && process.platform === 'linux';
    const dirSync = process.platform !== 'win32';
    const locks = seenByAll ? 'ofd' : 'advisory';
    return { dirSync, locks, hardLink: true, punchHole: false, directIo: O_DIRECT !== 0 };
  }

  /** Descriptors this file system holds open now. */
  get openDescriptors(): number {
    return this.#count.open;
  }

  async openSequential(path: string, options?: OpenOptions): Promise<SequentialFile> {
    return new PositionedFile(this.#readable(await this.#open(OPEN_SEQUENTIAL, path, readFlags(options))));
  }

  openSequentialSync(path: string, options?: OpenOptions): SequentialFile {
    return new PositionedFile(this.#readable(this.#openSync(OPEN_SEQUENTIAL, path, readFlags(options))));
  }

  async openRandom(path: string, options?: OpenOptions): Promise<RandomAccessFile> {
    const direct = options?.direct === true ? this.#openDirect(path, readFlags(options)) : undefined;
    return direct ?? this.#readable(await this.#open(OPEN_RANDOM, path, readFlags(options)));
  }

  openRandomSync(path: string, options?: OpenOptions): RandomAccessFile {
    const direct = options?.direct === true ? this.#openDirect(path, readFlags(options)) : undefined;
    if (direct !== undefined) return direct;
    return this.#readable(this.#openSync(OPEN_RANDOM, path, readFlags(options)));
  }

  async createWritable(path: string, options: CreateOptions = {}): Promise<WritableFile> {
    const flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY;
    return this.#writable(await this.#open(OPEN_APPEND, path, flags, options.mode), 0);
  }

  createWritableSync(path: string, options: CreateOptions = {}): WritableFile {
    const flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY;
    return this.#writable(this.#openSync(OPEN_APPEND, path, flags, options.mode), 0);
  }

  async reopenWritable(path: string, options: { readonly truncateTo?: number } = {}): Promise<WritableFile> {
    const descriptor = await this.#open(REOPEN, path, O_WRONLY | O_NOFOLLOW);
    try {
      const stat = await descriptor.use(REOPEN, (fd) => async.fstat(fd));
      const size = attempt(REOPEN, path, () => requireReopenable(stat, options.truncateTo));
      if (size < stat.size) await descriptor.use('truncating file', (fd) => async.ftruncate(fd, size));
      return this.#writable(descriptor, size);
    } catch (error) {
      await descriptor.close();
      throw error;
    }
  }

  reopenWritableSync(path: string, options: { readonly truncateTo?: number } = {}): WritableFile {
    const descriptor = this.#openSync(REOPEN, path, O_WRONLY | O_NOFOLLOW);
    try {
      const stat = descriptor.useSync(REOPEN, (fd) => fs.fstatSync(fd));
      const size = attempt(REOPEN, path, () => requireReopenable(stat, options.truncateTo));
      if (size < stat.size) descriptor.useSync('truncating file', (fd) => fs.ftruncateSync(fd, size));
      return this.#writable(descriptor, size);
    } catch (error) {
      descriptor.closeSync();
      throw error;
    }
  }

  async reuseWritable(oldPath: string, newPath: string): Promise<WritableFile> {
    const descriptor = await this.#open(REOPEN, oldPath, O_WRONLY | O_NOFOLLOW, FILE_MODE, newPath);
    try {
      await attemptAsync(REOPEN, oldPath, () =>
        descriptor.use(REOPEN, async (fd) => requireOneName(await async.fstat(fd))),
      );
      await this.rename(oldPath, newPath);
      return this.#writable(descriptor, 0);
    } catch (error) {
      await descriptor.close();
      throw error;
    }
  }

  reuseWritableSync(oldPath: string, newPath: string): WritableFile {
    const descriptor = this.#openSync(REOPEN, oldPath, O_WRONLY | O_NOFOLLOW, FILE_MODE, newPath);
    try {
      attempt(REOPEN, oldPath, () => descriptor.useSync(REOPEN, (fd) => requireOneName(fs.fstatSync(fd))));
      this.renameSync(oldPath, newPath);
      return this.#writable(descriptor, 0);
    } catch (error) {
      descriptor.closeSync();
      throw error;
    }
  }

  async openDirectory(path: string): Promise<Directory> {
    if (process.platform === 'win32') return new UnsyncedDirectory(path);
    return new NodeDirectory(await this.#open('open directory', path, O_RDONLY | O_DIRECTORY));
  }

  openDirectorySync(path: string): Directory {
    if (process.platform === 'win32') return new UnsyncedDirectory(path);
    return new NodeDirectory(this.#openSync('open directory', path, O_RDONLY | O_DIRECTORY));
  }

  rename(from: string, to: string): Promise<void> {
    return attemptAsync(`renaming a file to ${to}`, from, () => async.rename(from, to));
  }

  renameSync(from: string, to: string): void {
    attempt(`renaming a file to ${to}`, from, () => fs.renameSync(from, to));
  }

  link(from: string, to: string): Promise<void> {
    return attemptAsync(`link file to ${to}`, from, () => async.link(from, to));
  }

  linkSync(from: string, to: string): void {
    attempt(`link file to ${to}`, from, () => fs.linkSync(from, to));
  }

  unlink(path: string): Promise<void> {
    return attemptAsync('unlink() file', path, () => async.unlink(path));
  }

  unlinkSync(path: string): void {
    attempt('unlink() file', path, () => fs.unlinkSync(path));
  }

  async mkdir(path: string, mode = DIRECTORY_MODE): Promise<void> {
    await attemptAsync('mkdir', path, () => async.mkdir(path, { mode }));
  }

  mkdirSync(path: string, mode = DIRECTORY_MODE): void {
    attempt('mkdir', path, () => fs.mkdirSync(path, { mode }));
  }

  rmdir(path: string): Promise<void> {
    return attemptAsync('rmdir', path, () => async.rmdir(path));
  }

  rmdirSync(path: string): void {
    attempt('rmdir', path, () => fs.rmdirSync(path));
  }

  async list(path: string): Promise<string[]> {
    return (await attemptAsync('opendir', path, () => async.readdir(path))).sort(compareNames);
  }

  listSync(path: string): string[] {
    return attempt('opendir', path, () => fs.readdirSync(path)).sort(compareNames);
  }

  async stat(path: string): Promise<FileStat> {
    return toFileStat(await attemptAsync('stat a file', path, () => async.stat(path)));
  }

  statSync(path: string): FileStat {
    return toFileStat(attempt('stat a file', path, () => fs.statSync(path)));
  }

  exists(path: string): Promise<boolean> {
    return attemptAsync('stat a file', path, async () => {
      try {
        await async.stat(path);
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    });
  }

  existsSync(path: string): boolean {
    return attempt('stat a file', path, () => {
      try {
        fs.statSync(path);
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    });
  }

  async truncate(path: string, size: number): Promise<void> {
    const descriptor = await this.#open('truncate', path, O_WRONLY | O_NOFOLLOW);
    try {
      await descriptor.use('truncate', async (fd) => {
        requireOneName(await async.fstat(fd));
        await async.ftruncate(fd, size);
      });
    } finally {
      await descriptor.close();
    }
  }

  truncateSync(path: string, size: number): void {
    const descriptor = this.#openSync('truncate', path, O_WRONLY | O_NOFOLLOW);
    try {
      descriptor.useSync('truncate', (fd) => {
        requireOneName(fs.fstatSync(fd));
        fs.ftruncateSync(fd, size);
      });
    } finally {
      descriptor.closeSync();
    }
  }

  async lock(path: string): Promise<FileLock> {
    for (let i = 0; i < LOCK_ATTEMPTS_MAX; i++) {
      const fd = await attemptAsync('lock file', path, () =>
        async.open(path, O_CREAT | O_RDWR | O_NOFOLLOW, FILE_MODE),
      );
      const lock = lockDescriptor(path, fd, this.#tryLock(), this.#count);
      if (lock !== undefined) return lock;
    }
    throw heldElsewhere(path);
  }

  lockSync(path: string): FileLock {
    for (let i = 0; i < LOCK_ATTEMPTS_MAX; i++) {
      const fd = attempt('lock file', path, () => fs.openSync(path, O_CREAT | O_RDWR | O_NOFOLLOW, FILE_MODE));
      const lock = lockDescriptor(path, fd, this.#tryLock(), this.#count);
      if (lock !== undefined) return lock;
    }
    throw heldElsewhere(path);
  }

  async freeSpace(path: string): Promise<bigint> {
    const stat = await attemptAsync('statfs', path, () => async.statfs(path, { bigint: true }));
    return stat.bavail * stat.bsize;
  }

  freeSpaceSync(path: string): bigint {
    const stat = attempt('statfs', path, () => fs.statfsSync(path, { bigint: true }));
    return stat.bavail * stat.bsize;
  }

  /**
   * Opens a file for direct reads; `undefined` where the system refuses them, or fails in a way that the usual open will tell.
   * Some file systems take the flag and refuse the reads, so the first file of a directory is tried out.
   */
  #openDirect(path: string, flags: number): RandomAccessFile | undefined {
    if (O_DIRECT === 0) return undefined;
    let fd: number;
    try {
      fd = fs.openSync(path, flags | O_DIRECT);
    } catch {
      return undefined;
    }
    const file = new NodeDirectFile(new NodeDescriptor(path, fd, this.#count), this.#directBuffers);
    const directory = path.slice(0, path.lastIndexOf('/'));
    if (this.#directDirectories.has(directory)) return file;
    try {
      fs.readSync(fd, this.#directBuffers.sync, 0, DIRECT_ALIGNMENT, 0);
    } catch {
      file.closeSync();
      return undefined;
    }
    this.#directDirectories.add(directory);
    return file;
  }

  #tryLock(): ((fd: number) => boolean) | null {
    return this.#nativeLocks ? loadTryLock() : null;
  }

  #readable(descriptor: NodeDescriptor): RandomAccessFile {
    return new NodeRandomAccessFile(descriptor, this.#readGuard);
  }

  #writable(descriptor: NodeDescriptor, size: number): WritableFile {
    return new NodeWritableFile(descriptor, this.#appendGuard, size);
  }

  /** `nameAfter`: what the file will be called in messages, when its name is about to change. */
  async #open(
    operation: string,
    path: string,
    flags: number,
    mode = FILE_MODE,
    nameAfter = path,
  ): Promise<NodeDescriptor> {
    const fd = await attemptAsync(operation, path, () => async.open(path, flags, mode));
    return new NodeDescriptor(nameAfter, fd, this.#count);
  }

  #openSync(operation: string, path: string, flags: number, mode = FILE_MODE, nameAfter = path): NodeDescriptor {
    const fd = attempt(operation, path, () => fs.openSync(path, flags, mode));
    return new NodeDescriptor(nameAfter, fd, this.#count);
  }
}

function readFlags(options: OpenOptions | undefined): number {
  return options?.noFollow === true ? O_RDONLY | O_NOFOLLOW : O_RDONLY;
}

/** Where appends will begin. */
function requireReopenable(stat: fs.Stats, truncateTo: number | undefined): number {
  requireOneName(stat);
  const size = truncateTo ?? stat.size;
  requireNotLonger(size, stat);
  return size;
}
