/** An open directory, through node:fs. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import type { Directory, DirectorySyncReason } from './file-system.ts';
import type { NodeDescriptor } from './node-descriptor.ts';

const fsyncAsync = promisify(fs.fsync);

/** fsync of the directory, whatever the reason. */
export class NodeDirectory implements Directory {
  readonly #descriptor: NodeDescriptor;

  constructor(descriptor: NodeDescriptor) {
    this.#descriptor = descriptor;
  }

  get path(): string {
    return this.#descriptor.path;
  }

  sync(_reason: DirectorySyncReason): Promise<void> {
    return this.#descriptor.use('fsync on a directory', (fd) => fsyncAsync(fd));
  }

  syncSync(_reason: DirectorySyncReason): void {
    this.#descriptor.useSync('fsync on a directory', (fd) => fs.fsyncSync(fd));
  }

  close(): Promise<void> {
    return this.#descriptor.close();
  }

  closeSync(): void {
    this.#descriptor.closeSync();
  }
}

/** Where directories cannot be opened (Windows) their names are as durable as the system makes them. */
export class UnsyncedDirectory implements Directory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async sync(): Promise<void> {}
  syncSync(): void {}
  async close(): Promise<void> {}
  closeSync(): void {}
}
