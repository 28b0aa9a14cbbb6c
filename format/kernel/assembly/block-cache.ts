/**
 * The sharded cache of uncompressed blocks, and blocks themselves. A block's address picks its header; table and offset
 * pick a shard and a slot in its hash table (`cache-slots.ts`).
 *
 * Pins count users; a point lookup only borrows, under the shard's lock. The cache charges a block from its insert until it
 * is freed; what is pinned cannot be evicted, so usage may pass the capacity (unless the limit is strict) and shrinks as
 * pins go.
 */
import {
  evictionAdd,
  evictionEnter,
  evictionFree,
  evictionLeave,
  evictionPromote,
  evictionRecharge,
  evictionRemove,
  evictionReserve,
  evictionVictim,
} from './cache-eviction';
import { NO_DIRECTORY } from './block-directory';
import {
  D_BLOCK,
  D_BLOCK_BYTES,
  D_SHORTCUT,
  D_TICK,
  H_CHARGE,
  H_DIRECTORY,
  H_LISTED,
  H_OFFSET,
  H_PINS,
  H_SEGMENT,
  H_SHARD,
  H_SIZE,
  H_TABLE,
  HEADER_SIZE,
  S_CAPACITY,
  S_COUNT,
  S_EVICTIONS,
  S_HITS,
  S_INSERTS,
  S_LOCK,
  S_MASK,
  S_MISSES,
  S_PINNED,
  S_POLICY,
  S_REFUSALS,
  S_SLOTS,
  S_STRICT,
  S_TICK,
  S_USAGE,
  SHARD_SIZE,
  SLOT_BLOCK,
  SLOT_BYTES,
  SLOT_DIRECTORY,
  SLOT_OFFSET,
  SLOT_SIZE,
  SLOT_TABLE,
  SLOT_TICK,
} from './cache-layout';
import { closeGap, findSlot, hashOf, reserveSlot } from './cache-slots';
import { free, lockAcquire, lockRelease, malloc, SLACK } from './memory';

/** Header, slack, node, and two slots of the hash table, which is between three eighths and three quarters full. */
const CHARGE_OVERHEAD: u32 = 144;
const BLOCK_CAPACITY_MAX: u32 = 0xf000_0000;

const C_SHARDS: usize = 0;
const C_SHARD_BITS: usize = 4;
const C_NEXT_TABLE: usize = 8;
const CACHE_SIZE: u32 = 16;

/** A private block with one pin, or 0. */
export function blockAlloc(capacity: u32): usize {
  if (capacity > BLOCK_CAPACITY_MAX) return 0;
  const start = malloc(HEADER_SIZE + capacity + <u32>SLACK);
  if (start == 0) return 0;
  const block = start + HEADER_SIZE;
  store<u32>(block - H_SHARD, 0);
  store<u32>(block - H_PINS, 1);
  store<u32>(block - H_SIZE, capacity);
  store<u32>(block - H_CHARGE, capacity + CHARGE_OVERHEAD);
  store<u32>(block - H_LISTED, 0);
  store<u32>(block - H_SEGMENT, 0);
  store<u32>(block - H_DIRECTORY, 0);
  return block;
}

/** Bytes in use. */
export function blockSize(block: usize): u32 {
  return load<u32>(block - H_SIZE);
}

/** Says how many bytes are in use. */
export function blockSetSize(block: usize, size: u32): void {
  store<u32>(block - H_SIZE, size);
}

/** One more pin. */
export function blockRetain(block: usize): void {
  const shard: usize = load<u32>(block - H_SHARD);
  if (shard != 0) lockAcquire(shard + S_LOCK);
  store<u32>(block - H_PINS, load<u32>(block - H_PINS) + 1);
  if (shard != 0) lockRelease(shard + S_LOCK);
}

/** One pin less. */
export function blockRelease(block: usize): void {
  const shard: usize = load<u32>(block - H_SHARD);
  if (shard == 0) {
    const pins = load<u32>(block - H_PINS) - 1;
    store<u32>(block - H_PINS, pins);
    if (pins == 0) freeBlock(block);
    return;
  }
  lockAcquire(shard + S_LOCK);
  unpin(shard, block);
  if (load<u64>(shard, S_USAGE) > load<u64>(shard, S_CAPACITY)) makeRoom(shard, 0);
  lockRelease(shard + S_LOCK);
}

/** A cache, or 0. */
export function cacheCreate(capacity: f64, shardBits: u32, policy: u32, strict: u32): usize {
  const cache = malloc(CACHE_SIZE);
  const shards = malloc(SHARD_SIZE << shardBits);
  if (cache == 0 || shards == 0) {
    free(cache);
    free(shards);
    return 0;
  }
  memory.fill(shards, 0, SHARD_SIZE << shardBits);
  store<u32>(cache, <u32>shards, C_SHARDS);
  store<u32>(cache, shardBits, C_SHARD_BITS);
  store<u32>(cache, 0, C_NEXT_TABLE);
  const end = shards + (SHARD_SIZE << shardBits);
  for (let shard = shards; shard < end; shard += SHARD_SIZE) {
    store<u32>(shard, min(max(policy, 1), 4), S_POLICY);
    store<u32>(shard, strict, S_STRICT);
    store<u64>(shard, shardCapacity(capacity, shardBits), S_CAPACITY);
  }
  return cache;
}

/** Frees the cache and its blocks; those still pinned become private. No other thread may use the cache any more. */
export function cacheFree(cache: usize): void {
  if (cache == 0) return;
  const shards: usize = load<u32>(cache, C_SHARDS);
  const end = shardsEnd(cache);
  for (let shard = shards; shard < end; shard += SHARD_SIZE) {
    const slots: usize = load<u32>(shard, S_SLOTS);
    if (slots == 0) continue;
    const slotsEnd = slots + (load<u32>(shard, S_MASK) + 1) * SLOT_SIZE;
    for (let slot = slots; slot < slotsEnd; slot += SLOT_SIZE) {
      const block: usize = load<u32>(slot, SLOT_BLOCK);
      if (block == 0) continue;
      cutShortcut(block);
      if (load<u32>(block - H_PINS) == 0) freeBlock(block);
      else store<u32>(block - H_SHARD, 0);
    }
    free(slots);
    evictionFree(shard);
  }
  free(shards);
  free(cache);
}

/** A table id no one else has. */
export function cacheNewTableId(cache: usize): u32 {
  return atomic.add<u32>(cache + C_NEXT_TABLE, 1) + 1;
}

/** The block, pinned, or 0. */
export function cacheLookup(cache: usize, tableId: u32, offset: f64): usize {
  const slot = lockSlot(cache, tableId, offset);
  if (slot == 0) return 0;
  const block: usize = load<u32>(slot, SLOT_BLOCK);
  pin(lockedShard, block);
  evictionPromote(block, load<u32>(lockedShard, S_POLICY));
  lockRelease(lockedShard + S_LOCK);
  return block;
}

/**
 * A block, or 0. Until `cacheReturn`, which must follow at once when there is one, the shard is locked: the block cannot go,
 * so it needs no pin. `borrowedBytes` and `borrowedDirectory` tell of it.
 *
 * `shortcut` is the address of a u32 of the caller's, 0 at first. While the block is in the cache and has a directory, the
 * cache keeps the address of that there, under the shard's lock: a lookup that finds it needs neither slot nor header. The
 * caller cuts it (`cacheCutShortcut`) before the u32 goes. A directory has one shortcut: the last one that asked.
 *
 * A block moves to the recent end of the eviction order at most once between two inserts into its shard, and with one list
 * once in as many inserts as an eighth of the blocks: it is then still in the recent eighth, where the order says little
 * about what to lose next, and a move costs as much as the rest of the lookup.
 */
export function cacheBorrow(cache: usize, tableId: u32, offset: u64, shortcut: usize): usize {
  const hash = hashOf(tableId, offset);
  const shard = shardOf(cache, hash);
  lockAcquire(shard + S_LOCK);
  const directory: usize = load<u32>(shortcut);
  return directory == 0
    ? borrowBySlot(shard, hash, tableId, offset, shortcut)
    : borrowByShortcut(shard, directory);
}

// @ts-ignore: decorator
@inline
function borrowByShortcut(shard: usize, directory: usize): usize {
  const block: usize = load<u32>(directory, D_BLOCK);
  lend(shard, directory, load<u32>(directory, D_BLOCK_BYTES));
  if (isStale(shard, load<u32>(directory, D_TICK))) {
    store<u32>(directory, load<u32>(shard, S_TICK), D_TICK);
    freshen(shard, block);
  }
  return block;
}

function borrowBySlot(shard: usize, hash: u64, tableId: u32, offset: u64, shortcut: usize): usize {
  const slot = slotInLocked(shard, hash, tableId, offset);
  if (slot == 0) return 0;
  const block: usize = load<u32>(slot, SLOT_BLOCK);
  const directory: usize = load<u32>(slot, SLOT_DIRECTORY);
  lend(shard, directory, load<u32>(slot, SLOT_BYTES));
  if (isStale(shard, load<u32>(slot, SLOT_TICK))) {
    store<u32>(slot, load<u32>(shard, S_TICK), SLOT_TICK);
    freshen(shard, block);
  }
  if (directory > NO_DIRECTORY) leadTo(shard, directory, shortcut);
  return block;
}

/** Whether a block that moved to the recent end at this tick of its shard is to be moved again. */
// @ts-ignore: decorator
@inline
function isStale(shard: usize, tick: u32): bool {
  const spared = load<u32>(shard, S_POLICY) == 1 ? load<u32>(shard, S_COUNT) >> 3 : 0;
  return load<u32>(shard, S_TICK) - tick > spared;
}

/** Of the borrowed block: bytes in use, and its directory, `NO_DIRECTORY` where it can have none, 0 while that is open. */
export let borrowedBytes: u32 = 0;
export let borrowedDirectory: usize = 0;

// @ts-ignore: decorator
@inline
function lend(shard: usize, directory: usize, bytes: u32): void {
  store<u64>(shard, load<u64>(shard, S_HITS) + 1, S_HITS);
  lockedShard = shard;
  borrowedDirectory = directory;
  borrowedBytes = bytes;
}

/** Ends what `shortcut`, of a block at this place, leads to. Takes no lock where it leads nowhere: then no cache need be there. */
export function cacheCutShortcut(cache: usize, tableId: u32, offset: u64, shortcut: usize): void {
  if (load<u32>(shortcut) == 0) return;
  const shard = shardOf(cache, hashOf(tableId, offset));
  lockAcquire(shard + S_LOCK);
  const directory: usize = load<u32>(shortcut);
  if (directory != 0) store<u32>(directory, 0, D_SHORTCUT);
  store<u32>(shortcut, 0);
  lockRelease(shard + S_LOCK);
}

/** Has `shortcut`, and no other, lead to the directory of a block that was just asked for. */
function leadTo(shard: usize, directory: usize, shortcut: usize): void {
  const other: usize = load<u32>(directory, D_SHORTCUT);
  if (other != 0) store<u32>(other, 0);
  store<u32>(directory, <u32>shortcut, D_SHORTCUT);
  store<u32>(directory, load<u32>(shard, S_TICK), D_TICK);
  store<u32>(shortcut, <u32>directory);
}

/** A block that leaves the cache is no longer to be found by the shortcut to its directory. */
function cutShortcut(block: usize): void {
  const directory: usize = load<u32>(block - H_DIRECTORY);
  if (directory == 0) return;
  const shortcut: usize = load<u32>(directory, D_SHORTCUT);
  if (shortcut != 0) store<u32>(shortcut, 0);
  store<u32>(directory, 0, D_SHORTCUT);
}

/** Ends the loan. */
export function cacheReturn(): void {
  lockRelease(lockedShard + S_LOCK);
}

/** Pins the borrowed block, for use after the loan. */
export function borrowedPin(block: usize): void {
  pin(lockedShard, block);
}

/**
 * Gives the borrowed block a directory of `bytes`, which is charged and freed with it; false when there is no room for it
 * even after evictions.
 */
export function borrowedKeepDirectory(block: usize, directory: usize, bytes: u32, shortcut: usize): bool {
  const shard = lockedShard;
  // Lest it is evicted to make room for its own directory.
  pin(shard, block);
  makeRoom(shard, bytes);
  const fits = load<u64>(shard, S_USAGE) + bytes <= load<u64>(shard, S_CAPACITY);
  if (fits) {
    store<u32>(directory, <u32>block, D_BLOCK);
    store<u32>(directory, load<u32>(block - H_SIZE), D_BLOCK_BYTES);
    leadTo(shard, directory, shortcut);
    store<u32>(block - H_DIRECTORY, <u32>directory);
    store<u32>(block - H_CHARGE, load<u32>(block - H_CHARGE) + bytes);
    store<u64>(shard, load<u64>(shard, S_USAGE) + bytes, S_USAGE);
    store<u64>(shard, load<u64>(shard, S_PINNED) + bytes, S_PINNED);
    evictionRecharge(shard, block);
  }
  unpin(shard, block);
  return fits;
}

/** Has lookups of the borrowed block find this directory, or `NO_DIRECTORY`. */
export function borrowedSetDirectory(block: usize, directory: usize): void {
  const tableId = load<u32>(block - H_TABLE);
  const offset = load<u64>(block - H_OFFSET);
  const slot = findSlot(lockedShard, hashOf(tableId, offset), tableId, offset);
  store<u32>(slot, <u32>directory, SLOT_DIRECTORY);
}

/** Gives a private block to the cache; the block to use instead, or 0. */
export function cacheInsert(cache: usize, tableId: u32, offset: f64, block: usize, size: u32): usize {
  const key = <u64>offset;
  const hash = hashOf(tableId, key);
  const shard = shardOf(cache, hash);
  store<u32>(block - H_SIZE, size);
  lockAcquire(shard + S_LOCK);
  const present = findSlot(shard, hash, tableId, key);
  if (present != 0 && load<u32>(present) != 0) {
    const existing: usize = load<u32>(present);
    pin(shard, existing);
    lockRelease(shard + S_LOCK);
    freeBlock(block);
    return existing;
  }
  const charge = <u64>load<u32>(block - H_CHARGE);
  makeRoom(shard, charge);
  const full = load<u64>(shard, S_USAGE) + charge > load<u64>(shard, S_CAPACITY);
  if ((full && load<u32>(shard, S_STRICT) != 0) || !reserveSlot(shard) || !evictionReserve(shard)) {
    store<u64>(shard, load<u64>(shard, S_REFUSALS) + 1, S_REFUSALS);
    lockRelease(shard + S_LOCK);
    return 0;
  }
  // Evictions and growth have moved slots, so it is searched again.
  const slot = findSlot(shard, hash, tableId, key);
  const tick = load<u32>(shard, S_TICK) + 1;
  store<u32>(shard, tick, S_TICK);
  store<u32>(slot, <u32>block, SLOT_BLOCK);
  store<u32>(slot, tableId, SLOT_TABLE);
  store<u64>(slot, key, SLOT_OFFSET);
  store<u32>(slot, size, SLOT_BYTES);
  store<u32>(slot, tick, SLOT_TICK);
  store<u32>(slot, 0, SLOT_DIRECTORY);
  store<u32>(shard, load<u32>(shard, S_COUNT) + 1, S_COUNT);
  store<u32>(block - H_SHARD, <u32>shard);
  store<u32>(block - H_TABLE, tableId);
  store<u64>(block - H_OFFSET, key);
  store<u32>(block - H_LISTED, 1);
  evictionEnter(shard, block);
  store<u64>(shard, load<u64>(shard, S_USAGE) + charge, S_USAGE);
  store<u64>(shard, load<u64>(shard, S_PINNED) + charge, S_PINNED);
  store<u64>(shard, load<u64>(shard, S_INSERTS) + 1, S_INSERTS);
  lockRelease(shard + S_LOCK);
  return block;
}

/** Makes one block unfindable and frees it, at once or with its last pin. */
export function cacheErase(cache: usize, tableId: u32, offset: f64): void {
  const key = <u64>offset;
  const hash = hashOf(tableId, key);
  const shard = shardOf(cache, hash);
  lockAcquire(shard + S_LOCK);
  const slot = findSlot(shard, hash, tableId, key);
  if (slot != 0 && load<u32>(slot) != 0) eraseSlot(shard, slot);
  lockRelease(shard + S_LOCK);
}

/** The same for all blocks of a table. */
export function cacheEraseTable(cache: usize, tableId: u32): void {
  const end = shardsEnd(cache);
  for (let shard: usize = load<u32>(cache, C_SHARDS); shard < end; shard += SHARD_SIZE) {
    lockAcquire(shard + S_LOCK);
    const slots: usize = load<u32>(shard, S_SLOTS);
    if (load<u32>(shard, S_COUNT) != 0) {
      const slotsEnd = slots + (load<u32>(shard, S_MASK) + 1) * SLOT_SIZE;
      let slot = slots;
      while (slot < slotsEnd) {
        // Erasing pulls a later slot into this one, which is then looked at again.
        if (load<u32>(slot, SLOT_BLOCK) != 0 && load<u32>(slot, SLOT_TABLE) == tableId) eraseSlot(shard, slot);
        else slot += SLOT_SIZE;
      }
    }
    lockRelease(shard + S_LOCK);
  }
}

/** Changes the capacity and evicts down to it. */
export function cacheSetCapacity(cache: usize, capacity: f64): void {
  const end = shardsEnd(cache);
  const share = shardCapacity(capacity, load<u32>(cache, C_SHARD_BITS));
  for (let shard: usize = load<u32>(cache, C_SHARDS); shard < end; shard += SHARD_SIZE) {
    lockAcquire(shard + S_LOCK);
    store<u64>(shard, share, S_CAPACITY);
    makeRoom(shard, 0);
    lockRelease(shard + S_LOCK);
  }
}

/** Changes whether the limit is strict. */
export function cacheSetStrict(cache: usize, strict: u32): void {
  const end = shardsEnd(cache);
  for (let shard: usize = load<u32>(cache, C_SHARDS); shard < end; shard += SHARD_SIZE) {
    store<u32>(shard, strict, S_STRICT);
  }
}

/** Sums of the shards' figures, f64 each: `abi/block-cache.ts` lists them. */
export function cacheStats(cache: usize, out: usize): void {
  memory.fill(out, 0, 72);
  const end = shardsEnd(cache);
  for (let shard: usize = load<u32>(cache, C_SHARDS); shard < end; shard += SHARD_SIZE) {
    lockAcquire(shard + S_LOCK);
    accumulate(out, load<u64>(shard, S_CAPACITY));
    accumulate(out + 8, load<u64>(shard, S_USAGE));
    accumulate(out + 16, load<u64>(shard, S_PINNED));
    accumulate(out + 24, load<u32>(shard, S_COUNT));
    accumulate(out + 32, load<u64>(shard, S_HITS));
    accumulate(out + 40, load<u64>(shard, S_MISSES));
    accumulate(out + 48, load<u64>(shard, S_INSERTS));
    accumulate(out + 56, load<u64>(shard, S_EVICTIONS));
    accumulate(out + 64, load<u64>(shard, S_REFUSALS));
    lockRelease(shard + S_LOCK);
  }
}

function accumulate(at: usize, value: u64): void {
  store<f64>(at, load<f64>(at) + <f64>value);
}

/** Of the slot that this thread locked last. */
let lockedShard: usize = 0;

/** Locks the shard of a block and counts the lookup; the block's slot, or 0 with the shard unlocked again. */
// @ts-ignore: decorator
@inline
function lockSlot(cache: usize, tableId: u32, offset: f64): usize {
  const key = <u64>offset;
  const hash = hashOf(tableId, key);
  const shard = shardOf(cache, hash);
  lockAcquire(shard + S_LOCK);
  const slot = slotInLocked(shard, hash, tableId, key);
  if (slot == 0) return 0;
  store<u64>(shard, load<u64>(shard, S_HITS) + 1, S_HITS);
  lockedShard = shard;
  return slot;
}

/** The slot of a block in a shard that is locked; 0, counted and with the shard unlocked, if there is none. */
// @ts-ignore: decorator
@inline
function slotInLocked(shard: usize, hash: u64, tableId: u32, offset: u64): usize {
  const slot = findSlot(shard, hash, tableId, offset);
  if (slot != 0 && load<u32>(slot, SLOT_BLOCK) != 0) return slot;
  store<u64>(shard, load<u64>(shard, S_MISSES) + 1, S_MISSES);
  lockRelease(shard + S_LOCK);
  return 0;
}

// @ts-ignore: decorator
@inline
function freeBlock(block: usize): void {
  free(load<u32>(block - H_DIRECTORY));
  free(block - HEADER_SIZE);
}

// @ts-ignore: decorator
@inline
function shardOf(cache: usize, hash: u64): usize {
  const index = <u32>(hash >> 32) & ((1 << load<u32>(cache, C_SHARD_BITS)) - 1);
  return load<u32>(cache, C_SHARDS) + index * SHARD_SIZE;
}

// @ts-ignore: decorator
@inline
function shardsEnd(cache: usize): usize {
  return load<u32>(cache, C_SHARDS) + (SHARD_SIZE << load<u32>(cache, C_SHARD_BITS));
}

/** Rounded up, as in RocksDB. */
function shardCapacity(capacity: f64, shardBits: u32): u64 {
  const shards = <u64>1 << shardBits;
  return (<u64>capacity + shards - 1) >> shardBits;
}

// @ts-ignore: decorator
@inline
function pin(shard: usize, block: usize): void {
  const pins = load<u32>(block - H_PINS);
  store<u32>(block - H_PINS, pins + 1);
  if (pins != 0) return;
  evictionRemove(shard, block);
  store<u64>(shard, load<u64>(shard, S_PINNED) + load<u32>(block - H_CHARGE), S_PINNED);
}

/** One pin less; the last one makes a cached block evictable and frees one that has left the cache. */
function unpin(shard: usize, block: usize): void {
  const pins = load<u32>(block - H_PINS) - 1;
  store<u32>(block - H_PINS, pins);
  if (pins != 0) return;
  const charge = <u64>load<u32>(block - H_CHARGE);
  store<u64>(shard, load<u64>(shard, S_PINNED) - charge, S_PINNED);
  if (load<u32>(block - H_LISTED) != 0) {
    evictionAdd(shard, block, load<u32>(shard, S_POLICY));
    return;
  }
  store<u64>(shard, load<u64>(shard, S_USAGE) - charge, S_USAGE);
  evictionLeave(shard, block);
  freeBlock(block);
}

/** Makes a block the most recently used one. */
function freshen(shard: usize, block: usize): void {
  const segments = load<u32>(shard, S_POLICY);
  const listed = load<u32>(block - H_PINS) == 0;
  if (listed) evictionRemove(shard, block);
  evictionPromote(block, segments);
  if (listed) evictionAdd(shard, block, segments);
}

/** Evicts until `charge` more would fit, or all that is left is pinned. */
function makeRoom(shard: usize, charge: u64): void {
  const segments = load<u32>(shard, S_POLICY);
  while (load<u64>(shard, S_USAGE) + charge > load<u64>(shard, S_CAPACITY)) {
    const victim = evictionVictim(shard, segments);
    if (victim == 0) return;
    const tableId = load<u32>(victim - H_TABLE);
    const offset = load<u64>(victim - H_OFFSET);
    eraseSlot(shard, findSlot(shard, hashOf(tableId, offset), tableId, offset));
    store<u64>(shard, load<u64>(shard, S_EVICTIONS) + 1, S_EVICTIONS);
  }
}

/** Takes the block of a slot out of the cache. */
function eraseSlot(shard: usize, slot: usize): void {
  const block: usize = load<u32>(slot);
  store<u32>(block - H_LISTED, 0);
  cutShortcut(block);
  store<u32>(shard, load<u32>(shard, S_COUNT) - 1, S_COUNT);
  if (load<u32>(block - H_PINS) == 0) {
    evictionRemove(shard, block);
    store<u64>(shard, load<u64>(shard, S_USAGE) - load<u32>(block - H_CHARGE), S_USAGE);
    evictionLeave(shard, block);
    freeBlock(block);
  }
  closeGap(shard, slot);
}
