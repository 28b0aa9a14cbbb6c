/**
 * Makes one backup: tables go to the shared folder under names that tell their content (number, session of the writer,
 * size, as RocksDB names them), so that one that is there already is not copied again; everything else is copied for this
 * backup alone.
 */
import { corruption } from '../../../format/base/db-error.ts';
import { runAsync } from '../../../format/base/io.ts';
import { readTableProperties } from '../../../format/sst/table-open.ts';
import type { LiveFileStorageInfo } from '../../db/live-files-storage.ts';
import { createDirectories, writeWhole } from '../../env/file-operations.ts';
import type { FileSystem } from '../../env/file-system.ts';
import type { DatabaseShape } from '../database-shape.ts';
import type { BackupDirectory } from './backup-directory.ts';
import {
  type BackupFile,
  type BackupMeta,
  PRIVATE_DIRECTORY,
  parseBackupPath,
  SHARED_DIRECTORY,
} from './backup-meta.ts';
import { checksumOf, copyChecked, type ReadFacts } from './checked-copy.ts';

/** What a new backup took. */
export interface BackupWork {
  meta: BackupMeta;
  /** Bytes that were copied; what other backups had already is not among them. */
  copiedBytes: number;
  copiedFiles: number;
}

/** What is known before the work begins. */
export interface BackupRequest {
  directory: BackupDirectory;
  db: DatabaseShape;
  id: number;
  flush: boolean;
  metadata: string;
  /** Unix seconds. */
  timestamp: number;
  /** Checksums of the shared files that lists name, by path. */
  known: ReadonlyMap<string, number>;
}

/** Copies the files. The list is not written: until then no reader sees any of it. */
export async function copyDatabase(request: BackupRequest): Promise<BackupWork> {
  const { directory, db, id, metadata, timestamp } = request;
  const folder = `${PRIVATE_DIRECTORY}/${id}`;
  await db.disableFileDeletions();
  try {
    const sequence = db.latestSequence;
    const live = await db.getLiveFilesStorageInfo({ flush: request.flush });
    await runAsync(createDirectories(directory.fs, directory.absolute(folder)));
    const work: BackupWork = { meta: { id, timestamp, sequence, metadata, files: [] }, copiedBytes: 0, copiedFiles: 0 };
    for (const file of live) {
      const copied = file.fileType === 'table' ? await addTable(request, file) : await addOwn(request, file, folder);
      work.meta.files.push(copied.file);
      if (copied.bytes === 0) continue;
      work.copiedBytes += copied.bytes;
      work.copiedFiles++;
    }
    for (const name of [folder, PRIVATE_DIRECTORY, SHARED_DIRECTORY]) await directory.sync(name);
    return work;
  } finally {
    await db.enableFileDeletions();
  }
}

interface Copied {
  file: BackupFile;
  bytes: number;
}

async function addOwn(request: BackupRequest, live: LiveFileStorageInfo, folder: string): Promise<Copied> {
  const { directory, db } = request;
  const path = `${folder}/${live.relativeFilename}`;
  const target = directory.absolute(path);
  let facts: ReadFacts;
  if (live.replacementContents !== undefined) {
    await runAsync(writeWhole(directory.fs, target, live.replacementContents, true));
    facts = await checksumOf(directory.fs, target);
  } else {
    facts = await copyLive(db.env.fileSystem, live, directory.fs, target);
  }
  return { file: fileOf(path, facts.checksum), bytes: facts.sizeBytes };
}

async function addTable(request: BackupRequest, live: LiveFileStorageInfo): Promise<Copied> {
  const { directory, db, known } = request;
  const path = await sharedPath(db.env.fileSystem, live);
  if ((await directory.sizeOf(path)) === live.size) {
    const checksum = known.get(path) ?? (await checksumOf(directory.fs, directory.absolute(path))).checksum;
    return { file: fileOf(path, checksum), bytes: 0 };
  }
  const temporary = directory.absolute(path.replace('/', '/.').concat('.tmp'));
  const facts = await copyLive(db.env.fileSystem, live, directory.fs, temporary);
  await directory.fs.rename(temporary, directory.absolute(path));
  return { file: fileOf(path, facts.checksum), bytes: facts.sizeBytes };
}

/** The name of a table among those of all databases: by the session that wrote it, or by its checksum where it tells none. */
async function sharedPath(fs: FileSystem, live: LiveFileStorageInfo): Promise<string> {
  const source = `${live.directory}/${live.relativeFilename}`;
  const dot = live.relativeFilename.lastIndexOf('.');
  const number = live.relativeFilename.slice(0, dot);
  const extension = live.relativeFilename.slice(dot);
  const session = await sessionOf(fs, source, live.size);
  const mark = session === '' ? String((await checksumOf(fs, source)).checksum) : `s${session}`;
  return `${SHARED_DIRECTORY}/${number}_${mark}_${live.size}${extension}`;
}

async function sessionOf(fs: FileSystem, path: string, size: number): Promise<string> {
  const file = await fs.openRandom(path);
  try {
    const { dbSessionId } = await runAsync(readTableProperties(file, size));
    return /^[0-9A-Za-z]{1,64}$/.test(dbSessionId) ? dbSessionId : '';
  } finally {
    await file.close();
  }
}

async function copyLive(
  sourceFs: FileSystem,
  live: LiveFileStorageInfo,
  targetFs: FileSystem,
  target: string,
): Promise<ReadFacts> {
  const path = `${live.directory}/${live.relativeFilename}`;
  const from = { fs: sourceFs, path, noFollow: false };
  const facts = await copyChecked({ from, to: { fs: targetFs, path: target }, limitBytes: live.size });
  if (facts.sizeBytes !== live.size) {
    throw corruption(`${path}: expected ${live.size} bytes, found ${facts.sizeBytes}`);
  }
  return facts;
}

function fileOf(path: string, checksum: number): BackupFile {
  const parsed = parseBackupPath(path, Number(/^private\/(\d+)\//.exec(path)?.[1] ?? 0));
  if (parsed === undefined) throw corruption(`${path}: is no name of a backup's file`);
  return { ...parsed, checksum };
}
