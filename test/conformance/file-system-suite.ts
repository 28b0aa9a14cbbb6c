/**
 * What every `FileSystem` promises, as tests that any implementation runs. Each behaviour is checked in both manners:
 * the blocking call and its promise twin.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DBError } from '../../format/base/db-error.ts';
import { type Io, io, runAsync, runSync } from '../../format/base/io.ts';
import { errnoOf, isAlreadyExists, isNotFound } from '../../src/env/file-error.ts';
import {
  copyFile,
  createDirectories,
  createFresh,
  fileExists,
  listDirectory,
  readWhole,
  renameFile,
  replaceWhole,
  statFile,
  syncDirectory,
  unlinkFile,
  unlinkIfPresent,
  writeWhole,
} from '../../src/env/file-operations.ts';
import type { FileLock, FileSystem, SequentialFile, WritableFile } from '../../src/env/file-system.ts';

/** A file system under test and an empty directory in it. */
export interface FileSystemUnderTest extends Disposable {
  readonly fs: FileSystem;
  readonly root: string;
}

const LIMIT_BYTES = 64 << 20;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function create(fs: FileSystem, path: string): Io<WritableFile> {
  return io(
    () => fs.createWritableSync(path),
    () => fs.createWritable(path),
  );
}

function reopen(fs: FileSystem, path: string, truncateTo?: number): Io<WritableFile> {
  const options = truncateTo === undefined ? {} : { truncateTo };
  return io(
    () => fs.reopenWritableSync(path, options),
    () => fs.reopenWritable(path, options),
  );
}

function append(file: WritableFile, ...parts: string[]): Io<void> {
  return io(
    () => file.appendSync(parts.map(bytesOf)),
    () => file.append(parts.map(bytesOf)),
  );
}

function close(file: { close(): Promise<void>; closeSync(): void }): Io<void> {
  return io(
    () => file.closeSync(),
    () => file.close(),
  );
}

function lock(fs: FileSystem, path: string): Io<FileLock> {
  return io(
    () => fs.lockSync(path),
    () => fs.lock(path),
  );
}

function release(held: FileLock): Io<void> {
  return io(
    () => held.releaseSync(),
    () => held.release(),
  );
}

/** The error of an operation that must fail. */
function* errorOf<T>(operation: Io<T>): Io<DBError> {
  try {
    yield* operation;
  } catch (error) {
    expect(error).toBeInstanceOf(DBError);
    return error as DBError;
  }
  throw new Error('the operation should have failed');
}

function* write(fs: FileSystem, path: string, text: string): Io<void> {
  yield* writeWhole(fs, path, bytesOf(text), false);
}

function* readText(fs: FileSystem, path: string): Io<string> {
  return new TextDecoder().decode(yield* readWhole(fs, path, LIMIT_BYTES));
}

function readSome(file: SequentialFile, count: number): Io<string> {
  const buffer = new Uint8Array(count);
  const text = (read: number) => new TextDecoder().decode(buffer.subarray(0, read));
  return io(
    () => text(file.readSync(buffer)),
    async () => text(await file.read(buffer)),
  );
}

type Scenario = (fs: FileSystem, root: string) => Io<void>;

/** Behaviours of files. */
const FILE_SCENARIOS: Record<string, Scenario> = {
  *'an append of several parts is read back whole'(fs, root) {
    const file = yield* create(fs, `${root}/f`);
    yield* append(file, 'one', '', 'two');
    yield* append(file, 'three');
    expect(file.size).toBe(11);
    expect(yield* readText(fs, `${root}/f`)).toBe('onetwothree');
    yield* close(file);
    expect(yield* readText(fs, `${root}/f`)).toBe('onetwothree');
  },
  *'an append of thousands of parts is one append'(fs, root) {
    const parts = Array.from({ length: 3000 }, (_, i) => `${i},`);
    const file = yield* create(fs, `${root}/f`);
    yield* append(file, ...parts);
    yield* close(file);
    expect(yield* readText(fs, `${root}/f`)).toBe(parts.join(''));
  },
  *'an append of a megabyte arrives whole'(fs, root) {
    const file = yield* create(fs, `${root}/f`);
    const text = 'x'.repeat(1_000_003);
    yield* append(file, text, 'y');
    yield* close(file);
    expect(yield* readText(fs, `${root}/f`)).toBe(`${text}y`);
  },
  *'create refuses a name that is taken'(fs, root) {
    yield* write(fs, `${root}/f`, 'old');
    const error = yield* errorOf(create(fs, `${root}/f`));
    expect(error.code).toBe('IO_ERROR');
    expect(isAlreadyExists(error)).toBe(true);
    expect(error.message).toContain(`${root}/f`);
    expect(yield* readText(fs, `${root}/f`)).toBe('old');
  },
  *'createFresh puts a new file in the place of a leftover'(fs, root) {
    yield* write(fs, `${root}/f`, 'leftover');
    const file = yield* createFresh(fs, `${root}/f`);
    yield* append(file, 'new');
    yield* close(file);
    expect(yield* readText(fs, `${root}/f`)).toBe('new');
  },
  *'opening what is not there says so'(fs, root) {
    for (const operation of [
      readWhole(fs, `${root}/gone`, LIMIT_BYTES),
      reopen(fs, `${root}/gone`),
      statFile(fs, `${root}/gone`),
      unlinkFile(fs, `${root}/gone`),
      listDirectory(fs, `${root}/gone`),
      renameFile(fs, `${root}/gone`, `${root}/g`),
      create(fs, `${root}/gone/f`),
      syncDirectory(fs, `${root}/gone`, 'renamed'),
    ]) {
      const error = yield* errorOf<unknown>(operation);
      expect(isNotFound(error), error.message).toBe(true);
      expect(error.message).toContain(`${root}/gone`);
      expect(error.retryable).toBe(false);
    }
    expect(yield* fileExists(fs, `${root}/gone`)).toBe(false);
    yield* unlinkIfPresent(fs, `${root}/gone`);
  },
  *'reads stop at the end of the file and nowhere else'(fs, root) {
    yield* write(fs, `${root}/f`, '0123456789');
    const file = yield* io(
      () => fs.openRandomSync(`${root}/f`),
      () => fs.openRandom(`${root}/f`),
    );
    const buffer = new Uint8Array(4);
    const counts: number[] = [];
    for (const offset of [0, 3, 8, 10, 5000]) {
      counts.push(
        yield* io(
          () => file.readSync(buffer, offset),
          () => file.read(buffer, offset),
        ),
      );
    }
    expect(counts).toEqual([4, 4, 2, 0, 0]);
    const error = yield* errorOf(
      io(
        () => file.readSync(buffer, -1),
        () => file.read(buffer, -1),
      ),
    );
    expect(errnoOf(error)).toBe('EINVAL');
    yield* close(file);
  },
  *'a sequential file goes on where it stopped'(fs, root) {
    yield* write(fs, `${root}/f`, 'abcdefghij');
    const file = yield* io(
      () => fs.openSequentialSync(`${root}/f`),
      () => fs.openSequential(`${root}/f`),
    );
    expect(yield* readSome(file, 3)).toBe('abc');
    file.skip(2);
    expect(yield* readSome(file, 3)).toBe('fgh');
    expect(yield* readSome(file, 9)).toBe('ij');
    expect(yield* readSome(file, 9)).toBe('');
    yield* close(file);
  },
  *'reopen appends at the end, or where truncateTo cuts'(fs, root) {
    yield* write(fs, `${root}/f`, '0123456789');
    const file = yield* reopen(fs, `${root}/f`);
    expect(file.size).toBe(10);
    yield* append(file, 'A');
    yield* close(file);
    const cut = yield* reopen(fs, `${root}/f`, 4);
    yield* append(cut, 'B');
    yield* close(cut);
    expect(yield* readText(fs, `${root}/f`)).toBe('0123B');
    expect(errnoOf(yield* errorOf(reopen(fs, `${root}/f`, 6)))).toBe('EINVAL');
  },
  *'truncate through a handle moves the place of the next append'(fs, root) {
    const file = yield* create(fs, `${root}/f`);
    yield* append(file, '0123456789');
    yield* io(
      () => file.truncateSync(3),
      () => file.truncate(3),
    );
    yield* append(file, 'X');
    expect(file.size).toBe(4);
    yield* close(file);
    expect(yield* readText(fs, `${root}/f`)).toBe('012X');
  },
  *'truncate by path cuts, and lengthens with zeros'(fs, root) {
    yield* write(fs, `${root}/f`, '0123456789');
    for (const size of [3, 6]) {
      yield* io(
        () => fs.truncateSync(`${root}/f`, size),
        () => fs.truncate(`${root}/f`, size),
      );
    }
    expect(yield* readText(fs, `${root}/f`)).toBe('012\0\0\0');
  },
  *'reuse keeps the old bytes behind the new ones'(fs, root) {
    yield* write(fs, `${root}/old`, '0123456789');
    const file = yield* io(
      () => fs.reuseWritableSync(`${root}/old`, `${root}/new`),
      () => fs.reuseWritable(`${root}/old`, `${root}/new`),
    );
    expect(file.size).toBe(0);
    expect(file.path).toBe(`${root}/new`);
    yield* append(file, 'AB');
    yield* append(file, 'C');
    yield* close(file);
    expect(yield* listDirectory(fs, root)).toEqual(['new']);
    expect(yield* readText(fs, `${root}/new`)).toBe('ABC3456789');
  },
  *'a file of two names is never changed in place'(fs, root) {
    yield* write(fs, `${root}/f`, 'shared');
    yield* io(
      () => fs.linkSync(`${root}/f`, `${root}/g`),
      () => fs.link(`${root}/f`, `${root}/g`),
    );
    expect((yield* statFile(fs, `${root}/f`)).linkCount).toBe(2);
    const reuse = io(
      () => fs.reuseWritableSync(`${root}/f`, `${root}/h`),
      () => fs.reuseWritable(`${root}/f`, `${root}/h`),
    );
    const truncate = io(
      () => fs.truncateSync(`${root}/f`, 1),
      () => fs.truncate(`${root}/f`, 1),
    );
    for (const operation of [reopen(fs, `${root}/f`), reuse, truncate]) {
      expect(errnoOf(yield* errorOf<unknown>(operation))).toBe('EMLINK');
    }
    expect(yield* readText(fs, `${root}/g`)).toBe('shared');
    expect(yield* listDirectory(fs, root)).toEqual(['f', 'g']);
  },
  *'a handle used after its close says CLOSED, and close is idempotent'(fs, root) {
    const file = yield* create(fs, `${root}/f`);
    yield* close(file);
    yield* close(file);
    expect((yield* errorOf(append(file, 'x'))).code).toBe('CLOSED');
    const reader = fs.openRandomSync(`${root}/f`);
    yield* close(reader);
    const read = io(
      () => reader.readSync(new Uint8Array(1), 0),
      () => reader.read(new Uint8Array(1), 0),
    );
    expect((yield* errorOf(read)).code).toBe('CLOSED');
  },
  *'a file that failed is poisoned for good'(fs, root) {
    const file = yield* create(fs, `${root}/f`);
    yield* append(file, 'abc');
    const tooFar = io(
      () => file.truncateSync(99),
      () => file.truncate(99),
    );
    expect(errnoOf(yield* errorOf(tooFar))).toBe('EINVAL');
    expect(file.poisoned).toBe(true);
    expect((yield* errorOf(append(file, 'x'))).code).toBe('IO_ERROR');
    const sync = io(
      () => file.syncSync('data'),
      () => file.sync('data'),
    );
    expect((yield* errorOf(sync)).code).toBe('IO_ERROR');
    yield* close(file);
    expect(yield* readText(fs, `${root}/f`)).toBe('abc');
  },
};

/** Behaviours of names. */
const NAME_SCENARIOS: Record<string, Scenario> = {
  *'rename replaces, and open handles keep the old file'(fs, root) {
    yield* write(fs, `${root}/a`, 'from a');
    yield* write(fs, `${root}/b`, 'from b');
    const reader = fs.openRandomSync(`${root}/b`);
    yield* renameFile(fs, `${root}/a`, `${root}/b`);
    expect(yield* listDirectory(fs, root)).toEqual(['b']);
    expect(yield* readText(fs, `${root}/b`)).toBe('from a');
    const buffer = new Uint8Array(6);
    expect(reader.readSync(buffer, 0)).toBe(6);
    expect(new TextDecoder().decode(buffer)).toBe('from b');
    yield* close(reader);
  },
  *'an unlinked file lives on through its handles'(fs, root) {
    const file = yield* create(fs, `${root}/f`);
    yield* append(file, 'abc');
    const reader = fs.openRandomSync(`${root}/f`);
    yield* unlinkFile(fs, `${root}/f`);
    expect(yield* fileExists(fs, `${root}/f`)).toBe(false);
    yield* append(file, 'def');
    expect(reader.sizeSync()).toBe(6);
    yield* close(file);
    yield* close(reader);
  },
  *'a link is a second name of one file'(fs, root) {
    yield* write(fs, `${root}/f`, 'abc');
    fs.linkSync(`${root}/f`, `${root}/g`);
    yield* unlinkFile(fs, `${root}/f`);
    expect(yield* readText(fs, `${root}/g`)).toBe('abc');
    expect((yield* statFile(fs, `${root}/g`)).linkCount).toBe(1);
    yield* write(fs, `${root}/h`, 'taken');
    expect(isAlreadyExists(yield* errorOf(linked(fs, `${root}/g`, `${root}/h`)))).toBe(true);
  },
  *'directories are made, listed in order and removed when empty'(fs, root) {
    yield* createDirectories(fs, `${root}/x/y/z`);
    yield* createDirectories(fs, `${root}/x/y/z`);
    for (const name of ['b', 'a', 'B', '10', '9']) yield* write(fs, `${root}/x/${name}`, '');
    expect(yield* listDirectory(fs, `${root}/x`)).toEqual(['10', '9', 'B', 'a', 'b', 'y']);
    expect((yield* statFile(fs, `${root}/x`)).kind).toBe('directory');
    expect(isAlreadyExists(yield* errorOf(made(fs, `${root}/x`)))).toBe(true);
    expect(errnoOf(yield* errorOf(removed(fs, `${root}/x`)))).toBe('ENOTEMPTY');
    yield* removed(fs, `${root}/x/y/z`);
    expect(yield* listDirectory(fs, `${root}/x/y`)).toEqual([]);
    expect(errnoOf(yield* errorOf(unlinkFile(fs, `${root}/x/y`)))).toBe('EISDIR');
  },
  *'a directory moves with all in it'(fs, root) {
    yield* createDirectories(fs, `${root}/from/inner`);
    yield* write(fs, `${root}/from/inner/f`, 'abc');
    yield* renameFile(fs, `${root}/from`, `${root}/to`);
    expect(yield* readText(fs, `${root}/to/inner/f`)).toBe('abc');
    expect(yield* fileExists(fs, `${root}/from`)).toBe(false);
    expect(errnoOf(yield* errorOf(renameFile(fs, `${root}/to`, `${root}/to/inner/x`)))).toBe('EINVAL');
  },
  *'stat tells kind, size, time and names'(fs, root) {
    yield* write(fs, `${root}/f`, '12345');
    const stat = yield* statFile(fs, `${root}/f`);
    expect(stat).toMatchObject({ kind: 'file', size: 5, linkCount: 1 });
    expect(Number.isSafeInteger(stat.modifiedMicros)).toBe(true);
    expect(stat.modifiedMicros).toBeGreaterThan(1_600_000_000_000_000);
  },
  *'a directory can be synced for every reason'(fs, root) {
    for (const reason of ['file-created', 'renamed', 'deleted'] as const) yield* syncDirectory(fs, root, reason);
  },
  *'replaceWhole leaves the new bytes and no temporary file'(fs, root) {
    yield* write(fs, `${root}/CURRENT`, 'old');
    yield* write(fs, `${root}/t.dbtmp`, 'left by a crash');
    yield* replaceWhole(fs, root, `${root}/t.dbtmp`, `${root}/CURRENT`, bytesOf('new'));
    expect(yield* readText(fs, `${root}/CURRENT`)).toBe('new');
    expect(yield* listDirectory(fs, root)).toEqual(['CURRENT']);
  },
  *'copyFile copies up to a limit'(fs, root) {
    const text = 'abcdefg'.repeat(100_000);
    yield* write(fs, `${root}/f`, text);
    expect(yield* copyFile(fs, `${root}/f`, `${root}/g`)).toBe(text.length);
    expect(yield* readText(fs, `${root}/g`)).toBe(text);
    expect(yield* copyFile(fs, `${root}/f`, `${root}/h`, 300_000)).toBe(300_000);
    expect(yield* readText(fs, `${root}/h`)).toBe(text.slice(0, 300_000));
  },
  *'readWhole refuses a file above its limit'(fs, root) {
    yield* write(fs, `${root}/f`, '0123456789');
    expect((yield* errorOf(readWhole(fs, `${root}/f`, 9))).code).toBe('CORRUPTION');
    expect((yield* readWhole(fs, `${root}/f`, 10)).length).toBe(10);
  },
  *'free space is a positive number of bytes'(fs, root) {
    const free = yield* io(
      () => fs.freeSpaceSync(root),
      () => fs.freeSpace(root),
    );
    expect(free > 0n).toBe(true);
  },
};

/** Behaviours of locks. */
const LOCK_SCENARIOS: Record<string, Scenario> = {
  *'a second lock is refused until the first is released'(fs, root) {
    const held = yield* lock(fs, `${root}/LOCK`);
    const error = yield* errorOf(lock(fs, `${root}/LOCK`));
    expect(error.code).toBe('LOCKED');
    expect(error.message).toMatch(
      /^lock hold by current process, acquire time \d+ acquiring thread \d+: .*LOCK: No locks available$/,
    );
    yield* release(held);
    yield* release(held);
    yield* release(yield* lock(fs, `${root}/LOCK`));
  },
  *'a lock keeps the bytes of its file'(fs, root) {
    yield* write(fs, `${root}/LOCK`, 'something');
    yield* release(yield* lock(fs, `${root}/LOCK`));
    expect(yield* readText(fs, `${root}/LOCK`)).toBe('something');
  },
  *'the lock of another file is free'(fs, root) {
    const a = yield* lock(fs, `${root}/A`);
    const b = yield* lock(fs, `${root}/B`);
    yield* release(a);
    yield* release(b);
  },
  *'a lock holds under every name of its file'(fs, root) {
    const held = yield* lock(fs, `${root}/LOCK`);
    fs.linkSync(`${root}/LOCK`, `${root}/OTHER`);
    expect((yield* errorOf(lock(fs, `${root}/OTHER`))).code).toBe('LOCKED');
    yield* release(held);
  },
};

function linked(fs: FileSystem, from: string, to: string): Io<void> {
  return io(
    () => fs.linkSync(from, to),
    () => fs.link(from, to),
  );
}

function made(fs: FileSystem, path: string): Io<void> {
  return io(
    () => fs.mkdirSync(path),
    () => fs.mkdir(path),
  );
}

function removed(fs: FileSystem, path: string): Io<void> {
  return io(
    () => fs.rmdirSync(path),
    () => fs.rmdir(path),
  );
}

/** Runs the suite on what `make` makes, once for each behaviour and manner. */
export function fileSystemSuite(name: string, make: () => FileSystemUnderTest): void {
  describe.each(['blocking', 'promise'])(`${name}, %s calls`, (manner) => {
    let subject: FileSystemUnderTest;
    beforeEach(() => {
      subject = make();
    });
    afterEach(() => subject[Symbol.dispose]());
    const scenarios = { ...FILE_SCENARIOS, ...NAME_SCENARIOS, ...LOCK_SCENARIOS };
    for (const [title, scenario] of Object.entries(scenarios)) {
      test(title, async () => {
        const operation = scenario(subject.fs, subject.root);
        if (manner === 'blocking') runSync(operation);
        else await runAsync(operation);
      });
    }
  });
}
