/**
 * Where a memtable in JavaScript keeps the bytes of its entries: in slabs, because an `ArrayBuffer` of its own for every
 * key and value costs twice the time and twice the memory. A slab lives until the last entry in it is given up; a
 * memtable gives up all of its entries at once.
 */
import { TRAILER_SIZE, writeTrailer } from '../../format/base/internal-key.ts';

const SLAB_SIZE = 65536;
/** What is larger gets a buffer of its own, so that no slab is left half empty. */
const SLAB_COPY_MAX = SLAB_SIZE / 8;

/**
 * Bytes that an entry costs beside its key and value: two views and their places in the arrays of the container and of
 * the memtable around it. Measured on Node 20.
 */
export const ENTRY_OVERHEAD = 224;

/** Copies keys and values. */
export class EntrySlab {
  #slab = new ArrayBuffer(0);
  #used = 0;

  /** The internal key of a copy of `userKey`. */
  internalKey(userKey: Uint8Array, sequence: number, type: number): Uint8Array {
    const key = this.#allocate(userKey.length + TRAILER_SIZE);
    key.set(userKey);
    writeTrailer(key, userKey.length, sequence, type);
    return key;
  }

  /** A copy of `bytes`. */
  copy(bytes: Uint8Array): Uint8Array {
    const copy = this.#allocate(bytes.length);
    copy.set(bytes);
    return copy;
  }

  #allocate(size: number): Uint8Array {
    if (size > SLAB_COPY_MAX) return new Uint8Array(size);
    if (this.#used + size > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(SLAB_SIZE);
      this.#used = 0;
    }
    const view = new Uint8Array(this.#slab, this.#used, size);
    this.#used += size;
    return view;
  }
}
