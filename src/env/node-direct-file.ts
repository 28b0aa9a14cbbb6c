/**
 * A file read past the page cache (O_DIRECT): whole sectors go into an aligned buffer, and what was asked for is copied out.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { DescriptorFile } from './descriptor-file.ts';
import { DIRECT_ALIGNMENT, DIRECT_BUFFER_SIZE, type DirectBuffers } from './direct-buffers.ts';
import type { RandomAccessFile } from './file-system.ts';
import type { NodeDescriptor } from './node-descriptor.ts';
import { isInterrupted, requireOffset } from './node-readable-files.ts';

const readAsync = promisify(fs.read);

/** One request of the caller's, carried out in aligned steps. */
class DirectRead {
  readonly #target: Uint8Array;
  readonly #offset: number;
  done = 0;
  /** Whether the target is full or the file has ended. */
  ended: boolean;
  #attempts = 0;

  constructor(target: Uint8Array, offset: number) {
    requireOffset(offset);
    this.#target = target;
    this.#offset = offset;
    this.ended = target.length === 0;
  }

  /** Where the next step begins in the file. */
  get position(): number {
    const at = this.#offset + this.done;
    return at - (at % DIRECT_ALIGNMENT);
  }

  /** Bytes of the next step. */
  get length(): number {
    const wanted = this.#skip + this.#target.length - this.done;
    return Math.min(DIRECT_BUFFER_SIZE, Math.ceil(wanted / DIRECT_ALIGNMENT) * DIRECT_ALIGNMENT);
  }

  /** Bytes of the step before the ones that were asked for. */
  get #skip(): number {
    return (this.#offset + this.done) % DIRECT_ALIGNMENT;
  }

  /** Takes what a step of `count` bytes brought into `buffer`. */
  take(buffer: Uint8Array, count: number): void {
    const skip = this.#skip;
    const usable = Math.min(count - skip, this.#target.length - this.done);
    if (usable > 0) this.#target.set(buffer.subarray(skip, skip + usable), this.done);
    this.done += Math.max(0, usable);
    // A file may end inside of a sector; nothing but its end makes a step end there.
    this.ended = this.done === this.#target.length || usable <= 0 || count % DIRECT_ALIGNMENT !== 0;
  }

  /** After a step that failed: throws `error` unless it should be made again. */
  retry(error: unknown): void {
    if (!isInterrupted(error, this.#attempts++)) throw error;
  }
}

/** Reads go to the device, so the promise form always uses libuv's pool. */
export class NodeDirectFile extends DescriptorFile implements RandomAccessFile {
  readonly direct = true;
  readonly #buffers: DirectBuffers;

  constructor(descriptor: NodeDescriptor, buffers: DirectBuffers) {
    super(descriptor);
    this.#buffers = buffers;
  }

  read(target: Uint8Array, offset: number): Promise<number> {
    return this.descriptor.use(`direct pread offset ${offset} len ${target.length}`, async (fd) => {
      const read = new DirectRead(target, offset);
      const buffer = await this.#buffers.take();
      try {
        while (!read.ended) {
          try {
            const { bytesRead } = await readAsync(fd, buffer, 0, read.length, read.position);
            read.take(buffer, bytesRead);
          } catch (error) {
            read.retry(error);
          }
        }
      } finally {
        this.#buffers.give(buffer);
      }
      return read.done;
    });
  }

  readSync(target: Uint8Array, offset: number): number {
    return this.descriptor.useSync(`direct pread offset ${offset} len ${target.length}`, (fd) => {
      const read = new DirectRead(target, offset);
      const buffer = this.#buffers.sync;
      while (!read.ended) {
        try {
          read.take(buffer, fs.readSync(fd, buffer, 0, read.length, read.position));
        } catch (error) {
          read.retry(error);
        }
      }
      return read.done;
    });
  }
}
