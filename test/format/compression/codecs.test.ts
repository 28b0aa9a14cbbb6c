/**
 * Every codec against the C library or another implementation of it, both ways; and against hostile bytes: the right
 * result or CORRUPTION, nothing else, and no claim believed that the stored bytes cannot hold.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { spawnSync } from 'node:child_process';
import { compress as lz4Compress, decompress as lz4Decompress } from 'lz4-wasm-nodejs';
import { compressSync as snappyCompress, uncompressSync as snappyUncompress } from 'snappy';
import { describe, expect, test } from 'vitest';
import { DBError } from '../../../format/base/db-error.ts';
import {
  compressBlock,
  compressionRoom,
  decompressUnsized,
  readSizePrefix,
} from '../../../format/compression/block-compression.ts';
import {
  type Codec,
  type CodecType,
  CompressionId,
  MAX_BLOCK_SIZE,
  takesDictionary,
} from '../../../format/compression/codec.ts';
import { findCodec, findCodecById } from '../../../format/compression/codec-registry.ts';
import { decompressZstdFrames, makeZstd } from '../../../format/compression/zstd.ts';
import { heedsDictionaries, makeWasmZstd } from '../../../format/compression/zstd-engine.ts';
import { listZstdFrames } from '../../../format/compression/zstd-frame.ts';
import { Random, seedFor } from '../../support/random.ts';

const types: readonly CodecType[] = ['snappy', 'zlib', 'bzip2', 'lz4', 'lz4hc', 'zstd'];

function samples(): Uint8Array[] {
  const random = new Random(seedFor(20261));
  const sizes = [1, 2, 3, 15, 16, 17, 64, 100, 255, 1000, 4096, 5000, 65535, 65536, 70000, 300_000];
  const all = sizes.flatMap((size) => [random.bytes(size, true), new Uint8Array(size).fill(97)]);
  return [...all, random.bytes(4096), Buffer.from('key000001value000001key000002value000002'.repeat(99))];
}

function compressed(codec: Codec, source: Uint8Array): Uint8Array {
  const target = new Uint8Array(compressionRoom(source.length) + 1024);
  const size = codec.compress(source, target, {});
  expect(size).toBeGreaterThan(0);
  return target.slice(0, size);
}

function decompressed(codec: Codec, source: Uint8Array, size: number, dictionary?: Uint8Array): Uint8Array {
  const target = new Uint8Array(size);
  codec.decompress(source, target, dictionary);
  return target;
}

function same(actual: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(actual, expected)).toBe(0);
}

/** Our bytes by them and their bytes by us; `empty` where even no bytes have a form. */
function bothWays(
  codec: Codec,
  theirs: { compress(b: Uint8Array): Uint8Array; decompress(b: Uint8Array, size: number): Uint8Array },
) {
  for (const sample of samples()) {
    same(theirs.decompress(compressed(codec, sample), sample.length), sample);
    same(decompressed(codec, theirs.compress(sample), sample.length), sample);
  }
}

test('S66 snappy: golden vectors and random blocks agree with the C library, both ways', () => {
  const codec = findCodec('snappy');
  bothWays(codec, {
    compress: (bytes) => snappyCompress(Buffer.from(bytes)),
    decompress: (bytes) => snappyUncompress(Buffer.from(bytes)) as Buffer,
  });
  // 10 bytes: varint length, a literal of 4, a copy of 6 at distance 4.
  same(decompressed(codec, Uint8Array.of(10, 0x0c, 97, 98, 99, 100, 0x09, 4), 10), Buffer.from('abcdabcdab'));
});

test('S67 zlib: golden vectors and random blocks agree with zlib, raw deflate in a window of 14 bits', () => {
  const codec = findCodec('zlib');
  bothWays(codec, {
    compress: (bytes) => deflateRawSync(bytes, { windowBits: 14 }),
    decompress: (bytes) => inflateRawSync(bytes, { windowBits: 14 }),
  });
  // RFC 1951: a final stored block of "abc".
  same(decompressed(codec, Uint8Array.of(1, 3, 0, 0xfc, 0xff, 97, 98, 99), 3), Buffer.from('abc'));
});

test('S68 bzip2: golden vector, and our streams are read by bzip2 and its by us', () => {
  const codec = findCodec('bzip2');
  // printf 'hello hello hello' | bzip2 -1
  const golden = Buffer.from(
    '425a68313141592653599e625bfe000002910040000244a000211460668291ef23470bb9229c28484f312dff00',
    'hex',
  );
  const text = Buffer.from('hello hello hello');
  const installed = spawnSync('bzip2', ['--version'], { input: '' }).error === undefined;
  if (!installed) process.stderr.write('\n*** bzip2 is not installed: only the golden vector is checked ***\n');
  const run = (args: string[], input: Uint8Array) => spawnSync('bzip2', args, { input, maxBuffer: 1 << 26 }).stdout;
  if (installed) expect(Buffer.from(golden).toString('hex')).toBe(run(['-1'], text).toString('hex'));
  same(decompressed(codec, golden, text.length), text);
  same(compressed(codec, text), golden);
  for (const sample of installed ? samples() : []) {
    same(run(['-d'], compressed(codec, sample)), sample);
    same(decompressed(codec, run(['-1'], sample), sample.length), sample);
  }
});

test('lz4 and lz4hc: random blocks agree with another implementation, both ways', () => {
  for (const type of ['lz4', 'lz4hc'] as const) {
    bothWays(findCodec(type), {
      compress: (bytes) => lz4Compress(bytes).subarray(4),
      decompress(bytes, size) {
        const prefixed = Buffer.concat([Buffer.alloc(4), bytes]);
        prefixed.writeUInt32LE(size, 0);
        return lz4Decompress(prefixed);
      },
    });
  }
});

describe('zstd', () => {
  test('both engines read what either writes, and frames joined are read as one', () => {
    const wasm = makeZstd(makeWasmZstd());
    const other = findCodec('zstd');
    for (const sample of samples()) {
      same(decompressed(wasm, compressed(other, sample), sample.length), sample);
      same(decompressed(other, compressed(wasm, sample), sample.length), sample);
    }
    const parts = samples().slice(0, 12);
    const frames = Buffer.concat(parts.map((part) => compressed(wasm, part)));
    same(decompressZstdFrames(frames, 1 << 24), Buffer.concat(parts));
  });

  test('a frame may stand for no more than its blocks can hold, nor for more than the limit', () => {
    const frame = compressed(findCodec('zstd'), new Uint8Array(5000).fill(1));
    expect(listZstdFrames(frame)).toEqual([{ start: 0, end: frame.length, bound: 5000 }]);
    expect(() => decompressZstdFrames(frame, 4999)).toThrow(DBError);
    // Magic, single segment with an 8-byte size of 2^40, one last run-length block of 5 bytes.
    const bomb = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 0x2b, 0, 0, 65);
    expect(() => listZstdFrames(bomb)).toThrow(/claims 1099511627776 bytes/);
  });
});

describe('dictionaries', () => {
  const random = new Random(seedFor(4711));
  const record = (i: number): string => `{"id":${i},"name":"user ${i * 7919}","mail":"u${i}@example.com","ok":true}`;
  const block = (first: number): Uint8Array =>
    Buffer.from(Array.from({ length: 2 }, (_, i) => record(first + i)).join());
  const dictionaries = [
    Buffer.from(record(1)),
    Buffer.from(Array.from({ length: 60 }, (_, i) => record(i)).join()),
    Buffer.concat([random.bytes(100_000), Buffer.from(record(3))]),
    random.bytes(1),
    random.bytes(7),
  ];

  /** Compresses with each dictionary in turn, then with each once more, so that what is kept of the last one is tried. */
  function withDictionaries(compress: Codec, decompress: Codec): void {
    for (const dictionary of [...dictionaries, ...dictionaries.slice(0, 2)]) {
      for (const source of [block(1000), block(2000), ...samples()]) {
        const target = new Uint8Array(compressionRoom(source.length) + 1024);
        const size = compress.compress(source, target, { dictionary });
        expect(size).toBeGreaterThan(0);
        same(decompressed(decompress, target.subarray(0, size), source.length, dictionary), source);
      }
    }
  }

  function sizeWith(codec: Codec, source: Uint8Array, dictionary: Uint8Array | undefined): number {
    return codec.compress(source, new Uint8Array(4096), { dictionary });
  }

  test.each(types.filter((type) => takesDictionary[type]))('%s refers to one, and ours are read again', (type) => {
    const codec = findCodec(type);
    withDictionaries(codec, codec);
    const plain = sizeWith(codec, block(1000), undefined);
    expect(sizeWith(codec, block(1000), dictionaries[1])).toBeLessThan(plain * 0.8);
    // What matters of a dictionary that is longer than what a codec can refer to is its end.
    expect(sizeWith(codec, block(1000), dictionaries[2])).toBeLessThan(plain);
    expect(sizeWith(codec, block(1000), undefined)).toBe(plain);
  });

  test('either engine of zstd reads what the other wrote', () => {
    const wasm = makeZstd(makeWasmZstd());
    withDictionaries(wasm, findCodec('zstd'));
    withDictionaries(findCodec('zstd'), wasm);
  });

  test('an engine of zstd that passes over dictionaries is found out', () => {
    const wasm = makeWasmZstd();
    expect(heedsDictionaries(wasm)).toBe(true);
    expect(heedsDictionaries({ compress: (source, level) => wasm.compress(source, level, undefined) })).toBe(false);
  });

  test('zlib inflates them with the dictionary preset in a window of 14 bits, and not without', () => {
    const target = new Uint8Array(4096);
    const dictionary = dictionaries[1]!;
    const stored = target.subarray(0, findCodec('zlib').compress(block(1000), target, { dictionary }));
    same(inflateRawSync(stored, { windowBits: 14, dictionary }), block(1000));
    expect(() => inflateRawSync(stored, { windowBits: 14 })).toThrow(/invalid distance/);
  });

  test.each(types.filter((type) => !takesDictionary[type]))('%s ignores one', (type) => {
    const codec = findCodec(type);
    expect(sizeWith(codec, block(1), dictionaries[1])).toBe(sizeWith(codec, block(1), undefined));
  });
});

describe('blocks', () => {
  test('every codec keeps a block only if it saves an eighth, its size prefix counted', () => {
    const random = new Random(seedFor(77));
    for (const type of types) {
      const codec = findCodec(type);
      for (const source of [random.bytes(5000), random.bytes(5000, true), new Uint8Array(5000), new Uint8Array(1)]) {
        const target = new Uint8Array(compressionRoom(source.length));
        const size = compressBlock(codec, source, target, {});
        expect(size === 0 || size < source.length - Math.floor(source.length / 8)).toBe(true);
        if (size === 0) continue;
        const stored = target.subarray(0, size);
        const prefix = readSizePrefix(codec, CompressionId[type], stored, 5);
        expect(prefix.uncompressedSize).toBe(source.length);
        same(decompressed(codec, stored.subarray(prefix.payloadAt), source.length), source);
      }
    }
  });

  test('blocks of format_version 1 have the size of LZ4 in eight bytes and none for zlib and bzip2', () => {
    const source = new Uint8Array(3000).fill(5);
    for (const type of ['zlib', 'bzip2'] as const) {
      const codec = findCodec(type);
      const stored = compressed(codec, source);
      expect(readSizePrefix(codec, CompressionId[type], stored, 1).uncompressedSize).toBeUndefined();
      same(decompressUnsized(codec, stored), source);
    }
    const lz4 = findCodec('lz4');
    const stored = Buffer.concat([Buffer.alloc(8), compressed(lz4, source)]);
    stored.writeUInt32LE(3000, 0);
    expect(readSizePrefix(lz4, CompressionId.lz4, stored, 1)).toEqual({ uncompressedSize: 3000, payloadAt: 8 });
  });

  test('a claim that the codec cannot make of so few bytes is refused before anything is allocated', () => {
    for (const type of types) {
      const codec = findCodec(type);
      const claim = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3);
      expect(() => readSizePrefix(codec, CompressionId[type], claim, 5)).toThrow(/claim 4294967295, at most/);
      expect(() => readSizePrefix(codec, CompressionId[type], Uint8Array.of(0x80, 0x80), 5)).toThrow(/bad size prefix/);
    }
    expect(MAX_BLOCK_SIZE).toBeLessThanOrEqual(2 ** 30);
  });

  test('a block of one value of 64 MiB that compresses to almost nothing passes every limit', () => {
    const source = new Uint8Array(64 << 20);
    for (const type of ['snappy', 'lz4', 'zlib', 'zstd'] as const) {
      const codec = findCodec(type);
      const target = new Uint8Array(compressionRoom(source.length));
      const size = compressBlock(codec, source, target, {});
      expect(size).toBeGreaterThan(0);
      expect(readSizePrefix(codec, CompressionId[type], target.subarray(0, size), 5).uncompressedSize).toBe(
        source.length,
      );
    }
  });

  test('unknown and unavailable types are told apart', () => {
    expect(() => findCodecById(6)).toThrow(/Compression type Xpress is not available/);
    expect(() => findCodecById(9)).toThrow(/unknown compression type 9/);
    expect(findCodecById(CompressionId.zstdNotFinal).type).toBe('zstd');
  });
});

test('damaged bytes give the right data or CORRUPTION, in every codec', () => {
  const random = new Random(seedFor(31337));
  const source = random.bytes(3000, true);
  for (const type of types) {
    const codec = findCodec(type);
    const good = compressed(codec, source);
    let refused = 0;
    for (let i = 0; i < (type === 'bzip2' ? 300 : 2000); i++) {
      const bad = good.slice(0, random.oneIn(4) ? random.below(good.length) : good.length);
      for (let flips = random.below(4); flips >= 0 && bad.length > 0; flips--) {
        bad[random.below(bad.length)]! ^= 1 << random.below(8);
      }
      const target = new Uint8Array(source.length);
      try {
        codec.decompress(bad, target);
      } catch (error) {
        expect(error).toBeInstanceOf(DBError);
        expect((error as DBError).code).toBe('CORRUPTION');
        refused++;
      }
      if (codec.decompressUnsized !== undefined) {
        try {
          codec.decompressUnsized(bad, 1 << 20);
        } catch (error) {
          expect((error as DBError).code).toBe('CORRUPTION');
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
    same(decompressed(codec, good, source.length), source);
  }
});
