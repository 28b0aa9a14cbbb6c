/**
 * What a block codec is, the ids and names under which RocksDB stores codecs, and how large a block may claim to be.
 * One codec is one file beside this one; `codec-registry.ts` finds it.
 */
import { corruption } from '../base/db-error.ts';

/** Codecs that can be read and written. The table options' `CompressionType` is this and 'none'. */
export type CodecType = 'snappy' | 'zlib' | 'bzip2' | 'lz4' | 'lz4hc' | 'zstd';

/** The compression type byte of a block trailer. Part of the format: never renumber. */
export const CompressionId = {
  none: 0,
  snappy: 1,
  zlib: 2,
  bzip2: 3,
  lz4: 4,
  lz4hc: 5,
  xpress: 6,
  zstd: 7,
  zstdNotFinal: 0x40,
} as const;

/** RocksDB's names of the ids, as the property `rocksdb.compression` has them. */
export const compressionNames: ReadonlyMap<number, string> = new Map([
  [CompressionId.none, 'NoCompression'],
  [CompressionId.snappy, 'Snappy'],
  [CompressionId.zlib, 'Zlib'],
  [CompressionId.bzip2, 'BZip2'],
  [CompressionId.lz4, 'LZ4'],
  [CompressionId.lz4hc, 'LZ4HC'],
  [CompressionId.xpress, 'Xpress'],
  [CompressionId.zstd, 'ZSTD'],
  [CompressionId.zstdNotFinal, 'ZSTDNotFinal'],
]);

/** Tuning of one compression; what is left out has the codec's default. */
export interface CodecOptions {
  readonly level?: number | undefined;
  readonly windowBits?: number | undefined;
  /**
   * What the block may refer to; ignored by codecs without dictionaries. The same object for every block of a table, never
   * changed: a codec keeps what it made of the last one.
   */
  readonly dictionary?: Uint8Array | undefined;
}

/** Whether blocks of the codec can refer to a dictionary. */
export const takesDictionary: Readonly<Record<CodecType, boolean>> = {
  snappy: false,
  zlib: true,
  bzip2: false,
  lz4: true,
  lz4hc: true,
  zstd: true,
};

/** Compresses and decompresses one block at a time, synchronously. Buffers may lie in the kernel's shared memory. */
export interface Codec {
  readonly type: CodecType;
  /** Compresses `source` into `target`; the bytes written, or 0 when the result does not fit. */
  compress(source: Uint8Array, target: Uint8Array, options: CodecOptions): number;
  /** Fills `target` exactly. CORRUPTION when the bytes are malformed or stand for another number of bytes. */
  decompress(source: Uint8Array, target: Uint8Array, dictionary?: Uint8Array): void;
  /**
   * For streams that carry no size and have none stored beside them (zlib and bzip2 of format_version 0 and 1): the
   * uncompressed bytes, owned by the caller. CORRUPTION when malformed or longer than `limit`.
   */
  decompressUnsized?(source: Uint8Array, limit: number): Uint8Array;
}

/** Uncompressed size from which on no block is believed, whatever its codec. */
export const MAX_BLOCK_SIZE = 2 ** 30;

/**
 * The most a stored byte can stand for, by codec. snappy: a 3-byte copy makes 64; LZ4: a length byte makes 255; deflate:
 * 258 bytes from two bits; zstd: a 4-byte run makes 128 KiB; bzip2: 255-byte runs inside 900 kB blocks (a round figure
 * above what its own compressor reaches). A block of one 256 MiB value passes, however well it compresses; a few stored
 * bytes can not claim megabytes.
 */
const maxRatio: Readonly<Record<CodecType, number>> = {
  snappy: 22,
  lz4: 256,
  lz4hc: 256,
  zlib: 1032,
  zstd: 32768,
  bzip2: 262144,
};

/** The largest uncompressed size that `storedSize` bytes may have; checked before anything is allocated. */
export function uncompressedSizeLimit(type: CodecType, storedSize: number): number {
  return Math.min(MAX_BLOCK_SIZE, (storedSize + 16) * maxRatio[type]);
}

/** The error of every codec for bytes that it can not decompress. */
export function malformed(type: CodecType, detail: string, cause?: unknown): Error {
  return corruption(`Corrupted compressed block contents: ${type}: ${detail}`, cause);
}
