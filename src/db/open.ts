/**
 * Opening a database, in order: check what was given, look at the directory, lock, read the MANIFEST, check tables, replay
 * logs, write what was replayed into tables, begin a new log and a new MANIFEST, remove leftovers. A refusal before the lock
 * has touched nothing; one after it leaves the files as they were.
 */

import { corruption, DBError, invalidArgument } from '../../format/base/db-error.ts';
import { runAsync } from '../../format/base/io.ts';
import { PreparedTransactions } from '../../format/batch/prepared-transactions.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import {
  CURRENT_FILE,
  IDENTITY_FILE,
  LOCK_FILE,
  parseFileName,
  tempFileName,
} from '../../format/manifest/file-name.ts';
import { TableCache } from '../cache/table-cache.ts';
import { openFileLogger } from '../env/file-logger.ts';
import { createDirectories, readWhole, replaceWhole, syncDirectory } from '../env/file-operations.ts';
import type { FileLock } from '../env/file-system.ts';
import { type ClosableLogger, silentLogger } from '../env/logger.ts';
import { hostName } from '../env/host.ts';
import { newSessionId, randomUuid, SystemRandom } from '../env/random.ts';
import { TimedStatistics } from '../monitoring/timed-statistics.ts';
import { DbContext } from '../options/db-context.ts';
import type { Options } from '../options/options.ts';
import { resolveOptions } from '../options/resolve-options.ts';
import type { ResolvedOptions } from '../options/resolved-options.ts';
import { VersionSet } from '../version/version-set.ts';
import { pickCrc32c } from '../env/pick-crc32c.ts';
import { absolutePath, type DirectoryContents, inspectDirectory } from './directory-check.ts';
import { readCurrentManifest } from './current-manifest.ts';
import { Engine } from './engine.ts';
import { FamilyCaches } from './family-caches.ts';
import { familyPlan } from './family-plan.ts';
import { LogReports } from './log-reports.ts';
import { emptyState, recoverFamilies } from './recover-families.ts';
import { finishOpen, recoverLogs } from './recover-logs.ts';
import { readStoredOptions, storedAllow2pc, withStoredComponents } from './stored-options.ts';

/** Opens the database at `given`; see `DB.open`. */
export async function openEngine(given: unknown, options: Options): Promise<Engine> {
  const path = absolutePath(given);
  const resolved = await resolveOptions(options);
  const { db } = resolved;
  if (db.walDir !== undefined) db.walDir = absolutePath(db.walDir, 'options.walDir');
  const context = new DbContext(path, db, db.logger ?? db.env.logger ?? silentLogger);
  pickCrc32c(context.clock);
  const before = await checkedContents(context, resolved);
  return db.readOnly ? build(context, resolved, before, undefined) : openLocked(context, resolved, before);
}

/** What stands in the directory, once it is known that it can be opened; nothing has been written. */
async function checkedContents(context: DbContext, resolved: ResolvedOptions): Promise<DirectoryContents> {
  try {
    return await checkContents(context, resolved);
  } catch (error) {
    // Whoever has the database open may have been changing what was looked at, so look again while nobody can.
    const looksDamaged = error instanceof DBError && (error.code === 'CORRUPTION' || error.code === 'IO_ERROR');
    const lock = looksDamaged && !resolved.db.readOnly ? await lockAgainstOwner(context) : undefined;
    if (lock === undefined) throw error;
    try {
      return await checkContents(context, resolved);
    } finally {
      await lock.release();
    }
  }
}

async function checkContents(context: DbContext, resolved: ResolvedOptions): Promise<DirectoryContents> {
  const found = await inspectDirectory(context.fs, context.path);
  checkPresence(context.path, found, resolved);
  if (found.hasCurrent) await checkStored(context, found, resolved);
  return found;
}

/** The lock; `undefined` where nobody can have it, or where it cannot be had at all. `LOCKED` when somebody has it. */
async function lockAgainstOwner({ fs, path }: DbContext): Promise<FileLock | undefined> {
  try {
    return (await fs.exists(`${path}/${LOCK_FILE}`)) ? await fs.lock(`${path}/${LOCK_FILE}`) : undefined;
  } catch (error) {
    if (error instanceof DBError && error.code === 'LOCKED') throw error;
    return undefined;
  }
}

function checkPresence(path: string, found: DirectoryContents, { db }: ResolvedOptions): void {
  // A new database in this place would take these tables for leftovers and remove them.
  const table = found.hasCurrent ? undefined : found.names.find((name) => parseFileName(name)?.kind === 'table');
  if (table !== undefined) {
    throw corruption(`${path}: ${CURRENT_FILE} is missing, but tables are there (${table}): repair it, or destroy it`);
  }
  if (found.hasCurrent && db.errorIfExists) {
    throw invalidArgument(`${path}: exists (options.errorIfExists is true)`);
  }
  if (!found.hasCurrent && !db.createIfMissing) {
    throw invalidArgument(`${path}: does not exist (options.createIfMissing is false)`);
  }
}

/** Reads the MANIFEST and matches the options with it, before anything is written. */
async function checkStored(context: DbContext, found: DirectoryContents, resolved: ResolvedOptions): Promise<void> {
  const state = await readCurrentManifest(context);
  const stored = await readStoredOptions(context, found.names);
  familyPlan(state, resolved, false, (options, name, comparator) =>
    withStoredComponents(options, name, comparator, stored),
  );
}

async function openLocked(context: DbContext, resolved: ResolvedOptions, before: DirectoryContents): Promise<Engine> {
  const { fs, path } = context;
  if (!before.exists) await runAsync(makeDirectory(context));
  if (context.walPath !== path) await runAsync(createDirectories(fs, context.walPath));
  const lock = await fs.lock(`${path}/${LOCK_FILE}`);
  let log: ClosableLogger | undefined;
  try {
    if (context.options.logger === undefined && context.options.env.logger === undefined) {
      log = await openLog(context);
      context.logger = log;
    }
    return await build(context, resolved, await inspectDirectory(fs, path), { lock, log });
  } catch (error) {
    context.logger.error(`Open failed: ${(error as Error).message}`);
    // Nothing that fails now may keep the lock from being released.
    await log?.close().catch(() => {});
    if (!before.hasLock) await fs.unlink(`${path}/${LOCK_FILE}`).catch(() => {});
    await lock.release();
    throw error;
  }
}

function* makeDirectory(context: DbContext): ReturnType<typeof createDirectories> {
  yield* createDirectories(context.fs, context.path);
  const parent = context.path.slice(0, Math.max(1, context.path.lastIndexOf('/')));
  yield* syncDirectory(context.fs, parent, 'file-created');
}

function openLog(context: DbContext): Promise<ClosableLogger> {
  const { options, fs, clock, path } = context;
  return runAsync(
    openFileLogger(fs, clock, path, {
      level: 'info',
      maxLogFileSize: options.maxLogFileSize,
      logFileTimeToRoll: options.logFileTimeToRoll,
      keepLogFileNum: options.keepLogFileNum,
    }),
  );
}

async function build(
  context: DbContext,
  resolved: ResolvedOptions,
  found: DirectoryContents,
  owned: { lock: FileLock; log: ClosableLogger | undefined } | undefined,
): Promise<Engine> {
  const kernel = getKernel();
  const stored = found.hasCurrent ? await readStoredOptions(context, found.names) : undefined;
  const state = found.hasCurrent ? await readCurrentManifest(context) : emptyState(context.path);
  const plan = familyPlan(state, resolved, !found.hasCurrent, (options, name, comparator) =>
    withStoredComponents(options, name, comparator, stored),
  );
  const identity = await readIdentity(context, found);
  const versions = new VersionSet(context);
  const { statistics } = context;
  const tables = new TableCache({
    fileSystem: context.fs,
    directory: context.path,
    maxOpenFiles: context.options.maxOpenFiles,
    observer: statistics === undefined ? undefined : new TimedStatistics(statistics, context.clock),
    onDirectRefused: (path) =>
      context.logger.warn(`${path}: the file system takes no direct reads; tables are read through its page cache`),
  });
  const caches = new FamilyCaches(kernel, context.options.useDirectReads);
  const prepared = new PreparedTransactions(context.options.allow2pc || storedAllow2pc(stored));
  let engine: Engine | undefined;
  try {
    await recoverFamilies({ context, kernel, versions, tables, caches, state, plan, names: found.names });
    const recovered = await recoverLogs({ context, kernel, versions, tables, caches, state, prepared });
    engine = new Engine({
      context,
      versions,
      tables,
      caches,
      identity,
      prepared,
      recovery: recovered.report,
      lock: owned?.lock,
      log: owned?.log,
    });
    await finishOpen(engine, plan, recovered, found);
    engine.reports = new LogReports(engine);
    return engine;
  } catch (error) {
    await engine?.abandon();
    for (const family of versions.families.values()) family.release();
    tables.close();
    caches.close();
    throw error;
  }
}

/** The database's id, and ids of this session for the properties of its tables. */
async function readIdentity(context: DbContext, found: DirectoryContents): Promise<Engine['identity']> {
  const random = new SystemRandom();
  let dbId = randomUuid(random);
  if (found.names.includes(IDENTITY_FILE)) {
    const path = `${context.path}/${IDENTITY_FILE}`;
    dbId = new TextDecoder('latin1').decode(await runAsync(readWhole(context.fs, path, 4096))).trim();
  } else if (!context.options.readOnly) {
    const { fs, path } = context;
    const bytes = new TextEncoder().encode(dbId);
    await runAsync(replaceWhole(fs, path, `${path}/${tempFileName(0)}`, `${path}/${IDENTITY_FILE}`, bytes));
  }
  return { dbId, sessionId: newSessionId(random), hostId: hostName() };
}
