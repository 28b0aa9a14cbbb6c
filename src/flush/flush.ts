/** One flush: which memtables go into a table of level 0, what the MANIFEST records of it, and what is told about it. */
import type { CompactionResult } from '../../compaction/compaction-result.ts';
import type { Io } from '../../format/base/io.ts';
import { emptyEdit, type VersionEdit } from '../../format/manifest/version-edit.ts';
import type { MemTable } from '../memtable/memtable.ts';
import type { DbContext } from '../options/db-context.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';

/** A flush of all immutable memtables that a family has when it starts. */
export class Flush {
  /** Oldest first. */
  readonly memtables: readonly MemTable[];
  readonly #context: DbContext;
  readonly family: ColumnFamilyState;
  readonly #jobId: number;
  readonly #startMicros: number;

  constructor(context: DbContext, family: ColumnFamilyState, jobId: number) {
    this.#context = context;
    this.family = family;
    this.#jobId = jobId;
    this.#startMicros = context.clock.monotonicMicros();
    this.memtables = family.immutables.slice();
    // The job reads them, maybe from another thread, even if the family is dropped meanwhile.
    for (const memtable of this.memtables) {
      memtable.ref();
      memtable.flushing = true;
    }
    context.notify('onFlushBegin', { columnFamily: family.name, jobId });
    context.logEvent('flush_started', {
      job: jobId,
      cf_name: family.name,
      num_memtables: this.memtables.length,
      num_entries: this.memtables.reduce((sum, { entryCount }) => sum + entryCount, 0),
      memory_usage: this.memtables.reduce((sum, { bytes }) => sum + bytes, 0),
    });
  }

  /** Brings the memtables to where any thread can read them, in slices with `rest` in between. */
  *prepare(rest: () => Io<void>): Io<void> {
    for (const memtable of this.memtables) while (!memtable.copyForFlush()) yield* rest();
  }

  /** What the job is to do. */
  work(): { kind: 'flush'; memtables: number[]; oldestKeyTime: number } {
    const newestFirst = this.memtables.toReversed();
    return { kind: 'flush', memtables: newestFirst.map((memtable) => memtable.flushAddress()), oldestKeyTime: 0 };
  }

  /** The MANIFEST's record. Logs below `minLogNumberToKeep` are of no use to any family once it is durable. */
  edit(result: CompactionResult, minLogNumberToKeep: number): VersionEdit {
    const edit = emptyEdit(this.family.id);
    edit.logNumber = this.memtables[this.memtables.length - 1]!.nextLogNumber;
    edit.minLogNumberToKeep = minLogNumberToKeep;
    for (const file of result.outputs) edit.newFiles.push({ level: 0, file });
    return edit;
  }

  /** After the install. */
  report(result: CompactionResult): void {
    this.#letGo();
    const [file] = result.outputs;
    const micros = Math.round(this.#context.clock.monotonicMicros() - this.#startMicros);
    this.#count(result, micros);
    const event = {
      columnFamily: this.family.name,
      jobId: this.#jobId,
      fileNumber: file?.number,
      sizeBytes: file?.sizeBytes ?? 0,
      entries: result.stats.outputRecords,
      micros,
    };
    if (file !== undefined) {
      this.#context.notify('onTableFileCreated', {
        columnFamily: this.family.name,
        fileNumber: file.number,
        sizeBytes: file.sizeBytes,
      });
    }
    this.#context.logEvent('flush_finished', {
      job: this.#jobId,
      cf_name: this.family.name,
      output_file: file?.number,
      file_size: event.sizeBytes,
      num_entries: event.entries,
      flush_micros: micros,
      lsm_state: this.family.version.levels.map((level) => level.length),
    });
    this.#context.notify('onFlushCompleted', event);
  }

  #count({ facts, stats }: CompactionResult, micros: number): void {
    const { statistics } = this.#context;
    if (statistics === undefined) return;
    statistics.count('rocksdb.flush.write.bytes', stats.bytesWritten);
    statistics.count('rocksdb.number.merge.failures', stats.mergeFailures);
    statistics.record('rocksdb.db.flush.micros', micros);
    for (const { syncMicros } of facts) statistics.record('rocksdb.table.sync.micros', syncMicros);
  }

  /** After a failure: the memtables stay with the family, for the next try. */
  giveUp(): void {
    this.#letGo();
  }

  #letGo(): void {
    for (const memtable of this.memtables) {
      memtable.flushing = false;
      memtable.unref();
    }
  }
}
