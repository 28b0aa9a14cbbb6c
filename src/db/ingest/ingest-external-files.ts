/**
 * Tables from outside become part of an open database, without their entries passing through log and memtable. They are
 * brought into the directory and checked while everything goes on; then, behind the writes queued so far, they get their
 * levels and sequences, and one record of the MANIFEST makes them all visible.
 */
import { invalidArgument } from '../../../format/base/db-error.ts';
import { type Io, io, runAsync, runSync } from '../../../format/base/io.ts';
import { tableFileName } from '../../../format/manifest/file-name.ts';
import { emptyEdit, type VersionEdit } from '../../../format/manifest/version-edit.ts';
import type { ColumnFamilyState } from '../../version/column-family.ts';
import { absolutePath } from '../directory-check.ts';
import type { Engine } from '../engine.ts';
import { type Placement, placeTables } from './choose-level.ts';
import type { ResolvedIngestOptions } from './ingest-options.ts';
import { overlapsMemtables } from './range-overlap.ts';
import { type StagedTable, stageTable } from './staged-table.ts';

/** See `DB.ingestExternalFile`. */
export async function ingestExternalFiles(
  engine: Engine,
  family: ColumnFamilyState,
  paths: readonly string[],
  options: ResolvedIngestOptions,
): Promise<void> {
  if (!Array.isArray(paths) || paths.length === 0)
    throw invalidArgument('ingestExternalFile takes the paths of tables');
  const ingestion = new Ingestion(engine, family, options);
  try {
    for (const path of paths) await ingestion.stage(absolutePath(path, 'the path of a table'));
    await engine.queue.barrier(() => ingestion.install());
  } catch (error) {
    ingestion.removeStaged();
    throw error;
  }
  engine.background.schedule();
  if (options.moveFiles) await removeExternal(engine, ingestion.tables);
}

/** Takes the old names of moved files away. They are in the database already: a name that stays is no failure. */
async function removeExternal({ context }: Engine, tables: readonly StagedTable[]): Promise<void> {
  for (const { externalPath } of tables) {
    try {
      await context.fs.unlink(externalPath);
    } catch (error) {
      context.logger.warn(`${externalPath} was ingested, but cannot be removed: ${(error as Error).message}`);
    }
  }
}

/** One call. */
class Ingestion {
  readonly tables: StagedTable[] = [];
  readonly #engine: Engine;
  readonly #family: ColumnFamilyState;
  readonly #options: ResolvedIngestOptions;
  readonly #numbers: number[] = [];

  constructor(engine: Engine, family: ColumnFamilyState, options: ResolvedIngestOptions) {
    this.#engine = engine;
    this.#family = family;
    this.#options = options;
  }

  /** Brings one file in. */
  async stage(path: string): Promise<void> {
    this.#requireFamily();
    const number = this.#engine.versions.newFileNumber();
    this.#numbers.push(number);
    this.tables.push(await runAsync(stageTable(this.#engine, this.#family, path, number, this.#options)));
  }

  /** After a failure. A closed database's directory may be somebody else's by now; its next open removes the files. */
  removeStaged(): void {
    if (this.#engine.isClosed) return;
    for (const number of this.#numbers) this.#engine.obsolete.addOther(tableFileName(number));
  }

  /**
   * Makes the files visible. A barrier of the write queue, but blocking writes pass it at every wait: so all is prepared with
   * waits, and then looked at again and carried out without any.
   */
  *install(): Io<void> {
    const { versions, writes } = this.#engine;
    for (;;) {
      this.#requireFamily();
      yield* this.#flushOverlap();
      // What is older than the files must not be lost by a power cut that they survive.
      yield* writes.syncLog();
      const prepared = yield* this.#place();
      yield* this.#rewrite(prepared);
      // No wait from here to the install: no compaction is picked and no write is made on what these steps have seen.
      this.#requireFamily();
      runSync(writes.syncLog());
      runSync(versions.logAndApply({ changes: [] }));
      if (runSync(this.#overlapsMemtables())) continue;
      const placements = runSync(this.#place());
      if (placements.some(({ table, sequence }) => table.mustRewrite(sequence, this.#options))) continue;
      this.#commit(placements);
      return;
    }
  }

  /** Levels and sequences as things are now. */
  #place(): Io<Placement[]> {
    const { snapshots, writes } = this.#engine;
    return placeTables(this.#engine, this.#family, this.tables, {
      options: this.#options,
      filesOverlap: this.#filesOverlap(),
      newSequence: this.#options.snapshotConsistency && snapshots.count > 0,
      lastSequence: writes.allocatedSequence,
    });
  }

  *#rewrite(placements: readonly Placement[]): Io<void> {
    const { fs, path } = this.#engine.context;
    for (const { table, sequence } of placements) {
      if (table.mustRewrite(sequence, this.#options)) yield* table.rewrite(fs, path, sequence);
    }
  }

  #commit(placements: readonly Placement[]): void {
    const { context, versions, writes } = this.#engine;
    const edit: VersionEdit = emptyEdit(this.#family.id);
    const now = context.nowSeconds();
    for (const { table, level, sequence } of placements) {
      edit.newFiles.push({ level, file: table.metadata(sequence, now) });
    }
    const newest = edit.newFiles.reduce((most, { file }) => Math.max(most, file.largestSequence), 0);
    const taken = newest - writes.allocatedSequence;
    if (taken > 0) writes.takeSequences(taken);
    const onInstalled = (): void => {
      versions.lastSequence = Math.max(versions.lastSequence, newest);
      this.#report(placements);
    };
    runSync(versions.logAndApply({ changes: [{ family: this.#family, edit }], onInstalled }));
  }

  #report(placements: readonly Placement[]): void {
    const { context } = this.#engine;
    const { name } = this.#family;
    for (const { table, level, sequence } of placements) {
      const { number, sizeBytes, externalPath } = table;
      context.notify('onTableFileCreated', { columnFamily: name, fileNumber: number, sizeBytes });
      context.notify('onExternalFileIngested', {
        columnFamily: name,
        externalFilePath: externalPath,
        internalFilePath: `${context.path}/${tableFileName(number)}`,
        fileNumber: number,
        level,
        globalSeqno: sequence,
      });
    }
    context.logEvent('ingest_finished', {
      cf_name: name,
      files_ingested: placements.map(({ table, level }) => ({ file: table.number, level })),
    });
  }

  /** Whether some key may be in two of the files. */
  #filesOverlap(): boolean {
    const { compare } = this.#family.comparator;
    const sorted = this.tables.toSorted((a, b) => compare(a.range.smallest, b.range.smallest));
    return sorted.some((table, i) => i > 0 && !sorted[i - 1]!.endsBefore(this.#family, table));
  }

  *#overlapsMemtables(): Io<boolean> {
    for (const { range } of this.tables) {
      if (yield* overlapsMemtables(this.#engine, this.#family, range)) return true;
    }
    return false;
  }

  /** What is in memory is newer than any table: it must not hide the files. */
  *#flushOverlap(): Io<void> {
    while (yield* this.#overlapsMemtables()) {
      if (!this.#options.allowBlockingFlush) {
        throw invalidArgument('External file requires flush: its range overlaps writes that are only in memory');
      }
      yield* this.#flush();
    }
  }

  *#flush(): Io<void> {
    const { background, context, versions, writes } = this.#engine;
    const families = context.options.atomicFlush ? [...versions.families.values()] : [this.#family];
    const filled = families.filter(({ active }) => active.entryCount > 0);
    if (filled.length > 0) yield* writes.switchMemtables(filled);
    yield* io(
      () => this.#flushSync(families),
      async () => void (await Promise.all(families.map((family) => background.flushed(family)))),
    );
  }

  #flushSync(families: readonly ColumnFamilyState[]): void {
    const { background, errors } = this.#engine;
    const wanted = families.flatMap((family) => family.immutables.map((memtable) => ({ family, memtable })));
    for (const { family } of wanted) family.flushRequested = true;
    while (wanted.some(({ family, memtable }) => !family.dropped && family.immutables.includes(memtable))) {
      background.waitSync();
      if (errors.error !== undefined) throw errors.error;
    }
  }

  #requireFamily(): void {
    const { name, dropped } = this.#family;
    this.#engine.requireOpen();
    this.#engine.writes.checkWritable();
    if (dropped) throw invalidArgument(`column family ${name} was dropped`);
  }
}
