/**
 * The Bloom filter of a memtable: unlike a table's it is filled key by key, so its size is fixed when it is made. The six
 * probes of a string stay in one line of 64 bytes. Prefixes and whole keys share the bits.
 *
 * It says of a user key or a prefix that no entry of the memtable has it. The thread that inserts sets the bits before the
 * entry is in the tree, so that a reader may miss an entry that is being inserted, never one that is there.
 */
import { filterHash64 } from './filter-hash';
import { free, malloc } from './memory';

// Offsets in the head; the lines begin at the next multiple of 64.
const F_LINES: usize = 0;
const F_WHOLE_KEYS: usize = 4;
const F_PREFIX_KIND: usize = 8;
const F_PREFIX_LENGTH: usize = 12;
const F_BITS: usize = 16; // address of the first line
const HEAD_SIZE: u32 = 20;

const LINE_SIZE: u32 = 64;
const PROBES: u32 = 6;
const GOLDEN: u32 = 0x9e3779b9;

const PREFIX_KIND_NONE: u32 = 0;
const PREFIX_KIND_FIXED: u32 = 1;
const PREFIX_KIND_HOST: u32 = 3;

// @ts-ignore: decorator
@external('host', 'addPrefix')
declare function hostAddPrefix(filter: usize, key: usize, size: u32): void;

/** An empty filter of at least `size` bytes, 0 when memory is exhausted. */
export function memtableFilterCreate(size: u32, wholeKeys: u32, prefixKind: u32, prefixLength: u32): usize {
  const lines = max(1, size / LINE_SIZE + u32(size % LINE_SIZE != 0));
  const filter = malloc(HEAD_SIZE + LINE_SIZE + lines * LINE_SIZE);
  if (filter == 0) return 0;
  const bits = (filter + HEAD_SIZE + LINE_SIZE - 1) & ~<usize>(LINE_SIZE - 1);
  memory.fill(bits, 0, lines * LINE_SIZE);
  store<u32>(filter, lines, F_LINES);
  store<u32>(filter, wholeKeys, F_WHOLE_KEYS);
  store<u32>(filter, prefixKind, F_PREFIX_KIND);
  store<u32>(filter, prefixLength, F_PREFIX_LENGTH);
  store<u32>(filter, <u32>bits, F_BITS);
  return filter;
}

/** Frees the filter; 0 is ignored. */
export function memtableFilterFree(filter: usize): void {
  free(filter);
}

/** Bytes taken from the allocator. */
export function memtableFilterBytes(filter: usize): u32 {
  return filter == 0 ? 0 : HEAD_SIZE + LINE_SIZE + load<u32>(filter, F_LINES) * LINE_SIZE;
}

/** The line of a hash. */
// @ts-ignore: decorator
@inline
function lineOf(filter: usize, hash: u64): usize {
  const line = <u32>(((hash & 0xffff_ffff) * load<u32>(filter, F_LINES)) >> 32);
  return <usize>load<u32>(filter, F_BITS) + <usize>line * LINE_SIZE;
}

/** Adds a string. */
export function memtableFilterAddString(filter: usize, string: usize, size: u32): void {
  const hash = filterHash64(string, size);
  const line = lineOf(filter, hash);
  let g = <u32>(hash >> 32);
  for (let i: u32 = 0; i < PROBES; i++) {
    const word = line + ((g >> 28) << 2);
    store<u32>(word, load<u32>(word) | (<u32>1 << ((g >> 23) & 31)));
    g *= GOLDEN;
  }
}

/** 0 if the string was surely not added, else 1. */
export function memtableFilterMayHoldString(filter: usize, string: usize, size: u32): u32 {
  const hash = filterHash64(string, size);
  const line = lineOf(filter, hash);
  let g = <u32>(hash >> 32);
  for (let i: u32 = 0; i < PROBES; i++) {
    if (((load<u32>(line + ((g >> 28) << 2)) >> ((g >> 23) & 31)) & 1) == 0) return 0;
    g *= GOLDEN;
  }
  return 1;
}

/** Adds what the filter wants of a user key: the key, its prefix, or both. */
export function memtableFilterAdd(filter: usize, key: usize, keySize: u32): void {
  if (load<u32>(filter, F_WHOLE_KEYS) != 0) memtableFilterAddString(filter, key, keySize);
  const kind = load<u32>(filter, F_PREFIX_KIND);
  if (kind == PREFIX_KIND_NONE) return;
  if (kind == PREFIX_KIND_HOST) {
    hostAddPrefix(filter, key, keySize);
    return;
  }
  const length = load<u32>(filter, F_PREFIX_LENGTH);
  if (kind == PREFIX_KIND_FIXED && keySize < length) return;
  memtableFilterAddString(filter, key, min(length, keySize));
}

/** 0 if surely no entry has the prefix of the user key, else 1. REQUIRES a kind that the kernel knows. */
export function memtableFilterMayHoldPrefix(filter: usize, key: usize, keySize: u32): u32 {
  const kind = load<u32>(filter, F_PREFIX_KIND);
  const length = load<u32>(filter, F_PREFIX_LENGTH);
  if (kind == PREFIX_KIND_NONE || (kind == PREFIX_KIND_FIXED && keySize < length)) return 1;
  return memtableFilterMayHoldString(filter, key, min(length, keySize));
}
