/** What an application may be told of. Calls come from the opening thread; a listener that throws is logged and ignored. */
import type { DBError } from '../../format/base/db-error.ts';

/** A finished flush. */
export interface FlushEvent {
  columnFamily: string;
  jobId: number;
  /** Number of the table, or `undefined` when nothing was left to write. */
  fileNumber: number | undefined;
  sizeBytes: number;
  entries: number;
  micros: number;
}

/** A started or finished compaction. */
export interface CompactionEvent {
  columnFamily: string;
  jobId: number;
  reason: string;
  inputLevel: number;
  outputLevel: number;
  inputFiles: number[];
  outputFiles: number[];
  bytesRead: number;
  /** The part of `bytesRead` that came from the output level. */
  bytesReadOutputLevel: number;
  bytesWritten: number;
  /** Bytes that a trivial move took to another level. */
  bytesMoved: number;
  inputRecords: number;
  outputRecords: number;
  micros: number;
  trivialMove: boolean;
  /** Parts that it was divided into (`maxSubcompactions`); 1 when it was not. */
  subcompactions: number;
}

/** A table from outside that became part of the database. */
export interface IngestionEvent {
  columnFamily: string;
  externalFilePath: string;
  internalFilePath: string;
  fileNumber: number;
  level: number;
  /** Of all its entries. */
  globalSeqno: number;
}

/** Bytes of a log that recovery left out. */
export interface RecoveryDropEvent {
  file: string;
  offset: number;
  bytes: number;
  reason: string;
}

/** Why writes wait or stop. */
export type StallCondition = 'normal' | 'delayed' | 'stopped';

/**
 * All calls are optional. They are made in the middle of what they tell of: blocking writes from one are refused with `BUSY`,
 * promised writes are committed when it has returned. A listener that throws is logged.
 */
export interface EventListener {
  onFlushBegin?(event: { columnFamily: string; jobId: number }): void;
  onFlushCompleted?(event: FlushEvent): void;
  onCompactionBegin?(event: CompactionEvent): void;
  onCompactionCompleted?(event: CompactionEvent): void;
  /** Background work failed; from severity `hard` on writes are refused until `resume()` or a reopen. */
  onBackgroundError?(event: { reason: string; error: DBError }): void;
  onRecoveryDrop?(event: RecoveryDropEvent): void;
  onStallConditionsChanged?(event: {
    columnFamily: string;
    previous: StallCondition;
    current: StallCondition;
    cause: string;
  }): void;
  onTableFileCreated?(event: { columnFamily: string; fileNumber: number; sizeBytes: number }): void;
  onExternalFileIngested?(event: IngestionEvent): void;
  onTableFileDeleted?(event: { fileNumber: number; path: string }): void;
  onMemTableSealed?(event: { columnFamily: string; entries: number; bytes: number }): void;
  onColumnFamilyDropped?(event: { columnFamily: string }): void;
}

/** Calls one method of every listener; failures go to `onFailure`. */
export function notify<K extends keyof EventListener>(
  listeners: readonly EventListener[],
  method: K,
  event: Parameters<NonNullable<EventListener[K]>>[0],
  onFailure: (error: unknown) => void,
): void {
  for (const listener of listeners) {
    try {
      (listener[method] as ((e: typeof event) => void) | undefined)?.call(listener, event);
    } catch (error) {
      onFailure(error);
    }
  }
}
