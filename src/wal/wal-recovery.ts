/**
 * Replays write-ahead logs at open: reads every record in order, asks the policy what damage means, and hands intact
 * batches on. Which memtables they go into, and when those are full, is the caller's.
 */
import { getFixed32, getFixed64 } from '../../format/base/coding.ts';
import { corruption, DBError } from '../../format/base/db-error.ts';
import { closeFile, readAt } from '../../format/base/file-io.ts';
import { type Io, io } from '../../format/base/io.ts';
import { BATCH_COUNT_OFFSET, BATCH_HEADER_SIZE } from '../../format/batch/batch-format.ts';
import { decompressZstdFrames } from '../../format/compression/zstd.ts';
import { findIntactRecordAfter } from '../../format/log/intact-record-search.ts';
import type { LogEvent } from '../../format/log/log-event.ts';
import { LogReader, type LogReaderOptions, LogStep } from '../../format/log/log-reader.ts';
import { losesData, type WalRecoveryPolicy } from '../../format/log/recovery-policy.ts';
import { walFileName } from '../../format/manifest/file-name.ts';
import { openRandom } from '../env/file-operations.ts';
import type { RandomAccessFile } from '../env/file-system.ts';
import type { DbContext } from '../options/db-context.ts';
import { isSequenceJump } from './sequence-jump.ts';

/** Bytes that recovery left out of a log, and why. */
export interface RecoveryDrop {
  file: string;
  offset: number;
  bytes: number;
  reason: string;
}

/** What replay did, for `db.recovery`. */
export interface RecoveryReport {
  /** Sum of `drops[].bytes`. */
  droppedBytes: number;
  drops: RecoveryDrop[];
  /** Paths of the logs that were read, in order. */
  replayedFiles: string[];
  lastSequence: number;
}

/** Takes the batches. */
export interface ReplayTarget {
  /** Throws `CORRUPTION` for a record that is no well-formed batch. */
  check(record: number, size: number, logNumber: number): void;
  /**
   * Applies an intact record (kernel memory, borrowed for the call) of log `logNumber`, and returns how many sequences it
   * used from `sequence` on. `CORRUPTION` when it is malformed; nothing of it is applied then.
   */
  apply(record: number, size: number, sequence: number, logNumber: number): number;
  /** Called after each batch: a place to flush full memtables. */
  afterBatch(): Io<void> | undefined;
}

/** A record shorter than this is no batch. */
const DECOMPRESSED_MAX = 1024 * 1024 * 1024;

/** One recovery. */
export class WalRecovery {
  readonly report: RecoveryReport;
  readonly #context: DbContext;
  readonly #policy: WalRecoveryPolicy;
  readonly #target: ReplayTarget;
  /** The sequence behind everything applied so far; 0 before the first record. */
  #nextSequence = 0;
  readonly #manifestSequence: number;

  /** `lastSequence` is the MANIFEST's. */
  constructor(context: DbContext, policy: WalRecoveryPolicy, target: ReplayTarget, lastSequence: number) {
    this.#context = context;
    this.#policy = policy;
    this.#target = target;
    this.#manifestSequence = lastSequence;
    this.report = { droppedBytes: 0, drops: [], replayedFiles: [], lastSequence };
  }

  /** Whether replay ended at damage. */
  get stopped(): boolean {
    return this.#policy.stopped;
  }

  /** Replays one log; call it in the order of their numbers. */
  *replay(logNumber: number): Io<void> {
    const path = `${this.#context.walPath}/${walFileName(logNumber)}`;
    const { fs } = this.#context;
    const file = yield* openRandom(fs, path);
    this.report.replayedFiles.push(path);
    const options: LogReaderOptions = {
      logNumber,
      decompress: (bytes) => decompressZstdFrames(bytes, DECOMPRESSED_MAX),
    };
    const reader = new LogReader(file, options);
    try {
      yield* this.#readAll(reader, file, options, logNumber);
    } finally {
      reader.close();
      yield* closeFile(file);
    }
  }

  *#readAll(reader: LogReader, file: RandomAccessFile, options: LogReaderOptions, logNumber: number): Io<void> {
    for (;;) {
      const step = yield* reader.next();
      if (step === LogStep.end) return;
      if (step === LogStep.event) {
        if (!(yield* this.#onEvent(reader, reader.event!, file, options))) return;
        continue;
      }
      const event = this.#takeRecord(reader, logNumber);
      if (event === 'skipFile') {
        const size = yield* sizeOf(file);
        const bytes = size - reader.recordOffset;
        this.#drop(
          {
            kind: 'malformedBatch',
            offset: reader.recordOffset,
            bytes,
            reason: 'does not continue what was recovered',
          },
          reader.path,
        );
        return;
      }
      if (event !== undefined && !(yield* this.#onEvent(reader, event, file, options))) return;
      const room = this.#target.afterBatch();
      if (room !== undefined) yield* room;
    }
  }

  /** Applies the present record. An event when it is no good batch. */
  #takeRecord(reader: LogReader, logNumber: number): LogEvent | 'skipFile' | undefined {
    const { recordOffset: offset, recordSize: bytes } = reader;
    if (bytes < BATCH_HEADER_SIZE) {
      return {
        kind: 'recordTooSmall',
        offset,
        bytes,
        reason: `expected at least ${BATCH_HEADER_SIZE} bytes, found ${bytes}`,
      };
    }
    const record = reader.record();
    const sequence = getFixed64(record, 0);
    const action = this.#isGap(reader, record, sequence)
      ? this.#policy.onGap()
      : this.#policy.onRecord(sequence, this.#nextSequence);
    if (action === 'skipFile') return 'skipFile';
    if (action === 'error') {
      throw corruption(
        `${reader.path}: record at offset ${offset} has sequence ${sequence}, expected ${this.#nextSequence} after an older log that lost records; walCorruption 'recoverToPoint' drops it`,
      );
    }
    try {
      this.#target.check(reader.recordAddress, bytes, logNumber);
      if (sequence + getFixed32(record, BATCH_COUNT_OFFSET) > Number.MAX_SAFE_INTEGER) {
        throw new DBError('NOT_SUPPORTED', `${reader.path}: sequence numbers of 2^53 and above are not supported`);
      }
      const used = this.#target.apply(reader.recordAddress, bytes, sequence, logNumber);
      this.#nextSequence = sequence + used;
      this.report.lastSequence = Math.max(this.report.lastSequence, sequence + used - 1);
      return undefined;
    } catch (error) {
      if (!(error instanceof DBError) || error.code !== 'CORRUPTION') throw error;
      return { kind: 'malformedBatch', offset, bytes, reason: error.message };
    }
  }

  /** Whether records between the older logs and this first one of a log are missing. Logs of others may have such jumps. */
  #isGap(reader: LogReader, record: Uint8Array, sequence: number): boolean {
    if (reader.recordOffset !== 0 || !reader.recycled || this.report.replayedFiles.length < 2) return false;
    const expected = this.#nextSequence > 0 ? this.#nextSequence : this.#manifestSequence + 1;
    return !this.#policy.stopped && sequence > expected && !isSequenceJump(record);
  }

  /** Does as the policy says; false when the file is done with. */
  *#onEvent(reader: LogReader, event: LogEvent, file: RandomAccessFile, options: LogReaderOptions): Io<boolean> {
    const { recycled } = reader;
    let intact: number | undefined;
    if (this.#policy.needsSearch(event.kind, recycled)) {
      intact = yield* findIntactRecordAfter(
        file,
        event.offset,
        options,
        (record) => record.length >= BATCH_HEADER_SIZE,
      );
      if (intact !== undefined && (yield* hasLostSector(file, event.offset, intact))) intact = undefined;
    }
    const action = this.#policy.onDamage(event.kind, recycled, intact !== undefined);
    if (action === 'error') {
      const behind = intact === undefined ? '' : `; intact records follow at offset ${intact}`;
      throw corruption(`${reader.path}: ${event.kind} at offset ${event.offset}: ${event.reason}${behind}`);
    }
    if (action === 'skip') {
      if (losesData(event.kind)) this.#drop(event, reader.path);
      return true;
    }
    if (losesData(event.kind)) {
      const size = yield* sizeOf(file);
      this.#drop({ ...event, bytes: Math.max(event.bytes, size - event.offset) }, reader.path);
    }
    return false;
  }

  #drop(event: LogEvent, path: string): void {
    const drop = { file: path, offset: event.offset, bytes: event.bytes, reason: `${event.kind}: ${event.reason}` };
    this.report.drops.push(drop);
    this.report.droppedBytes += event.bytes;
    this.#context.logger.warn(`${path}: dropping ${event.bytes} bytes at offset ${event.offset}; ${drop.reason}`);
    this.#context.notify('onRecoveryDrop', drop);
  }
}

/** The unit in which devices write. */
const SECTOR_SIZE = 512;
/** No more than this is looked through for a lost sector. */
const LOST_SECTOR_SEARCH_MAX = 1024 * 1024;

/**
 * Whether a whole sector between `from` and `to` is zeros: allocated by an append, never written. Only unsynced writes are
 * lost so, in any order, and what comes behind them was not synced either: it is the end of the log as after a torn write,
 * not damage to what was promised.
 */
function* hasLostSector(file: RandomAccessFile, from: number, to: number): Io<boolean> {
  const start = Math.ceil(from / SECTOR_SIZE) * SECTOR_SIZE;
  const size = Math.min(to - start, LOST_SECTOR_SEARCH_MAX);
  if (size < SECTOR_SIZE) return false;
  const bytes = new Uint8Array(size);
  const read = yield* readAt(file, bytes, start);
  for (let at = 0; at + SECTOR_SIZE <= read; at += SECTOR_SIZE) {
    if (bytes.subarray(at, at + SECTOR_SIZE).every((byte) => byte === 0)) return true;
  }
  return false;
}

function sizeOf(file: RandomAccessFile): Io<number> {
  return io(
    () => file.sizeSync(),
    () => file.size(),
  );
}
