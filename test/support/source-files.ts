/** Lists the project's own source files, for tests that read the code itself. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout, without a slash at its end. */
export const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The top folders that hold TypeScript, lowest first. */
export const SOURCE_FOLDERS = ['format', 'compaction', 'src', 'tools', 'bench', 'test'] as const;

/** Folders that hold no TypeScript of this project's own: data, and the kernel's AssemblyScript (another language). */
const SKIPPED_FOLDERS = new Set(['test/fixtures', 'format/kernel/assembly', 'node_modules', 'dist']);

/** One source file: its path from the project's root, with forward slashes, and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

/** Every `.ts` file below the source folders, in a fixed order. */
export function readSourceFiles(): SourceFile[] {
  const files: SourceFile[] = [];
  for (const folder of SOURCE_FOLDERS) {
    collect(folder, files);
  }
  return files;
}

function collect(folder: string, into: SourceFile[]): void {
  if (SKIPPED_FOLDERS.has(folder)) {
    return;
  }
  for (const name of readdirSync(join(PROJECT_ROOT, folder)).sort()) {
    const path = `${folder}/${name}`;
    if (statSync(join(PROJECT_ROOT, path)).isDirectory()) {
      collect(path, into);
    } else if (name.endsWith('.ts')) {
      into.push({ path, text: readFileSync(join(PROJECT_ROOT, path), 'utf8') });
    }
  }
}
