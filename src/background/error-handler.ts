/**
 * What a failure of the log, the MANIFEST or background work does to a database: from severity `hard` on, writes are refused
 * with it until `resume()` or a reopen. Nothing is swallowed: every failure is logged and told to listeners.
 */
import { DBError, type DBErrorSeverity } from '../../format/base/db-error.ts';
import type { DbContext } from '../options/db-context.ts';

/** Where a failure came from. */
export type ErrorReason = 'flush' | 'compaction' | 'wal' | 'manifest';

const ORDER: readonly DBErrorSeverity[] = ['none', 'soft', 'hard', 'fatal', 'unrecoverable'];

/** How far a failure reaches. */
function severityOf(reason: ErrorReason, error: DBError, paranoid: boolean): DBErrorSeverity {
  if (error.code === 'ABORTED') return 'none';
  if (reason === 'wal' || reason === 'manifest') return 'hard';
  if (error.code === 'CORRUPTION') return paranoid ? 'unrecoverable' : 'soft';
  // A failed compaction leaves its inputs; a failed flush leaves data in memory only, so writes must stop.
  if (reason === 'compaction') return paranoid ? 'hard' : 'soft';
  return 'hard';
}

/** The background error of one database. */
export class ErrorHandler {
  /** Called when writes became refused. */
  onRefusal: (error: DBError) => void = () => {};
  readonly #context: DbContext;
  #error: DBError | undefined;

  constructor(context: DbContext) {
    this.#context = context;
  }

  /** What writes are refused with, or `undefined`. */
  get error(): DBError | undefined {
    return this.#error;
  }

  /** Takes a failure in; returns it as a `DBError` with its severity. */
  report(reason: ErrorReason, cause: unknown): DBError {
    const code = cause instanceof DBError ? cause.code : 'IO_ERROR';
    const message = cause instanceof Error ? cause.message : String(cause);
    const retryable = cause instanceof DBError ? cause.retryable : false;
    const error = new DBError(code, message, { cause: cause instanceof DBError ? cause.cause : cause, retryable });
    error.severity = severityOf(reason, error, this.#context.options.paranoidChecks);
    if (error.severity === 'none') return error;
    this.#context.statistics?.count('rocksdb.error.handler.bg.errro.count');
    if (code === 'IO_ERROR' || code === 'NO_SPACE') {
      this.#context.statistics?.count('rocksdb.error.handler.bg.io.errro.count');
    }
    this.#context.logger.error(`Background error (${reason}, severity ${error.severity}): ${error.code}: ${message}`);
    this.#context.notify('onBackgroundError', { reason, error });
    if (ORDER.indexOf(error.severity) < ORDER.indexOf('hard')) return error;
    if (this.#error === undefined || ORDER.indexOf(error.severity) > ORDER.indexOf(this.#error.severity)) {
      this.#error = error;
    }
    this.onRefusal(this.#error);
    return error;
  }

  /** Forgets the error, for `resume`. Throws it when nothing but a reopen helps. */
  clear(): void {
    if (this.#error === undefined) return;
    if (this.#error.severity === 'unrecoverable') throw this.#error;
    this.#error = undefined;
  }
}
