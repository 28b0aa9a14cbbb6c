/** Which caches the blocks of a family's tables go to, and how its tables are opened. */
import { TABLE_STATS_SIZE, TableStatsField } from '../../format/kernel/abi/block-cache.ts';
import { getKernel, type Kernel } from '../../format/kernel/kernel.ts';
import { BlockCache } from '../cache/block-cache.ts';
import type { TableOpening } from '../cache/table-cache.ts';
import type { TickerSource } from '../monitoring/statistics.ts';
import type { FamilyOptions } from '../options/resolved-options.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';

/** RocksDB's default block cache of a database that gives none. */
const DEFAULT_CACHE_SIZE = 32 * 1024 * 1024;

/** The block caches of a database's families: the user's, or one of its own that closes with it. */
export class FamilyCaches {
  #own: BlockCache | undefined;
  readonly #stats: number;
  readonly #useDirectReads: boolean;
  readonly #openings = new WeakMap<ColumnFamilyState, { options: FamilyOptions; opening: TableOpening }>();

  constructor(kernel: Kernel, useDirectReads: boolean) {
    this.#useDirectReads = useDirectReads;
    this.#stats = kernel.malloc(TABLE_STATS_SIZE);
    kernel.u8.fill(0, this.#stats, this.#stats + TABLE_STATS_SIZE);
  }

  /** Address of the lookup counters of all tables. */
  get stats(): number {
    return this.#stats;
  }

  /** The cache that a family's blocks go to. */
  cacheOf(options: FamilyOptions): BlockCache | undefined {
    if (options.noBlockCache) return undefined;
    if (options.blockCache !== undefined) return options.blockCache as BlockCache;
    this.#own ??= new BlockCache({ capacity: DEFAULT_CACHE_SIZE });
    return this.#own;
  }

  /** How a family's tables are opened. */
  openingOf(family: ColumnFamilyState): TableOpening {
    const known = this.#openings.get(family);
    if (known !== undefined && known.options === family.options) return known.opening;
    const opening = {
      comparator: { id: family.comparatorId, name: family.comparator.name },
      cache: this.cacheOf(family.options),
      compressedCache: family.options.blockCacheCompressed as BlockCache | undefined,
      prefixExtractor: family.prefixExtractor,
      // Blocks that the second cache keeps as they are stored need not lie in the system's cache too.
      directReads: this.#useDirectReads || family.options.blockCacheCompressed !== undefined,
      stats: this.#stats,
    };
    this.#openings.set(family, { options: family.options, opening });
    return opening;
  }

  /** What the tables' lookups met so far, as tickers. */
  readonly tickers: TickerSource = () => {
    const { f64 } = getKernel();
    const field = (name: keyof typeof TableStatsField): number => f64[(this.#stats + TableStatsField[name]) >>> 3]!;
    return {
      'rocksdb.block.cache.hit': field('dataBlockHits') + field('otherHits'),
      'rocksdb.block.cache.miss': field('dataBlockMisses') + field('otherMisses'),
      'rocksdb.block.cache.add': field('blockAdds'),
      'rocksdb.block.cachecompressed.hit': field('compressedHits'),
      'rocksdb.block.cachecompressed.miss': field('compressedMisses'),
      'rocksdb.block.cachecompressed.add': field('compressedAdds'),
      'rocksdb.bloom.filter.useful': field('filterUseful'),
      'rocksdb.bloom.filter.full.positive': field('filterPositive'),
      'rocksdb.bloom.filter.full.true.positive': field('filterTruePositive'),
      'rocksdb.bloom.filter.prefix.checked': field('prefixChecked'),
      'rocksdb.bloom.filter.prefix.useful': field('prefixUseful'),
    };
  };

  /** REQUIRES that `tickers` is not asked any more. */
  close(): void {
    this.#own?.close();
    getKernel().free(this.#stats);
  }
}
