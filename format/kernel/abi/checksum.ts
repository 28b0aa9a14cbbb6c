/** What `assembly/checksum.ts`, `crc32c.ts` and `filter-hash.ts` export. All take an address and a size; seeds are 0. */
export interface ChecksumExports {
  /** The unmasked CRC-32C. */
  crc32c(at: number, size: number): number;
  /** Continues an unmasked CRC-32C over more bytes. */
  crc32cExtend(crc: number, at: number, size: number): number;
  /** The form in which log and block formats store a CRC. */
  crc32cMask(crc: number): number;
  /** The CRC that a masked one stands for. */
  crc32cUnmask(masked: number): number;
  /**
   * The stored checksum of a block: type 0 none, 1 masked CRC-32C, 2 xxHash, 3 xxHash64, 4 XXH3 (0 for others), over the
   * bytes and the compression type. Writes that byte to `at + size`, its place in the file, so a byte must be free there.
   */
  blockChecksum(type: number, at: number, size: number, compressionType: number): number;
  /** The checksum of a type over a whole buffer (the footer of newer files): its last byte plays the compression type. */
  bufferChecksum(type: number, at: number, size: number): number;
  /** XXH32. */
  xxh32(at: number, size: number): number;
  /** XXH64: the low half; `hashHigh()` is the other. */
  xxh64(at: number, size: number): number;
  /** XXH3 of xxHash 0.8: the low half; `hashHigh()` is the other. */
  xxh3(at: number, size: number): number;
  /** RocksDB's `Hash64`, the preview of XXH3 that filters use: the low half; `hashHigh()` is the other. */
  hash64(at: number, size: number): number;
  /** The high half of the last 64-bit hash of this thread. */
  hashHigh(): number;
  /** RocksDB's Murmur-like `Hash`: seed 0xbc9f1d34 for legacy Bloom filters, 397 for the data-block hash index. */
  hash32(at: number, size: number, seed: number): number;
  /** LevelDB's `Hash`: the same with an unsigned tail. */
  hash32Unsigned(at: number, size: number, seed: number): number;
}
