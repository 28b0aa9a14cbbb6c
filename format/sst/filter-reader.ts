/**
 * Asks a table's filter whether a key or prefix may be there. Partitions of a partitioned filter come from whoever asks;
 * when one is missing the answer is "pending".
 */
import { corruption } from '../base/db-error.ts';
import { BlockCursorField, BlockFlags } from '../kernel/abi/block.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import { CursorHead } from './metadata-block.ts';
import type { TableFilter, TableParts } from './table-open.ts';

/** The filter's answers. */
export const FilterAnswer = { no: 0, maybe: 1, pending: 2 } as const;

/** Receives the handle of the partition that is needed; returns its address, or 0 when it must be loaded. */
export type PartitionFinder = (offset: number, size: number) => { block: number; size: number } | undefined;

/** A table's filter. Owns one kernel cursor when it is partitioned. */
export class FilterReader {
  readonly #kernel: Kernel = getKernel();
  readonly #path: string;
  readonly #filter: TableFilter;
  readonly #top: number = 0;

  constructor(parts: TableParts, filter: TableFilter, comparator: number) {
    this.#path = parts.source.path;
    this.#filter = filter;
    if (!filter.partitioned) return;
    const { x } = this.#kernel;
    this.#top = x.blockCursorCreate() >>> 0;
    const flags = parts.index.flags & ~BlockFlags.firstKeys;
    if (this.#top === 0) throw new RangeError('kernel memory exhausted');
    if (x.blockCursorInit(this.#top, filter.block, filter.size, flags, comparator, 0) === 0) {
      x.blockCursorDestroy(this.#top);
      throw corruption(`bad filter index of ${this.#path}`);
    }
  }

  get partitioned(): boolean {
    return this.#filter.partitioned;
  }

  /**
   * Asks for the `size` bytes at kernel address `at`: a user key or a prefix. `seekKey` is the internal key in whose
   * partition it would be. `find` is needed by partitioned filters only.
   */
  ask(at: number, size: number, seekKey: number, seekKeySize: number, find: PartitionFinder): number {
    const { x } = this.#kernel;
    if (!this.#filter.partitioned) return x.filterMayMatch(this.#filter.block, this.#filter.size, at, size);
    if (!this.#seek(seekKey, seekKeySize)) return FilterAnswer.no;
    const partition = find(this.#field(BlockCursorField.handleOffset), this.#field(BlockCursorField.handleSize));
    if (partition === undefined) return FilterAnswer.pending;
    return x.filterMayMatch(partition.block, partition.size, at, size);
  }

  close(): void {
    if (this.#top !== 0) this.#kernel.x.blockCursorDestroy(this.#top);
  }

  /** Offset of the partition found last. */
  get partitionOffset(): number {
    return this.#field(BlockCursorField.handleOffset);
  }

  /** Its size without the trailer. */
  get partitionSize(): number {
    return this.#field(BlockCursorField.handleSize);
  }

  /** First partition whose last key is >= the key; behind all of them the last one, which may hold the prefix. */
  #seek(key: number, size: number): boolean {
    const { x } = this.#kernel;
    x.blockCursorSeek(this.#top, key, size);
    if (!this.#valid()) x.blockCursorSeekToLast(this.#top);
    return this.#valid();
  }

  #valid(): boolean {
    const { u32 } = this.#kernel;
    if (u32[(this.#top + CursorHead.error) >>> 2] !== 0) throw corruption(`bad filter index of ${this.#path}`);
    return u32[(this.#top + CursorHead.valid) >>> 2] !== 0;
  }

  #field(field: number): number {
    return this.#kernel.f64[(this.#top + field) >>> 3]!;
  }
}
