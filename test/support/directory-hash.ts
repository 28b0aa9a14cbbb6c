/** Fingerprints a directory, to prove that something left it as it was. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** One line a file: relative name, size, modification time and SHA-256 of the content, sorted by name. */
export function directoryFingerprint(directory: string): string[] {
  const lines: string[] = [];
  const visit = (folder: string, prefix: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      const stat = statSync(path);
      if (stat.isDirectory()) {
        lines.push(`${prefix}${name}/`);
        visit(path, `${prefix}${name}/`);
      } else {
        const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
        lines.push(`${prefix}${name} ${stat.size} ${stat.mtimeMs} ${digest}`);
      }
    }
  };
  visit(directory, '');
  return lines;
}
