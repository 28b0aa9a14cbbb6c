/** Snappy in the kernel against the native library, a plain decoder, and damaged input. */

import * as native from 'snappy';
import { describe, expect, test } from 'vitest';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PoisonedBuffer } from './poisoned-buffer.ts';
import { INPUT_KINDS, randomInput } from './reference/compressible-input.ts';
import { snappyReference } from './reference/snappy.ts';

const x = getKernel().x;
const kernel = getKernel();

function compress(input: Uint8Array): Uint8Array {
  const from = new PoisonedBuffer(kernel, input.length).set(input);
  const to = new PoisonedBuffer(kernel, x.snappyCompressedSizeMax(input.length));
  const size = x.snappyCompress(from.at, input.length, to.at);
  expect(size).toBeGreaterThan(0);
  const output = to.get(size);
  to.expectUntouched(to.size);
  expect(Buffer.compare(from.get(), input)).toBe(0);
  from.free();
  to.free();
  return output;
}

/** Decompresses into exactly `capacity` bytes; undefined when refused. The poison must survive. */
function decompress(input: Uint8Array, capacity: number, poison = 0xee): Uint8Array | undefined {
  const from = new PoisonedBuffer(kernel, input.length, poison).set(input);
  const to = new PoisonedBuffer(kernel, capacity, poison);
  const size = x.snappyDecompress(from.at, input.length, to.at, capacity);
  to.expectUntouched(capacity);
  const output = size < 0 ? undefined : to.get(size);
  from.free();
  to.free();
  return output;
}

describe('snappy', () => {
  test('S66 snappy blocks pass both ways between the kernel and the native library', () => {
    const random = new Random(seedFor(61));
    for (let i = 0; i < 1200; i++) {
      const size = i < 300 ? i : random.below(random.oneIn(40) ? 200_000 : 6000);
      const input = randomInput(random, i % INPUT_KINDS, size);
      expect(Buffer.compare(native.uncompressSync(Buffer.from(compress(input))) as Buffer, input)).toBe(0);
      const theirs = native.compressSync(Buffer.from(input));
      expect(Buffer.compare(decompress(theirs, size)!, input)).toBe(0);
      expect(decompress(theirs, size + 100)?.length).toBe(size);
      if (size > 0) expect(decompress(theirs, size - 1)).toBeUndefined();
    }
  });

  test('compresses about as well as the native library', () => {
    const random = new Random(seedFor(62));
    for (const size of [4096, 16_384, 65_536, 300_000]) {
      const input = randomInput(random, 0, size);
      expect(compress(input).length).toBeLessThan(native.compressSync(Buffer.from(input)).length * 1.05);
    }
    expect(compress(new Uint8Array(100_000)).length).toBeLessThan(6000);
  });

  test('the claimed length is read with its bounds', () => {
    const claim = (...bytes: number[]): number => {
      const buffer = new PoisonedBuffer(kernel, 16, 0x80).set(Uint8Array.from(bytes));
      const size = x.snappyUncompressedSize(buffer.at, bytes.length);
      buffer.free();
      return size;
    };
    expect(claim()).toBe(-1);
    expect(claim(0)).toBe(0);
    expect(claim(0x7f)).toBe(127);
    expect(claim(0x80)).toBe(-1);
    expect(claim(0x80, 1)).toBe(128);
    expect(claim(0xff, 0xff, 0xff, 0xff, 0x07)).toBe(0x7fff_ffff);
    expect(claim(0xff, 0xff, 0xff, 0xff, 0x0f)).toBe(-1);
    expect(claim(0xff, 0xff, 0xff, 0xff, 0x1f)).toBe(-1);
    expect(claim(0x80, 0x80, 0x80, 0x80, 0x80, 0x01)).toBe(-1);
  });

  test('far offsets of four bytes and long literals are understood', () => {
    const body = new Random(seedFor(63)).bytes(70_000);
    const head = [0xf8, 0xa2, 0x04, 62 << 2, 0x6f, 0x11, 0x01];
    const copy = [3 | (7 << 2), 0x70, 0x11, 0x01, 0x00];
    const input = Buffer.concat([Uint8Array.from(head), body, Uint8Array.from(copy)]);
    const expected = Buffer.concat([body, body.subarray(0, 8)]);
    expect(Buffer.compare(decompress(input, 70_008)!, expected)).toBe(0);
  });

  test('20,000 damaged blocks are answered like a plain decoder does, from their own bytes alone', () => {
    const random = new Random(seedFor(64));
    let accepted = 0;
    for (let i = 0; i < 20_000; i++) {
      const input = randomInput(random, i % INPUT_KINDS, random.below(400));
      let block: Uint8Array = Buffer.from(native.compressSync(Buffer.from(input)));
      for (let n = random.below(4); n >= 0 && block.length > 0; n--)
        block[random.below(block.length)] = random.below(256);
      if (random.oneIn(4)) block = block.subarray(0, random.below(block.length + 1));
      const expected = snappyReference(block);
      const got = decompress(block, 2000, i % 2 === 0 ? 0x00 : 0xff);
      if (expected === undefined || expected.length > 2000) expect(got).toBeUndefined();
      else {
        accepted++;
        expect(Buffer.compare(got!, Uint8Array.from(expected))).toBe(0);
      }
    }
    expect(accepted).toBeGreaterThan(200);
  });
});
