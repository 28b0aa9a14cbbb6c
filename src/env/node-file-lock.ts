/**
 * The LOCK file. Three guards, each for what the others cannot see:
 * - A table of this thread's locks, keyed by device and inode, so a second open is refused under every path that leads
 *   to the file, with RocksDB's own message.
 * - An open-file-description lock of the system (fcntl), which other threads, other processes and C++ RocksDB see, and
 *   which the system drops with the process.
 * - Where no native module loads, an owner file instead (`lock-owner-file.ts`), which only Pumice sees.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { threadId } from 'node:worker_threads';
import { DBError } from '../../format/base/db-error.ts';
import { fileError, systemError } from './file-error.ts';
import type { FileLock } from './file-system.ts';
import { claimOwnerFile, releaseOwnerFile } from './lock-owner-file.ts';
import type { DescriptorCount } from './node-descriptor.ts';

type TryLock = (fd: number) => boolean;

let nativeTryLock: TryLock | null | undefined;

/** The system's lock call, or `null` where it cannot be loaded. */
export function loadTryLock(): TryLock | null {
  if (nativeTryLock !== undefined) return nativeTryLock;
  try {
    const native = createRequire(import.meta.url)('fs-native-extensions') as { tryLock: TryLock };
    nativeTryLock = (fd) => native.tryLock(fd);
  } catch {
    nativeTryLock = null;
  }
  return nativeTryLock;
}

interface HeldLock {
  readonly acquiredSeconds: number;
  readonly thread: number;
}

/** Global, because two copies of this module in one process (a bundle and a package) must know of each other's locks. */
const TABLE_KEY = Symbol.for('pumice.heldLocks');

function heldLocks(): Map<string, HeldLock> {
  const holder = globalThis as { [TABLE_KEY]?: Map<string, HeldLock> };
  return (holder[TABLE_KEY] ??= new Map());
}

function heldByThisProcess(path: string, held: HeldLock): DBError {
  const who = `acquire time ${held.acquiredSeconds} acquiring thread ${held.thread}`;
  return new DBError('LOCKED', `lock hold by current process, ${who}: ${path}: No locks available`);
}

/** RocksDB's words for a lock that another process holds. */
export function heldElsewhere(path: string): DBError {
  return new DBError('LOCKED', `While lock file: ${path}: Resource temporarily unavailable`, {
    cause: systemError('EAGAIN'),
  });
}

/** A lock that is held. Keeps its descriptor open: closing it is what releases. */
class NodeFileLock implements FileLock {
  readonly path: string;
  readonly #fd: number;
  readonly #key: string;
  readonly #advisory: boolean;
  readonly #count: DescriptorCount;
  #released = false;

  constructor(path: string, fd: number, key: string, advisory: boolean, count: DescriptorCount) {
    this.path = path;
    this.#fd = fd;
    this.#key = key;
    this.#advisory = advisory;
    this.#count = count;
    count.open++;
  }

  async release(): Promise<void> {
    this.releaseSync();
  }

  /** In place: a close of a file without unwritten data does not wait for a device. */
  releaseSync(): void {
    if (this.#released) return;
    this.#released = true;
    this.#count.open--;
    heldLocks().delete(this.#key);
    try {
      if (this.#advisory) releaseOwnerFile(this.path);
    } catch (error) {
      throw fileError('unlock file', this.path, error);
    } finally {
      fs.closeSync(this.#fd);
    }
  }
}

/** Somebody who deletes the database between our open and our lock leaves us a lock on a file without a name. */
function isStillAt(path: string, identity: fs.BigIntStats): boolean {
  const now = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
  return now !== undefined && now.dev === identity.dev && now.ino === identity.ino;
}

function acquire(path: string, fd: number, tryLock: TryLock | null, count: DescriptorCount): FileLock | undefined {
  const identity = fs.fstatSync(fd, { bigint: true });
  const key = `${identity.dev}:${identity.ino}`;
  const table = heldLocks();
  const held = table.get(key);
  if (held !== undefined) throw heldByThisProcess(path, held);
  table.set(key, { acquiredSeconds: Math.floor(Date.now() / 1000), thread: threadId });
  let locked = false;
  try {
    const got = tryLock === null ? claimOwnerFile(path, identity) : tryLock(fd);
    if (!got) throw heldElsewhere(path);
    locked = isStillAt(path, identity);
    if (!locked && tryLock === null) releaseOwnerFile(path);
  } catch (error) {
    throw fileError('lock file', path, error);
  } finally {
    if (!locked) table.delete(key);
  }
  return locked ? new NodeFileLock(path, fd, key, tryLock === null, count) : undefined;
}

/**
 * Locks the open LOCK file `fd` of `path`. Owns `fd` from here on. `undefined`: the file was deleted meanwhile, open it
 * again. `LOCKED` when somebody has it. `tryLock` null: use an owner file.
 */
export function lockDescriptor(
  path: string,
  fd: number,
  tryLock: TryLock | null,
  count: DescriptorCount,
): FileLock | undefined {
  let lock: FileLock | undefined;
  try {
    lock = acquire(path, fd, tryLock, count);
    return lock;
  } finally {
    if (lock === undefined) fs.closeSync(fd);
  }
}
