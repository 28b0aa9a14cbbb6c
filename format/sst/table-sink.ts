/** The file side of a table writer: compresses and checksums blocks into a buffer in kernel memory that is appended in large steps. */
import type { WritableFile } from '../base/file-handles.ts';
import { type Io, io } from '../base/io.ts';
import { compressBlock, compressionRoom } from '../compression/block-compression.ts';
import { type Codec, type CodecOptions, CompressionId } from '../compression/codec.ts';
import { findCodec } from '../compression/codec-registry.ts';
import { setFixed32 } from '../base/coding.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import { storedChecksum } from './block-checksum.ts';
import { BLOCK_TRAILER_SIZE, type BlockHandle } from './block-handle.ts';
import type { CompressionType } from './table-options.ts';

const BUFFER_SIZE = 1 << 20;

/** How a sink stores blocks. */
export interface TableSinkOptions {
  readonly checksumId: number;
  /** 0 below format_version 6. */
  readonly baseContextChecksum: number;
  readonly compression: CompressionType;
  readonly compressionOptions: CodecOptions;
}

/** Appends blocks to a file. After a failed append the file is poisoned and nothing more may be written. */
export class TableSink {
  readonly #kernel: Kernel = getKernel();
  readonly #file: WritableFile;
  readonly #options: TableSinkOptions;
  readonly #codec: Codec | undefined;
  readonly #codecId: number;
  /** How data blocks are compressed: the others' options until there is a dictionary. */
  #dataOptions: CodecOptions;
  #buffer = 0;
  #capacity = 0;
  #used = 0;
  #flushed = 0;

  /** NOT_SUPPORTED when the codec is not available. */
  constructor(file: WritableFile, options: TableSinkOptions) {
    this.#file = file;
    this.#options = options;
    this.#codec = options.compression === 'none' ? undefined : findCodec(options.compression);
    this.#codecId = CompressionId[options.compression];
    this.#dataOptions = options.compressionOptions;
    this.#reserve(BUFFER_SIZE);
  }

  /** Bytes of the file so far, buffered ones included: where the next block goes. */
  get offset(): number {
    return this.#flushed + this.#used;
  }

  /** Appends the block at kernel address `at` with its trailer, compressed if it is worth while and `compressible`. */
  writeBlock(at: number, size: number, compressible: boolean): Io<BlockHandle> {
    return this.#append(at, size, compressible ? this.#options.compressionOptions : undefined);
  }

  /** Appends a data block likewise, compressed with the dictionary if there is one. */
  writeDataBlock(at: number, size: number): Io<BlockHandle> {
    return this.#append(at, size, this.#dataOptions);
  }

  /** Appends a block of bytes that lie anywhere. */
  *writeBytes(bytes: Uint8Array, compressible: boolean): Io<BlockHandle> {
    const at = this.#kernel.malloc(bytes.length + 16);
    try {
      this.#kernel.copyIn(bytes, at);
      return yield* this.writeBlock(at, bytes.length, compressible);
    } finally {
      this.#kernel.free(at);
    }
  }

  /** Data blocks from here on are compressed with this dictionary, which is kept as it is. */
  useDictionary(dictionary: Uint8Array): void {
    this.#dataOptions = { ...this.#options.compressionOptions, dictionary };
  }

  /** `options` undefined: stored as it is. */
  *#append(at: number, size: number, options: CodecOptions | undefined): Io<BlockHandle> {
    const codec = options === undefined ? undefined : this.#codec;
    const room = (codec === undefined ? size : compressionRoom(size)) + BLOCK_TRAILER_SIZE;
    if (this.#used + room > this.#capacity) {
      yield* this.flush();
      this.#reserve(Math.max(BUFFER_SIZE, room));
    }
    const offset = this.offset;
    const target = this.#buffer + this.#used;
    const { u8 } = this.#kernel;
    let stored = 0;
    if (codec !== undefined && options !== undefined) {
      stored = compressBlock(codec, this.#kernel.bytes(at, size), this.#kernel.bytes(target, room), options);
    }
    const type = stored === 0 ? CompressionId.none : this.#codecId;
    if (stored === 0) {
      u8.copyWithin(target, at, at + size);
      stored = size;
    }
    u8[target + stored] = type;
    const { checksumId, baseContextChecksum } = this.#options;
    setFixed32(u8, target + stored + 1, storedChecksum(checksumId, baseContextChecksum, offset, target, stored, type));
    this.#used += stored + BLOCK_TRAILER_SIZE;
    return { offset, size: stored };
  }

  /** Appends zeros up to a multiple of `alignment`. */
  *pad(alignment: number): Io<void> {
    const count = (alignment - (this.offset % alignment)) % alignment;
    if (this.#used + count > this.#capacity) yield* this.flush();
    const at = this.#buffer + this.#used;
    this.#kernel.u8.fill(0, at, at + count);
    this.#used += count;
  }

  /** Appends bytes as they are: the footer. */
  *writeRaw(bytes: Uint8Array): Io<void> {
    if (this.#used + bytes.length > this.#capacity) yield* this.flush();
    this.#kernel.copyIn(bytes, this.#buffer + this.#used);
    this.#used += bytes.length;
  }

  /** Hands all buffered bytes to the file. */
  *flush(): Io<void> {
    if (this.#used === 0) return;
    const parts = [this.#kernel.bytes(this.#buffer, this.#used)];
    yield* io(
      () => this.#file.appendSync(parts),
      () => this.#file.append(parts),
    );
    this.#flushed += this.#used;
    this.#used = 0;
  }

  /** Frees the buffer. */
  close(): void {
    this.#kernel.free(this.#buffer);
    this.#buffer = 0;
    this.#capacity = 0;
  }

  /** Makes the empty buffer hold `capacity` bytes; one that had to be larger for a huge block shrinks again. */
  #reserve(capacity: number): void {
    if (capacity === this.#capacity) return;
    this.#kernel.free(this.#buffer);
    this.#buffer = 0;
    this.#capacity = 0;
    this.#buffer = this.#kernel.malloc(capacity);
    this.#capacity = capacity;
  }
}
