/**
 * An open database: its parts, wired. The public `DB` checks arguments and asks the engine; `open.ts` builds it. What each
 * part does stands in its own file; here stands only who knows whom, and the order of closing.
 */

import { DBError } from '../../format/base/db-error.ts';
import { type Io, runAsync } from '../../format/base/io.ts';
import type { PreparedTransactions } from '../../format/batch/prepared-transactions.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { optionsFileName, optionsTempFileName } from '../../format/manifest/file-name.ts';
import { emptyEdit } from '../../format/manifest/version-edit.ts';
import { BackgroundWork } from '../background/background-work.ts';
import { ErrorHandler } from '../background/error-handler.ts';
import { type DbIdentity, JobRunner } from '../background/job-runner.ts';
import { ObsoleteFiles } from '../background/obsolete-files.ts';
import type { TableCache } from '../cache/table-cache.ts';
import { renameFile, syncDirectory, writeWhole } from '../env/file-operations.ts';
import type { FileLock } from '../env/file-system.ts';
import type { ClosableLogger } from '../env/logger.ts';
import type { DbContext } from '../options/db-context.ts';
import { printOptionsFile } from '../options/options-file.ts';
import type { TableAccess } from '../read/point-lookup.ts';
import { SnapshotList } from '../read/snapshot-list.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { VersionSet } from '../version/version-set.ts';
import { WalManager } from '../wal/wal-manager.ts';
import type { RecoveryReport } from '../wal/wal-recovery.ts';
import { WritePath } from '../write/write-path.ts';
import { WriteQueue } from '../write/write-queue.ts';
import { DatabaseMemory } from './database-memory.ts';
import type { FamilyCaches } from './family-caches.ts';
import { makeOptionsFile } from './options-text.ts';

/** What `open` hands over. */
export interface EngineParts {
  context: DbContext;
  versions: VersionSet;
  tables: TableCache;
  identity: DbIdentity;
  lock: FileLock | undefined;
  log: ClosableLogger | undefined;
  recovery: RecoveryReport;
  prepared: PreparedTransactions;
  caches: FamilyCaches;
}

function* verifyTable(access: TableAccess, family: ColumnFamilyState, file: FileMetadata): Io<void> {
  const reader = yield* access.tables.open(file, access.openingOf(family));
  yield* reader.verifyChecksums();
}

/** The parts of one open database. */
export class Engine {
  readonly kernel = getKernel();
  readonly context: DbContext;
  readonly versions: VersionSet;
  readonly tables: TableCache;
  readonly access: TableAccess;
  readonly caches: FamilyCaches;
  readonly identity: DbIdentity;
  readonly recovery: RecoveryReport;
  readonly snapshots: SnapshotList;
  readonly errors: ErrorHandler;
  readonly obsolete: ObsoleteFiles;
  readonly wal: WalManager;
  readonly background: BackgroundWork;
  readonly writes: WritePath;
  readonly queue: WriteQueue;
  readonly readOnly: boolean;
  /** Transactions that the logs left prepared; they keep their logs. */
  readonly prepared: PreparedTransactions;
  /** Name of the OPTIONS file in force; `undefined` before the first is written. */
  optionsFile: string | undefined;
  /** Its bytes. */
  optionsFileSize = 0;
  #lock: FileLock | undefined;
  #log: ClosableLogger | undefined;
  /** Runs until the database closes. Set once it is open. */
  reports: { close(): void } | undefined;
  /** This database's part in its `WriteBufferManager`, if it has one. */
  readonly #memory: DatabaseMemory | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: EngineParts) {
    this.context = parts.context;
    this.versions = parts.versions;
    this.tables = parts.tables;
    this.caches = parts.caches;
    this.context.statistics?.addSource(this.caches.tickers);
    this.identity = parts.identity;
    this.recovery = parts.recovery;
    this.prepared = parts.prepared;
    this.readOnly = parts.context.options.readOnly;
    this.#lock = parts.lock;
    this.#log = parts.log;
    this.access = { tables: parts.tables, openingOf: (family) => this.caches.openingOf(family) };
    this.errors = new ErrorHandler(this.context);
    this.obsolete = new ObsoleteFiles(this.context, this.tables);
    this.wal = new WalManager(this.context);
    this.snapshots = new SnapshotList(() => this.background.snapshotReleased(), this.context.leaks);
    this.background = new BackgroundWork({
      context: this.context,
      versions: this.versions,
      wal: this.wal,
      snapshots: this.snapshots,
      runner: new JobRunner(this.versions, this.access, this.identity),
      errors: this.errors,
      obsolete: this.obsolete,
      minLogOfPrepared: () => this.prepared.minLogNumber,
      verifyTable: (family, file) => verifyTable(this.access, family, file),
    });
    this.writes = new WritePath(this.context, this.kernel, this.versions, this.wal, this.background, (error) =>
      this.errors.report('wal', error),
    );
    this.queue = new WriteQueue(this.kernel, this.writes);
    this.background.controller = this.writes.controller;
    const { writeBufferManager } = this.context.options;
    if (writeBufferManager !== undefined && !this.readOnly) {
      this.#memory = new DatabaseMemory(this, writeBufferManager);
      writeBufferManager.join(this.#memory);
    }
    this.#connectErrors();
  }

  /** Whether `close` has begun. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Throws `CLOSED` once the database is closing. */
  requireOpen(): void {
    if (this.#closing !== undefined) throw new DBError('CLOSED', `${this.context.path}: the database is closed`);
  }

  /** Writes a new OPTIONS file for the present families, and lets the oldest go. */
  *writeOptionsFile(): Io<void> {
    const { fs, path } = this.context;
    const number = this.versions.newFileNumber();
    const families = [...this.versions.families.values()]
      .filter((family) => !family.dropped)
      .sort((a, b) => a.id - b.id);
    const bytes = printOptionsFile(makeOptionsFile(this.context.options, families));
    const temporary = `${path}/${optionsTempFileName(number)}`;
    yield* writeWhole(fs, temporary, bytes, true);
    yield* renameFile(fs, temporary, `${path}/${optionsFileName(number)}`);
    yield* syncDirectory(fs, path, 'renamed');
    this.optionsFile = optionsFileName(number);
    this.optionsFileSize = bytes.length;
    yield* this.obsolete.pruneOptions();
  }

  /** Makes the active memtables of `families` immutable, behind the writes queued so far. */
  switchMemtables(families: readonly ColumnFamilyState[]): Promise<void> {
    return this.queue.barrier(() => this.writes.switchMemtables(families.filter((f) => f.active.entryCount > 0)));
  }

  /** Flushes families and waits until their data is in tables, and the logs that held it are gone or in the archive. */
  async flush(wanted: readonly ColumnFamilyState[]): Promise<void> {
    const families = this.context.options.atomicFlush ? [...this.versions.families.values()] : wanted;
    await this.switchMemtables(families);
    await Promise.all(families.map((family) => this.background.flushed(family)));
    await this.obsolete.idle();
  }

  /** Ends a background error: a new log, everything in memory into tables, then writes are accepted again. */
  async resume(): Promise<void> {
    if (this.errors.error === undefined) return;
    this.errors.clear();
    const live = [...this.versions.families.values()].filter((family) => !family.dropped);
    this.wal.abandonAll();
    try {
      await runAsync(this.#freshLog(live));
      await runAsync(this.versions.renewManifest());
      this.obsolete.uncertain = false;
      await Promise.all(live.map((family) => this.background.flushed(family)));
      await runAsync(this.#forgetOldLogs(live));
    } catch (error) {
      if (this.errors.error === undefined) this.errors.report('flush', error);
      throw error;
    }
    this.writes.refusal = undefined;
    this.background.schedule();
  }

  /**
   * Records that no log before the current one is needed. The abandoned log may end in half a record, and the sequences of
   * the failed write are skipped: a recovery that read it would take the log behind it for one with a hole before it.
   */
  *#forgetOldLogs(families: readonly ColumnFamilyState[]): Io<void> {
    const logNumber = this.wal.currentNumber;
    const minLogNumberToKeep = Math.min(logNumber, this.prepared.minLogNumber ?? logNumber);
    const changes = families
      .filter((family) => !family.dropped)
      .map((family) => ({ family, edit: { ...emptyEdit(family.id), logNumber, minLogNumberToKeep } }));
    yield* this.versions.logAndApply({ changes });
    this.background.releaseLogs();
  }

  /** Lets go of everything after an open that failed, and leaves all files as they are. */
  async abandon(): Promise<void> {
    // What was begun may be in force already: no table goes.
    this.versions.onObsolete = () => {};
    this.#giveMemoryBack();
    this.context.statistics?.removeSource(this.caches.tickers);
    for (const closing of [this.wal.close(), this.versions.close()]) {
      await runAsync(closing).catch((error) =>
        this.context.logger.warn(`closing after a failed open: ${String(error)}`),
      );
    }
    this.queue.close();
    this.writes.close();
  }

  /** Closes everything. Idempotent; waits for running work. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #giveMemoryBack(): void {
    if (this.#memory !== undefined) this.context.options.writeBufferManager?.leave(this.#memory);
  }

  *#freshLog(families: readonly ColumnFamilyState[]): Io<void> {
    const next = yield* this.wal.create(this.versions.newFileNumber());
    this.wal.install(next);
    yield* this.writes.switchMemtables(families.filter((family) => family.active.entryCount > 0));
  }

  async #close(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = async (step: () => unknown): Promise<void> => {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    };
    this.wal.tail.close();
    this.reports?.close();
    await attempt(() => this.queue.whenIdle());
    if (!this.readOnly && this.errors.error === undefined) await attempt(() => this.#flushUnlogged());
    await attempt(() => this.background.close());
    await attempt(() => this.obsolete.close());
    if (!this.readOnly && this.errors.error === undefined) await attempt(() => this.wal.flush());
    await attempt(() => runAsync(this.wal.close()));
    await attempt(() => runAsync(this.versions.close()));
    this.queue.close();
    this.writes.close();
    // The tables stay: only memory is let go of from here on.
    this.versions.onObsolete = () => {};
    this.#giveMemoryBack();
    for (const family of this.versions.families.values()) family.release();
    this.tables.close();
    this.context.statistics?.removeSource(this.caches.tickers);
    this.caches.close();
    this.context.logger.info('Shutdown complete');
    await attempt(() => this.#log?.close());
    await attempt(() => this.#lock?.release());
    if (failures.length > 0) throw failures[0];
  }

  /** Data that is in no log would be lost: it is flushed unless the option says otherwise. */
  async #flushUnlogged(): Promise<void> {
    if (this.context.options.avoidFlushDuringShutdown || !this.writes.hasUnloggedData) return;
    const live = [...this.versions.families.values()].filter((family) => !family.dropped);
    await this.flush(live.filter((family) => family.hasUnflushedData));
  }

  #connectErrors(): void {
    this.errors.onRefusal = (error) => {
      this.writes.refusal = error;
      this.background.signal();
      this.context.options.writeBufferManager?.memoryChanged();
    };
    this.versions.onManifestFailure = (error) => {
      // The failed record may or may not be in force: no file it names may go.
      this.obsolete.uncertain = true;
      this.errors.report('manifest', error);
    };
    this.versions.onManifestReplaced = (number) => this.obsolete.addManifest(number);
    this.versions.onObsolete = (numbers) => this.obsolete.addTables(numbers);
  }
}
