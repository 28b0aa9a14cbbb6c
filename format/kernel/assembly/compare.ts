/**
 * Orders of keys. Bytewise comparison takes eight bytes at a time, as big-endian numbers; the rest is one masked load.
 * That load may reach past the key, but never past the memory (`memory.ts`), and the bytes beyond the key are shifted out.
 */

/** Comparator ids: these two are built in, greater ones belong to the host. */
export const COMPARATOR_BYTEWISE: u32 = 0;
export const COMPARATOR_REVERSE: u32 = 1;

/** Bytes of sequence and type behind the user key of an internal key. */
export const TRAILER_SIZE: u32 = 8;

// @ts-ignore: decorator
@external('host', 'compare')
declare function hostCompare(id: u32, a: usize, aSize: u32, b: usize, bSize: u32): i32;

/** Unsigned byte order, the shorter first: negative, 0 or positive. */
export function compareBytes(a: usize, aSize: u32, b: usize, bSize: u32): i32 {
  const size = min(aSize, bSize);
  let i: u32 = 0;
  for (; i + 8 <= size; i += 8) {
    const x = load<u64>(a + i);
    const y = load<u64>(b + i);
    if (x != y) return bswap(x) < bswap(y) ? -1 : 1;
  }
  const rest = size - i;
  if (rest != 0) {
    const shift = (8 - rest) << 3;
    const x = bswap(load<u64>(a + i)) >> shift;
    const y = bswap(load<u64>(b + i)) >> shift;
    if (x != y) return x < y ? -1 : 1;
  }
  return aSize < bSize ? -1 : i32(aSize > bSize);
}

/** Whether two byte strings are the same. */
export function equalBytes(a: usize, aSize: u32, b: usize, bSize: u32): bool {
  return aSize == bSize && compareBytes(a, aSize, b, bSize) == 0;
}

/** Length of the common prefix of two byte strings. */
export function sharedPrefix(a: usize, aSize: u32, b: usize, bSize: u32): u32 {
  const size = min(aSize, bSize);
  let i: u32 = 0;
  for (; i < size; i += 8) {
    const difference = load<u64>(a + i) ^ load<u64>(b + i);
    if (difference != 0) return min(size, i + (<u32>ctz(difference) >> 3));
  }
  return size;
}

/** The first eight bytes, zero-padded, as a number in byte order. Reads at most the slack behind the key. */
// @ts-ignore: decorator
@inline
export function prefixWord(key: usize, size: u32): u64 {
  if (size == 0) return 0;
  const word = bswap(load<u64>(key));
  return size >= 8 ? word : word & (~(<u64>0) << ((8 - size) << 3));
}

/** Order of two user keys by comparator `id`. */
export function compareUser(id: u32, a: usize, aSize: u32, b: usize, bSize: u32): i32 {
  if (id == COMPARATOR_BYTEWISE) return compareBytes(a, aSize, b, bSize);
  if (id == COMPARATOR_REVERSE) return compareBytes(b, bSize, a, aSize);
  return hostCompare(id, a, aSize, b, bSize);
}

/** Order of two internal keys: user keys by comparator `id`, then the newer first. REQUIRES both sizes >= TRAILER_SIZE. */
export function compareInternal(id: u32, a: usize, aSize: u32, b: usize, bSize: u32): i32 {
  const aUser = aSize - TRAILER_SIZE;
  const bUser = bSize - TRAILER_SIZE;
  const order = compareUser(id, a, aUser, b, bUser);
  if (order != 0) return order;
  const x = load<u64>(a + aUser);
  const y = load<u64>(b + bUser);
  return x > y ? -1 : i32(x < y);
}
