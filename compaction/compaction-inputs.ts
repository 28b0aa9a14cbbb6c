/**
 * The inputs of a job, opened: a merge of their sorted runs, newest first, and their range tombstones clipped to the
 * files they came from.
 */
import { assert } from '../format/base/assert.ts';
import type { Comparator } from '../format/base/comparator.ts';
import { corruption } from '../format/base/db-error.ts';
import type { Io } from '../format/base/io.ts';
import { MemtableSource, memtableTombstones } from '../format/iterator/memtable-source.ts';
import { clipToFile, FragmentedTombstones, type RangeTombstone } from '../format/iterator/range-tombstones.ts';
import { MergeStatus } from '../format/kernel/abi/merge.ts';
import { getKernel, type Kernel } from '../format/kernel/kernel.ts';
import type { CompactionInput, KeyBounds } from './compaction.ts';
import type { CompactionIo, InputTable } from './compaction-io.ts';
import { type CompactionSource, LevelRun } from './level-run.ts';

/** Bytes a read of an input table: large enough that a disk streams. */
const READ_SIZE_MAX = 256 * 1024;

/** What the reads of all runs may hold together; level 0 of a bulk load has thousands of runs. */
const READ_BYTES_MAX = 32 * 1024 * 1024;

/** Below this a read costs more than what it brings. */
const READ_SIZE_MIN = 16 * 1024;

/** Bytes a read where `runs` runs are merged; a read is never smaller than its block. */
export function readSizeFor(runs: number): number {
  return Math.min(READ_SIZE_MAX, Math.max(READ_SIZE_MIN, Math.floor(READ_BYTES_MAX / runs)));
}

/**
 * Where the entries come from: tables by level, from the begin of `bounds` on (its end is the iterator's business), or
 * immutable memtables (addresses), newest first.
 */
export type JobSources =
  | { readonly kind: 'tables'; readonly inputs: readonly CompactionInput[]; readonly bounds: KeyBounds | undefined }
  | { readonly kind: 'memtables'; readonly memtables: readonly number[] };

/** An open set of inputs. Owns its tables and kernel memory until `close`. */
export class CompactionInputs {
  /** The merge; started by `start`. */
  readonly merge: number;
  readonly tombstones: FragmentedTombstones;
  readonly tombstoneCount: number;
  readonly #kernel: Kernel = getKernel();
  readonly #sources: readonly CompactionSource[];

  private constructor(
    comparator: Comparator,
    comparatorId: number,
    sources: readonly CompactionSource[],
    tombstones: readonly RangeTombstone[],
  ) {
    this.#sources = sources;
    this.tombstones = new FragmentedTombstones(comparator, tombstones);
    this.tombstoneCount = tombstones.length;
    this.merge = this.#kernel.x.mergeCreate(comparatorId, Math.max(sources.length, 1)) >>> 0;
    if (this.merge === 0) throw new RangeError('kernel memory exhausted');
    sources.forEach((source, i) => {
      this.#kernel.x.mergeSetChild(this.merge, i, source.cursor, source.refillable ? 1 : 0);
    });
  }

  /** Opens the inputs and places the merge on the first entry. On failure everything opened is closed again. */
  static *open(io: CompactionIo, comparator: Comparator, comparatorId: number, from: JobSources): Io<CompactionInputs> {
    const sources: CompactionSource[] = [];
    const tombstones: RangeTombstone[] = [];
    let inputs: CompactionInputs | undefined;
    try {
      if (from.kind === 'memtables') openMemtables(from.memtables, sources, tombstones);
      else yield* openTables(io, comparator, from, sources, tombstones);
      for (const source of sources) yield* source.seekToFirst();
      inputs = new CompactionInputs(comparator, comparatorId, sources, tombstones);
      if (getKernel().x.mergeStart(inputs.merge, 1) === MergeStatus.corrupt) throw inputs.corruptChild();
      return inputs;
    } catch (error) {
      if (inputs) inputs.close();
      else for (const source of sources) source.close();
      throw error;
    }
  }

  /** Brings the run that ran out to its next entry, or to its end; the merge goes on by itself. */
  *refill(): Io<void> {
    const source = this.#sources[this.#kernel.x.mergeNeed(this.merge)];
    assert(source, 'a merge asks for a refill of a child that does not exist');
    while (source.tryRefill(1) === -1) yield* source.load();
  }

  /** The error for a merge that met corrupt bytes. */
  corruptChild(): Error {
    const child = this.#kernel.x.mergeCorruptChild(this.merge);
    const source = this.#sources[child];
    try {
      // A table's iterator knows its file and offset and says so itself.
      source?.tryRefill(1);
    } catch (error) {
      if (error instanceof Error) return error;
    }
    return corruption(`bad entry in input ${child} of a compaction`);
  }

  close(): void {
    this.#kernel.x.mergeFree(this.merge);
    for (const source of this.#sources) source.close();
  }
}

function openMemtables(memtables: readonly number[], sources: CompactionSource[], tombstones: RangeTombstone[]): void {
  const kernel = getKernel();
  for (const memtable of memtables) {
    sources.push(new MemtableSource(kernel, memtable));
    for (const tombstone of memtableTombstones(kernel, memtable)) tombstones.push(tombstone);
  }
}

function* openTables(
  io: CompactionIo,
  comparator: Comparator,
  { inputs, bounds }: Extract<JobSources, { kind: 'tables' }>,
  sources: CompactionSource[],
  tombstones: RangeTombstone[],
): Io<void> {
  const begin = bounds?.begin;
  // Files of level 0 overlap: each is a run. Elsewhere the level is one.
  const runs = inputs.reduce((sum, { level, files }) => sum + (level === 0 ? files.length : 1), 0);
  const readSize = readSizeFor(runs);
  for (const { level, files } of inputs) {
    const tables: InputTable[] = [];
    try {
      for (const file of files) {
        const table = yield* io.openInput(file);
        tables.push(table);
        const clipped = clipToFile(comparator, table.reader.rangeTombstones, file.smallest, file.largest);
        for (const tombstone of clipToBounds(comparator, clipped, bounds)) tombstones.push(tombstone);
      }
    } catch (error) {
      for (const table of tables) table.release();
      throw error;
    }
    if (level === 0) for (const table of tables) sources.push(new LevelRun([table], readSize, begin));
    else sources.push(new LevelRun(tables, readSize, begin));
  }
}

/** The parts of tombstones inside the range of a sub-compaction. */
function clipToBounds(
  { compare }: Comparator,
  tombstones: readonly RangeTombstone[],
  bounds: KeyBounds | undefined,
): readonly RangeTombstone[] {
  if (bounds === undefined) return tombstones;
  const { begin: from, end: to } = bounds;
  const parts: RangeTombstone[] = [];
  for (const { begin, end, sequence } of tombstones) {
    const cutBegin = from && compare(begin, from) < 0 ? from : begin;
    const cutEnd = to && compare(end, to) > 0 ? to : end;
    if (compare(cutBegin, cutEnd) < 0) parts.push({ begin: cutBegin, end: cutEnd, sequence });
  }
  return parts;
}
