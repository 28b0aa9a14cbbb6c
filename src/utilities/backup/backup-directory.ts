/**
 * The directory of backups: lists of files in `meta`, tables in `shared_checksum`, the rest in `private/<id>`. A backup is
 * there from the moment its list is, and gone with it; files that no list names are rubbish of a backup that was
 * interrupted or deleted.
 */
import { runAsync } from '../../../format/base/io.ts';
import { parseFileName } from '../../../format/manifest/file-name.ts';
import { isNotFound } from '../../env/file-error.ts';
import { createDirectories, readWhole, syncDirectory, unlinkIfPresent, writeWhole } from '../../env/file-operations.ts';
import type { FileSystem } from '../../env/file-system.ts';
import {
  BACKUP_META_SIZE_MAX,
  type BackupMeta,
  decodeBackupMeta,
  encodeBackupMeta,
  META_DIRECTORY,
  PRIVATE_DIRECTORY,
  parseBackupId,
  parseBackupPath,
  SHARED_DIRECTORY,
} from './backup-meta.ts';

/** What the lists say. */
export interface BackupLists {
  /** Ascending by id. */
  good: Map<number, BackupMeta>;
  /** Lists that cannot be read, and why. */
  bad: Map<number, unknown>;
}

/** Files and folders of one backup directory. */
export class BackupDirectory {
  readonly fs: FileSystem;
  readonly path: string;

  constructor(fs: FileSystem, path: string) {
    this.fs = fs;
    this.path = path;
  }

  /** Makes the folders. */
  async create(): Promise<void> {
    for (const name of [META_DIRECTORY, SHARED_DIRECTORY, PRIVATE_DIRECTORY]) {
      await runAsync(createDirectories(this.fs, `${this.path}/${name}`));
    }
    await this.sync('');
  }

  /** The absolute form of a path in here. */
  absolute(path: string): string {
    return `${this.path}/${path}`;
  }

  /** Makes the names in a folder durable; '' is the directory itself. */
  async sync(folder: string): Promise<void> {
    await runAsync(syncDirectory(this.fs, folder === '' ? this.path : this.absolute(folder), 'file-created'));
  }

  /** Bytes of a file, `undefined` when it is not there. */
  async sizeOf(path: string): Promise<number | undefined> {
    try {
      return (await this.fs.stat(this.absolute(path))).size;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Reads every list. */
  async readLists(): Promise<BackupLists> {
    const lists: BackupLists = { good: new Map(), bad: new Map() };
    const names = await this.#names(META_DIRECTORY);
    const ids = names.map(parseBackupId).filter((id) => id !== undefined);
    for (const id of ids.sort((a, b) => a - b)) {
      const path = this.absolute(`${META_DIRECTORY}/${id}`);
      try {
        lists.good.set(id, decodeBackupMeta(await runAsync(readWhole(this.fs, path, BACKUP_META_SIZE_MAX)), id, path));
      } catch (error) {
        lists.bad.set(id, error);
      }
    }
    return lists;
  }

  /** Writes a list: from then on the backup is there. REQUIRES that its files are durable. */
  async writeList(meta: BackupMeta): Promise<void> {
    const path = this.absolute(`${META_DIRECTORY}/${meta.id}`);
    await runAsync(writeWhole(this.fs, `${path}.tmp`, encodeBackupMeta(meta), true));
    await this.fs.rename(`${path}.tmp`, path);
    await this.sync(META_DIRECTORY);
  }

  /** Deletes a list: from then on the backup is gone. */
  async removeList(id: number): Promise<void> {
    await runAsync(unlinkIfPresent(this.fs, this.absolute(`${META_DIRECTORY}/${id}`)));
    await this.sync(META_DIRECTORY);
  }

  /**
   * Deletes what no list names. While a list cannot be read, shared files stay: it may name them. Names that no backup
   * makes are left alone.
   */
  async collectGarbage({ good, bad }: BackupLists): Promise<void> {
    for (const name of await this.#names(META_DIRECTORY)) {
      if (/^\d{1,16}\.tmp$/.test(name)) await this.fs.unlink(this.absolute(`${META_DIRECTORY}/${name}`));
    }
    for (const name of await this.#names(PRIVATE_DIRECTORY)) {
      const id = parseBackupId(name.replace(/\.tmp$/, ''));
      if (id !== undefined && !good.has(id) && !bad.has(id)) await this.removePrivate(name);
    }
    const named = new Set([...good.values()].flatMap(({ files }) => files.map(({ path }) => path)));
    for (const name of await this.#names(SHARED_DIRECTORY)) {
      const path = `${SHARED_DIRECTORY}/${name}`;
      const temporary = /^\.(.+)\.tmp$/.exec(name);
      const isTemporary = temporary !== null && parseBackupPath(`${SHARED_DIRECTORY}/${temporary[1]}`, 0) !== undefined;
      const isUnused = bad.size === 0 && !named.has(path) && parseBackupPath(path, 0) !== undefined;
      if (isTemporary || isUnused) await this.fs.unlink(this.absolute(path));
    }
  }

  /** Deletes the folder `private/<name>` with the files a backup may have there; anything else in it keeps it. */
  async removePrivate(name: string): Promise<void> {
    const folder = `${PRIVATE_DIRECTORY}/${name}`;
    const files = await this.#names(folder);
    for (const file of files) {
      if (parseFileName(file) !== undefined) await this.fs.unlink(this.absolute(`${folder}/${file}`));
    }
    if ((await this.#names(folder)).length === 0 && (await this.fs.exists(this.absolute(folder)))) {
      await this.fs.rmdir(this.absolute(folder));
    }
  }

  /** Ids that a folder of private files stands for, whether or not a list does. */
  async privateIds(): Promise<number[]> {
    const names = await this.#names(PRIVATE_DIRECTORY);
    return names.map((name) => parseBackupId(name.replace(/\.tmp$/, ''))).filter((id) => id !== undefined);
  }

  async #names(folder: string): Promise<string[]> {
    try {
      return await this.fs.list(this.absolute(folder));
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }
}
