/** Working space in kernel memory for codecs whose caller's buffers lie elsewhere. */
import { getKernel, type Kernel } from '../kernel/kernel.ts';

/** Bytes that stay allocated between uses. */
const KEEP = 1 << 20;
/** Bytes that parsers may read past what they were given. */
const SLACK = 16;

/** Whether the bytes lie in kernel memory; their address is then `bytes.byteOffset`. */
export function isInKernel(bytes: Uint8Array): boolean {
  return bytes.buffer === getKernel().memory.buffer;
}

/** One buffer that grows on demand. */
export class KernelScratch {
  readonly #kernel: Kernel = getKernel();
  #address = 0;
  #size = 0;

  /** Bytes of the buffer. A `reserve` that changes this number has lost what was in it, any other has not. */
  get capacity(): number {
    return this.#size;
  }

  /** Address of at least `size` bytes, good until the next call. */
  reserve(size: number): number {
    if (size > this.#size || (this.#size > KEEP && size <= KEEP)) {
      this.#kernel.free(this.#address);
      this.#address = 0;
      this.#size = 0;
      this.#address = this.#kernel.malloc(size + SLACK);
      this.#size = size;
    }
    return this.#address;
  }

  /** The address of `bytes` in kernel memory: their own, or that of a copy in this buffer. */
  place(bytes: Uint8Array): number {
    if (isInKernel(bytes)) return bytes.byteOffset;
    const at = this.reserve(bytes.length);
    this.#kernel.copyIn(bytes, at);
    return at;
  }
}
