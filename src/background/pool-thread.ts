/**
 * One thread of the worker pool, seen from the opening thread: the jobs it has, its answers, and its end. It keeps the
 * process alive exactly while it has a job.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import type { MessageFromWorker, MessageToWorker } from '../../compaction/worker/protocol.ts';
import { DBError } from '../../format/base/db-error.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import type { FileSystemWorkerSpec } from '../env/file-system.ts';
import type { PoolJob } from './pool-job.ts';
import { startWorker } from './start-worker.ts';

/** Which jobs a thread takes. One for both takes a flush even while it compacts, and then does the flush first. */
export type ThreadRole = 'flush' | 'compaction' | 'both';

/** What a thread is started with, and who hears of it. */
export interface PoolThreadOptions {
  role: ThreadRole;
  fileSystem: FileSystemWorkerSpec;
  /** See `JobWorkerData.signal`. */
  signal: SharedArrayBuffer;
  /** A job was settled, or the thread ended: there may be room for another job. */
  onChange: () => void;
}

/** See the head of this file. */
export class PoolThread {
  readonly role: ThreadRole;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #jobs = new Map<number, PoolJob>();
  readonly #onChange: () => void;
  #failure: unknown;
  #ended = false;

  constructor(options: PoolThreadOptions) {
    const { role, fileSystem, signal } = options;
    this.role = role;
    this.#onChange = options.onChange;
    const channel = new MessageChannel();
    this.#port = channel.port1;
    this.#worker = startWorker({ memory: getKernel().memory, fileSystem, port: channel.port2, signal });
    this.#port.on('message', (message: MessageFromWorker) => this.#settle(message));
    this.#worker.on('error', (error) => {
      this.#failure = error;
    });
    this.#worker.on('exit', (code) => this.end(`ended with code ${code}`));
    this.#rest();
  }

  /** False once the thread is gone; its jobs have failed by then. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Jobs it has. */
  get load(): number {
    return this.#jobs.size;
  }

  /** Whether it takes this job now. */
  accepts(job: PoolJob): boolean {
    if (this.#ended || (this.role !== 'both' && (this.role === 'flush') !== job.isFlush)) return false;
    if (this.#jobs.size === 0) return true;
    return this.role === 'both' && job.isFlush && ![...this.#jobs.values()].some((other) => other.isFlush);
  }

  /** Sends a job. One that cannot be cloned fails at once. */
  run(job: PoolJob): void {
    try {
      this.#post(job.message);
    } catch (cause) {
      job.fail(new DBError('INVALID_ARGUMENT', `a job cannot travel: ${(cause as Error).message}`, { cause }));
      return;
    }
    this.#jobs.set(job.message.id, job);
    this.#worker.ref();
    this.#port.ref();
  }

  /** Takes the answers that have come, without the event loop. */
  receive(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: MessageFromWorker } | undefined;
      if (received === undefined) return;
      this.#settle(received.message);
    }
  }

  /**
   * Ends it if the thread is gone, without the event loop, which would tell later: sending returns true while the other
   * end of the channel exists.
   */
  checkAlive(): void {
    if (!this.#ended && this.#ping() !== true) this.end('ended');
  }

  /** Marks it as gone, after its last answers; the jobs that are left fail with `IO_ERROR`. */
  end(how: string): void {
    if (this.#ended) return;
    this.receive();
    this.#ended = true;
    this.#port.close();
    const cause = this.#failure;
    const why = cause instanceof Error ? `${how}: ${cause.message}` : how;
    for (const job of this.#jobs.values()) {
      job.fail(new DBError('IO_ERROR', `a background thread ${why}`, { cause, retryable: true }));
    }
    this.#jobs.clear();
    this.#rest();
    this.#onChange();
  }

  /** Ends the thread and resolves when it is gone. REQUIRES that it has no job. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#worker.ref();
    const closed = new Promise<void>((resolve) => this.#port.once('close', resolve));
    this.#port.ref();
    this.#post({ type: 'stop' });
    await closed;
    await this.#worker.terminate();
  }

  #settle(message: MessageFromWorker): void {
    const job = this.#jobs.get(message.id);
    if (job === undefined) return;
    this.#jobs.delete(message.id);
    job.answer(message);
    if (this.#jobs.size === 0) this.#rest();
    this.#onChange();
  }

  #rest(): void {
    this.#worker.unref();
    this.#port.unref();
  }

  #post(message: MessageToWorker): void {
    this.#port.postMessage(message);
  }

  #ping(): unknown {
    return (this.#port as { postMessage(message: null): unknown }).postMessage(null);
  }
}
