/**
 * Operations composed of several calls of a `FileSystem`, written once for both manners (`format/base/io.ts`), and the
 * single calls as `Io`, for use inside operations.
 */
import { corruption } from '../../format/base/db-error.ts';
import { closeFile, readAt, syncFull } from '../../format/base/file-io.ts';
import { type Io, io } from '../../format/base/io.ts';
import { isAlreadyExists, isNotFound } from './file-error.ts';
import type {
  CreateOptions,
  DirectorySyncReason,
  FileStat,
  FileSystem,
  RandomAccessFile,
  WritableFile,
} from './file-system.ts';

/** `FileSystem.rename` */
export function renameFile(fs: FileSystem, from: string, to: string): Io<void> {
  return io(
    () => fs.renameSync(from, to),
    () => fs.rename(from, to),
  );
}

/** `FileSystem.openRandom` */
export function openRandom(fs: FileSystem, path: string): Io<RandomAccessFile> {
  return io(
    () => fs.openRandomSync(path),
    () => fs.openRandom(path),
  );
}

/** `FileSystem.unlink` */
export function unlinkFile(fs: FileSystem, path: string): Io<void> {
  return io(
    () => fs.unlinkSync(path),
    () => fs.unlink(path),
  );
}

/** Unlinks what may be gone already; false when it was. */
export function* unlinkIfPresent(fs: FileSystem, path: string): Io<boolean> {
  try {
    yield* unlinkFile(fs, path);
    return true;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return false;
  }
}

/** `FileSystem.list` */
export function listDirectory(fs: FileSystem, path: string): Io<string[]> {
  return io(
    () => fs.listSync(path),
    () => fs.list(path),
  );
}

/** `FileSystem.stat` */
export function statFile(fs: FileSystem, path: string): Io<FileStat> {
  return io(
    () => fs.statSync(path),
    () => fs.stat(path),
  );
}

/** `FileSystem.exists` */
export function fileExists(fs: FileSystem, path: string): Io<boolean> {
  return io(
    () => fs.existsSync(path),
    () => fs.exists(path),
  );
}

/** Makes the names in `path` durable. */
export function* syncDirectory(fs: FileSystem, path: string, reason: DirectorySyncReason): Io<void> {
  const directory = yield* io(
    () => fs.openDirectorySync(path),
    () => fs.openDirectory(path),
  );
  try {
    yield* io(
      () => directory.syncSync(reason),
      () => directory.sync(reason),
    );
  } finally {
    yield* closeFile(directory);
  }
}

/** Creates a directory and those above it that are missing. Durable only after a sync of the directory above each. */
export function* createDirectories(fs: FileSystem, path: string): Io<void> {
  try {
    yield* io(
      () => fs.mkdirSync(path),
      () => fs.mkdir(path),
    );
  } catch (error) {
    if (isAlreadyExists(error)) return;
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')));
    if (!isNotFound(error) || parent === '') throw error;
    yield* createDirectories(fs, parent);
    yield* createDirectories(fs, path);
  }
}

/**
 * Creates a file in the place of one that a crash may have left there: the leftover is unlinked, never truncated or
 * followed, for it may be a link to something that is not ours.
 */
export function* createFresh(fs: FileSystem, path: string, options?: CreateOptions): Io<WritableFile> {
  const create = () =>
    io(
      () => fs.createWritableSync(path, options),
      () => fs.createWritable(path, options),
    );
  try {
    return yield* create();
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  yield* unlinkFile(fs, path);
  return yield* create();
}

/**
 * Reads a whole file. The caller owns the bytes. `CORRUPTION` when it is larger than `limitBytes`, before any memory is
 * taken for it.
 */
export function* readWhole(fs: FileSystem, path: string, limitBytes: number): Io<Uint8Array> {
  const file = yield* openRandom(fs, path);
  try {
    const size = yield* io(
      () => file.sizeSync(),
      () => file.size(),
    );
    if (size > limitBytes) {
      throw corruption(`File too large: ${path}: expected at most ${limitBytes} bytes, found ${size}`);
    }
    const bytes = new Uint8Array(size);
    const read = yield* readAt(file, bytes, 0);
    return bytes.subarray(0, read);
  } finally {
    yield* closeFile(file);
  }
}

/** Writes a new file of these bytes in place of any leftover; `sync` makes its data durable, not its name. */
export function* writeWhole(fs: FileSystem, path: string, bytes: Uint8Array, sync: boolean): Io<void> {
  const file = yield* createFresh(fs, path);
  try {
    yield* io(
      () => file.appendSync([bytes]),
      () => file.append([bytes]),
    );
    if (sync) {
      yield* syncFull(file);
    }
  } finally {
    yield* closeFile(file);
  }
}

/**
 * Replaces `path` atomically and durably: `temporaryPath` (same directory) is written and synced before it takes the
 * name, and the directory is synced after. A crash leaves the old file or the new one, whole.
 */
export function* replaceWhole(
  fs: FileSystem,
  directory: string,
  temporaryPath: string,
  path: string,
  bytes: Uint8Array,
): Io<void> {
  yield* writeWhole(fs, temporaryPath, bytes, true);
  yield* renameFile(fs, temporaryPath, path);
  yield* syncDirectory(fs, directory, 'renamed');
}

const COPY_CHUNK_BYTES = 256 * 1024;

/** Looks at the `chunk` that goes to `offset` of a copy, and may change it. */
type ChunkEdit = (chunk: Uint8Array, offset: number) => void;

/**
 * Copies up to `limitBytes` of a file to a new one and syncs its data; resolves to the bytes copied. `to` may be the name of
 * `from`: the file that had it is never changed, since it may have other names.
 */
export function* copyFile(
  fs: FileSystem,
  from: string,
  to: string,
  limitBytes = Number.MAX_SAFE_INTEGER,
  edit?: ChunkEdit,
): Io<number> {
  const source = yield* io(
    () => fs.openSequentialSync(from),
    () => fs.openSequential(from),
  );
  try {
    const target = yield* createFresh(fs, to);
    try {
      const chunk = new Uint8Array(COPY_CHUNK_BYTES);
      let copied = 0;
      while (copied < limitBytes) {
        const wanted = chunk.subarray(0, Math.min(chunk.length, limitBytes - copied));
        const read = yield* io(
          () => source.readSync(wanted),
          () => source.read(wanted),
        );
        if (read === 0) break;
        const part = wanted.subarray(0, read);
        edit?.(part, copied);
        yield* io(
          () => target.appendSync([part]),
          () => target.append([part]),
        );
        copied += read;
      }
      yield* syncFull(target);
      return copied;
    } finally {
      yield* closeFile(target);
    }
  } finally {
    yield* closeFile(source);
  }
}

/** Replaces a file by a synced copy of it with other bytes at `offset`. */
export function* copyPatched(fs: FileSystem, path: string, bytes: Uint8Array, offset: number): Io<void> {
  yield* copyFile(fs, path, path, Number.MAX_SAFE_INTEGER, (chunk, at) => {
    for (let i = 0; i < bytes.length; i++) {
      const place = offset + i - at;
      if (place >= 0 && place < chunk.length) chunk[place] = bytes[i]!;
    }
  });
}
