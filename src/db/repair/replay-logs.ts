/**
 * Turns logs into tables. In a repair everything that can be read counts; a rebuild from logs alone insists that no
 * sequence is missing.
 */
import { runFlush } from '../../../compaction/compaction-job.ts';
import { getFixed32, getFixed64 } from '../../../format/base/coding.ts';
import { corruption, DBError } from '../../../format/base/db-error.ts';
import { closeFile } from '../../../format/base/file-io.ts';
import { type Io, inPlace } from '../../../format/base/io.ts';
import { BATCH_COUNT_OFFSET, BATCH_HEADER_SIZE } from '../../../format/batch/batch-format.ts';
import type { PreparedTransactions } from '../../../format/batch/prepared-transactions.ts';
import { WriteBatchReader } from '../../../format/batch/write-batch-reader.ts';
import { findIntactRecordAfter } from '../../../format/log/intact-record-search.ts';
import type { LogEvent } from '../../../format/log/log-event.ts';
import { LogCompression } from '../../../format/log/log-format.ts';
import { LogReader, LogStep } from '../../../format/log/log-reader.ts';
import { losesData } from '../../../format/log/recovery-policy.ts';
import { tableFileName } from '../../../format/manifest/file-name.ts';
import { statFile } from '../../env/file-operations.ts';
import { ReplayInserter } from '../../wal/replay-inserter.ts';
import { type LogPlace, logReaderOptions, openLog } from '../../wal/wal-listing.ts';
import type { RecoveryDrop } from '../../wal/wal-recovery.ts';
import { componentsOf, type Salvage, SalvageIo } from './salvage.ts';

/** A log and where it ends to count: sequences from `before` on were written anew to a later log. */
export interface LogToReplay {
  place: LogPlace;
  before: number;
}

/** What was replayed. */
export interface ReplayedLogs {
  records: number;
  drops: RecoveryDrop[];
}

/** How logs are replayed. */
export interface ReplayRules {
  prepared: PreparedTransactions;
  /** By family id: tables hold everything of the family up to this sequence. */
  flushedThrough: ReadonlyMap<number, number>;
  /** By family id: tables hold everything of the family in logs below this number. */
  flushedLogs: ReadonlyMap<number, number>;
  /** The sequence that the logs must begin with, none missing between; `undefined`: whatever can be read. */
  firstSequence: number | undefined;
}

/** Ids of the families that the records of a log name. Damage is passed over. */
export function* familiesInLog(salvage: Salvage, place: LogPlace, ids: Set<number>): Io<void> {
  yield* eachRecord(salvage, place, {
    record: (reader) => {
      const batch = new WriteBatchReader(reader.record());
      try {
        while (batch.next()) if (batch.counts) ids.add(batch.family);
      } catch (error) {
        if (!(error instanceof DBError) || error.code !== 'CORRUPTION') throw error;
      }
    },
    damage: () => {},
    afterRecord: () => undefined,
  });
}

/** Replays logs in order into the families' memtables, and those into tables. */
export class LogReplay {
  readonly result: ReplayedLogs = { records: 0, drops: [] };
  readonly #salvage: Salvage;
  readonly #rules: ReplayRules;
  readonly #inserter: ReplayInserter;
  readonly #flushedMax: number;
  readonly #flushedLogsMax: number;
  /** Whether some family was passed over at the last record. */
  #passing = false;
  /** The next sequence; `undefined` where any will do. */
  #expected: number | undefined;
  #damage: { place: LogPlace; event: LogEvent } | undefined;

  constructor(salvage: Salvage, rules: ReplayRules) {
    this.#salvage = salvage;
    this.#rules = rules;
    this.#inserter = new ReplayInserter(salvage.kernel, () => salvage.families.values(), rules.prepared);
    this.#flushedMax = Math.max(0, ...rules.flushedThrough.values());
    this.#flushedLogsMax = Math.max(0, ...rules.flushedLogs.values());
    this.#expected = rules.firstSequence;
  }

  /** Replays one log. `CORRUPTION`, `NOT_FOUND`: sequences are missing that must not be. */
  *replay({ place, before }: LogToReplay): Io<void> {
    yield* eachRecord(this.#salvage, place, {
      record: (reader) => this.#onRecord(reader, place, before),
      damage: (event) => this.#onDamage(event, place),
      afterRecord: () => this.#makeRoom(),
    });
  }

  /** Writes what is left in memory. */
  *finish(): Io<void> {
    for (const family of this.#salvage.families.values()) yield* this.#flush(family.id);
  }

  close(): void {
    this.#inserter.close();
  }

  #onRecord(reader: LogReader, place: LogPlace, before: number): void {
    const record = reader.record();
    if (record.length < BATCH_HEADER_SIZE) {
      const reason = `expected at least ${BATCH_HEADER_SIZE} bytes, found ${record.length}`;
      this.#onDamage({ kind: 'recordTooSmall', offset: reader.recordOffset, bytes: record.length, reason }, place);
      return;
    }
    const sequence = getFixed64(record, 0);
    if (sequence + getFixed32(record, BATCH_COUNT_OFFSET) > Number.MAX_SAFE_INTEGER) {
      throw new DBError('NOT_SUPPORTED', `${place.path}: sequence numbers of 2^53 and above are not supported`);
    }
    // Behind damage, what a recovery dropped has given its sequences to the next log.
    if (this.#damage?.place === place && sequence >= before) return;
    if (this.#expected !== undefined && sequence !== this.#expected) throw this.#missing(sequence, place);
    try {
      this.#passOver(sequence, place.number);
      this.#inserter.check(reader.recordAddress, reader.recordSize, place.path);
      const used = this.#inserter.apply(reader.recordAddress, reader.recordSize, sequence, place.number, place.path);
      if (this.#expected !== undefined) this.#expected = sequence + used;
      this.#salvage.lastSequence = Math.max(this.#salvage.lastSequence, sequence + used - 1);
      this.result.records++;
    } catch (error) {
      if (!(error instanceof DBError) || error.code !== 'CORRUPTION') throw error;
      this.#onDamage(
        { kind: 'malformedBatch', offset: reader.recordOffset, bytes: record.length, reason: error.message },
        place,
      );
    }
  }

  /** Families whose tables hold this record's part of them already take nothing of it. */
  #passOver(sequence: number, log: number): void {
    const { flushedThrough, flushedLogs } = this.#rules;
    if (sequence > this.#flushedMax && log >= this.#flushedLogsMax && !this.#passing) return;
    this.#passing = false;
    for (const family of this.#salvage.families.values()) {
      const flushed = sequence <= (flushedThrough.get(family.id) ?? 0) || log < (flushedLogs.get(family.id) ?? 0);
      this.#passing ||= flushed;
      const logNumber = flushed ? Number.POSITIVE_INFINITY : 0;
      if (family.logNumber === logNumber) continue;
      family.logNumber = logNumber;
      this.#inserter.invalidate();
    }
  }

  #onDamage(event: LogEvent, place: LogPlace): void {
    if (!losesData(event.kind)) return;
    this.#damage = { place, event };
    const reason = `${event.kind}: ${event.reason}`;
    this.result.drops.push({ file: place.path, offset: event.offset, bytes: event.bytes, reason });
  }

  #missing(sequence: number, place: LogPlace): DBError {
    const found = `${place.path}: expected sequence ${this.#expected}, found ${sequence}`;
    const damage = this.#damage;
    if (damage === undefined) {
      return new DBError('NOT_FOUND', `${found}: what lies between is in no log (deleted, or written with disableWAL)`);
    }
    const { event } = damage;
    return corruption(`${found}; ${damage.place.path}: ${event.kind} at offset ${event.offset}: ${event.reason}`);
  }

  #makeRoom(): Io<void> | undefined {
    for (const { id, active, options } of this.#salvage.families.values()) {
      if (active.bytes >= options.writeBufferSize) return this.#flush(id);
    }
    return undefined;
  }

  *#flush(id: number): Io<void> {
    const salvage = this.#salvage;
    const family = salvage.families.get(id)!;
    if (family.active.entryCount === 0) return;
    const memtable = salvage.takeMemtable(family);
    this.#inserter.invalidate();
    try {
      const plan = { memtables: [memtable.flushAddress()], pathId: 0, oldestKeyTime: 0 };
      const job = runFlush(new SalvageIo(salvage, family), plan, salvage.settingsOf(family), componentsOf(family));
      const { outputs } = yield* inPlace(job);
      for (const file of outputs) {
        family.tables.push({ file, path: `${salvage.stagingPath}/${tableFileName(file.number)}`, made: true });
      }
    } finally {
      memtable.unref();
    }
  }
}

interface RecordVisitor {
  /** The record is valid for the call. */
  record(reader: LogReader): void;
  damage(event: LogEvent): void;
  afterRecord(): Io<void> | undefined;
}

/**
 * Gives every record that can be read. A reader drops the rest of a block behind damage, since no length there can be
 * trusted; here the next intact record is looked for, byte by byte. It must continue in sequence: a value may hold what
 * looks like a record.
 */
function* eachRecord(salvage: Salvage, place: LogPlace, visitor: RecordVisitor): Io<void> {
  const { fs, walPath } = salvage.context;
  const file = yield* openLog(fs, walPath, place);
  if (file === undefined) throw new DBError('NOT_FOUND', `${place.path}: the log is gone`);
  const options = logReaderOptions(place.number);
  let reader = new LogReader(file, options);
  let lastSequence = 0;
  try {
    for (;;) {
      const step = yield* reader.next();
      if (step === LogStep.end) return;
      if (step === LogStep.record) {
        if (reader.recordSize >= BATCH_HEADER_SIZE) lastSequence = getFixed64(reader.record(), 0);
        visitor.record(reader);
      } else if (!losesData(reader.event!.kind) || reader.compression !== LogCompression.none) {
        visitor.damage(reader.event!);
      } else {
        const event = reader.event!;
        const next = yield* findIntactRecordAfter(
          file,
          event.offset,
          options,
          (record) => record.length >= BATCH_HEADER_SIZE && getFixed64(record, 0) > lastSequence,
        );
        const end = next ?? (yield* statFile(fs, file.path)).size;
        visitor.damage({ ...event, bytes: end - event.offset });
        if (next === undefined) return;
        reader.close();
        reader = new LogReader(file, { ...options, startOffset: next });
      }
      const room = visitor.afterRecord();
      if (room !== undefined) yield* room;
    }
  } finally {
    reader.close();
    yield* closeFile(file);
  }
}
