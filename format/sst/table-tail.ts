/** Writes what follows the data blocks of a table: filter, index, range tombstones, properties, metaindex, footer. */
import { utf8 } from '../base/bytes.ts';
import { ByteWriter } from '../base/coding.ts';
import type { Io } from '../base/io.ts';
import { CompressionId, compressionNames } from '../compression/codec.ts';
import { TableWriterField } from '../kernel/abi/table-writer.ts';
import { getKernel } from '../kernel/kernel.ts';
import { checksumIdOf } from './block-checksum.ts';
import { type BlockHandle, writeBlockHandle } from './block-handle.ts';
import { type FilterBuilder, hasPartitionedFilter, type WrittenFilter } from './filter-builder.ts';
import { FILTER_COMPATIBILITY_NAME, filterPolicyName } from './filter-policy.ts';
import { encodeFooter, type Footer } from './footer.ts';
import type { HashIndexBuilder } from './hash-index-builder.ts';
import type { IndexBuilder, WrittenIndex } from './index-builder.ts';
import { MetadataBlockBuilder, type MetadataEntry } from './metadata-block.ts';
import { MetaindexName } from './metaindex.ts';
import { type RangeTombstone, rangeTombstoneKey } from './range-del-block.ts';
import type { IndexType, TableOptions } from './table-options.ts';
import { emptyTableProperties, encodeTableProperties, type TableProperties } from './table-properties.ts';
import type { TableSink } from './table-sink.ts';
import type { TableWriterContext } from './table-writer-context.ts';

/** A table whose data blocks are written. */
export interface TableTail {
  readonly options: TableOptions;
  readonly context: TableWriterContext;
  readonly sink: TableSink;
  readonly index: IndexBuilder;
  readonly filter: FilterBuilder | undefined;
  readonly hashIndex: HashIndexBuilder | undefined;
  readonly tombstones: readonly RangeTombstone[];
  /** The kernel's table writer, for its counters. */
  readonly writer: number;
  readonly dataBlocks: number;
  /** What data blocks were compressed with; empty for nothing. */
  readonly dictionary: Uint8Array;
  readonly baseContextChecksum: number;
}

const indexTypeIds: Readonly<Record<IndexType, number>> = {
  binarySearch: 0,
  hashSearch: 1,
  twoLevelIndexSearch: 2,
  binarySearchWithFirstKey: 3,
};

const EXTERNAL_FILE_VERSION = 2;
/** A properties block has one restart point. */
const ONE_RESTART = 0x7fffffff;

/** Writes the tail and returns the properties. */
export function* writeTableTail(tail: TableTail): Io<TableProperties> {
  const { sink, options } = tail;
  const dataSize = sink.offset;
  const entries: MetadataEntry[] = [];
  const filter = tail.filter === undefined ? undefined : yield* tail.filter.write(sink, tail.index.form);
  if (filter !== undefined) {
    const partitioned = hasPartitionedFilter(options);
    const prefix = partitioned ? MetaindexName.partitionedFilterPrefix : MetaindexName.fullFilterPrefix;
    entries.push(metaindexEntry(prefix + FILTER_COMPATIBILITY_NAME, filter.handle));
  }
  if (tail.hashIndex !== undefined) {
    const { prefixes, metadata } = yield* tail.hashIndex.write(sink);
    entries.push(metaindexEntry(MetaindexName.hashIndexPrefixes, prefixes));
    entries.push(metaindexEntry(MetaindexName.hashIndexMetadata, metadata));
  }
  const index = yield* tail.index.write(sink);
  if (options.formatVersion >= 6) entries.push(metaindexEntry(MetaindexName.index, index.handle));
  if (tail.dictionary.length > 0) {
    entries.push(metaindexEntry(MetaindexName.compressionDictionary, yield* sink.writeBytes(tail.dictionary, false)));
  }
  if (tail.tombstones.length > 0) {
    const block = tail.tombstones.map(({ begin, end, sequence }) => ({
      key: rangeTombstoneKey(begin, sequence),
      value: end,
    }));
    entries.push(metaindexEntry(MetaindexName.rangeDeletions, yield* writeMetadataBlock(sink, block, 1)));
  }
  const properties = makeProperties(tail, dataSize, index, filter);
  const propertiesHandle = yield* writeMetadataBlock(sink, encodeTableProperties(properties), ONE_RESTART);
  entries.push(metaindexEntry(MetaindexName.properties, propertiesHandle));
  entries.sort((a, b) => Buffer.compare(a.key, b.key));
  const metaindex = yield* writeMetadataBlock(sink, entries, 1);
  const footer: Footer = {
    formatVersion: options.formatVersion,
    checksumId: checksumIdOf(options.checksum),
    metaindex,
    index: options.formatVersion >= 6 ? undefined : index.handle,
    baseContextChecksum: tail.baseContextChecksum,
  };
  yield* sink.writeRaw(encodeFooter(footer, sink.offset));
  yield* sink.flush();
  return properties;
}

function metaindexEntry(name: string, handle: BlockHandle): MetadataEntry {
  const writer = new ByteWriter(20);
  writeBlockHandle(writer, handle);
  return { key: utf8(name), value: writer.toBytes() };
}

function* writeMetadataBlock(
  sink: TableSink,
  entries: readonly MetadataEntry[],
  restartInterval: number,
): Io<BlockHandle> {
  const builder = new MetadataBlockBuilder(restartInterval);
  try {
    for (const { key, value } of entries) builder.add(key, value);
    const block = builder.finish();
    return yield* sink.writeBlock(block.at, block.size, false);
  } finally {
    builder.destroy();
  }
}

function makeProperties(
  tail: TableTail,
  dataSize: number,
  index: WrittenIndex,
  filter: WrittenFilter | undefined,
): TableProperties {
  const { options, context, tombstones } = tail;
  const { f64 } = getKernel();
  const count = (field: number) => f64[(tail.writer + field) >>> 3]!;
  const form = tail.index.form;
  const usesPrefixes = context.prefixExtractor !== undefined;
  return {
    ...emptyTableProperties(),
    dataSize,
    indexSize: index.size + (tail.hashIndex?.size ?? 0),
    indexPartitions: index.partitions,
    topLevelIndexSize: index.topLevelSize,
    indexKeyIsUserKey: form.userKeys,
    indexValueIsDeltaEncoded: form.deltaValues,
    filterSize: filter?.size ?? 0,
    rawKeySize: count(TableWriterField.rawKeySize) + sum(tombstones, ({ begin }) => begin.length + 8),
    rawValueSize: count(TableWriterField.rawValueSize) + sum(tombstones, ({ end }) => end.length),
    numDataBlocks: tail.dataBlocks,
    numEntries: count(TableWriterField.numEntries) + tombstones.length,
    numFilterEntries: tail.filter?.entries ?? 0,
    numDeletions: count(TableWriterField.numDeletions) + tombstones.length,
    numMergeOperands: count(TableWriterField.numMergeOperands),
    numRangeDeletions: tombstones.length,
    columnFamilyId: context.familyId,
    columnFamilyName: context.familyName,
    creationTime: context.creationTime,
    oldestKeyTime: context.oldestKeyTime,
    fileCreationTime: context.fileCreationTime,
    originalFileNumber: context.fileNumber,
    dbId: context.dbId,
    dbSessionId: context.dbSessionId,
    dbHostId: context.dbHostId,
    filterPolicyName: filterPolicyName(options.filterPolicy),
    comparatorName: context.comparator.name,
    mergeOperatorName: context.mergeOperatorName ?? 'nullptr',
    prefixExtractorName: context.prefixExtractor?.name ?? 'nullptr',
    propertyCollectorsNames: '[]',
    compressionName: compressionNames.get(CompressionId[options.compression])!,
    compressionOptions: describeCompressionOptions(options),
    indexType: indexTypeIds[options.indexType],
    wholeKeyFiltering: options.wholeKeyFiltering,
    prefixFiltering: usesPrefixes,
    externalFileVersion: context.externalFile === true ? EXTERNAL_FILE_VERSION : 0,
  };
}

function sum<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}

/** The text that RocksDB stores; 32767 is its "the codec's own level". */
function describeCompressionOptions({ compressionOptions }: TableOptions): string {
  const { level = 32767, windowBits = 14, maxDictBytes = 0, maxDictBufferBytes = 0 } = compressionOptions;
  return (
    `window_bits=-${windowBits}; level=${level}; strategy=0; max_dict_bytes=${maxDictBytes}; zstd_max_train_bytes=0; ` +
    `enabled=0; max_dict_buffer_bytes=${maxDictBufferBytes}; use_zstd_dict_trainer=1; `
  );
}
