/**
 * The cache of uncompressed blocks: a handle on a cache in kernel memory, where tables look blocks up without leaving the
 * kernel. One cache may serve many databases; tables of all of them get their ids here. A database never closes it.
 */
import { assert } from '../../format/base/assert.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { CACHE_STATS_SIZE, CachePolicy, CacheStatsField } from '../../format/kernel/abi/block-cache.ts';
import { getKernel } from '../../format/kernel/kernel.ts';

/** How to make a cache. */
export interface BlockCacheOptions {
  /** Bytes, at most 2^53-1. Pinned blocks may take usage above it unless `strictCapacityLimit` is set. */
  capacity: number;
  /** The cache has `2^numShardBits` shards with a lock and an eviction order each, 0 to 20. Left out or -1: by capacity. */
  numShardBits?: number;
  /**
   * Least recently used, or segmented (S4LRU), which blocks of one long scan cannot flush. Point lookups move a block at most
   * once between two inserts into its shard. Default `'lru'`.
   */
  policy?: 'lru' | 's4lru';
  /** Refuse blocks rather than exceed the capacity; reads still work, on blocks of their own. Default false. */
  strictCapacityLimit?: boolean;
}

/** Figures of a cache, summed over its shards; counters since it was made. */
export interface BlockCacheStats {
  capacity: number;
  usage: number;
  pinnedUsage: number;
  /** Blocks in the cache. */
  count: number;
  hits: number;
  misses: number;
  inserts: number;
  evictions: number;
  /** Inserts refused by the strict limit. */
  refusals: number;
}

const SHARD_BITS_MAX = 20;
const AUTOMATIC_SHARD_BITS_MAX = 6;
const AUTOMATIC_SHARD_SIZE_MIN = 512 * 1024;

/** RocksDB's rule: as many shards as leave each at least 512 KiB, but at most 64. */
function automaticShardBits(capacity: number): number {
  const shards = Math.floor(capacity / AUTOMATIC_SHARD_SIZE_MIN);
  return shards < 1 ? 0 : Math.min(AUTOMATIC_SHARD_BITS_MAX, Math.floor(Math.log2(shards)));
}

function checkCapacity(capacity: number): void {
  if (Number.isSafeInteger(capacity) && capacity >= 0) return;
  throw invalidArgument(`block cache capacity must be a whole number of bytes from 0 to 2^53-1, found ${capacity}`);
}

function shardBitsOf(numShardBits: number, capacity: number): number {
  if (numShardBits === -1) return automaticShardBits(capacity);
  if (Number.isInteger(numShardBits) && numShardBits >= 0 && numShardBits <= SHARD_BITS_MAX) return numShardBits;
  throw invalidArgument(`numShardBits must be -1 or from 0 to ${SHARD_BITS_MAX}, found ${numShardBits}`);
}

/** A cache of uncompressed blocks, for one database or many. */
export class BlockCache {
  readonly numShardBits: number;
  readonly policy: 'lru' | 's4lru';
  readonly #kernel = getKernel();
  #address: number;
  #capacity: number;

  /** Throws INVALID_ARGUMENT for a value out of range, NO_SPACE when kernel memory has no room for the shards. */
  constructor(options: BlockCacheOptions) {
    if (typeof options !== 'object' || options === null) throw invalidArgument('BlockCache: options must be an object');
    const { capacity, policy = 'lru' } = options;
    checkCapacity(capacity);
    if (policy !== 'lru' && policy !== 's4lru') {
      throw invalidArgument(`block cache policy must be 'lru' or 's4lru', found '${String(policy)}'`);
    }
    this.policy = policy;
    this.numShardBits = shardBitsOf(options.numShardBits ?? -1, capacity);
    this.#capacity = capacity;
    const strict = options.strictCapacityLimit === true ? 1 : 0;
    this.#address = this.#kernel.x.cacheCreate(capacity, this.numShardBits, CachePolicy[policy], strict) >>> 0;
    if (this.#address === 0) throw new DBError('NO_SPACE', 'kernel memory has no room for a block cache');
  }

  /** Address of the kernel's cache, for tables. Throws CLOSED after `close`. */
  get address(): number {
    if (this.#address === 0) throw new DBError('CLOSED', 'the block cache is closed');
    return this.#address;
  }

  /** Bytes. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Evicts at once down to the new capacity, but for pinned blocks, which go when they are released. */
  set capacity(capacity: number) {
    checkCapacity(capacity);
    this.#kernel.x.cacheSetCapacity(this.address, capacity);
    this.#capacity = capacity;
  }

  /** Bytes that all blocks are charged for. */
  get usage(): number {
    return this.stats().usage;
  }

  /** Bytes of the blocks that someone is reading. */
  get pinnedUsage(): number {
    return this.stats().pinnedUsage;
  }

  /** An id for a table that opens, different from those of all others. */
  newTableId(): number {
    return this.#kernel.x.cacheNewTableId(this.address) >>> 0;
  }

  /** Address of a block, pinned until `release`, or 0. */
  lookup(tableId: number, offset: number): number {
    return this.#kernel.x.cacheLookup(this.address, tableId, offset) >>> 0;
  }

  /**
   * Gives a block made by the kernel's `blockAlloc`, of which `size` bytes are in use, to the cache. Returns the block to
   * use from now on, pinned: another one if the cache had it already. 0: a strict limit refused it and it stays private.
   */
  insert(tableId: number, offset: number, block: number, size: number): number {
    return this.#kernel.x.cacheInsert(this.address, tableId, offset, block, size) >>> 0;
  }

  /** Ends a pin on a block of any cache, or of none. */
  release(block: number): void {
    assert(block !== 0, 'a block that is released exists');
    this.#kernel.x.blockRelease(block);
  }

  /** Drops one block; it lives on while it is pinned. */
  erase(tableId: number, offset: number): void {
    this.#kernel.x.cacheErase(this.address, tableId, offset);
  }

  /** Drops the blocks of a table that is gone for good. Takes time in proportion to the whole cache. */
  eraseTable(tableId: number): void {
    this.#kernel.x.cacheEraseTable(this.address, tableId);
  }

  /** What the cache holds and did. */
  stats(): BlockCacheStats {
    const kernel = this.#kernel;
    const at = kernel.malloc(CACHE_STATS_SIZE);
    kernel.x.cacheStats(this.address, at);
    const field = (name: keyof typeof CacheStatsField): number => kernel.f64[(at + CacheStatsField[name]) >>> 3]!;
    const stats: BlockCacheStats = {
      capacity: this.#capacity,
      usage: field('usage'),
      pinnedUsage: field('pinnedUsage'),
      count: field('count'),
      hits: field('hits'),
      misses: field('misses'),
      inserts: field('inserts'),
      evictions: field('evictions'),
      refusals: field('refusals'),
    };
    kernel.free(at);
    return stats;
  }

  /** Frees all memory. No open database may still use the cache; blocks still pinned live until their release. */
  close(): void {
    if (this.#address === 0) return;
    this.#kernel.x.cacheFree(this.#address);
    this.#address = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
