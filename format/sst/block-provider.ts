/**
 * Where an iterator gets its blocks: one open at a time. The cached provider pins blocks of the block cache; the
 * sequential one reads ahead in large steps into memory of its own, for compactions.
 */
import type { Io } from '../base/io.ts';
import { TableStatsField } from '../kernel/abi/block-cache.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import type { BlockCacheLike } from './block-cache-like.ts';
import { type BlockSource, decompressStoredBlock, fetchBlock, verifyBlockChecksum } from './block-fetch.ts';
import { BLOCK_TRAILER_SIZE, checkBlockHandle } from './block-handle.ts';
import { SequentialBuffer } from './sequential-buffer.ts';
import { countTableStat } from './table-stats.ts';

/** Opens blocks of one table one after the other; what was open before is let go. */
export interface BlockProvider {
  /** Kernel address of the block's uncompressed contents, or 0 when it must be loaded first. */
  tryOpen(offset: number, size: number): number;
  /** Uncompressed size of the open block. */
  readonly openSize: number;
  /** Brings a block in; the next `tryOpen` of it succeeds. */
  load(offset: number, size: number): Io<void>;
  close(): void;
}

/** Settings of a cached provider. */
export interface CachedBlocksOptions {
  readonly cache: BlockCacheLike | undefined;
  readonly tableId: number;
  /** False: blocks that had to be read are not put into the cache. */
  readonly fillCache: boolean;
  /** Address of the thread's counters, 0 none. */
  readonly stats: number;
  /** The dictionary of data blocks. */
  readonly dictionary?: Uint8Array | undefined;
  /**
   * Takes over the pin of each block that is let go, for an owner that still shows values inside it; `blockRelease` is
   * then the owner's. Without it blocks are released here.
   */
  readonly retire?: ((block: number) => void) | undefined;
}

/** Blocks through the block cache. */
export class CachedBlocks implements BlockProvider {
  readonly #kernel: Kernel = getKernel();
  readonly #source: BlockSource;
  readonly #options: CachedBlocksOptions;
  readonly #cache: number;
  #open = 0;
  #loaded = 0;
  #loadedOffset = -1;

  constructor(source: BlockSource, options: CachedBlocksOptions) {
    this.#source = source;
    this.#options = options;
    this.#cache = options.cache?.address ?? 0;
  }

  get openSize(): number {
    return this.#kernel.x.blockSize(this.#open) >>> 0;
  }

  tryOpen(offset: number, _size: number): number {
    let block = 0;
    if (this.#loadedOffset === offset) {
      block = this.#loaded;
      this.#loaded = 0;
      this.#loadedOffset = -1;
    } else if (this.#cache !== 0) {
      block = this.#kernel.x.cacheLookup(this.#cache, this.#options.tableId, offset) >>> 0;
      if (block !== 0) countTableStat(this.#options.stats, TableStatsField.otherHits);
    }
    if (block === 0) return 0;
    this.#letGo();
    this.#open = block;
    return block;
  }

  *load(offset: number, size: number): Io<void> {
    const { dictionary, fillCache, stats, tableId } = this.#options;
    if (this.#cache !== 0) countTableStat(stats, TableStatsField.otherMisses);
    const fetched = yield* fetchBlock(this.#source, { offset, size }, dictionary, fillCache);
    const { x } = this.#kernel;
    if (this.#loaded !== 0) x.blockRelease(this.#loaded);
    this.#loaded = fetched;
    this.#loadedOffset = offset;
    if (this.#cache === 0 || !fillCache) return;
    const cached = x.cacheInsert(this.#cache, tableId, offset, fetched, x.blockSize(fetched)) >>> 0;
    if (cached === 0) return;
    this.#loaded = cached;
    countTableStat(stats, TableStatsField.blockAdds);
  }

  close(): void {
    this.#letGo();
    if (this.#loaded !== 0) this.#kernel.x.blockRelease(this.#loaded);
    this.#loaded = 0;
    this.#loadedOffset = -1;
  }

  #letGo(): void {
    if (this.#open === 0) return;
    if (this.#options.retire !== undefined) this.#options.retire(this.#open);
    else this.#kernel.x.blockRelease(this.#open);
    this.#open = 0;
  }
}

/** Blocks in file order out of a large buffer; uncompressed ones are used where they lie. */
export class SequentialBlocks implements BlockProvider {
  readonly #kernel: Kernel = getKernel();
  readonly #source: BlockSource;
  readonly #dictionary: Uint8Array | undefined;
  readonly #buffer: SequentialBuffer;
  #decompressed = 0;
  openSize = 0;

  constructor(source: BlockSource, dictionary: Uint8Array | undefined, readaheadSize: number) {
    this.#source = source;
    this.#dictionary = dictionary;
    this.#buffer = new SequentialBuffer(source.file, source.fileSize, readaheadSize);
  }

  tryOpen(offset: number, size: number): number {
    checkBlockHandle({ offset, size }, this.#source.fileSize, this.#source.path);
    const at = this.#buffer.find(offset, size + BLOCK_TRAILER_SIZE);
    if (at === 0) return 0;
    this.#drop();
    if (this.#source.verifyChecksums) verifyBlockChecksum(this.#source, { offset, size }, at);
    if (this.#kernel.u8[at + size] === 0) {
      this.openSize = size;
      return at;
    }
    this.#decompressed = decompressStoredBlock(this.#source, { offset, size }, at, this.#dictionary);
    this.openSize = this.#kernel.x.blockSize(this.#decompressed) >>> 0;
    return this.#decompressed;
  }

  *load(offset: number, size: number): Io<void> {
    checkBlockHandle({ offset, size }, this.#source.fileSize, this.#source.path);
    yield* this.#buffer.fill(offset, size + BLOCK_TRAILER_SIZE);
  }

  close(): void {
    this.#drop();
    this.#buffer.close();
  }

  #drop(): void {
    if (this.#decompressed !== 0) this.#kernel.x.blockRelease(this.#decompressed);
    this.#decompressed = 0;
  }
}
