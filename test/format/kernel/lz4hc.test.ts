/** LZ4's slow compressor: never larger than the fast one, read by every decoder, whatever level, input and dictionary. */

import * as lz4 from 'lz4-wasm-nodejs';
import { describe, expect, test } from 'vitest';
import { findCodec } from '../../../format/compression/codec-registry.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PoisonedBuffer } from './poisoned-buffer.ts';
import { INPUT_KINDS, randomInput } from './reference/compressible-input.ts';
import { lz4Reference } from './reference/lz4.ts';

const kernel = getKernel();
const x = kernel.x;
const NONE = new Uint8Array();
const LEVEL_DEFAULT = 0;

type Compressor = (from: number, size: number, out: number, dictionarySize: number) => number;

function compressWith(compressor: Compressor, input: Uint8Array, dictionary: Uint8Array): Uint8Array {
  const from = new PoisonedBuffer(kernel, dictionary.length + input.length);
  from.set(Buffer.concat([dictionary, input]));
  const to = new PoisonedBuffer(kernel, x.lz4CompressedSizeMax(input.length));
  const size = compressor(from.at + dictionary.length, input.length, to.at, dictionary.length);
  expect(size).toBeGreaterThan(0);
  const output = to.get(size);
  to.expectUntouched(to.size);
  from.free();
  to.free();
  return output;
}

function compress(input: Uint8Array, level = LEVEL_DEFAULT, dictionary: Uint8Array = NONE): Uint8Array {
  return compressWith((from, size, out, words) => x.lz4hcCompress(from, size, out, level, words), input, dictionary);
}

function compressFast(input: Uint8Array): Uint8Array {
  return compressWith(x.lz4Compress, input, NONE);
}

function decompress(block: Uint8Array, size: number, dictionary: Uint8Array = NONE): Uint8Array | undefined {
  const from = new PoisonedBuffer(kernel, block.length).set(block);
  const words = new PoisonedBuffer(kernel, dictionary.length).set(dictionary);
  const to = new PoisonedBuffer(kernel, size);
  const written = x.lz4Decompress(from.at, block.length, to.at, size, words.at, dictionary.length);
  to.expectUntouched(size);
  const output = written === size ? to.get(size) : undefined;
  from.free();
  words.free();
  to.free();
  return output;
}

function theirDecompress(block: Uint8Array, size: number): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(size);
  return lz4.decompress(Buffer.concat([head, block]));
}

/** Lines with words and numbers that repeat near and far. */
function text(random: Random, size: number): Uint8Array {
  const lines: string[] = [];
  for (let length = 0; length < size; length += lines.at(-1)!.length) {
    lines.push(`{"id":${random.below(1e6)},"name":"user${random.below(500)}","active":${random.oneIn(2)}}\n`);
  }
  return Buffer.from(lines.join('')).subarray(0, size);
}

describe('LZ4HC', () => {
  test('blocks of every level are read by the kernel, another implementation and a plain decoder', () => {
    const random = new Random(seedFor(81));
    for (let i = 0; i < 1500; i++) {
      const size = i < 300 ? i + 1 : 1 + random.below(random.oneIn(50) ? 200_000 : 6000);
      const input = randomInput(random, i % INPUT_KINDS, size);
      const block = compress(input, random.between(-1, 13));
      expect(Buffer.compare(theirDecompress(block, size), input)).toBe(0);
      expect(Buffer.compare(decompress(block, size)!, input)).toBe(0);
      if (size < 1000) expect(Buffer.compare(Uint8Array.from(lz4Reference(block, size, NONE)!), input)).toBe(0);
    }
  });

  test('no input becomes larger than the fast compressor makes it, at no level from 3 on', () => {
    const random = new Random(seedFor(82));
    for (let i = 0; i < 700; i++) {
      const size = random.between(1, random.oneIn(30) ? 200_000 : 8000);
      const input = i % 7 === 6 ? text(random, size) : randomInput(random, i % 7, size);
      expect(compress(input, random.between(3, 12)).length).toBeLessThanOrEqual(compressFast(input).length);
    }
  });

  test('blocks of text are a tenth smaller than those of the fast compressor, and a higher level does not enlarge them', () => {
    const random = new Random(seedFor(83));
    for (const size of [16_384, 65_536, 300_000]) {
      const input = text(random, size);
      expect(compress(input).length).toBeLessThan(compressFast(input).length * 0.9);
      const sizes = [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((level) => compress(input, level).length);
      for (let i = 1; i < sizes.length; i++) expect(sizes[i]).toBeLessThanOrEqual(sizes[i - 1]!);
      expect(sizes.at(-1)).toBeLessThan(sizes[1]!);
    }
  });

  test('levels mean what LZ4HC means by them: 9 by default, 12 at most', () => {
    const input = text(new Random(seedFor(84)), 100_000);
    const nine = compress(input, 9);
    for (const level of [0, -5]) expect(Buffer.compare(compress(input, level), nine)).toBe(0);
    expect(Buffer.compare(compress(input, 99), compress(input, 12))).toBe(0);
    const target = new Uint8Array(input.length);
    const stored = (level?: number) => findCodec('lz4hc').compress(input, target, { level });
    expect(stored()).toBe(nine.length);
    expect(stored(32767)).toBe(nine.length);
    expect(stored(3)).toBe(compress(input, 3).length);
    expect(stored(12)).toBeLessThan(nine.length);
    expect(nine.length).toBeLessThan(findCodec('lz4').compress(input, target, {}));
  });

  test('matches across segments, at the far end of the window and of any length come back', () => {
    const random = new Random(seedFor(85));
    for (const distance of [15_300, 16_383, 16_384, 16_385, 65_534, 65_535, 65_536, 65_537, 131_072]) {
      const phrase = random.bytes(400);
      const input = Buffer.concat([phrase, random.bytes(distance - 400), phrase, random.bytes(20)]);
      const block = compress(input);
      expect(Buffer.compare(decompress(block, input.length)!, input)).toBe(0);
      // Random bytes grow by one in 255 for their length.
      const found = block.length < input.length + input.length / 255 - 300;
      expect(found).toBe(distance <= 65_535);
    }
    for (const run of [63, 64, 65, 511, 512, 4095, 4096, 16_384, 300_000]) {
      const input = Buffer.concat([random.bytes(50), new Uint8Array(run).fill(7), random.bytes(50)]);
      for (const level of [3, 9, 12]) {
        const block = compress(input, level);
        expect(Buffer.compare(decompress(block, input.length)!, input)).toBe(0);
        expect(block.length).toBeLessThanOrEqual(110 + Math.ceil(run / 255));
      }
    }
  });

  test('a dictionary helps and is needed', () => {
    const random = new Random(seedFor(86));
    for (let i = 0; i < 300; i++) {
      const dictionary = randomInput(random, 2, random.between(100, random.oneIn(20) ? 100_000 : 3000));
      const from = Math.max(random.below(dictionary.length - 60), dictionary.length - 60_000);
      const input = Buffer.concat([dictionary.subarray(from), randomInput(random, i % INPUT_KINDS, random.below(500))]);
      const block = compress(input, random.between(3, 12), dictionary);
      expect(block.length).toBeLessThan(compress(input).length);
      expect(Buffer.compare(decompress(block, input.length, dictionary)!, input)).toBe(0);
      expect(decompress(block, input.length)).toBeUndefined();
    }
  });

  test('damaged blocks are answered like a plain decoder does', () => {
    const random = new Random(seedFor(87));
    for (let i = 0; i < 4000; i++) {
      const input = randomInput(random, i % INPUT_KINDS, 1 + random.below(400));
      const block = compress(input);
      for (let n = random.below(4); n >= 0; n--) block[random.below(block.length)] = random.below(256);
      const expected = lz4Reference(block, input.length, NONE);
      const right = expected !== undefined && expected.length === input.length;
      const got = decompress(block, input.length);
      if (right) expect(Buffer.compare(got!, Uint8Array.from(expected))).toBe(0);
      else expect(got).toBeUndefined();
    }
  });
});
