/**
 * The rows that one reader sees, in chunks: a merge of all runs and the kernel's read iterator over it. A chunk is filled
 * with one call into the kernel; keys lie in the iterator's slab, values where they were found, and both stay put until the
 * next chunk is asked for.
 *
 * Moves come in two forms: `try…` goes as far as the blocks at hand allow and returns `MUST_LOAD`, then the operation
 * (`Io`) of the same name finishes the move.
 */
import { copyOf } from '../../format/base/bytes.ts';
import { corruption, DBError } from '../../format/base/db-error.ts';
import { TRAILER_SIZE, TYPE_FOR_SEEK, TYPE_FOR_SEEK_FOR_PREV, writeTrailer } from '../../format/base/internal-key.ts';
import type { Io } from '../../format/base/io.ts';
import { MergingIterator, MUST_LOAD, Position, type PositionCode } from '../../format/iterator/merging-iterator.ts';
import { READ_ROW_SIZE, ReadIteratorField, ReadStatus } from '../../format/kernel/abi/read-iterator.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { SuperVersion } from '../version/super-version.ts';
import { makeSources, type SourceOptions, TombstoneView } from './iterator-sources.ts';
import { LookupStatus, PointLookup, type TableAccess, unsupportedType } from './point-lookup.ts';

/** Rows and bytes of the largest chunk. */
const CHUNK_ROWS_MAX = 256;
const CHUNK_BYTES_MAX = 128 * 1024;
const SLAB_SIZE = 32 * 1024;

/** User-key bounds; lower inclusive, upper exclusive. */
export interface RowBounds {
  lower: Uint8Array | undefined;
  upper: Uint8Array | undefined;
}

/** A reader's rows. Owns the merge and its runs; holds a reference to the super-version. */
export class VisibleRows {
  /** Rows of the present chunk. */
  count = 0;
  readonly #kernel: Kernel;
  readonly #family: ColumnFamilyState;
  readonly #view: SuperVersion;
  readonly #snapshot: number;
  readonly #merging: MergingIterator;
  readonly #tombstones: TombstoneView;
  readonly #lookup: PointLookup;
  readonly #iterator: number;
  readonly #rows: number;
  #bounds = 0;
  /** What stopped the last fill. */
  #status: number = ReadStatus.end;
  #target = 0;
  #targetCapacity = 0;
  #targetSize = 0;
  #where: PositionCode = Position.first;
  #forward = true;
  #wanted = 1;
  /** The value of the last row where it is the result of a merge. */
  #mergedValue: Uint8Array | undefined;
  #mergedRow = -1;
  /** The lookup for the last row's merge operands is under way. */
  #resolving = false;
  #closed = false;

  constructor(
    kernel: Kernel,
    access: TableAccess,
    family: ColumnFamilyState,
    snapshot: number,
    bounds: RowBounds,
    options: SourceOptions,
  ) {
    this.#kernel = kernel;
    this.#family = family;
    this.#view = family.superVersion.ref();
    this.#snapshot = snapshot;
    this.#tombstones = new TombstoneView(kernel, family, this.#view, snapshot);
    const sources = makeSources(kernel, access, family, this.#view, this.#tombstones, options);
    this.#merging = new MergingIterator(kernel, family.comparatorId, sources);
    this.#lookup = new PointLookup(kernel, access);
    const { x } = kernel;
    this.#iterator = x.readIteratorCreate(this.#merging.merge, snapshot, CHUNK_ROWS_MAX, SLAB_SIZE, 0) >>> 0;
    if (this.#iterator === 0) throw new RangeError('kernel memory exhausted: no room for an iterator');
    this.#rows = kernel.u32[(this.#iterator + ReadIteratorField.rows) >>> 2]!;
    this.#setBounds(bounds);
  }

  /** Positions before the first row of the move; then `tryFill`. Returns `MUST_LOAD` when `position` has to finish it. */
  tryPosition(where: PositionCode, key: Uint8Array | undefined, includeKey: boolean): number {
    this.#where = where;
    this.#forward = where === Position.first || where === Position.seek;
    this.#placeTarget(key, includeKey);
    this.#begin();
    return this.#merging.tryPosition(where, this.#target, this.#targetSize) === MUST_LOAD ? MUST_LOAD : 0;
  }

  /** Finishes `tryPosition`. */
  *position(): Io<void> {
    yield* this.#merging.position(this.#where, this.#target, this.#targetSize);
  }

  /**
   * Replaces the chunk by the next rows in the direction of the last positioning, at most `rows` of them. Returns the
   * count, 0 at the end, or `MUST_LOAD` when `load` must run before it is called again with the same argument.
   */
  tryFill(rows: number): number {
    this.#wanted = Math.min(rows, CHUNK_ROWS_MAX);
    if (this.#resolving) return this.#resolve();
    this.count = 0;
    this.#mergedRow = -1;
    this.#mergedValue = undefined;
    const { x, u32 } = this.#kernel;
    for (;;) {
      if (this.#status === ReadStatus.end) return 0;
      if (this.#status === ReadStatus.needRefill && this.#merging.tryRefill() === MUST_LOAD) return MUST_LOAD;
      if (this.#tombstones.isStale) this.#layTombstones();
      x.readIteratorClear(this.#iterator);
      this.#status = this.#forward
        ? x.readForward(this.#iterator, this.#wanted, CHUNK_BYTES_MAX)
        : x.readBackward(this.#iterator, this.#wanted, CHUNK_BYTES_MAX);
      this.count = u32[(this.#iterator + ReadIteratorField.rowCount) >>> 2]!;
      if (this.#status === ReadStatus.mergeOperand) return this.#startResolving();
      if (this.count > 0) return this.count;
      this.#checkStatus();
    }
  }

  /** Brings what `tryFill` lacked. */
  *load(): Io<void> {
    if (this.#resolving) yield* this.#lookup.load();
    else yield* this.#merging.refill();
  }

  /** A view of row `i`'s user key, until the next move. */
  key(i: number): Uint8Array {
    const row = (this.#rows + i * READ_ROW_SIZE) >>> 2;
    return this.#kernel.bytes(this.#kernel.u32[row]!, this.#kernel.u32[row + 1]!);
  }

  /** A copy of row `i`'s user key. */
  copyKey(i: number): Uint8Array {
    const row = (this.#rows + i * READ_ROW_SIZE) >>> 2;
    return this.#kernel.copyOut(this.#kernel.u32[row]!, this.#kernel.u32[row + 1]!);
  }

  /** A view of row `i`'s value, until the next move. */
  value(i: number): Uint8Array {
    if (i === this.#mergedRow) return this.#mergedValue!;
    const row = (this.#rows + i * READ_ROW_SIZE) >>> 2;
    return this.#kernel.bytes(this.#kernel.u32[row + 2]!, this.#kernel.u32[row + 3]!);
  }

  /** A copy of row `i`'s value. */
  copyValue(i: number): Uint8Array {
    if (i === this.#mergedRow) return copyOf(this.#mergedValue!);
    const row = (this.#rows + i * READ_ROW_SIZE) >>> 2;
    return this.#kernel.copyOut(this.#kernel.u32[row + 2]!, this.#kernel.u32[row + 3]!);
  }

  /** Frees everything. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const kernel = this.#kernel;
    kernel.x.readIteratorFree(this.#iterator);
    this.#merging.close();
    this.#tombstones.close();
    this.#lookup.close();
    kernel.free(this.#target);
    kernel.free(this.#bounds);
    this.#view.unref();
  }

  #begin(): void {
    this.#kernel.x.readIteratorReset(this.#iterator);
    this.count = 0;
    this.#resolving = false;
    this.#status = ReadStatus.more;
  }

  #checkStatus(): void {
    if (this.#status === ReadStatus.corrupt) {
      this.#merging.tryRefill();
      throw corruption('a sorted run holds a malformed entry');
    }
    if (this.#status === ReadStatus.outOfMemory) {
      throw new DBError('IO_ERROR', 'kernel memory exhausted by an iterator');
    }
    if (this.#status === ReadStatus.unsupportedType) {
      throw unsupportedType(this.#kernel.u32[(this.#iterator + ReadIteratorField.type) >>> 2]!);
    }
  }

  #layTombstones(): void {
    const { rows, count } = this.#tombstones.lay();
    this.#kernel.x.readIteratorSetTombstones(this.#iterator, rows, count);
  }

  /** The last row's newest version is a merge operand: its value is looked up on its own. */
  #startResolving(): number {
    this.#resolving = true;
    this.#lookup.begin(this.#family, this.#view, this.copyKey(this.count - 1), this.#snapshot, true);
    return this.#resolve();
  }

  #resolve(): number {
    if (this.#lookup.run() === LookupStatus.needsIo) return MUST_LOAD;
    this.#resolving = false;
    this.#status = ReadStatus.more;
    this.#mergedRow = this.count - 1;
    this.#mergedValue = this.#lookup.value!;
    return this.count;
  }

  #setBounds(bounds: RowBounds): void {
    const { lower, upper } = bounds;
    if (lower === undefined && upper === undefined) return;
    const kernel = this.#kernel;
    const lowerSize = lower?.length ?? 0;
    // One byte more, so that an empty bound has an address, too.
    this.#bounds = kernel.malloc(lowerSize + (upper?.length ?? 0) + 1);
    if (lower !== undefined) kernel.copyIn(lower, this.#bounds);
    if (upper !== undefined) kernel.copyIn(upper, this.#bounds + lowerSize);
    kernel.x.readIteratorSetBounds(
      this.#iterator,
      lower === undefined ? 0 : this.#bounds,
      lowerSize,
      upper === undefined ? 0 : this.#bounds + lowerSize,
      upper?.length ?? 0,
    );
  }

  /** `includeKey`: entries of the key itself belong to the move. */
  #placeTarget(key: Uint8Array | undefined, includeKey: boolean): void {
    if (key === undefined) return;
    const size = key.length + TRAILER_SIZE;
    if (size > this.#targetCapacity) {
      this.#kernel.free(this.#target);
      this.#target = this.#kernel.malloc(size + 64);
      this.#targetCapacity = size + 64;
    }
    this.#kernel.copyIn(key, this.#target);
    this.#targetSize = size;
    const at = this.#target + key.length;
    // Newest versions sort first: (max, seek type) stands before all of a key's entries, (0, 0) behind them.
    if (this.#forward === includeKey)
      writeTrailer(this.#kernel.u8, at, this.#forward ? this.#snapshot : 2 ** 56, TYPE_FOR_SEEK);
    else writeTrailer(this.#kernel.u8, at, 0, TYPE_FOR_SEEK_FOR_PREV);
  }
}
