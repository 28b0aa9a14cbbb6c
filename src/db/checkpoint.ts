/**
 * A checkpoint: an openable copy of the database as it is at one moment, made while writes go on. Tables never change, so
 * hard links do (copies where the file system has none); MANIFEST and logs grow, so they are copied up to the size they
 * had at that moment. All is built in a directory of another name and renamed when it is complete and durable.
 */
import { corruption, DBError, invalidArgument } from '../../format/base/db-error.ts';
import { type Io, io, runAsync } from '../../format/base/io.ts';
import { encodeCurrent } from '../../format/manifest/current-file.ts';
import {
  CURRENT_FILE,
  levelDbTableFileName,
  manifestFileName,
  parseFileName,
  tableFileName,
  walFileName,
} from '../../format/manifest/file-name.ts';
import { errnoOf, isNotFound } from '../env/file-error.ts';
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

/** The files of one moment. */
interface Moment {
  /** Numbers of the live tables. */
  tables: number[];
  manifest: { number: number; sizeBytes: number };
  optionsFile: string | undefined;
  /** Logs that hold something unflushed, ascending. */
  logs: { number: number; sizeBytes: number }[];
}

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
    await engine.flush([...engine.versions.families.values()].filter((family) => !family.dropped));
    engine.requireOpen();
    await runAsync(build(engine, momentOf(engine), target));
  } finally {
    engine.obsolete.resume(false);
  }
}

/** No wait in here: tables, MANIFEST and logs must be of one moment. */
function momentOf(engine: Engine): Moment {
  const { versions, wal, errors } = engine;
  if (versions.manifestNumber === 0) {
    throw errors.error ?? new DBError('BUSY', `${engine.context.path}: there is no MANIFEST in force`);
  }
  wal.flush();
  return {
    tables: [...versions.families.values()]
      .filter((family) => !family.dropped)
      .flatMap((family) => family.version.levels.flat())
      .map(({ number }) => number),
    manifest: { number: versions.manifestNumber, sizeBytes: versions.manifestSize },
    optionsFile: engine.optionsFile,
    logs: wal.alive().filter(({ sizeBytes }) => sizeBytes > 0),
  };
}

function* build(engine: Engine, moment: Moment, target: string): Io<void> {
  const { fs, path, walPath } = engine.context;
  const staging = `${target}.tmp`;
  yield* removeStaging(fs, staging);
  yield* io(
    () => fs.mkdirSync(staging),
    () => fs.mkdir(staging),
  );
  try {
    for (const number of moment.tables) yield* addTable(fs, path, staging, number);
    const manifest = manifestFileName(moment.manifest.number);
    yield* copyExactly(fs, `${path}/${manifest}`, `${staging}/${manifest}`, moment.manifest.sizeBytes);
    const { optionsFile } = moment;
    if (optionsFile !== undefined) yield* copyFile(fs, `${path}/${optionsFile}`, `${staging}/${optionsFile}`);
    for (const { number, sizeBytes } of moment.logs) {
      const name = walFileName(number);
      yield* copyExactly(fs, `${walPath}/${name}`, `${staging}/${name}`, sizeBytes);
    }
    yield* writeWhole(fs, `${staging}/${CURRENT_FILE}`, encodeCurrent(moment.manifest.number), true);
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

function* addTable(fs: FileSystem, from: string, to: string, number: number): Io<void> {
  const name = tableFileName(number);
  try {
    yield* linkOrCopy(fs, `${from}/${name}`, `${to}/${name}`);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const old = levelDbTableFileName(number);
    yield* linkOrCopy(fs, `${from}/${old}`, `${to}/${old}`);
  }
}

function* linkOrCopy(fs: FileSystem, from: string, to: string): Io<void> {
  if (fs.caps.hardLink) {
    try {
      return yield* io(
        () => fs.linkSync(from, to),
        () => fs.link(from, to),
      );
    } catch (error) {
      if (!NO_LINK.has(errnoOf(error) ?? '')) throw error;
    }
  }
  yield* copyFile(fs, from, to);
}

function* copyExactly(fs: FileSystem, from: string, to: string, sizeBytes: number): Io<void> {
  const copied = yield* copyFile(fs, from, to, sizeBytes);
  if (copied !== sizeBytes) throw corruption(`${from}: expected ${sizeBytes} bytes, found ${copied}`);
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
