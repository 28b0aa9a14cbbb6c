/** Coarse, stable kinds of failure; what a caller can act on. */
export type DBErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'CORRUPTION'
  | 'NOT_SUPPORTED'
  | 'IO_ERROR'
  | 'NO_SPACE'
  | 'INCOMPLETE'
  | 'BUSY'
  | 'LOCKED'
  | 'CLOSED'
  | 'READ_ONLY'
  | 'TRY_AGAIN'
  | 'ABORTED'
  | 'EXPIRED'
  | 'MERGE_FAILED'
  | 'COMPACTION_FAILED';

/** How far a failure reaches: `hard` and above stop writes until `resume()` or a reopen. */
export type DBErrorSeverity = 'none' | 'soft' | 'hard' | 'fatal' | 'unrecoverable';

/** Details of a `DBError` beyond its code and message. */
export interface DBErrorDetails {
  severity?: DBErrorSeverity;
  retryable?: boolean;
  cause?: unknown;
}

/**
 * The one error class of Pumice. The message names the file, the offset, what was expected and what was found, where
 * there is one; bytes of the user's keys and values never appear in it unless `allowDataInErrors` is set.
 */
export class DBError extends Error {
  readonly code: DBErrorCode;
  severity: DBErrorSeverity;
  readonly retryable: boolean;

  constructor(code: DBErrorCode, message: string, details: DBErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'DBError';
    this.code = code;
    this.severity = details.severity ?? 'none';
    this.retryable = details.retryable ?? false;
  }
}

/** A `CORRUPTION` error. */
export function corruption(message: string, cause?: unknown): DBError {
  return new DBError('CORRUPTION', message, { cause });
}

/** An `INVALID_ARGUMENT` error. */
export function invalidArgument(message: string, cause?: unknown): DBError {
  return new DBError('INVALID_ARGUMENT', message, { cause });
}

/** The `BUSY` error of a blocking call out of a callback. */
export function wouldWaitForItself(): DBError {
  const message =
    'a blocking call out of a listener or another callback would wait for what called it: ' +
    'use the promise form, or call when the callback has returned';
  return new DBError('BUSY', message, { retryable: true });
}

/** A `NOT_SUPPORTED` error. */
export function notSupported(message: string): DBError {
  return new DBError('NOT_SUPPORTED', message);
}
