/** A file system that a worker loads by module: Node's, which also notes each file that it creates. */
import { appendFileSync } from 'node:fs';
import { NodeFileSystem } from '../../../src/env/node-file-system.ts';
import type { CreateOptions, WritableFile } from '../../../src/env/file-system.ts';

class RecordingFileSystem extends NodeFileSystem {
  readonly #record: string;

  constructor(record: string) {
    super();
    this.#record = record;
  }

  override createWritableSync(path: string, options?: CreateOptions): WritableFile {
    appendFileSync(this.#record, `${path}\n`);
    return super.createWritableSync(path, options);
  }
}

/** `options.record`: the file to note in. */
export function recording(options: { record: string }): RecordingFileSystem {
  return new RecordingFileSystem(options.record);
}
