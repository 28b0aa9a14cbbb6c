/** Errors as users of abstract-level databases know them: a `LEVEL_…` code, and the engine's own error as its cause. */
import { DBError, type DBErrorCode } from '../../../format/base/db-error.ts';

const CODES: Partial<Record<DBErrorCode, string>> = {
  INVALID_ARGUMENT: 'LEVEL_INVALID_ARGUMENT',
  NOT_FOUND: 'LEVEL_NOT_FOUND',
  CORRUPTION: 'LEVEL_CORRUPTION',
  NOT_SUPPORTED: 'LEVEL_NOT_SUPPORTED',
  IO_ERROR: 'LEVEL_IO_ERROR',
  NO_SPACE: 'LEVEL_IO_ERROR',
  LOCKED: 'LEVEL_LOCKED',
  CLOSED: 'LEVEL_DATABASE_NOT_OPEN',
  READ_ONLY: 'LEVEL_READONLY',
};

/** An error with a code of abstract-level's kind. */
export class LevelError extends Error {
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = code === 'LEVEL_ABORTED' ? 'AbortError' : 'LevelError';
    this.code = code;
  }
}

/** `error` as users of abstract-level expect it; what is not the engine's stays as it is. */
export function levelError(error: unknown): unknown {
  if (!(error instanceof DBError)) return error;
  return new LevelError(CODES[error.code] ?? `LEVEL_${error.code}`, error.message, error);
}

/** The result of `operation`, its failure turned into a `LevelError`. */
export async function asLevel<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw levelError(error);
  }
}

/** The same for a blocking call. */
export function asLevelSync<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw levelError(error);
  }
}
