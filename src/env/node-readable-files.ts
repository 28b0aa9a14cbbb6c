/** Files read through node:fs. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { DescriptorFile } from './descriptor-file.ts';
import { fileError, systemError } from './file-error.ts';
import type { RandomAccessFile } from './file-system.ts';
import type { LatencyGuard } from './latency-guard.ts';
import type { NodeDescriptor } from './node-descriptor.ts';

const readAsync = promisify(fs.read);

/** Interrupted calls repeat at most this often: a loop without an end would hide a broken driver. */
const RETRIES_MAX = 1000;

/** Whether a failed call should simply be made again. */
export function isInterrupted(error: unknown, attempt: number): boolean {
  if (attempt >= RETRIES_MAX || !(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'EINTR' || error.code === 'EAGAIN';
}

/** Reads until `buffer` is full or the file ends. Throws what node:fs throws. */
export function readFullySync(fd: number, buffer: Uint8Array, offset: number): number {
  let done = 0;
  for (let attempt = 0; done < buffer.length; ) {
    try {
      const count = fs.readSync(fd, buffer, done, buffer.length - done, offset + done);
      if (count === 0) break;
      done += count;
    } catch (error) {
      if (!isInterrupted(error, attempt++)) throw error;
    }
  }
  return done;
}

async function readFully(fd: number, buffer: Uint8Array, offset: number): Promise<number> {
  let done = 0;
  for (let attempt = 0; done < buffer.length; ) {
    try {
      const { bytesRead } = await readAsync(fd, buffer, done, buffer.length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    } catch (error) {
      if (!isInterrupted(error, attempt++)) throw error;
    }
  }
  return done;
}

function readOperation(offset: number, length: number): string {
  return `pread offset ${offset} len ${length}`;
}

/** `EINVAL` for what is no place in a file. */
export function requireOffset(offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) throw systemError('EINVAL');
}

/** A file read at any offset; short reads in place while `guard` allows it. */
export class NodeRandomAccessFile extends DescriptorFile implements RandomAccessFile {
  readonly #guard: LatencyGuard;

  constructor(descriptor: NodeDescriptor, guard: LatencyGuard) {
    super(descriptor);
    this.#guard = guard;
  }

  read(buffer: Uint8Array, offset: number): Promise<number> {
    const startMs = this.#guard.start(buffer.length);
    if (startMs < 0) {
      return this.descriptor.use(readOperation(offset, buffer.length), (fd) => {
        requireOffset(offset);
        return readFully(fd, buffer, offset);
      });
    }
    try {
      const count = this.readSync(buffer, offset);
      this.#guard.record(startMs);
      return Promise.resolve(count);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readSync(buffer: Uint8Array, offset: number): number {
    const { fd } = this.descriptor;
    try {
      requireOffset(offset);
      return readFullySync(fd, buffer, offset);
    } catch (error) {
      throw fileError(readOperation(offset, buffer.length), this.path, error);
    }
  }
}
