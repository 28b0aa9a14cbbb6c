/**
 * Restores a backup into a directory. Everything is checked to be there before the directory is touched; CURRENT goes
 * first and comes back last, so that an interrupted restore leaves no database rather than a mixed one. Every byte is
 * checked against the list as it is copied.
 */
import { corruption } from '../../../format/base/db-error.ts';
import { runAsync } from '../../../format/base/io.ts';
import { ARCHIVE_DIRECTORY, CURRENT_FILE, LOCK_FILE, parseFileName } from '../../../format/manifest/file-name.ts';
import { isNotFound } from '../../env/file-error.ts';
import { createDirectories, syncDirectory } from '../../env/file-operations.ts';
import type { FileSystem } from '../../env/file-system.ts';
import type { BackupDirectory } from './backup-directory.ts';
import type { BackupFile, BackupMeta } from './backup-meta.ts';
import { checkFacts, copyChecked } from './checked-copy.ts';

/** Where a backup goes. */
export interface RestoreTarget {
  fs: FileSystem;
  path: string;
  /** Where its logs go. */
  walPath: string;
}

/** See `BackupEngine.restore`. */
export async function restoreBackup(
  directory: BackupDirectory,
  meta: BackupMeta,
  target: RestoreTarget,
): Promise<void> {
  await checkPresence(directory, meta);
  const { fs, path, walPath } = target;
  for (const place of new Set([path, walPath])) await runAsync(createDirectories(fs, place));
  const hadLock = await fs.exists(`${path}/${LOCK_FILE}`);
  const lock = await fs.lock(`${path}/${LOCK_FILE}`);
  try {
    await removeDatabase(target);
    const current = meta.files.find(({ name }) => name === CURRENT_FILE);
    if (current === undefined) throw corruption(`backup ${meta.id} has no CURRENT`);
    for (const file of meta.files) if (file !== current) await restoreFile(directory, file, target, file.name);
    for (const place of new Set([walPath, path])) await runAsync(syncDirectory(fs, place, 'file-created'));
    await restoreFile(directory, current, target, '000000.dbtmp');
    await fs.rename(`${path}/000000.dbtmp`, `${path}/${CURRENT_FILE}`);
    if (!hadLock) await fs.unlink(`${path}/${LOCK_FILE}`);
    await runAsync(syncDirectory(fs, path, 'renamed'));
  } finally {
    await lock.release();
  }
}

/** `CORRUPTION` when a file of the backup is missing or of another size than its name says. */
export async function checkPresence(directory: BackupDirectory, meta: BackupMeta): Promise<void> {
  for (const { path, sizeBytes } of meta.files) {
    const size = await directory.sizeOf(path);
    if (size === undefined) throw corruption(`${directory.absolute(path)}: a file of backup ${meta.id} is missing`);
    if (sizeBytes !== undefined && size !== sizeBytes) {
      throw corruption(`${directory.absolute(path)}: expected ${sizeBytes} bytes, found ${size}`);
    }
  }
}

async function restoreFile(
  directory: BackupDirectory,
  file: BackupFile,
  target: RestoreTarget,
  name: string,
): Promise<void> {
  const place = parseFileName(file.name)?.kind === 'wal' ? target.walPath : target.path;
  const from = { fs: directory.fs, path: directory.absolute(file.path), noFollow: true };
  const facts = await copyChecked({ from, to: { fs: target.fs, path: `${place}/${name}` } });
  checkFacts(from.path, facts, file);
}

/** Removes the files of a database that is there, CURRENT first; names that are not a database's stay. */
async function removeDatabase({ fs, path, walPath }: RestoreTarget): Promise<void> {
  const names = await fs.list(path);
  if (names.includes(CURRENT_FILE)) {
    await fs.unlink(`${path}/${CURRENT_FILE}`);
    await runAsync(syncDirectory(fs, path, 'deleted'));
  }
  for (const name of names) {
    const kind = parseFileName(name)?.kind;
    if (kind !== undefined && kind !== 'lock' && kind !== 'current') await fs.unlink(`${path}/${name}`);
  }
  for (const place of new Set([walPath, path])) {
    for (const folder of [place, `${place}/${ARCHIVE_DIRECTORY}`]) {
      for (const name of await namesIn(fs, folder)) {
        if (parseFileName(name)?.kind === 'wal') await fs.unlink(`${folder}/${name}`);
      }
    }
  }
}

async function namesIn(fs: FileSystem, folder: string): Promise<string[]> {
  try {
    return await fs.list(folder);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
