/** Reads a MANIFEST by itself: families and tables without opening the database. */
import { builtinComparators, bytewiseComparator } from '../../format/base/comparator.ts';
import { runAsync } from '../../format/base/io.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { type ManifestContents, readManifest } from '../../format/manifest/manifest-reader.ts';
import { type ManifestFamily, versionOf } from '../../format/manifest/manifest-state.ts';
import { LEVEL_COUNT_MAX } from '../../format/manifest/version-edit-format.ts';
import type { FileSystem } from '../../src/env/file-system.ts';

/** The contents of the MANIFEST at `path`. CORRUPTION when it is damaged. */
export async function readManifestState(fileSystem: FileSystem, path: string): Promise<ManifestContents> {
  const file = await fileSystem.openRandom(path);
  try {
    return await runAsync(readManifest(file));
  } finally {
    await file.close();
  }
}

/** A family's tables by level, in the order of its comparator; of one that is not built in, in bytewise order. */
export function familyLevels(family: ManifestFamily): readonly (readonly FileMetadata[])[] {
  const comparator = builtinComparators.get(family.comparatorName ?? bytewiseComparator.name) ?? bytewiseComparator;
  return versionOf(family, comparator, LEVEL_COUNT_MAX).levels;
}

/** All tables of a family. */
export function familyFiles(family: ManifestFamily): FileMetadata[] {
  return familyLevels(family).flat();
}
