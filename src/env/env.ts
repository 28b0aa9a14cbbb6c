/**
 * An environment: file system, clock, and the limits of the thread pools. Databases that are opened with the same `Env`
 * share its pools. The pool itself is made by the background layer, when the first job needs it.
 */
import { invalidArgument } from '../../format/base/db-error.ts';
import { type Clock, SystemClock } from './clock.ts';
import type { FileSystem } from './file-system.ts';
import type { Logger } from './logger.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import { NodeFileSystem } from './node-file-system.ts';

/** What an `Env` is made of; each part has a default. */
export interface EnvOptions {
  /** Default: Node's file system. */
  fileSystem?: FileSystem;
  /** Default: the system's clock. */
  clock?: Clock;
  /** Threads for compactions, shared by all databases of this `Env`. Default: one less than the cores, at least one. */
  compactionWorkers?: number;
  /** Threads reserved for flushes. Default 1. With two cores or less, one thread serves both, flushes first. */
  flushWorkers?: number;
  /** Receives LOG lines of databases that have no logger of their own. */
  logger?: Logger;
}

/** The pool that the background layer attaches. */
export interface AttachedPool {
  /** Threads running now. */
  readonly threadCount: number;
  close(): Promise<void>;
}

function workers(option: string, value: number | undefined): number | undefined {
  if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= 256)) {
    throw invalidArgument(`Env: ${option} must be a whole number from 1 to 256`);
  }
  return value;
}

function requirePart(option: string, value: unknown, method: string): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null || typeof Reflect.get(value, method) !== 'function') {
    throw invalidArgument(`Env: ${option} must be an object with the method ${method}()`);
  }
}

/** File system, clock and thread pools of one or more databases. */
export class Env {
  static #default: Env | undefined;

  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly compactionWorkers: number | undefined;
  readonly flushWorkers: number | undefined;
  readonly logger: Logger | undefined;
  #pool: AttachedPool | undefined;

  /** `INVALID_ARGUMENT` for a part that cannot be one. */
  constructor(options: EnvOptions = {}) {
    if (typeof options !== 'object' || options === null) throw invalidArgument('Env: options must be an object');
    requirePart('fileSystem', options.fileSystem, 'createWritable');
    requirePart('clock', options.clock, 'monotonicMicros');
    requirePart('logger', options.logger, 'info');
    this.compactionWorkers = workers('compactionWorkers', options.compactionWorkers);
    this.flushWorkers = workers('flushWorkers', options.flushWorkers);
    this.fileSystem = options.fileSystem ?? new NodeFileSystem();
    this.clock = options.clock ?? new SystemClock();
    this.logger = options.logger;
  }

  /** The environment of databases that name none; one a process. */
  static get default(): Env {
    Env.#default ??= new Env();
    return Env.#default;
  }

  /** An environment whose files live in memory and are gone with it. */
  static memory(): Env {
    return new Env({ fileSystem: new MemoryFileSystem() });
  }

  /** The attached pool, made by `make` at the first call. */
  pool<T extends AttachedPool>(make: () => T): T {
    this.#pool ??= make();
    return this.#pool as T;
  }

  /** Threads running now, for both kinds of work. */
  stats(): { workers: number } {
    return { workers: this.#pool?.threadCount ?? 0 };
  }

  /** Ends the threads. They end with the process anyway; databases of this `Env` must be closed first. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.close();
  }
}
