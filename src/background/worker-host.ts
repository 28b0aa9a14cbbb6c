/**
 * What a worker thread gives to its jobs: components, files, and, for a compaction, the duty to let a flush go first. A
 * flush holds up writers, so a compaction that finds one at a rest carries it out before it goes on.
 */
import type { CompactionIo } from '../../compaction/compaction-io.ts';
import { runFlush } from '../../compaction/compaction-job.ts';
import type { JobComponents } from '../../compaction/job-settings.ts';
import {
  ControlBlock,
  type MessageFromWorker,
  type RunMessage,
  toPlainError,
} from '../../compaction/worker/protocol.ts';
import type { WorkerHost } from '../../compaction/worker/serve.ts';
import { assert } from '../../format/base/assert.ts';
import { runSync } from '../../format/base/io.ts';
import { TABLE_STATS_SIZE } from '../../format/kernel/abi/block-cache.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import type { Clock } from '../env/clock.ts';
import type { FileSystem } from '../env/file-system.ts';
import { pickCrc32c } from '../env/pick-crc32c.ts';
import { WorkerCompactionIo } from './worker-compaction-io.ts';
import { WorkerComponents } from './worker-components.ts';
import type { WorkerInbox } from './worker-inbox.ts';

/** The host of one thread. */
export class JobHost implements WorkerHost {
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #inbox: WorkerInbox;
  readonly #components = new WorkerComponents();
  /** Address of the thread's lookup counters, which nobody reads. */
  readonly #stats: number;

  constructor(fs: FileSystem, clock: Clock, inbox: WorkerInbox) {
    this.#fs = fs;
    this.#clock = clock;
    this.#inbox = inbox;
    pickCrc32c(clock);
    const kernel = getKernel();
    this.#stats = kernel.malloc(TABLE_STATS_SIZE);
    kernel.u8.fill(0, this.#stats, this.#stats + TABLE_STATS_SIZE);
  }

  async loadComponents(message: RunMessage): Promise<JobComponents> {
    await this.#components.load(message);
    return this.#components.assemble(message);
  }

  /** Nothing: codecs compile where they are first used, synchronously. */
  async prepare(): Promise<void> {}

  openIo(message: RunMessage, components: JobComponents, control: ControlBlock): CompactionIo {
    return this.#open(
      message,
      components,
      control,
      message.job.kind === 'compaction' ? () => this.#letFlushGo() : rest,
    );
  }

  #open(message: RunMessage, components: JobComponents, control: ControlBlock, onRest: () => void): CompactionIo {
    const opening = {
      comparator: { id: components.comparatorId, name: components.comparator.name },
      cache: undefined,
      prefixExtractor: components.prefixExtractor,
      directReads: message.directReads,
      stats: this.#stats,
    };
    return new WorkerCompactionIo({ fs: this.#fs, clock: this.#clock, message, opening, control, onRest });
  }

  /** One whose components must still be loaded waits for the running job, for loading takes turns of the event loop. */
  #letFlushGo(): void {
    const message = this.#inbox.takeFlush((flush) => this.#components.has(flush));
    if (message !== undefined) this.#inbox.postMessage(this.#flush(message));
  }

  #flush(message: RunMessage): MessageFromWorker {
    const { id, job, settings } = message;
    assert(job.kind === 'flush', 'only a flush goes before a running compaction');
    try {
      const components = this.#components.assemble(message);
      const io = this.#open(message, components, new ControlBlock(message.control), rest);
      return { type: 'done', id, result: runSync(runFlush(io, job.plan, settings, components)) };
    } catch (error) {
      return { type: 'failed', id, error: toPlainError(error) };
    }
  }
}

function rest(): void {}
