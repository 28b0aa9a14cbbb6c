/**
 * How compressed blocks carry their uncompressed size: a varint32 before most codecs' bytes, eight bytes or nothing in
 * tables of format_version 0 and 1, and snappy's own header.
 */
import { getFixed32, setVarint, varintSize } from '../base/coding.ts';
import { corruption } from '../base/db-error.ts';
import { type Codec, type CodecOptions, CompressionId, malformed, uncompressedSizeLimit } from './codec.ts';

/** What stands before a codec's bytes. */
export interface SizePrefix {
  /** `undefined`: not stored, only decompressing tells (zlib and bzip2 before format_version 2). */
  readonly uncompressedSize: number | undefined;
  /** Offset of the codec's bytes. */
  readonly payloadAt: number;
}

/** format_version from which every codec has a varint32 before it. */
const FIRST_PREFIXED_VERSION = 2;
/** Bytes of the size before LZ4 of older versions, of which the low four count. */
const OLD_LZ4_PREFIX = 8;

/** Reads the prefix of a stored block. CORRUPTION when it is malformed or claims more than the codec can make. */
export function readSizePrefix(codec: Codec, id: number, stored: Uint8Array, formatVersion: number): SizePrefix {
  let size: number;
  let payloadAt: number;
  if (formatVersion < FIRST_PREFIXED_VERSION && (codec.type === 'zlib' || codec.type === 'bzip2')) {
    return { uncompressedSize: undefined, payloadAt: 0 };
  }
  if (formatVersion < FIRST_PREFIXED_VERSION && (codec.type === 'lz4' || codec.type === 'lz4hc')) {
    if (stored.length < OLD_LZ4_PREFIX) throw malformed(codec.type, `no size in ${stored.length} bytes`);
    size = getFixed32(stored, 0);
    payloadAt = OLD_LZ4_PREFIX;
  } else {
    size = 0;
    let scale = 1;
    for (payloadAt = 0; ; scale *= 128) {
      const byte = stored[payloadAt++];
      if (byte === undefined || payloadAt > 5) throw malformed(codec.type, 'bad size prefix');
      size += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    if (id === CompressionId.snappy) payloadAt = 0;
  }
  const limit = uncompressedSizeLimit(codec.type, stored.length);
  if (size > limit) throw malformed(codec.type, `${stored.length} bytes claim ${size}, at most ${limit} are possible`);
  return { uncompressedSize: size, payloadAt };
}

/**
 * Compresses `source` into `target` with the size prefix of format_version 2 and later. The bytes stored, or 0 when they
 * would not be fewer than 7/8 of the source: then the block is stored as it is. `target` should have room for
 * `compressionRoom` bytes: in kernel memory the kernel's codecs then write to it directly.
 */
export function compressBlock(codec: Codec, source: Uint8Array, target: Uint8Array, options: CodecOptions): number {
  const limit = source.length - Math.floor(source.length / 8) - 1;
  const prefix = codec.type === 'snappy' ? 0 : varintSize(source.length);
  if (limit <= prefix) return 0;
  const size = codec.compress(source, target.subarray(prefix), options);
  if (size === 0 || prefix + size > limit) return 0;
  if (prefix > 0) setVarint(target, 0, source.length);
  return prefix + size;
}

/** Room for `compressBlock` with which no codec needs working space of its own: the worst case of snappy and LZ4. */
export function compressionRoom(size: number): number {
  return size + Math.ceil(size / 6) + 64;
}

/** Decompresses a block without a stored size; the bytes are owned by the caller. */
export function decompressUnsized(codec: Codec, stored: Uint8Array): Uint8Array {
  if (codec.decompressUnsized === undefined) throw corruption(`${codec.type} block without a size`);
  return codec.decompressUnsized(stored, uncompressedSizeLimit(codec.type, stored.length));
}
