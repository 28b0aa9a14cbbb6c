/**
 * The threads that carry flushes and compactions out, shared by all databases of an `Env`. Flushes have threads of their
 * own, so that compactions never hold writers up; where there are no cores to spare one thread serves both and does
 * flushes first. Threads are started when a job needs them, and kept.
 *
 * A caller that blocks cannot hear events. Workers therefore also raise a shared word after each answer; the blocked
 * caller sleeps on it, takes answers of all threads from their ports, and hands waiting jobs out, all without the event
 * loop.
 */
import { availableParallelism } from 'node:os';
import type { CompactionResult } from '../../compaction/compaction-result.ts';
import type { RunMessage } from '../../compaction/worker/protocol.ts';
import { DBError } from '../../format/base/db-error.ts';
import { type Io, repeatableIo } from '../../format/base/io.ts';
import type { AttachedPool } from '../env/env.ts';
import type { FileSystemWorkerSpec } from '../env/file-system.ts';
import { PoolJob } from './pool-job.ts';
import { PoolThread, type ThreadRole } from './pool-thread.ts';

/** How long a blocked caller sleeps before it looks whether the threads still live. */
const LIVENESS_MS = 500;

/** The sizes of a pool; see `EnvOptions`. */
export interface WorkerPoolOptions {
  fileSystem: FileSystemWorkerSpec;
  flushWorkers?: number | undefined;
  compactionWorkers?: number | undefined;
  /** Default: as the system says. */
  cores?: number;
}

/** A job without the number that the pool gives it. */
export type PoolRequest = Omit<RunMessage, 'id'>;

/** See the head of this file. */
export class WorkerPool implements AttachedPool {
  readonly #fileSystem: FileSystemWorkerSpec;
  /** Most threads by role. */
  readonly #limits: Record<ThreadRole, number>;
  readonly #signal = new Int32Array(new SharedArrayBuffer(4));
  #threads: PoolThread[] = [];
  #waiting: PoolJob[] = [];
  readonly #unsettled = new Set<PoolJob>();
  #nextId = 1;
  #closed = false;

  constructor(options: WorkerPoolOptions) {
    const { flushWorkers, compactionWorkers } = options;
    const cores = options.cores ?? availableParallelism();
    this.#fileSystem = options.fileSystem;
    const shared = cores <= 2 && flushWorkers === undefined && compactionWorkers === undefined;
    this.#limits = shared
      ? { both: 1, flush: 0, compaction: 0 }
      : { both: 0, flush: flushWorkers ?? 1, compaction: compactionWorkers ?? Math.max(1, cores - 1) };
  }

  get threadCount(): number {
    return this.#threads.length;
  }

  /** Jobs that no thread has taken yet. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /**
   * Carries a job out; awaiting it and blocking for it can both be done. Errors: the job's own; `IO_ERROR` when its
   * thread dies; `INVALID_ARGUMENT` when it cannot be cloned; `CLOSED` after `close`.
   */
  *run(request: PoolRequest): Io<CompactionResult> {
    if (this.#closed) throw new DBError('CLOSED', 'the worker pool is closed');
    const job = new PoolJob({ ...request, id: this.#nextId++ });
    this.#unsettled.add(job);
    this.#waiting.push(job);
    this.#dispatch();
    try {
      return yield* repeatableIo(
        () => this.#waitFor(job),
        () => job.promise,
        () => (job.settled ? undefined : 'thread'),
      );
    } finally {
      this.#unsettled.delete(job);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#unsettled].map((job) => job.promise));
    await Promise.all(this.#threads.map((thread) => thread.stop()));
    this.#threads = [];
  }

  #waitFor(job: PoolJob): CompactionResult {
    this.waitSync(() => job.settled);
    return job.take();
  }

  /** Blocks, taking answers and handing jobs out, until `done`. */
  waitSync(done: () => boolean): void {
    for (;;) {
      const seen = Atomics.load(this.#signal, 0);
      for (const thread of [...this.#threads]) thread.receive();
      if (done()) return;
      if (Atomics.wait(this.#signal, 0, seen, LIVENESS_MS) !== 'timed-out') continue;
      for (const thread of [...this.#threads]) thread.checkAlive();
    }
  }

  /** Hands waiting jobs out, flushes first, each kind in order of arrival. */
  #dispatch(): void {
    this.#threads = this.#threads.filter((thread) => !thread.hasEnded);
    const flushes = this.#waiting.filter((job) => job.isFlush);
    const compactions = this.#waiting.filter((job) => !job.isFlush);
    this.#waiting = [];
    for (const job of [...flushes, ...compactions]) {
      try {
        const thread = this.#threadFor(job);
        if (thread === undefined) this.#waiting.push(job);
        else thread.run(job);
      } catch (cause) {
        job.fail(
          new DBError('IO_ERROR', `no background thread: ${(cause as Error).message}`, { cause, retryable: true }),
        );
      }
    }
  }

  /** An idle thread, else a new one while there may be more, else one that takes a second job. */
  #threadFor(job: PoolJob): PoolThread | undefined {
    const open = this.#threads.filter((thread) => thread.accepts(job));
    const idle = open.find((thread) => thread.load === 0);
    return idle ?? this.#startFor(job) ?? open[0];
  }

  #startFor(job: PoolJob): PoolThread | undefined {
    const roles: ThreadRole[] = [job.isFlush ? 'flush' : 'compaction', 'both'];
    const role = roles.find((r) => this.#threads.filter((thread) => thread.role === r).length < this.#limits[r]);
    if (role === undefined) return undefined;
    const thread = new PoolThread({
      role,
      fileSystem: this.#fileSystem,
      signal: this.#signal.buffer as SharedArrayBuffer,
      onChange: () => this.#dispatch(),
    });
    this.#threads.push(thread);
    return thread;
  }
}
