/**
 * A write group: operations that are committed together, encoded as one WriteBatch record in kernel memory. All callers
 * of a group share its promise: one WAL record, one checksum, one system call, one wake-up.
 */
import { setVarint, varintSize } from '../../format/base/coding.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { BATCH_COUNT_OFFSET, BATCH_HEADER_SIZE, familyTagOf } from '../../format/batch/batch-format.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';

/** Buffers of this size are kept for the next group; larger ones are freed. */
const POOLED_SIZE = 128 * 1024;
/** Beyond this a group takes no further operation, as in RocksDB. */
const GROUP_SIZE_MAX = 1024 * 1024;
/** No record can be larger than the memory it is encoded in. */
const GROUP_CAPACITY_MAX = 0xe000_0000;

/** Buffers in kernel memory between uses. One pool a database. */
export class GroupBufferPool {
  readonly #kernel: Kernel;
  #free: number[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  take(): number {
    return this.#free.pop() ?? this.#kernel.malloc(POOLED_SIZE);
  }

  give(address: number, capacity: number): void {
    if (capacity === POOLED_SIZE && this.#free.length < 4) this.#free.push(address);
    else this.#kernel.free(address);
  }

  close(): void {
    for (const address of this.#free) this.#kernel.free(address);
    this.#free = [];
  }
}

/** Operations waiting for one commit. */
export class WriteGroup {
  readonly disableWAL: boolean;
  /** Whether one of its callers asked for a synced log. */
  sync = false;
  /** Calls that joined; 1 means a lone writer. */
  callers = 0;
  /** Operations that take a sequence number. */
  count = 0;
  size = BATCH_HEADER_SIZE;
  buffer: number;
  readonly promise: Promise<void>;
  /** When each caller began, in monotonic microseconds; kept for statistics alone. */
  startMicros: number[] | undefined;
  /** Set once the group has settled badly; blocking callers throw it. */
  failure: unknown;
  #capacity = POOLED_SIZE;
  readonly #kernel: Kernel;
  readonly #pool: GroupBufferPool;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  constructor(kernel: Kernel, pool: GroupBufferPool, disableWAL: boolean) {
    this.#kernel = kernel;
    this.#pool = pool;
    this.disableWAL = disableWAL;
    this.buffer = pool.take();
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Whether `bytes` more still belong into this group. */
  accepts(bytes: number): boolean {
    return this.callers === 0 || this.size + bytes <= GROUP_SIZE_MAX;
  }

  /** Appends one operation; `value` undefined for those without. Arguments are checked by the caller. */
  addOperation(type: number, family: number, key: Uint8Array | string, value: Uint8Array | string | undefined): void {
    const keySize = typeof key === 'string' ? Buffer.byteLength(key) : key.length;
    const valueSize = value === undefined ? 0 : typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    this.#reserve(keySize + valueSize + 16);
    const u8 = this.#kernel.u8;
    let at = this.buffer + this.size;
    if (family === 0) u8[at++] = type;
    else {
      u8[at++] = familyTagOf.get(type)!;
      at = setVarint(u8, at, family);
    }
    at = this.#appendSlice(at, key, keySize);
    if (value !== undefined) at = this.#appendSlice(at, value, valueSize);
    this.size = at - this.buffer;
    this.count++;
  }

  /** Appends the records of an encoded batch. */
  addBatch(encoded: Uint8Array, count: number): void {
    const bodySize = encoded.length - BATCH_HEADER_SIZE;
    this.#reserve(bodySize);
    this.#kernel.u8.set(encoded.subarray(BATCH_HEADER_SIZE), this.buffer + this.size);
    this.size += bodySize;
    this.count += count;
  }

  /** Fills the header in; the record is complete after this. */
  seal(sequence: number): void {
    const view = this.#kernel.view;
    view.setUint32(this.buffer, sequence % 2 ** 32, true);
    view.setUint32(this.buffer + 4, Math.floor(sequence / 2 ** 32), true);
    view.setUint32(this.buffer + BATCH_COUNT_OFFSET, this.count, true);
  }

  /** The sealed record, borrowed until the group settles. */
  record(): Uint8Array {
    return this.#kernel.bytes(this.buffer, this.size);
  }

  /** Wakes the callers. */
  acknowledge(): void {
    this.#resolve();
  }

  fail(error: unknown): void {
    this.failure = error ?? new DBError('ABORTED', 'write failed');
    this.release();
    // Blocking callers read `failure`; nobody may be listening to the promise.
    this.promise.catch(() => {});
    this.#reject(this.failure);
  }

  /** Gives the buffer back: the record has been applied, or never will be. */
  release(): void {
    this.#pool.give(this.buffer, this.#capacity);
    this.buffer = 0;
  }

  #appendSlice(at: number, slice: Uint8Array | string, size: number): number {
    const kernel = this.#kernel;
    const start = size < 0x80 ? at + 1 : at + varintSize(size);
    if (size < 0x80) kernel.u8[at] = size;
    else setVarint(kernel.u8, at, size);
    if (typeof slice === 'string') kernel.writeUtf8(slice, start);
    else kernel.copyIn(slice, start);
    return start + size;
  }

  #reserve(bytes: number): void {
    const needed = this.size + bytes;
    if (needed <= this.#capacity) return;
    if (needed > GROUP_CAPACITY_MAX) {
      throw invalidArgument(`a write of ${needed} bytes is larger than kernel memory can hold`);
    }
    const capacity = Math.min(GROUP_CAPACITY_MAX, Math.max(needed, this.#capacity * 2));
    const grown = this.#kernel.malloc(capacity);
    this.#kernel.u8.copyWithin(grown, this.buffer, this.buffer + this.size);
    this.#pool.give(this.buffer, this.#capacity);
    this.buffer = grown;
    this.#capacity = capacity;
  }
}
