/** What every part of one open database shares: where its files are and the doors to disk, time and log. Constant while open. */
import type { Clock } from '../env/clock.ts';
import type { FileSystem } from '../env/file-system.ts';
import { warnProcess } from '../env/host.ts';
import type { Logger } from '../env/logger.ts';
import { type EventListener, notify } from '../monitoring/event-listener.ts';
import { LeakTracker } from '../monitoring/leak-tracker.ts';
import type { Statistics } from '../monitoring/statistics.ts';
import { WorkTotals } from '../monitoring/work-totals.ts';
import { WriteTotals } from '../monitoring/write-totals.ts';
import type { DbOptions } from './resolved-options.ts';

/** The shared surroundings of one database. */
export class DbContext {
  readonly path: string;
  /** Where logs lie; `path` unless `walDir` was given. */
  readonly walPath: string;
  readonly options: DbOptions;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly statistics: Statistics | undefined;
  /** Finds forgotten handles, with `trackLeaks`. */
  readonly leaks: LeakTracker | undefined;
  /** What background work has done. */
  readonly totals = new WorkTotals();
  readonly writeTotals = new WriteTotals();
  /** Work of ours on the stack that calls components of the user. */
  #callsOut = 0;
  /** Monotonic microseconds at the open. */
  readonly openedAtMicros: number;
  readonly #listeners: readonly EventListener[];
  /** Replaced once LOG is open. */
  logger: Logger;

  constructor(path: string, options: DbOptions, logger: Logger) {
    this.path = path;
    this.walPath = options.walDir ?? path;
    this.options = options;
    this.fs = options.env.fileSystem;
    this.clock = options.env.clock;
    this.openedAtMicros = this.clock.monotonicMicros();
    this.statistics = options.statistics;
    this.logger = logger;
    this.leaks = options.trackLeaks ? new LeakTracker(path, (...leak) => this.#warnOfLeak(...leak)) : undefined;
    this.#listeners = [this.totals, ...options.listeners];
  }

  /** Unix seconds. */
  nowSeconds(): number {
    return Math.floor(this.clock.nowMillis() / 1000);
  }

  #warnOfLeak(message: string, code: string, stack: string): void {
    this.logger.warn(`${message}\n${stack}`);
    warnProcess(message, code, stack);
  }

  /** Tells every listener; one that throws is logged and ignored. */
  notify<K extends keyof EventListener>(method: K, event: Parameters<NonNullable<EventListener[K]>>[0]): void {
    const onFailure = (error: unknown): void => this.logger.error(`listener ${method} threw: ${String(error)}`);
    this.callOut(() => notify(this.#listeners, method, event, onFailure));
  }

  /** Does `work`, which calls listeners, filters or operators of the user; what these call back must not come in between. */
  callOut<T>(work: () => T): T {
    this.#callsOut++;
    try {
      return work();
    } finally {
      this.#callsOut--;
    }
  }

  /** Whether the caller may have been called by `callOut`. */
  get isCallingOut(): boolean {
    return this.#callsOut > 0;
  }

  /** One `EVENT_LOG_v1` line. Never holds bytes of the user. */
  logEvent(event: string, details: Record<string, unknown>): void {
    this.logger.info(`EVENT_LOG_v1 ${JSON.stringify({ time_micros: this.clock.nowMicros(), ...details, event })}`);
  }
}
