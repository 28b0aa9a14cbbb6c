/**
 * The loop of a job worker: takes jobs from a port one after the other, runs each synchronously, answers. What a job
 * needs of files and components comes from a host, so the loop knows neither node nor the database.
 */
import { DBError } from '../../format/base/db-error.ts';
import { runSync } from '../../format/base/io.ts';
import { runCompaction, runFlush } from '../compaction-job.ts';
import type { CompactionIo } from '../compaction-io.ts';
import type { CompactionResult } from '../compaction-result.ts';
import type { JobComponents } from '../job-settings.ts';
import {
  ControlBlock,
  type MessageFromWorker,
  type MessageToWorker,
  type RunMessage,
  toPlainError,
} from './protocol.ts';

/** The worker's end of a message channel, as `MessagePort` has it. */
export interface WorkerPort {
  postMessage(message: MessageFromWorker): void;
  on(event: 'message', listener: (message: MessageToWorker) => void): unknown;
  close(): void;
}

/** What the thread gives to its jobs. */
export interface WorkerHost {
  /** Finds or loads the components; `NOT_SUPPORTED` or `INVALID_ARGUMENT` for one that cannot be had here. */
  loadComponents(message: RunMessage): Promise<JobComponents>;
  /** Gets what synchronous code cannot wait for later, such as a codec that must be compiled. */
  prepare(message: RunMessage): Promise<void>;
  /** Files and clock of one job; `control` cancels it and takes its progress. */
  openIo(message: RunMessage, components: JobComponents, control: ControlBlock): CompactionIo;
}

/** Serves jobs until a `stop` arrives. Failures of a job are answered, never thrown. */
export function serve(port: WorkerPort, host: WorkerHost): void {
  // Jobs queue up behind each other: a second one must not start while the first still loads its components.
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message) => {
    last = last.then(() => {
      if (message.type === 'run') return answer(port, host, message);
      port.close();
      return undefined;
    });
  });
}

async function answer(port: WorkerPort, host: WorkerHost, message: RunMessage): Promise<void> {
  const { id } = message;
  try {
    port.postMessage({ type: 'done', id, result: await run(host, message) });
  } catch (error) {
    port.postMessage({ type: 'failed', id, error: toPlainError(error) });
  }
}

async function run(host: WorkerHost, message: RunMessage): Promise<CompactionResult> {
  const control = new ControlBlock(message.control);
  const components = await host.loadComponents(message);
  await host.prepare(message);
  if (control.cancelled) throw new DBError('ABORTED', 'the job was cancelled');
  const io = host.openIo(message, components, control);
  const { job, settings } = message;
  return job.kind === 'compaction'
    ? runSync(runCompaction(io, job.compaction, settings, components))
    : runSync(runFlush(io, job.plan, settings, components));
}
