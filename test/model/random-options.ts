/** Option sets that nobody chose: every option drawn by itself, so that meetings come about which no list would name. */

import { type Options, prefixHashMemTable, skipListMemTable, vectorMemTable } from '../../src/index.ts';
import { Random } from '../support/random.ts';
import { OPTION_SETS, type OptionSet } from './option-sets.ts';

const CODECS = ['none', 'snappy', 'zlib', 'bzip2', 'lz4', 'lz4hc', 'zstd'] as const;

/** The `index`th random set of a seed: the families of the usual sets with other options. */
export function randomOptionSet(seed: number, index: number): OptionSet {
  const random = new Random(seed * 1000 + index);
  const usual = OPTION_SETS[0]!;
  const read = filters(random);
  const written = buffers(random, read.prefixExtractor !== undefined);
  const options = { createIfMissing: true, ...shape(random), ...tables(random), ...read, ...written };
  return { name: `random ${index}`, options, families: usual.families, readableBy7: options.formatVersion !== 6 };
}

/** What stands for the set in a failure. */
export function describeOptions(options: Options): string {
  return JSON.stringify(options, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && 'create' in value && 'name' in value ? value.name : value,
  );
}

function shape(random: Random): Options {
  const compactionStyle = random.pick(['level', 'level', 'universal'] as const);
  return {
    compactionStyle,
    targetFileSizeBase: random.pick([4, 8, 32]) << 10,
    maxBytesForLevelBase: random.pick([16, 24, 128]) << 10,
    maxBytesForLevelMultiplier: random.pick([2, 3, 10]),
    level0FileNumCompactionTrigger: random.between(2, 5),
    numLevels: random.pick([3, 5, 7]),
    levelCompactionDynamicLevelBytes: compactionStyle === 'level' && random.oneIn(3),
    maxSubcompactions: random.pick([1, 1, 3]),
    maxOpenFiles: random.pick([-1, 20]),
    atomicFlush: random.oneIn(4),
    maxManifestFileSize: random.pick([4 << 10, 1 << 30]),
  };
}

function tables(random: Random): Options {
  const partitioned = random.oneIn(4);
  const bottommost = random.oneIn(3) ? { bottommostCompression: random.pick(CODECS) } : {};
  return {
    compression: random.pick(CODECS),
    ...bottommost,
    checksum: random.pick(['none', 'crc32c', 'xxHash', 'xxHash64', 'xxh3'] as const),
    formatVersion: random.pick([3, 4, 5, 5, 6]),
    indexType: partitioned ? 'twoLevelIndexSearch' : random.pick(['binarySearch', 'binarySearchWithFirstKey'] as const),
    partitionFilters: partitioned && random.oneIn(2),
    metadataBlockSize: random.pick([256, 4096]),
    dataBlockIndexType: random.pick(['binarySearch', 'binaryAndHash'] as const),
    blockSize: random.pick([128, 512, 4096, 16 << 10]),
    blockRestartInterval: random.pick([1, 4, 16]),
    indexBlockRestartInterval: random.pick([1, 1, 8]),
    noBlockCache: random.oneIn(6),
  };
}

function filters(random: Random): Options {
  const policy = random.oneIn(4) ? undefined : { type: random.pick(['bloom', 'ribbon'] as const), bitsPerKey: 10 };
  const prefix = random.pick([undefined, 'rocksdb.CappedPrefix.3', 'rocksdb.FixedPrefix.4']);
  return {
    filterPolicy: policy,
    ...(prefix === undefined ? {} : { prefixExtractor: prefix, wholeKeyFiltering: random.oneIn(2) }),
    memtablePrefixBloomSizeRatio: random.pick([0, 0.1]),
    memtableWholeKeyFiltering: random.oneIn(2),
  };
}

function buffers(random: Random, hasPrefixes: boolean): Options {
  const memtable = random.pick([
    undefined,
    skipListMemTable,
    vectorMemTable,
    hasPrefixes ? prefixHashMemTable : undefined,
  ]);
  return {
    writeBufferSize: random.pick([8, 16, 64]) << 10,
    maxWriteBufferNumber: random.between(3, 5),
    minWriteBufferNumberToMerge: random.between(1, 2),
    ...(memtable === undefined ? {} : { memtableFactory: memtable() }),
  };
}
