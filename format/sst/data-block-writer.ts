/**
 * Writes the data blocks of one table. Without a dictionary each goes straight to the file. With one the first blocks are
 * kept uncompressed, until the table ends or they are many; then the dictionary is made of samples of them, and they are
 * compressed with it, and all that follow. It is RocksDB's way, with the same samples, so the same blocks have the same
 * dictionary.
 */
import type { Io } from '../base/io.ts';
import { takesDictionary } from '../compression/codec.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import type { BlockHandle } from './block-handle.ts';
import type { TableOptions } from './table-options.ts';
import type { TableSink } from './table-sink.ts';
import type { TableWriterContext } from './table-writer-context.ts';

/** Most bytes kept where neither an option nor the size of the file limits them: RocksDB's default size of a file. */
const BUFFER_LIMIT_DEFAULT = 64 * 2 ** 20;
/** A prime of RocksDB's choice: steps of it lead through any number of blocks, far from where they came from. */
const SAMPLE_STEP = 545055921143;
/** Bytes that compressors may read past a block. */
const SLACK = 16;

interface KeptBlock {
  readonly bytes: Uint8Array;
  /** Given to the index before the block has a place in the file. */
  readonly handle: { offset: number; size: number };
}

/** Must end with `close`. */
export class DataBlockWriter {
  readonly #kernel: Kernel = getKernel();
  readonly #sink: TableSink;
  readonly #pause: (() => Io<void>) | undefined;
  readonly #dictionaryLimit: number;
  readonly #bufferLimit: number;
  /** `undefined` once blocks go straight to the file. */
  #kept: KeptBlock[] | undefined;
  #keptBytes = 0;
  #dictionary: Uint8Array = new Uint8Array(0);

  constructor(sink: TableSink, options: TableOptions, context: TableWriterContext) {
    const { compression, compressionOptions } = options;
    const { maxDictBytes = 0, maxDictBufferBytes = 0 } = compressionOptions;
    this.#sink = sink;
    this.#pause = context.pause;
    this.#dictionaryLimit = maxDictBytes;
    this.#bufferLimit = bufferLimitOf(maxDictBufferBytes, context.targetFileSize);
    if (maxDictBytes > 0 && compression !== 'none' && takesDictionary[compression]) this.#kept = [];
  }

  /** What blocks are compressed with; empty for nothing. REQUIRES `finish`. */
  get dictionary(): Uint8Array {
    return this.#dictionary;
  }

  /** Writes the finished block at kernel address `at`. What the handle says is right after `finish`, not before. */
  *write(at: number, size: number): Io<BlockHandle> {
    if (this.#kept === undefined) return yield* this.#sink.writeDataBlock(at, size);
    const handle = { offset: 0, size: 0 };
    this.#kept.push({ bytes: this.#kernel.copyOut(at, size), handle });
    this.#keptBytes += size;
    if (this.#keptBytes > this.#bufferLimit) yield* this.finish();
    return handle;
  }

  /** Writes the blocks that are kept. */
  *finish(): Io<void> {
    const kept = this.#kept;
    if (kept === undefined) return;
    this.#kept = undefined;
    this.#dictionary = sample(kept, this.#dictionaryLimit);
    if (this.#dictionary.length > 0) this.#sink.useDictionary(this.#dictionary);
    const largest = kept.reduce((size, { bytes }) => Math.max(size, bytes.length), 0);
    const at = this.#kernel.malloc(largest + SLACK);
    try {
      for (const { bytes, handle } of kept) {
        this.#kernel.copyIn(bytes, at);
        Object.assign(handle, yield* this.#sink.writeDataBlock(at, bytes.length));
        if (this.#pause !== undefined) yield* this.#pause();
      }
    } finally {
      this.#kernel.free(at);
    }
  }

  /** Lets go of blocks that were not written. */
  close(): void {
    this.#kept = undefined;
  }
}

function bufferLimitOf(maxDictBufferBytes: number, targetFileSize = Number.POSITIVE_INFINITY): number {
  const limit = Math.min(maxDictBufferBytes || Number.POSITIVE_INFINITY, targetFileSize);
  return Number.isFinite(limit) ? limit : BUFFER_LIMIT_DEFAULT;
}

/** Whole blocks in an order that spreads over all of them, from the middle on; the last one is cut at `limit` bytes. */
function sample(blocks: readonly KeptBlock[], limit: number): Uint8Array {
  const step = blocks.length === 0 ? 0 : SAMPLE_STEP % blocks.length;
  const parts: Uint8Array[] = [];
  let size = 0;
  let at = Math.floor(blocks.length / 2);
  for (let i = 0; i < blocks.length && size < limit; i++) {
    const part = blocks[at]!.bytes.subarray(0, limit - size);
    parts.push(part);
    size += part.length;
    at = (at + step) % blocks.length;
  }
  return Buffer.concat(parts);
}
