/** Puts saved tables in place and writes the MANIFEST that names them. */
import { type Io, runAsync } from '../../../format/base/io.ts';
import { tableFileName } from '../../../format/manifest/file-name.ts';
import { manifestSnapshot } from '../../../format/manifest/manifest-snapshot.ts';
import { emptyEdit, type VersionEdit } from '../../../format/manifest/version-edit.ts';
import { renameFile, syncDirectory } from '../../env/file-operations.ts';
import { ManifestWriter } from '../../version/manifest-writer.ts';
import type { ArrangedFamily } from './arrange-tables.ts';
import type { Salvage } from './salvage.ts';

/**
 * Moves new tables from the staging directory into the database's, then writes a new MANIFEST and makes it current. Up to
 * that last step the database is as damaged as it was; from then on it is whole. Logs below `minLogNumber` are not needed.
 */
export async function installTables(
  salvage: Salvage,
  arranged: readonly ArrangedFamily[],
  minLogNumber: number | undefined,
): Promise<void> {
  const { fs, path } = salvage.context;
  for (const { tables } of arranged) {
    for (const table of tables) {
      if (!table.made) continue;
      const target = `${path}/${tableFileName(table.file.number)}`;
      await runAsync(renameFile(fs, table.path, target));
      table.path = target;
    }
  }
  await runAsync(syncDirectory(fs, path, 'renamed'));
  await runAsync(writeManifest(salvage, arranged, minLogNumber));
}

function* writeManifest(
  salvage: Salvage,
  arranged: readonly ArrangedFamily[],
  minLogNumber: number | undefined,
): Io<void> {
  const number = salvage.newFileNumber();
  // Above every log: what they hold is in tables.
  const logNumber = salvage.newFileNumber();
  const families = arranged
    .toSorted((a, b) => a.family.id - b.family.id)
    .map(({ family, version }) => ({
      id: family.id,
      name: family.name,
      comparatorName: family.comparator.name,
      logNumber,
      version,
    }));
  const { lastSequence, nextFileNumber } = salvage;
  const snapshot = manifestSnapshot({ families, minLogNumberToKeep: minLogNumber ?? logNumber, lastSequence });
  const maxColumnFamily = Math.max(...families.map(({ id }) => id));
  const counters: VersionEdit = { ...emptyEdit(), prevLogNumber: 0, nextFileNumber, lastSequence, maxColumnFamily };
  const writer = yield* ManifestWriter.create(salvage.context, number, [...snapshot, counters]);
  try {
    yield* writer.makeCurrent();
  } finally {
    yield* writer.close();
  }
}
