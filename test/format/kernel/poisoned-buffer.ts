/** A piece of kernel memory with poison before and behind it, which tells writes outside of it. */

import { expect } from 'vitest';
import type { Kernel } from '../../../format/kernel/kernel.ts';

const FENCE_SIZE = 64;

/** Owns an allocation of the kernel until `free`. */
export class PoisonedBuffer {
  /** Where the usable bytes begin. */
  readonly at: number;
  readonly size: number;
  readonly #kernel: Kernel;
  readonly #base: number;
  readonly #poison: number;

  /** `poison` fills the fences and the buffer itself. */
  constructor(kernel: Kernel, size: number, poison = 0xee) {
    this.#kernel = kernel;
    this.#base = kernel.malloc(size + 2 * FENCE_SIZE);
    this.#poison = poison;
    this.at = this.#base + FENCE_SIZE;
    this.size = size;
    kernel.u8.fill(poison, this.#base, this.#base + size + 2 * FENCE_SIZE);
  }

  /** Copies bytes to the beginning. */
  set(bytes: Uint8Array): this {
    expect(bytes.length).toBeLessThanOrEqual(this.size);
    this.#kernel.copyIn(bytes, this.at);
    return this;
  }

  /** A copy of the first `size` bytes. */
  get(size = this.size): Uint8Array {
    return this.#kernel.bytes(this.at, size).slice();
  }

  /** Fails if anything from `size` on, up to the fence, or before the buffer is not poison any more. */
  expectUntouched(size = this.size): void {
    const before = this.#kernel.bytes(this.#base, FENCE_SIZE);
    const after = this.#kernel.bytes(this.at + size, this.size - size + FENCE_SIZE);
    if (before.every((byte) => byte === this.#poison) && after.every((byte) => byte === this.#poison)) return;
    throw new Error(`bytes outside of ${size} were written`);
  }

  free(): void {
    this.#kernel.free(this.#base);
  }
}
