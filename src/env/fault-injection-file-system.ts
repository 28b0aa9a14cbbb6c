/**
 * A file system that fails on order: every call of an inner file system counted, traced, and failed or killed where a
 * rule says so. Over the machine's file system and over the one in memory alike.
 */
import { DBError } from '../../format/base/db-error.ts';
import {
  FaultDirectory,
  FaultFileLock,
  type FaultHost,
  FaultRandomAccessFile,
  FaultSequentialFile,
  FaultWritableFile,
} from './fault-handles.ts';
import { fileError, systemError } from './file-error.ts';
import { describeOperation, type FileOperation, type FileOperationKind, fileKindOf } from './file-operation.ts';
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
import { NodeFileSystem } from './node-file-system.ts';
import { SeededRandom } from './random.ts';

/**
 * How a call fails: with that errno and no effect; `short-write`: half of the bytes reach the file, then EIO;
 * `short-read`: half of the bytes asked for, as at an end of file.
 */
export type Fault = 'EIO' | 'ENOSPC' | 'EMFILE' | 'EACCES' | 'short-write' | 'short-read';

/** Which calls fail, and how. */
export interface FaultRule {
  readonly fault: Fault;
  /** Default: every kind. */
  readonly kinds?: readonly FileOperationKind[];
  /** Tried on the path, and on the new name of renames. Default: every path. */
  readonly path?: RegExp;
  /** The first matching call that fails, from 1. Default 1. */
  readonly nth?: number;
  /** All later matching calls fail too. Default false. */
  readonly sticky?: boolean;
  /** The call takes effect and then fails; not for the short kinds. Default false. */
  readonly afterEffect?: boolean;
}

/** A rule at work. */
export interface ActiveFault {
  readonly rule: FaultRule;
  /** Calls that matched so far. */
  matches: number;
  /** Calls that were failed so far. */
  injected: number;
}

/** Called at `before:<kind>:<file kind>` and `after:<kind>:<file kind>` of every call. */
export type PointHook = (point: string, operation: FileOperation) => void;

/** Settings of a `FaultFileSystem`. */
export interface FaultFileSystemOptions {
  readonly onPoint?: PointHook;
  /** Count calls by the place in the source that made them. Slow. Default false. */
  readonly recordCallSites?: boolean;
  /** How a worker makes an equal file system. Default: it cannot. */
  readonly workerSpec?: FileSystemWorkerSpec;
}

function matchesRule(rule: FaultRule, operation: FileOperation): boolean {
  if (rule.fault === 'short-write' && operation.kind !== 'append') return false;
  if (rule.fault === 'short-read' && operation.kind !== 'read') return false;
  if (rule.kinds !== undefined && !rule.kinds.includes(operation.kind)) return false;
  if (rule.path === undefined) return true;
  return rule.path.test(operation.path) || (operation.to !== undefined && rule.path.test(operation.to));
}

/** The first frame of the stack outside this folder. */
function callSite(): string {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  const frame = frames.find((line) => !line.includes('/env/') && !line.includes('/base/io.')) ?? '';
  return frame.replace(/^\s*at /, '');
}

/** See the head of this file. Closing or discarding it does nothing to the inner one. */
export class FaultFileSystem implements FileSystem, FaultHost {
  readonly inner: FileSystem;
  readonly workerSpec: FileSystemWorkerSpec | undefined;
  /** Calls by the place in the source that made them. */
  readonly callSites: Map<string, number> = new Map();
  /** One line a call, when set to an array. */
  trace: string[] | undefined;
  onPoint: PointHook | undefined;
  readonly #recordCallSites: boolean;
  #faults: ActiveFault[] = [];
  #count = 0;

  constructor(inner: FileSystem, options: FaultFileSystemOptions = {}) {
    this.inner = inner;
    this.onPoint = options.onPoint;
    this.#recordCallSites = options.recordCallSites ?? false;
    this.workerSpec = options.workerSpec;
  }

  get caps(): FileSystemCapabilities {
    return this.inner.caps;
  }

  /** Calls so far. */
  get count(): number {
    return this.#count;
  }

  /** Adds a rule. Its counters start now. */
  inject(rule: FaultRule): ActiveFault {
    const fault = { rule, matches: 0, injected: 0 };
    this.#faults.push(fault);
    return fault;
  }

  /** Removes all rules. */
  clear(): void {
    this.#faults = [];
  }

  perform<T>(operation: FileOperation, call: () => T, shortened?: () => T): T {
    const fault = this.#enter(operation);
    if (fault !== undefined) this.#failBefore(operation, fault);
    const result = shortened !== undefined && isShort(fault) ? shortened() : call();
    this.#leave(operation, fault, result);
    return result;
  }

  async performAsync<T>(operation: FileOperation, call: () => Promise<T>, shortened?: () => Promise<T>): Promise<T> {
    const fault = this.#enter(operation);
    if (fault !== undefined) this.#failBefore(operation, fault);
    const result = await (shortened !== undefined && isShort(fault) ? shortened() : call());
    this.#leave(operation, fault, result);
    return result;
  }

  async openSequential(path: string, options?: OpenOptions): Promise<SequentialFile> {
    const operation = { kind: 'open-sequential', path } as const;
    const file = await this.performAsync(operation, () => this.inner.openSequential(path, options));
    return new FaultSequentialFile(this, file);
  }

  openSequentialSync(path: string, options?: OpenOptions): SequentialFile {
    const operation = { kind: 'open-sequential', path } as const;
    return new FaultSequentialFile(
      this,
      this.perform(operation, () => this.inner.openSequentialSync(path, options)),
    );
  }

  async openRandom(path: string, options?: OpenOptions): Promise<RandomAccessFile> {
    const operation = { kind: 'open-random', path } as const;
    const file = await this.performAsync(operation, () => this.inner.openRandom(path, options));
    return new FaultRandomAccessFile(this, file);
  }

  openRandomSync(path: string, options?: OpenOptions): RandomAccessFile {
    const operation = { kind: 'open-random', path } as const;
    return new FaultRandomAccessFile(
      this,
      this.perform(operation, () => this.inner.openRandomSync(path, options)),
    );
  }

  async createWritable(path: string, options?: CreateOptions): Promise<WritableFile> {
    const file = await this.performAsync({ kind: 'create', path }, () => this.inner.createWritable(path, options));
    return new FaultWritableFile(this, file);
  }

  createWritableSync(path: string, options?: CreateOptions): WritableFile {
    return new FaultWritableFile(
      this,
      this.perform({ kind: 'create', path }, () => this.inner.createWritableSync(path, options)),
    );
  }

  async reopenWritable(path: string, options?: { readonly truncateTo?: number }): Promise<WritableFile> {
    const file = await this.performAsync({ kind: 'reopen', path }, () => this.inner.reopenWritable(path, options));
    return new FaultWritableFile(this, file);
  }

  reopenWritableSync(path: string, options?: { readonly truncateTo?: number }): WritableFile {
    return new FaultWritableFile(
      this,
      this.perform({ kind: 'reopen', path }, () => this.inner.reopenWritableSync(path, options)),
    );
  }

  async reuseWritable(oldPath: string, newPath: string): Promise<WritableFile> {
    const operation = { kind: 'reuse', path: oldPath, to: newPath } as const;
    const file = await this.performAsync(operation, () => this.inner.reuseWritable(oldPath, newPath));
    return new FaultWritableFile(this, file);
  }

  reuseWritableSync(oldPath: string, newPath: string): WritableFile {
    const operation = { kind: 'reuse', path: oldPath, to: newPath } as const;
    return new FaultWritableFile(
      this,
      this.perform(operation, () => this.inner.reuseWritableSync(oldPath, newPath)),
    );
  }

  async openDirectory(path: string): Promise<Directory> {
    const operation = { kind: 'open-directory', path } as const;
    return new FaultDirectory(this, await this.performAsync(operation, () => this.inner.openDirectory(path)));
  }

  openDirectorySync(path: string): Directory {
    const operation = { kind: 'open-directory', path } as const;
    return new FaultDirectory(
      this,
      this.perform(operation, () => this.inner.openDirectorySync(path)),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return this.performAsync({ kind: 'rename', path: from, to }, () => this.inner.rename(from, to));
  }

  renameSync(from: string, to: string): void {
    this.perform({ kind: 'rename', path: from, to }, () => this.inner.renameSync(from, to));
  }

  link(from: string, to: string): Promise<void> {
    return this.performAsync({ kind: 'link', path: from, to }, () => this.inner.link(from, to));
  }

  linkSync(from: string, to: string): void {
    this.perform({ kind: 'link', path: from, to }, () => this.inner.linkSync(from, to));
  }

  unlink(path: string): Promise<void> {
    return this.performAsync({ kind: 'unlink', path }, () => this.inner.unlink(path));
  }

  unlinkSync(path: string): void {
    this.perform({ kind: 'unlink', path }, () => this.inner.unlinkSync(path));
  }

  mkdir(path: string, mode?: number): Promise<void> {
    return this.performAsync({ kind: 'mkdir', path }, () => this.inner.mkdir(path, mode));
  }

  mkdirSync(path: string, mode?: number): void {
    this.perform({ kind: 'mkdir', path }, () => this.inner.mkdirSync(path, mode));
  }

  rmdir(path: string): Promise<void> {
    return this.performAsync({ kind: 'rmdir', path }, () => this.inner.rmdir(path));
  }

  rmdirSync(path: string): void {
    this.perform({ kind: 'rmdir', path }, () => this.inner.rmdirSync(path));
  }

  list(path: string): Promise<string[]> {
    return this.performAsync({ kind: 'list', path }, () => this.inner.list(path));
  }

  listSync(path: string): string[] {
    return this.perform({ kind: 'list', path }, () => this.inner.listSync(path));
  }

  stat(path: string): Promise<FileStat> {
    return this.performAsync({ kind: 'stat', path }, () => this.inner.stat(path));
  }

  statSync(path: string): FileStat {
    return this.perform({ kind: 'stat', path }, () => this.inner.statSync(path));
  }

  exists(path: string): Promise<boolean> {
    return this.performAsync({ kind: 'exists', path }, () => this.inner.exists(path));
  }

  existsSync(path: string): boolean {
    return this.perform({ kind: 'exists', path }, () => this.inner.existsSync(path));
  }

  truncate(path: string, size: number): Promise<void> {
    return this.performAsync({ kind: 'truncate', path, length: size }, () => this.inner.truncate(path, size));
  }

  truncateSync(path: string, size: number): void {
    this.perform({ kind: 'truncate', path, length: size }, () => this.inner.truncateSync(path, size));
  }

  async lock(path: string): Promise<FileLock> {
    return new FaultFileLock(this, await this.performAsync({ kind: 'lock', path }, () => this.inner.lock(path)));
  }

  lockSync(path: string): FileLock {
    return new FaultFileLock(
      this,
      this.perform({ kind: 'lock', path }, () => this.inner.lockSync(path)),
    );
  }

  freeSpace(path: string): Promise<bigint> {
    return this.performAsync({ kind: 'free-space', path }, () => this.inner.freeSpace(path));
  }

  freeSpaceSync(path: string): bigint {
    return this.perform({ kind: 'free-space', path }, () => this.inner.freeSpaceSync(path));
  }

  #enter(operation: FileOperation): FaultRule | undefined {
    this.trace?.push(describeOperation(this.#count, operation));
    this.#count++;
    if (this.#recordCallSites) {
      const site = callSite();
      this.callSites.set(site, (this.callSites.get(site) ?? 0) + 1);
    }
    this.onPoint?.(`before:${operation.kind}:${fileKindOf(operation.to ?? operation.path)}`, operation);
    return this.#drawFault(operation);
  }

  #drawFault(operation: FileOperation): FaultRule | undefined {
    let drawn: FaultRule | undefined;
    for (const fault of this.#faults) {
      if (!matchesRule(fault.rule, operation)) continue;
      fault.matches++;
      const nth = fault.rule.nth ?? 1;
      if (drawn !== undefined || fault.matches < nth) continue;
      if (fault.matches > nth && fault.rule.sticky !== true) continue;
      fault.injected++;
      drawn = fault.rule;
    }
    return drawn;
  }

  #failBefore(operation: FileOperation, rule: FaultRule): void {
    if (isShort(rule) || rule.afterEffect === true || releases(operation)) return;
    throw fileError(operation.kind, operation.path, systemError(rule.fault));
  }

  #leave(operation: FileOperation, rule: FaultRule | undefined, result: unknown): void {
    this.onPoint?.(`after:${operation.kind}:${fileKindOf(operation.to ?? operation.path)}`, operation);
    if (rule === undefined || rule.fault === 'short-read') return;
    discard(result);
    throw fileError(operation.kind, operation.path, systemError(rule.fault === 'short-write' ? 'EIO' : rule.fault));
  }
}

/** A close that reports an error has closed all the same. */
function releases(operation: FileOperation): boolean {
  return operation.kind === 'close' || operation.kind === 'unlock';
}

function isShort(rule: FaultRule | undefined): boolean {
  return rule?.fault === 'short-write' || rule?.fault === 'short-read';
}

/** The caller of a failed open gets no handle, so nobody else would close it. */
function discard(result: unknown): void {
  if (typeof result !== 'object' || result === null) return;
  if ('closeSync' in result && typeof result.closeSync === 'function') result.closeSync();
  else if ('releaseSync' in result && typeof result.releaseSync === 'function') result.releaseSync();
}

/** Where a process kills itself, as plain data that travels to workers. */
export interface KillPoint {
  /** `before:sync:wal`, `after:rename:current`, …; `*` in a place stands for all. */
  readonly point: string;
  /** One call in `odds` kills, drawn with `seed`. Default 1: the first. */
  readonly odds?: number;
  readonly seed?: number;
}

/** A hook that sends SIGKILL to its own process at the point: no handler runs, nothing is flushed. */
export function killAt(kill: KillPoint): PointHook {
  const rng = new SeededRandom(kill.seed ?? 0);
  const wanted = kill.point.split(':');
  return (point) => {
    const isHit = point.split(':').every((part, i) => wanted[i] === '*' || wanted[i] === part);
    if (isHit && rng.below(kill.odds ?? 1) === 0) process.kill(process.pid, 'SIGKILL');
  };
}

/** The machine's file system with a kill point, in this thread and in the workers that run its jobs. */
export function killingFileSystem(options: unknown): FaultFileSystem {
  const kill = requireKillPoint(options);
  return new FaultFileSystem(new NodeFileSystem(), {
    onPoint: killAt(kill),
    workerSpec: { kind: 'module', module: import.meta.url, export: 'killingFileSystem', options: { ...kill } },
  });
}

function requireKillPoint(options: unknown): KillPoint {
  if (typeof options === 'object' && options !== null && 'point' in options && typeof options.point === 'string') {
    return options as KillPoint;
  }
  throw new DBError('INVALID_ARGUMENT', 'killingFileSystem: options must have a point');
}
