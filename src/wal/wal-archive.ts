/**
 * The archive: where logs go that recovery no longer needs, for readers of updates that have fallen behind. A log leaves
 * it when it is older than `walTtlSeconds`, or when the archive holds more than `walSizeLimitMB`, the oldest first;
 * either limit alone suffices, a limit of 0 is none. Who reads an archived log keeps it open and can finish it; the next
 * one may be gone then, which the reader is told.
 */
import type { Io } from '../../format/base/io.ts';
import { ARCHIVE_DIRECTORY, parseFileName } from '../../format/manifest/file-name.ts';
import { isNotFound } from '../env/file-error.ts';
import { createDirectories, listDirectory, renameFile, statFile, unlinkIfPresent } from '../env/file-operations.ts';
import type { DbContext } from '../options/db-context.ts';

const BYTES_PER_MB = 1024 * 1024;

interface ArchivedLog {
  number: number;
  path: string;
  sizeBytes: number;
  /** Milliseconds since 1970. */
  archivedAtMs: number;
}

/** The archive of one database. */
export class WalArchive {
  readonly #context: DbContext;
  /** When logs were archived by this run, by number; for older ones the file's time of modification stands in. */
  readonly #archivedAtMs = new Map<number, number>();

  constructor(context: DbContext) {
    this.#context = context;
  }

  /** Whether logs are archived rather than deleted. */
  get enabled(): boolean {
    const { walTtlSeconds, walSizeLimitMB } = this.#context.options;
    return walTtlSeconds > 0 || walSizeLimitMB > 0;
  }

  get path(): string {
    return `${this.#context.walPath}/${ARCHIVE_DIRECTORY}`;
  }

  /** Moves log `number`, called `name`, into the archive. One that is gone already is none of the archive's business. */
  *add(number: number, name: string): Io<void> {
    const { fs, walPath, clock } = this.#context;
    yield* createDirectories(fs, this.path);
    try {
      yield* renameFile(fs, `${walPath}/${name}`, `${this.path}/${name}`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return;
    }
    this.#archivedAtMs.set(number, clock.nowMillis());
  }

  /** Deletes what the limits do not allow. Returns the milliseconds after which more falls due; `undefined`: never by itself. */
  *prune(): Io<number | undefined> {
    const { options, clock, fs, logger } = this.#context;
    const ttlMs = options.walTtlSeconds * 1000;
    const limitBytes = options.walSizeLimitMB * BYTES_PER_MB;
    const logs = yield* this.#list();
    let bytes = logs.reduce((sum, log) => sum + log.sizeBytes, 0);
    let nextMs: number | undefined;
    for (const log of logs) {
      const ageMs = clock.nowMillis() - log.archivedAtMs;
      const expired = ttlMs > 0 && ageMs >= ttlMs;
      const excess = limitBytes > 0 && bytes > limitBytes;
      if (expired || excess) {
        yield* unlinkIfPresent(fs, log.path);
        this.#archivedAtMs.delete(log.number);
        bytes -= log.sizeBytes;
        logger.info(`Deleted archived log ${log.number}: ${expired ? 'walTtlSeconds' : 'walSizeLimitMB'}`);
      } else if (ttlMs > 0) {
        nextMs = Math.min(nextMs ?? Number.POSITIVE_INFINITY, ttlMs - ageMs);
      }
    }
    return nextMs;
  }

  /** Ascending by number, which is by age. */
  *#list(): Io<ArchivedLog[]> {
    const { fs } = this.#context;
    const logs: ArchivedLog[] = [];
    let names: string[];
    try {
      names = yield* listDirectory(fs, this.path);
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
    for (const name of names) {
      const parsed = parseFileName(name);
      if (parsed?.kind !== 'wal') continue;
      const path = `${this.path}/${name}`;
      const { size, modifiedMicros } = yield* statFile(fs, path);
      const archivedAtMs = this.#archivedAtMs.get(parsed.number) ?? Math.floor(modifiedMicros / 1000);
      logs.push({ number: parsed.number, path, sizeBytes: size, archivedAtMs });
    }
    return logs.sort((a, b) => a.number - b.number);
  }
}
