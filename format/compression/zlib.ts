/**
 * zlib as raw deflate. RocksDB's reader inflates with a window of 14 bits, so larger ones are never written; reading
 * takes any window.
 */
import { deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { type Codec, type CodecOptions, type CodecType, malformed } from './codec.ts';

const type: CodecType = 'zlib';
const DEFAULT_LEVEL = 6;
const DEFAULT_WINDOW_BITS = 14;
/** The most: with the default of 8, blocks of 64 KiB that hardly compress take 40 % longer. Readers do not see it. */
const MEM_LEVEL = 9;

function settings(options: CodecOptions): ZlibOptions {
  const level = options.level === undefined || options.level > 9 || options.level < -1 ? DEFAULT_LEVEL : options.level;
  const windowBits = Math.min(14, Math.max(9, Math.abs(options.windowBits ?? DEFAULT_WINDOW_BITS)));
  const dictionary = options.dictionary === undefined ? {} : { dictionary: options.dictionary };
  return { level, windowBits, memLevel: MEM_LEVEL, ...dictionary };
}

function inflate(source: Uint8Array, limit: number, chunkSize: number, dictionary: Uint8Array | undefined): Uint8Array {
  const options: ZlibOptions = { maxOutputLength: Math.max(1, limit), chunkSize: Math.max(64, chunkSize) };
  if (dictionary !== undefined) options.dictionary = dictionary;
  try {
    return inflateRawSync(source, options);
  } catch (cause) {
    throw malformed(type, (cause as Error).message, cause);
  }
}

/** The codec; it has no state. */
export const zlib: Codec = {
  type,
  compress(source, target, options) {
    const result = deflateRawSync(source, settings(options));
    if (result.length > target.length) return 0;
    target.set(result);
    return result.length;
  },
  decompress(source, target, dictionary) {
    const result = inflate(source, target.length, target.length, dictionary);
    if (result.length !== target.length) {
      throw malformed(type, `expected ${target.length} bytes, found ${result.length}`);
    }
    target.set(result);
  },
  decompressUnsized: (source, limit) => inflate(source, limit, Math.min(limit, 16384), undefined),
};
