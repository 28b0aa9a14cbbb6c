import type { Io } from './io.ts';

/**
 * A sorted run that a merge reads: a memtable, one table, or the tables of one level end to end. It owns a cursor
 * struct in kernel memory (`format/kernel/README.md`, "Cursors"); the kernel steps that cursor by itself until it runs
 * out of bytes (the end of a block), then the owner calls `refill`.
 *
 * Targets are internal keys in kernel memory, borrowed for the call.
 */
export interface CursorSource {
  /** Address of the cursor struct; constant for the source's life. */
  readonly cursor: number;
  /** Whether an invalid cursor may continue after `refill`; false for runs that the kernel walks whole (memtables). */
  readonly refillable: boolean;
  seekToFirst(): Io<void>;
  seekToLast(): Io<void>;
  /** Positions at the first entry >= target. */
  seek(target: number, targetSize: number): Io<void>;
  /** Positions at the last entry <= target. */
  seekForPrev(target: number, targetSize: number): Io<void>;
  /**
   * The four moves above, if no block must be loaded: `operation` 0 first, 1 last, 2 seek, 3 seekForPrev. Returns whether
   * the cursor is positioned; if not it stands anywhere. A refillable source without it is always positioned by an
   * operation, any other without it by the kernel.
   */
  tryPosition?(operation: 0 | 1 | 2 | 3, target: number, targetSize: number): boolean;
  /**
   * Called when stepping in `direction` (1 forward, -1 backward) made the cursor invalid. Serves what is at hand without
   * waiting: 1 the cursor stands on an entry again, 0 the run has ended, -1 the next block must be loaded (`load`). When
   * the cursor's `error` is set it throws the `CORRUPTION` that names the file.
   */
  tryRefill(direction: 1 | -1): number;
  /** Loads what `tryRefill` lacked; call `tryRefill` again afterwards. */
  load(): Io<void>;
  /** Frees the cursor and unpins its blocks. */
  close(): void;
}
