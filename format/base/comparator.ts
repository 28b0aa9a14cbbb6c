/** A total order over user keys. Its name is stored in the MANIFEST and checked at every open. */
export interface Comparator {
  readonly name: string;
  /** Negative, zero or positive. The arrays are borrowed for the call; neither may be kept or changed. */
  compare(a: Uint8Array, b: Uint8Array): number;
  /** A short key `k` with `start <= k < limit`, or `start` itself. Optional: without it index keys are just longer. */
  findShortestSeparator?(start: Uint8Array, limit: Uint8Array): Uint8Array;
  /** A short key `>= key`, or `key` itself. */
  findShortSuccessor?(key: Uint8Array): Uint8Array;
}

/** Unsigned byte order, shorter first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  let i = 0;
  while (i < shared && a[i] === b[i]) i++;
  return i;
}

/** The key cut after `index`, with the byte at `index` raised by one. */
function cutAndRaise(key: Uint8Array, index: number): Uint8Array {
  const result = key.slice(0, index + 1);
  result[index] = result[index]! + 1;
  return result;
}

/** RocksDB's default order, under the name that its files store. */
export const bytewiseComparator: Comparator = {
  name: 'leveldb.BytewiseComparator',
  compare: compareBytes,
  findShortestSeparator(start, limit) {
    const d = firstDifference(start, limit);
    if (d >= start.length || d >= limit.length) return start;
    const a = start[d]!;
    const b = limit[d]!;
    if (a >= b) return start;
    if (d < limit.length - 1 || a + 1 < b) return cutAndRaise(start, d);
    for (let i = d + 1; i < start.length; i++) if (start[i] !== 0xff) return cutAndRaise(start, i);
    return start;
  },
  findShortSuccessor(key) {
    for (let i = 0; i < key.length; i++) if (key[i] !== 0xff) return cutAndRaise(key, i);
    return key;
  },
};

/** The exact reverse of the bytewise order. */
export const reverseBytewiseComparator: Comparator = {
  name: 'rocksdb.ReverseBytewiseComparator',
  compare: (a, b) => compareBytes(b, a),
  findShortestSeparator(start, limit) {
    const d = firstDifference(start, limit);
    if (d >= start.length - 1 || d >= limit.length || start[d]! <= limit[d]!) return start;
    return start.slice(0, d + 1);
  },
  findShortSuccessor: (key) => key,
};

/** Comparators that are found by the name a database stores. */
export const builtinComparators: ReadonlyMap<string, Comparator> = new Map([
  [bytewiseComparator.name, bytewiseComparator],
  [reverseBytewiseComparator.name, reverseBytewiseComparator],
]);
