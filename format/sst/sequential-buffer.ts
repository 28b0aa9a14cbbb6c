/** A window of a file in kernel memory that moves forward in large reads. */
import { corruption } from '../base/db-error.ts';
import type { RandomAccessFile } from '../base/file-handles.ts';
import { readAt } from '../base/file-io.ts';
import type { Io } from '../base/io.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';

/** Bytes that parsers may read past what they were given. */
const SLACK = 16;

/** The window. What `find` returns is good until the next `fill`. */
export class SequentialBuffer {
  readonly #kernel: Kernel = getKernel();
  readonly #file: RandomAccessFile;
  readonly #fileSize: number;
  readonly #readSize: number;
  #address = 0;
  #capacity = 0;
  #offset = 0;
  #size = 0;

  constructor(file: RandomAccessFile, fileSize: number, readSize: number) {
    this.#file = file;
    this.#fileSize = fileSize;
    this.#readSize = Math.min(readSize, fileSize);
  }

  /** Kernel address of the file's bytes `[offset, offset + size)`, or 0 when the window does not hold them all. */
  find(offset: number, size: number): number {
    if (offset < this.#offset || offset + size > this.#offset + this.#size) return 0;
    return this.#address + (offset - this.#offset);
  }

  /** Moves the window to begin at `offset`. CORRUPTION when the file ends before `size` bytes. */
  *fill(offset: number, size: number): Io<void> {
    const wanted = Math.min(Math.max(size, this.#readSize), this.#fileSize - offset);
    this.#size = 0;
    if (wanted > this.#capacity) {
      this.#kernel.free(this.#address);
      this.#address = 0;
      this.#address = this.#kernel.malloc(wanted + SLACK);
      this.#capacity = wanted;
    }
    const target = this.#kernel.bytes(this.#address, wanted);
    const read = yield* readAt(this.#file, target, offset);
    if (read < size) {
      throw corruption(
        `truncated block read from ${this.#file.path} offset ${offset}, expected ${size} bytes, got ${read}`,
      );
    }
    this.#offset = offset;
    this.#size = read;
  }

  close(): void {
    this.#kernel.free(this.#address);
    this.#address = 0;
    this.#capacity = 0;
    this.#size = 0;
  }
}
