/** What files read through a descriptor have in common, whatever way they read: their size, and how they close. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import type { NodeDescriptor } from './node-descriptor.ts';

const fstatAsync = promisify(fs.fstat);

/** See the head of this file. */
export abstract class DescriptorFile {
  protected readonly descriptor: NodeDescriptor;

  constructor(descriptor: NodeDescriptor) {
    this.descriptor = descriptor;
  }

  get path(): string {
    return this.descriptor.path;
  }

  async size(): Promise<number> {
    return (await this.descriptor.use('fstat', (fd) => fstatAsync(fd))).size;
  }

  sizeSync(): number {
    return this.descriptor.useSync('fstat', (fd) => fs.fstatSync(fd).size);
  }

  close(): Promise<void> {
    return this.descriptor.close();
  }

  closeSync(): void {
    this.descriptor.closeSync();
  }
}
