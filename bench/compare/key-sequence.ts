/** Keys and values of a run, made before the clock starts: 16 decimal digits, 100 bytes that compress to about half. */

import type { Entry } from './store.ts';

const VALUE_POOL_BYTES = 1 << 20;

/** A permutation of 0..count-1 that is the same in every run. */
export function shuffled(count: number): Uint32Array {
  const order = new Uint32Array(count);
  let state = 0x2545f491;
  for (let i = 0; i < count; i++) {
    order[i] = i;
  }
  for (let i = count - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The key of a number. */
export function keyOf(number: number): Uint8Array {
  return Buffer.from(String(number).padStart(16, '0'), 'latin1');
}

/** Entries in random key order. */
export function randomEntries(count: number, valueBytes: number): Entry[] {
  const pool = compressiblePool();
  return Array.from(shuffled(count), (number, index) => {
    const at = (index * 997) % (VALUE_POOL_BYTES - valueBytes);
    return { key: keyOf(number), value: pool.subarray(at, at + valueBytes) };
  });
}

/** Bytes of which every second run repeats, so that snappy halves them. */
function compressiblePool(): Uint8Array {
  const pool = new Uint8Array(VALUE_POOL_BYTES);
  let state = 301;
  for (let at = 0; at < pool.length; at += 100) {
    for (let i = at; i < Math.min(at + 50, pool.length); i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      pool[i] = 32 + ((state >>> 16) % 95);
    }
    pool.copyWithin(at + 50, at, Math.min(at + 50, pool.length - 50));
  }
  return pool;
}
