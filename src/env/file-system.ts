/**
 * The only door to disk. Everything above asks a `FileSystem` for files, directories and locks; node:fs, the clock and
 * chance are imported nowhere outside `src/env`, so that the same engine runs on a disk, in memory, and on a disk that
 * fails or loses its power where a test wants it.
 *
 * Every call has a blocking twin with the same answer (`x` and `xSync`). What all implementations promise, checked by
 * one suite (`test/conformance/file-system-suite.ts`):
 * - An append that resolved survives a killed process. Only `sync` makes it survive a power cut, and it covers only
 *   appends that completed before the call.
 * - The *name* of a new file is durable after `Directory.sync` of its directory, not before; the same holds for
 *   `rename`, `link`, `unlink` and `mkdir`.
 * - `rename` is atomic for observers and for crashes. It may become durable before the data of the file does.
 * - Short writes, EINTR and EAGAIN are retried inside; everything else surfaces as a `DBError` that names the operation,
 *   the path and the error of the system (`file-error.ts` tells them apart).
 * - An unlinked or replaced file stays readable through handles that are open.
 */
import type { WritableFile as AppendableFile, RandomAccessFile } from '../../format/base/file-handles.ts';

export type { RandomAccessFile } from '../../format/base/file-handles.ts';

/** What a file system can do; the engine adapts to what is missing. */
export interface FileSystemCapabilities {
  /** Whether `Directory.sync` makes names durable; where false it does nothing (Windows). */
  readonly dirSync: boolean;
  /** `ofd`: seen by every process, C++ RocksDB included. `advisory`: seen by Pumice only. `none`: within this thread. */
  readonly locks: 'ofd' | 'advisory' | 'none';
  readonly hardLink: boolean;
  readonly punchHole: boolean;
  /** Whether `OpenOptions.direct` can be obeyed; single files may still refuse it. */
  readonly directIo: boolean;
}

/** How to make an equal file system in a worker thread. */
export type FileSystemWorkerSpec =
  | { readonly kind: 'node' }
  /** A module whose `export` (default: `default`) is called with `options` (plain data) and returns a `FileSystem`. */
  | { readonly kind: 'module'; readonly module: string; readonly export?: string; readonly options?: unknown };

/** How to open a file that exists. */
export interface OpenOptions {
  /** Refuse a path that is a symbolic link. Default false: users do move tables to other disks with links. */
  readonly noFollow?: boolean;
  /** `openRandom` only: read past the page cache. Where that cannot be, the file is opened as usual; its `direct` tells. */
  readonly direct?: boolean;
}

/** How to create a file. */
export interface CreateOptions {
  /** Permission bits before the umask. Default 0o600: nobody else reads the data. */
  readonly mode?: number;
}

/** What `stat` tells; links are followed. */
export interface FileStat {
  readonly kind: 'file' | 'directory' | 'other';
  /** Bytes; for directories not meaningful. */
  readonly size: number;
  /** Microseconds since 1970. */
  readonly modifiedMicros: number;
  /** Names this file has; above 1, changing its bytes in place changes somebody else's file. */
  readonly linkCount: number;
}

/** A file read from front to back. One read at a time. */
export interface SequentialFile {
  readonly path: string;
  /** Fills `buffer` from the position and moves on; resolves to the bytes read, fewer only at end of file. */
  read(buffer: Uint8Array): Promise<number>;
  readSync(buffer: Uint8Array): number;
  /** Moves the position; past the end of the file reads give 0. */
  skip(count: number): void;
  close(): Promise<void>;
  closeSync(): void;
}

/**
 * A file that grows at its end; see `format/base/file-handles.ts` for append, sync and poisoning. REQUIRES: one append
 * or truncate at a time; a sync may overlap them, and then covers only what completed before it was called.
 *
 * There is no `flush`: no bytes wait in user space. There is no `allocate` or `rangeSync` either: node:fs has neither
 * fallocate nor sync_file_range, and both are only hints.
 */
export interface WritableFile extends AppendableFile {
  /** Cuts the file to `size`, not above its present size. Appends go on from there. */
  truncate(size: number): Promise<void>;
  truncateSync(size: number): void;
}

/** Why a directory is synced. RocksDB's reasons; only traces and fault rules look at them. */
export type DirectorySyncReason = 'file-created' | 'renamed' | 'deleted';

/** An open directory: what makes names durable. */
export interface Directory {
  readonly path: string;
  /** Makes all creations, renames and unlinks in this directory durable that completed before the call. */
  sync(reason: DirectorySyncReason): Promise<void>;
  syncSync(reason: DirectorySyncReason): void;
  close(): Promise<void>;
  closeSync(): void;
}

/** A held lock. A process that dies gives it back by that. */
export interface FileLock {
  readonly path: string;
  /** Idempotent. */
  release(): Promise<void>;
  releaseSync(): void;
}

/**
 * A file system. Paths are absolute. Failures are `DBError`s: `NO_SPACE` (ENOSPC, EDQUOT), `LOCKED` (`lock` only),
 * `CLOSED` (a handle used after its close), else `IO_ERROR`; `errnoOf` and `isNotFound` in `file-error.ts` say more.
 */
export interface FileSystem {
  readonly caps: FileSystemCapabilities;
  /** Absent: the files live in this thread, and jobs that need them run here, in slices. */
  readonly workerSpec?: FileSystemWorkerSpec | undefined;

  openSequential(path: string, options?: OpenOptions): Promise<SequentialFile>;
  openSequentialSync(path: string, options?: OpenOptions): SequentialFile;
  openRandom(path: string, options?: OpenOptions): Promise<RandomAccessFile>;
  openRandomSync(path: string, options?: OpenOptions): RandomAccessFile;

  /** Creates a file that must not exist; a symbolic link that stands there counts as existing (EEXIST). */
  createWritable(path: string, options?: CreateOptions): Promise<WritableFile>;
  createWritableSync(path: string, options?: CreateOptions): WritableFile;
  /** Opens an existing file to append to it. `truncateTo` cuts it first. Refuses symbolic links and files of several names. */
  reopenWritable(path: string, options?: { readonly truncateTo?: number }): Promise<WritableFile>;
  reopenWritableSync(path: string, options?: { readonly truncateTo?: number }): WritableFile;
  /**
   * Renames `oldPath` to `newPath` and opens it to be overwritten from offset 0 without truncation (recycled WAL): the
   * old bytes behind the position stay, `size` counts from 0. Refuses symbolic links and files of several names.
   */
  reuseWritable(oldPath: string, newPath: string): Promise<WritableFile>;
  reuseWritableSync(oldPath: string, newPath: string): WritableFile;

  openDirectory(path: string): Promise<Directory>;
  openDirectorySync(path: string): Directory;

  /** Replaces `to` if it exists. Moves directories too. */
  rename(from: string, to: string): Promise<void>;
  renameSync(from: string, to: string): void;
  /** A second name of one file. EXDEV, EPERM or no `caps.hardLink`: the caller copies. */
  link(from: string, to: string): Promise<void>;
  linkSync(from: string, to: string): void;
  unlink(path: string): Promise<void>;
  unlinkSync(path: string): void;
  /** EEXIST when there is something of that name. Default mode 0o700. */
  mkdir(path: string, mode?: number): Promise<void>;
  mkdirSync(path: string, mode?: number): void;
  rmdir(path: string): Promise<void>;
  rmdirSync(path: string): void;
  /** Names in a directory, without `.` and `..`, in order of their UTF-16 units. */
  list(path: string): Promise<string[]>;
  listSync(path: string): string[];
  stat(path: string): Promise<FileStat>;
  statSync(path: string): FileStat;
  /** False for what is not there; other failures throw. */
  exists(path: string): Promise<boolean>;
  existsSync(path: string): boolean;
  /** Cuts a file that nobody has open, or lengthens it with zeros. Refuses symbolic links and files of several names. */
  truncate(path: string, size: number): Promise<void>;
  truncateSync(path: string, size: number): void;

  /** Creates the file if need be, never changes its bytes, and holds an exclusive lock on it. `LOCKED` when another has it. */
  lock(path: string): Promise<FileLock>;
  lockSync(path: string): FileLock;
  /** Bytes that an ordinary user may still write. */
  freeSpace(path: string): Promise<bigint>;
  freeSpaceSync(path: string): bigint;
}
