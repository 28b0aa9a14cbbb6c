/**
 * Collects one entry a data block and writes the index at the end. Only then is known whether its keys can be user keys:
 * they can unless one user key lies on both sides of a block boundary, and one such boundary decides for the whole file.
 */
import type { Comparator } from '../base/comparator.ts';
import { equalBytes, makeInternalKey, SENTINEL_SEQUENCE, userKeyOf } from '../base/internal-key.ts';
import type { Io } from '../base/io.ts';
import { BlockBuilderFlags } from '../kernel/abi/block.ts';
import { BLOCK_TRAILER_SIZE, type BlockHandle } from './block-handle.ts';
import { MetadataBlockBuilder } from './metadata-block.ts';
import type { TableOptions } from './table-options.ts';
import type { TableSink } from './table-sink.ts';

/** The type that RocksDB puts into shortened separators; no entry has a greater one. */
const SEPARATOR_TYPE = 0x16;

interface IndexEntry {
  /** An internal key. */
  readonly separator: Uint8Array;
  readonly handle: BlockHandle;
  readonly firstKey: Uint8Array | undefined;
}

/** What became of an index. */
export interface WrittenIndex {
  readonly handle: BlockHandle;
  /** Uncompressed, trailers included. */
  readonly size: number;
  readonly topLevelSize: number;
  readonly partitions: number;
}

/** How the index's entries are stored. */
export interface IndexForm {
  readonly userKeys: boolean;
  readonly deltaValues: boolean;
  readonly restartInterval: number;
}

/** Builds the index of one table. */
export class IndexBuilder {
  readonly #options: TableOptions;
  readonly #comparator: Comparator;
  readonly #partitioned: boolean;
  /** All but the last are complete. */
  readonly #partitions: IndexEntry[][] = [[]];
  #partitionSize = 0;
  #needsInternalKeys: boolean;

  constructor(options: TableOptions, comparator: Comparator) {
    this.#options = options;
    this.#comparator = comparator;
    this.#partitioned = options.indexType === 'twoLevelIndexSearch';
    this.#needsInternalKeys = options.formatVersion < 3;
  }

  /**
   * Adds the block whose first and last internal keys these are; `nextKey` is the first of the block behind it, if any.
   * All keys are kept as they are, so they must be the builder's own. Returns whether the partition is now large enough
   * to be cut.
   */
  add(firstKey: Uint8Array, lastKey: Uint8Array, nextKey: Uint8Array | undefined, handle: BlockHandle): boolean {
    const separator = nextKey === undefined ? lastKey : this.#separate(lastKey, nextKey);
    const withFirstKey = this.#options.indexType === 'binarySearchWithFirstKey';
    this.#partitions.at(-1)!.push({ separator, handle, firstKey: withFirstKey ? firstKey : undefined });
    this.#partitionSize += separator.length + 8;
    return this.#partitioned && this.#partitionSize >= this.#options.metadataBlockSize;
  }

  /** Ends the partition and returns its last separator, an internal key. REQUIRES an entry in it. */
  cutPartition(): Uint8Array {
    const separator = this.#partitions.at(-1)!.at(-1)!.separator;
    this.#partitions.push([]);
    this.#partitionSize = 0;
    return separator;
  }

  get entriesInPartition(): number {
    return this.#partitions.at(-1)!.length;
  }

  /** REQUIRES that all blocks have been added. */
  get form(): IndexForm {
    const { formatVersion, blockAlign, indexBlockRestartInterval, indexType } = this.#options;
    return {
      userKeys: !this.#needsInternalKeys,
      deltaValues: formatVersion >= 4 && !blockAlign,
      restartInterval: indexType === 'hashSearch' ? 1 : indexBlockRestartInterval,
    };
  }

  /** Writes the index, partitions first. */
  *write(sink: TableSink): Io<WrittenIndex> {
    const builder = makeHandleBlockBuilder(this.form);
    try {
      return yield* this.#partitioned ? this.#writePartitions(builder, sink) : this.#writeWhole(builder, sink);
    } finally {
      builder.destroy();
    }
  }

  *#writeWhole(builder: MetadataBlockBuilder, sink: TableSink): Io<WrittenIndex> {
    for (const entry of this.#partitions[0]!) this.#addEntry(builder, entry);
    const block = builder.finish();
    const handle = yield* sink.writeBlock(block.at, block.size, this.#options.enableIndexCompression);
    return { handle, size: block.size + BLOCK_TRAILER_SIZE, topLevelSize: 0, partitions: 0 };
  }

  *#writePartitions(builder: MetadataBlockBuilder, sink: TableSink): Io<WrittenIndex> {
    const partitions = this.#partitions.filter((entries) => entries.length > 0);
    const compress = this.#options.enableIndexCompression;
    const top: IndexEntry[] = [];
    let size = 0;
    for (const entries of partitions) {
      builder.reset();
      for (const entry of entries) this.#addEntry(builder, entry);
      const block = builder.finish();
      const handle = yield* sink.writeBlock(block.at, block.size, compress);
      top.push({ separator: entries.at(-1)!.separator, handle, firstKey: undefined });
      size += block.size + BLOCK_TRAILER_SIZE;
    }
    builder.reset();
    for (const entry of top) this.#addEntry(builder, entry);
    const block = builder.finish();
    const handle = yield* sink.writeBlock(block.at, block.size, compress);
    const topLevelSize = block.size + BLOCK_TRAILER_SIZE;
    return { handle, size: size + topLevelSize, topLevelSize, partitions: partitions.length };
  }

  #addEntry(builder: MetadataBlockBuilder, entry: IndexEntry): void {
    const key = this.#needsInternalKeys ? entry.separator : userKeyOf(entry.separator);
    builder.addHandle(key, entry.handle.offset, entry.handle.size, entry.firstKey);
  }

  /** A short internal key in `[lastKey, nextKey)`. */
  #separate(lastKey: Uint8Array, nextKey: Uint8Array): Uint8Array {
    const last = userKeyOf(lastKey);
    const next = userKeyOf(nextKey);
    const short = this.#comparator.findShortestSeparator?.(last, next) ?? last;
    const isShorter = short.length < last.length && this.#comparator.compare(last, short) < 0;
    if (equalBytes(isShorter ? short : last, next) || this.#comparator.compare(isShorter ? short : last, next) === 0) {
      this.#needsInternalKeys = true;
    }
    return isShorter ? makeInternalKey(short, SENTINEL_SEQUENCE, SEPARATOR_TYPE) : lastKey;
  }
}

/** A builder of blocks of handles in the given form: index, top levels of index and filter. */
export function makeHandleBlockBuilder(form: IndexForm): MetadataBlockBuilder {
  return new MetadataBlockBuilder(form.restartInterval, form.deltaValues ? BlockBuilderFlags.deltaValues : 0);
}
