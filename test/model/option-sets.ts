/** The databases that model runs and interoperability tests build: sets of options far from each other. */

import type { ColumnFamilyOptions, Comparator, Options } from '../../src/index.ts';
import { toBinary } from './key-space.ts';
import { bytewise, type KeyOrder, lengthThenBytes, reverseBytewise } from './model-family.ts';
import { type ModelMerge, stringAppend, uint64Add } from './operation.ts';

/** One family: its options and what the model must know of them. */
export interface ModelFamilyOptions {
  options: ColumnFamilyOptions;
  order: KeyOrder;
  merge: ModelMerge;
  /** The operands and values that the merge operator takes are 8-byte counts. */
  counts?: boolean;
}

/** One kind of database. */
export interface OptionSet {
  name: string;
  options: Options;
  families: Record<string, ModelFamilyOptions>;
  /** False where 7.8.3 cannot read the result: newer formats, comparators that it does not have. */
  readableBy7: boolean;
}

/** A comparator that is no built-in one: work that needs it runs on the opening thread. */
export const lengthThenBytesComparator: Comparator = {
  name: 'test.LengthThenBytes',
  compare: (a, b) => a.length - b.length || bytewise(toBinary(a), toBinary(b)),
};

const append = { mergeOperator: 'stringappend' };
const bytewiseFamily: ModelFamilyOptions = { options: append, order: bytewise, merge: stringAppend };
const reverseFamily: ModelFamilyOptions = {
  options: { ...append, comparator: 'rocksdb.ReverseBytewiseComparator' },
  order: reverseBytewise,
  merge: stringAppend,
};
const countingFamily: ModelFamilyOptions = {
  options: { mergeOperator: 'uint64add' },
  order: bytewise,
  merge: uint64Add,
  counts: true,
};
const usual = { default: bytewiseFamily, reverse: reverseFamily, counts: countingFamily };

/** Memtables, files and levels so small that some hundred operations fill several levels. */
const tiny: Options = {
  writeBufferSize: 16 << 10,
  targetFileSizeBase: 8 << 10,
  maxBytesForLevelBase: 24 << 10,
  maxBytesForLevelMultiplier: 3,
  level0FileNumCompactionTrigger: 2,
  blockSize: 512,
};

function set(name: string, options: Options, rest: Partial<OptionSet> = {}): OptionSet {
  return { name, options: { createIfMissing: true, ...options }, families: usual, readableBy7: true, ...rest };
}

/** Every set, by name in the titles of the tests. */
export const OPTION_SETS: readonly OptionSet[] = [
  set('defaults', {}),
  set('tiny memtable', {
    ...tiny,
    targetFileSizeBase: 1 << 20,
    maxBytesForLevelBase: 4 << 20,
    memtablePrefixBloomSizeRatio: 0.1,
    memtableWholeKeyFiltering: true,
  }),
  set('tiny levels', { ...tiny, compression: 'none' }),
  set('snappy, bloom', { ...tiny, compression: 'snappy', filterPolicy: { type: 'bloom', bitsPerKey: 10 } }),
  set('zlib, ribbon', { ...tiny, compression: 'zlib', filterPolicy: { type: 'ribbon', bitsPerKey: 8 } }),
  set('bzip2, CRC32C', { ...tiny, compression: 'bzip2', checksum: 'crc32c', blockSize: 4096 }),
  set('lz4, xxHash64, version 4', {
    ...tiny,
    compression: 'lz4',
    checksum: 'xxHash64',
    formatVersion: 4,
    prefixExtractor: 'rocksdb.CappedPrefix.3',
    indexType: 'hashSearch',
    memtablePrefixBloomSizeRatio: 0.25,
  }),
  set('lz4hc, xxHash, version 3', {
    ...tiny,
    compression: 'lz4hc',
    compressionOptions: { maxDictBytes: 4096 },
    checksum: 'xxHash',
    formatVersion: 3,
  }),
  set('zstd, partitioned', {
    ...tiny,
    compression: 'zstd',
    compressionOptions: { maxDictBytes: 1024, maxDictBufferBytes: 8192 },
    indexType: 'twoLevelIndexSearch',
    partitionFilters: true,
    filterPolicy: { type: 'bloom', bitsPerKey: 12 },
    metadataBlockSize: 256,
  }),
  set('version 2, no checksum, legacy bloom', {
    ...tiny,
    formatVersion: 2,
    checksum: 'none',
    filterPolicy: { type: 'bloom', bitsPerKey: 6 },
  }),
  set(
    'version 6',
    { ...tiny, formatVersion: 6, filterPolicy: { type: 'bloom', bitsPerKey: 10 } },
    { readableBy7: false },
  ),
  set('first key index, restart 1', { ...tiny, indexType: 'binarySearchWithFirstKey', blockRestartInterval: 1 }),
  set('hash index in data blocks, restart 128', {
    ...tiny,
    dataBlockIndexType: 'binaryAndHash',
    blockRestartInterval: 128,
    indexBlockRestartInterval: 8,
    blockSize: 16 << 10,
  }),
  set('large blocks', { ...tiny, blockSize: 64 << 10, targetFileSizeBase: 32 << 10 }),
  set('tiny blocks', {
    ...tiny,
    blockSize: 64,
    blockRestartInterval: 4,
    filterPolicy: { type: 'bloom', bitsPerKey: 10 },
  }),
  set('level by level', {
    ...tiny,
    compressionPerLevel: ['none', 'none', 'snappy', 'lz4', 'zlib'],
    bottommostCompression: 'zstd',
  }),
  set('no cache, few open files', { ...tiny, noBlockCache: true, maxOpenFiles: 20 }),
  set('no automatic compaction', { ...tiny, writeBufferSize: 64 << 10, disableAutoCompactions: true }),
  set('four subcompactions', { ...tiny, maxSubcompactions: 4, level0FileNumCompactionTrigger: 3 }),
  set('universal, four subcompactions', { ...tiny, compactionStyle: 'universal', maxSubcompactions: 4 }),
  set('universal', { ...tiny, compactionStyle: 'universal' }),
  set('atomic flush', { ...tiny, atomicFlush: true }),
  set(
    'custom comparator',
    { ...tiny },
    {
      readableBy7: false,
      families: {
        default: {
          options: { ...append, comparator: lengthThenBytesComparator },
          order: lengthThenBytes,
          merge: stringAppend,
        },
        plain: bytewiseFamily,
      },
    },
  ),
  set(
    'reverse comparator first',
    { ...tiny, filterPolicy: { type: 'bloom', bitsPerKey: 10 } },
    { families: { default: reverseFamily, other: bytewiseFamily } },
  ),
];

/** The options to open a database of a set with: all its families are named, and made where they are missing. */
export function openOptions(optionSet: OptionSet, more: Options = {}): Options {
  const { default: defaultFamily, ...others } = optionSet.families;
  const columnFamilies: Record<string, ColumnFamilyOptions> = {};
  for (const [name, family] of Object.entries(others)) {
    columnFamilies[name] = { comparator: 'leveldb.BytewiseComparator', ...family.options };
  }
  const create = more.readOnly !== true;
  return {
    ...optionSet.options,
    ...defaultFamily?.options,
    createIfMissing: create,
    createMissingColumnFamilies: create,
    ...more,
    columnFamilies,
  };
}
