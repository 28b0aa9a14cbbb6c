/** Creating and dropping column families, and changing options of open ones. */
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { runAsync } from '../../format/base/io.ts';
import { emptyEdit, type VersionEdit } from '../../format/manifest/version-edit.ts';
import type { ColumnFamilyOptions, MutableOptions } from '../options/options.ts';
import { optionWarnings } from '../options/option-warnings.ts';
import { checkFamily, checkMutable, mutableSettings, overlayFamily } from '../options/resolve-options.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';
import { addFamily } from './recover-logs.ts';
import { withStoredComponents } from './stored-options.ts';

function requireWritable(engine: Engine): void {
  engine.requireOpen();
  if (engine.readOnly) throw new DBError('READ_ONLY', 'the database was opened with readOnly');
  engine.writes.checkWritable();
}

function warnOfOptions(engine: Engine, { name, options }: ColumnFamilyState): void {
  for (const warning of optionWarnings(options)) engine.context.logger.warn(`[${name}] ${warning}`);
}

/** Creates an empty family. `INVALID_ARGUMENT` when the name is taken or no name. */
export async function createFamily(
  engine: Engine,
  name: string,
  general: ColumnFamilyOptions,
  own: ColumnFamilyOptions,
): Promise<ColumnFamilyState> {
  requireWritable(engine);
  if (typeof name !== 'string' || name === '') throw invalidArgument('a column family needs a non-empty name');
  const resolved = await overlayFamily(general, own, name);
  const options = withStoredComponents(resolved, name, undefined, undefined);
  requireWritable(engine);
  if (engine.versions.byName(name) !== undefined) throw invalidArgument(`Column family already exists: ${name}`);
  const family = addFamily(engine, name, options);
  engine.writes.refresh();
  const edit: VersionEdit = {
    ...emptyEdit(family.id),
    columnFamilyAdd: name,
    comparator: family.comparator.name,
    logNumber: family.logNumber,
    maxColumnFamily: engine.versions.maxColumnFamily,
  };
  try {
    await runAsync(engine.versions.logAndApply({ changes: [{ family, edit }] }));
  } catch (error) {
    removeFamily(engine, family);
    throw error;
  }
  warnOfOptions(engine, family);
  await runAsync(engine.writeOptionsFile());
  return family;
}

/** Drops a family: its data is gone for good. Iterators on it go on to their end. */
export async function dropFamily(engine: Engine, family: ColumnFamilyState): Promise<void> {
  requireWritable(engine);
  if (family.id === 0) throw invalidArgument("Can't drop default column family");
  const edit: VersionEdit = {
    ...emptyEdit(family.id),
    columnFamilyDrop: true,
    maxColumnFamily: engine.versions.maxColumnFamily,
  };
  // Writes queued before the drop still belong to the family.
  await engine.queue.barrier(() =>
    engine.versions.logAndApply({ changes: [{ family, edit }], onInstalled: () => removeFamily(engine, family) }),
  );
  engine.context.notify('onColumnFamilyDropped', { columnFamily: family.name });
  engine.background.releaseLogs();
  await runAsync(engine.writeOptionsFile());
}

function removeFamily(engine: Engine, family: ColumnFamilyState): void {
  family.dropped = true;
  engine.versions.families.delete(family.id);
  engine.writes.controller.remove(family.id);
  engine.writes.refresh();
  family.release();
  engine.background.signal();
  engine.context.options.writeBufferManager?.memoryChanged();
}

/** Changes mutable options of families, and records them in a new OPTIONS file. */
export async function changeOptions(
  engine: Engine,
  families: readonly ColumnFamilyState[],
  given: Map<ColumnFamilyState, ColumnFamilyOptions>,
  change: MutableOptions,
): Promise<void> {
  requireWritable(engine);
  checkMutable(change);
  const { maxTotalWalSize, delayedWriteRate, maxSubcompactions } = change;
  const settings = families.map((family) => {
    const flat = { ...given.get(family), ...change };
    const mutable = mutableSettings(flat);
    checkFamily({ ...family.options, ...mutable });
    return { family, flat, settings: mutable };
  });
  for (const { family, flat, settings: mutable } of settings) {
    given.set(family, flat);
    family.options = { ...family.options, ...mutable };
    if (change.blockSize !== undefined) warnOfOptions(engine, family);
  }
  if (maxTotalWalSize !== undefined) engine.context.options.maxTotalWalSize = maxTotalWalSize;
  if (maxSubcompactions !== undefined) engine.context.options.maxSubcompactions = maxSubcompactions;
  if (delayedWriteRate !== undefined) {
    engine.context.options.delayedWriteRate = delayedWriteRate;
    engine.writes.controller.setRate(delayedWriteRate);
  }
  engine.writes.refresh();
  engine.background.schedule();
  await runAsync(engine.writeOptionsFile());
}
