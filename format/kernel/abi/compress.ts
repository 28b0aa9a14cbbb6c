/**
 * What `assembly/snappy.ts`, `assembly/lz4.ts` and `assembly/lz4hc.ts` export: raw block formats, from and to kernel memory. Inputs are made
 * with slack (README); decompression is safe on any input. RocksDB's own length prefixes are not part of this.
 */
export interface CompressExports {
  /** Bytes that compressing `size` bytes may take; 0 if the input is too long. */
  snappyCompressedSizeMax(size: number): number;
  /** Compresses into `out` (`snappyCompressedSizeMax` bytes of room) and returns the size; 0 when out of memory. */
  snappyCompress(from: number, size: number, out: number): number;
  /** The uncompressed length that the input claims; -1 if it has none or one above 2^31 - 1. */
  snappyUncompressedSize(from: number, size: number): number;
  /** Decompresses into `out` and returns the length; -1 if the input is corrupt or longer than `capacity`. */
  snappyDecompress(from: number, size: number, out: number, capacity: number): number;

  /** Bytes that compressing `size` bytes may take, with either compressor of LZ4; 0 if the input is too long. */
  lz4CompressedSizeMax(size: number): number;
  /**
   * Compresses into `out` (`lz4CompressedSizeMax` bytes of room) and returns the size; 0 when out of memory. The
   * `dictionarySize` bytes directly before `from` serve as dictionary; 0 for none.
   */
  lz4Compress(from: number, size: number, out: number, dictionarySize: number): number;
  /**
   * As `lz4Compress`, slower and smaller. `level`: 3 (fast) to 12 (smallest) as LZ4HC counts them; below 1 its default 9, 1
   * and 2 less than 3, above 12 as 12.
   */
  lz4hcCompress(from: number, size: number, out: number, level: number, dictionarySize: number): number;
  /**
   * Decompresses into `out` and returns the length; -1 if the input is corrupt or does not fit `capacity` (the format does
   * not tell its length). `dictionary` lies anywhere; its size is 0 for none.
   */
  lz4Decompress(
    from: number,
    size: number,
    out: number,
    capacity: number,
    dictionary: number,
    dictionarySize: number,
  ): number;
}
