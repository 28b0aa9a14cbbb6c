/** Codecs by RocksDB's names. */
export type CompressionType = 'none' | 'snappy' | 'zlib' | 'bzip2' | 'lz4' | 'lz4hc' | 'zstd';
/** Block checksums by RocksDB's names. */
export type ChecksumType = 'none' | 'crc32c' | 'xxHash' | 'xxHash64' | 'xxh3';
/** Shapes of a table's index. */
export type IndexType = 'binarySearch' | 'hashSearch' | 'twoLevelIndexSearch' | 'binarySearchWithFirstKey';

/** Tuning of a codec; what is left out has the codec's own default. */
export interface CompressionOptions {
  /** zlib 1-9, zstd 1-22, lz4hc 3-12, bzip2 ignores it. */
  level?: number;
  /** zlib: base-2 logarithm of the window, 8 to 14 (RocksDB's reader inflates with 14). */
  windowBits?: number;
  /**
   * Largest dictionary of a table in bytes, 0 none: zlib, lz4, lz4hc and zstd compress data blocks with samples of the
   * table's first blocks, which are kept uncompressed in memory until then; the other codecs ignore it.
   */
  maxDictBytes?: number;
  /** Bytes of blocks that are kept for a dictionary; 0, and at most: the target size of the file. */
  maxDictBufferBytes?: number;
}

/** Which filter a table carries, and its size. */
export interface FilterPolicy {
  type: 'bloom' | 'ribbon';
  bitsPerKey: number;
  /**
   * Ribbon only: tables of levels below this number get Bloom filters, which are made faster. A flush counts as level -1,
   * tables of unknown level (FIFO, written outside) as the deepest. -1: Ribbon always; 0, the default: Bloom for flushes;
   * 2147483647: Bloom always.
   */
  bloomBeforeLevel?: number;
}

/** Everything that shapes a table file: complete, plain data, so that it travels to a worker thread. */
export interface TableOptions {
  formatVersion: 2 | 3 | 4 | 5 | 6;
  checksum: ChecksumType;
  compression: CompressionType;
  compressionOptions: CompressionOptions;
  blockSize: number;
  /** Percent of `blockSize` below which a block is never cut early. RocksDB's default 10. */
  blockSizeDeviation: number;
  blockRestartInterval: number;
  indexBlockRestartInterval: number;
  metadataBlockSize: number;
  indexType: IndexType;
  dataBlockIndexType: 'binarySearch' | 'binaryAndHash';
  dataBlockHashTableUtilRatio: number;
  filterPolicy: FilterPolicy | undefined;
  /** The level for which `filterPolicy` decides: -1 a flush, `Infinity` unknown. */
  filterLevel: number;
  /** No filter whatever the policy says, which is still named in the properties. */
  skipFilters: boolean;
  wholeKeyFiltering: boolean;
  partitionFilters: boolean;
  enableIndexCompression: boolean;
  blockAlign: boolean;
}

/** RocksDB's defaults. */
export const defaultTableOptions: Readonly<TableOptions> = {
  formatVersion: 5,
  checksum: 'xxh3',
  compression: 'snappy',
  compressionOptions: {},
  blockSize: 4096,
  blockSizeDeviation: 10,
  blockRestartInterval: 16,
  indexBlockRestartInterval: 1,
  metadataBlockSize: 4096,
  indexType: 'binarySearch',
  dataBlockIndexType: 'binarySearch',
  dataBlockHashTableUtilRatio: 0.75,
  filterPolicy: undefined,
  filterLevel: Number.POSITIVE_INFINITY,
  skipFilters: false,
  wholeKeyFiltering: true,
  partitionFilters: false,
  enableIndexCompression: true,
  blockAlign: false,
};
