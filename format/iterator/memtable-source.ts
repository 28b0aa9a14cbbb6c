/**
 * A memtable as a sorted run. It needs only the address: a flush worker reads a memtable of the thread that wrote it in
 * place, through its own kernel over the same memory, provided that the memtable no longer changes.
 */
import type { CursorSource } from '../base/cursor-source.ts';
import { sequenceOf, TRAILER_SIZE } from '../base/internal-key.ts';
import { type Io, noIo } from '../base/io.ts';
import { CursorField } from '../kernel/abi/merge.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { RangeTombstone } from './range-tombstones.ts';

/** The entries of one tree of a memtable. */
export class MemtableSource implements CursorSource {
  readonly cursor: number;
  readonly refillable = false;
  readonly #kernel: Kernel;
  #closed = false;

  /** `tree` is a memtable, for its points, or its `memtableRangeTree`. Borrowed until `close`. */
  constructor(kernel: Kernel, tree: number) {
    this.#kernel = kernel;
    this.cursor = kernel.x.memtableCursorCreate(tree) >>> 0;
    if (this.cursor === 0) throw new RangeError('kernel memory exhausted: no room for a memtable cursor');
  }

  seekToFirst(): Io<void> {
    this.#kernel.x.cursorSeekToFirst(this.cursor);
    return noIo();
  }

  seekToLast(): Io<void> {
    this.#kernel.x.cursorSeekToLast(this.cursor);
    return noIo();
  }

  seek(target: number, targetSize: number): Io<void> {
    this.#kernel.x.cursorSeek(this.cursor, target, targetSize);
    return noIo();
  }

  seekForPrev(target: number, targetSize: number): Io<void> {
    this.#kernel.x.cursorSeekForPrev(this.cursor, target, targetSize);
    return noIo();
  }

  tryRefill(): number {
    return 0;
  }

  load(): Io<void> {
    return noIo();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#kernel.x.memtableCursorFree(this.cursor);
  }
}

/** Copies of all range tombstones of a memtable, by begin ascending, then sequence descending. */
export function memtableTombstones(kernel: Kernel, memtable: number): RangeTombstone[] {
  const tree = kernel.x.memtableRangeTree(memtable) >>> 0;
  const result: RangeTombstone[] = [];
  if (kernel.x.memtableCount(tree) === 0) return result;
  const source = new MemtableSource(kernel, tree);
  const head = source.cursor >>> 2;
  const { u32 } = kernel;
  kernel.x.cursorSeekToFirst(source.cursor);
  while (u32[head + (CursorField.valid >>> 2)] !== 0) {
    const key = kernel.bytes(u32[head + (CursorField.key >>> 2)]!, u32[head + (CursorField.keySize >>> 2)]!);
    const end = kernel.bytes(u32[head + (CursorField.value >>> 2)]!, u32[head + (CursorField.valueSize >>> 2)]!);
    result.push({
      begin: key.slice(0, key.length - TRAILER_SIZE),
      end: end.slice(),
      sequence: sequenceOf(key),
    });
    kernel.x.cursorNext(source.cursor);
  }
  source.close();
  return result;
}
