/**
 * The messages between the opening thread and its job workers. All of it is plain data that can be structured-cloned,
 * but for the kernel's memory, which is shared: a flush names memtables by address and the worker reads them in place.
 *
 *     main                                 worker
 *       | -- run {id, job, settings, …} -->  |   loads components, runs the job synchronously
 *       |        control block: cancel  ...  |   looks at it every few milliseconds; writes its progress there
 *       | <-- done {id, result} ------------ |   or failed {id, error}: its outputs are removed by then
 *       | -- stop ------------------------>  |   leaves after the running job
 *
 * A worker in the middle of a job handles no messages, hence the control block in shared memory. It cannot ask for file
 * numbers either: they come with the job, more than it can need; those left over are never used, which costs nothing.
 */
import { DBError, type DBErrorCode, type DBErrorSeverity } from '../../format/base/db-error.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import type { Compaction } from '../compaction.ts';
import type { FlushPlan } from '../compaction-job.ts';
import type { CompactionResult } from '../compaction-result.ts';
import type { JobSettings } from '../job-settings.ts';

/** How a worker gets a component: by a built-in's name, or from a module that it loads too. */
export type TravellingComponent =
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'module'; readonly module: string; readonly export: string; readonly options: unknown };

/** The components of a job; what the family does not have is `undefined`. */
export interface TravellingComponents {
  readonly comparator: TravellingComponent;
  readonly mergeOperator: TravellingComponent | undefined;
  readonly compactionFilter: TravellingComponent | undefined;
  /** A filter is asked of it for this job. */
  readonly compactionFilterFactory: TravellingComponent | undefined;
  readonly prefixExtractor: TravellingComponent | undefined;
}

/** The work itself. */
export type WorkerJob =
  | { readonly kind: 'compaction'; readonly compaction: Compaction }
  | { readonly kind: 'flush'; readonly plan: FlushPlan };

/** Starts a job. */
export interface RunMessage {
  readonly type: 'run';
  readonly id: number;
  readonly job: WorkerJob;
  readonly settings: JobSettings;
  readonly components: TravellingComponents;
  /** Directory of the table files. */
  readonly directory: string;
  /** For the outputs, in this order. */
  readonly fileNumbers: readonly number[];
  /** A `ControlBlock`'s buffer. */
  readonly control: SharedArrayBuffer;
  /** Bytes a second that the job may write; 0 no limit. */
  readonly bytesPerSecond: number;
  /** Read the inputs past the page cache. */
  readonly directReads: boolean;
}

/** Ends the worker once it is idle. */
export interface StopMessage {
  readonly type: 'stop';
}

/** What the opening thread sends. */
export type MessageToWorker = RunMessage | StopMessage;

/** A job's result. */
export interface DoneMessage {
  readonly type: 'done';
  readonly id: number;
  readonly result: CompactionResult;
}

/** A job's failure. */
export interface FailedMessage {
  readonly type: 'failed';
  readonly id: number;
  readonly error: PlainError;
}

/** What a worker sends. */
export type MessageFromWorker = DoneMessage | FailedMessage;

/** An error as data: classes do not survive the way between threads. */
export interface PlainError {
  readonly code: DBErrorCode;
  readonly message: string;
  readonly severity: DBErrorSeverity;
  readonly retryable: boolean;
  readonly cause: string | undefined;
}

/** An error on its way out. What is no `DBError` comes from the machine or from a bug, and travels as `IO_ERROR`. */
export function toPlainError(error: unknown): PlainError {
  const cause = error instanceof Error && error.cause !== undefined ? describeCause(error.cause) : undefined;
  if (error instanceof DBError) {
    const { code, message, severity, retryable } = error;
    return { code, message, severity, retryable, cause };
  }
  return { code: 'IO_ERROR', message: describeCause(error), severity: 'none', retryable: false, cause };
}

/** The error on the other side. */
export function fromPlainError(error: PlainError): DBError {
  const { code, message, severity, retryable, cause } = error;
  const details = { severity, retryable };
  return new DBError(code, message, cause === undefined ? details : { ...details, cause: new Error(cause) });
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}

const CANCEL_INDEX = 0;
const BYTES_READ_INDEX = 1;
const BYTES_WRITTEN_INDEX = 2;
const CONTROL_SIZE = 24;

/** The shared words of one running job: a flag to cancel it, and how far it is. */
export class ControlBlock {
  readonly buffer: SharedArrayBuffer;
  readonly #flags: Int32Array;
  readonly #sums: Float64Array;

  constructor(buffer = new SharedArrayBuffer(CONTROL_SIZE)) {
    this.buffer = buffer;
    this.#flags = new Int32Array(buffer);
    this.#sums = new Float64Array(buffer);
  }

  /** Asks the job to stop; it fails with `ABORTED` soon after, unless it is done by then. */
  cancel(): void {
    Atomics.store(this.#flags, CANCEL_INDEX, 1);
  }

  get cancelled(): boolean {
    return Atomics.load(this.#flags, CANCEL_INDEX) !== 0;
  }

  setProgress(bytesRead: number, bytesWritten: number): void {
    this.#sums[BYTES_READ_INDEX] = bytesRead;
    this.#sums[BYTES_WRITTEN_INDEX] = bytesWritten;
  }

  get bytesRead(): number {
    return this.#sums[BYTES_READ_INDEX]!;
  }

  get bytesWritten(): number {
    return this.#sums[BYTES_WRITTEN_INDEX]!;
  }
}

/**
 * How many file numbers a job can need at most: outputs end at the target size or at grandparents' boundaries, and no
 * output is smaller than half the target for another reason.
 */
export function fileNumbersFor(job: WorkerJob): number {
  if (job.kind === 'flush') return 1;
  const { inputs, targetFileSize, grandparents } = job.compaction;
  const bytes = inputs.flatMap(({ files }) => files).reduce((sum, file) => sum + file.sizeBytes, 0);
  // Inputs may be better compressed than the outputs will be.
  return Math.ceil((bytes * 8) / targetFileSize) + grandparents.length * 2 + 16;
}

/**
 * The job with buffers of its own: a small key may be a view of a large shared buffer, and cloning copies the whole.
 */
export function withOwnBytes(job: WorkerJob): WorkerJob {
  if (job.kind === 'flush') return job;
  const { compaction } = job;
  const ownFile = (file: FileMetadata): FileMetadata => ({
    ...file,
    smallest: file.smallest.slice(),
    largest: file.largest.slice(),
    checksum: file.checksum.slice(),
  });
  return {
    kind: 'compaction',
    compaction: {
      ...compaction,
      inputs: compaction.inputs.map(({ level, files }) => ({ level, files: files.map(ownFile) })),
      grandparents: compaction.grandparents.map(ownFile),
      deeperRanges: compaction.deeperRanges?.map(({ smallest, largest }) => ({
        smallest: smallest.slice(),
        largest: largest.slice(),
      })),
      ...(compaction.bounds === undefined
        ? {}
        : { bounds: { begin: compaction.bounds.begin?.slice(), end: compaction.bounds.end?.slice() } }),
    },
  };
}
