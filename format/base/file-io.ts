/** Single calls of open files as `Io`, for use inside operations that are written once for both manners (`io.ts`). */
import type { RandomAccessFile } from './file-handles.ts';
import { type Io, io, repeatableIo } from './io.ts';

/** Reads up to `target.length` bytes at `offset`; how many there were. */
export function readAt(file: RandomAccessFile, target: Uint8Array, offset: number): Io<number> {
  return io(
    () => file.readSync(target, offset),
    () => file.read(target, offset),
  );
}

/** fsync: makes a file durable with its metadata. Repeatable, so that jobs which run in place still await it. */
export function syncFull(file: { sync(kind: 'full'): Promise<void>; syncSync(kind: 'full'): void }): Io<void> {
  return repeatableIo(
    () => file.syncSync('full'),
    () => file.sync('full'),
  );
}

/** Closes a file, a directory or anything else with both manners of close. */
export function closeFile(file: { close(): Promise<void>; closeSync(): void }): Io<void> {
  return io(
    () => file.closeSync(),
    () => file.close(),
  );
}
