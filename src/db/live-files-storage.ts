/**
 * The files of one moment, as a copy needs them: which, how much of each, and what to write in place of those that change.
 * Checkpoints and backups are made from it.
 */
import { DBError } from '../../format/base/db-error.ts';
import { encodeCurrent } from '../../format/manifest/current-file.ts';
import {
  CURRENT_FILE,
  levelDbTableFileName,
  manifestFileName,
  parseFileName,
  tableFileName,
  walFileName,
} from '../../format/manifest/file-name.ts';
import type { Engine } from './engine.ts';

/** One file that belongs to the state. */
export interface LiveFileStorageInfo {
  /** The file's name in its directory. */
  relativeFilename: string;
  /** Absolute. Logs may lie elsewhere than the rest. */
  directory: string;
  fileType: 'table' | 'manifest' | 'current' | 'options' | 'wal';
  /** 0 for CURRENT. */
  fileNumber: number;
  /** Bytes that belong to the state. */
  size: number;
  /** The file may grow or have grown: only `size` bytes of it belong to the state. */
  trimToSize: boolean;
  /** To be written instead of the file's bytes. */
  replacementContents?: Uint8Array;
}

/** See `DB.getLiveFilesStorageInfo`. REQUIRES that deletions are suspended until the caller has its copies. */
export async function liveFilesStorage(engine: Engine, flush: boolean): Promise<LiveFileStorageInfo[]> {
  const { context, versions } = engine;
  if (engine.readOnly) throw new DBError('READ_ONLY', 'the database was opened with readOnly');
  if (flush) await engine.flush([...versions.families.values()].filter((family) => !family.dropped));
  engine.requireOpen();
  const files = filesOfNow(engine);
  // LevelDB's tables have another name.
  const names = new Set(await context.fs.list(context.path));
  for (const file of files) {
    const old = levelDbTableFileName(file.fileNumber);
    if (file.fileType === 'table' && !names.has(file.relativeFilename) && names.has(old)) file.relativeFilename = old;
  }
  return files;
}

/** No wait in here: tables, MANIFEST and logs must be of one moment. */
function filesOfNow(engine: Engine): LiveFileStorageInfo[] {
  const { context, versions, wal, errors, optionsFile } = engine;
  const { manifestNumber, manifestSize } = versions;
  if (manifestNumber === 0) throw errors.error ?? new DBError('BUSY', `${context.path}: there is no MANIFEST in force`);
  wal.flush();
  const directory = context.path;
  const files: LiveFileStorageInfo[] = [];
  for (const family of versions.families.values()) {
    if (family.dropped) continue;
    for (const { number, sizeBytes } of family.version.levels.flat()) {
      const relativeFilename = tableFileName(number);
      files.push({
        relativeFilename,
        directory,
        fileType: 'table',
        fileNumber: number,
        size: sizeBytes,
        trimToSize: false,
      });
    }
  }
  files.push({
    relativeFilename: manifestFileName(manifestNumber),
    directory,
    fileType: 'manifest',
    fileNumber: manifestNumber,
    size: manifestSize,
    trimToSize: true,
  });
  const current = encodeCurrent(manifestNumber);
  files.push({
    relativeFilename: CURRENT_FILE,
    directory,
    fileType: 'current',
    fileNumber: 0,
    size: current.length,
    trimToSize: true,
    replacementContents: current,
  });
  if (optionsFile !== undefined) {
    const fileNumber = parseFileName(optionsFile)!.number;
    files.push({
      relativeFilename: optionsFile,
      directory,
      fileType: 'options',
      fileNumber,
      size: engine.optionsFileSize,
      trimToSize: false,
    });
  }
  for (const { number, sizeBytes } of wal.alive()) {
    if (sizeBytes === 0) continue;
    files.push({
      relativeFilename: walFileName(number),
      directory: context.walPath,
      fileType: 'wal',
      fileNumber: number,
      size: sizeBytes,
      trimToSize: true,
    });
  }
  return files;
}
