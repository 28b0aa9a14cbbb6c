/** LZ4 in the kernel against another implementation, a plain decoder, dictionaries, and damaged input. */

import * as lz4 from 'lz4-wasm-nodejs';
import { describe, expect, test } from 'vitest';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PoisonedBuffer } from './poisoned-buffer.ts';
import { INPUT_KINDS, randomInput } from './reference/compressible-input.ts';
import { lz4Reference } from './reference/lz4.ts';

const kernel = getKernel();
const x = kernel.x;
const NONE = new Uint8Array();

function compress(input: Uint8Array, dictionary: Uint8Array = NONE): Uint8Array {
  const from = new PoisonedBuffer(kernel, dictionary.length + input.length);
  from.set(Buffer.concat([dictionary, input]));
  const to = new PoisonedBuffer(kernel, x.lz4CompressedSizeMax(input.length));
  const size = x.lz4Compress(from.at + dictionary.length, input.length, to.at, dictionary.length);
  expect(size).toBeGreaterThan(0);
  const output = to.get(size);
  to.expectUntouched(to.size);
  from.free();
  to.free();
  return output;
}

/** Decompresses into exactly `capacity` bytes; undefined when refused. The poison must survive. */
function decompress(
  input: Uint8Array,
  capacity: number,
  dictionary: Uint8Array = NONE,
  poison = 0xee,
): Uint8Array | undefined {
  const from = new PoisonedBuffer(kernel, input.length, poison).set(input);
  const words = new PoisonedBuffer(kernel, dictionary.length, poison).set(dictionary);
  const to = new PoisonedBuffer(kernel, capacity, poison);
  const size = x.lz4Decompress(from.at, input.length, to.at, capacity, words.at, dictionary.length);
  to.expectUntouched(capacity);
  const output = size < 0 ? undefined : to.get(size);
  from.free();
  words.free();
  to.free();
  return output;
}

/** The other implementation puts the length of the input before its blocks. */
function theirs(input: Uint8Array): Uint8Array {
  return lz4.compress(input).slice(4);
}

function theirDecompress(block: Uint8Array, size: number): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(size);
  return lz4.decompress(Buffer.concat([head, block]));
}

describe('LZ4', () => {
  test('blocks pass both ways between the kernel and another implementation', () => {
    const random = new Random(seedFor(71));
    for (let i = 0; i < 1200; i++) {
      const size = i < 300 ? i + 1 : 1 + random.below(random.oneIn(40) ? 200_000 : 6000);
      const input = randomInput(random, i % INPUT_KINDS, size);
      const block = compress(input);
      expect(Buffer.compare(theirDecompress(block, size), input)).toBe(0);
      expect(Buffer.compare(decompress(block, size)!, input)).toBe(0);
      expect(decompress(block, size - 1)).toBeUndefined();
      const other = theirs(input);
      expect(Buffer.compare(decompress(other, size)!, input)).toBe(0);
      expect(decompress(other, size + 100)?.length).toBe(size);
    }
  });

  test('the last match ends where the format wants it', () => {
    // Decoders may copy without care up to there: 5 literals at the end, no match begun in the last 12 bytes.
    for (let size = 1; size < 200; size++) {
      const block = compress(new Uint8Array(size).fill(97));
      const literals = block.length < 4 ? block[0]! >> 4 : 0;
      if (size <= 12) expect(literals === size || block.length === size + 1).toBe(true);
      else expect(block.subarray(block.length - 5).every((byte) => byte === 97)).toBe(true);
    }
  });

  test('an empty input is one token', () => {
    expect([...compress(NONE)]).toEqual([0]);
    expect(decompress(Uint8Array.of(0), 0)).toEqual(NONE);
    expect(decompress(NONE, 0)).toBeUndefined();
  });

  test('a dictionary helps and is needed', () => {
    const random = new Random(seedFor(72));
    for (let i = 0; i < 400; i++) {
      const dictionary = randomInput(random, 2, random.between(100, random.oneIn(20) ? 100_000 : 3000));
      const from = random.below(dictionary.length - 60);
      const tail = randomInput(random, i % INPUT_KINDS, random.below(500));
      const input = Buffer.concat([dictionary.subarray(Math.max(from, dictionary.length - 60_000)), tail]);
      const block = compress(input, dictionary);
      expect(block.length).toBeLessThan(compress(input).length);
      expect(Buffer.compare(decompress(block, input.length, dictionary)!, input)).toBe(0);
      expect(decompress(block, input.length)).toBeUndefined();
    }
  });

  test('compresses about as well as the other implementation', () => {
    const random = new Random(seedFor(73));
    for (const size of [4096, 16_384, 65_536, 300_000]) {
      const input = randomInput(random, 0, size);
      expect(compress(input).length).toBeLessThan(theirs(input).length * 1.05);
    }
    expect(compress(new Uint8Array(100_000)).length).toBeLessThan(500);
  });

  test('20,000 damaged blocks are answered like a plain decoder does, from their own bytes alone', () => {
    const random = new Random(seedFor(74));
    let accepted = 0;
    for (let i = 0; i < 20_000; i++) {
      const input = randomInput(random, i % INPUT_KINDS, 1 + random.below(400));
      const dictionary = random.oneIn(3) ? random.bytes(random.below(100)) : NONE;
      let block: Uint8Array = compress(input, dictionary);
      for (let n = random.below(4); n >= 0; n--) block[random.below(block.length)] = random.below(256);
      if (random.oneIn(4)) block = block.subarray(0, random.below(block.length + 1));
      const capacity = random.pick([input.length, 2000]);
      const expected = lz4Reference(block, capacity, dictionary);
      const got = decompress(block, capacity, dictionary, i % 2 === 0 ? 0x00 : 0xff);
      if (expected === undefined) expect(got).toBeUndefined();
      else {
        accepted++;
        expect(Buffer.compare(got!, Uint8Array.from(expected))).toBe(0);
      }
    }
    expect(accepted).toBeGreaterThan(200);
  });
});
