/** The file that grows, through node:fs. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { assert } from '../../format/base/assert.ts';
import { poisonedError, systemError } from './file-error.ts';
import type { WritableFile } from './file-system.ts';
import type { LatencyGuard } from './latency-guard.ts';
import type { NodeDescriptor } from './node-descriptor.ts';
import { isInterrupted } from './node-readable-files.ts';

const writeAsync = promisify(fs.write);
const writevAsync = promisify(fs.writev);
const fsyncAsync = promisify(fs.fsync);
const fdatasyncAsync = promisify(fs.fdatasync);
const ftruncateAsync = promisify(fs.ftruncate);

/** Buffers a call; POSIX guarantees 16, Linux has 1024. */
const IOV_MAX = 1000;

function totalBytes(parts: readonly Uint8Array[]): number {
  let total = 0;
  for (const part of parts) total += part.length;
  return total;
}

/** What is left of `parts` after their first `count` bytes. */
function dropBytes(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  let i = 0;
  while (i < parts.length && parts[i]!.length <= left) left -= parts[i++]!.length;
  if (i === 0 && left === 0) return parts;
  const rest = parts.slice(i);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}

function firstBuffers(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  return parts.length > IOV_MAX ? parts.slice(0, IOV_MAX) : parts;
}

/** A regular file that takes no bytes and gives no error is full. */
function requireProgress(count: number): number {
  if (count === 0) throw systemError('ENOSPC');
  return count;
}

function writePartsSync(fd: number, parts: readonly Uint8Array[], start: number): void {
  let rest = parts;
  let left = totalBytes(parts);
  let at = start;
  for (let attempt = 0; left > 0; ) {
    try {
      const count =
        rest.length === 1 ? fs.writeSync(fd, rest[0]!, 0, left, at) : fs.writevSync(fd, firstBuffers(rest), at);
      at += requireProgress(count);
      left -= count;
      if (left > 0) rest = dropBytes(rest, count);
    } catch (error) {
      if (!isInterrupted(error, attempt++)) throw error;
    }
  }
}

async function writeOnce(fd: number, parts: readonly Uint8Array[], left: number, at: number): Promise<number> {
  if (parts.length === 1) return (await writeAsync(fd, parts[0]!, 0, left, at)).bytesWritten;
  return (await writevAsync(fd, firstBuffers(parts), at)).bytesWritten;
}

async function writeParts(fd: number, parts: readonly Uint8Array[], start: number): Promise<void> {
  let rest = parts;
  let left = totalBytes(parts);
  let at = start;
  for (let attempt = 0; left > 0; ) {
    try {
      const count = requireProgress(await writeOnce(fd, rest, left, at));
      at += count;
      left -= count;
      if (left > 0) rest = dropBytes(rest, count);
    } catch (error) {
      if (!isInterrupted(error, attempt++)) throw error;
    }
  }
}

/** Appends go to explicit offsets, so a recycled file is overwritten and a failed append leaves no doubt where it began. */
export class NodeWritableFile implements WritableFile {
  readonly #descriptor: NodeDescriptor;
  readonly #guard: LatencyGuard;
  #size: number;
  #failure: unknown;
  #busy = false;

  /** `size`: where appends begin. */
  constructor(descriptor: NodeDescriptor, guard: LatencyGuard, size: number) {
    this.#descriptor = descriptor;
    this.#guard = guard;
    this.#size = size;
  }

  get path(): string {
    return this.#descriptor.path;
  }

  get size(): number {
    return this.#size;
  }

  get poisoned(): boolean {
    return this.#failure !== undefined;
  }

  append(parts: readonly Uint8Array[]): Promise<void> {
    const total = totalBytes(parts);
    const startMs = this.#guard.start(total);
    if (startMs < 0)
      return this.#change('appending to file', (fd) => writeParts(fd, parts, this.#size), this.#size + total);
    try {
      this.appendSync(parts);
      this.#guard.record(startMs);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendSync(parts: readonly Uint8Array[]): void {
    const total = totalBytes(parts);
    this.#changeSync('appending to file', (fd) => writePartsSync(fd, parts, this.#size), this.#size + total);
  }

  truncate(size: number): Promise<void> {
    return this.#change('truncating file', (fd) => ftruncateAsync(fd, this.#smaller(size)), size);
  }

  truncateSync(size: number): void {
    this.#changeSync('truncating file', (fd) => fs.ftruncateSync(fd, this.#smaller(size)), size);
  }

  async sync(kind: 'data' | 'full'): Promise<void> {
    this.#requireUsable();
    try {
      if (kind === 'data') await this.#descriptor.use('fdatasync', (fd) => fdatasyncAsync(fd));
      else await this.#descriptor.use('fsync', (fd) => fsyncAsync(fd));
    } catch (error) {
      throw this.#poison(error);
    }
  }

  syncSync(kind: 'data' | 'full'): void {
    this.#requireUsable();
    try {
      if (kind === 'data') this.#descriptor.useSync('fdatasync', (fd) => fs.fdatasyncSync(fd));
      else this.#descriptor.useSync('fsync', (fd) => fs.fsyncSync(fd));
    } catch (error) {
      throw this.#poison(error);
    }
  }

  close(): Promise<void> {
    return this.#descriptor.close();
  }

  closeSync(): void {
    this.#descriptor.closeSync();
  }

  async #change(operation: string, call: (fd: number) => Promise<void>, sizeAfter: number): Promise<void> {
    this.#requireUsable();
    assert(!this.#busy, `one append at a time: ${this.path}`);
    this.#busy = true;
    try {
      await this.#descriptor.use(operation, call);
      this.#size = sizeAfter;
    } catch (error) {
      throw this.#poison(error);
    } finally {
      this.#busy = false;
    }
  }

  #changeSync(operation: string, call: (fd: number) => void, sizeAfter: number): void {
    this.#requireUsable();
    assert(!this.#busy, `one append at a time: ${this.path}`);
    try {
      this.#descriptor.useSync(operation, call);
      this.#size = sizeAfter;
    } catch (error) {
      throw this.#poison(error);
    }
  }

  #smaller(size: number): number {
    if (!Number.isSafeInteger(size) || size < 0 || size > this.#size) throw systemError('EINVAL');
    return size;
  }

  #requireUsable(): void {
    void this.#descriptor.fd;
    if (this.#failure !== undefined) throw poisonedError(this.path, this.#failure);
  }

  #poison(error: unknown): unknown {
    this.#failure ??= error;
    return error;
  }
}
