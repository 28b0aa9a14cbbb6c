/** A file that stands before another one and changes how it is read, nothing else. Closing it closes the file under it. */
import type { RandomAccessFile } from './file-handles.ts';

/** See the head of this file. */
export abstract class WrappedFile implements RandomAccessFile {
  readonly path: string;
  protected readonly file: RandomAccessFile;

  constructor(file: RandomAccessFile) {
    this.path = file.path;
    this.file = file;
  }

  abstract read(buffer: Uint8Array, offset: number): Promise<number>;

  abstract readSync(buffer: Uint8Array, offset: number): number;

  size(): Promise<number> {
    return this.file.size();
  }

  sizeSync(): number {
    return this.file.sizeSync();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  closeSync(): void {
    this.file.closeSync();
  }
}
