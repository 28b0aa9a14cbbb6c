/**
 * Backups of databases in a directory of RocksDB's layout: its tools restore what is made here, and the other way round.
 * Backups are incremental: a table that one has is not copied for the next. One engine at a time may work in a directory.
 */
import path from 'node:path';
import { DBError, invalidArgument } from '../../../format/base/db-error.ts';
import { DB } from '../../db/db.ts';
import { Env } from '../../env/env.ts';
import type { DatabaseShape } from '../database-shape.ts';
import { StackableDB } from '../stackable-db.ts';
import { BackupDirectory, type BackupLists } from './backup-directory.ts';
import { type BackupMeta, PRIVATE_DIRECTORY } from './backup-meta.ts';
import { checkFacts, checksumOf } from './checked-copy.ts';
import { copyDatabase } from './create-backup.ts';
import { checkPresence, restoreBackup } from './restore-backup.ts';

/** One backup. */
export interface BackupInfo {
  id: number;
  /** Unix seconds. */
  timestamp: number;
  /** The database's newest write when the backup began: it holds this one and those before. */
  sequence: number;
  fileCount: number;
  /** Bytes of all its files, shared ones included. */
  sizeBytes: number;
  /** The note that was given with it, or ''. */
  metadata: string;
}

/** A backup just made. */
export interface NewBackup extends BackupInfo {
  /** Bytes that had to be copied: files that other backups had are not among them. */
  copiedBytes: number;
  copiedFiles: number;
}

/** Options of `BackupEngine.open`. */
export interface BackupEngineOptions {
  /** Where the backups lie; databases bring their own. */
  env?: Env;
}

/** Options of `createBackup`. */
export interface CreateBackupOptions {
  /** Write memtables to tables first (default), or copy the logs; then writes with `disableWAL` may be missing. */
  flush?: boolean;
  /** A note that is kept with the backup. */
  metadata?: string;
}

/** Options of `restore`. */
export interface RestoreOptions {
  /** Where logs go; default: the database's directory. */
  walDir?: string;
  /** Where the database goes; default: where the backups lie. */
  env?: Env;
}

/** Names a backup. */
export type BackupId = number | { readonly id: number };

/** The backups of one directory. Calls are carried out one after the other. */
export class BackupEngine implements AsyncDisposable {
  readonly #directory: BackupDirectory;
  readonly #env: Env;
  #lists: BackupLists;
  #sizes: Map<string, number>;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(directory: BackupDirectory, env: Env, lists: BackupLists, sizes: Map<string, number>) {
    this.#directory = directory;
    this.#env = env;
    this.#lists = lists;
    this.#sizes = sizes;
  }

  /** Opens the directory, or makes it. A list that cannot be read makes its backup a corrupt one, not the open fail. */
  static async open(dir: string, options: BackupEngineOptions = {}): Promise<BackupEngine> {
    const env = options.env ?? Env.default;
    if (!(env instanceof Env)) throw invalidArgument('options.env must be an Env');
    const directory = new BackupDirectory(env.fileSystem, absolute(dir, 'dir'));
    await directory.create();
    const lists = await directory.readLists();
    await directory.collectGarbage(lists);
    return new BackupEngine(directory, env, lists, await sizesOf(directory, lists));
  }

  /** The backups that can be restored, oldest first. */
  list(): BackupInfo[] {
    this.#requireOpen();
    return [...this.#lists.good.values()].map((meta) => this.#info(meta));
  }

  /** Ids of backups whose lists cannot be read. */
  corruptBackups(): number[] {
    this.#requireOpen();
    return [...this.#lists.bad.keys()];
  }

  /**
   * Backs up an open database as it is now, while writes go on. On failure nothing of the backup remains but tables that the
   * next one may use.
   */
  async createBackup(db: DatabaseShape, options: CreateBackupOptions = {}): Promise<NewBackup> {
    const { flush = true, metadata = '' } = options;
    if (!(db instanceof DB || db instanceof StackableDB)) throw invalidArgument('createBackup takes an open DB');
    if (typeof flush !== 'boolean') throw invalidArgument('options.flush must be true or false');
    if (typeof metadata !== 'string') throw invalidArgument('options.metadata must be a string');
    return this.#inTurn(async () => {
      const id = await this.#nextId();
      const known = this.#knownChecksums();
      const timestamp = Math.floor(this.#env.clock.nowMillis() / 1000);
      try {
        const work = await copyDatabase({ directory: this.#directory, db, id, flush, metadata, timestamp, known });
        await this.#directory.writeList(work.meta);
        this.#lists.good.set(id, work.meta);
        this.#sizes = await sizesOf(this.#directory, this.#lists);
        return { ...this.#info(work.meta), copiedBytes: work.copiedBytes, copiedFiles: work.copiedFiles };
      } catch (error) {
        await this.#directory.removePrivate(String(id)).catch(() => {});
        throw error;
      }
    });
  }

  /**
   * Restores a backup into `dir`, in the place of a database that is there (`LOCKED` when it is open). `NOT_FOUND` when there
   * is no such backup, `CORRUPTION` when a file of it is missing or damaged; then no database remains in `dir`, unless
   * the lack was seen before anything was removed.
   */
  async restore(backup: BackupId, dir: string, options: RestoreOptions = {}): Promise<void> {
    const target = absolute(dir, 'dir');
    const walPath = options.walDir === undefined ? target : absolute(options.walDir, 'options.walDir');
    const { fileSystem } = options.env ?? this.#env;
    return this.#inTurn(() =>
      restoreBackup(this.#directory, this.#meta(backup), { fs: fileSystem, path: target, walPath }),
    );
  }

  /** Restores the newest backup; `NOT_FOUND` when there is none. */
  async restoreLatest(dir: string, options: RestoreOptions = {}): Promise<void> {
    const newest = [...this.#lists.good.keys()].pop();
    if (newest === undefined) throw new DBError('NOT_FOUND', `${this.#directory.path}: there is no backup`);
    return this.restore(newest, dir, options);
  }

  /** Reads a backup through: every file there, of its size, with its checksum. `CORRUPTION` names the first that is not. */
  async verify(backup: BackupId): Promise<void> {
    return this.#inTurn(async () => {
      const meta = this.#meta(backup);
      await checkPresence(this.#directory, meta);
      for (const file of meta.files) {
        const path = this.#directory.absolute(file.path);
        checkFacts(path, await checksumOf(this.#directory.fs, path), file);
      }
    });
  }

  /** Deletes all but the newest `keep` backups; files that those need stay. Returns the ids that went. */
  async purge(keep: number): Promise<number[]> {
    if (!Number.isSafeInteger(keep) || keep < 0) throw invalidArgument('keep must be a whole number >= 0');
    return this.#inTurn(async () => {
      const ids = [...this.#lists.good.keys()];
      const gone = ids.slice(0, Math.max(0, ids.length - keep));
      await this.#remove(gone);
      return gone;
    });
  }

  /** Deletes one backup, also one that is corrupt. `NOT_FOUND` when there is none of that id. */
  async deleteBackup(backup: BackupId): Promise<void> {
    return this.#inTurn(async () => {
      const id = idOf(backup);
      if (!this.#lists.bad.has(id)) this.#meta(id);
      await this.#remove([id]);
    });
  }

  /** Waits for what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#requireOpen();
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  #requireOpen(): void {
    if (this.#closed) throw new DBError('CLOSED', `${this.#directory.path}: the backup engine is closed`);
  }

  #meta(backup: BackupId): BackupMeta {
    const id = idOf(backup);
    const meta = this.#lists.good.get(id);
    if (meta !== undefined) return meta;
    const cause = this.#lists.bad.get(id);
    if (cause !== undefined) throw cause;
    throw new DBError('NOT_FOUND', `${this.#directory.path}: there is no backup ${id}`);
  }

  /** A number that neither a list nor a leftover has. */
  async #nextId(): Promise<number> {
    const used = [...this.#lists.good.keys(), ...this.#lists.bad.keys(), ...(await this.#directory.privateIds())];
    return Math.max(0, ...used) + 1;
  }

  #knownChecksums(): Map<string, number> {
    const known = new Map<string, number>();
    for (const { files } of this.#lists.good.values()) {
      for (const { path: name, checksum } of files) if (checksum !== undefined) known.set(name, checksum);
    }
    return known;
  }

  async #remove(ids: readonly number[]): Promise<void> {
    for (const id of ids) {
      await this.#directory.removeList(id);
      this.#lists.good.delete(id);
      this.#lists.bad.delete(id);
    }
    await this.#directory.collectGarbage(this.#lists);
    await this.#directory.sync(PRIVATE_DIRECTORY);
  }

  #info(meta: BackupMeta): BackupInfo {
    const { id, timestamp, sequence, metadata, files } = meta;
    const sizeBytes = files.reduce((sum, { path: name }) => sum + (this.#sizes.get(name) ?? 0), 0);
    return { id, timestamp, sequence, metadata, fileCount: files.length, sizeBytes };
  }
}

function absolute(given: unknown, what: string): string {
  if (typeof given !== 'string' || given === '' || given.includes('\0')) {
    throw invalidArgument(`${what} must be a non-empty string`);
  }
  return path.resolve(given);
}

function idOf(backup: BackupId): number {
  const id = typeof backup === 'object' && backup !== null ? backup.id : backup;
  if (!Number.isSafeInteger(id) || id <= 0) throw invalidArgument('a backup is named by its id, a whole number > 0');
  return id;
}

/** Sizes of all files that lists name; those that are missing are left out. */
async function sizesOf(directory: BackupDirectory, lists: BackupLists): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const { files } of lists.good.values()) {
    for (const { path: name, sizeBytes } of files) {
      if (sizes.has(name)) continue;
      const size = sizeBytes ?? (await directory.sizeOf(name));
      if (size !== undefined) sizes.set(name, size);
    }
  }
  return sizes;
}
