/**
 * What a compaction or flush job needs of the world: tables to read, files to write, a clock, and someone to tell it
 * when to rest or stop. The database implements it on the opening thread, a worker implements it over its own file
 * system, a test over memory; the job is the same.
 */
import type { WritableFile } from '../format/base/file-handles.ts';
import type { Io } from '../format/base/io.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import type { TableReader } from '../format/sst/table-reader.ts';

/** An input table, lent to the job until `release`, which is called exactly once. */
export interface InputTable {
  readonly reader: TableReader;
  release(): void;
}

/** A new, empty table file. The job appends, syncs and closes it. */
export interface OutputFile {
  readonly number: number;
  readonly file: WritableFile;
}

/** The job's view of files and time. */
export interface CompactionIo {
  openInput(file: FileMetadata): Io<InputTable>;
  /** Allocates a file number and creates the file. */
  createOutput(): Io<OutputFile>;
  /** Removes an output of a failed job; must not throw. Its file is closed. */
  removeOutput(number: number): Io<void>;
  /** Monotonic, in microseconds. */
  nowMicros(): number;
  /** Called about every 64 KiB; waits as a rate limiter demands. */
  throttle(bytes: number): Io<void>;
  /** Called every few milliseconds: lets the thread's other work run. A worker has none. */
  rest(): Io<void>;
  /** Throws `ABORTED` when the job is cancelled; asked at every rest and every 64 KiB. */
  checkCancelled(): void;
  /** Sums since the job began, told at every rest and at the end: raw bytes read, bytes of outputs. */
  progress(bytesRead: number, bytesWritten: number): void;
}
