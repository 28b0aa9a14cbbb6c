/**
 * Finds iterators and snapshots that their users forgot: those that are garbage-collected without `close()` or `release()`,
 * and those that are open when the database closes. Each is told of in LOG and as a warning of the process, with the stack that
 * made it. A stack and a finalizer a handle cost tens of microseconds, so there is a tracker only where one is asked for.
 */
/** What can be forgotten. */
export type HandleKind = 'iterator' | 'snapshot';

const CODES = { iterator: 'PUMICE_ITERATOR_LEAK', snapshot: 'PUMICE_SNAPSHOT_LEAK' } as const;
const ENDINGS = { iterator: 'close()', snapshot: 'release()' } as const;

/** One open handle; must not refer to it, or it would never be collected. */
export interface TrackedHandle {
  readonly kind: HandleKind;
  /** Where it was made. */
  readonly stack: string;
  /** Gives back what the handle kept. */
  readonly free: () => void;
}

/** The open handles of one database. */
export class LeakTracker {
  readonly #open = new Set<TrackedHandle>();
  readonly #registry: FinalizationRegistry<TrackedHandle>;
  readonly #path: string;
  readonly #report: (message: string, code: string, stack: string) => void;

  /** `path` names the database in what `report` is told. */
  constructor(path: string, report: (message: string, code: string, stack: string) => void) {
    this.#path = path;
    this.#report = report;
    this.#registry = new FinalizationRegistry((tracked) => {
      if (!this.#open.delete(tracked)) return;
      this.#warn(tracked, 'was garbage-collected');
      tracked.free();
    });
  }

  /** Notes a handle until `forget`; if it is collected before, `free` is called. REQUIRES that `free` does not refer to it. */
  track(kind: HandleKind, handle: object, free: () => void): TrackedHandle {
    const trace: { stack?: string } = {};
    Error.captureStackTrace(trace, this.track);
    // Text at once: until it is made, a stack keeps the receivers of its calls alive, and those may well hold the handle.
    const tracked = { kind, stack: (trace.stack ?? '').split('\n').slice(1).join('\n'), free };
    this.#open.add(tracked);
    this.#registry.register(handle, tracked, tracked);
    return tracked;
  }

  /** The handle was closed as it should be. */
  forget(tracked: TrackedHandle): void {
    this.#open.delete(tracked);
    this.#registry.unregister(tracked);
  }

  /** The database closes: tells of every handle that is open. */
  close(): void {
    for (const tracked of [...this.#open]) {
      this.forget(tracked);
      this.#warn(tracked, 'was open when the database was closed');
    }
  }

  #warn({ kind, stack }: TrackedHandle, what: string): void {
    const article = kind === 'iterator' ? 'An iterator' : 'A snapshot';
    const message = `${article} of ${this.#path} ${what}, without ${ENDINGS[kind]}. It was created here:`;
    this.#report(message, CODES[kind], stack);
  }
}
