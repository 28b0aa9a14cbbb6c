/**
 * A file descriptor with its uses counted. The kernel gives a closed number to the next open, so a close that overtook
 * a read in libuv's pool would let that read hit another file: a close therefore waits for the uses in flight.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { closedError, fileError } from './file-error.ts';

const closeAsync = promisify(fs.close);

/** Descriptors that are open, for the limits of the engine's tests and properties. */
export interface DescriptorCount {
  open: number;
}

/** An open descriptor. */
export class NodeDescriptor {
  readonly path: string;
  readonly #count: DescriptorCount;
  #fd: number;
  #uses = 0;
  #closed = false;
  #whenIdle: (() => void) | undefined;

  constructor(path: string, fd: number, count: DescriptorCount) {
    this.path = path;
    this.#fd = fd;
    this.#count = count;
    count.open++;
  }

  /** The number, for a call made in place. `CLOSED` after close. */
  get fd(): number {
    if (this.#closed) throw closedError(this.path);
    return this.#fd;
  }

  /** Runs a call in the pool; the descriptor stays open until it settles. */
  async use<T>(operation: string, call: (fd: number) => Promise<T>): Promise<T> {
    const fd = this.fd;
    this.#uses++;
    try {
      return await call(fd);
    } catch (error) {
      throw fileError(operation, this.path, error);
    } finally {
      this.#uses--;
      if (this.#uses === 0) this.#whenIdle?.();
    }
  }

  /** Runs a call in place. */
  useSync<T>(operation: string, call: (fd: number) => T): T {
    const fd = this.fd;
    try {
      return call(fd);
    } catch (error) {
      throw fileError(operation, this.path, error);
    }
  }

  /** Idempotent; resolves once the descriptor is gone. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#uses > 0) await new Promise<void>((resolve) => void (this.#whenIdle = resolve));
    this.#count.open--;
    try {
      await closeAsync(this.#fd);
    } catch (error) {
      throw fileError('closing file', this.path, error);
    }
  }

  /** Idempotent; calls in the pool finish first, so the descriptor may live a moment longer. */
  closeSync(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#uses > 0) {
      this.#whenIdle = () => this.#closeNow();
      return;
    }
    this.#closeNow();
  }

  #closeNow(): void {
    this.#count.open--;
    try {
      fs.closeSync(this.#fd);
    } catch (error) {
      throw fileError('closing file', this.path, error);
    }
  }
}
