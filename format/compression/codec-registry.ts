/** Finds a codec by its stored id or by its name. Codecs are made at first use, once a thread. */
import { corruption, notSupported } from '../base/db-error.ts';
import { makeBzip2 } from './bzip2.ts';
import { type Codec, type CodecType, CompressionId, compressionNames } from './codec.ts';
import { makeLz4 } from './lz4.ts';
import { makeSnappy } from './snappy.ts';
import { zlib } from './zlib.ts';
import { makeZstd } from './zstd.ts';

const makers: Readonly<Record<CodecType, () => Codec>> = {
  snappy: makeSnappy,
  zlib: () => zlib,
  bzip2: makeBzip2,
  lz4: () => makeLz4('lz4'),
  lz4hc: () => makeLz4('lz4hc'),
  zstd: makeZstd,
};

const typesById: ReadonlyMap<number, CodecType> = new Map<number, CodecType>([
  [CompressionId.snappy, 'snappy'],
  [CompressionId.zlib, 'zlib'],
  [CompressionId.bzip2, 'bzip2'],
  [CompressionId.lz4, 'lz4'],
  [CompressionId.lz4hc, 'lz4hc'],
  [CompressionId.zstd, 'zstd'],
  [CompressionId.zstdNotFinal, 'zstd'],
]);

const made = new Map<CodecType, Codec>();

/** The codec of `type`. NOT_SUPPORTED when what it needs is not installed. */
export function findCodec(type: CodecType): Codec {
  let codec = made.get(type);
  if (codec === undefined) {
    codec = makers[type]();
    made.set(type, codec);
  }
  return codec;
}

/** The codec of a block trailer's type byte. NOT_SUPPORTED for a known one without codec, CORRUPTION for an unknown. */
export function findCodecById(id: number): Codec {
  const type = typesById.get(id);
  if (type !== undefined) return findCodec(type);
  const name = compressionNames.get(id);
  if (name !== undefined) throw notSupported(`Compression type ${name} is not available`);
  throw corruption(`Corrupted compressed block contents: unknown compression type ${id}`);
}
