/**
 * A memtable's run for iterators that stay within the prefix of a seek: where the filter excludes the prefix of the target
 * the run has ended, and the container is not searched. First and last are not filtered.
 */
import type { CursorSource } from '../../format/base/cursor-source.ts';
import { TRAILER_SIZE } from '../../format/base/internal-key.ts';
import { type Io, noIo } from '../../format/base/io.ts';
import { CursorField } from '../../format/kernel/abi/merge.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { MemTableFilter } from './memtable-filter.ts';

const SEEK = 2;
const SEEK_FOR_PREV = 3;

/** `inner` behind a filter. */
export class PrefixFilteredSource implements CursorSource {
  readonly cursor: number;
  readonly refillable = false;
  readonly #kernel: Kernel;
  readonly #inner: CursorSource;
  readonly #filter: MemTableFilter;

  /** Takes over `inner`; the filter is borrowed, and lives as long as the memtable. */
  constructor(kernel: Kernel, inner: CursorSource, filter: MemTableFilter) {
    this.#kernel = kernel;
    this.#inner = inner;
    this.#filter = filter;
    this.cursor = inner.cursor;
  }

  seekToFirst(): Io<void> {
    return this.#inner.seekToFirst();
  }

  seekToLast(): Io<void> {
    return this.#inner.seekToLast();
  }

  seek(target: number, targetSize: number): Io<void> {
    return this.#isExcluded(target, targetSize) ? noIo() : this.#inner.seek(target, targetSize);
  }

  seekForPrev(target: number, targetSize: number): Io<void> {
    return this.#isExcluded(target, targetSize) ? noIo() : this.#inner.seekForPrev(target, targetSize);
  }

  tryPosition(operation: 0 | 1 | 2 | 3, target: number, targetSize: number): boolean {
    const { x } = this.#kernel;
    if (operation === 0) x.cursorSeekToFirst(this.cursor);
    else if (operation === 1) x.cursorSeekToLast(this.cursor);
    else if (this.#isExcluded(target, targetSize)) return true;
    else if (operation === SEEK) x.cursorSeek(this.cursor, target, targetSize);
    else if (operation === SEEK_FOR_PREV) x.cursorSeekForPrev(this.cursor, target, targetSize);
    return true;
  }

  tryRefill(): number {
    return 0;
  }

  load(): Io<void> {
    return noIo();
  }

  close(): void {
    this.#inner.close();
  }

  /** Whether no entry has the target's prefix; then the cursor has ended. */
  #isExcluded(target: number, targetSize: number): boolean {
    if (!this.#filter.excludesPrefix(target, targetSize - TRAILER_SIZE)) return false;
    this.#kernel.u32[(this.cursor + CursorField.valid) >>> 2] = 0;
    return true;
  }
}
