/**
 * Appends records to a log file. Records are framed by the kernel into a buffer in its memory and handed to the file in
 * one piece: at once (`append`), or many together (`add`, then `flush`), which is how a group of writes, or a WAL that is
 * flushed by hand, becomes one system call.
 *
 * Nothing here syncs. When the file fails, it is poisoned, and so is the writer: what was buffered is gone, and no later
 * record may be acknowledged.
 */
import { assert } from '../base/assert.ts';
import { setFixed16, setFixed32 } from '../base/coding.ts';
import type { WritableFile } from '../base/file-handles.ts';
import { type Io, io } from '../base/io.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import { LOG_BLOCK_SIZE, LOG_HEADER_SIZE, LogCompression, LogRecordType } from './log-format.ts';

/** Compresses one logical record to one whole zstd frame. */
export type LogCompressor = (record: Uint8Array) => Uint8Array;

/** How a file is to be written. */
export interface LogWriterOptions {
  /** Write headers that carry this number, so that the file may be recycled from an older log. */
  readonly recyclableLogNumber?: number;
  /** Compress every record (WAL only); RocksDB knows zstd here and nothing else. */
  readonly compress?: LogCompressor;
}

const INITIAL_CAPACITY = 64 * 1024;
/** A buffer that grew beyond this for one large record is given back. */
const KEPT_CAPACITY_MAX = 4 << 20;
const SLACK = 16;

/** A growing region of kernel memory. */
interface KernelBuffer {
  address: number;
  capacity: number;
  size: number;
}

/** Writes one log file from its beginning. Owns its buffers until `close`; the file is the caller's. */
export class LogWriter {
  readonly file: WritableFile;
  readonly #kernel: Kernel = getKernel();
  readonly #recyclable: number;
  readonly #logNumber: number;
  readonly #compress: LogCompressor | undefined;
  /** Framed and not yet handed to the file. */
  #filling: KernelBuffer = { address: 0, capacity: 0, size: 0 };
  /** The other one: with the file while a flush is under way. */
  #spare: KernelBuffer = { address: 0, capacity: 0, size: 0 };
  #flushing = false;
  /** Offset of the next byte to be framed. */
  #offset: number;

  /** REQUIRES an empty file, or a recycled one that is written from offset 0. */
  constructor(file: WritableFile, options: LogWriterOptions = {}) {
    this.file = file;
    this.#recyclable = options.recyclableLogNumber === undefined ? 0 : 1;
    this.#logNumber = (options.recyclableLogNumber ?? 0) % 2 ** 32;
    this.#compress = options.compress;
    this.#offset = 0;
    if (options.compress !== undefined) this.#addCompressionRecord();
  }

  /** File size once everything added is flushed: bytes framed since the beginning. */
  get size(): number {
    return this.#offset;
  }

  /** Bytes that are framed and not yet handed to the file. */
  get bufferedBytes(): number {
    return this.#filling.size;
  }

  /** Frames a record into the buffer. `record` is copied. */
  add(record: Uint8Array): void {
    const kernel = this.#kernel;
    const plain = this.#compress === undefined ? record : this.#compress(record);
    const scratch = kernel.malloc(plain.length + SLACK);
    try {
      kernel.copyIn(plain, scratch);
      this.#frame(scratch, plain.length);
    } finally {
      kernel.free(scratch);
    }
  }

  /** Frames a record that lies in kernel memory into the buffer; the bytes are borrowed for the call. */
  addFromKernel(address: number, size: number): void {
    // Compressors do not all take views of shared memory.
    if (this.#compress === undefined) this.#frame(address, size);
    else this.add(this.#kernel.bytes(address, size).slice());
  }

  /** Hands everything buffered to the file, blocking. */
  flushSync(): void {
    assert(!this.#flushing, 'a log was flushed while another flush of it was under way');
    const full = this.#filling;
    if (full.size === 0) return;
    try {
      this.file.appendSync([this.#kernel.bytes(full.address, full.size)]);
    } finally {
      this.#recycle(full);
    }
  }

  /**
   * Hands everything buffered to the file. More may be added meanwhile, for the next flush. REQUIRES that no other flush
   * of this log is under way.
   */
  async flush(): Promise<void> {
    assert(!this.#flushing, 'a log was flushed while another flush of it was under way');
    const full = this.#filling;
    if (full.size === 0) return;
    this.#filling = this.#spare;
    this.#spare = full;
    this.#flushing = true;
    try {
      await this.file.append([this.#kernel.bytes(full.address, full.size)]);
    } finally {
      this.#flushing = false;
      this.#recycle(full);
    }
  }

  /** `add` and flush, in either manner. */
  *append(record: Uint8Array): Io<void> {
    this.add(record);
    yield* io(
      () => this.flushSync(),
      () => this.flush(),
    );
  }

  /** `addFromKernel` and flush, in either manner. */
  *appendFromKernel(address: number, size: number): Io<void> {
    this.addFromKernel(address, size);
    yield* io(
      () => this.flushSync(),
      () => this.flush(),
    );
  }

  /** Frees the buffers; what is not flushed is dropped. REQUIRES that no flush is under way. */
  close(): void {
    assert(!this.#flushing, 'a log was closed while a flush of it was under way');
    for (const buffer of [this.#filling, this.#spare]) this.#release(buffer);
  }

  #frame(address: number, size: number): void {
    const { x } = this.#kernel;
    const out = this.#reserve(x.logFramedSizeMax(size) >>> 0);
    const written =
      x.logFrame(address, size, out, this.#offset % LOG_BLOCK_SIZE, this.#recyclable, this.#logNumber) >>> 0;
    this.#filling.size += written;
    this.#offset += written;
  }

  /** The first record of a compressed log, in the plain form also where others carry a log number. */
  #addCompressionRecord(): void {
    const size = LOG_HEADER_SIZE + 4;
    const at = this.#reserve(size);
    const { u8, x } = this.#kernel;
    setFixed16(u8, at + 4, 4);
    u8[at + 6] = LogRecordType.setCompressionType;
    setFixed32(u8, at + 7, LogCompression.zstd);
    setFixed32(u8, at, x.crc32cMask(x.crc32c(at + 6, 5)));
    this.#filling.size += size;
    this.#offset += size;
  }

  /** Address of `size` free bytes behind what is buffered. */
  #reserve(size: number): number {
    const buffer = this.#filling;
    const needed = buffer.size + size;
    if (needed > buffer.capacity) {
      const capacity = Math.max(needed, buffer.capacity * 2, INITIAL_CAPACITY);
      const grown = this.#kernel.malloc(capacity + SLACK);
      this.#kernel.u8.copyWithin(grown, buffer.address, buffer.address + buffer.size);
      this.#kernel.free(buffer.address);
      buffer.address = grown;
      buffer.capacity = capacity;
    }
    return buffer.address + buffer.size;
  }

  #recycle(buffer: KernelBuffer): void {
    buffer.size = 0;
    if (buffer.capacity > KEPT_CAPACITY_MAX) this.#release(buffer);
  }

  #release(buffer: KernelBuffer): void {
    this.#kernel.free(buffer.address);
    buffer.address = 0;
    buffer.capacity = 0;
    buffer.size = 0;
  }
}
