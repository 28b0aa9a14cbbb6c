/** The end of a table, read in one go: footer, metaindex and properties lie there, often index and filter too. */
import { corruption } from '../base/db-error.ts';
import type { RandomAccessFile } from '../base/file-handles.ts';
import { readAt } from '../base/file-io.ts';
import type { Io } from '../base/io.ts';
import { WrappedFile } from '../base/wrapped-file.ts';

const TAIL_SIZE = 64 * 1024;

/** A file whose last bytes are at hand; other reads go to the file. */
export class TailFile extends WrappedFile {
  readonly #tail: Uint8Array;
  readonly #tailOffset: number;

  private constructor(file: RandomAccessFile, tail: Uint8Array, tailOffset: number) {
    super(file);
    this.#tail = tail;
    this.#tailOffset = tailOffset;
  }

  /** Reads the tail. CORRUPTION when the file is shorter than `fileSize`. */
  static *read(file: RandomAccessFile, fileSize: number): Io<TailFile> {
    const tail = new Uint8Array(Math.min(TAIL_SIZE, fileSize));
    const offset = fileSize - tail.length;
    const read = yield* readAt(file, tail, offset);
    if (read !== tail.length) {
      throw corruption(`file is too short: expected ${fileSize} bytes, found ${offset + read} in ${file.path}`);
    }
    return new TailFile(file, tail, offset);
  }

  /** The last `count` bytes, or all of a shorter file. */
  lastBytes(count: number): Uint8Array {
    return this.#tail.subarray(Math.max(0, this.#tail.length - count));
  }

  readSync(buffer: Uint8Array, offset: number): number {
    return offset < this.#tailOffset ? this.file.readSync(buffer, offset) : this.#copy(buffer, offset);
  }

  async read(buffer: Uint8Array, offset: number): Promise<number> {
    return offset < this.#tailOffset ? this.file.read(buffer, offset) : this.#copy(buffer, offset);
  }

  #copy(buffer: Uint8Array, offset: number): number {
    const at = offset - this.#tailOffset;
    const part = this.#tail.subarray(at, at + buffer.length);
    buffer.set(part);
    return part.length;
  }
}
