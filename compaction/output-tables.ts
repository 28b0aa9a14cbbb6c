/**
 * The outputs of one job: opens a table when there is an entry for it, writes its blocks, gives it its part of the range
 * tombstones, and closes it synced. If the job fails everything is removed again.
 */
import { assert } from '../format/base/assert.ts';
import type { WritableFile } from '../format/base/file-handles.ts';
import { closeFile, syncFull } from '../format/base/file-io.ts';
import type { Io } from '../format/base/io.ts';
import type { RangeTombstone } from '../format/iterator/range-tombstones.ts';
import { type FileMetadata, plainFileFields } from '../format/manifest/file-metadata.ts';
import type { TableOptions } from '../format/sst/table-options.ts';
import { TableWriter, type WrittenTable } from '../format/sst/table-writer.ts';
import type { CompactionIo, OutputFile } from './compaction-io.ts';
import type { OutputTableFacts } from './compaction-result.ts';
import type { JobComponents, JobSettings } from './job-settings.ts';
import { TombstoneCutter } from './output-tombstones.ts';

const THROTTLE_BYTES = 64 * 1024;

interface OpenTable {
  readonly output: OutputFile;
  readonly writer: TableWriter;
}

/** What all outputs of a job have in common. */
export interface OutputTablesOptions {
  readonly io: CompactionIo;
  readonly settings: JobSettings;
  readonly components: JobComponents;
  readonly tableOptions: TableOptions;
  /** In key order, newest first. */
  readonly tombstones: readonly RangeTombstone[];
  readonly pathId: number;
  /** Bytes at which the job ends a table; `Infinity` never. */
  readonly targetFileSize: number;
  /** Unix seconds: the oldest data among the inputs, 0 unknown. */
  readonly oldestAncestorTime: number;
  /** Unix seconds: the oldest key, for the table's properties; 0 unknown. */
  readonly oldestKeyTime: number;
}

/** Writes the outputs one after the other. Must end with `finish` or `abandon`. */
export class OutputTables {
  readonly files: FileMetadata[] = [];
  readonly facts: OutputTableFacts[] = [];
  bytesWritten = 0;
  outputTombstones = 0;
  readonly #options: OutputTablesOptions;
  readonly #cutter: TombstoneCutter;
  readonly #created: number[] = [];
  #open: OpenTable | undefined;
  /** First user key of the open table's share of the key space; `undefined` before the first cut. */
  #from: Uint8Array | undefined;
  #unthrottled = 0;
  #lastSize = 0;
  #restAt = 0;

  constructor(options: OutputTablesOptions) {
    this.#options = options;
    this.#cutter = new TombstoneCutter(options.components.comparator, options.tombstones);
  }

  /** Address of the open table's kernel writer. */
  get kernelWriter(): number {
    assert(this.#open, 'no output table is open');
    return this.#open.writer.kernelWriter;
  }

  /** Bytes of the open table's file so far. */
  get fileBytes(): number {
    return this.#open ? this.#open.writer.sizeEstimate : 0;
  }

  /** Writes the full block of the open table. */
  *flushBlock(): Io<void> {
    assert(this.#open, 'no output table is open');
    yield* this.#open.writer.flushBlock();
    yield* this.#account(this.#open.writer.sizeEstimate);
  }

  /** Ends the open table, if there is one, before `nextUserKey`, and opens the next. */
  *cut(nextUserKey: Uint8Array): Io<void> {
    if (this.#open) {
      yield* this.#complete(nextUserKey);
      this.#from = nextUserKey;
    }
    yield* this.#create();
  }

  /** Ends the last table. Tombstones alone make a table too; without either there is none. */
  *finish(): Io<void> {
    if (!this.#open && this.#options.tombstones.length > 0) yield* this.#create();
    if (this.#open) yield* this.#complete(undefined);
  }

  /** Removes everything after a failure; does not throw. */
  *abandon(): Io<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open) {
      open.writer.abandon();
      yield* closeQuietly(open.output.file);
    }
    for (const number of this.#created.splice(0)) yield* this.#options.io.removeOutput(number);
  }

  *#create(): Io<void> {
    const { io, settings, components, tableOptions, oldestKeyTime } = this.#options;
    const output = yield* io.createOutput();
    this.#created.push(output.number);
    try {
      const writer = new TableWriter(output.file, tableOptions, {
        comparator: components.comparator,
        familyId: settings.familyId,
        familyName: settings.familyName,
        creationTime: this.#options.oldestAncestorTime || settings.nowSeconds,
        oldestKeyTime,
        fileCreationTime: settings.nowSeconds,
        dbId: settings.dbId,
        dbSessionId: settings.dbSessionId,
        dbHostId: settings.dbHostId,
        fileNumber: output.number,
        mergeOperatorName: components.mergeOperator?.name,
        prefixExtractor: components.prefixExtractor,
        targetFileSize: this.#options.targetFileSize,
        pause: () => this.#pause(),
      });
      this.#open = { output, writer };
      this.#lastSize = 0;
    } catch (error) {
      yield* closeQuietly(output.file);
      throw error;
    }
  }

  *#complete(to: Uint8Array | undefined): Io<void> {
    const open = this.#open;
    assert(open, 'no output table is open');
    const { writer, output } = open;
    for (const { begin, end, sequence } of this.#cutter.take(this.#from, to)) {
      writer.addRangeTombstone(begin, end, sequence);
      this.outputTombstones++;
    }
    const written = yield* writer.finish();
    yield* this.#account(written.sizeBytes);
    const syncStart = this.#options.io.nowMicros();
    yield* syncFull(output.file);
    const syncMicros = this.#options.io.nowMicros() - syncStart;
    yield* closeFile(output.file);
    this.#open = undefined;
    this.bytesWritten += written.sizeBytes;
    this.files.push(this.#metadata(output.number, written));
    this.facts.push(factsOf(output.number, written, syncMicros));
  }

  *#account(sizeBytes: number): Io<void> {
    this.#unthrottled += sizeBytes - this.#lastSize;
    this.#lastSize = sizeBytes;
    if (this.#unthrottled < THROTTLE_BYTES) return;
    const bytes = this.#unthrottled;
    this.#unthrottled = 0;
    this.#options.io.checkCancelled();
    yield* this.#options.io.throttle(bytes);
  }

  /** What the job does between its steps, while a table writes the blocks that it kept for its dictionary. */
  *#pause(): Io<void> {
    const { io, settings } = this.#options;
    yield* this.#account(this.fileBytes);
    if (io.nowMicros() < this.#restAt) return;
    io.checkCancelled();
    yield* io.rest();
    this.#restAt = io.nowMicros() + settings.sliceMs * 1000;
  }

  #metadata(number: number, written: WrittenTable): FileMetadata {
    const { smallest, largest } = written;
    assert(smallest && largest, 'an output table is empty');
    return {
      number,
      sizeBytes: written.sizeBytes,
      // Owned copies: metadata outlives the slabs that small copies share, and travels between threads.
      smallest: smallest.slice(),
      largest: largest.slice(),
      smallestSequence: written.smallestSequence,
      largestSequence: written.largestSequence,
      oldestAncestorTime: this.#options.oldestAncestorTime || this.#options.settings.nowSeconds,
      fileCreationTime: this.#options.settings.nowSeconds,
      ...plainFileFields,
      pathId: this.#options.pathId,
    };
  }
}

function factsOf(number: number, { properties }: WrittenTable, syncMicros: number): OutputTableFacts {
  const { numEntries, numDeletions, numRangeDeletions, rawKeySize, rawValueSize } = properties;
  const { dataSize, indexSize, filterSize } = properties;
  return {
    number,
    numEntries,
    numDeletions,
    numRangeDeletions,
    rawKeySize,
    rawValueSize,
    dataSize,
    indexSize,
    filterSize,
    syncMicros,
  };
}

/** Closes a file whose content is of no use any more: what that says cannot make matters worse. */
function* closeQuietly(file: WritableFile): Io<void> {
  try {
    yield* closeFile(file);
  } catch {
    // The job fails with its own error; the file is removed next.
  }
}
