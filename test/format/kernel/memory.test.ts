/** The allocator of the shared memory: a model of what is allocated checks every address that it gives. */

import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { Kernel } from '../../../format/kernel/kernel.ts';
import { KERNEL_WASM } from '../../../format/kernel/kernel-wasm.ts';
import { Random, seedFor } from '../../support/random.ts';

const PAGE = 65536;

function smallKernel(pages: number): Kernel {
  return new Kernel(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
}

interface Piece {
  at: number;
  size: number;
  mark: number;
}

function randomSize(random: Random): number {
  const kind = random.below(10);
  if (kind < 6) return random.below(300);
  if (kind < 9) return random.below(40_000);
  return random.below(1_000_000);
}

function fill(kernel: Kernel, piece: Piece): void {
  kernel.u8.fill(piece.mark, piece.at, piece.at + piece.size);
}

function expectIntact(kernel: Kernel, piece: Piece): void {
  const bytes = kernel.bytes(piece.at, piece.size);
  expect(bytes.every((byte) => byte === piece.mark)).toBe(true);
}

describe('malloc and free', () => {
  test('give aligned pieces that never overlap, and take everything back', () => {
    const kernel = smallKernel(2048);
    const random = new Random(seedFor(11));
    const live: Piece[] = [];
    for (let i = 0; i < 6000; i++) {
      if (live.length > 100 && random.below(100) < 52) {
        const index = random.below(live.length);
        const piece = live[index]!;
        expectIntact(kernel, piece);
        kernel.free(piece.at);
        live[index] = live[live.length - 1]!;
        live.pop();
      } else {
        const size = randomSize(random);
        const piece = { at: kernel.malloc(size), size, mark: random.below(256) };
        expect(piece.at % 16).toBe(0);
        expect(kernel.x.allocationSize(piece.at)).toBeGreaterThanOrEqual(size);
        fill(kernel, piece);
        live.push(piece);
      }
    }
    for (const piece of live) {
      expectIntact(kernel, piece);
      kernel.free(piece.at);
    }
    expect(kernel.x.allocatedBytes()).toBe(0);
  });

  test('waste at most 12.5 % on sizes above 128 bytes', () => {
    const kernel = smallKernel(64);
    for (let size = 129; size <= 32768; size += 13) {
      const at = kernel.malloc(size);
      const usable = kernel.x.allocationSize(at);
      expect(usable).toBeGreaterThanOrEqual(size);
      expect(usable).toBeLessThanOrEqual(Math.ceil(size * 1.125) + 15);
      kernel.free(at);
    }
  });

  test('coalesce neighbours: memory freed in any order serves one large request again', () => {
    const kernel = smallKernel(256);
    const random = new Random(seedFor(12));
    let count = 0;
    while (kernel.x.malloc(PAGE) !== 0) count++;
    expect(count).toBeGreaterThan(200);
    // All of the memory is out; the pages lie one behind the other, so the addresses are known.
    const whole = smallKernel(256);
    const pages = Array.from({ length: count }, () => whole.malloc(PAGE));
    while (pages.length > 0) whole.free(pages.splice(random.below(pages.length), 1)[0]!);
    expect(whole.x.allocatedBytes()).toBe(0);
    expect(whole.x.malloc(count * PAGE)).not.toBe(0);
  });

  test('exhaustion gives 0, throws at the door and harms nothing', () => {
    const kernel = smallKernel(128);
    expect(kernel.x.malloc(127 * PAGE)).toBe(0);
    expect(kernel.x.malloc(0xffff_ffff)).toBe(0);
    expect(() => kernel.malloc(0x7fff_0000)).toThrow(RangeError);
    const at = kernel.malloc(100);
    kernel.free(at);
    expect(kernel.x.allocatedBytes()).toBe(0);
  });

  test('empty spans that were kept for their class serve other sizes when memory runs short', () => {
    const kernel = smallKernel(128);
    for (let size = 16; size <= 32768; size += 16) kernel.free(kernel.malloc(size));
    const most = kernel.malloc(110 * PAGE);
    kernel.free(most);
    expect(kernel.x.allocatedBytes()).toBe(0);
  });

  test('never hand out the last page, so that wide loads stay in the memory', () => {
    const kernel = smallKernel(64);
    let last = 0;
    for (;;) {
      const at = kernel.x.malloc(100) >>> 0;
      if (at === 0) break;
      last = Math.max(last, at + 112);
    }
    expect(last).toBeLessThanOrEqual(63 * PAGE);
    expect(last).toBeGreaterThan(62 * PAGE);
  });

  test('a double free and a foreign address trap, and the allocator goes on', () => {
    const kernel = smallKernel(64);
    const small = kernel.malloc(50);
    const other = kernel.malloc(50);
    const large = kernel.malloc(200_000);
    kernel.free(small);
    expect(() => kernel.free(small)).toThrow(WebAssembly.RuntimeError);
    expect(() => kernel.free(other + 16)).toThrow(WebAssembly.RuntimeError);
    expect(() => kernel.free(large + PAGE)).toThrow(WebAssembly.RuntimeError);
    expect(() => kernel.free(4096)).toThrow(WebAssembly.RuntimeError);
    kernel.free(large);
    expect(() => kernel.free(large)).toThrow(WebAssembly.RuntimeError);
    kernel.free(other);
    kernel.free(0);
    expect(kernel.x.allocatedBytes()).toBe(0);
  });

  test('threads share one heap', async () => {
    const kernel = smallKernel(1024);
    const workers = [1, 2, 3].map((id) => runWorker(kernel.memory, id));
    expect(await Promise.all(workers)).toEqual(['ok', 'ok', 'ok']);
    expect(kernel.x.allocatedBytes()).toBe(0);
  });
});

/** Allocates, marks, checks and frees in another thread; resolves to 'ok' or to what was wrong. */
function runWorker(memory: WebAssembly.Memory, id: number): Promise<string> {
  const source = `
    const { workerData: { memory, wasm, id }, parentPort } = require('node:worker_threads');
    const host = { compare: () => 0, moveCursor: () => {}, addPrefix: () => {} };
    const anything = new Proxy(host, { get: (known, name) => known[name] ?? (() => 0) });
    const module = new WebAssembly.Module(Buffer.from(wasm, 'base64'));
    const { malloc, free } = new WebAssembly.Instance(module, { env: { memory }, host: anything }).exports;
    const u8 = new Uint8Array(memory.buffer);
    const live = [];
    let state = id, verdict = 'ok';
    for (let i = 0; i < 60000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const r = state >>> 8;
      if (live.length > 50 && r % 2) {
        const [at, size] = live.splice(r % live.length, 1)[0];
        if (u8[at] !== id || u8[at + size - 1] !== id) verdict = 'overwritten at ' + at;
        free(at);
      } else {
        const size = 1 + ((r >>> 3) % (r % 16 ? 500 : 90000));
        const at = malloc(size) >>> 0;
        if (at === 0) { verdict = 'exhausted'; break; }
        u8[at] = id; u8[at + size - 1] = id;
        live.push([at, size]);
      }
    }
    for (const [at] of live) free(at);
    parentPort.postMessage(verdict);`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, workerData: { memory, wasm: KERNEL_WASM, id } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
