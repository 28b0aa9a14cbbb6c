/** What is left of a damaged database, before anything is changed: files, properties of tables, hints of old MANIFESTs. */
import { DBError } from '../../../format/base/db-error.ts';
import { runAsync } from '../../../format/base/io.ts';
import { parseFileName, tableFileName, levelDbTableFileName } from '../../../format/manifest/file-name.ts';
import { readManifest } from '../../../format/manifest/manifest-reader.ts';
import type { ManifestState } from '../../../format/manifest/manifest-state.ts';
import { readTableProperties } from '../../../format/sst/table-open.ts';
import { type TableProperties, UNKNOWN_FAMILY_ID } from '../../../format/sst/table-properties.ts';
import { type LogPlace, listLogs } from '../../wal/wal-listing.ts';
import type { Salvage } from './salvage.ts';

/** A table file. */
export interface FoundTable {
  path: string;
  number: number;
  sizeBytes: number;
  properties: TableProperties;
}

/** Something that cannot be used, and why. */
export interface DamagedFile {
  path: string;
  reason: string;
}

/** What was found. */
export interface Remains {
  tables: FoundTable[];
  damaged: DamagedFile[];
  /** Alive and archived, ascending. */
  logs: LogPlace[];
  /** Paths of MANIFEST files. */
  manifests: string[];
  /** The newest MANIFEST, if it can be read to its end. */
  hint: ManifestState | undefined;
}

/** Looks at every file; reserves the numbers of all, so that nothing new takes the name of anything there. */
export async function findRemains(salvage: Salvage, names: readonly string[]): Promise<Remains> {
  const { fs, path, walPath } = salvage.context;
  const remains: Remains = { tables: [], damaged: [], logs: [], manifests: [], hint: undefined };
  remains.logs = await runAsync(listLogs(fs, walPath));
  for (const { number } of remains.logs) salvage.reserveFileNumber(number);
  const manifests: { number: number; path: string }[] = [];
  for (const name of names) {
    const parsed = parseFileName(name);
    if (parsed === undefined) continue;
    if (parsed.kind !== 'infoLog') salvage.reserveFileNumber(parsed.number);
    if (parsed.kind === 'manifest') manifests.push({ number: parsed.number, path: `${path}/${name}` });
    const isTable = name === tableFileName(parsed.number);
    const isOldTable = name === levelDbTableFileName(parsed.number) && !names.includes(tableFileName(parsed.number));
    if (parsed.kind === 'table' && (isTable || isOldTable)) await addTable(salvage, remains, name, parsed.number);
  }
  manifests.sort((a, b) => b.number - a.number);
  remains.manifests = manifests.map((manifest) => manifest.path);
  if (manifests[0] !== undefined) remains.hint = await readHint(salvage, manifests[0].path);
  return remains;
}

/** The family of a table; the default one for a table that tells none. */
export function familyOf({ columnFamilyId, columnFamilyName }: TableProperties): { id: number; name: string } {
  if (columnFamilyId === UNKNOWN_FAMILY_ID || columnFamilyName === '') return { id: 0, name: 'default' };
  return { id: columnFamilyId, name: columnFamilyName };
}

async function addTable(salvage: Salvage, remains: Remains, name: string, number: number): Promise<void> {
  const { fs, path } = salvage.context;
  const tablePath = `${path}/${name}`;
  const { size } = await fs.stat(tablePath);
  const file = await fs.openRandom(tablePath);
  try {
    const properties = await runAsync(readTableProperties(file, size));
    remains.tables.push({ path: tablePath, number, sizeBytes: size, properties });
  } catch (error) {
    remains.damaged.push({ path: tablePath, reason: damageOf(error) });
  } finally {
    await file.close();
  }
}

/** The message of an error that a damaged file gives; every other error is thrown. */
export function damageOf(error: unknown): string {
  if (error instanceof DBError && (error.code === 'CORRUPTION' || error.code === 'NOT_SUPPORTED')) return error.message;
  throw error;
}

async function readHint(salvage: Salvage, path: string): Promise<ManifestState | undefined> {
  const file = await salvage.context.fs.openRandom(path);
  try {
    return (await runAsync(readManifest(file))).state;
  } catch (error) {
    salvage.context.logger.warn(`${path} is of no help: ${damageOf(error)}`);
    return undefined;
  } finally {
    await file.close();
  }
}
