/**
 * Builds the two helper blocks of a hash index: which data blocks hold the keys of a prefix. RocksDB's readers make a hash
 * table of them over the index, which is an ordinary one. One block has the prefixes, one after the other; the other has
 * three varint32 for each of them: its length, the number of the first data block with it, and of how many blocks.
 */
import { copyOf } from '../base/bytes.ts';
import { ByteWriter } from '../base/coding.ts';
import { equalBytes } from '../base/internal-key.ts';
import type { Io } from '../base/io.ts';
import type { SliceTransform } from '../base/slice-transform.ts';
import type { BlockHandle } from './block-handle.ts';
import type { TableSink } from './table-sink.ts';

/** Where the helper blocks are. */
export interface WrittenHashIndex {
  readonly prefixes: BlockHandle;
  readonly metadata: BlockHandle;
}

/** Collects the prefixes of one table's keys. */
export class HashIndexBuilder {
  readonly #extractor: SliceTransform;
  readonly #prefixes = new ByteWriter();
  readonly #metadata = new ByteWriter();
  /** The prefix of the latest key, not in the blocks yet, and the first and last data block with it. */
  #prefix: Uint8Array | undefined;
  #firstBlock = 0;
  #lastBlock = 0;

  constructor(extractor: SliceTransform) {
    this.#extractor = extractor;
  }

  /** Bytes of both blocks. REQUIRES that they have been written. */
  get size(): number {
    return this.#prefixes.size + this.#metadata.size;
  }

  /**
   * Adds a key of the data block with this number, in the order of the table; the key is borrowed. RocksDB asks for keys
   * that all have a prefix: those that have none are left out and found by searching the index.
   */
  add(userKey: Uint8Array, block: number): void {
    if (!this.#extractor.inDomain(userKey)) return;
    const prefix = this.#extractor.transform(userKey);
    if (this.#prefix === undefined || !equalBytes(this.#prefix, prefix)) {
      this.#endPrefix();
      this.#prefix = copyOf(prefix);
      this.#firstBlock = block;
    }
    this.#lastBlock = block;
  }

  /** Whether both keys have one and the same prefix; then all keys between them have it. */
  isOnePrefix(first: Uint8Array, last: Uint8Array): boolean {
    const extractor = this.#extractor;
    if (!extractor.inDomain(first) || !extractor.inDomain(last)) return false;
    return equalBytes(extractor.transform(first), extractor.transform(last));
  }

  /** Writes both blocks, in RocksDB's order; they are compressed like data. */
  *write(sink: TableSink): Io<WrittenHashIndex> {
    this.#endPrefix();
    const metadata = yield* sink.writeBytes(this.#metadata.view(), true);
    const prefixes = yield* sink.writeBytes(this.#prefixes.view(), true);
    return { prefixes, metadata };
  }

  #endPrefix(): void {
    if (this.#prefix === undefined) return;
    this.#prefixes.slice(this.#prefix);
    const blocks = this.#lastBlock - this.#firstBlock + 1;
    this.#metadata.varint(this.#prefix.length).varint(this.#firstBlock).varint(blocks);
    this.#prefix = undefined;
  }
}
