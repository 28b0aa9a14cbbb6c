/** Files of bytes in memory, for readers and writers of formats under test. */
import type { RandomAccessFile, WritableFile } from '../../../format/base/file-handles.ts';

/** A readable file over `bytes`, which it shares. */
export function bytesFile(bytes: Uint8Array, path = 'memory'): RandomAccessFile {
  const readSync = (buffer: Uint8Array, offset: number): number => {
    const part = bytes.subarray(offset, Math.min(bytes.length, offset + buffer.length));
    buffer.set(part);
    return part.length;
  };
  return {
    path,
    read: async (buffer, offset) => readSync(buffer, offset),
    readSync,
    size: async () => bytes.length,
    sizeSync: () => bytes.length,
    close: async () => {},
    closeSync: () => {},
  };
}

/** A writable file that keeps what is appended. `fail` makes the next append throw and poisons the file. */
export class GrowingFile implements WritableFile {
  readonly path = 'memory';
  poisoned = false;
  fail = false;
  appends = 0;
  #bytes = new Uint8Array(0);

  get size(): number {
    return this.#bytes.length;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  appendSync(parts: readonly Uint8Array[]): void {
    if (this.fail) this.poisoned = true;
    if (this.poisoned) throw new Error('append failed');
    this.appends++;
    const grown = new Uint8Array(parts.reduce((sum, part) => sum + part.length, this.#bytes.length));
    grown.set(this.#bytes);
    let at = this.#bytes.length;
    for (const part of parts) {
      grown.set(part, at);
      at += part.length;
    }
    this.#bytes = grown;
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    await Promise.resolve();
    this.appendSync(parts);
  }

  async sync(): Promise<void> {}
  syncSync(): void {}
  async close(): Promise<void> {}
  closeSync(): void {}
}

/** A small deterministic generator of numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `size` bytes of that generator. */
export function randomBytes(random: () => number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = random() * 256;
  return bytes;
}
