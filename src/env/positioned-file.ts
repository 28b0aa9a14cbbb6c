/** A file read from front to back: a random access file with a position. */
import type { RandomAccessFile, SequentialFile } from './file-system.ts';

/** See the head of this file. Closing it closes the file under it. */
export class PositionedFile implements SequentialFile {
  readonly #file: RandomAccessFile;
  #position = 0;

  constructor(file: RandomAccessFile) {
    this.#file = file;
  }

  get path(): string {
    return this.#file.path;
  }

  async read(buffer: Uint8Array): Promise<number> {
    const count = await this.#file.read(buffer, this.#position);
    this.#position += count;
    return count;
  }

  readSync(buffer: Uint8Array): number {
    const count = this.#file.readSync(buffer, this.#position);
    this.#position += count;
    return count;
  }

  skip(count: number): void {
    this.#position += count;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  closeSync(): void {
    this.#file.closeSync();
  }
}
