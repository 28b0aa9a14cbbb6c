/**
 * How the block cache lies in memory: the header in front of a block's data, a shard, and the cache itself. Offsets of
 * the header are distances *down* from the address of the data, which is what everyone else handles.
 */

/** Bytes of the header; keeps the data 16-aligned. */
export const HEADER_SIZE: u32 = 48;
/** u32: address of the shard, 0 while the block is private. */
export const H_SHARD: usize = 48;
/** u32: pins. */
export const H_PINS: usize = 44;
/** u32: bytes in use. */
export const H_SIZE: usize = 40;
/** u32: bytes it is charged for. */
export const H_CHARGE: usize = 36;
/** u64 */
export const H_OFFSET: usize = 32;
/** u32 */
export const H_TABLE: usize = 24;
/** u32: whether a lookup can find it. A block erased while pinned is not listed, but still charged. */
export const H_LISTED: usize = 20;
/** u32: its list of the eviction order. */
export const H_SEGMENT: usize = 16;
/** u32: its node in the eviction order. */
export const H_NODE: usize = 12;
/** u32: its directory (`block-directory.ts`), 0 while it has none. */
export const H_DIRECTORY: usize = 8;

// The head of a directory (`block-directory.ts`), where the cache keeps what lookups by a shortcut need.
/** u32: the block. */
export const D_BLOCK: usize = 0;
/** u32: bytes in use of the block. */
export const D_BLOCK_BYTES: usize = 4;
/** u32: address of the shortcut that leads here, 0 none. */
export const D_SHORTCUT: usize = 8;
/** u32: the shard's tick when a lookup by the shortcut last moved the block to the recent end. */
export const D_TICK: usize = 12;
/** Bytes of that head. */
export const DIRECTORY_HEAD_SIZE: u32 = 16;

/** i32: spin lock over everything in the shard and over the headers of its blocks. */
export const S_LOCK: usize = 0;
/** u32: the hash table: slots as below, open addressing, linear probing. */
export const S_SLOTS: usize = 4;
/** u32: count of slots minus one. */
export const S_MASK: usize = 8;
/** u32: blocks in the table. */
export const S_COUNT: usize = 12;
/** u64 */
export const S_CAPACITY: usize = 16;
/** u64: charge of all blocks that name this shard. */
export const S_USAGE: usize = 24;
/** u64: charge of those that are pinned. */
export const S_PINNED: usize = 32;
/** u64 each: counters. */
export const S_HITS: usize = 40;
export const S_MISSES: usize = 48;
export const S_INSERTS: usize = 56;
export const S_EVICTIONS: usize = 64;
export const S_REFUSALS: usize = 72;
/** u32: how many lists the eviction order has. */
export const S_POLICY: usize = 80;
/** u32: whether inserts are refused rather than let usage pass the capacity. */
export const S_STRICT: usize = 84;
/**
 * u32: address of the nodes of the eviction order, one a block, in an array of their own: relinking a block then touches a few
 * lines of a small array instead of the headers of its neighbours, which lie anywhere.
 */
export const S_NODES: usize = 88;
/** u32: how many nodes there are. Node 0 stands for none. */
export const S_NODE_CAPACITY: usize = 92;
/** u32: first of the unused nodes, chained by `N_NEXT`. */
export const S_NODE_FREE: usize = 96;
/** Bytes of a node. */
export const NODE_SIZE: u32 = 16;
/** u32: neighbours in the node's list. */
export const N_PREVIOUS: usize = 0;
/** u32 */
export const N_NEXT: usize = 4;
/** u32: the block. */
export const N_BLOCK: usize = 8;
/** u32: bytes the block is charged for. */
export const N_CHARGE: usize = 12;
/** Four lists of 16 bytes. */
export const S_SEGMENTS: usize = 104;
/** u32: grows with each insert. */
export const S_TICK: usize = 168;
/** Bytes of a shard: a multiple of a cache line, lest two locks share one. */
export const SHARD_SIZE: u32 = 192;

/** Bytes of a slot: a lookup that finds its block learns all it needs from one cache line. */
export const SLOT_SIZE: u32 = 32;
/** u32: the block, 0 for an empty slot. */
export const SLOT_BLOCK: usize = 0;
/** u32 */
export const SLOT_TABLE: usize = 4;
/** u64 */
export const SLOT_OFFSET: usize = 8;
/** u32: bytes in use. */
export const SLOT_BYTES: usize = 16;
/** u32: the shard's tick when `cacheBorrow` last moved the block to the recent end. */
export const SLOT_TICK: usize = 20;
/** u32: the block's directory, `NO_DIRECTORY` where it can have none, 0 while that is open. */
export const SLOT_DIRECTORY: usize = 24;
