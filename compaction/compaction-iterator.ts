/**
 * The host's side of the kernel's compaction iterator: lays its parameters out in kernel memory, runs it, and answers
 * for the user's merge operator and compaction filter. Which entries are dropped is decided in
 * `format/kernel/assembly/compaction-iterator.ts`.
 */
import { assert } from '../format/base/assert.ts';
import type { CompactionFilter } from '../format/base/compaction-filter.ts';
import { DBError } from '../format/base/db-error.ts';
import { TRAILER_SIZE, ValueType } from '../format/base/internal-key.ts';
import type { MergeOperator } from '../format/base/merge-operator.ts';
import {
  CompactionField as F,
  CompactionFlags,
  CompactionStatus,
  FilterDecision,
  MergeBase,
  OperandRow,
} from '../format/kernel/abi/compaction-iterator.ts';
import { getKernel, type Kernel } from '../format/kernel/kernel.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import type { UserKeyRange } from './compaction.ts';
import { filterValue } from './filter-value.ts';
import {
  layOutEnd,
  layOutGrandparents,
  layOutRanges,
  layOutSnapshots,
  layOutTombstones,
} from './iterator-parameters.ts';
import { foldMerge, foldPartially } from './merge-operands.ts';
import type { TombstoneFragment } from '../format/iterator/range-tombstones.ts';

/** Sequence above all others: a SingleDelete and its Put may always vanish together. */
const NO_CONFLICT_SNAPSHOT = 2 ** 56;

/** What the iterator works on and by. Sequences ascending and distinct; all arrays are read during construction only. */
export interface CompactionIteratorOptions {
  /** A started merge of the inputs, owned by the caller and alive until `close`. */
  readonly merge: number;
  /** Kernel id of the user-key comparator. */
  readonly comparatorId: number;
  readonly snapshots: readonly number[];
  /** Range tombstones of the inputs, already clipped to their files. */
  readonly fragments: readonly TombstoneFragment[];
  readonly bottommost: boolean;
  /** `undefined`: not known. */
  readonly deeperRanges: readonly UserKeyRange[] | undefined;
  readonly grandparents: readonly FileMetadata[];
  readonly targetFileSize: number;
  readonly maxCompactionBytes: number;
  /** May outputs end at grandparents' boundaries, at up to twice the target? */
  readonly dynamicFileSize: boolean;
  /** Entries to read between two pauses. */
  readonly sliceRecords: number;
  readonly startLevel: number;
  readonly mergeOperator: MergeOperator | undefined;
  readonly filter: CompactionFilter | undefined;
  /** User key before which it stops; `undefined`: it reads everything. */
  readonly end: Uint8Array | undefined;
}

/** Counters of a run; all are numbers of entries. */
export interface CompactionIteratorCounts {
  readonly inputRecords: number;
  readonly inputDeletions: number;
  readonly inputKeyBytes: number;
  readonly inputValueBytes: number;
  readonly outputRecords: number;
  readonly droppedHidden: number;
  readonly droppedObsolete: number;
  readonly droppedRangeDeleted: number;
  readonly droppedByFilter: number;
  readonly zeroedSequences: number;
  readonly singleDeleteMismatches: number;
  /** Keys whose operands stayed apart because the operator failed. */
  readonly mergeFailures: number;
}

/** A running compaction iterator. Owns its kernel memory until `close`. */
export class CompactionIterator {
  readonly #kernel: Kernel = getKernel();
  readonly #at: number;
  readonly #options: CompactionIteratorOptions;
  readonly #owned: number[] = [];
  #scratch = 0;
  #scratchSize = 0;
  #mergeFailures = 0;

  constructor(options: CompactionIteratorOptions) {
    this.#options = options;
    const kernel = this.#kernel;
    this.#at = kernel.x.compactionCreate(options.comparatorId) >>> 0;
    if (this.#at === 0) throw new RangeError('kernel memory exhausted');
    this.#owned.push(layOutSnapshots(kernel, this.#at, options.snapshots));
    this.#owned.push(layOutTombstones(kernel, this.#at, options.fragments));
    this.#owned.push(layOutRanges(kernel, this.#at, options.deeperRanges ?? []));
    this.#owned.push(layOutGrandparents(kernel, this.#at, options.grandparents));
    this.#owned.push(layOutEnd(kernel, this.#at, options.end));
    this.#set(F.merge, options.merge);
    this.#set(F.sliceRecords, options.sliceRecords);
    this.#set(
      F.flags,
      (options.bottommost ? CompactionFlags.bottommost : 0) |
        (options.deeperRanges ? CompactionFlags.deeperKnown : 0) |
        (options.filter ? CompactionFlags.filter : 0) |
        (options.dynamicFileSize ? CompactionFlags.dynamicFileSize : 0),
    );
    const stretches = options.dynamicFileSize && options.grandparents.length > 0;
    this.#setNumber(F.fileBytesMax, stretches ? options.targetFileSize * 2 : options.targetFileSize);
    this.#setNumber(F.fileBytesTarget, options.targetFileSize);
    this.#setNumber(F.overlapBytesMax, options.maxCompactionBytes);
    this.#setNumber(F.conflictSnapshot, NO_CONFLICT_SNAPSHOT);
  }

  /**
   * Runs until the caller is needed: a `CompactionStatus` other than `merge` and `filter`, which are answered here.
   * Throws `INVALID_ARGUMENT` for merge records without an operator, `COMPACTION_FAILED` when the filter fails,
   * `NOT_SUPPORTED` for records of unknown types.
   */
  run(): number {
    for (;;) {
      const status = this.#kernel.x.compactionRun(this.#at);
      switch (status) {
        case CompactionStatus.merge:
          this.#fold();
          break;
        case CompactionStatus.filter:
          this.#filter();
          break;
        case CompactionStatus.unsupportedType:
          throw new DBError('NOT_SUPPORTED', `a record of type ${this.#get(F.type)} cannot be compacted`);
        case CompactionStatus.outOfMemory:
          throw new RangeError('kernel memory exhausted');
        case CompactionStatus.writerFailed:
          assert(false, 'the table writer refused a key of the compaction iterator');
          break;
        default:
          return status;
      }
    }
  }

  /** The table writer that entries go to; 0 none, `cut` is then returned. */
  set writer(address: number) {
    this.#set(F.writer, address);
  }

  /** Bytes written to the current output so far. */
  set fileBytes(bytes: number) {
    this.#setNumber(F.fileBytes, bytes);
  }

  /** After `cut`: the user key that the next output begins with. An owned copy. */
  nextUserKey(): Uint8Array {
    return this.#kernel.copyOut(this.#get(F.key), this.#get(F.keySize) - TRAILER_SIZE);
  }

  /** Bytes of keys and values read so far. */
  get inputBytes(): number {
    return this.#getNumber(F.inputKeyBytes) + this.#getNumber(F.inputValueBytes);
  }

  get counts(): CompactionIteratorCounts {
    return {
      inputRecords: this.#getNumber(F.inputRecords),
      inputDeletions: this.#getNumber(F.inputDeletions),
      inputKeyBytes: this.#getNumber(F.inputKeyBytes),
      inputValueBytes: this.#getNumber(F.inputValueBytes),
      outputRecords: this.#getNumber(F.outputRecords),
      droppedHidden: this.#getNumber(F.droppedHidden),
      droppedObsolete: this.#getNumber(F.droppedObsolete),
      droppedRangeDeleted: this.#getNumber(F.droppedRangeDeleted),
      droppedByFilter: this.#getNumber(F.droppedByFilter),
      zeroedSequences: this.#getNumber(F.zeroedSequences),
      singleDeleteMismatches: this.#getNumber(F.singleDeleteMismatches),
      mergeFailures: this.#mergeFailures,
    };
  }

  /** Frees the kernel memory; the iterator is dead afterwards. */
  close(): void {
    for (const address of this.#owned.splice(0)) this.#kernel.free(address);
    this.#kernel.free(this.#scratch);
    this.#scratch = 0;
    this.#kernel.x.compactionFree(this.#at);
  }

  #fold(): void {
    const kernel = this.#kernel;
    const key = this.nextUserKey();
    const operands = this.#operandsOldestFirst();
    const base = this.#get(F.mergeBase);
    let folded: Uint8Array | undefined;
    try {
      folded =
        base === MergeBase.unknown
          ? foldPartially(this.#options.mergeOperator, key, operands)
          : foldMerge(this.#options.mergeOperator, key, this.#baseValue(base), operands);
    } catch (error) {
      if (!(error instanceof DBError) || error.code !== 'MERGE_FAILED') throw error;
      // Nothing may be lost: the operands stay as they are, and reads report the failure.
      this.#mergeFailures++;
    }
    if (!folded) {
      kernel.x.compactionKeepOperands(this.#at);
      return;
    }
    const type = base === MergeBase.unknown ? ValueType.merge : ValueType.value;
    kernel.x.compactionMerged(this.#at, type, this.#lend(folded), folded.length);
  }

  #operandsOldestFirst(): Uint8Array[] {
    const rows = this.#get(F.operands);
    const bytes = this.#get(F.operandBytes);
    const { u32 } = this.#kernel;
    const operands: Uint8Array[] = [];
    for (let i = this.#get(F.operandCount) - 1; i >= 0; i--) {
      const row = rows + i * OperandRow.size;
      const size = u32[(row + OperandRow.valueSize) >>> 2]!;
      operands.push(this.#kernel.copyOut(bytes + u32[(row + OperandRow.offset) >>> 2]!, size));
    }
    return operands;
  }

  #baseValue(base: number): Uint8Array | undefined {
    if (base !== MergeBase.value) return undefined;
    return this.#kernel.copyOut(this.#get(F.value), this.#get(F.valueSize));
  }

  #filter(): void {
    const { filter, startLevel } = this.#options;
    assert(filter, 'the kernel asks for a filter that is not set');
    const value = this.#kernel.copyOut(this.#get(F.value), this.#get(F.valueSize));
    const verdict = filterValue(filter, startLevel, this.nextUserKey(), value);
    if (verdict === 'keep') return;
    if (verdict === 'remove') {
      this.#kernel.x.compactionFilterVerdict(this.#at, FilterDecision.remove, 0, 0);
      return;
    }
    const address = this.#lend(verdict.value);
    this.#kernel.x.compactionFilterVerdict(this.#at, FilterDecision.change, address, verdict.value.length);
  }

  /** Copies bytes to where the kernel can read them until the next `merge` or `filter`. */
  #lend(bytes: Uint8Array): number {
    if (bytes.length > this.#scratchSize || this.#scratch === 0) {
      this.#kernel.free(this.#scratch);
      this.#scratch = 0;
      this.#scratchSize = bytes.length + (bytes.length >>> 1) + 64;
      this.#scratch = this.#kernel.malloc(this.#scratchSize + 16);
    }
    this.#kernel.copyIn(bytes, this.#scratch);
    return this.#scratch;
  }

  #get(field: number): number {
    return this.#kernel.u32[(this.#at + field) >>> 2]!;
  }

  #set(field: number, value: number): void {
    this.#kernel.u32[(this.#at + field) >>> 2] = value;
  }

  #getNumber(field: number): number {
    return this.#kernel.f64[(this.#at + field) >>> 3]!;
  }

  #setNumber(field: number, value: number): void {
    this.#kernel.f64[(this.#at + field) >>> 3] = value;
  }
}
