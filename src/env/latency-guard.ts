/**
 * Decides whether a short read or append may be made in place on the event loop's thread. A call that the page cache
 * serves takes a few microseconds, and a trip to libuv's pool 30 to 100: so calls are made in place while they are
 * fast. The first that takes longer than a millisecond (a cold page, a device that throttles writers) sends its kind to
 * the pool for the next second: the loop stalls at most once a second for one call.
 */

const SLOW_MS = 1;
const PENALTY_MS = 1000;

/** Larger transfers always go to the pool: copying alone takes too long. */
export const IN_PLACE_BYTES_MAX = 256 * 1024;

/** The guard of one kind of call. Times are `performance.now()` milliseconds. */
export class LatencyGuard {
  #slowUntilMs = 0;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The time to pass to `record` when a transfer of `bytes` may be made in place now; a negative number when not. */
  start(bytes: number): number {
    if (bytes > IN_PLACE_BYTES_MAX) return -1;
    const now = this.#now();
    return now < this.#slowUntilMs ? -1 : now;
  }

  /** Tells how the call that began at `startMs` went. */
  record(startMs: number): void {
    const now = this.#now();
    if (now - startMs > SLOW_MS) this.#slowUntilMs = now + PENALTY_MS;
  }
}
