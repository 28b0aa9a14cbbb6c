/** One table as a sorted run: a kernel cursor that is moved from data block to data block by the index. */
import { corruption } from '../base/db-error.ts';
import type { CursorSource } from '../base/cursor-source.ts';
import type { Io } from '../base/io.ts';
import { BlockFlags } from '../kernel/abi/block.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import type { BlockProvider } from './block-provider.ts';
import { type IndexCursor, IndexStatus } from './index-cursor.ts';
import { CursorHead } from './metadata-block.ts';
import type { TableParts } from './table-open.ts';

/** `BlockFlags` of a table's data blocks. */
export function dataFlagsOf(parts: TableParts): number {
  const flags = BlockFlags.internalKeys | BlockFlags.dataBlock;
  return parts.globalSequence === undefined ? flags : flags | BlockFlags.globalSequence;
}

/** Iterates a table. Owns its kernel cursor, its index position and its block provider. */
export class TableIterator implements CursorSource {
  readonly cursor: number;
  readonly refillable = true;

  readonly #kernel: Kernel = getKernel();
  readonly #parts: TableParts;
  readonly #comparator: number;
  readonly #index: IndexCursor;
  readonly #blocks: BlockProvider;
  readonly #flags: number;
  readonly #globalSequence: number;
  readonly #onClose: () => void;
  readonly #ownsCursor: boolean;
  /** What `load` must bring: nothing, an index partition, or the data block that the index stands on. */
  #lacking: 'nothing' | 'partition' | 'data' = 'nothing';
  /** The walk left the table; only a seek brings it back. */
  #ended = true;
  #closed = false;

  /**
   * `onClose` runs once, when the iterator no longer needs the table. `cursor` is a kernel block cursor to use, which stays
   * the caller's: so that the tables of a level, one after the other, can share one.
   */
  constructor(
    parts: TableParts,
    comparator: number,
    index: IndexCursor,
    blocks: BlockProvider,
    onClose: () => void,
    cursor?: number,
  ) {
    this.#parts = parts;
    this.#comparator = comparator;
    this.#index = index;
    this.#blocks = blocks;
    this.#flags = dataFlagsOf(parts);
    this.#globalSequence = parts.globalSequence ?? 0;
    this.#onClose = onClose;
    this.#ownsCursor = cursor === undefined;
    this.cursor = cursor ?? this.#kernel.x.blockCursorCreate() >>> 0;
    if (this.cursor === 0) throw new RangeError('kernel memory exhausted');
  }

  *seekToFirst(): Io<void> {
    if (yield* this.#openAt(this.#index.seekToFirst())) this.#kernel.x.blockCursorSeekToFirst(this.cursor);
    yield* this.#settle(1);
  }

  *seekToLast(): Io<void> {
    if (yield* this.#openAt(this.#index.seekToLast())) this.#kernel.x.blockCursorSeekToLast(this.cursor);
    yield* this.#settle(-1);
  }

  *seek(target: number, targetSize: number): Io<void> {
    if (yield* this.#openAt(this.#index.seek(target, targetSize))) {
      this.#kernel.x.blockCursorSeek(this.cursor, target, targetSize);
    }
    yield* this.#settle(1);
  }

  *seekForPrev(target: number, targetSize: number): Io<void> {
    let status = this.#index.seek(target, targetSize);
    while (status === IndexStatus.pending) status = yield* this.#index.load();
    if (status === IndexStatus.end) return yield* this.seekToLast();
    if (yield* this.#openAt(status)) this.#kernel.x.blockCursorSeekForPrev(this.cursor, target, targetSize);
    yield* this.#settle(-1);
  }

  tryPosition(operation: 0 | 1 | 2 | 3, target: number, targetSize: number): boolean {
    const forward = operation === 0 || operation === 2;
    let status =
      operation === 0
        ? this.#index.seekToFirst()
        : operation === 1
          ? this.#index.seekToLast()
          : this.#index.seek(target, targetSize);
    let move: 0 | 1 | 2 | 3 = operation;
    if (operation === 3 && status === IndexStatus.end) {
      // Every block ends before the target: the last entry of the table is the one.
      status = this.#index.seekToLast();
      move = 1;
    }
    if (status === IndexStatus.pending) return false;
    this.#lacking = 'nothing';
    if (status === IndexStatus.end) {
      this.#end();
      return true;
    }
    if (!this.#tryOpenData()) return false;
    const { x } = this.#kernel;
    if (move === 0) x.blockCursorSeekToFirst(this.cursor);
    else if (move === 1) x.blockCursorSeekToLast(this.cursor);
    else if (move === 2) x.blockCursorSeek(this.cursor, target, targetSize);
    else x.blockCursorSeekForPrev(this.cursor, target, targetSize);
    return this.#isValid() || this.tryRefill(forward ? 1 : -1) >= 0;
  }

  tryRefill(direction: 1 | -1): number {
    if (this.#ended) return 0;
    this.#checkCursor();
    if (this.#lacking === 'partition') return -1;
    for (;;) {
      if (this.#lacking === 'nothing') {
        const status = direction === 1 ? this.#index.next() : this.#index.prev();
        if (status === IndexStatus.end) return this.#end();
        if (status === IndexStatus.pending) {
          this.#lacking = 'partition';
          return -1;
        }
      }
      if (!this.#tryOpenData()) return -1;
      if (direction === 1) this.#kernel.x.blockCursorSeekToFirst(this.cursor);
      else this.#kernel.x.blockCursorSeekToLast(this.cursor);
      if (this.#isValid()) return 1;
      this.#checkCursor();
    }
  }

  *load(): Io<void> {
    if (this.#lacking === 'partition') {
      let status = yield* this.#index.load();
      while (status === IndexStatus.pending) status = yield* this.#index.load();
      this.#lacking = status === IndexStatus.end ? 'nothing' : 'data';
      if (status === IndexStatus.end) this.#end();
    }
    if (this.#lacking === 'data') yield* this.#blocks.load(this.#index.handleOffset, this.#index.handleSize);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#ownsCursor) this.#kernel.x.blockCursorDestroy(this.cursor);
    this.#index.close();
    this.#blocks.close();
    this.#onClose();
  }

  /** Opens the block of the index position; false, and the cursor invalid, when there is none. */
  *#openAt(first: number): Io<boolean> {
    let status = first;
    while (status === IndexStatus.pending) status = yield* this.#index.load();
    this.#lacking = 'nothing';
    if (status === IndexStatus.end) {
      this.#end();
      return false;
    }
    if (!this.#tryOpenData()) {
      yield* this.#blocks.load(this.#index.handleOffset, this.#index.handleSize);
      this.#tryOpenData();
    }
    return true;
  }

  /** Goes on to the neighbouring blocks until the cursor stands on an entry or the table ends. */
  *#settle(direction: 1 | -1): Io<void> {
    while (!this.#isValid() && !this.#ended) {
      if (this.tryRefill(direction) === -1) yield* this.load();
    }
  }

  #end(): number {
    this.#ended = true;
    this.#kernel.u32[(this.cursor + CursorHead.valid) >>> 2] = 0;
    return 0;
  }

  #tryOpenData(): boolean {
    const { x } = this.#kernel;
    const { handleOffset } = this.#index;
    const block = this.#blocks.tryOpen(handleOffset, this.#index.handleSize);
    this.#lacking = block === 0 ? 'data' : 'nothing';
    if (block === 0) return false;
    this.#ended = false;
    const size = this.#blocks.openSize;
    if (x.blockCursorInit(this.cursor, block, size, this.#flags, this.#comparator, this.#globalSequence) === 0) {
      throw corruption(`bad block contents in ${this.#parts.source.path} offset ${handleOffset}`);
    }
    return true;
  }

  #isValid(): boolean {
    return this.#kernel.u32[(this.cursor + CursorHead.valid) >>> 2] !== 0;
  }

  #checkCursor(): void {
    if (this.#kernel.u32[(this.cursor + CursorHead.error) >>> 2] === 0) return;
    throw corruption(`bad entry in block in ${this.#parts.source.path} offset ${this.#index.handleOffset}`);
  }
}
