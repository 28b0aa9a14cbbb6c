/** Directories for one test, removed when it ends. */

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that is removed, with all in it, when the `using` block ends. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

/** Makes an empty directory below the system's place for temporary files. */
export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), 'pumice-test-'));
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** A temporary directory that holds a copy of `source`. */
export function temporaryCopy(source: string): TemporaryDirectory {
  const directory = temporaryDirectory();
  cpSync(source, directory.path, { recursive: true });
  return directory;
}
