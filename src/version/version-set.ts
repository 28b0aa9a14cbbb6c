/**
 * The state that the MANIFEST records: the column families with their versions, and the counters. Every change goes
 * through `logAndApply`: it is written and synced first, then installed, in one stretch without a wait.
 *
 * Changes that arrive while a sync is under way wait and are written together, with one sync for all of them.
 */
import { assert } from '../../format/base/assert.ts';
import { DBError, wouldWaitForItself } from '../../format/base/db-error.ts';
import { closeFile } from '../../format/base/file-io.ts';
import { type Io, IoTask, inPlace, io, repeatableIo, runSync } from '../../format/base/io.ts';
import { manifestSnapshot } from '../../format/manifest/manifest-snapshot.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import type { Version } from '../../format/manifest/version.ts';
import { VersionBuilder } from '../../format/manifest/version-builder.ts';
import { emptyEdit, type VersionEdit } from '../../format/manifest/version-edit.ts';
import type { Directory } from '../env/file-system.ts';
import type { MemTable } from '../memtable/memtable.ts';
import type { DbContext } from '../options/db-context.ts';
import type { ColumnFamilyState } from './column-family.ts';
import { ManifestWriter } from './manifest-writer.ts';

/** One family's part of a change. */
export interface FamilyChange {
  family: ColumnFamilyState;
  edit: VersionEdit;
  /** Memtables whose data the edit's new files hold. */
  flushed?: readonly MemTable[];
}

/** Edits that become durable and visible together. */
export interface VersionChange {
  changes: readonly FamilyChange[];
  /** Carried out right after the install, in the same stretch. */
  onInstalled?: () => void;
  /** Begin a new MANIFEST for this change. */
  renewManifest?: boolean;
}

/** A change waiting for its turn or for the disk. */
class QueuedChange {
  readonly change: VersionChange;
  readonly promise: Promise<void>;
  settled = false;
  failure: unknown;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  constructor(change: VersionChange) {
    this.change = change;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A blocking caller reads `failure` instead.
    this.promise.catch(() => {});
  }

  settle(failure: unknown): void {
    this.settled = true;
    this.failure = failure;
    if (failure === undefined) this.#resolve();
    else this.#reject(failure);
  }
}

/** Families and counters of one open database. */
export class VersionSet {
  readonly context: DbContext;
  readonly families = new Map<number, ColumnFamilyState>();
  /** Of the newest write that readers may see. */
  lastSequence = 0;
  /** The next number for a file of any kind. */
  nextFileNumber = 2;
  maxColumnFamily = 0;
  minLogNumberToKeep = 0;
  dbId: Uint8Array | undefined;
  /** Called when no version shows these tables any more. */
  onObsolete: (files: readonly number[]) => void = () => {};
  /** Called with the number of a MANIFEST that another one has replaced. */
  onManifestReplaced: (number: number) => void = () => {};
  /** Called when writing the MANIFEST failed; the error is the one that the change is rejected with. */
  onManifestFailure: (error: DBError) => void = () => {};
  #manifest: ManifestWriter | undefined;
  #installedManifestSize = 0;
  #directory: Directory | undefined;
  #queue: QueuedChange[] = [];
  #task: IoTask<void> | undefined;
  /** While versions take effect: listeners are told of it one by one, and may call back. */
  #isInstalling = false;
  /** How many versions show a level: those that an edit does not touch are shared, and not walked through again. */
  readonly #levelUses = new Map<readonly FileMetadata[], number>();
  /** How many of those levels hold a table. */
  readonly #tableUses = new Map<number, number>();

  constructor(context: DbContext) {
    this.context = context;
  }

  /** Number of the MANIFEST in force; 0 before the first is written. */
  get manifestNumber(): number {
    return this.#manifest?.number ?? 0;
  }

  /** Bytes of the MANIFEST in force that hold the present state: what is being added to it is not counted. */
  get manifestSize(): number {
    return this.#manifest === undefined ? 0 : this.#installedManifestSize;
  }

  /** Whether the caller was called by a listener that is told of a change. */
  get isInstalling(): boolean {
    return this.#isInstalling;
  }

  newFileNumber(): number {
    return this.nextFileNumber++;
  }

  /** No file that is created later gets `number` or one below. */
  reserveFileNumber(number: number): void {
    if (number >= this.nextFileNumber) this.nextFileNumber = number + 1;
  }

  byName(name: string): ColumnFamilyState | undefined {
    for (const family of this.families.values()) if (family.name === name && !family.dropped) return family;
    return undefined;
  }

  /** Counts the tables of a version that came into being; `release` is its counterpart. */
  track(version: Version): Version {
    for (const files of version.levels) {
      const uses = this.#levelUses.get(files) ?? 0;
      this.#levelUses.set(files, uses + 1);
      if (uses > 0) continue;
      for (const { number } of files) this.#tableUses.set(number, (this.#tableUses.get(number) ?? 0) + 1);
    }
    return version;
  }

  /** The release callback of every version. */
  readonly release = (version: Version): void => {
    const obsolete: number[] = [];
    for (const files of version.levels) {
      const levelUses = this.#levelUses.get(files)! - 1;
      if (levelUses > 0) {
        this.#levelUses.set(files, levelUses);
        continue;
      }
      this.#levelUses.delete(files);
      for (const { number } of files) {
        const uses = this.#tableUses.get(number)! - 1;
        if (uses > 0) this.#tableUses.set(number, uses);
        else {
          this.#tableUses.delete(number);
          obsolete.push(number);
        }
      }
    }
    if (obsolete.length > 0) this.onObsolete(obsolete);
  };

  /** Whether some version shows the table. */
  isLive(number: number): boolean {
    return this.#tableUses.has(number);
  }

  /** Numbers of all tables that some version shows. */
  liveTables(): Iterable<number> {
    return this.#tableUses.keys();
  }

  /** Opens the directory, whose entries are synced before a MANIFEST names new tables. Once, before the first change. */
  *start(): Io<void> {
    const { fs, path } = this.context;
    this.#directory ??= yield* io(
      () => fs.openDirectorySync(path),
      () => fs.openDirectory(path),
    );
  }

  /**
   * Begins a new MANIFEST with the whole present state, makes it current, and uses it from now on. For the open, where
   * nothing else changes; later `renewManifest` keeps its place among the changes under way.
   */
  *beginManifest(extra: readonly VersionEdit[] = []): Io<void> {
    const number = this.newFileNumber();
    const next = yield* ManifestWriter.create(this.context, number, this.#snapshotEdits(extra));
    try {
      // Before CURRENT can name it: its own name must be durable, and those of the tables it shows.
      yield* this.#syncDirectory();
      yield* next.makeCurrent();
    } catch (error) {
      yield* next.close();
      throw error;
    }
    const previous = this.#manifest;
    this.#manifest = next;
    this.#installedManifestSize = next.size;
    if (previous === undefined) return;
    yield* previous.close();
    this.onManifestReplaced(previous.number);
  }

  /** Begins a new MANIFEST behind the changes that are queued. */
  renewManifest(): Io<void> {
    return this.logAndApply({ changes: [], renewManifest: true });
  }

  /** Makes the change durable and installs it. On failure nothing is installed. The steps are repeatable. */
  *logAndApply(change: VersionChange): Io<void> {
    const entry = new QueuedChange(change);
    this.#queue.push(entry);
    yield* repeatableIo(
      () => this.#finishSync(entry),
      () => {
        this.#drive();
        return entry.promise;
      },
      () => (this.#isInstalling ? 'turn' : undefined),
    );
  }

  /** Closes the MANIFEST file. REQUIRES that nothing is queued. */
  *close(): Io<void> {
    const manifest = this.#manifest;
    this.#manifest = undefined;
    if (manifest !== undefined) yield* manifest.close();
    const directory = this.#directory;
    this.#directory = undefined;
    if (directory !== undefined) {
      yield* closeFile(directory);
    }
  }

  /** The names of new tables must be durable before a record that names them is. */
  *#syncDirectory(): Io<void> {
    const directory = this.#directory;
    assert(directory !== undefined, 'the version set was started');
    yield* repeatableIo(
      () => directory.syncSync('file-created'),
      () => directory.sync('file-created'),
    );
  }

  /** Blocks until the change has settled; throws what it failed with. */
  #finishSync(entry: QueuedChange): void {
    while (!entry.settled) {
      if (this.#isInstalling) {
        this.#queue = this.#queue.filter((other) => other !== entry);
        throw wouldWaitForItself();
      }
      const task = this.#task;
      if (task === undefined) runSync(this.#commit());
      else assert(task.finishSync(), 'the steps of a commit are repeatable');
      this.#task = undefined;
    }
    this.#drive();
    if (entry.failure !== undefined) throw entry.failure;
  }

  #drive(): void {
    if (this.#task !== undefined || this.#isInstalling || this.#queue.length === 0) return;
    const task = new IoTask(this.#commit());
    this.#task = task;
    const settle = (): void => this.#onTaskSettled(task);
    task.promise.then(settle, settle);
  }

  #onTaskSettled(task: IoTask<void>): void {
    if (this.#task !== task) return;
    this.#task = undefined;
    this.#drive();
  }

  /** Writes all queued changes with one sync, then installs them. */
  *#commit(): Io<void> {
    const batch = this.#queue;
    this.#queue = [];
    const accepted: { entry: QueuedChange; versions: Map<ColumnFamilyState, Version> }[] = [];
    const latest = new Map<ColumnFamilyState, Version>();
    for (const entry of batch) {
      try {
        accepted.push({ entry, versions: this.#buildVersions(entry.change, latest) });
      } catch (error) {
        entry.settle(error);
      }
    }
    try {
      const renew = accepted.some(({ entry }) => entry.change.renewManifest === true);
      yield* this.#write(
        accepted.flatMap(({ entry }) => this.#records(entry.change)),
        renew,
      );
    } catch (cause) {
      const error = this.#manifestError(cause);
      for (const { entry, versions } of accepted) {
        for (const version of versions.values()) version.unref();
        entry.settle(error);
      }
      return;
    }
    // No wait from here on: file lists and memtables of one change are seen together.
    this.#installedManifestSize = this.#manifest?.size ?? 0;
    this.#isInstalling = true;
    try {
      for (const { entry, versions } of accepted) this.#install(entry, versions);
    } finally {
      this.#isInstalling = false;
    }
  }

  *#write(edits: readonly VersionEdit[], renew: boolean): Io<void> {
    if (edits.length === 0 && !renew) return;
    const manifest = this.#manifest;
    if (renew || manifest === undefined || manifest.size >= this.context.options.maxManifestFileSize) {
      yield* inPlace(this.beginManifest(edits));
      return;
    }
    if (edits.some((edit) => edit.newFiles.length > 0)) yield* this.#syncDirectory();
    manifest.append(edits);
    yield* manifest.sync();
  }

  /** After a failure the file's end is unknown: it is never written again, the next change begins a new one. */
  #manifestError(cause: unknown): DBError {
    const manifest = this.#manifest;
    this.#manifest = undefined;
    if (manifest !== undefined) {
      const closing = new IoTask(manifest.close());
      closing.promise.catch((error) => this.context.logger.warn(`closing the failed MANIFEST: ${String(error)}`));
    }
    const error =
      cause instanceof DBError ? cause : new DBError('IO_ERROR', `MANIFEST write failed: ${String(cause)}`, { cause });
    error.severity = 'hard';
    this.onManifestFailure(error);
    return error;
  }

  /** Builds the versions that a change leads to, over those of changes accepted before it. */
  #buildVersions(change: VersionChange, latest: Map<ColumnFamilyState, Version>): Map<ColumnFamilyState, Version> {
    const versions = new Map<ColumnFamilyState, Version>();
    for (const { family, edit } of change.changes) {
      if (edit.newFiles.length === 0 && edit.deletedFiles.length === 0) continue;
      if (family.dropped) throw new DBError('NOT_FOUND', `column family ${family.name} has been dropped`);
      const builder = new VersionBuilder(versions.get(family) ?? latest.get(family) ?? family.version);
      builder.apply(edit);
      const version = this.track(builder.finish(family.comparator, family.options.numLevels, this.release));
      versions.get(family)?.unref();
      versions.set(family, version);
    }
    for (const [family, version] of versions) latest.set(family, version);
    return versions;
  }

  /** The edits of a change as they are written: counters filled in, an atomic group where families change together. */
  #records(change: VersionChange): VersionEdit[] {
    const grouped = change.changes.length > 1;
    return change.changes.map(({ edit }, i) => ({
      ...edit,
      prevLogNumber: 0,
      nextFileNumber: this.nextFileNumber,
      lastSequence: this.#sequenceFor(edit),
      ...(grouped ? { remainingInGroup: change.changes.length - 1 - i } : {}),
    }));
  }

  /** RocksDB refuses a MANIFEST whose last sequence is below an entry of a table. */
  #sequenceFor(edit: VersionEdit): number {
    return edit.newFiles.reduce((most, { file }) => Math.max(most, file.largestSequence), this.lastSequence);
  }

  #install(entry: QueuedChange, versions: Map<ColumnFamilyState, Version>): void {
    for (const { family, edit, flushed } of entry.change.changes) {
      if (edit.logNumber !== undefined) family.logNumber = Math.max(family.logNumber, edit.logNumber);
      for (const cursor of edit.compactCursors) family.compactCursors.set(cursor.level, cursor);
      const version = versions.get(family);
      versions.delete(family);
      if (version !== undefined) family.install(version, flushed);
      else if (flushed !== undefined && flushed.length > 0) family.install(family.version.ref(), flushed);
      if (edit.minLogNumberToKeep !== undefined) {
        this.minLogNumberToKeep = Math.max(this.minLogNumberToKeep, edit.minLogNumberToKeep);
      }
      if (edit.maxColumnFamily !== undefined)
        this.maxColumnFamily = Math.max(this.maxColumnFamily, edit.maxColumnFamily);
    }
    entry.change.onInstalled?.();
    entry.settle(undefined);
  }

  #snapshotEdits(extra: readonly VersionEdit[]): VersionEdit[] {
    const live = [...this.families.values()].filter((family) => !family.dropped).sort((a, b) => a.id - b.id);
    const snapshot = manifestSnapshot({
      dbId: this.dbId,
      families: live.map((family) => ({
        id: family.id,
        name: family.name,
        comparatorName: family.comparator.name,
        logNumber: family.logNumber,
        version: family.version,
        compactCursors: family.compactCursors.values(),
      })),
      minLogNumberToKeep: this.minLogNumberToKeep,
      lastSequence: this.lastSequence,
    });
    const counters: VersionEdit = {
      ...emptyEdit(),
      prevLogNumber: 0,
      nextFileNumber: this.nextFileNumber,
      lastSequence: this.lastSequence,
      ...(this.maxColumnFamily > 0 ? { maxColumnFamily: this.maxColumnFamily } : {}),
    };
    return [...snapshot, counters, ...extra];
  }
}
