/**
 * Merges sorted runs, in either direction, with what the kernel's merge cannot do itself: positioning runs whose blocks
 * must be fetched, and refilling a run that came to the end of its block.
 *
 * Every move has two forms. The `try` form is a plain call that goes as far as the blocks at hand allow and returns
 * `MUST_LOAD` otherwise; the other one is an operation (`Io`) that loads what is missing. Callers try first.
 */
import { assert } from '../base/assert.ts';
import type { CursorSource } from '../base/cursor-source.ts';
import { corruption } from '../base/db-error.ts';
import type { Io } from '../base/io.ts';
import { CursorField, MergeStatus } from '../kernel/abi/merge.ts';
import type { Kernel } from '../kernel/kernel.ts';

/** Where to: the first four of the kernel's cursor moves. `target` counts with the two seeks. */
export const Position = { first: 0, last: 1, seek: 2, seekForPrev: 3 } as const;
/** One of `Position`. */
export type PositionCode = (typeof Position)[keyof typeof Position];

/** What a `try` move returns when it needs a block that is not at hand. Not a `MergeStatus`. */
export const MUST_LOAD = -1;

/** Whether the kernel positions the run by itself: it has no blocks to load, and nothing to say to where it starts. */
function isWhole(source: CursorSource): boolean {
  return !source.refillable && source.tryPosition === undefined;
}

/** A merge over sources that it owns. Entries are those of the kernel's cursors: they live until the next move. */
export class MergingIterator {
  /** The kernel's merge; for the kernel's functions that read a merge, such as `readForward`. */
  readonly merge: number;
  readonly #kernel: Kernel;
  readonly #sources: readonly CursorSource[];
  #direction: 1 | -1 = 1;
  /** Holds the current key while the direction changes. */
  #scratch = 0;
  #scratchSize = 0;
  #closed = false;

  /** Takes over the sources: `close` closes them. Of equal entries that of the earlier source comes first. */
  constructor(kernel: Kernel, comparator: number, sources: readonly CursorSource[]) {
    this.#kernel = kernel;
    this.#sources = sources;
    this.merge = kernel.x.mergeCreate(comparator, sources.length) >>> 0;
    if (this.merge === 0) throw new RangeError('kernel memory exhausted: no room for a merge');
    sources.forEach((source, child) => {
      kernel.x.mergeSetChild(this.merge, child, source.cursor, source.refillable ? 1 : 0);
    });
  }

  /** Whether there is a current entry. */
  get valid(): boolean {
    return this.#kernel.x.mergeTop(this.merge) !== 0;
  }

  /** Address of the cursor with the current entry, 0 if there is none. */
  get top(): number {
    return this.#kernel.x.mergeTop(this.merge) >>> 0;
  }

  /** The direction of the last positioning. */
  get direction(): 1 | -1 {
    return this.#direction;
  }

  /** A view of the current internal key, until the next move. REQUIRES valid. */
  key(): Uint8Array {
    return this.#view(CursorField.key);
  }

  /** A view of the current value, until the next move. REQUIRES valid. */
  value(): Uint8Array {
    return this.#view(CursorField.value);
  }

  #view(field: number): Uint8Array {
    const top = this.top;
    assert(top !== 0, 'an entry of a merge that has none was read');
    const { u32 } = this.#kernel;
    return this.#kernel.bytes(u32[(top + field) >>> 2]!, u32[(top + field + 4) >>> 2]!);
  }

  /** Positions without waiting: entry, end or `MUST_LOAD` (then use `position`). The target is an internal key. */
  tryPosition(where: PositionCode, target = 0, targetSize = 0): number {
    for (const source of this.#sources) {
      if (isWhole(source)) this.#moveWhole(source.cursor, where, target, targetSize);
      else if (source.tryPosition?.(where, target, targetSize) !== true) return MUST_LOAD;
    }
    return this.#start(where);
  }

  /** Positions: at the first or last entry, the first >= target (going forward) or the last <= target (backward). */
  *position(where: PositionCode, target = 0, targetSize = 0): Io<number> {
    for (const source of this.#sources) {
      if (isWhole(source)) this.#moveWhole(source.cursor, where, target, targetSize);
      else if (where === Position.first) yield* source.seekToFirst();
      else if (where === Position.last) yield* source.seekToLast();
      else if (where === Position.seek) yield* source.seek(target, targetSize);
      else yield* source.seekForPrev(target, targetSize);
    }
    return this.#start(where);
  }

  /** Positions a run that the kernel walks whole. */
  #moveWhole(cursor: number, where: PositionCode, target: number, targetSize: number): void {
    const { x } = this.#kernel;
    if (where === Position.seek) x.cursorSeek(cursor, target, targetSize);
    else if (where === Position.seekForPrev) x.cursorSeekForPrev(cursor, target, targetSize);
    else if (where === Position.first) x.cursorSeekToFirst(cursor);
    else x.cursorSeekToLast(cursor);
  }

  #start(where: PositionCode): number {
    this.#direction = where === Position.first || where === Position.seek ? 1 : -1;
    const status = this.#kernel.x.mergeStart(this.merge, this.#direction);
    return status === MergeStatus.corrupt ? this.#fail() : status;
  }

  /** One entry forward: entry, end or `MUST_LOAD` (then `refill`). REQUIRES valid and going forward. */
  tryNext(): number {
    const status = this.#kernel.x.mergeNext(this.merge);
    return status <= MergeStatus.end ? status : this.tryRefill();
  }

  /** One entry backward. REQUIRES valid and going backward. */
  tryPrev(): number {
    const status = this.#kernel.x.mergePrev(this.merge);
    return status <= MergeStatus.end ? status : this.tryRefill();
  }

  /** One entry forward, whatever the direction was. REQUIRES valid. */
  next(): Io<number> {
    return this.#step(1);
  }

  /** One entry backward, whatever the direction was. REQUIRES valid. */
  prev(): Io<number> {
    return this.#step(-1);
  }

  *#step(direction: 1 | -1): Io<number> {
    if (this.#direction !== direction) yield* this.#turn(direction);
    const status = direction === 1 ? this.tryNext() : this.tryPrev();
    return status === MUST_LOAD ? yield* this.refill() : status;
  }

  /** Stands on the same entry, but going the other way: each run must stand on its own first entry in that direction. */
  *#turn(direction: 1 | -1): Io<void> {
    const top = this.top;
    assert(top !== 0, 'a merge without an entry was moved');
    const { u32, x } = this.#kernel;
    const key = u32[(top + CursorField.key) >>> 2]!;
    const size = u32[(top + CursorField.keySize) >>> 2]!;
    if (size > this.#scratchSize) {
      x.free(this.#scratch);
      this.#scratch = 0;
      this.#scratchSize = 0;
      this.#scratch = this.#kernel.malloc(size);
      this.#scratchSize = size;
    }
    this.#kernel.u8.copyWithin(this.#scratch, key, key + size);
    yield* this.position(direction === 1 ? Position.seek : Position.seekForPrev, this.#scratch, size);
  }

  /**
   * Goes on after the kernel stopped for a refill, as far as the blocks at hand allow: entry, end or `MUST_LOAD`. Throws
   * when the kernel stopped for corrupt bytes.
   */
  tryRefill(): number {
    const { x } = this.#kernel;
    for (let child = x.mergeNeed(this.merge); child >= 0; child = x.mergeNeed(this.merge)) {
      if (this.#sources[child]!.tryRefill(this.#direction) < 0) return MUST_LOAD;
      if (x.mergeResume(this.merge) === MergeStatus.corrupt) break;
    }
    if (x.mergeCorruptChild(this.merge) >= 0) return this.#fail();
    return x.mergeTop(this.merge) === 0 ? MergeStatus.end : MergeStatus.entry;
  }

  /** Goes on after `MUST_LOAD`: loads blocks until there is an entry or the end. */
  *refill(): Io<number> {
    for (;;) {
      const status = this.tryRefill();
      if (status !== MUST_LOAD) return status;
      yield* this.#sources[this.#kernel.x.mergeNeed(this.merge)]!.load();
    }
  }

  /** Lets the run say what is wrong, since it knows its file. */
  #fail(): never {
    const child = this.#kernel.x.mergeCorruptChild(this.merge);
    this.#sources[child]?.tryRefill(this.#direction);
    throw corruption(`sorted run ${child} of a merge holds a malformed entry`);
  }

  /** Frees the merge and closes the sources; may be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { x } = this.#kernel;
    x.mergeFree(this.merge);
    x.free(this.#scratch);
    for (const source of this.#sources) source.close();
  }
}
