/**
 * Point lookups in tables whose index or filter is partitioned: finds the partitions here, and lets the kernel look in
 * one index partition as it would in a whole index.
 */
import { corruption } from '../base/db-error.ts';
import { TRAILER_SIZE } from '../base/internal-key.ts';
import type { Io } from '../base/io.ts';
import { BlockCursorField, BlockFlags, GetResultField } from '../kernel/abi/block.ts';
import { TableField, TableStatsField } from '../kernel/abi/block-cache.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import type { BlockCacheLike } from './block-cache-like.ts';
import { fetchBlock, withoutVerification } from './block-fetch.ts';
import { FilterAnswer, type FilterReader } from './filter-reader.ts';
import { CursorHead } from './metadata-block.ts';
import type { TableParts } from './table-open.ts';
import { countTableStat } from './table-stats.ts';

/** Outcomes of a lookup step. */
export const GetStatus = {
  absent: 0,
  found: 1,
  /** A block is missing: `load`, then ask again. */
  needsLoad: 2,
} as const;

/** One lookup under way: what it holds pinned, and what it waits for. */
interface Walk {
  /** Pinned partitions by offset. */
  readonly held: Map<number, number>;
  /** Index partitions that were passed because the key's versions may go on behind them. */
  passed: number;
  /** The data block that was loaded for the next step, pinned; 0 none. */
  loadedData: number;
  lacking: { readonly offset: number; readonly size: number; readonly isData: boolean } | undefined;
}

/** What a lookup needs besides the table's parts. */
export interface PartitionedGetOptions {
  readonly comparator: number;
  readonly cache: BlockCacheLike | undefined;
  readonly tableId: number;
  /** Asked for whole keys; `undefined` when there is none or it holds prefixes only. */
  readonly filter: FilterReader | undefined;
  /** The kernel's table struct, complete but for the index. */
  readonly table: number;
  /** Address of lookup counters, 0 none. */
  readonly stats: number;
}

/** Lookups in one table. Steps of several lookups may alternate; each has its own result struct. */
export class PartitionedGet {
  readonly #kernel: Kernel = getKernel();
  readonly #parts: TableParts;
  readonly #options: PartitionedGetOptions;
  readonly #cache: number;
  readonly #top: number;
  readonly #walks = new Map<number, Walk>();

  constructor(parts: TableParts, options: PartitionedGetOptions) {
    const { x } = this.#kernel;
    this.#parts = parts;
    this.#options = options;
    this.#cache = options.cache?.address ?? 0;
    this.#top = x.blockCursorCreate() >>> 0;
    if (this.#top === 0) throw new RangeError('kernel memory exhausted');
    const { block, size, flags } = parts.index;
    if (x.blockCursorInit(this.#top, block, size, flags & ~BlockFlags.firstKeys, options.comparator, 0) === 0) {
      x.blockCursorDestroy(this.#top);
      throw corruption(`bad index block of ${parts.source.path}`);
    }
  }

  /** One step; `seekKey` is the internal key to seek, whose first bytes are the user key. A `GetStatus`. */
  tryGet(seekKey: number, userKeySize: number, sequence: number, result: number): number {
    let walk = this.#walks.get(result);
    if (walk === undefined) {
      walk = { held: new Map(), passed: 0, loadedData: 0, lacking: undefined };
      this.#walks.set(result, walk);
    }
    walk.lacking = undefined;
    try {
      const status = this.#step(walk, seekKey, userKeySize, sequence, result);
      if (status !== GetStatus.needsLoad) this.#finish(walk, result);
      return status;
    } catch (error) {
      this.#finish(walk, result);
      throw error;
    }
  }

  /** Loads what the lookup with this result struct lacks. */
  *load(result: number, fillCache: boolean, verifyChecksums: boolean): Io<void> {
    const walk = this.#walks.get(result);
    if (walk?.lacking === undefined) return;
    const { offset, size, isData } = walk.lacking;
    // Partitions are verified always: a wrong one would hide keys.
    const verified = verifyChecksums || !isData;
    const keeps = fillCache && verified;
    const source = verified ? this.#parts.source : withoutVerification(this.#parts.source);
    try {
      let block = yield* fetchBlock(source, { offset, size }, isData ? source.dictionary : undefined, keeps);
      const { x } = this.#kernel;
      if (keeps && this.#cache !== 0) {
        const kept = x.cacheInsert(this.#cache, this.#options.tableId, offset, block, x.blockSize(block)) >>> 0;
        if (kept !== 0) this.#count(TableStatsField.blockAdds);
        block = kept || block;
      }
      if (isData) walk.loadedData = block;
      else walk.held.set(offset, block);
    } catch (error) {
      this.#finish(walk, result);
      throw error;
    }
  }

  /** Ends a lookup that will not be asked again. */
  forget(result: number): void {
    const walk = this.#walks.get(result);
    if (walk !== undefined) this.#finish(walk, result);
  }

  close(): void {
    for (const [result, walk] of this.#walks) this.#finish(walk, result);
    this.#kernel.x.blockCursorDestroy(this.#top);
  }

  #step(walk: Walk, seekKey: number, userKeySize: number, sequence: number, result: number): number {
    const { x } = this.#kernel;
    const { filter } = this.#options;
    const seekKeySize = userKeySize + TRAILER_SIZE;
    if (filter !== undefined && walk.loadedData === 0) {
      const find = (offset: number, size: number) => this.#findPartition(walk, offset, size);
      const answer = filter.ask(seekKey, userKeySize, seekKey, seekKeySize, find);
      if (answer === FilterAnswer.pending) return GetStatus.needsLoad;
      this.#count(answer === FilterAnswer.no ? TableStatsField.filterUseful : TableStatsField.filterPositive);
      if (answer === FilterAnswer.no) return GetStatus.absent;
    }
    x.blockCursorSeek(this.#top, seekKey, seekKeySize);
    for (let i = 0; i < walk.passed; i++) x.blockCursorNext(this.#top);
    for (; this.#topIsValid(); walk.passed++) {
      const status = this.#getInPartition(walk, seekKey, userKeySize, sequence, result);
      if (status !== GetStatus.absent || !this.#mayGoOn(seekKey, userKeySize)) return status;
      x.blockCursorNext(this.#top);
    }
    return GetStatus.absent;
  }

  #getInPartition(walk: Walk, userKey: number, userKeySize: number, sequence: number, result: number): number {
    const { x, u32, f64 } = this.#kernel;
    const { table } = this.#options;
    const offset = f64[(this.#top + BlockCursorField.handleOffset) >>> 3]!;
    const partition = this.#findPartition(walk, offset, f64[(this.#top + BlockCursorField.handleSize) >>> 3]!);
    if (partition === undefined) return GetStatus.needsLoad;
    u32[(table + TableField.index) >>> 2] = partition.block;
    u32[(table + TableField.indexSize) >>> 2] = partition.size;
    if (x.tablePrepare(table) === 0)
      throw corruption(`bad index partition of ${this.#parts.source.path} offset ${offset}`);
    const loaded = walk.loadedData;
    walk.loadedData = 0;
    const status = x.tableGet(table, this.#cache, userKey, userKeySize, sequence, loaded, result);
    if (loaded !== 0) x.blockRelease(loaded);
    if (status === -1)
      throw corruption(`bad entry in block in ${this.#parts.source.path}, index partition at ${offset}`);
    if (status === GetStatus.needsLoad) {
      const data = { offset: f64[(result + GetResultField.handleOffset) >>> 3]! };
      walk.lacking = { ...data, size: f64[(result + GetResultField.handleSize) >>> 3]!, isData: true };
    }
    return status;
  }

  /** Whether versions of the user key may continue in the next partition: the partition's last separator has that key. */
  #mayGoOn(userKey: number, userKeySize: number): boolean {
    const { x, u32 } = this.#kernel;
    if ((this.#parts.index.flags & BlockFlags.internalKeys) === 0) return false;
    const key = u32[(this.#top + CursorHead.key) >>> 2]!;
    const size = u32[(this.#top + CursorHead.keySize) >>> 2]! - TRAILER_SIZE;
    return x.compareUser(this.#options.comparator, key, size, userKey, userKeySize) === 0;
  }

  #findPartition(walk: Walk, offset: number, size: number): { block: number; size: number } | undefined {
    const { x } = this.#kernel;
    let block = walk.held.get(offset) ?? 0;
    if (block === 0 && this.#cache !== 0) {
      block = x.cacheLookup(this.#cache, this.#options.tableId, offset) >>> 0;
      this.#count(block === 0 ? TableStatsField.otherMisses : TableStatsField.otherHits);
      if (block !== 0) walk.held.set(offset, block);
    }
    if (block !== 0) return { block, size: x.blockSize(block) >>> 0 };
    walk.lacking = { offset, size, isData: false };
    return undefined;
  }

  #finish(walk: Walk, result: number): void {
    const { x } = this.#kernel;
    for (const block of walk.held.values()) x.blockRelease(block);
    walk.held.clear();
    if (walk.loadedData !== 0) x.blockRelease(walk.loadedData);
    walk.loadedData = 0;
    this.#walks.delete(result);
  }

  #topIsValid(): boolean {
    const { u32 } = this.#kernel;
    if (u32[(this.#top + CursorHead.error) >>> 2] !== 0)
      throw corruption(`bad index block of ${this.#parts.source.path}`);
    return u32[(this.#top + CursorHead.valid) >>> 2] !== 0;
  }

  #count(field: number): void {
    countTableStat(this.#options.stats, field);
  }
}
