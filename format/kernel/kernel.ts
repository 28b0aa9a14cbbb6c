/**
 * The door to the kernel: one shared memory a process, one instance of the module a thread. Views over the memory never
 * go stale, because it is reserved at its full size and never grows; what they show is borrowed from whoever allocated it.
 */
import type { BlockExports } from './abi/block.ts';
import type { BlockCacheExports } from './abi/block-cache.ts';
import type { ChecksumExports } from './abi/checksum.ts';
import type { CompactionExports } from './abi/compaction-iterator.ts';
import type { CompressExports } from './abi/compress.ts';
import type { FilterExports } from './abi/filter.ts';
import type { LogExports } from './abi/log.ts';
import type { MemoryExports } from './abi/memory.ts';
import type { MemtableExports } from './abi/memtable.ts';
import type { MemtableFilterExports } from './abi/memtable-filter.ts';
import type { MergeExports } from './abi/merge.ts';
import type { ReadIteratorExports } from './abi/read-iterator.ts';
import type { TableWriterExports } from './abi/table-writer.ts';
import { KERNEL_WASM } from './kernel-wasm.ts';

/** Everything the module exports. Addresses and sizes come back as i32: `>>> 0` makes them what they are. */
export interface KernelExports
  extends MemoryExports,
    ChecksumExports,
    FilterExports,
    CompressExports,
    LogExports,
    BlockExports,
    TableWriterExports,
    BlockCacheExports,
    MemtableExports,
    MemtableFilterExports,
    MergeExports,
    ReadIteratorExports,
    CompactionExports {}

/** An order of user keys that lives in JavaScript. The views it is given are borrowed for the call. */
export interface HostComparator {
  /** Negative, 0 or positive; must be a total order and must not throw. */
  compare(a: Uint8Array, b: Uint8Array): number;
}

/**
 * Moves a host cursor (kind 3) and fills its head in memory. `operation`: 0 first, 1 last, 2 seek, 3 seekForPrev, 4 next,
 * 5 prev; `key` and `size` name the internal key to seek.
 */
export type CursorHost = (cursor: number, operation: number, key: number, size: number) => void;

/** Adds the prefix of a user key, if it has one, to a memtable's filter; the view is borrowed for the call. */
export type PrefixHost = (userKey: Uint8Array) => void;

const PAGE_SIZE = 65536;
/** Sizes of the memory in pages, tried in this order: address space is not free everywhere. */
const MEMORY_PAGES = [65536, 32768, 16384, 8192] as const;
const HOST_COMPARATOR_FIRST = 2;
/** Copies up to this size are cut from a shared slab: an ArrayBuffer of its own costs four times as much. */
const SLAB_COPY_MAX = 4096;
const SLAB_SIZE = 65536;
const COPY_LOOP_MAX = 24;
const COPY_WORDS_MAX = 128;
const HALF = 2 ** 31;

/** The kernel of this thread. Fields are plain and exports are called directly (`kernel.x.malloc(64)`): calls are hot. */
export class Kernel {
  /** Shared by all threads; hand it to a worker, which calls `initKernel` with it. */
  readonly memory: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly view: DataView;
  /** The exported functions. */
  readonly x: KernelExports;

  readonly #comparators: HostComparator[] = [];
  readonly #cursorHosts = new Map<number, CursorHost>();
  readonly #prefixHosts = new Map<number, PrefixHost>();
  readonly #encoder = new TextEncoder();
  // A Buffer writes UTF-8 faster than TextEncoder but spans at most half of the memory.
  readonly #lowHalf: Buffer;
  readonly #highHalf: Buffer | undefined;
  #slab = new ArrayBuffer(SLAB_SIZE);
  #slabWords = new Int32Array(this.#slab);
  #slabUsed = 0;

  constructor(memory: WebAssembly.Memory) {
    const buffer = memory.buffer;
    this.memory = memory;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
    this.#lowHalf = Buffer.from(buffer, 0, Math.min(HALF, buffer.byteLength));
    this.#highHalf = buffer.byteLength > HALF ? Buffer.from(buffer, HALF) : undefined;
    const module = new WebAssembly.Module(Buffer.from(KERNEL_WASM, 'base64'));
    const instance = new WebAssembly.Instance(module, {
      env: { memory },
      host: {
        compare: (id: number, a: number, aSize: number, b: number, bSize: number): number =>
          this.#compare(id, a >>> 0, aSize, b >>> 0, bSize),
        moveCursor: (cursor: number, operation: number, key: number, size: number): void =>
          this.#moveCursor(cursor >>> 0, operation, key >>> 0, size),
        addPrefix: (filter: number, key: number, size: number): void => this.#addPrefix(filter >>> 0, key >>> 0, size),
      },
    });
    this.x = instance.exports as unknown as KernelExports;
  }

  /** Allocates; the caller owns the bytes until `free`. Throws a RangeError when the memory is exhausted. */
  malloc(size: number): number {
    const address = this.x.malloc(size) >>> 0;
    if (address === 0) throw new RangeError(`kernel memory exhausted: ${size} bytes asked for`);
    return address;
  }

  /** Gives back what `malloc` returned; 0 is ignored. */
  free(address: number): void {
    this.x.free(address);
  }

  /** Copies `bytes` to address `at`. */
  copyIn(bytes: Uint8Array, at: number): void {
    const size = bytes.length;
    if (size <= COPY_LOOP_MAX) {
      const u8 = this.u8;
      for (let i = 0; i < size; i++) u8[at + i] = bytes[i]!;
    } else {
      this.u8.set(bytes, at);
    }
  }

  /** A view of memory, borrowed: it lives as long as the allocation below it. */
  bytes(at: number, size: number): Uint8Array {
    return this.u8.subarray(at, at + size);
  }

  /** A copy that the caller owns. Small ones share an ArrayBuffer with other copies. */
  copyOut(at: number, size: number): Uint8Array {
    if (size > SLAB_COPY_MAX) {
      const own = new Uint8Array(size);
      own.set(this.u8.subarray(at, at + size));
      return own;
    }
    // Word copies write up to a word behind the end.
    if (this.#slabUsed + size + 8 > SLAB_SIZE) {
      this.#slab = new ArrayBuffer(SLAB_SIZE);
      this.#slabWords = new Int32Array(this.#slab);
      this.#slabUsed = 0;
    }
    const start = this.#slabUsed;
    this.#slabUsed += (size + 7) & ~7;
    const copy = new Uint8Array(this.#slab, start, size);
    if (size <= COPY_WORDS_MAX) this.#copyWords(at, start >>> 2, (size + 3) >>> 2);
    else copy.set(this.u8.subarray(at, at + size));
    return copy;
  }

  /** Copies words from any address into the slab: for short pieces cheaper than the view that `set` needs. */
  #copyWords(at: number, to: number, count: number): void {
    const { i32 } = this;
    const words = this.#slabWords;
    let from = at >>> 2;
    const shift = (at & 3) << 3;
    if (shift === 0) {
      for (let i = 0; i < count; i++) words[to + i] = i32[from + i]!;
      return;
    }
    let low = i32[from]!;
    for (let i = 0; i < count; i++) {
      const high = i32[++from]!;
      words[to + i] = (low >>> shift) | (high << (32 - shift));
      low = high;
    }
  }

  /** Writes `text` as UTF-8 to `at`, where 3 bytes a UTF-16 unit must be free, and returns the count of bytes. */
  writeUtf8(text: string, at: number): number {
    const length = text.length;
    if (length > COPY_LOOP_MAX) return this.#encodeUtf8(text, at);
    const u8 = this.u8;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return this.#encodeUtf8(text, at);
      u8[at + i] = unit;
    }
    return length;
  }

  /** The id of a host comparator in this thread, 2 or above; the same object keeps its id. */
  registerComparator(comparator: HostComparator): number {
    let index = this.#comparators.indexOf(comparator);
    if (index < 0) index = this.#comparators.push(comparator) - 1;
    return index + HOST_COMPARATOR_FIRST;
  }

  /** Routes the moves of the host cursor at address `cursor` to `handler`, until it is unregistered. */
  registerCursorHost(cursor: number, handler: CursorHost): void {
    this.#cursorHosts.set(cursor, handler);
  }

  /** Ends what `registerCursorHost` began. */
  unregisterCursorHost(cursor: number): void {
    this.#cursorHosts.delete(cursor);
  }

  /** Has `handler` cut the prefixes for the memtable's filter at address `filter`, until it is unregistered. */
  registerPrefixHost(filter: number, handler: PrefixHost): void {
    this.#prefixHosts.set(filter, handler);
  }

  /** Ends what `registerPrefixHost` began. */
  unregisterPrefixHost(filter: number): void {
    this.#prefixHosts.delete(filter);
  }

  #encodeUtf8(text: string, at: number): number {
    const sizeMax = text.length * 3;
    if (at + sizeMax <= HALF) return this.#lowHalf.write(text, at, sizeMax, 'utf8');
    if (at >= HALF && this.#highHalf !== undefined) return this.#highHalf.write(text, at - HALF, sizeMax, 'utf8');
    return this.#encoder.encodeInto(text, this.u8.subarray(at, at + sizeMax)).written;
  }

  #compare(id: number, a: number, aSize: number, b: number, bSize: number): number {
    const comparator = this.#comparators[id - HOST_COMPARATOR_FIRST];
    if (comparator === undefined) throw new Error(`comparator ${id} is not registered in this thread`);
    return comparator.compare(this.u8.subarray(a, a + aSize), this.u8.subarray(b, b + bSize));
  }

  #moveCursor(cursor: number, operation: number, key: number, size: number): void {
    const handler = this.#cursorHosts.get(cursor);
    if (handler === undefined) throw new Error(`cursor ${cursor} has no host in this thread`);
    handler(cursor, operation, key, size);
  }

  #addPrefix(filter: number, key: number, size: number): void {
    const handler = this.#prefixHosts.get(filter);
    if (handler === undefined) throw new Error(`filter ${filter} has no host in this thread`);
    handler(this.u8.subarray(key, key + size));
  }
}

let current: Kernel | undefined;

/** The kernel of this thread; the first call of a process makes the memory, as large as the system allows. */
export function getKernel(): Kernel {
  current ??= new Kernel(reserveMemory());
  return current;
}

/** Makes this thread use a memory that another thread made. Throws if the thread has a kernel over another memory. */
export function initKernel(memory: WebAssembly.Memory): Kernel {
  if (current === undefined) current = new Kernel(memory);
  else if (current.memory.buffer !== memory.buffer) throw new Error('this thread already has a kernel of its own');
  return current;
}

function reserveMemory(): WebAssembly.Memory {
  let refusal: unknown;
  for (const pages of MEMORY_PAGES) {
    try {
      return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    } catch (error) {
      refusal = error;
    }
  }
  const smallest = (MEMORY_PAGES[MEMORY_PAGES.length - 1] ?? 0) * PAGE_SIZE;
  throw new RangeError(`cannot reserve even ${smallest} bytes of address space`, { cause: refusal });
}
