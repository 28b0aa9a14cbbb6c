/** What can be done with a database directory without opening the database. */
import { invalidArgument } from '../../format/base/db-error.ts';
import { ARCHIVE_DIRECTORY, LOCK_FILE, parseFileName } from '../../format/manifest/file-name.ts';
import { isNotFound } from '../env/file-error.ts';
import type { FileSystem } from '../env/file-system.ts';
import { silentLogger } from '../env/logger.ts';
import { DbContext } from '../options/db-context.ts';
import type { Options } from '../options/options.ts';
import { resolveOptions } from '../options/resolve-options.ts';
import { absolutePath, inspectDirectory } from './directory-check.ts';
import { readCurrentManifest } from './current-manifest.ts';

/** See `DB.listColumnFamilies`. */
export async function listFamilies(given: string, options: Options): Promise<string[]> {
  const path = absolutePath(given);
  const { db } = await resolveOptions(options);
  const context = new DbContext(path, db, db.logger ?? silentLogger);
  if (!(await inspectDirectory(context.fs, path)).hasCurrent) throw invalidArgument(`${path}: no database is there`);
  const state = await readCurrentManifest(context);
  return [...state.families.values()].sort((a, b) => a.id - b.id).map(({ name }) => name);
}

/** See `DB.destroy`. */
export async function destroyDatabase(given: string, options: Options): Promise<void> {
  const path = absolutePath(given);
  const { db } = await resolveOptions(options);
  const fs = db.env.fileSystem;
  const found = await inspectDirectory(fs, path);
  if (!found.exists) return;
  const walPath = db.walDir === undefined ? path : absolutePath(db.walDir, 'options.walDir');
  const lock = await fs.lock(`${path}/${LOCK_FILE}`);
  try {
    // CURRENT goes first: what a crash leaves is then no database rather than a broken one.
    const names = await fs.list(path);
    for (const name of ['CURRENT', ...names.filter((other) => other !== 'CURRENT')]) {
      if (names.includes(name) && parseFileName(name) !== undefined && name !== LOCK_FILE)
        await fs.unlink(`${path}/${name}`);
    }
    for (const directory of new Set([walPath, path])) await removeLogs(fs, directory);
    await fs.unlink(`${path}/${LOCK_FILE}`);
  } finally {
    await lock.release();
  }
  if ((await fs.list(path)).length === 0) await fs.rmdir(path);
}

async function removeLogs(fs: FileSystem, directory: string): Promise<void> {
  const archive = `${directory}/${ARCHIVE_DIRECTORY}`;
  for (const place of [directory, archive]) {
    let names: string[];
    try {
      names = await fs.list(place);
    } catch (error) {
      if (isNotFound(error)) continue;
      throw error;
    }
    for (const name of names) if (parseFileName(name)?.kind === 'wal') await fs.unlink(`${place}/${name}`);
    if (place === archive && (await fs.list(archive)).length === 0) await fs.rmdir(archive);
  }
}
