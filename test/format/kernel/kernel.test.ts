/** The door: bytes in and out of the shared memory, text, and one memory for a thread. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { getKernel, initKernel, Kernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PROJECT_ROOT } from '../../support/source-files.ts';
import { PoisonedBuffer } from './poisoned-buffer.ts';

const kernel = getKernel();

describe('the door of the kernel', () => {
  test('is one a thread', () => {
    expect(getKernel()).toBe(kernel);
    expect(initKernel(kernel.memory)).toBe(kernel);
    const other = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
    expect(() => initKernel(other)).toThrow(/kernel of its own/);
  });

  test('copies in and out give the same bytes, and copies out stay when the memory changes', () => {
    const random = new Random(seedFor(31));
    for (let i = 0; i < 2000; i++) {
      const bytes = random.bytes(random.oneIn(20) ? random.below(20_000) : random.below(200));
      const buffer = new PoisonedBuffer(kernel, bytes.length + 8);
      buffer.set(bytes).expectUntouched(bytes.length);
      const copy = kernel.copyOut(buffer.at, bytes.length);
      expect(Buffer.compare(kernel.bytes(buffer.at, bytes.length), bytes)).toBe(0);
      kernel.u8.fill(0, buffer.at, buffer.at + bytes.length);
      expect(Buffer.compare(copy, bytes)).toBe(0);
      buffer.free();
    }
  });

  test('copies out that share a slab do not overlap', () => {
    const buffer = new PoisonedBuffer(kernel, 100);
    const copies: Uint8Array[] = [];
    for (let i = 0; i < 3000; i++) {
      kernel.u8.fill(i & 0xff, buffer.at, buffer.at + 100);
      copies.push(kernel.copyOut(buffer.at, 1 + (i % 100)));
    }
    copies.forEach((copy, i) => {
      expect(copy.length).toBe(1 + (i % 100));
      expect(copy.every((byte) => byte === (i & 0xff))).toBe(true);
    });
    buffer.free();
  });

  test('writeUtf8 writes what a Buffer would, lone surrogates included', () => {
    const texts = [
      '',
      'a',
      'plain ascii key',
      'x'.repeat(5000),
      'é',
      'héllo wörld',
      '\u{1f600} key',
      '\ud800',
      'a\udfff',
      '€'.repeat(40),
    ];
    for (const text of texts) {
      const buffer = new PoisonedBuffer(kernel, text.length * 3);
      const size = kernel.writeUtf8(text, buffer.at);
      expect(Buffer.from(buffer.get(size)).toString('hex')).toBe(Buffer.from(text).toString('hex'));
      buffer.expectUntouched(size);
      buffer.free();
    }
  });

  test('the upper half of the memory is as good as the lower', () => {
    if (kernel.memory.buffer.byteLength <= 2 ** 31) return;
    const memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536, shared: true });
    const large = new Kernel(memory);
    const straddling = large.malloc(2 ** 31 - 4_000_000);
    const middle = large.malloc(8_000_000);
    const high = large.malloc(1000);
    expect(middle).toBeLessThan(2 ** 31);
    expect(high).toBeGreaterThan(2 ** 31);
    const text = 'ünïcode '.repeat(20);
    for (const at of [straddling, 2 ** 31 - 50, high]) {
      const size = large.writeUtf8(text, at);
      expect(Buffer.from(large.copyOut(at, size)).toString()).toBe(text);
      large.copyIn(Buffer.from('123456789'), at);
      expect(large.x.crc32c(at, 9) >>> 0).toBe(0xe3069283);
    }
    large.free(high);
    large.free(middle);
    large.free(straddling);
    expect(large.x.allocatedBytes()).toBe(0);
  });

  test('the compiled module belongs to the sources', () => {
    const script = join(PROJECT_ROOT, 'format/kernel/build-kernel.mjs');
    expect(() => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })).not.toThrow();
  });
});
