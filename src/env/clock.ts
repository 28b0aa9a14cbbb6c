/** Time. The engine asks a `Clock`, never the system, so that tests own time. */

/** A pending call. */
export interface Timer {
  /** Idempotent; does nothing after the timer fired. */
  cancel(): void;
}

/** What the engine knows of time. */
export interface Clock {
  /** Wall time, microseconds since 1970; exact integers until the year 2255. May jump. */
  nowMicros(): number;
  /** Wall time, milliseconds since 1970. */
  nowMillis(): number;
  /** Microseconds since an arbitrary point, fractions included; never goes back. For durations. */
  monotonicMicros(): number;
  /** Calls `callback` once, not before `delayMs` from now. Keeps the process alive only with `keepAlive`. */
  setTimer(delayMs: number, callback: () => void, keepAlive?: boolean): Timer;
  /** Blocks this thread, for the stalls of blocking writers. */
  sleepSync(delayMs: number): void;
}

/** The clock of the machine. */
export class SystemClock implements Clock {
  /** Wall time minus monotonic time when last compared; wall time then has microseconds, which Date.now() lacks. */
  #originMs = performance.timeOrigin;

  nowMicros(): number {
    const exactMs = this.#originMs + performance.now();
    const wallMs = Date.now();
    // The two clocks part when the wall clock is set or slewed; more than a tick apart, follow the wall.
    if (Math.abs(exactMs - wallMs) > 2) this.#originMs += wallMs - exactMs;
    return Math.floor((this.#originMs + performance.now()) * 1000);
  }

  nowMillis(): number {
    return Date.now();
  }

  monotonicMicros(): number {
    return performance.now() * 1000;
  }

  setTimer(delayMs: number, callback: () => void, keepAlive = false): Timer {
    const handle = setTimeout(callback, delayMs);
    if (!keepAlive) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  }

  sleepSync(delayMs: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
  }
}

interface ManualTimer {
  readonly dueMicros: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told; timers fire inside `advance`, in order of their time. */
export class ManualClock implements Clock {
  #micros: number;
  #order = 0;
  #timers: ManualTimer[] = [];
  readonly #startMicros: number;

  constructor(startMicros = 1_700_000_000_000_000) {
    this.#micros = startMicros;
    this.#startMicros = startMicros;
  }

  nowMicros(): number {
    return this.#micros;
  }

  nowMillis(): number {
    return Math.floor(this.#micros / 1000);
  }

  monotonicMicros(): number {
    return this.#micros - this.#startMicros;
  }

  /** Timers that have not fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { dueMicros: this.#micros + Math.max(0, delayMs) * 1000, order: this.#order++, callback };
    this.#timers.push(timer);
    this.#timers.sort((a, b) => a.dueMicros - b.dueMicros || a.order - b.order);
    return { cancel: () => void (this.#timers = this.#timers.filter((t) => t !== timer)) };
  }

  sleepSync(delayMs: number): void {
    this.advance(delayMs);
  }

  /** Moves time forward and fires what falls due, including timers that those calls set. */
  advance(delayMs: number): void {
    const target = this.#micros + Math.round(delayMs * 1000);
    for (let next = this.#timers[0]; next !== undefined && next.dueMicros <= target; next = this.#timers[0]) {
      this.#timers.shift();
      this.#micros = Math.max(this.#micros, next.dueMicros);
      next.callback();
    }
    this.#micros = Math.max(this.#micros, target);
  }
}

/** Resolves after `delayMs` of the clock. Without another reason to live the process may end first. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(delayMs, resolve));
}
