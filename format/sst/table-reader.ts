/**
 * One open table. Its index and filter (or the top levels of them) are pinned in kernel memory; everything else comes
 * block by block through the block cache.
 */
import { corruption } from '../base/db-error.ts';
import type { RandomAccessFile } from '../base/file-handles.ts';
import { TRAILER_SIZE, TYPE_FOR_SEEK, writeTrailer } from '../base/internal-key.ts';
import { type Io, runSync } from '../base/io.ts';
import type { SliceTransform } from '../base/slice-transform.ts';
import { GetResultField } from '../kernel/abi/block.ts';
import { TableField, TableStatsField } from '../kernel/abi/block-cache.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import type { BlockCacheLike } from './block-cache-like.ts';
import {
  type BlockSource,
  type CompressedCache,
  fetchBlock,
  fetchBlockSync,
  withoutVerification,
} from './block-fetch.ts';
import type { BlockHandle } from './block-handle.ts';
import { CachedBlocks, SequentialBlocks } from './block-provider.ts';
import { FilterAnswer, FilterReader } from './filter-reader.ts';
import { IndexCursor, IndexStatus } from './index-cursor.ts';
import { type KeyAnchor, readKeyAnchors } from './key-anchors.ts';
import { GetStatus, PartitionedGet } from './partitioned-get.ts';
import type { RangeTombstone } from './range-del-block.ts';
import { dataFlagsOf, TableIterator } from './table-iterator.ts';
import { openTable, type TableParts } from './table-open.ts';
import type { TableProperties } from './table-properties.ts';
import { countTableStat } from './table-stats.ts';
import { verifyTableChecksums } from './table-verify.ts';

/** What opening a table takes. */
export interface TableReaderOptions {
  /** Owned by the reader from here on, also when opening fails. */
  readonly file: RandomAccessFile;
  /** As the MANIFEST has it. */
  readonly fileSize: number;
  readonly fileNumber: number;
  /** The family's comparator: its id in the kernel and its name. */
  readonly comparator: { readonly id: number; readonly name: string };
  readonly cache?: BlockCacheLike | undefined;
  /** The table's id in the cache; without it the reader asks the cache for a new one. */
  readonly tableId?: number | undefined;
  /** A second cache, of blocks as they are stored, and the table's id in it, as above. */
  readonly compressedCache?: BlockCacheLike | undefined;
  readonly compressedTableId?: number | undefined;
  readonly verifyChecksums: boolean;
  /** The family's extractor: prefixes in the filter are used only if it is the one that the file names. */
  readonly prefixExtractor?: SliceTransform | undefined;
  /** The MANIFEST's largest sequence: the global sequence of ingested files. */
  readonly largestSequence?: number | undefined;
  /** Address of the thread's lookup counters (`TableStatsField`). */
  readonly stats?: number | undefined;
}

/** What iterating takes. */
export interface TableIteratorOptions {
  /** False: blocks that are read are not put into the cache. Default true. */
  readonly fillCache?: boolean | undefined;
  /** False: the checksums of data blocks that are read are not looked at. Default: as the table was opened. */
  readonly verifyChecksums?: boolean | undefined;
  /** See `CachedBlocksOptions.retire`. */
  readonly retire?: ((block: number) => void) | undefined;
  /** Bytes a read; with it the cache is passed by and the blocks come in file order from large reads (compaction). */
  readonly sequentialReadSize?: number | undefined;
  /** A kernel block cursor to use, which stays the caller's. */
  readonly cursor?: number | undefined;
}

/** An open table of one thread. */
export class TableReader {
  readonly fileNumber: number;
  readonly path: string;
  readonly properties: TableProperties;
  /** Sequence of every key of an ingested file. */
  readonly globalSequence: number | undefined;
  /** In file order, as stored: they may overlap, and act only inside the file's boundaries in the MANIFEST. */
  readonly rangeTombstones: readonly RangeTombstone[];
  readonly tableId: number;
  /** In the compressed cache; 0 without one. */
  readonly compressedTableId: number;

  readonly #kernel: Kernel = getKernel();
  readonly #options: TableReaderOptions;
  readonly #parts: TableParts;
  readonly #cache: number;
  readonly #stats: number;
  readonly #table: number;
  readonly #filter: FilterReader | undefined;
  readonly #partitioned: PartitionedGet | undefined;
  /** The extractor whose prefixes the filter holds, if it is known. */
  readonly #prefixes: SliceTransform | undefined;
  /** The block that `load` brought for the lookup with this result struct. */
  #loaded = 0;
  #loadedFor = 0;
  #scratch = 0;
  #scratchSize = 0;
  #users = 1;
  #closed = false;

  private constructor(options: TableReaderOptions, parts: TableParts) {
    const kernel = this.#kernel;
    this.#options = options;
    this.#parts = parts;
    this.fileNumber = options.fileNumber;
    this.path = parts.source.path;
    this.properties = parts.properties;
    this.globalSequence = parts.globalSequence;
    this.rangeTombstones = parts.rangeTombstones;
    this.#cache = options.cache?.address ?? 0;
    this.tableId = options.tableId ?? (this.#cache === 0 ? 0 : kernel.x.cacheNewTableId(this.#cache));
    this.compressedTableId = parts.source.compressedCache?.tableId ?? 0;
    this.#stats = options.stats ?? 0;
    const { filter } = parts;
    if (filter !== undefined) this.#filter = new FilterReader(parts, filter, options.comparator.id);
    const { prefixFiltering, prefixExtractorName } = parts.properties;
    const known = options.prefixExtractor?.name === prefixExtractorName;
    this.#prefixes = prefixFiltering && known && filter !== undefined ? options.prefixExtractor : undefined;
    this.#table = this.#makeTable();
    try {
      this.#partitioned = this.#makePartitionedGet();
      if (this.#partitioned === undefined && kernel.x.tablePrepare(this.#table) === 0) {
        throw corruption(`bad index block of ${this.path}`);
      }
    } catch (error) {
      this.#filter?.close();
      kernel.x.tableDestroy(this.#table);
      throw error;
    }
  }

  /** Opens a table. CORRUPTION when it is damaged, INVALID_ARGUMENT when its comparator is another. */
  static *open(options: TableReaderOptions): Io<TableReader> {
    let parts: TableParts | undefined;
    try {
      parts = yield* openTable({ ...options, compressedCache: compressedCacheOf(options) });
      return new TableReader(options, parts);
    } catch (error) {
      if (parts !== undefined) releaseParts(parts);
      options.file.closeSync();
      throw error;
    }
  }

  /** Bytes pinned in memory for as long as the table is open. */
  get memoryUsage(): number {
    return this.#parts.index.size + (this.#parts.filter?.size ?? 0);
  }

  /** The footer's. */
  get formatVersion(): number {
    return this.#parts.footer.formatVersion;
  }

  /**
   * Looks for the newest version of a user key (in kernel memory) with sequence <= `sequence`. 0 absent; 1 found, see
   * `GetResultField`: the caller must `blockRelease` the result's block; 2 a block is missing: `yield* load(result)`
   * and, without waiting in between, the same call again with `result` untouched, or `forget(result)`. CORRUPTION when
   * the table is damaged.
   */
  tryGet(userKey: number, userKeySize: number, sequence: number, result: number): number {
    const { x } = this.#kernel;
    if (
      this.#prefixes !== undefined &&
      !this.properties.wholeKeyFiltering &&
      this.#excludesPrefix(userKey, userKeySize)
    ) {
      return GetStatus.absent;
    }
    if (this.#partitioned !== undefined) {
      const seekKey = this.#makeSeekKey(userKey, userKeySize, sequence);
      return this.#partitioned.tryGet(seekKey, userKeySize, sequence, result);
    }
    let loaded = 0;
    if (this.#loadedFor === result) {
      loaded = this.#loaded;
      this.#loaded = 0;
      this.#loadedFor = 0;
    }
    const status = x.tableGet(this.#table, this.#cache, userKey, userKeySize, sequence, loaded, result);
    if (loaded !== 0) x.blockRelease(loaded);
    if (status === -1) throw this.#badEntry(result);
    return status;
  }

  /** Loads the block that the lookup with this result struct lacks. CORRUPTION when it is damaged. */
  *load(result: number, fillCache = true, verifyChecksums = true): Io<void> {
    if (this.#partitioned !== undefined) return yield* this.#partitioned.load(result, fillCache, verifyChecksums);
    const handle = this.#missingBlock(result);
    const source = this.#sourceFor(verifyChecksums);
    // A block that was not verified must not be served to a read that asks for it.
    const keeps = fillCache && verifyChecksums;
    this.#hold(result, handle, yield* fetchBlock(source, handle, source.dictionary, keeps), keeps);
  }

  /** `load` in place. */
  loadSync(result: number, fillCache = true, verifyChecksums = true): void {
    if (this.#partitioned !== undefined) {
      runSync(this.#partitioned.load(result, fillCache, verifyChecksums));
      return;
    }
    const handle = this.#missingBlock(result);
    const source = this.#sourceFor(verifyChecksums);
    const keeps = fillCache && verifyChecksums;
    this.#hold(result, handle, fetchBlockSync(source, handle, source.dictionary, keeps), keeps);
  }

  /** The handle that `tryGet` left in a result struct. */
  #missingBlock(result: number): BlockHandle {
    const { f64 } = this.#kernel;
    return {
      offset: f64[(result + GetResultField.handleOffset) >>> 3]!,
      size: f64[(result + GetResultField.handleSize) >>> 3]!,
    };
  }

  #sourceFor(verifyChecksums: boolean): BlockSource {
    return verifyChecksums ? this.#parts.source : withoutVerification(this.#parts.source);
  }

  /** Holds a block that was brought until the lookup with this result struct asks again. */
  #hold(result: number, { offset }: BlockHandle, fetched: number, keeps: boolean): void {
    const block = keeps ? this.#keep(offset, fetched) : fetched;
    if (this.#loaded !== 0) this.#kernel.x.blockRelease(this.#loaded);
    this.#loaded = block;
    this.#loadedFor = result;
  }

  /** Ends a lookup after `load` that will not be asked again. */
  forget(result: number): void {
    this.#partitioned?.forget(result);
    if (this.#loadedFor !== result) return;
    this.#kernel.x.blockRelease(this.#loaded);
    this.#loaded = 0;
    this.#loadedFor = 0;
  }

  /** Whether the filter can exclude prefixes of the family's extractor. */
  get hasPrefixFilter(): boolean {
    return this.#prefixes !== undefined;
  }

  /**
   * Whether keys with the prefix of an internal key (in kernel memory) may be in the table: a `FilterAnswer`, `maybe` where
   * the filter cannot tell (no prefixes in it, another extractor, a key out of its domain), `pending` when a partition of
   * it must be read (`prefixMayMatch`). `backward`: asked for the keys before this one, whose prefix partitions may hold
   * that come before the one that is found.
   */
  tryPrefixMayMatch(seekKey: number, seekKeySize: number, backward: boolean): number {
    const filter = this.#filter;
    if (filter === undefined || (backward && filter.partitioned)) return FilterAnswer.maybe;
    const prefix = this.#placePrefix(seekKey, seekKeySize - TRAILER_SIZE);
    if (prefix === undefined) return FilterAnswer.maybe;
    let held = 0;
    const { x } = this.#kernel;
    const find = (offset: number) => {
      if (this.#cache !== 0) held = x.cacheLookup(this.#cache, this.tableId, offset) >>> 0;
      return held === 0 ? undefined : { block: held, size: x.blockSize(held) >>> 0 };
    };
    try {
      return filter.ask(prefix.at, prefix.size, seekKey, seekKeySize, find);
    } finally {
      if (held !== 0) x.blockRelease(held);
    }
  }

  /** As `tryPrefixMayMatch`, and reads what that lacks. The table stays open meanwhile. */
  *prefixMayMatch(seekKey: number, seekKeySize: number, backward = false): Io<boolean> {
    const known = this.tryPrefixMayMatch(seekKey, seekKeySize, backward);
    if (known !== FilterAnswer.pending) return known !== FilterAnswer.no;
    const { x } = this.#kernel;
    const handle = { offset: this.#filter!.partitionOffset, size: this.#filter!.partitionSize };
    let held = 0;
    this.#users++;
    try {
      held = this.#keep(handle.offset, yield* fetchBlock(this.#parts.source, handle));
      // Placed anew: other calls may have used the scratch memory while this one waited.
      const prefix = this.#placePrefix(seekKey, seekKeySize - TRAILER_SIZE)!;
      return x.filterMayMatch(held, x.blockSize(held), prefix.at, prefix.size) !== FilterAnswer.no;
    } finally {
      if (held !== 0) x.blockRelease(held);
      this.#leave();
    }
  }

  /** A run over the table. It keeps the table's memory and file alive until it is closed. */
  newIterator(options: TableIteratorOptions = {}): TableIterator {
    const source = this.#sourceFor(options.verifyChecksums !== false);
    const { cache, comparator } = this.#options;
    const fillCache = (options.fillCache ?? true) && options.verifyChecksums !== false;
    const blocks =
      options.sequentialReadSize !== undefined
        ? new SequentialBlocks(source, source.dictionary, options.sequentialReadSize)
        : new CachedBlocks(source, {
            cache,
            tableId: this.tableId,
            fillCache,
            stats: this.#stats,
            dictionary: source.dictionary,
            retire: options.retire,
          });
    const index = this.#newIndexCursor(fillCache);
    this.#users++;
    return new TableIterator(this.#parts, comparator.id, index, blocks, () => this.#leave(), options.cursor);
  }

  /** Roughly where in the file an internal key (in kernel memory) would be: the offset of its block. */
  *approximateOffsetOf(key: number, keySize: number): Io<number> {
    const index = this.#newIndexCursor(true);
    try {
      let status = index.seek(key, keySize);
      while (status === IndexStatus.pending) status = yield* index.load();
      return status === IndexStatus.end ? this.#endOfData() : index.handleOffset;
    } finally {
      index.close();
    }
  }

  /** Places that divide the table into stretches of about the same size (`readKeyAnchors`). */
  *keyAnchors(rest: () => Io<void>): Io<KeyAnchor[]> {
    const index = this.#newIndexCursor(false);
    this.#users++;
    try {
      return yield* readKeyAnchors(index, this.properties.numDataBlocks, rest);
    } finally {
      index.close();
      this.#leave();
    }
  }

  /** Reads every block of the file and checks its checksum, whatever `verifyChecksums` says. CORRUPTION when one is wrong. */
  *verifyChecksums(): Io<void> {
    const index = this.#newIndexCursor(false);
    try {
      yield* verifyTableChecksums(this.#parts, index, this.#options.comparator.id);
    } finally {
      index.close();
    }
  }

  /** Drops the table's blocks from the caches: its file is about to be deleted. */
  eraseFromCache(): void {
    const { x } = this.#kernel;
    if (this.#cache !== 0) x.cacheEraseTable(this.#cache, this.tableId);
    const { compressedCache } = this.#parts.source;
    if (compressedCache !== undefined) x.cacheEraseTable(compressedCache.address, compressedCache.tableId);
  }

  /** Lets the table go; memory and file follow when the last iterator is closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
  }

  #leave(): void {
    if (--this.#users > 0) return;
    const { x } = this.#kernel;
    this.#partitioned?.close();
    this.#filter?.close();
    if (this.#loaded !== 0) x.blockRelease(this.#loaded);
    this.#loaded = 0;
    x.tableDestroy(this.#table);
    this.#kernel.free(this.#scratch);
    this.#scratch = 0;
    releaseParts(this.#parts);
    try {
      this.#options.file.closeSync();
    } catch {
      // The handle is gone all the same, and a file that was only read loses nothing by it.
    }
  }

  /** `undefined` when the kernel can do the whole lookup: nothing is partitioned. */
  #makePartitionedGet(): PartitionedGet | undefined {
    const { index, filter, properties } = this.#parts;
    if (!index.partitioned && filter?.partitioned !== true) return undefined;
    const { comparator, cache } = this.#options;
    return new PartitionedGet(this.#parts, {
      comparator: comparator.id,
      cache,
      tableId: this.tableId,
      filter: properties.wholeKeyFiltering ? this.#filter : undefined,
      table: this.#table,
      stats: this.#stats,
    });
  }

  #makeTable(): number {
    const { x, u32, f64 } = this.#kernel;
    const table = x.tableCreate() >>> 0;
    if (table === 0) throw new RangeError('kernel memory exhausted');
    const { filter, index, properties, globalSequence } = this.#parts;
    const set = (field: number, value: number) => {
      u32[(table + field) >>> 2] = value;
    };
    set(TableField.tableId, this.tableId);
    // A partitioned filter is asked before the kernel's part of the lookup.
    const whole = filter !== undefined && !filter.partitioned && !index.partitioned ? filter : undefined;
    set(TableField.filter, whole?.block ?? 0);
    set(TableField.filterSize, whole?.size ?? 0);
    set(TableField.wholeKeyFiltering, properties.wholeKeyFiltering ? 1 : 0);
    set(TableField.index, index.block);
    set(TableField.indexSize, index.size);
    set(TableField.indexFlags, index.flags);
    set(TableField.dataFlags, dataFlagsOf(this.#parts));
    set(TableField.comparator, this.#options.comparator.id);
    set(TableField.stats, this.#stats);
    set(TableField.fleetingIndex, index.partitioned ? 1 : 0);
    f64[(table + TableField.globalSequence) >>> 3] = globalSequence ?? 0;
    return table;
  }

  #newIndexCursor(fillCache: boolean): IndexCursor {
    const { cache, comparator } = this.#options;
    const partitions = new CachedBlocks(this.#parts.source, {
      cache,
      tableId: this.tableId,
      fillCache,
      stats: this.#stats,
    });
    return new IndexCursor(this.#parts, comparator.id, partitions);
  }

  /** Gives a block to the cache; returns the block to use from now on, pinned. */
  #keep(offset: number, block: number): number {
    if (this.#cache === 0) return block;
    const { x } = this.#kernel;
    const kept = x.cacheInsert(this.#cache, this.tableId, offset, block, x.blockSize(block)) >>> 0;
    if (kept === 0) return block;
    countTableStat(this.#stats, TableStatsField.blockAdds);
    return kept;
  }

  #endOfData(): number {
    const { dataSize } = this.properties;
    return dataSize > 0 ? Math.min(dataSize, this.#options.fileSize) : this.#parts.footer.metaindex.offset;
  }

  #reserve(size: number): number {
    if (size > this.#scratchSize) {
      this.#kernel.free(this.#scratch);
      this.#scratch = 0;
      this.#scratch = this.#kernel.malloc(Math.max(256, size * 2));
      this.#scratchSize = Math.max(256, size * 2);
    }
    return this.#scratch;
  }

  /** The internal key to seek, in scratch memory: borrowed until the next use of it. */
  #makeSeekKey(userKey: number, userKeySize: number, sequence: number): number {
    const at = this.#reserve(userKeySize + TRAILER_SIZE);
    const { u8 } = this.#kernel;
    u8.copyWithin(at, userKey, userKey + userKeySize);
    writeTrailer(u8, at + userKeySize, sequence, TYPE_FOR_SEEK);
    return at;
  }

  /** The prefix of a user key, in scratch memory; `undefined` when there is none that the filter could know. */
  #placePrefix(userKey: number, userKeySize: number): { at: number; size: number } | undefined {
    const key = this.#kernel.bytes(userKey, userKeySize);
    if (this.#prefixes?.inDomain(key) !== true) return undefined;
    const prefix = this.#prefixes.transform(key);
    if (prefix.buffer === key.buffer) return { at: prefix.byteOffset, size: prefix.length };
    const at = this.#reserve(prefix.length);
    this.#kernel.copyIn(prefix, at);
    return { at, size: prefix.length };
  }

  /** For tables whose filter has prefixes only. A partition that is not at hand excludes nothing. */
  #excludesPrefix(userKey: number, userKeySize: number): boolean {
    if (this.#filter === undefined || this.#filter.partitioned) return false;
    const prefix = this.#placePrefix(userKey, userKeySize);
    if (prefix === undefined) return false;
    return this.#filter.ask(prefix.at, prefix.size, 0, 0, () => undefined) === FilterAnswer.no;
  }

  #badEntry(result: number): Error {
    const offset = this.#kernel.f64[(result + GetResultField.handleOffset) >>> 3]!;
    const size = this.#kernel.f64[(result + GetResultField.handleSize) >>> 3]!;
    return corruption(
      size === 0 ? `bad entry in index block of ${this.path}` : `bad entry in block in ${this.path} offset ${offset}`,
    );
  }
}

function compressedCacheOf(options: TableReaderOptions): CompressedCache | undefined {
  const address = options.compressedCache?.address;
  if (address === undefined) return undefined;
  const tableId = options.compressedTableId ?? getKernel().x.cacheNewTableId(address) >>> 0;
  return { address, tableId, stats: options.stats ?? 0 };
}

function releaseParts(parts: TableParts): void {
  const { x } = getKernel();
  x.blockRelease(parts.index.block);
  if (parts.filter !== undefined) x.blockRelease(parts.filter.block);
}
