/** Errors as the text of RocksDB's `Status`, which is what scripts around its tools look for. */
import { DBError, type DBErrorCode } from '../../format/base/db-error.ts';
import { errnoOf } from '../../src/env/file-error.ts';

const KINDS: Readonly<Record<DBErrorCode, string>> = {
  INVALID_ARGUMENT: 'Invalid argument',
  NOT_FOUND: 'NotFound',
  CORRUPTION: 'Corruption',
  NOT_SUPPORTED: 'Not implemented',
  IO_ERROR: 'IO error',
  NO_SPACE: 'IO error: No space left on device',
  INCOMPLETE: 'Result incomplete',
  BUSY: 'Resource busy',
  LOCKED: 'IO error',
  CLOSED: 'Shutdown in progress',
  READ_ONLY: 'Not implemented',
  TRY_AGAIN: 'Operation failed. Try again.',
  ABORTED: 'Operation aborted',
  EXPIRED: 'Operation expired',
  MERGE_FAILED: 'Corruption: Merge operator failed',
  COMPACTION_FAILED: 'Operation aborted: Compaction failed',
};

/** One line: RocksDB's word for the kind of error, then what happened. */
export function statusText(error: unknown): string {
  if (!(error instanceof DBError)) return oneLine(error instanceof Error ? error.message : String(error));
  const missing = errnoOf(error) === 'ENOENT' ? ': No such file or directory' : '';
  return oneLine(`${KINDS[error.code]}${missing}: ${withoutErrno(error.message)}`);
}

/** RocksDB's messages end in the system's text, without the name of the error number. */
function withoutErrno(message: string): string {
  return message.replace(/ \(E[A-Z0-9]+\)$/, '');
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}
