/** The demonstration's input: every regular file below a folder, with its path as key. */

import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** One file of the input tree. */
export interface InputFile {
  /** Path from the tree's root, with forward slashes: the key. */
  key: string;
  path: string;
  /** `.js`, `.json`, …, or `(none)`. */
  extension: string;
}

/**
 * Every regular file below `root`, links not followed, in the order of its key's bytes. Hidden folders at the top are left
 * out: tools keep caches there that change while the demonstration runs.
 */
export function listTree(root: string): InputFile[] {
  const files: InputFile[] = [];
  const visit = (folder: string, prefix: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (prefix === '' && entry.isDirectory() && entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      const key = `${prefix}${entry.name}`;
      if (entry.isDirectory() && (prefix !== '' || !entry.name.startsWith('.'))) {
        visit(path, `${key}/`);
      } else if (entry.isFile()) {
        files.push({ key, path, extension: extname(entry.name).toLowerCase() || '(none)' });
      }
    }
  };
  visit(root, '');
  return files.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
}

/** The content of one input file. */
export function contentOf(file: InputFile): Uint8Array {
  return readFileSync(file.path);
}
