/** Framing of log records against a plain reference, around every edge of a block. */

import { describe, expect, test } from 'vitest';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { hex, unhex } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PoisonedBuffer } from './poisoned-buffer.ts';
import { logFrameReference } from './reference/log-record.ts';

const BLOCK_SIZE = 32_768;
const kernel = getKernel();
const x = kernel.x;

/** Frames and compares with the reference. */
function expectFramed(payload: Uint8Array, blockOffset: number, logNumber?: number): void {
  const from = new PoisonedBuffer(kernel, payload.length).set(payload);
  const to = new PoisonedBuffer(kernel, x.logFramedSizeMax(payload.length));
  const recyclable = logNumber === undefined ? 0 : 1;
  const size = x.logFrame(from.at, payload.length, to.at, blockOffset, recyclable, logNumber ?? 0);
  const expected = logFrameReference(payload, blockOffset, logNumber);
  expect(size).toBe(expected.length);
  expect(Buffer.compare(to.get(size), expected)).toBe(0);
  to.expectUntouched(size);
  from.free();
  to.free();
}

describe('log framing', () => {
  test('gives the bytes that the C++ library wrote', () => {
    const payload = unhex('0400000000000000010000000106636865727279046461726b');
    const from = new PoisonedBuffer(kernel, payload.length).set(payload);
    const to = new PoisonedBuffer(kernel, 64);
    const size = x.logFrame(from.at, payload.length, to.at, 0, 0, 0);
    expect(hex(to.get(size))).toBe(`917a9d88190001${hex(payload)}`);
    from.free();
    to.free();
  });

  test('cuts at the edge, pads what no header fits in, and begins with nothing where only a header fits', () => {
    const random = new Random(seedFor(81));
    for (let left = 1; left <= 30; left++) {
      for (const size of [0, 1, 5, 30, BLOCK_SIZE - 8, BLOCK_SIZE - 7, BLOCK_SIZE - 6, BLOCK_SIZE + 20]) {
        const payload = random.bytes(size);
        expectFramed(payload, BLOCK_SIZE - left);
        expectFramed(payload, BLOCK_SIZE - left, 0xfedcba98);
      }
    }
  });

  test('random records at random places', () => {
    const random = new Random(seedFor(82));
    for (let i = 0; i < 400; i++) {
      const payload = random.bytes(random.oneIn(20) ? random.below(150_000) : random.below(3000));
      expectFramed(payload, random.below(BLOCK_SIZE), random.oneIn(2) ? random.nextUint32() : undefined);
    }
  });
});
