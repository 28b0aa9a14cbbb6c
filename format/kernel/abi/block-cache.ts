/**
 * Blocks in kernel memory, the sharded cache of them, and the point lookup in one table that works on it
 * (`assembly/block-cache.ts`, `assembly/table-get.ts`).
 *
 * A block is named by the address of its data. Before the data lies a header with its size and pin count. A block is
 * private (made by `blockAlloc`, pinned once) until `cacheInsert` gives it to a cache; either way `blockRelease` undoes
 * one pin: the last one frees a private block, and makes a cached block evictable.
 */

/** Eviction policies. */
export const CachePolicy = { lru: 1, s4lru: 4 } as const;

/**
 * Bytes that a block is charged for beyond its allocation request: header, slack, its slot in the hash table and its node in
 * the eviction order. A block that point lookups return to is charged for its directory as well.
 */
export const BLOCK_CHARGE_OVERHEAD = 144;

/** Offsets in the array of f64 that `cacheStats` fills. */
export const CacheStatsField = {
  capacity: 0,
  usage: 8,
  /** Charge of the blocks that someone has pinned, evicted ones included. */
  pinnedUsage: 16,
  /** Blocks that a lookup can find. */
  count: 24,
  hits: 32,
  misses: 40,
  inserts: 48,
  evictions: 56,
  /** Inserts that a strict limit refused. */
  refusals: 64,
} as const;

/** Bytes of those statistics. */
export const CACHE_STATS_SIZE = 72;

/** Offsets in a table, filled by the host between `tableCreate` and `tablePrepare`. */
export const TableField = {
  /** u32: id of the table in the cache. */
  tableId: 0,
  /** u32: address of the full filter block; 0 none. */
  filter: 4,
  /** u32 */
  filterSize: 8,
  /** u32: 1 if the filter holds whole keys. */
  wholeKeyFiltering: 12,
  /** u32: address of the (single-level) index block, which must outlive the table struct. */
  index: 16,
  /** u32 */
  indexSize: 20,
  /** u32: `BlockFlags` of the index: internalKeys or userKeys, handles, deltaValues, firstKeys. */
  indexFlags: 24,
  /** u32: `BlockFlags` of data blocks: internalKeys, dataBlock, globalSequence. */
  dataFlags: 28,
  /** u32 */
  comparator: 32,
  /** u32: address of lookup counters (`TableStatsField`), 0 none. */
  stats: 36,
  /** f64: counts only with `globalSequence` in `dataFlags`. */
  globalSequence: 40,
  /** u32: 1 if the index is one partition among many, searched once or twice: then nothing is prepared for its searches. */
  fleetingIndex: 52,
} as const;

/** Offsets in the lookup counters, f64 each; the kernel adds to the first five, the tables' code to all. Use one set a thread. */
export const TableStatsField = {
  /** The filter excluded the key: BLOOM_FILTER_USEFUL. */
  filterUseful: 0,
  /** The filter let the key pass: BLOOM_FILTER_FULL_POSITIVE. */
  filterPositive: 8,
  /** And the key was there: BLOOM_FILTER_FULL_TRUE_POSITIVE. */
  filterTruePositive: 16,
  /** Data blocks that point lookups found in the block cache, and those that they did not. */
  dataBlockHits: 24,
  dataBlockMisses: 32,
  /** Blocks put into the block cache. */
  blockAdds: 40,
  /** Filters asked for a prefix by an iterator, and those that excluded it. */
  prefixChecked: 48,
  prefixUseful: 56,
  /** Stored blocks found in the compressed block cache, looked for in vain, and put in. */
  compressedHits: 64,
  compressedMisses: 72,
  compressedAdds: 80,
  /** As `dataBlockHits` and `dataBlockMisses`, for iterators and for partitions of indexes and filters. */
  otherHits: 88,
  otherMisses: 96,
} as const;

/** Bytes of the lookup counters; they must start as zeros. */
export const TABLE_STATS_SIZE = 104;

/** Blocks, the cache, and `tableGet`. */
export interface BlockCacheExports {
  /** Data address of a new private block of `capacity` bytes (and slack), pinned once; 0: out of memory. */
  blockAlloc(capacity: number): number;
  /** Bytes in use: the `capacity` asked for, or what `blockSetSize` or `cacheInsert` said. */
  blockSize(block: number): number;
  /** REQUIRES size <= the capacity asked for. */
  blockSetSize(block: number, size: number): void;
  /** One more pin. */
  blockRetain(block: number): void;
  /** One pin less; the block must not be touched after the caller's last. */
  blockRelease(block: number): void;

  /** A cache of `2^shardBits` shards; `policy` a `CachePolicy`; `capacity` in bytes. 0: out of memory. */
  cacheCreate(capacity: number, shardBits: number, policy: number, strict: number): number;
  /** Frees all; blocks still pinned become private and are freed by their last release. */
  cacheFree(cache: number): void;
  /** An id no other table of this cache has. Safe from any thread, like all that follow. */
  cacheNewTableId(cache: number): number;
  /** The block, pinned, or 0. */
  cacheLookup(cache: number, tableId: number, offset: number): number;
  /**
   * Gives a private block, which the caller has pinned once, to the cache: its first `size` bytes. Returns the block to
   * use, pinned: the given one, or (then that is freed) the one which stood there already. 0: a strict limit or lack of
   * memory refused it, and the block stays private.
   */
  cacheInsert(cache: number, tableId: number, offset: number, block: number, size: number): number;
  /** The block has left the cache when this returns, but lives while it is pinned. */
  cacheErase(cache: number, tableId: number, offset: number): void;
  /** Erases all blocks of a table; reads the whole hash table, sequentially. */
  cacheEraseTable(cache: number, tableId: number): void;
  /** Evicts down to the new capacity, but for pinned blocks, which go when they are released. */
  cacheSetCapacity(cache: number, capacity: number): void;
  cacheSetStrict(cache: number, strict: number): void;
  /** Sums over the shards into `CACHE_STATS_SIZE` bytes at `out`. */
  cacheStats(cache: number, out: number): void;

  /** A table of zeros. 0: out of memory. */
  tableCreate(): number;
  /** Checks the index block's footer once the fields are filled: 1, or 0 if it is malformed. */
  tablePrepare(table: number): number;
  tableDestroy(table: number): void;
  /**
   * Newest version of a user key with sequence <= `sequence`: filter, index, data block. `loaded` is 0 on the first
   * call. Returns 0 absent; 1 found: see `GetResultField`, and the caller must release `block` unless it is 0, when the value
   * lies in a buffer that the thread's next `tableGet` uses again; -1 corrupt bytes
   * (`handleOffset`, `handleSize` name the data block, both 0 the index); 2 a data block is not in the cache (or
   * `cache` is 0): load it by the handle in the result, with its size set, and call again with it as `loaded` and the
   * result untouched. The pin on `loaded` stays the caller's in every case; one of its own is added when 1 is returned.
   */
  tableGet(
    table: number,
    cache: number,
    userKey: number,
    userKeySize: number,
    sequence: number,
    loaded: number,
    result: number,
  ): number;
}
