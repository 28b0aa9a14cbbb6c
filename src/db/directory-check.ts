/** What stands in a directory before a database is opened in it; everything here only reads. */
import path from 'node:path';
import { invalidArgument } from '../../format/base/db-error.ts';
import { CURRENT_FILE, parseFileName } from '../../format/manifest/file-name.ts';
import { isNotFound } from '../env/file-error.ts';
import type { FileSystem } from '../env/file-system.ts';

/** The absolute form of a path given by the user. */
export function absolutePath(given: unknown, what = 'path'): string {
  if (typeof given !== 'string' || given === '' || given.includes('\0')) {
    throw invalidArgument(`${what} must be a non-empty string`);
  }
  return path.resolve(given);
}

/** What `inspectDirectory` found. */
export interface DirectoryContents {
  exists: boolean;
  hasCurrent: boolean;
  hasLock: boolean;
  names: string[];
}

/** Looks at the database directory. `INVALID_ARGUMENT` when something else than a directory stands there. */
export async function inspectDirectory(fs: FileSystem, directory: string): Promise<DirectoryContents> {
  try {
    const stat = await fs.stat(directory);
    if (stat.kind !== 'directory') throw invalidArgument(`${directory}: exists but is not a directory`);
  } catch (error) {
    if (isNotFound(error)) return { exists: false, hasCurrent: false, hasLock: false, names: [] };
    throw error;
  }
  const names = await fs.list(directory);
  return { exists: true, hasCurrent: names.includes(CURRENT_FILE), hasLock: names.includes('LOCK'), names };
}

/** The newest OPTIONS file of a listing, or `undefined`. */
export function newestOptionsFile(names: readonly string[]): string | undefined {
  let newest: { number: number; name: string } | undefined;
  for (const name of names) {
    const parsed = parseFileName(name);
    if (parsed?.kind === 'options' && parsed.number > (newest?.number ?? -1)) newest = parsed;
  }
  return newest?.name;
}

/** Numbers of the logs in a listing, ascending. */
export function walNumbers(names: readonly string[]): number[] {
  return names
    .map(parseFileName)
    .filter((name) => name?.kind === 'wal')
    .map((name) => name!.number)
    .sort((a, b) => a - b);
}
