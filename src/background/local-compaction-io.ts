/** A job's view of files on the opening thread: tables through the table cache, numbers from the version set. */
import type { CompactionIo, InputTable, OutputFile } from '../../compaction/compaction-io.ts';
import { DBError } from '../../format/base/db-error.ts';
import { type Io, noIo } from '../../format/base/io.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { tableFileName } from '../../format/manifest/file-name.ts';
import type { TableCache, TableOpening } from '../cache/table-cache.ts';
import { createFresh, unlinkIfPresent } from '../env/file-operations.ts';
import type { DbContext } from '../options/db-context.ts';
import type { VersionSet } from '../version/version-set.ts';
import { eventLoopTurn } from './event-loop-turn.ts';

/** What a local job works with. */
export interface LocalIoParts {
  context: DbContext;
  versions: VersionSet;
  tables: TableCache;
  opening: TableOpening;
  /** True when the job should stop: the database closes, or its family was dropped. */
  isCancelled: () => boolean;
}

/** Files and time for one job. */
export class LocalCompactionIo implements CompactionIo {
  readonly #parts: LocalIoParts;

  constructor(parts: LocalIoParts) {
    this.#parts = parts;
  }

  *openInput(file: FileMetadata): Io<InputTable> {
    const { tables, opening } = this.#parts;
    const reader = yield* tables.open(file, opening);
    const release = tables.pin(file.number);
    return { reader, release: () => release?.() };
  }

  *createOutput(): Io<OutputFile> {
    const { context, versions } = this.#parts;
    const number = versions.newFileNumber();
    const file = yield* createFresh(context.fs, `${context.path}/${tableFileName(number)}`);
    return { number, file };
  }

  *removeOutput(number: number): Io<void> {
    const { context } = this.#parts;
    const path = `${context.path}/${tableFileName(number)}`;
    try {
      yield* unlinkIfPresent(context.fs, path);
    } catch (error) {
      context.logger.warn(`Cannot remove the unfinished table ${path}: ${(error as Error).message}`);
    }
  }

  nowMicros(): number {
    return this.#parts.context.clock.monotonicMicros();
  }

  throttle(): Io<void> {
    return noIo();
  }

  /** The event loop turns once; a caller that blocks just goes on. */
  rest(): Io<void> {
    return eventLoopTurn();
  }

  checkCancelled(): void {
    if (this.#parts.isCancelled()) throw new DBError('ABORTED', 'the job was cancelled');
  }

  progress(): void {}
}
