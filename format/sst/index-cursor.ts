/**
 * Walks the index of a table, one level or two, and tells the handle of one data block after the other. It never waits:
 * when an index partition is not at hand the move stays pending, and the owner loads the partition and resumes.
 */
import { corruption } from '../base/db-error.ts';
import { TRAILER_SIZE } from '../base/internal-key.ts';
import type { Io } from '../base/io.ts';
import { BlockCursorField, BlockFlags } from '../kernel/abi/block.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import type { BlockProvider } from './block-provider.ts';
import { CursorHead } from './metadata-block.ts';
import type { TableParts } from './table-open.ts';

/** Where a move led. */
export const IndexStatus = {
  /** It stands on an entry. */
  valid: 1,
  /** There is no such entry. */
  end: 0,
  /** A partition is missing: `yield* load()`, which completes the move. */
  pending: -1,
} as const;

type Move = 'first' | 'last' | 'seek';

/** A position in a table's index. Owns two kernel cursors and pins one partition. */
export class IndexCursor {
  readonly #kernel: Kernel = getKernel();
  readonly #parts: TableParts;
  readonly #comparator: number;
  readonly #partitions: BlockProvider;
  /** Over the pinned index block. */
  readonly #top: number;
  /** Over a partition; the same as `#top` in an index of one level. */
  readonly #bottom: number;
  #pendingMove: Move = 'first';
  /** The target of a pending seek, copied. */
  #target: Uint8Array = new Uint8Array(0);

  /** `partitions` is owned by the cursor from here on. */
  constructor(parts: TableParts, comparator: number, partitions: BlockProvider) {
    const { x } = this.#kernel;
    this.#parts = parts;
    this.#comparator = comparator;
    this.#partitions = partitions;
    this.#top = x.blockCursorCreate() >>> 0;
    this.#bottom = parts.index.partitioned ? x.blockCursorCreate() >>> 0 : this.#top;
    if (this.#top === 0 || this.#bottom === 0) throw new RangeError('kernel memory exhausted');
    const { block, size, flags, partitioned } = parts.index;
    const topFlags = partitioned ? flags & ~BlockFlags.firstKeys : flags;
    if (x.blockCursorInit(this.#top, block, size, topFlags, comparator, 0) === 0) {
      this.close();
      throw this.#corrupt('index block');
    }
  }

  /** Offset of the data block; REQUIRES `valid` to have been the last outcome. */
  get handleOffset(): number {
    return this.#kernel.f64[(this.#bottom + BlockCursorField.handleOffset) >>> 3]!;
  }

  /** Its size without the trailer. */
  get handleSize(): number {
    return this.#kernel.f64[(this.#bottom + BlockCursorField.handleSize) >>> 3]!;
  }

  /** User key of the entry: no key of its block is larger, none of the next is smaller. Owned; REQUIRES as above. */
  get userKey(): Uint8Array {
    const { u32 } = this.#kernel;
    const size = u32[(this.#bottom + CursorHead.keySize) >>> 2]!;
    const trailer = (this.#parts.index.flags & BlockFlags.userKeys) === 0 ? TRAILER_SIZE : 0;
    return this.#kernel.copyOut(u32[(this.#bottom + CursorHead.key) >>> 2]!, size - trailer);
  }

  seekToFirst(): number {
    this.#kernel.x.blockCursorSeekToFirst(this.#top);
    return this.#descend('first');
  }

  seekToLast(): number {
    this.#kernel.x.blockCursorSeekToLast(this.#top);
    return this.#descend('last');
  }

  /** To the first entry >= the internal key in kernel memory; that block holds the key's successor, or none does. */
  seek(target: number, targetSize: number): number {
    this.#kernel.x.blockCursorSeek(this.#top, target, targetSize);
    if (!this.#parts.index.partitioned) return this.#outcome(this.#top);
    if (this.#outcome(this.#top) === IndexStatus.end) return IndexStatus.end;
    const status = this.#openPartition();
    if (status !== IndexStatus.valid) {
      this.#target = this.#kernel.bytes(target, targetSize).slice();
      this.#pendingMove = 'seek';
      return status;
    }
    this.#kernel.x.blockCursorSeek(this.#bottom, target, targetSize);
    return this.#skipForward();
  }

  /** To the next entry. REQUIRES a valid position. */
  next(): number {
    this.#kernel.x.blockCursorNext(this.#bottom);
    if (!this.#parts.index.partitioned) return this.#outcome(this.#top);
    return this.#skipForward();
  }

  /** To the entry before. REQUIRES a valid position. */
  prev(): number {
    this.#kernel.x.blockCursorPrev(this.#bottom);
    if (!this.#parts.index.partitioned || this.#outcome(this.#bottom) === IndexStatus.valid) {
      return this.#outcome(this.#bottom);
    }
    this.#kernel.x.blockCursorPrev(this.#top);
    return this.#descend('last');
  }

  /** Loads the partition that a pending move lacks and completes the move; never `pending` again for this partition. */
  *load(): Io<number> {
    const field = this.#top >>> 3;
    const offset = this.#kernel.f64[field + (BlockCursorField.handleOffset >>> 3)]!;
    const size = this.#kernel.f64[field + (BlockCursorField.handleSize >>> 3)]!;
    yield* this.#partitions.load(offset, size);
    const status = this.#openPartition();
    return status === IndexStatus.valid ? this.#enter(this.#pendingMove) : status;
  }

  close(): void {
    const { x } = this.#kernel;
    if (this.#bottom !== this.#top) x.blockCursorDestroy(this.#bottom);
    x.blockCursorDestroy(this.#top);
    this.#partitions.close();
  }

  /** From a top-level entry to the first or last entry below it. */
  #descend(move: Move): number {
    if (!this.#parts.index.partitioned) return this.#outcome(this.#top);
    if (this.#outcome(this.#top) === IndexStatus.end) return IndexStatus.end;
    const status = this.#openPartition();
    if (status === IndexStatus.valid) return this.#enter(move);
    this.#pendingMove = move;
    return status;
  }

  #enter(move: Move): number {
    const { x } = this.#kernel;
    if (move === 'last') {
      x.blockCursorSeekToLast(this.#bottom);
      if (this.#outcome(this.#bottom) === IndexStatus.valid) return IndexStatus.valid;
      x.blockCursorPrev(this.#top);
      return this.#descend('last');
    }
    if (move === 'first') x.blockCursorSeekToFirst(this.#bottom);
    else this.#seekTarget();
    return this.#skipForward();
  }

  #seekTarget(): void {
    const at = this.#kernel.malloc(this.#target.length);
    this.#kernel.copyIn(this.#target, at);
    this.#kernel.x.blockCursorSeek(this.#bottom, at, this.#target.length);
    this.#kernel.free(at);
  }

  /** A partition that has no more entries leads on to the first of the next. */
  #skipForward(): number {
    if (this.#outcome(this.#bottom) === IndexStatus.valid) return IndexStatus.valid;
    this.#kernel.x.blockCursorNext(this.#top);
    return this.#descend('first');
  }

  #openPartition(): number {
    const { x, f64 } = this.#kernel;
    const offset = f64[(this.#top + BlockCursorField.handleOffset) >>> 3]!;
    const size = f64[(this.#top + BlockCursorField.handleSize) >>> 3]!;
    const block = this.#partitions.tryOpen(offset, size);
    if (block === 0) return IndexStatus.pending;
    const { flags } = this.#parts.index;
    if (x.blockCursorInit(this.#bottom, block, this.#partitions.openSize, flags, this.#comparator, 0) === 0) {
      throw this.#corrupt(`index partition at offset ${offset}`);
    }
    return IndexStatus.valid;
  }

  #outcome(cursor: number): number {
    const { u32 } = this.#kernel;
    if (u32[(cursor + CursorHead.valid) >>> 2] !== 0) return IndexStatus.valid;
    if (u32[(cursor + CursorHead.error) >>> 2] !== 0) throw this.#corrupt('index');
    return IndexStatus.end;
  }

  #corrupt(what: string): Error {
    return corruption(`bad entry in ${what} of ${this.#parts.source.path}`);
  }
}
