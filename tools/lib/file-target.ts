/** Output that goes to a file instead of a stream. */
import { EventEmitter } from 'node:events';
import type { FileSystem, WritableFile } from '../../src/env/file-system.ts';

/** A file as the target of an `Output`. Writes are carried out in place, so it never asks to wait. */
export class FileTarget extends EventEmitter {
  /** The file itself, for those who append to it directly. */
  readonly file: WritableFile;

  constructor(file: WritableFile) {
    super();
    this.file = file;
  }

  write(bytes: Uint8Array): boolean {
    this.file.appendSync([bytes]);
    return true;
  }

  /** Ends the file. What was written is with the operating system, not synced. */
  close(): Promise<void> {
    return this.file.close();
  }
}

/** A new file at `path`; one that stands there is replaced. */
export async function replaceFile(fileSystem: FileSystem, path: string): Promise<FileTarget> {
  if (await fileSystem.exists(path)) await fileSystem.unlink(path);
  return new FileTarget(await fileSystem.createWritable(path));
}
