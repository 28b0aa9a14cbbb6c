/** Makes filter blocks of the hashes that the kernel's table writer collects: one for the table, or one a partition. */
import { userKeyOf } from '../base/internal-key.ts';
import type { Io } from '../base/io.ts';
import { FilterHashKind, TableWriterField } from '../kernel/abi/table-writer.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import type { BlockHandle } from './block-handle.ts';
import { filterTypeOf } from './filter-policy.ts';
import { type IndexForm, makeHandleBlockBuilder } from './index-builder.ts';
import type { FilterPolicy, TableOptions } from './table-options.ts';
import type { TableSink } from './table-sink.ts';

interface FilterPartition {
  readonly at: number;
  readonly size: number;
  /** The last separator of the index partition that it goes with; empty for a full filter. */
  readonly separator: Uint8Array;
}

/** What became of a filter. */
export interface WrittenFilter {
  readonly handle: BlockHandle;
  /** Without trailers. */
  readonly size: number;
}

const LINE_BITS = 512;

/** FastLocalBloom's number of probes for so many thousandths of a bit a key. */
function probesOf(millibits: number): number {
  const limits = [2080, 3580, 5100, 6640, 8300, 10070, 11720, 14001, 16050, 18300, 22001, 25501];
  const index = limits.findIndex((limit) => millibits <= limit);
  if (index >= 0) return index + 1;
  return millibits > 50000 ? 24 : Math.floor((millibits - 1) / 2000) - 1;
}

/** How many keys that are absent make one false positive of a Bloom filter with so many bits a key. */
export function oneFalsePositiveIn(bitsPerKey: number): number {
  const probes = probesOf(Math.round(bitsPerKey * 1000));
  const keys = LINE_BITS / bitsPerKey;
  const rate = (keysInLine: number) => (1 - Math.exp((-probes * keysInLine) / LINE_BITS)) ** probes;
  const spread = Math.sqrt(keys);
  return 2 / (rate(keys + spread) + rate(keys - spread));
}

/** Which hash a table of these options collects: a `FilterHashKind`. */
export function filterHashKindOf(options: TableOptions): number {
  if (options.filterPolicy === undefined || options.skipFilters) return FilterHashKind.none;
  // A Ribbon policy never makes the legacy Bloom filter, whatever the table's version.
  const legacy = options.filterPolicy.type === 'bloom' && options.formatVersion < 5;
  return legacy ? FilterHashKind.hash32 : FilterHashKind.hash64;
}

/** Builds the filter of one table. */
export class FilterBuilder {
  readonly #kernel: Kernel = getKernel();
  readonly #policy: FilterPolicy;
  readonly #ribbon: boolean;
  readonly #hashKind: number;
  readonly #partitioned: boolean;
  readonly #metadataBlockSize: number;
  readonly #writer: number;
  readonly #partitions: FilterPartition[] = [];
  #entries = 0;

  /** `writer`: the kernel's table writer, whose hashes it takes. */
  constructor(policy: FilterPolicy, options: TableOptions, writer: number) {
    this.#policy = policy;
    this.#ribbon = filterTypeOf(options) === 'ribbon';
    this.#hashKind = filterHashKindOf(options);
    this.#partitioned = hasPartitionedFilter(options);
    this.#metadataBlockSize = options.metadataBlockSize;
    this.#writer = writer;
  }

  /** Hashes that went into the filter so far. */
  get entries(): number {
    return this.#entries + this.#word(TableWriterField.hashCount);
  }

  /** Whether the current partition's filter has reached its size. */
  get partitionIsFull(): boolean {
    if (!this.#partitioned) return false;
    return (this.#word(TableWriterField.hashCount) * this.#policy.bitsPerKey) / 8 >= this.#metadataBlockSize;
  }

  /** Makes a partition of the hashes collected; it goes with the index partition that ends in `separator`. */
  cutPartition(separator: Uint8Array): void {
    if (this.#partitioned) this.#build(separator);
  }

  /** Writes the filter; `undefined` when no key was added. `form` is the index's. */
  *write(sink: TableSink, form: IndexForm): Io<WrittenFilter | undefined> {
    if (this.#partitioned) return yield* this.#writePartitions(sink, form);
    if (this.#word(TableWriterField.hashCount) === 0) return undefined;
    this.#build(new Uint8Array(0));
    const { at, size } = this.#partitions[0]!;
    return { handle: yield* sink.writeBlock(at, size, false), size };
  }

  close(): void {
    for (const { at } of this.#partitions) this.#kernel.free(at);
    this.#partitions.length = 0;
  }

  *#writePartitions(sink: TableSink, form: IndexForm): Io<WrittenFilter | undefined> {
    if (this.#partitions.length === 0) return undefined;
    const top = makeHandleBlockBuilder(form);
    try {
      let size = 0;
      for (const partition of this.#partitions) {
        const handle = yield* sink.writeBlock(partition.at, partition.size, false);
        const key = form.userKeys ? userKeyOf(partition.separator) : partition.separator;
        top.addHandle(key, handle.offset, handle.size);
        size += partition.size;
      }
      const block = top.finish();
      return { handle: yield* sink.writeBlock(block.at, block.size, false), size: size + block.size };
    } finally {
      top.destroy();
    }
  }

  #build(separator: Uint8Array): void {
    const { x } = this.#kernel;
    const hashes = this.#word(TableWriterField.hashes);
    const count = this.#word(TableWriterField.hashCount);
    const millibits = Math.round(this.#policy.bitsPerKey * 1000);
    const oneIn = oneFalsePositiveIn(this.#policy.bitsPerKey);
    const legacy = this.#hashKind === FilterHashKind.hash32;
    const bloomSize = (legacy ? x.legacyBloomSize(count, millibits) : x.bloomSize(count, millibits)) >>> 0;
    const ribbonSize = this.#ribbon ? x.ribbonSize(count, oneIn) >>> 0 : 0;
    const at = this.#kernel.malloc(Math.max(bloomSize, ribbonSize, 16) + 64);
    let size = 0;
    // A Ribbon filter saves memory only from some size on.
    if (ribbonSize !== 0 && ribbonSize < bloomSize) size = x.ribbonBuild(hashes, count, oneIn, at) >>> 0;
    if (size === 0) size = (legacy ? x.legacyBloomBuild : x.bloomBuild)(hashes, count, millibits, at) >>> 0;
    if (size === 0) {
      this.#kernel.free(at);
      throw new RangeError(`filter of ${count} keys is too large`);
    }
    this.#partitions.push({ at, size, separator });
    this.#entries += count;
    x.tableWriterResetHashes(this.#writer);
  }

  #word(field: number): number {
    return this.#kernel.u32[(this.#writer + field) >>> 2]!;
  }
}

/** Whether the filter of these options is partitioned: only beside a partitioned index can it be. */
export function hasPartitionedFilter(options: TableOptions): boolean {
  return options.partitionFilters && options.indexType === 'twoLevelIndexSearch';
}
