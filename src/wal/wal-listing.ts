/** Which logs there are, alive or archived, and with which sequence each begins. */
import { getFixed64 } from '../../format/base/coding.ts';
import { DBError } from '../../format/base/db-error.ts';
import { closeFile } from '../../format/base/file-io.ts';
import type { Io } from '../../format/base/io.ts';
import { BATCH_HEADER_SIZE } from '../../format/batch/batch-format.ts';
import { decompressZstdFrames } from '../../format/compression/zstd.ts';
import { LOG_BLOCK_SIZE } from '../../format/log/log-format.ts';
import { LogReader, type LogReaderOptions, LogStep } from '../../format/log/log-reader.ts';
import { ARCHIVE_DIRECTORY, parseFileName } from '../../format/manifest/file-name.ts';
import { isNotFound } from '../env/file-error.ts';
import { listDirectory, openRandom, statFile } from '../env/file-operations.ts';
import type { FileSystem, RandomAccessFile } from '../env/file-system.ts';

/** A larger record is no batch of ours; compressed ones are not unpacked beyond it. */
const RECORD_SIZE_MAX = 1024 * 1024 * 1024;

/** One log file. */
export interface WalFileInfo {
  /** Absolute. An alive log may be moved to the archive later. */
  path: string;
  logNumber: number;
  type: 'alive' | 'archived';
  /** Of the first write in it. */
  startSequence: number;
  /** Bytes that were handed to the operating system. */
  sizeBytes: number;
}

/** Where a log lies. */
export interface LogPlace {
  number: number;
  path: string;
  archived: boolean;
}

/** How a log file is read. */
export function logReaderOptions(logNumber: number): LogReaderOptions {
  return { logNumber, decompress: (bytes) => decompressZstdFrames(bytes, RECORD_SIZE_MAX) };
}

/**
 * All logs of `walPath` and its archive, ascending by number. Logs only ever move to the archive, so one that moves
 * meanwhile is found there; one that is found twice is listed as archived.
 */
export function* listLogs(fs: FileSystem, walPath: string): Io<LogPlace[]> {
  const places = new Map<number, LogPlace>();
  const archive = `${walPath}/${ARCHIVE_DIRECTORY}`;
  for (const directory of [walPath, archive]) {
    for (const name of yield* namesIn(fs, directory)) {
      const parsed = parseFileName(name);
      if (parsed?.kind !== 'wal') continue;
      const archived = directory === archive;
      places.set(parsed.number, { number: parsed.number, path: `${directory}/${name}`, archived });
    }
  }
  return [...places.values()].sort((a, b) => a.number - b.number);
}

function* namesIn(fs: FileSystem, directory: string): Io<string[]> {
  try {
    return yield* listDirectory(fs, directory);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** Opens a log where it was, or in the archive if it has moved there since. `undefined` when it is gone. */
export function* openLog(fs: FileSystem, walPath: string, place: LogPlace): Io<RandomAccessFile | undefined> {
  const name = place.path.slice(place.path.lastIndexOf('/') + 1);
  for (const path of new Set([place.path, `${walPath}/${ARCHIVE_DIRECTORY}/${name}`])) {
    try {
      return yield* openRandom(fs, path);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return undefined;
}

/** Start sequences of logs, each file read once. */
export class WalListing {
  readonly #fs: FileSystem;
  readonly #walPath: string;
  readonly #starts = new Map<number, number>();

  constructor(fs: FileSystem, walPath: string) {
    this.#fs = fs;
    this.#walPath = walPath;
  }

  /** All logs, ascending; those without a record, and without a start, included. */
  places(): Io<LogPlace[]> {
    return listLogs(this.#fs, this.#walPath);
  }

  /** Sequence of the first record; 0 for a log without one, `undefined` for one that is gone. */
  *startSequence(place: LogPlace): Io<number | undefined> {
    const known = this.#starts.get(place.number);
    if (known !== undefined) return known;
    const file = yield* openLog(this.#fs, this.#walPath, place);
    if (file === undefined) return undefined;
    const sequence = yield* firstSequence(file, place.number);
    if (sequence > 0) this.#starts.set(place.number, sequence);
    return sequence;
  }

  /** Every log that holds a record. `limit` gives the visible size of a log that is still written. */
  *files(limit: (logNumber: number) => number): Io<WalFileInfo[]> {
    const files: WalFileInfo[] = [];
    for (const place of yield* this.places()) {
      const startSequence = yield* this.startSequence(place);
      if (startSequence === undefined || startSequence === 0) continue;
      const found = yield* this.#sizeOf(place);
      if (found === undefined) continue;
      files.push({
        path: found.path,
        logNumber: place.number,
        type: found.archived ? 'archived' : 'alive',
        startSequence,
        sizeBytes: Math.min(found.sizeBytes, limit(place.number)),
      });
    }
    return files;
  }

  *#sizeOf(place: LogPlace): Io<{ path: string; archived: boolean; sizeBytes: number } | undefined> {
    const name = place.path.slice(place.path.lastIndexOf('/') + 1);
    for (const path of new Set([place.path, `${this.#walPath}/${ARCHIVE_DIRECTORY}/${name}`])) {
      try {
        const { size } = yield* statFile(this.#fs, path);
        return { path, archived: place.archived || path !== place.path, sizeBytes: size };
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    return undefined;
  }
}

/** Damage before the first record is passed over: what cannot be read has no sequence. Closes the file. */
function* firstSequence(file: RandomAccessFile, logNumber: number): Io<number> {
  const reader = new LogReader(file, { ...logReaderOptions(logNumber), readSize: LOG_BLOCK_SIZE });
  try {
    for (;;) {
      const step = yield* reader.next();
      if (step === LogStep.end) return 0;
      if (step !== LogStep.record || reader.recordSize < BATCH_HEADER_SIZE) continue;
      const sequence = getFixed64(reader.record(), 0);
      if (sequence <= Number.MAX_SAFE_INTEGER) return sequence;
      throw new DBError('NOT_SUPPORTED', `${reader.path}: sequence numbers of 2^53 and above are not supported`);
    }
  } finally {
    reader.close();
    yield* closeFile(file);
  }
}
