/**
 * The arena of a memtable: chunks from `malloc` that only ever fill up. What is allocated never moves and is freed all
 * at once. Entries are cut from the current chunk; tree nodes from slabs inside it, so that the nodes, which every
 * search walks, lie on few pages.
 */
import { free, malloc } from './memory';

// Offsets in the arena struct.
const A_CHUNK_SIZE: usize = 0;
const A_CHUNKS: usize = 4; // newest chunk; each begins with { next u32, size u32 }
const A_NEXT: usize = 8; // free bytes of the current chunk
const A_END: usize = 12;
const A_NODE_NEXT: usize = 16; // free bytes of the current slab of nodes
const A_NODE_END: usize = 20;
const A_ALLOCATED: usize = 24; // bytes taken from malloc; up to 4 GiB, so u32
export const ARENA_SIZE: usize = 32;

const CHUNK_HEAD: u32 = 16;
/**
 * Readable bytes behind everything in a chunk: for wide loads, and for touching an entry's lines before its size is
 * known.
 */
export const ARENA_TAIL: u32 = 256;
const NODE_ALIGN: u32 = 64;
const SLAB_SIZE_MIN: u32 = 2048;
const SLAB_SIZE_MAX: u32 = 65536;

/** Sets up an empty arena in `ARENA_SIZE` zeroed bytes; nothing is allocated before the first entry. */
export function arenaInit(arena: usize, chunkSize: u32): void {
  store<u32>(arena, max(chunkSize, 4096), A_CHUNK_SIZE);
}

/** Frees every chunk. */
export function arenaFree(arena: usize): void {
  let chunk: usize = load<u32>(arena, A_CHUNKS);
  while (chunk != 0) {
    const next: usize = load<u32>(chunk);
    free(chunk);
    chunk = next;
  }
  store<u32>(arena, 0, A_CHUNKS);
}

/** Bytes taken from the allocator. */
export function arenaAllocated(arena: usize): u32 {
  return load<u32>(arena, A_ALLOCATED);
}

/** Bytes taken from the allocator, less what is still free in the current chunk. */
export function arenaUsed(arena: usize): u32 {
  return load<u32>(arena, A_ALLOCATED) - (load<u32>(arena, A_END) - load<u32>(arena, A_NEXT));
}

function newChunk(arena: usize, size: u32): usize {
  const chunk = malloc(size);
  if (chunk == 0) return 0;
  store<u32>(chunk, load<u32>(arena, A_CHUNKS));
  store<u32>(chunk, size, 4);
  store<u32>(arena, <u32>chunk, A_CHUNKS);
  store<u32>(arena, load<u32>(arena, A_ALLOCATED) + size, A_ALLOCATED);
  return chunk;
}

/** A chunk of its own for something large, so that the rest of the current chunk is not wasted. */
function allocateAlone(arena: usize, size: u32): usize {
  const whole = <u64>size + CHUNK_HEAD + ARENA_TAIL;
  if (whole > 0xffff_0000) return 0;
  const chunk = newChunk(arena, <u32>whole);
  return chunk == 0 ? 0 : chunk + CHUNK_HEAD;
}

function allocateSlow(arena: usize, size: u32): usize {
  const chunkSize = load<u32>(arena, A_CHUNK_SIZE);
  if (size > chunkSize >> 2) return allocateAlone(arena, size);
  const chunk = newChunk(arena, chunkSize);
  if (chunk == 0) return 0;
  const start = chunk + CHUNK_HEAD;
  store<u32>(arena, <u32>start + size, A_NEXT);
  store<u32>(arena, <u32>chunk + chunkSize - ARENA_TAIL, A_END);
  return start;
}

/**
 * `size` bytes, 4-aligned, with `ARENA_TAIL` readable and 16 writable bytes behind them; 0 when memory is exhausted.
 */
// @ts-ignore: decorator
@inline
export function arenaAllocate(arena: usize, size: u32): usize {
  const start = (load<u32>(arena, A_NEXT) + 3) & ~3;
  const end = load<u32>(arena, A_END);
  if (start > end || size > end - start) return allocateSlow(arena, size);
  store<u32>(arena, start + size, A_NEXT);
  return start;
}

/** `size` bytes for a tree node, aligned to a cache line; 0 when memory is exhausted. */
export function arenaAllocateNode(arena: usize, size: u32): usize {
  const aligned = (size + NODE_ALIGN - 1) & ~(NODE_ALIGN - 1);
  let start = load<u32>(arena, A_NODE_NEXT);
  if (load<u32>(arena, A_NODE_END) - start < aligned) {
    // Slabs grow with the arena: a small memtable should not pay for nodes that it never gets.
    const wanted = min(max(arenaUsed(arena) >> 4, SLAB_SIZE_MIN), SLAB_SIZE_MAX);
    const slabSize = min(wanted, load<u32>(arena, A_CHUNK_SIZE) >> 2);
    const slab = arenaAllocate(arena, max(slabSize, aligned) + NODE_ALIGN);
    if (slab == 0) return 0;
    start = <u32>((slab + NODE_ALIGN - 1) & ~(NODE_ALIGN - 1));
    store<u32>(arena, <u32>slab + max(slabSize, aligned) + NODE_ALIGN, A_NODE_END);
  }
  store<u32>(arena, start + aligned, A_NODE_NEXT);
  return start;
}
