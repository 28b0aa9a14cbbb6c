/**
 * Removes files that nothing needs any more: tables that no version shows, logs that hold nothing unflushed, replaced
 * MANIFEST and OPTIONS files. Removal can be suspended (`disableFileDeletions`) and then catches up.
 *
 * Logs go to the archive instead while a time or size limit for them is set.
 */
import { type Io, runAsync, runSync } from '../../format/base/io.ts';
import {
  levelDbTableFileName,
  manifestFileName,
  optionsFileName,
  parseFileName,
  tableFileName,
  walFileName,
} from '../../format/manifest/file-name.ts';
import type { TableCache } from '../cache/table-cache.ts';
import type { Timer } from '../env/clock.ts';
import { listDirectory, unlinkIfPresent } from '../env/file-operations.ts';
import type { DbContext } from '../options/db-context.ts';
import { WalArchive } from '../wal/wal-archive.ts';

/** OPTIONS files that are kept. */
const OPTIONS_FILES_KEPT = 2;

/** Timers take no longer delays; the archive is then just looked at once more than needed. */
const TIMER_MS_MAX = 2 ** 31 - 1;

type Removal = { kind: 'table' | 'wal' | 'manifest' | 'options' | 'other' | 'archived'; number: number; name: string };

/**
 * So many files are removed side by side: beside a busy event loop a removal takes a turn of it, ten milliseconds or more, and
 * compactions with small tables make hundreds a second.
 */
const FILES_AT_ONCE = 128;

/** The removals of one database. Their order does not matter: what is in the queue nothing needs, whatever a crash leaves. */
export class ObsoleteFiles {
  readonly #context: DbContext;
  readonly #tables: TableCache;
  #queue: Removal[] = [];
  #suspended = 0;
  #running: Promise<void> | undefined;
  readonly #archive: WalArchive;
  /** Fires when an archived log outlives its time. */
  #archiveTimer: Timer | undefined;
  #closed = false;
  /** Set while the MANIFEST in force may name files that memory does not know of. */
  uncertain = false;

  constructor(context: DbContext, tables: TableCache) {
    this.#context = context;
    this.#tables = tables;
    this.#archive = new WalArchive(context);
  }

  /** Whether removals are suspended. */
  get isSuspended(): boolean {
    return this.#suspended > 0;
  }

  /** Suspends removals; calls nest. Resolves when none is under way. */
  async suspend(): Promise<void> {
    this.#suspended++;
    await this.#running;
  }

  /** Undoes one `suspend`, or with `force` all of them. */
  resume(force: boolean): void {
    this.#suspended = force ? 0 : Math.max(0, this.#suspended - 1);
    this.#drive();
  }

  /** Queues tables that no version shows. */
  addTables(numbers: readonly number[]): void {
    for (const number of numbers) {
      this.#tables.evict(number);
      this.#queue.push({ kind: 'table', number, name: tableFileName(number) });
    }
    this.#drive();
  }

  /** Queues logs. */
  addLogs(numbers: readonly number[]): void {
    for (const number of numbers) this.#queue.push({ kind: 'wal', number, name: walFileName(number) });
    this.#drive();
  }

  /** Queues a look at the archive: what the limits for it do not allow goes. */
  pruneArchive(): void {
    if (!this.#archive.enabled || this.#closed) return;
    if (!this.#queue.some(({ kind }) => kind === 'archived'))
      this.#queue.push({ kind: 'archived', number: 0, name: '' });
    this.#drive();
  }

  /** Queues MANIFEST files that are not in force any more. */
  addManifest(number: number): void {
    this.#queue.push({ kind: 'manifest', number, name: manifestFileName(number) });
    this.#drive();
  }

  /** Queues an output of a failed or superseded job. */
  addOther(name: string): void {
    this.#queue.push({ kind: 'other', number: 0, name });
    this.#drive();
  }

  /** Keeps the newest OPTIONS files and queues the others. */
  *pruneOptions(): Io<void> {
    const names = yield* listDirectory(this.#context.fs, this.#context.path);
    const numbers = names
      .map(parseFileName)
      .filter((name) => name?.kind === 'options')
      .map((name) => name!.number)
      .sort((a, b) => b - a);
    for (const number of numbers.slice(OPTIONS_FILES_KEPT)) {
      this.#queue.push({ kind: 'options', number, name: optionsFileName(number) });
    }
    this.#drive();
  }

  /** Resolves when everything that may be removed now has been. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Waits as `idle` does; nothing is removed by itself from then on. */
  close(): Promise<void> {
    this.#closed = true;
    this.#archiveTimer?.cancel();
    return this.idle();
  }

  #drive(): void {
    if (this.#running !== undefined || !this.#mayRemove()) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.#drive();
    });
  }

  async #run(): Promise<void> {
    while (this.#mayRemove()) {
      await Promise.all(this.#queue.splice(0, FILES_AT_ONCE).map((removal) => runAsync(this.#tryRemove(removal))));
    }
  }

  /**
   * Removes what is queued, blocking: writers that block leave the event loop no turn, and the files that their flushes and
   * compactions replaced would stay until they pause. The archive is left alone, a removal from it may be under way.
   */
  removeSync(): void {
    if (this.#archive.enabled || !this.#mayRemove()) return;
    for (const removal of this.#queue.splice(0)) runSync(this.#tryRemove(removal));
  }

  #mayRemove(): boolean {
    return this.#queue.length > 0 && this.#suspended === 0 && !this.uncertain;
  }

  *#tryRemove(removal: Removal): Io<void> {
    try {
      yield* this.#remove(removal);
    } catch (error) {
      // The file stays; the next open removes it.
      this.#context.logger.warn(`Cannot remove ${removal.name}: ${(error as Error).message}`);
    }
  }

  *#remove(removal: Removal): Io<void> {
    const { fs, path, walPath } = this.#context;
    if (removal.kind === 'archived') return this.#setArchiveTimer(yield* this.#archive.prune());
    if (removal.kind === 'wal') {
      if (!this.#archive.enabled) return void (yield* unlinkIfPresent(fs, `${walPath}/${removal.name}`));
      yield* this.#archive.add(removal.number, removal.name);
      return this.pruneArchive();
    }
    const found = yield* unlinkIfPresent(fs, `${path}/${removal.name}`);
    if (removal.kind !== 'table') return;
    if (!found) yield* unlinkIfPresent(fs, `${path}/${levelDbTableFileName(removal.number)}`);
    this.#context.statistics?.count('rocksdb.files.deleted.immediately');
    this.#context.notify('onTableFileDeleted', { fileNumber: removal.number, path: `${path}/${removal.name}` });
    this.#context.logEvent('table_file_deletion', { file_number: removal.number });
  }

  #setArchiveTimer(delayMs: number | undefined): void {
    this.#archiveTimer?.cancel();
    this.#archiveTimer = undefined;
    if (delayMs === undefined || this.#closed) return;
    this.#archiveTimer = this.#context.clock.setTimer(Math.min(delayMs, TIMER_MS_MAX), () => this.pruneArchive());
  }
}
