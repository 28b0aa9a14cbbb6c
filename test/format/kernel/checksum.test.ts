/** Checksums and hashes: the golden vectors of the C++ library, other implementations, and plain references. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createXXHash3, createXXHash32, createXXHash64 } from 'hash-wasm';
import { describe, expect, test } from 'vitest';
import xxhash from 'xxhash-wasm';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PROJECT_ROOT } from '../../support/source-files.ts';
import { PoisonedBuffer } from './poisoned-buffer.ts';
import { crc32cReference, maskReference } from './reference/crc32c.ts';
import { hash32Reference, hash64Reference } from './reference/filter-hash.ts';

interface Vector {
  len: number;
  hash64: string;
  xxh3Final: string;
  xxh64: string;
  xxh32: number;
  crc32c: number;
  crc32cMasked: number;
  bloomHash: number;
  sliceHash: number;
  checksumBlock: number[];
  checksumWhole: number[];
}

const BLOOM_SEED = 0xbc9f1d34;
const kernel = getKernel();
const x = kernel.x;

function hex64(low: number): string {
  return ((BigInt(x.hashHigh() >>> 0) << 32n) | BigInt(low >>> 0)).toString(16).padStart(16, '0');
}

describe('checksums and hashes', () => {
  const path = join(PROJECT_ROOT, 'test/fixtures/hash-vectors.json');
  const { vectors } = JSON.parse(readFileSync(path, 'utf8')) as { vectors: Vector[] };

  test('give the golden vectors', () => {
    expect(vectors.length).toBe(60);
    for (const vector of vectors) {
      const { len } = vector;
      const input = Uint8Array.from({ length: len }, (_, i) => i * 131 + 17);
      const buffer = new PoisonedBuffer(kernel, len + 1).set(input);
      const { at } = buffer;
      expect({
        len,
        hash64: hex64(x.hash64(at, len)),
        xxh3Final: hex64(x.xxh3(at, len)),
        xxh64: hex64(x.xxh64(at, len)),
        xxh32: x.xxh32(at, len) >>> 0,
        crc32c: x.crc32c(at, len) >>> 0,
        crc32cMasked: x.crc32cMask(x.crc32c(at, len)) >>> 0,
        bloomHash: x.hash32(at, len, BLOOM_SEED) >>> 0,
        sliceHash: x.hash32(at, len, 397) >>> 0,
        checksumWhole: [0, 1, 2, 3, 4].map((type) => x.bufferChecksum(type, at, len) >>> 0),
        checksumBlock: [0, 1, 2, 3, 4].map((type) => x.blockChecksum(type, at, len, 1) >>> 0),
      }).toEqual({ ...vector, hash64Seed42: undefined });
      buffer.expectUntouched(len + 1);
      buffer.free();
    }
  });

  test('agree with other implementations at every length up to 2100', async () => {
    const random = new Random(seedFor(41));
    const [xxh3, xxh32, xxh64, other] = await Promise.all([
      createXXHash3(),
      createXXHash32(),
      createXXHash64(),
      xxhash(),
    ]);
    const buffer = new PoisonedBuffer(kernel, 2200);
    for (let length = 0; length <= 2100; length++) {
      const bytes = random.bytes(length);
      const at = buffer.at + random.below(64);
      kernel.copyIn(bytes, at);
      expect(hex64(x.xxh3(at, length))).toBe(xxh3.init().update(bytes).digest('hex'));
      expect(hex64(x.xxh64(at, length))).toBe(xxh64.init().update(bytes).digest('hex'));
      expect((x.xxh32(at, length) >>> 0).toString(16).padStart(8, '0')).toBe(xxh32.init().update(bytes).digest('hex'));
      expect(hex64(x.xxh64(at, length))).toBe(other.h64Raw(bytes).toString(16).padStart(16, '0'));
    }
    buffer.free();
  });

  test('CRC-32C agrees with the bitwise sum at every length, in one piece and in two', () => {
    const random = new Random(seedFor(42));
    const buffer = new PoisonedBuffer(kernel, 30_000);
    const lengths = [...Array.from({ length: 2101 }, (_, i) => i), 6143, 6144, 6145, 12_288, 13_057, 20_000, 29_000];
    for (const length of lengths) {
      const bytes = random.bytes(length);
      const at = buffer.at + random.below(16);
      kernel.copyIn(bytes, at);
      const expected = crc32cReference(bytes);
      expect(x.crc32c(at, length) >>> 0).toBe(expected);
      const cut = random.below(length + 1);
      expect(x.crc32cExtend(x.crc32c(at, cut), at + cut, length - cut) >>> 0).toBe(expected);
      expect(x.crc32cMask(expected) >>> 0).toBe(maskReference(expected));
      expect(x.crc32cUnmask(maskReference(expected)) >>> 0).toBe(expected);
    }
    buffer.free();
  });

  test('the hashes of filters agree with their references', () => {
    const random = new Random(seedFor(43));
    const buffer = new PoisonedBuffer(kernel, 5000);
    const lengths = [...Array.from({ length: 1300 }, (_, i) => i), 2048, 2049, 3071, 3072, 3136, 4096, 4900];
    for (const length of lengths) {
      const bytes = random.bytes(length);
      const at = buffer.at + random.below(64);
      kernel.copyIn(bytes, at);
      expect(hex64(x.hash64(at, length))).toBe(hash64Reference(bytes).toString(16).padStart(16, '0'));
      for (const seed of [BLOOM_SEED, 397, random.nextUint32()]) {
        expect(x.hash32(at, length, seed) >>> 0).toBe(hash32Reference(bytes, seed));
        expect(x.hash32Unsigned(at, length, seed) >>> 0).toBe(hash32Reference(bytes, seed, true));
      }
    }
    buffer.free();
  });

  test('any flipped bit changes every block checksum', () => {
    const random = new Random(seedFor(44));
    const size = 300;
    const buffer = new PoisonedBuffer(kernel, size + 1).set(random.bytes(size));
    for (const type of [1, 2, 3, 4]) {
      const before = x.blockChecksum(type, buffer.at, size, 1);
      for (let bit = 0; bit < size * 8; bit++) {
        const at = buffer.at + (bit >> 3);
        kernel.u8[at]! ^= 1 << (bit & 7);
        expect(x.blockChecksum(type, buffer.at, size, 1)).not.toBe(before);
        kernel.u8[at]! ^= 1 << (bit & 7);
      }
      expect(x.blockChecksum(type, buffer.at, size, 0)).not.toBe(before);
      expect(x.blockChecksum(type, buffer.at, size, 1)).toBe(before);
    }
    buffer.free();
  });
});
