/**
 * The second half of an open: replays the logs into memtables, writes those to level 0, and makes the result durable with a
 * new MANIFEST. What a crash interrupts here is found again by the next open.
 */
import { runFlush } from '../../compaction/compaction-job.ts';
import { type Io, inPlace, runAsync } from '../../format/base/io.ts';
import type { PreparedTransactions } from '../../format/batch/prepared-transactions.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import { WalRecoveryPolicy } from '../../format/log/recovery-policy.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { parseFileName } from '../../format/manifest/file-name.ts';
import type { ManifestState } from '../../format/manifest/manifest-state.ts';
import { VersionBuilder } from '../../format/manifest/version-builder.ts';
import { emptyEdit, type VersionEdit } from '../../format/manifest/version-edit.ts';
import { LocalCompactionIo } from '../background/local-compaction-io.ts';
import type { TableCache } from '../cache/table-cache.ts';
import type { DbContext } from '../options/db-context.ts';
import { recoveryTableOptions } from '../options/table-options-of-job.ts';
import { ColumnFamilyState } from '../version/column-family.ts';
import { makeFamilyMemTable } from '../version/family-memtable.ts';
import type { VersionSet } from '../version/version-set.ts';
import { ReplayInserter } from '../wal/replay-inserter.ts';
import { type RecoveryReport, WalRecovery } from '../wal/wal-recovery.ts';
import { type DirectoryContents, walNumbers } from './directory-check.ts';
import type { Engine } from './engine.ts';
import type { FamilyCaches } from './family-caches.ts';
import type { FamilyPlan } from './family-plan.ts';
import { comparatorIdOf } from './recover-families.ts';

/** What log recovery works on. */
export interface RecoverLogsParts {
  context: DbContext;
  kernel: Kernel;
  versions: VersionSet;
  tables: TableCache;
  caches: FamilyCaches;
  state: ManifestState;
  prepared: PreparedTransactions;
}

/** What was replayed. */
export interface RecoveredLogs {
  report: RecoveryReport;
  /** Logs that were read, ascending, with their sizes. */
  logs: { number: number; sizeBytes: number }[];
  /** Tables written during replay, by family. */
  newFiles: Map<ColumnFamilyState, FileMetadata[]>;
  /** Whether replay ended at damage. */
  stopped: boolean;
}

/** Replays every log that some family needs. */
export async function recoverLogs(parts: RecoverLogsParts): Promise<RecoveredLogs> {
  const { context, versions, state, kernel } = parts;
  const { walRecoveryMode, walCorruption } = context.options;
  const newFiles = new Map<ColumnFamilyState, FileMetadata[]>();
  const inserter = new ReplayInserter(kernel, () => versions.families.values(), parts.prepared);
  const full = (): ColumnFamilyState | undefined => {
    if (context.options.readOnly) return undefined;
    for (const family of versions.families.values()) {
      if (family.active.bytes >= family.options.writeBufferSize) return family;
    }
    return undefined;
  };
  let source = '';
  const recovery = new WalRecovery(
    context,
    new WalRecoveryPolicy(walRecoveryMode, walCorruption),
    {
      check: (record, size) => inserter.check(record, size, source),
      apply: (record, size, sequence, logNumber) => inserter.apply(record, size, sequence, logNumber, source),
      afterBatch: () => {
        const family = full();
        if (family === undefined) return undefined;
        return flushRecovered(parts, family, newFiles, inserter);
      },
    },
    versions.lastSequence,
  );
  const logs: RecoveredLogs['logs'] = [];
  try {
    const names = await context.fs.list(context.walPath);
    // LevelDB may have closed with a second log, named by PrevLogNumber, below the family's own.
    const minimum = state.prevLogNumber > 0 ? Math.min(state.prevLogNumber, state.minLogNumber) : state.minLogNumber;
    for (const number of walNumbers(names)) {
      versions.reserveFileNumber(number);
      if (number < minimum) continue;
      source = `log ${number}`;
      const before = recovery.report.replayedFiles.length;
      await runAsync(recovery.replay(number));
      const path = recovery.report.replayedFiles[before]!;
      logs.push({ number, sizeBytes: (await context.fs.stat(path)).size });
    }
  } finally {
    inserter.close();
  }
  versions.lastSequence = Math.max(versions.lastSequence, recovery.report.lastSequence);
  recovery.report.lastSequence = versions.lastSequence;
  return { report: recovery.report, logs, newFiles, stopped: recovery.stopped };
}

/** Writes a family's memtable to a table and gives it a fresh one. */
function* flushRecovered(
  parts: RecoverLogsParts,
  family: ColumnFamilyState,
  newFiles: Map<ColumnFamilyState, FileMetadata[]>,
  inserter: ReplayInserter | undefined,
): Io<void> {
  const { context, versions, kernel, tables, caches } = parts;
  const { active } = family;
  if (active.entryCount === 0) return;
  active.markImmutable();
  const job = new LocalCompactionIo({
    context,
    versions,
    tables,
    opening: caches.openingOf(family),
    isCancelled: () => false,
  });
  const settings = {
    familyId: family.id,
    familyName: family.name,
    tableOptions: recoveryTableOptions(family.options),
    snapshots: [],
    nowSeconds: context.nowSeconds(),
    dbId: '',
    dbSessionId: '',
    dbHostId: '',
    dynamicFileSize: false,
    sliceMs: 4,
  };
  const components = {
    comparator: family.comparator,
    comparatorId: family.comparatorId,
    mergeOperator: family.mergeOperator,
    compactionFilter: undefined,
    prefixExtractor: family.prefixExtractor,
  };
  const plan = { memtables: [active.flushAddress()], pathId: 0, oldestKeyTime: 0 };
  const { outputs } = yield* inPlace(runFlush(job, plan, settings, components));
  newFiles.set(family, [...(newFiles.get(family) ?? []), ...outputs]);
  family.active = makeFamilyMemTable(kernel, family);
  active.unref();
  family.refresh();
  inserter?.invalidate();
}

/** Makes a recovered database ready: tables of replayed data, families to create, new log, new MANIFEST, no leftovers. */
export async function finishOpen(
  engine: Engine,
  plan: FamilyPlan,
  recovered: RecoveredLogs,
  found: DirectoryContents,
): Promise<void> {
  engine.writes.skipTo(engine.versions.lastSequence);
  if (engine.readOnly) {
    engine.writes.inserter.refresh();
    return;
  }
  const keepLogs =
    engine.context.options.avoidFlushDuringRecovery && !recovered.stopped && recovered.report.droppedBytes === 0;
  if (!keepLogs) await flushAll(engine, recovered);
  else noteReplayedLogs(engine, recovered);
  createPlannedFamilies(engine, plan);
  await runAsync(startLogs(engine, recovered, keepLogs));
  await runAsync(engine.versions.beginManifest(recoveryEdits(engine, keepLogs)));
  await runAsync(engine.writeOptionsFile());
  await removeLeftovers(engine, found);
  engine.writes.refresh();
  engine.background.schedule();
}

async function flushAll(engine: Engine, recovered: RecoveredLogs): Promise<void> {
  const parts = { ...engine, state: undefined as never, prepared: engine.prepared };
  for (const family of engine.versions.families.values()) {
    await runAsync(flushRecovered(parts, family, recovered.newFiles, undefined));
  }
  const last = recovered.logs[recovered.logs.length - 1]?.number ?? 0;
  for (const family of engine.versions.families.values()) {
    const files = recovered.newFiles.get(family) ?? [];
    const edit = emptyEdit(family.id);
    for (const file of files) edit.newFiles.push({ level: 0, file });
    const builder = new VersionBuilder(family.version);
    builder.apply(edit);
    const { versions } = engine;
    if (files.length > 0) {
      family.install(versions.track(builder.finish(family.comparator, family.options.numLevels, versions.release)));
    }
    family.logNumber = Math.max(family.logNumber, last + 1);
  }
}

/** With `avoidFlushDuringRecovery` the data stays in memory, and its logs are needed. */
function noteReplayedLogs(engine: Engine, recovered: RecoveredLogs): void {
  const oldest = recovered.logs[0]?.number ?? 0;
  for (const family of engine.versions.families.values()) {
    family.active.logNumber = Math.max(oldest, family.logNumber);
  }
}

function createPlannedFamilies(engine: Engine, plan: FamilyPlan): void {
  for (const { name, options } of plan.create) {
    if (name === 'default') continue;
    addFamily(engine, name, options);
  }
}

/** Adds an empty family in memory; the MANIFEST must record it. */
export function addFamily(engine: Engine, name: string, options: ColumnFamilyState['options']): ColumnFamilyState {
  const { versions, kernel } = engine;
  const comparator = options.comparator!.value;
  const identity = {
    id: ++versions.maxColumnFamily,
    name,
    comparator,
    comparatorId: comparatorIdOf(kernel, comparator),
  };
  const version = versions.track(new VersionBuilder().finish(comparator, options.numLevels, versions.release));
  const active = makeFamilyMemTable(kernel, { ...identity, options });
  active.logNumber = engine.wal.currentNumber;
  const family = new ColumnFamilyState(identity, options, active, version, engine.wal.currentNumber);
  versions.families.set(family.id, family);
  return family;
}

function* startLogs(engine: Engine, recovered: RecoveredLogs, keepLogs: boolean): Io<void> {
  const { wal, versions } = engine;
  yield* versions.start();
  yield* wal.start();
  const stillNeeded = keepLogs || engine.prepared.minLogNumber !== undefined;
  if (stillNeeded) engine.writes.followKeptLogs();
  for (const { number, sizeBytes } of recovered.logs) {
    if (stillNeeded) yield* wal.syncRecovered(number);
    wal.keepRecovered(number, sizeBytes);
  }
  const log = yield* wal.create(versions.newFileNumber());
  wal.install(log);
  for (const family of versions.families.values()) {
    if (family.active.entryCount === 0) family.active.logNumber = log.number;
  }
}

/** What the new MANIFEST says beyond the snapshot: which logs are still needed. */
function recoveryEdits(engine: Engine, keepLogs: boolean): VersionEdit[] {
  const { versions, wal, prepared } = engine;
  if (keepLogs) return [];
  let minimum = prepared.minLogNumber ?? wal.currentNumber;
  for (const family of versions.families.values()) minimum = Math.min(minimum, family.oldestLogNeeded);
  versions.minLogNumberToKeep = Math.max(versions.minLogNumberToKeep, minimum);
  return [{ ...emptyEdit(), minLogNumberToKeep: versions.minLogNumberToKeep }];
}

/** Removes files of earlier runs that nothing names. Only names that belong to a database are touched. */
async function removeLeftovers(engine: Engine, found: DirectoryContents): Promise<void> {
  const { versions, obsolete, context, wal } = engine;
  for (const name of found.names) {
    const parsed = parseFileName(name);
    if (parsed === undefined) continue;
    if (parsed.kind === 'table' && !versions.isLive(parsed.number)) obsolete.addOther(name);
    else if (parsed.kind === 'manifest' && parsed.number !== versions.manifestNumber) obsolete.addOther(name);
    else if (parsed.kind === 'temp' || parsed.kind === 'optionsTemp') obsolete.addOther(name);
  }
  const alive = new Set(wal.alive().map(({ number }) => number));
  const walNames = await context.fs.list(context.walPath);
  obsolete.addLogs(walNumbers(walNames).filter((number) => !alive.has(number)));
  engine.background.releaseLogs();
  obsolete.pruneArchive();
}
