/**
 * A checkpoint: an openable copy of the database as it is at one moment, made while writes go on. Tables never change, so
 * hard links do (copies where the file system has none); MANIFEST and logs grow, so they are copied up to the size they
 * had at that moment. All is built in a directory of another name and renamed when it is complete and durable.
 */
import { corruption, DBError, invalidArgument } from '../../format/base/db-error.ts';
import { type Io, io, runAsync } from '../../format/base/io.ts';
import { parseFileName } from '../../format/manifest/file-name.ts';
import { errnoOf } from '../env/file-error.ts';
import {
  copyFile,
  fileExists,
  listDirectory,
  renameFile,
  syncDirectory,
  unlinkFile,
  writeWhole,
} from '../env/file-operations.ts';
import type { FileSystem } from '../env/file-system.ts';
import { absolutePath } from './directory-check.ts';
import type { Engine } from './engine.ts';
import { type LiveFileStorageInfo, liveFilesStorage } from './live-files-storage.ts';

/** Errors by which a file system says that it cannot make this link. */
const NO_LINK = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS']);

/** See `DB.createCheckpoint`. */
export async function createCheckpoint(engine: Engine, directory: unknown): Promise<void> {
  const { fs } = engine.context;
  const target = absolutePath(directory, 'dir');
  if (engine.readOnly) throw new DBError('READ_ONLY', 'the database was opened with readOnly');
  if (await runAsync(fileExists(fs, target))) throw invalidArgument(`${target}: exists already`);
  await engine.obsolete.suspend();
  try {
    await runAsync(build(engine, await liveFilesStorage(engine, true), target));
  } finally {
    engine.obsolete.resume(false);
  }
}

function* build(engine: Engine, files: readonly LiveFileStorageInfo[], target: string): Io<void> {
  const { fs } = engine.context;
  const staging = `${target}.tmp`;
  yield* removeStaging(fs, staging);
  yield* io(
    () => fs.mkdirSync(staging),
    () => fs.mkdir(staging),
  );
  try {
    for (const file of files) yield* addFile(fs, file, staging);
    yield* syncDirectory(fs, staging, 'file-created');
    yield* renameFile(fs, staging, target);
    yield* syncDirectory(fs, target.slice(0, Math.max(1, target.lastIndexOf('/'))), 'renamed');
  } catch (error) {
    try {
      yield* removeStaging(fs, staging);
    } catch (second) {
      engine.context.logger.warn(`Cannot remove ${staging}: ${(second as Error).message}`);
    }
    throw error;
  }
}

function* addFile(fs: FileSystem, file: LiveFileStorageInfo, staging: string): Io<void> {
  const { relativeFilename, directory, replacementContents, fileType, size } = file;
  const from = `${directory}/${relativeFilename}`;
  const to = `${staging}/${relativeFilename}`;
  if (replacementContents !== undefined) return yield* writeWhole(fs, to, replacementContents, true);
  if (fileType === 'table' && fs.caps.hardLink && (yield* tryLink(fs, from, to))) return;
  const copied = yield* copyFile(fs, from, to, size);
  if (copied !== size) throw corruption(`${from}: expected ${size} bytes, found ${copied}`);
}

/** False when these two places cannot share a file. */
function* tryLink(fs: FileSystem, from: string, to: string): Io<boolean> {
  try {
    yield* io(
      () => fs.linkSync(from, to),
      () => fs.link(from, to),
    );
    return true;
  } catch (error) {
    if (!NO_LINK.has(errnoOf(error) ?? '')) throw error;
    return false;
  }
}

/** Removes what an interrupted checkpoint left; a directory that holds anything else is left alone, and then in the way. */
function* removeStaging(fs: FileSystem, staging: string): Io<void> {
  if (!(yield* fileExists(fs, staging))) return;
  const names = yield* listDirectory(fs, staging);
  const foreign = names.find((name) => parseFileName(name) === undefined);
  if (foreign !== undefined) throw invalidArgument(`${staging}: exists and holds ${JSON.stringify(foreign)}`);
  for (const name of names) yield* unlinkFile(fs, `${staging}/${name}`);
  yield* io(
    () => fs.rmdirSync(staging),
    () => fs.rmdir(staging),
  );
}
