/**
 * Takes a table out of the MANIFEST of a database that is not open, for tables that are damaged beyond use: no table is
 * looked at, so it works where the database does not open. What the table hid comes to light again; its file stays until
 * the next open, which removes it with the old MANIFEST.
 */
import { builtinComparators, bytewiseComparator, type Comparator } from '../../format/base/comparator.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { type Io, runAsync } from '../../format/base/io.ts';
import { LOCK_FILE } from '../../format/manifest/file-name.ts';
import { manifestSnapshot } from '../../format/manifest/manifest-snapshot.ts';
import { type ManifestFamily, type ManifestState, versionOf } from '../../format/manifest/manifest-state.ts';
import { emptyEdit, type VersionEdit } from '../../format/manifest/version-edit.ts';
import { LEVEL_COUNT_MAX } from '../../format/manifest/version-edit-format.ts';
import { silentLogger } from '../env/logger.ts';
import { DbContext } from '../options/db-context.ts';
import { resolveOptions } from '../options/resolve-options.ts';
import { ManifestWriter } from '../version/manifest-writer.ts';
import { readCurrentManifest } from './current-manifest.ts';
import { absolutePath, inspectDirectory } from './directory-check.ts';

/**
 * Writes a new MANIFEST that lacks the table and makes it current; a crash leaves the old one or the new one in force.
 * `NOT_FOUND` when no level of any family has the table, `LOCKED` while the database is open, `INVALID_ARGUMENT` when a
 * family's comparator is not built in: its tables cannot be put in order.
 */
export async function removeTable(given: string, fileNumber: number): Promise<void> {
  const path = absolutePath(given);
  const { db } = await resolveOptions({});
  const context = new DbContext(path, db, silentLogger);
  const { hasLock } = await inspectDirectory(context.fs, path);
  const lock = await context.fs.lock(`${path}/${LOCK_FILE}`);
  try {
    const state = await readCurrentManifest(context);
    removeFromState(state, fileNumber);
    await runAsync(writeState(context, state));
  } finally {
    if (!hasLock) await context.fs.unlink(`${path}/${LOCK_FILE}`).catch(() => {});
    await lock.release();
  }
}

function removeFromState(state: ManifestState, number: number): void {
  for (const { id, builder } of state.families.values()) {
    const level = builder.levelOf(number);
    if (level === undefined) continue;
    builder.apply({ ...emptyEdit(id), deletedFiles: [{ level, number }] });
    return;
  }
  throw new DBError('NOT_FOUND', 'File not present in any level');
}

function* writeState(context: DbContext, state: ManifestState): Io<void> {
  const number = state.nextFileNumber!;
  const writer = yield* ManifestWriter.create(context, number, editsOf(state, number + 1));
  try {
    yield* writer.makeCurrent();
  } finally {
    yield* writer.close();
  }
}

/** Everything that the old MANIFEST said of what is still there. */
function editsOf(state: ManifestState, nextFileNumber: number): VersionEdit[] {
  const { dbId, wals, minLogNumberToKeep, prevLogNumber, maxColumnFamily } = state;
  const lastSequence = state.lastSequence!;
  const families = [...state.families.values()].sort((a, b) => a.id - b.id);
  const snapshot = manifestSnapshot({
    dbId,
    wals,
    minLogNumberToKeep,
    lastSequence,
    families: families.map((family) => {
      const comparator = comparatorOf(family);
      return {
        id: family.id,
        name: family.name,
        comparatorName: comparator.name,
        logNumber: family.logNumber,
        version: versionOf(family, comparator, LEVEL_COUNT_MAX),
        compactCursors: family.compactCursors.values(),
      };
    }),
  });
  const counters: VersionEdit = { ...emptyEdit(), prevLogNumber, nextFileNumber, lastSequence };
  return [...snapshot, maxColumnFamily > 0 ? { ...counters, maxColumnFamily } : counters];
}

function comparatorOf({ name, comparatorName }: ManifestFamily): Comparator {
  const comparator = builtinComparators.get(comparatorName ?? bytewiseComparator.name);
  if (comparator !== undefined) return comparator;
  throw invalidArgument(`column family ${name}: its comparator ${comparatorName} is not built in`);
}
