/** The memtables of one open database, as its `WriteBufferManager` sees them. */
import { runSync } from '../../format/base/io.ts';
import type { BackgroundWork } from '../background/background-work.ts';
import type { ErrorHandler } from '../background/error-handler.ts';
import type { DbContext } from '../options/db-context.ts';
import type { WriteBufferManager, WriteBufferMember } from '../options/write-buffer-manager.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { WritePath } from '../write/write-path.ts';
import type { WriteQueue } from '../write/write-queue.ts';

/** What of a database this works with; an `Engine` is one. */
export interface DatabaseMemoryParts {
  readonly context: DbContext;
  readonly versions: VersionSet;
  readonly errors: ErrorHandler;
  readonly background: BackgroundWork;
  readonly writes: WritePath;
  readonly queue: WriteQueue;
  /** Whether closing has begun. */
  readonly isClosed: boolean;
}

/** One database's part in a manager that it may share with others. */
export class DatabaseMemory implements WriteBufferMember {
  readonly #engine: DatabaseMemoryParts;
  readonly #manager: WriteBufferManager;
  /** Set while a flush that was asked for is queued behind writes. */
  #asked = false;

  constructor(engine: DatabaseMemoryParts, manager: WriteBufferManager) {
    this.#engine = engine;
    this.#manager = manager;
  }

  get activeBytes(): number {
    let sum = 0;
    // An empty memtable has bytes as well, but no flush would free them.
    for (const { active } of this.#engine.versions.families.values()) if (active.entryCount > 0) sum += active.bytes;
    return sum;
  }

  get immutableBytes(): number {
    let sum = 0;
    for (const { immutables } of this.#engine.versions.families.values()) {
      for (const memtable of immutables) sum += memtable.bytes;
    }
    return sum;
  }

  get canFlush(): boolean {
    return this.#engine.errors.error === undefined;
  }

  get canFlushSync(): boolean {
    const { background, isClosed } = this.#engine;
    return this.canFlush && !background.isPaused && !isClosed;
  }

  flushOldest(): void {
    const { queue, writes, context } = this.#engine;
    if (this.#asked || this.#engine.isClosed) return;
    this.#asked = true;
    const settled = (): void => {
      this.#asked = false;
    };
    queue
      .barrier(() => writes.sealOldest())
      .then(settled, (error) => {
        settled();
        context.logger.warn(`memory for other databases could not be freed: ${String(error)}`);
        this.#manager.memoryChanged();
      });
  }

  sealOldestSync(): void {
    const { queue, writes } = this.#engine;
    queue.settleSync();
    runSync(writes.sealOldest());
  }

  flushImmutables(): void {
    const { versions, background } = this.#engine;
    let asked = false;
    for (const family of versions.families.values()) {
      const { immutables } = family;
      if (immutables.length === 0 || family.flushRequested || immutables.some(({ flushing }) => flushing)) continue;
      family.flushRequested = true;
      asked = true;
    }
    if (asked) background.schedule();
  }

  waitSync(): void {
    this.#engine.background.waitSync();
  }

  wake(): void {
    this.#engine.background.wake();
  }
}
