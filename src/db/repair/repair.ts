/**
 * Repairs a database whose MANIFEST or CURRENT is gone or damaged, from the files that are intact, in this order:
 *
 * 1. Look at all files; match families, comparators and merge operators. A refusal up to here has changed nothing.
 * 2. Read every table through; turn the logs into tables; merge tables that overlap. New tables are written aside.
 * 3. Move new tables in place, write a MANIFEST, make it current.
 * 4. Move what is no longer part of it to `lost/`: damaged tables, merged tables, logs, old MANIFESTs. Nothing is deleted.
 *
 * Every key of intact files is there afterwards, in its newest version. Two things a MANIFEST alone tells, and so cannot be
 * known where no old one can be read, as in RocksDB: whether a table had been compacted away and was just not deleted yet;
 * and whether merge operands of a log that another family kept alive are in a compacted table already, whose sequences
 * are zeroed: such operands may count twice.
 */
import { invalidArgument } from '../../../format/base/db-error.ts';
import { runAsync } from '../../../format/base/io.ts';
import { PreparedTransactions } from '../../../format/batch/prepared-transactions.ts';
import { LOCK_FILE, parseFileName } from '../../../format/manifest/file-name.ts';
import { createDirectories, syncDirectory } from '../../env/file-operations.ts';
import { silentLogger } from '../../env/logger.ts';
import { DbContext } from '../../options/db-context.ts';
import type { Options } from '../../options/options.ts';
import { resolveOptions } from '../../options/resolve-options.ts';
import type { ResolvedOptions } from '../../options/resolved-options.ts';
import { type LogPlace, WalListing } from '../../wal/wal-listing.ts';
import { absolutePath, inspectDirectory } from '../directory-check.ts';
import { readStoredOptions, storedAllow2pc } from '../stored-options.ts';
import { type ArrangedFamily, arrangeTables } from './arrange-tables.ts';
import { type DamagedFile, damageOf, familyOf, findRemains, type Remains } from './find-remains.ts';
import { measureTable } from './measure-table.ts';
import { planFamilies } from './plan-families.ts';
import type { LostFile, RepairReport } from './repair-report.ts';
import { LogReplay, type LogToReplay } from './replay-logs.ts';
import { Salvage, type SalvagedFamily } from './salvage.ts';
import { installTables } from './write-manifest.ts';

/** Folder of files that are not part of the database any more. */
const LOST_DIRECTORY = 'lost';

/** See `DB.repair`. */
export async function repairDatabase(given: unknown, options: Options = {}): Promise<RepairReport> {
  const path = absolutePath(given);
  const resolved = await resolveOptions(options);
  const { db } = resolved;
  if (db.walDir !== undefined) db.walDir = absolutePath(db.walDir, 'options.walDir');
  const context = new DbContext(path, db, db.logger ?? silentLogger);
  const found = await inspectDirectory(context.fs, path);
  if (!found.names.some((name) => parseFileName(name) !== undefined)) {
    throw invalidArgument(`${path}: there is no database to repair`);
  }
  const lock = await context.fs.lock(`${path}/${LOCK_FILE}`);
  const salvage = new Salvage(context);
  try {
    return await repairLocked(salvage, resolved, found.names);
  } finally {
    salvage.close();
    await runAsync(salvage.end()).catch((error) => context.logger.warn(`Cannot tidy up: ${(error as Error).message}`));
    if (!found.hasLock) await context.fs.unlink(`${path}/${LOCK_FILE}`).catch(() => {});
    await lock.release();
  }
}

async function repairLocked(
  salvage: Salvage,
  resolved: ResolvedOptions,
  names: readonly string[],
): Promise<RepairReport> {
  const { context } = salvage;
  const stored = await readStoredOptions(context, names);
  const remains = await findRemains(salvage, names);
  const logs = remains.logs.filter(({ archived }) => !archived);
  salvage.lastSequence = remains.hint?.lastSequence ?? 0;
  await planFamilies(salvage, remains, logs, resolved, stored);
  await runAsync(salvage.begin());
  await measureTables(salvage, remains);
  const prepared = new PreparedTransactions(context.options.allow2pc || storedAllow2pc(stored));
  const replay = new LogReplay(salvage, {
    prepared,
    flushedThrough: remains.damaged.length === 0 ? flushedThrough(salvage) : new Map(),
    flushedLogs: remains.damaged.length === 0 ? flushedLogs(remains) : new Map(),
    firstSequence: undefined,
  });
  try {
    for (const log of await boundedLogs(context, logs)) await runAsync(replay.replay(log));
    await runAsync(replay.finish());
  } finally {
    replay.close();
  }
  const arranged: ArrangedFamily[] = [];
  for (const family of salvage.families.values()) arranged.push(await runAsync(arrangeTables(salvage, family)));
  const keepFrom = prepared.minLogNumber;
  await installTables(salvage, arranged, keepFrom);
  // Logs of transactions that are prepared and not committed are still needed.
  const done = logs.filter(({ number }) => keepFrom === undefined || number < keepFrom);
  return {
    columnFamilies: [...salvage.families.values()].sort((a, b) => a.id - b.id).map(({ name }) => name),
    tables: arranged.flatMap(({ tables }) => tables.map((table) => nameOf(table.path))).sort(),
    logs: logs.map((log) => log.path),
    lost: await moveToLost(context, remains, arranged, done),
    drops: replay.result.drops,
    lastSequence: salvage.lastSequence,
  };
}

/** Reads every table of a known family through; what is damaged or belongs to none is noted. */
async function measureTables(salvage: Salvage, remains: Remains): Promise<void> {
  for (const table of remains.tables) {
    const { id, name } = familyOf(table.properties);
    const family = salvage.families.get(id);
    if (family === undefined || (id !== 0 && family.name !== name)) {
      const reason = `it belongs to column family ${JSON.stringify(name)} of id ${id}, which was dropped`;
      remains.damaged.push({ path: table.path, reason });
      continue;
    }
    try {
      const file = await runAsync(measureTable(salvage, family, table));
      if (file === undefined) {
        remains.damaged.push({ path: table.path, reason: 'it is empty' });
        continue;
      }
      family.tables.push({ file, path: table.path, made: false });
      salvage.lastSequence = Math.max(salvage.lastSequence, file.largestSequence);
    } catch (error) {
      remains.damaged.push({ path: table.path, reason: damageOf(error) });
    }
  }
}

/** Memtables are flushed in the order of writes: with every table there, the newest entry tells how far. */
function flushedThrough(salvage: Salvage): Map<number, number> {
  const newest = ({ tables }: SalvagedFamily): number => Math.max(0, ...tables.map(({ file }) => file.largestSequence));
  return new Map([...salvage.families.values()].map((family) => [family.id, newest(family)]));
}

/** What the old MANIFEST says of logs holds while every table that it names is there. */
function flushedLogs({ hint, tables }: Remains): Map<number, number> {
  const flushed = new Map<number, number>();
  if (hint === undefined) return flushed;
  const present = new Set(tables.map(({ number }) => number));
  for (const family of hint.families.values()) {
    if (!family.builder.addedNumbers().every((number) => present.has(number))) return new Map();
    flushed.set(family.id, family.logNumber);
  }
  return flushed;
}

/** Logs with the sequence at which the next one begins. */
export async function boundedLogs(context: DbContext, logs: readonly LogPlace[]): Promise<LogToReplay[]> {
  const listing = new WalListing(context.fs, context.walPath);
  const bounded: LogToReplay[] = [];
  let before = Number.POSITIVE_INFINITY;
  for (const place of logs.toReversed()) {
    bounded.push({ place, before });
    const start = await runAsync(listing.startSequence(place));
    if (start !== undefined && start > 0) before = start;
  }
  return bounded.reverse();
}

async function moveToLost(
  context: DbContext,
  remains: Remains,
  arranged: readonly ArrangedFamily[],
  logs: readonly LogPlace[],
): Promise<LostFile[]> {
  const replaced: DamagedFile[] = [
    ...arranged.flatMap((family) => family.replaced.map(({ path }) => ({ path, reason: 'merged with others' }))),
    ...logs.map(({ path }) => ({ path, reason: 'its records are in tables' })),
    ...remains.manifests.map((path) => ({ path, reason: 'a new MANIFEST is in its place' })),
  ];
  const lost: LostFile[] = [];
  for (const file of remains.damaged)
    lost.push({ ...file, kind: 'damaged', movedTo: await moveAside(context, file.path) });
  for (const file of replaced) lost.push({ ...file, kind: 'replaced', movedTo: await moveAside(context, file.path) });
  return lost;
}

/** Moves a file to `lost/` beside it, under a name that is free there. */
async function moveAside({ fs }: DbContext, path: string): Promise<string> {
  const directory = path.slice(0, path.lastIndexOf('/'));
  const lost = `${directory}/${LOST_DIRECTORY}`;
  await runAsync(createDirectories(fs, lost));
  const name = nameOf(path);
  let target = `${lost}/${name}`;
  for (let i = 1; await fs.exists(target); i++) target = `${lost}/${name}.${i}`;
  await fs.rename(path, target);
  for (const place of [lost, directory]) await runAsync(syncDirectory(fs, place, 'renamed'));
  return target;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
