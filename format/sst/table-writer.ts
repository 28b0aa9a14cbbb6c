/**
 * Writes one table. Entries go into the kernel's table writer, either from JavaScript (`add`) or by the kernel itself
 * (compactions, over `kernelWriter`); here its finished blocks are compressed and written, and everything that surrounds
 * them is built.
 */
import { invalidArgument } from '../base/db-error.ts';
import type { WritableFile } from '../base/file-handles.ts';
import { compareInternalKeys, makeInternalKey, SENTINEL_SEQUENCE, userKeyOf, ValueType } from '../base/internal-key.ts';
import type { Io } from '../base/io.ts';
import type { SliceTransform } from '../base/slice-transform.ts';
import { BlockBuilderField, BlockBuilderFlags, BlockFlags } from '../kernel/abi/block.ts';
import { PrefixKind, TableWriterField, TableWriterStatus } from '../kernel/abi/table-writer.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import { checksumIdOf } from './block-checksum.ts';
import { DataBlockWriter } from './data-block-writer.ts';
import { FilterBuilder, filterHashKindOf } from './filter-builder.ts';
import { HashIndexBuilder } from './hash-index-builder.ts';
import { IndexBuilder } from './index-builder.ts';
import { CursorHead } from './metadata-block.ts';
import { type RangeTombstone, rangeTombstoneKey } from './range-del-block.ts';
import type { TableOptions } from './table-options.ts';
import type { TableProperties } from './table-properties.ts';
import { TableSink } from './table-sink.ts';
import { writeTableTail } from './table-tail.ts';
import type { TableWriterContext } from './table-writer-context.ts';

/** A finished table. The keys are internal keys, owned by the caller. */
export interface WrittenTable {
  readonly sizeBytes: number;
  readonly properties: TableProperties;
  /** Boundaries of entries and range tombstones, as the MANIFEST wants them; `undefined` in an empty table. */
  readonly smallest: Uint8Array | undefined;
  readonly largest: Uint8Array | undefined;
  readonly smallestSequence: number;
  readonly largestSequence: number;
}

const PAGE_SIZE = 4096;

/** Writes one table to a file that the caller owns, syncs and closes. Must end with `finish` or `abandon`. */
export class TableWriter {
  /** Address of the kernel's table writer. */
  readonly kernelWriter: number;

  readonly #kernel: Kernel = getKernel();
  readonly #options: TableOptions;
  readonly #context: TableWriterContext;
  readonly #sink: TableSink;
  readonly #data: DataBlockWriter;
  readonly #index: IndexBuilder;
  readonly #filter: FilterBuilder | undefined;
  readonly #hashIndex: HashIndexBuilder | undefined;
  /** The extractor if its prefixes are hashed here and not by the kernel. */
  readonly #hostPrefixes: SliceTransform | undefined;
  readonly #tombstones: RangeTombstone[] = [];
  readonly #baseContextChecksum: number;
  #dataBlocks = 0;
  #scratch = 0;
  #scratchSize = 0;
  #closed = false;

  /** INVALID_ARGUMENT for options that contradict each other, NOT_SUPPORTED when the codec is not available. */
  constructor(file: WritableFile, options: TableOptions, context: TableWriterContext) {
    checkOptions(options);
    this.#options = options;
    this.#context = context;
    this.#baseContextChecksum = options.formatVersion < 6 ? 0 : this.#makeBaseContextChecksum();
    this.#sink = new TableSink(file, {
      checksumId: checksumIdOf(options.checksum),
      baseContextChecksum: this.#baseContextChecksum,
      compression: options.compression,
      compressionOptions: options.compressionOptions,
    });
    this.#data = new DataBlockWriter(this.#sink, options, context);
    this.kernelWriter = this.#makeKernelWriter();
    this.#index = new IndexBuilder(options, context.comparator);
    const { filterPolicy } = options;
    if (filterPolicy !== undefined && !options.skipFilters)
      this.#filter = new FilterBuilder(filterPolicy, options, this.kernelWriter);
    // Without prefixes there is nothing to hash: readers search such an index like any other.
    if (options.indexType === 'hashSearch' && context.prefixExtractor !== undefined) {
      this.#hashIndex = new HashIndexBuilder(context.prefixExtractor);
    }
    const kernelHashes = this.#word(TableWriterField.prefixKind) !== PrefixKind.none;
    this.#hostPrefixes = this.#filter === undefined || kernelHashes ? undefined : context.prefixExtractor;
  }

  /** Bytes of the file if it ended here, index and filter left out, and data blocks that are kept for a dictionary. */
  get sizeEstimate(): number {
    const { x } = this.#kernel;
    const pending =
      x.tableWriterBlockEntries(this.kernelWriter) === 0 ? 0 : x.tableWriterSizeEstimate(this.kernelWriter);
    return this.#sink.offset + pending;
  }

  /** Entries added, range tombstones included. */
  get numEntries(): number {
    return this.#double(TableWriterField.numEntries) + this.#tombstones.length;
  }

  /** Adds an entry behind all others. False: the block is full and the entry was not added; `flushBlock`, then again. */
  tryAdd(internalKey: Uint8Array, value: Uint8Array): boolean {
    const needed = internalKey.length + value.length;
    if (needed > this.#scratchSize) this.#grow(needed);
    const at = this.#scratch;
    this.#kernel.copyIn(internalKey, at);
    const valueAt = at + internalKey.length;
    this.#kernel.copyIn(value, valueAt);
    const { x } = this.#kernel;
    const status = x.tableWriterAdd(this.kernelWriter, at, internalKey.length, valueAt, value.length);
    if (status === TableWriterStatus.outOfMemory) throw new RangeError('kernel memory exhausted');
    if (status === TableWriterStatus.badKey) throw invalidArgument(`internal key of ${internalKey.length} bytes`);
    return status === TableWriterStatus.added;
  }

  /** Adds an entry behind all others; what the caller's order of internal keys says is trusted. */
  *add(internalKey: Uint8Array, value: Uint8Array): Io<void> {
    if (this.tryAdd(internalKey, value)) return;
    yield* this.flushBlock();
    this.tryAdd(internalKey, value);
  }

  /**
   * Writes the full block. To be called when an add was refused, with that entry's key still where it was: the kernel
   * has noted it as the first of the next block.
   */
  *flushBlock(): Io<void> {
    const at = this.#word(TableWriterField.nextKey);
    yield* this.#writeBlock(this.#kernel.copyOut(at, this.#word(TableWriterField.nextKeySize)));
  }

  /** Adds a range tombstone; in the order of (begin ascending, sequence descending). The keys are kept. */
  addRangeTombstone(begin: Uint8Array, end: Uint8Array, sequence: number): void {
    this.#tombstones.push({ begin, end, sequence });
  }

  /** Writes the rest of the table. The file is complete but not synced. */
  *finish(): Io<WrittenTable> {
    const { x } = this.#kernel;
    try {
      if (x.tableWriterBlockEntries(this.kernelWriter) > 0) yield* this.#writeBlock(undefined);
      // The last block may have been written for an entry that went to another table: its partition is still open.
      else if (this.#index.entriesInPartition > 0) this.#cutPartition(undefined);
      yield* this.#data.finish();
      const properties = yield* writeTableTail({
        options: this.#options,
        context: this.#context,
        sink: this.#sink,
        index: this.#index,
        filter: this.#filter,
        hashIndex: this.#hashIndex,
        tombstones: this.#tombstones,
        writer: this.kernelWriter,
        dataBlocks: this.#dataBlocks,
        dictionary: this.#data.dictionary,
        baseContextChecksum: this.#baseContextChecksum,
      });
      return { sizeBytes: this.#sink.offset, properties, ...this.#boundaries() };
    } finally {
      this.abandon();
    }
  }

  /** Frees the memory; what the file holds by then is of no use. Harmless after `finish`. */
  abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#data.close();
    this.#sink.close();
    this.#filter?.close();
    this.#kernel.x.tableWriterDestroy(this.kernelWriter);
    this.#kernel.free(this.#scratch);
    this.#scratch = 0;
    this.#scratchSize = 0;
  }

  /** Finishes and writes the current block; `nextKey` is the first key behind it, if there is one. */
  *#writeBlock(nextKey: Uint8Array | undefined): Io<void> {
    const { x, u32 } = this.#kernel;
    const size = x.tableWriterFinishBlock(this.kernelWriter) >>> 0;
    if (size === 0) throw new RangeError('kernel memory exhausted');
    const builder = this.#word(TableWriterField.builder);
    const block = u32[(builder + BlockBuilderField.buffer) >>> 2]!;
    const lastKeyAt = u32[(builder + BlockBuilderField.lastKey) >>> 2]!;
    const lastKey = this.#kernel.copyOut(lastKeyAt, u32[(builder + BlockBuilderField.lastKeySize) >>> 2]!);
    const firstKey = this.#kernel.copyOut(
      this.#word(TableWriterField.firstKey),
      this.#word(TableWriterField.firstKeySize),
    );
    if (this.#hostPrefixes !== undefined) this.#eachUserKey(block, size, (key) => this.#hashPrefix(key));
    if (this.#hashIndex !== undefined) this.#indexPrefixes(this.#hashIndex, block, size, firstKey, lastKey);
    const handle = yield* this.#data.write(block, size);
    if (this.#options.blockAlign) yield* this.#sink.pad(Math.min(PAGE_SIZE, this.#options.blockSize));
    this.#dataBlocks++;
    const full = this.#index.add(firstKey, lastKey, nextKey, handle);
    if (full || this.#filter?.partitionIsFull === true || nextKey === undefined) this.#cutPartition(nextKey);
    x.tableWriterNextBlock(this.kernelWriter);
  }

  #cutPartition(nextKey: Uint8Array | undefined): void {
    if (this.#options.indexType !== 'twoLevelIndexSearch') return;
    // A seek to the next key's prefix may be led to this partition by a separator that equals it.
    if (nextKey !== undefined) this.#hashPrefix(userKeyOf(nextKey));
    const separator = this.#index.cutPartition();
    this.#filter?.cutPartition(separator);
  }

  #hashPrefix(userKey: Uint8Array): void {
    const extractor = this.#context.prefixExtractor;
    if (this.#filter === undefined || extractor === undefined || !extractor.inDomain(userKey)) return;
    const prefix = extractor.transform(userKey);
    // Apart from the scratch of `tryAdd`: that still holds the entry that was refused.
    const at = this.#kernel.malloc(prefix.length + 16);
    this.#kernel.copyIn(prefix, at);
    const added = this.#kernel.x.tableWriterAddFilterKey(this.kernelWriter, at, prefix.length);
    this.#kernel.free(at);
    if (added === 0) throw new RangeError('kernel memory exhausted');
  }

  /** Adds the prefixes of a finished block to the hash index; the keys are its first and last internal keys. */
  #indexPrefixes(
    index: HashIndexBuilder,
    block: number,
    size: number,
    firstKey: Uint8Array,
    lastKey: Uint8Array,
  ): void {
    const first = userKeyOf(firstKey);
    if (index.isOnePrefix(first, userKeyOf(lastKey))) index.add(first, this.#dataBlocks);
    else this.#eachUserKey(block, size, (key) => index.add(key, this.#dataBlocks));
  }

  /** Shows the user keys of a finished block, each borrowed for the call. */
  #eachUserKey(block: number, size: number, visit: (userKey: Uint8Array) => void): void {
    const { x, u32 } = this.#kernel;
    const cursor = x.blockCursorCreate() >>> 0;
    if (cursor === 0) throw new RangeError('kernel memory exhausted');
    try {
      x.blockCursorInit(cursor, block, size, BlockFlags.internalKeys | BlockFlags.dataBlock, 0, 0);
      x.blockCursorSeekToFirst(cursor);
      while (u32[(cursor + CursorHead.valid) >>> 2] !== 0) {
        const key = this.#kernel.bytes(
          u32[(cursor + CursorHead.key) >>> 2]!,
          u32[(cursor + CursorHead.keySize) >>> 2]!,
        );
        visit(userKeyOf(key));
        x.blockCursorNext(cursor);
      }
    } finally {
      x.blockCursorDestroy(cursor);
    }
  }

  #makeKernelWriter(): number {
    const { x, u32 } = this.#kernel;
    const { blockSize, blockSizeDeviation, blockAlign, blockRestartInterval, dataBlockIndexType } = this.#options;
    const flags = dataBlockIndexType === 'binaryAndHash' ? BlockBuilderFlags.hashIndex : 0;
    const ratio = this.#options.dataBlockHashTableUtilRatio;
    const align = blockAlign ? 1 : 0;
    const writer = x.tableWriterCreate(blockSize, blockSizeDeviation, align, blockRestartInterval, flags, ratio) >>> 0;
    if (writer === 0) {
      this.#sink.close();
      throw new RangeError('kernel memory exhausted');
    }
    const set = (field: number, value: number) => {
      u32[(writer + field) >>> 2] = value;
    };
    set(TableWriterField.hashKind, filterHashKindOf(this.#options));
    set(TableWriterField.wholeKeyFiltering, this.#options.wholeKeyFiltering ? 1 : 0);
    const builtin = /^rocksdb\.(Fixed|Capped)Prefix\.(\d+)$/.exec(this.#context.prefixExtractor?.name ?? '');
    if (builtin !== null) {
      set(TableWriterField.prefixKind, builtin[1] === 'Fixed' ? PrefixKind.fixed : PrefixKind.capped);
      set(TableWriterField.prefixLength, Number(builtin[2]));
    }
    return writer;
  }

  #makeBaseContextChecksum(): number {
    const { x } = this.#kernel;
    const identity = Buffer.from(`${this.#context.dbId} ${this.#context.dbSessionId} ${this.#context.fileNumber}`);
    const at = this.#kernel.malloc(identity.length + 16);
    this.#kernel.copyIn(identity, at);
    const checksum = x.crc32c(at, identity.length) >>> 0;
    this.#kernel.free(at);
    return checksum === 0 ? 1 : checksum;
  }

  #boundaries(): Omit<WrittenTable, 'sizeBytes' | 'properties'> {
    const { comparator } = this.#context;
    const compare = (a: Uint8Array, b: Uint8Array) => compareInternalKeys(comparator, a, b);
    let smallest: Uint8Array | undefined;
    let largest: Uint8Array | undefined;
    let smallestSequence = this.#double(TableWriterField.smallestSequence);
    let largestSequence = this.#double(TableWriterField.largestSequence);
    if (this.#double(TableWriterField.numEntries) > 0) {
      const builder = this.#word(TableWriterField.builder);
      const { u32 } = this.#kernel;
      const lastKey = u32[(builder + BlockBuilderField.lastKey) >>> 2]!;
      smallest = this.#kernel.copyOut(
        this.#word(TableWriterField.smallestKey),
        this.#word(TableWriterField.smallestKeySize),
      );
      largest = this.#kernel.copyOut(lastKey, u32[(builder + BlockBuilderField.lastKeySize) >>> 2]!);
    }
    for (const { begin, end, sequence } of this.#tombstones) {
      const first = rangeTombstoneKey(begin, sequence);
      const last = makeInternalKey(end, SENTINEL_SEQUENCE, ValueType.rangeDeletion);
      if (smallest === undefined || compare(first, smallest) < 0) smallest = first;
      if (largest === undefined || compare(last, largest) > 0) largest = last;
      smallestSequence = Math.min(smallestSequence, sequence);
      largestSequence = Math.max(largestSequence, sequence);
    }
    if (smallest === undefined) smallestSequence = 0;
    return { smallest, largest, smallestSequence, largestSequence };
  }

  #grow(needed: number): void {
    this.#kernel.free(this.#scratch);
    this.#scratch = 0;
    this.#scratchSize = 0;
    this.#scratch = this.#kernel.malloc(Math.max(4096, needed * 2) + 16);
    this.#scratchSize = Math.max(4096, needed * 2);
  }

  #word(field: number): number {
    return this.#kernel.u32[(this.kernelWriter + field) >>> 2]!;
  }

  #double(field: number): number {
    return this.#kernel.f64[(this.kernelWriter + field) >>> 3]!;
  }
}

function checkOptions(options: TableOptions): void {
  if (options.blockAlign && options.compression !== 'none') {
    throw invalidArgument('Enable block_align, but compression enabled');
  }
  if (options.blockAlign && (options.blockSize & (options.blockSize - 1)) !== 0) {
    throw invalidArgument('Block alignment requested but block size is not a power of 2');
  }
}
