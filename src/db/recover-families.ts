/** Makes the live families of what the MANIFEST says: versions, empty memtables, and a check that every table is there. */
import { corruption } from '../../format/base/db-error.ts';
import { sequenceOf } from '../../format/base/internal-key.ts';
import { runAsync, type Io } from '../../format/base/io.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { levelDbTableFileName, parseFileName, tableFileName } from '../../format/manifest/file-name.ts';
import { type ManifestFamily, ManifestState, versionOf } from '../../format/manifest/manifest-state.ts';
import { VersionBuilder } from '../../format/manifest/version-builder.ts';
import { emptyEdit } from '../../format/manifest/version-edit.ts';
import type { TableReader } from '../../format/sst/table-reader.ts';
import type { TableCache } from '../cache/table-cache.ts';
import { isNotFound } from '../env/file-error.ts';
import type { DbContext } from '../options/db-context.ts';
import type { FamilyOptions } from '../options/resolved-options.ts';
import { ColumnFamilyState } from '../version/column-family.ts';
import { makeFamilyMemTable } from '../version/family-memtable.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { FamilyCaches } from './family-caches.ts';
import type { FamilyPlan } from './family-plan.ts';
import { walkTableKeys } from './walk-table-keys.ts';

/** The counter never comes to numbers like this: a name with one is no leftover, and must not use the counter up. */
const FILE_NUMBER_LIMIT = 2 ** 48;

/** What recovery works on. */
export interface RecoverFamiliesParts {
  context: DbContext;
  kernel: Kernel;
  versions: VersionSet;
  tables: TableCache;
  caches: FamilyCaches;
  state: ManifestState;
  plan: FamilyPlan;
  /** Names in the database directory. */
  names: readonly string[];
}

/** The state of a database that does not exist yet. */
export function emptyState(path: string): ManifestState {
  const state = new ManifestState(`${path}/MANIFEST`);
  state.applyEdit({ ...emptyEdit(), logNumber: 0, nextFileNumber: 2, lastSequence: 0 }, 0);
  state.finish();
  return state;
}

/** Kernel ids of comparators: the built-in ones have fixed ids. */
export function comparatorIdOf(kernel: Kernel, comparator: ColumnFamilyState['comparator']): number {
  if (comparator.name === 'leveldb.BytewiseComparator') return 0;
  if (comparator.name === 'rocksdb.ReverseBytewiseComparator') return 1;
  return kernel.registerComparator(comparator);
}

/** Fills `versions` with the families of `plan`. On failure the caller releases what was added. */
export async function recoverFamilies(parts: RecoverFamiliesParts): Promise<void> {
  const { versions, state } = parts;
  versions.nextFileNumber = Math.max(2, state.nextFileNumber ?? 2);
  reserveLeftovers(parts);
  versions.lastSequence = state.lastSequence ?? 0;
  versions.minLogNumberToKeep = state.minLogNumberToKeep;
  versions.maxColumnFamily = state.maxColumnFamily;
  versions.dbId = state.dbId;
  if (versions.lastSequence > Number.MAX_SAFE_INTEGER) {
    throw corruption(`${parts.context.path}: the MANIFEST's last sequence ${versions.lastSequence} is not below 2^53`);
  }
  for (const { id, options } of parts.plan.open) {
    const recorded = state.families.get(id)!;
    await recoverFamily(parts, recorded, options);
  }
}

/**
 * Files that a crash left behind may have numbers that the MANIFEST never heard of. They are removed in the background, so
 * nothing new may have their names.
 */
function reserveLeftovers({ versions, names }: RecoverFamiliesParts): void {
  for (const name of names) {
    const parsed = parseFileName(name);
    if (parsed === undefined || parsed.kind === 'infoLog' || parsed.number >= FILE_NUMBER_LIMIT) continue;
    versions.reserveFileNumber(parsed.number);
  }
}

async function recoverFamily(
  parts: RecoverFamiliesParts,
  recorded: ManifestFamily,
  given: FamilyOptions,
): Promise<void> {
  const { kernel, versions } = parts;
  // Levels that hold tables must be there, whatever the option says; a universal or FIFO family of fewer levels just grows.
  const options = { ...given, numLevels: Math.max(given.numLevels, recorded.maxLevel + 1) };
  const comparator = options.comparator!.value;
  const version = versions.track(versionOf(recorded, comparator, options.numLevels, versions.release));
  const identity = {
    id: recorded.id,
    name: recorded.name,
    comparator,
    comparatorId: comparatorIdOf(kernel, comparator),
  };
  const active = makeFamilyMemTable(kernel, { ...identity, options });
  const family = new ColumnFamilyState(
    identity,
    options,
    active,
    version,
    recorded.logNumber,
    new Map(recorded.compactCursors),
  );
  versions.families.set(family.id, family);
  for (const level of version.levels) for (const file of level) versions.reserveFileNumber(file.number);
  await checkTables(parts, family);
  if (version.levels.some((files) => files.some((file) => !file.sequencesKnown))) await measureSequences(parts, family);
}

/** Every table must be there with the size that the MANIFEST says; unless only some may be open at once, each is opened. */
async function checkTables(parts: RecoverFamiliesParts, family: ColumnFamilyState): Promise<void> {
  const { context, tables, caches } = parts;
  const names = new Set(parts.names);
  for (const file of family.version.levels.flat()) {
    const name = names.has(tableFileName(file.number)) ? tableFileName(file.number) : levelDbTableFileName(file.number);
    const path = `${context.path}/${name}`;
    let size: number;
    try {
      size = (await context.fs.stat(path)).size;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      throw corruption(
        `${context.path}/${tableFileName(file.number)}: a table that the MANIFEST names is missing`,
        error,
      );
    }
    if (size !== file.sizeBytes) {
      throw corruption(
        `Sst file size mismatch: ${path}. Size recorded in manifest ${file.sizeBytes}, actual size ${size}`,
      );
    }
    if (context.options.maxOpenFiles === Number.POSITIVE_INFINITY) {
      await runAsync(tables.open(file, caches.openingOf(family)));
    }
  }
}

/** LevelDB's MANIFEST has no sequence ranges; RocksDB needs them, and so does the order of level 0. */
async function measureSequences(parts: RecoverFamiliesParts, family: ColumnFamilyState): Promise<void> {
  const { versions, tables, caches, kernel } = parts;
  const edit = emptyEdit(family.id);
  for (const [level, files] of family.version.levels.entries()) {
    for (const file of files) {
      if (file.sequencesKnown) continue;
      const reader = await runAsync(tables.open(file, caches.openingOf(family)));
      const range = await runAsync(sequenceRange(kernel, reader));
      const known: FileMetadata = { ...file, ...range, sequencesKnown: true };
      edit.deletedFiles.push({ level, number: file.number });
      edit.newFiles.push({ level, file: known });
    }
  }
  const builder = new VersionBuilder(family.version);
  builder.apply(edit);
  family.install(versions.track(builder.finish(family.comparator, family.options.numLevels, versions.release)));
}

function* sequenceRange(
  kernel: Kernel,
  reader: TableReader,
): Io<{ smallestSequence: number; largestSequence: number }> {
  let smallest = Number.MAX_SAFE_INTEGER;
  let largest = 0;
  yield* walkTableKeys(kernel, reader, (key) => {
    const sequence = sequenceOf(key);
    smallest = Math.min(smallest, sequence);
    largest = Math.max(largest, sequence);
  });
  return { smallestSequence: Math.min(smallest, largest), largestSequence: largest };
}
