/** Reads the MANIFEST that is in force. */
import { corruption, notSupported } from '../../format/base/db-error.ts';
import { runAsync } from '../../format/base/io.ts';
import { CURRENT_SIZE_MAX, decodeCurrent } from '../../format/manifest/current-file.ts';
import { CURRENT_FILE } from '../../format/manifest/file-name.ts';
import { readManifest } from '../../format/manifest/manifest-reader.ts';
import type { ManifestState } from '../../format/manifest/manifest-state.ts';
import { isNotFound } from '../env/file-error.ts';
import { readWhole } from '../env/file-operations.ts';
import type { RandomAccessFile } from '../env/file-system.ts';
import type { DbContext } from '../options/db-context.ts';

/** The MANIFEST that CURRENT names. */
export async function readCurrentManifest(context: DbContext): Promise<ManifestState> {
  const path = `${context.path}/${CURRENT_FILE}`;
  const current = decodeCurrent(await runAsync(readWhole(context.fs, path, CURRENT_SIZE_MAX)), path);
  const file = await openManifest(context, current.name);
  try {
    const { state } = await runAsync(readManifest(file));
    for (const family of state.families.values()) {
      if (family.blobFiles.size > 0) {
        throw notSupported(`${context.path}: column family ${family.name} has blob files; BlobDB is not supported`);
      }
    }
    return state;
  } finally {
    await file.close();
  }
}

async function openManifest(context: DbContext, name: string): Promise<RandomAccessFile> {
  try {
    return await context.fs.openRandom(`${context.path}/${name}`);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw corruption(`${context.path}/${CURRENT_FILE}: names ${name}, which is missing`, error);
  }
}
