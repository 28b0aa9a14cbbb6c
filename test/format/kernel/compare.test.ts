/** Orders of keys in the kernel against Buffer.compare, on keys that share prefixes and lengths. */

import { describe, expect, test } from 'vitest';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PoisonedBuffer } from './poisoned-buffer.ts';

const kernel = getKernel();

/** Two keys that often agree for a while. */
function randomPair(random: Random): [Uint8Array, Uint8Array] {
  const a = random.bytes(random.below(40));
  const b = random.bytes(random.below(40));
  const shared = random.below(Math.min(a.length, b.length) + 1);
  if (!random.oneIn(4)) b.set(a.subarray(0, shared));
  return random.oneIn(10) ? [a, a.slice()] : [a, b];
}

function internalKey(userKey: Uint8Array, trailer: bigint): Uint8Array {
  const key = Buffer.alloc(userKey.length + 8);
  key.set(userKey);
  key.writeBigUInt64LE(trailer, userKey.length);
  return key;
}

describe('comparison', () => {
  test('compareBytes is unsigned byte order, whatever lies behind the keys', () => {
    const random = new Random(seedFor(21));
    const buffers = [0x00, 0xff].map((poison) => [poison, poison ^ 0xff].map((p) => new PoisonedBuffer(kernel, 64, p)));
    for (let i = 0; i < 20_000; i++) {
      const [a, b] = randomPair(random);
      const expected = Math.sign(Buffer.compare(a, b));
      for (const [left, right] of buffers) {
        kernel.u8.fill(i & 0xff, left!.at, left!.at + 64);
        const order = kernel.x.compareBytes(left!.set(a).at, a.length, right!.set(b).at, b.length);
        expect(Math.sign(order)).toBe(expected);
      }
    }
    for (const buffer of buffers.flat()) buffer.free();
  });

  test('compareUser knows both built-in orders and asks the host for others', () => {
    const random = new Random(seedFor(22));
    const byLength = { compare: (a: Uint8Array, b: Uint8Array) => a.length - b.length || Buffer.compare(a, b) };
    const id = kernel.registerComparator(byLength);
    expect(id).toBeGreaterThanOrEqual(2);
    expect(kernel.registerComparator(byLength)).toBe(id);
    const left = new PoisonedBuffer(kernel, 64);
    const right = new PoisonedBuffer(kernel, 64);
    for (let i = 0; i < 5000; i++) {
      const [a, b] = randomPair(random);
      const compare = (comparator: number): number =>
        Math.sign(kernel.x.compareUser(comparator, left.set(a).at, a.length, right.set(b).at, b.length));
      expect(compare(0)).toBe(Math.sign(Buffer.compare(a, b)));
      expect(compare(1)).toBe(Math.sign(Buffer.compare(b, a)));
      expect(compare(id)).toBe(Math.sign(byLength.compare(a, b)));
    }
    expect(() => kernel.x.compareUser(99, left.at, 1, right.at, 1)).toThrow(/not registered/);
    left.free();
    right.free();
  });

  test('compareInternal puts the newer of equal user keys first', () => {
    const random = new Random(seedFor(23));
    const left = new PoisonedBuffer(kernel, 64);
    const right = new PoisonedBuffer(kernel, 64);
    for (let i = 0; i < 5000; i++) {
      const [a, b] = randomPair(random);
      const trailers = [0, 1].map(() => (random.oneIn(3) ? 0xffff_ffff_ffff_ff16n : BigInt(random.below(2 ** 40))));
      const order = Buffer.compare(a, b) || Number(trailers[1]! - trailers[0]!);
      const x = internalKey(a, trailers[0]!);
      const y = internalKey(b, trailers[1]!);
      const got = kernel.x.compareInternal(0, left.set(x).at, x.length, right.set(y).at, y.length);
      expect(Math.sign(got)).toBe(Math.sign(order));
    }
    left.free();
    right.free();
  });
});
