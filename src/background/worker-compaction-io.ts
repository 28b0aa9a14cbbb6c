/**
 * A job's view of files in a worker thread: inputs are opened for the job alone and read past the block cache, outputs
 * take the file numbers that came with the job.
 */
import type { CompactionIo, InputTable, OutputFile } from '../../compaction/compaction-io.ts';
import type { ControlBlock, RunMessage } from '../../compaction/worker/protocol.ts';
import { DBError } from '../../format/base/db-error.ts';
import { type Io, noIo } from '../../format/base/io.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { tableFileName } from '../../format/manifest/file-name.ts';
import { TableCache, type TableOpening } from '../cache/table-cache.ts';
import type { Clock } from '../env/clock.ts';
import { createFresh, unlinkIfPresent } from '../env/file-operations.ts';
import type { FileSystem } from '../env/file-system.ts';

/** What a job in a worker works with. */
export interface WorkerIoParts {
  fs: FileSystem;
  clock: Clock;
  message: RunMessage;
  opening: TableOpening;
  control: ControlBlock;
  /** Called every few milliseconds. */
  onRest: () => void;
}

/** Files and time for one job. */
export class WorkerCompactionIo implements CompactionIo {
  readonly #parts: WorkerIoParts;
  readonly #tables: TableCache;
  readonly #startMicros: number;
  #numbersUsed = 0;
  #bytesWritten = 0;

  constructor(parts: WorkerIoParts) {
    this.#parts = parts;
    this.#startMicros = parts.clock.monotonicMicros();
    this.#tables = new TableCache({
      fileSystem: parts.fs,
      directory: parts.message.directory,
      maxOpenFiles: Number.POSITIVE_INFINITY,
      observer: undefined,
    });
  }

  *openInput(file: FileMetadata): Io<InputTable> {
    const reader = yield* this.#tables.open(file, this.#parts.opening);
    const unpin = this.#tables.pin(file.number);
    const release = (): void => {
      unpin?.();
      this.#tables.evict(file.number);
    };
    return { reader, release };
  }

  /** `INCOMPLETE` when the numbers are used up: the job must be run again with more. */
  *createOutput(): Io<OutputFile> {
    const { fs, message } = this.#parts;
    const number = message.fileNumbers[this.#numbersUsed++];
    if (number === undefined) {
      throw new DBError('INCOMPLETE', `the job needs more than ${message.fileNumbers.length} file numbers`);
    }
    const file = yield* createFresh(fs, this.#pathOf(number));
    return { number, file };
  }

  *removeOutput(number: number): Io<void> {
    try {
      yield* unlinkIfPresent(this.#parts.fs, this.#pathOf(number));
    } catch {
      // The opening thread removes what is left of a failed job, and so does the next open.
    }
  }

  nowMicros(): number {
    return this.#parts.clock.monotonicMicros();
  }

  throttle(bytes: number): Io<void> {
    const { message, clock } = this.#parts;
    this.#bytesWritten += bytes;
    if (message.bytesPerSecond > 0) {
      const dueMicros = this.#startMicros + (this.#bytesWritten / message.bytesPerSecond) * 1e6;
      const aheadMs = (dueMicros - clock.monotonicMicros()) / 1000;
      if (aheadMs > 1) clock.sleepSync(aheadMs);
    }
    return noIo();
  }

  rest(): Io<void> {
    this.#parts.onRest();
    return noIo();
  }

  checkCancelled(): void {
    if (this.#parts.control.cancelled) throw new DBError('ABORTED', 'the job was cancelled');
  }

  progress(bytesRead: number, bytesWritten: number): void {
    this.#parts.control.setProgress(bytesRead, bytesWritten);
  }

  #pathOf(number: number): string {
    return `${this.#parts.message.directory}/${tableFileName(number)}`;
  }
}
