/**
 * Keeps background writes below a rate, so that flushes and compactions leave the device to the foreground. A token
 * bucket: it fills at the rate, holds at most one refill period's worth, and may go into debt for a request that is
 * larger than that; who asks next waits the debt off. Waiters are served in order, flushes before compactions.
 */
import { invalidArgument } from '../../format/base/db-error.ts';
import type { Clock } from './clock.ts';

/** Who asks: flushes go first, for they hold up writers. */
export type RateLimiterPriority = 'high' | 'low';

/** Settings of a `RateLimiter`. */
export interface RateLimiterOptions {
  readonly bytesPerSecond: number;
  readonly clock: Clock;
  /** How much may pass at once after a pause. Default 100 ms' worth, as in RocksDB. */
  readonly refillPeriodMs?: number;
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/** See the head of this file. May be shared by databases. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #refillPeriodMs: number;
  readonly #waiters: Record<RateLimiterPriority, Waiter[]> = { high: [], low: [] };
  #bytesPerSecond: number;
  #available: number;
  #filledMicros: number;
  #totalBytes = 0;
  #timerIsSet = false;

  constructor(options: RateLimiterOptions) {
    this.#clock = options.clock;
    this.#refillPeriodMs = options.refillPeriodMs ?? 100;
    this.#bytesPerSecond = requireRate(options.bytesPerSecond);
    this.#available = this.#burstBytes();
    this.#filledMicros = this.#clock.monotonicMicros();
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** Takes effect at once, for waiters too. `INVALID_ARGUMENT` unless positive. */
  set bytesPerSecond(value: number) {
    this.#fill();
    this.#bytesPerSecond = requireRate(value);
    this.#available = Math.min(this.#available, this.#burstBytes());
  }

  /** Bytes that have passed so far. */
  get totalBytesThrough(): number {
    return this.#totalBytes;
  }

  /** Resolves when `bytes` may be written. */
  request(bytes: number, priority: RateLimiterPriority = 'low'): Promise<void> {
    if (this.#waiters.high.length + this.#waiters.low.length === 0 && this.#take(bytes)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters[priority].push({ bytes, resolve });
      this.#setTimer();
    });
  }

  /** Blocks until `bytes` may be written. Does not queue behind those that wait asynchronously. */
  requestSync(bytes: number): void {
    while (!this.#take(bytes)) this.#clock.sleepSync(this.#waitMs());
  }

  #burstBytes(): number {
    return (this.#bytesPerSecond * this.#refillPeriodMs) / 1000;
  }

  #fill(): void {
    const now = this.#clock.monotonicMicros();
    const earned = ((now - this.#filledMicros) * this.#bytesPerSecond) / 1_000_000;
    this.#available = Math.min(this.#burstBytes(), this.#available + earned);
    this.#filledMicros = now;
  }

  #take(bytes: number): boolean {
    this.#fill();
    if (this.#available <= 0) return false;
    this.#available -= bytes;
    this.#totalBytes += bytes;
    return true;
  }

  /** Until the debt is paid. */
  #waitMs(): number {
    return Math.max(1, Math.ceil((-this.#available * 1000) / this.#bytesPerSecond));
  }

  #setTimer(): void {
    if (this.#timerIsSet) return;
    this.#timerIsSet = true;
    this.#clock.setTimer(this.#waitMs(), () => {
      this.#timerIsSet = false;
      this.#serve();
    });
  }

  #serve(): void {
    for (const queue of [this.#waiters.high, this.#waiters.low]) {
      while (queue.length > 0 && this.#take(queue[0]!.bytes)) queue.shift()!.resolve();
      if (queue.length > 0) break;
    }
    if (this.#waiters.high.length + this.#waiters.low.length > 0) this.#setTimer();
  }
}

function requireRate(bytesPerSecond: number): number {
  if (bytesPerSecond > 0 && Number.isFinite(bytesPerSecond)) return bytesPerSecond;
  throw invalidArgument(`RateLimiter: bytesPerSecond must be a positive number, found ${bytesPerSecond}`);
}
