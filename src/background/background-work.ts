/**
 * Starts flushes and compactions when they are due, within their slots, and installs what they made. Every change of state
 * ends with `schedule()`, which looks at everything again: nothing has to remember what it waits for.
 */
import { type Compaction, inputFiles } from '../../compaction/compaction.ts';
import type { CompactionResult } from '../../compaction/compaction-result.ts';
import { estimatePendingCompactionBytes } from '../../compaction/level-score.ts';
import type { PickContext } from '../../compaction/pick-context.ts';
import { pickerFor } from '../../compaction/picker.ts';
import { DBError, wouldWaitForItself } from '../../format/base/db-error.ts';
import { type Io, IoTask, inPlace, repeatableIo, runAsync } from '../../format/base/io.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { emptyEdit, type VersionEdit } from '../../format/manifest/version-edit.ts';
import { Flush } from '../flush/flush.ts';
import type { DbContext } from '../options/db-context.ts';
import { pickerOptions } from '../options/picker-options.ts';
import type { SnapshotList } from '../read/snapshot-list.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { WalManager } from '../wal/wal-manager.ts';
import { decideStall, type WriteController } from '../write/write-controller.ts';
import type { RoomMaker } from '../write/write-path.ts';
import { CompactionReport } from './compaction-report.ts';
import type { ErrorHandler } from './error-handler.ts';
import { eventLoopTurn } from './event-loop-turn.ts';
import type { JobRunner } from './job-runner.ts';
import type { ObsoleteFiles } from './obsolete-files.ts';
import { Subcompactions } from './subcompactions.ts';

/** What background work is done with. */
export interface BackgroundParts {
  context: DbContext;
  versions: VersionSet;
  wal: WalManager;
  snapshots: SnapshotList;
  runner: JobRunner;
  errors: ErrorHandler;
  obsolete: ObsoleteFiles;
  /** Logs at or above this must stay for prepared transactions. */
  minLogOfPrepared: () => number | undefined;
  /** Reads every block of a table and checks it; `CORRUPTION` names the first that is wrong. */
  verifyTable: (family: ColumnFamilyState, file: FileMetadata) => Io<void>;
}

interface RunningCompaction {
  compaction: Compaction;
  task: IoTask<void>;
}

/** The flushes and compactions of one database. */
export class BackgroundWork implements RoomMaker {
  /** Set once the write path exists. */
  controller: WriteController | undefined;
  readonly #parts: BackgroundParts;
  readonly #flushes = new Map<ColumnFamilyState, IoTask<void>>();
  readonly #compactions = new Map<ColumnFamilyState, RunningCompaction[]>();
  #waiters: (() => void)[] = [];
  #paused = 0;
  #closing = false;
  readonly #subcompactions: Subcompactions;
  #nextJobId = 1;
  /** What no snapshot was older than when the last one was released. */
  #releasedSequence = 0;
  /** Tables that `BottommostFiles` compactions made and that still have sequences: operands that could not be merged. */
  readonly #settledFiles = new Set<number>();

  constructor(parts: BackgroundParts) {
    this.#parts = parts;
    this.#subcompactions = new Subcompactions(parts.runner);
  }

  /** Whether automatic work may start. */
  get isPaused(): boolean {
    return this.#paused > 0;
  }

  get runningFlushCount(): number {
    return this.#flushes.size;
  }

  get runningCompactionCount(): number {
    let sum = 0;
    for (const running of this.#compactions.values()) sum += running.length;
    return sum;
  }

  /** Compactions of a family that run now. */
  compactionsOf(family: ColumnFamilyState): readonly Compaction[] {
    return (this.#compactions.get(family) ?? []).map(({ compaction }) => compaction);
  }

  /** Numbers of tables that are inputs of running compactions. */
  busyFiles(): Set<number> {
    const busy = new Set<number>();
    for (const running of this.#compactions.values()) {
      for (const { compaction } of running) for (const file of inputFiles(compaction)) busy.add(file.number);
    }
    return busy;
  }

  schedule(): void {
    if (this.#closing) return;
    this.#scheduleFlushes();
    if (this.#paused === 0 && this.#parts.errors.error === undefined) this.#scheduleCompactions();
    this.updateStalls();
  }

  /** After the release of a snapshot: tables at the bottom that kept something for it may be rewritten now. */
  snapshotReleased(): void {
    const { snapshots, versions } = this.#parts;
    this.#releasedSequence = snapshots.oldest ?? versions.lastSequence;
    this.schedule();
  }

  whenChanged(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  waitSync(): void {
    this.schedule();
    if (this.advanceSync()) return;
    const { runner, context, versions } = this.#parts;
    const tasks = this.#tasks();
    if (versions.isInstalling || tasks.some((task) => task.isRunning)) throw wouldWaitForItself();
    if (tasks[0]?.waitsFor === 'thread') runner.waitSync(() => tasks.some((task) => task.waitsFor === undefined));
    else if (!context.callOut(() => tasks[0]?.finishSync() === true)) context.clock.sleepSync(1);
    this.advanceSync();
  }

  advanceSync(): boolean {
    const { context, runner, obsolete } = this.#parts;
    let ended = false;
    runner.waitSync(() => true);
    // What a task that ended made possible is begun, too.
    while (context.callOut(() => this.#tasks().filter((task) => task.advanceSync()).length > 0)) {
      ended = true;
      this.#reap();
    }
    if (ended) obsolete.removeSync();
    return ended;
  }

  /** What is under way, flushes first. */
  #tasks(): IoTask<void>[] {
    return [...this.#flushes.values(), ...[...this.#compactions.values()].flat().map(({ task }) => task)];
  }

  /** Wakes everybody who waits for progress, and stops jobs that nobody wants any more. */
  signal(): void {
    this.#parts.runner.applyCancellations();
    this.wake();
  }

  /** Wakes everybody who waits for progress. */
  wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves when no flush of `family` is left to do; throws the background error if one stops it. */
  async flushed(family: ColumnFamilyState): Promise<void> {
    const wanted = family.immutables.slice();
    if (wanted.length > 0) family.flushRequested = true;
    this.schedule();
    while (wanted.some((memtable) => family.immutables.includes(memtable)) && !family.dropped) {
      const { error } = this.#parts.errors;
      if (error !== undefined) throw error;
      if (this.#closing) throw new DBError('CLOSED', 'the database is closing');
      await this.whenChanged();
    }
  }

  /** Runs a compaction that a user asked for and waits for it; it is divided into at most `maxSubcompactions` parts. */
  async runManual(
    family: ColumnFamilyState,
    compaction: Compaction,
    maxSubcompactions = this.#parts.context.options.maxSubcompactions,
  ): Promise<CompactionResult | undefined> {
    let result: CompactionResult | undefined;
    const task = this.#startCompaction(family, compaction, maxSubcompactions, (r) => {
      result = r;
    });
    await task.promise;
    return result;
  }

  /** Gives tables another level in the MANIFEST; nothing is rewritten. REQUIRES that the tree stays in order. */
  async moveFiles(family: ColumnFamilyState, numbers: readonly number[], from: number, to: number): Promise<void> {
    const edit = emptyEdit(family.id);
    for (const number of numbers) {
      const found = family.version.findByNumber(number);
      if (found === undefined || found.level !== from || this.busyFiles().has(number)) {
        throw new DBError('BUSY', `table ${number} is being compacted`, { retryable: true });
      }
      edit.deletedFiles.push({ level: from, number });
      edit.newFiles.push({ level: to, file: found.file });
    }
    await runAsync(this.#parts.versions.logAndApply({ changes: [{ family, edit }] }));
    this.schedule();
  }

  /** Stops automatic work; resolves when none runs. Calls nest. */
  async pause(): Promise<void> {
    this.#paused++;
    while (this.#flushes.size > 0 || this.runningCompactionCount > 0) await this.whenChanged();
  }

  /** Undoes one `pause`. */
  continue(): void {
    this.#paused = Math.max(0, this.#paused - 1);
    this.schedule();
  }

  /** Starts nothing more, cancels compactions, and resolves when nothing runs. */
  async close(): Promise<void> {
    this.#closing = true;
    this.signal();
    await Promise.allSettled(this.#tasks().map((task) => task.promise));
  }

  /** What a picker looks at. */
  pickContext(family: ColumnFamilyState): PickContext {
    return {
      familyId: family.id,
      familyName: family.name,
      view: family.version,
      running: this.compactionsOf(family),
      compactCursors: new Map([...family.compactCursors].map(([level, cursor]) => [level, cursor.key])),
      nowSeconds: this.#parts.context.nowSeconds(),
      releasedSequence: this.#releasedSequence,
      settledFiles: this.#settledFiles,
    };
  }

  /** Decides again whether writes must wait. */
  updateStalls(): void {
    const { controller } = this;
    if (controller === undefined) return;
    for (const family of this.#parts.versions.families.values()) {
      if (family.dropped) controller.remove(family.id);
      else this.#updateStall(family, controller);
    }
    if (controller.condition !== 'stopped') this.signal();
  }

  #updateStall(family: ColumnFamilyState, controller: WriteController): void {
    const { options } = family;
    const pending = estimatePendingCompactionBytes(family.version, pickerOptions(options));
    const decision = decideStall({
      ...options,
      immutableCount: family.immutables.length,
      level0FileCount: family.version.fileCount(0),
      pendingCompactionBytes: pending,
    });
    const previous = controller.update(family.id, decision, pending);
    if (previous.condition === decision.condition) return;
    this.#parts.context.notify('onStallConditionsChanged', {
      columnFamily: family.name,
      previous: previous.condition,
      current: decision.condition,
      cause: decision.cause,
    });
    this.#parts.context.logger.warn(
      `[${family.name}] write stall: ${previous.condition} -> ${decision.condition} (${decision.cause})`,
    );
  }

  #scheduleFlushes(): void {
    const { versions, errors, context } = this.#parts;
    if (errors.error !== undefined || this.#paused > 0) return;
    const due = [...versions.families.values()].filter((family) => this.#flushDue(family));
    if (due.length === 0) return;
    if (context.options.atomicFlush) {
      if (this.#flushes.size === 0 && this.#hasFlushSlot()) this.#startFlush(atomicGroup(versions.families.values()));
      return;
    }
    for (const family of due) {
      if (!this.#hasFlushSlot()) return;
      this.#startFlush([family]);
    }
  }

  /** Without slots of their own (`maxBackgroundFlushes: 0`) flushes take those of compactions, before these. */
  #hasFlushSlot(): boolean {
    const { flushSlots } = this.#parts.context.options;
    return flushSlots > 0 ? this.#flushes.size < flushSlots : this.#hasCompactionSlot();
  }

  #hasCompactionSlot(): boolean {
    const { flushSlots, compactionSlots } = this.#parts.context.options;
    const flushes = flushSlots > 0 ? 0 : this.#flushes.size;
    return this.runningCompactionCount + flushes < compactionSlots;
  }

  #flushDue(family: ColumnFamilyState): boolean {
    if (family.dropped || this.#flushes.has(family) || family.immutables.length === 0) return false;
    return family.flushRequested || family.immutables.length >= family.options.minWriteBufferNumberToMerge;
  }

  /** Flushes families whose results become visible together; one family but for `atomicFlush`. */
  #startFlush(families: readonly ColumnFamilyState[]): void {
    for (const family of families) family.flushRequested = false;
    const task = new IoTask(this.#flush(families));
    for (const family of families) this.#flushes.set(family, task);
    this.#watch(task);
  }

  *#flush(families: readonly ColumnFamilyState[]): Io<void> {
    const { context, runner, snapshots, versions, wal } = this.#parts;
    const flushes = families.map((family) => new Flush(context, family, this.#nextJobId++));
    try {
      const results: CompactionResult[] = [];
      for (const flush of flushes) {
        const { family } = flush;
        yield* flush.prepare(eventLoopTurn);
        const isCancelled = (): boolean => family.dropped;
        const job = { family, snapshots: snapshots.sequences(), work: flush.work(), isCancelled };
        const result = yield* runner.run(job);
        yield* this.#verifyOutputs(family, result);
        results.push(result);
      }
      // Older logs may hold other families' writes that came before those in the new tables.
      if (versions.families.size > 1) yield* wal.syncOlder();
      const minLog = this.#minLogAfter(flushes);
      const changes = flushes.map((flush, i) => ({
        family: flush.family,
        edit: flush.edit(results[i]!, minLog),
        flushed: flush.memtables,
      }));
      yield* versions.logAndApply({
        changes,
        onInstalled: () => {
          for (const [i, flush] of flushes.entries()) flush.report(results[i]!);
          this.releaseLogs();
        },
      });
    } catch (error) {
      for (const flush of flushes) flush.giveUp();
      if (!families.some((family) => family.dropped)) throw this.#parts.errors.report('flush', error);
    }
  }

  /** With `paranoidFileChecks` every block of a new table is read back before anything refers to it. */
  *#verifyOutputs(family: ColumnFamilyState, result: CompactionResult): Io<void> {
    if (!family.options.paranoidFileChecks) return;
    try {
      for (const file of result.outputs) yield* inPlace(this.#parts.verifyTable(family, file));
    } catch (error) {
      this.#parts.obsolete.addTables(result.outputs.map(({ number }) => number));
      throw error;
    }
  }

  #minLogAfter(flushes: readonly Flush[]): number {
    let own = Number.MAX_SAFE_INTEGER;
    for (const { family, memtables } of flushes) {
      const left = family.immutables.find((memtable) => !memtables.includes(memtable)) ?? family.active;
      if (left.entryCount > 0) own = Math.min(own, left.logNumber);
    }
    return this.#minLogNeeded(new Set(flushes.map(({ family }) => family)), own);
  }

  /** The oldest log that anything needs; the need of `families` is given. */
  #minLogNeeded(families: ReadonlySet<ColumnFamilyState>, own: number): number {
    let least = Math.min(own, this.#parts.wal.currentNumber, this.#parts.minLogOfPrepared() ?? Number.MAX_SAFE_INTEGER);
    for (const other of this.#parts.versions.families.values()) {
      if (!families.has(other) && !other.dropped) least = Math.min(least, other.oldestLogNeeded);
    }
    return least;
  }

  /** Lets go of logs that nothing needs and that the MANIFEST does not ask to keep. */
  releaseLogs(): void {
    const { versions, wal, obsolete } = this.#parts;
    const minimum = Math.min(versions.minLogNumberToKeep, this.#minLogNeeded(new Set(), Number.MAX_SAFE_INTEGER));
    obsolete.addLogs(wal.releaseBelow(minimum));
  }

  #scheduleCompactions(): void {
    const { versions, context } = this.#parts;
    for (let started = true; started; ) {
      started = false;
      for (const family of versions.families.values()) {
        if (!this.#hasCompactionSlot()) return;
        if (family.dropped || family.options.disableAutoCompactions) continue;
        const picker = pickerFor(pickerOptions(family.options), family.comparator);
        const compaction = picker.pick(this.pickContext(family));
        if (compaction === undefined) continue;
        this.#startCompaction(family, compaction, context.options.maxSubcompactions);
        started = true;
      }
    }
  }

  #startCompaction(
    family: ColumnFamilyState,
    compaction: Compaction,
    maxSubcompactions: number,
    onResult?: (result: CompactionResult) => void,
  ): IoTask<void> {
    const running = this.#compactions.get(family) ?? [];
    this.#compactions.set(family, running);
    const entry: RunningCompaction = { compaction, task: undefined as never };
    running.push(entry);
    entry.task = new IoTask(this.#compact(family, compaction, maxSubcompactions, this.#nextJobId++, onResult));
    this.#watch(entry.task);
    return entry.task;
  }

  *#compact(
    family: ColumnFamilyState,
    compaction: Compaction,
    maxSubcompactions: number,
    jobId: number,
    onResult: ((result: CompactionResult) => void) | undefined,
  ): Io<void> {
    const { context, snapshots, versions, errors } = this.#parts;
    // Let the caller note the compaction as running before anything of it happens.
    yield* repeatableIo(
      () => {},
      async () => {},
    );
    const version = family.version.ref();
    try {
      const parts = yield* this.#subcompactions.divide(family, compaction, maxSubcompactions);
      const report = new CompactionReport(context, family, compaction, parts.length, jobId);
      let result: CompactionResult | undefined;
      if (compaction.kind === 'merge') {
        const isCancelled = (): boolean => this.#closing || family.dropped;
        const job = { family, snapshots: snapshots.sequences(), isCancelled };
        result = yield* this.#subcompactions.run(job, compaction, parts);
        yield* this.#verifyOutputs(family, result);
      }
      const edit = compactionEdit(compaction, result, family);
      yield* versions.logAndApply({
        changes: [{ family, edit }],
        onInstalled: () => {
          this.#noteSettled(compaction, result);
          report.finish(result);
        },
      });
      if (result !== undefined) onResult?.(result);
    } catch (error) {
      if (family.dropped || this.#closing) {
        context.statistics?.count('rocksdb.compaction.cancelled');
        return;
      }
      throw errors.report('compaction', error);
    } finally {
      version.unref();
    }
  }

  #noteSettled(compaction: Compaction, result: CompactionResult | undefined): void {
    for (const { number } of inputFiles(compaction)) this.#settledFiles.delete(number);
    if (compaction.reason !== 'BottommostFiles') return;
    for (const file of result?.outputs ?? []) if (file.largestSequence > 0) this.#settledFiles.add(file.number);
  }

  #watch(task: IoTask<void>): void {
    const settled = (): void => this.#reap();
    task.promise.then(settled, settled);
  }

  /** Takes settled tasks out and looks for new work. */
  #reap(): void {
    for (const [family, task] of this.#flushes) if (task.settled) this.#flushes.delete(family);
    for (const [family, running] of this.#compactions) {
      const left = running.filter(({ task }) => !task.settled);
      if (left.length > 0) this.#compactions.set(family, left);
      else this.#compactions.delete(family);
    }
    this.schedule();
    this.signal();
    this.#parts.context.options.writeBufferManager?.memoryChanged();
  }
}

/** Every family with something to flush: with `atomicFlush` they go together. */
function atomicGroup(families: Iterable<ColumnFamilyState>): ColumnFamilyState[] {
  return [...families].filter((family) => !family.dropped && family.immutables.length > 0);
}

/** The MANIFEST's record of a compaction. */
function compactionEdit(
  compaction: Compaction,
  result: CompactionResult | undefined,
  family: ColumnFamilyState,
): VersionEdit {
  const edit = emptyEdit(family.id);
  for (const { level, files } of compaction.inputs) {
    for (const { number } of files) edit.deletedFiles.push({ level, number });
  }
  const outputs = compaction.kind === 'trivialMove' ? inputFiles(compaction) : (result?.outputs ?? []);
  for (const file of outputs) edit.newFiles.push({ level: compaction.outputLevel, file });
  return edit;
}
