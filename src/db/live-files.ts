/** What a backup or an operator asks about files: which are live, how large, where their keys lie. */
import { userKeyOf } from '../../format/base/internal-key.ts';
import { CURRENT_FILE, manifestFileName, tableFileName } from '../../format/manifest/file-name.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';

/** One live table. Keys are copies. */
export interface LiveFileMetaData {
  /** `/000012.sst`, as RocksDB names it. */
  name: string;
  fileNumber: number;
  directory: string;
  level: number;
  size: number;
  columnFamily: string;
  smallestKey: Uint8Array;
  largestKey: Uint8Array;
  smallestSequence: number;
  largestSequence: number;
  /** 0 while the table is not open. */
  numEntries: number;
  numDeletions: number;
  beingCompacted: boolean;
  /** Unix seconds, 0 unknown. */
  fileCreationTime: number;
}

/** One family's tables by level. */
export interface ColumnFamilyMetaData {
  name: string;
  size: number;
  fileCount: number;
  levels: { level: number; size: number; files: LiveFileMetaData[] }[];
}

/** The tables of one family, level by level. */
export function columnFamilyMetaData(engine: Engine, family: ColumnFamilyState): ColumnFamilyMetaData {
  const busy = engine.background.busyFiles();
  const levels = family.version.levels.map((files, level) => ({
    level,
    size: family.version.levelBytes(level),
    files: files.map((file) => {
      const properties = engine.tables.find(file.number)?.properties;
      return {
        name: `/${tableFileName(file.number)}`,
        fileNumber: file.number,
        directory: engine.context.path,
        level,
        size: file.sizeBytes,
        columnFamily: family.name,
        smallestKey: userKeyOf(file.smallest).slice(),
        largestKey: userKeyOf(file.largest).slice(),
        smallestSequence: file.smallestSequence,
        largestSequence: file.largestSequence,
        numEntries: properties?.numEntries ?? 0,
        numDeletions: properties?.numDeletions ?? 0,
        beingCompacted: busy.has(file.number),
        fileCreationTime: file.fileCreationTime,
      };
    }),
  }));
  return { name: family.name, size: family.version.totalBytes, fileCount: family.version.totalFileCount, levels };
}

/** The tables of every family. */
export function liveFilesMetaData(engine: Engine): LiveFileMetaData[] {
  return [...engine.versions.families.values()].flatMap((family) =>
    columnFamilyMetaData(engine, family).levels.flatMap(({ files }) => files),
  );
}

/** Names of all files but logs that make up the present state, and how much of the MANIFEST belongs to it. */
export function liveFiles(engine: Engine): { files: string[]; manifestFileSize: number } {
  const tables = [...engine.versions.families.values()].flatMap((family) => family.version.levels.flat());
  const files = tables.map(({ number }) => `/${tableFileName(number)}`);
  files.push(`/${CURRENT_FILE}`, `/${manifestFileName(engine.versions.manifestNumber)}`);
  if (engine.optionsFile !== undefined) files.push(`/${engine.optionsFile}`);
  return { files, manifestFileSize: engine.versions.manifestSize };
}
