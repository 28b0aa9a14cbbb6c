/** Turns failures of the system into `DBError`s, and tells them apart again. */
import { DBError, type DBErrorCode } from '../../format/base/db-error.ts';

/** What the system calls the failures we expect; others keep the system's own text. */
const ERRNO_TEXT: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EAGAIN: 'Resource temporarily unavailable',
  EBADF: 'Bad file descriptor',
  EBUSY: 'Device or resource busy',
  EDQUOT: 'Disk quota exceeded',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  EMLINK: 'Too many links',
  ENAMETOOLONG: 'File name too long',
  ENFILE: 'Too many open files in system',
  ENOENT: 'No such file or directory',
  ENOLCK: 'No locks available',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
  EXDEV: 'Invalid cross-device link',
};

/** Conditions that pass by themselves or once somebody frees what ran out. */
const RETRYABLE = new Set(['EAGAIN', 'EBUSY', 'EDQUOT', 'EINTR', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'ETIMEDOUT']);

/** A failure as the system reports it; also made by file systems that have no system below them. */
export interface SystemError extends Error {
  readonly code: string;
}

/** An error with the errno name `code`, as node:fs would throw it. */
export function systemError(code: string): SystemError {
  return Object.assign(new Error(`${code}: ${ERRNO_TEXT[code] ?? code}`), { code });
}

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

function dbCodeOf(errno: string | undefined): DBErrorCode {
  return errno === 'ENOSPC' || errno === 'EDQUOT' ? 'NO_SPACE' : 'IO_ERROR';
}

/**
 * `While <operation>: <path>: <text of the system>`, RocksDB's own wording. A `DBError` is passed on as it is.
 * `IO_ERROR`, or `NO_SPACE` for ENOSPC and EDQUOT; `retryable` where waiting can help.
 */
export function fileError(operation: string, path: string, cause: unknown): DBError {
  if (cause instanceof DBError) return cause;
  const errno = codeOf(cause);
  const text = (errno === undefined ? undefined : ERRNO_TEXT[errno]) ?? (cause instanceof Error ? cause.message : '');
  const suffix = errno === undefined ? '' : ` (${errno})`;
  const retryable = errno !== undefined && RETRYABLE.has(errno);
  return new DBError(dbCodeOf(errno), `While ${operation}: ${path}: ${text}${suffix}`, { cause, retryable });
}

/** The errno name (`ENOENT`, `EIO`, …) that a file system's failure carries, or `undefined`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof DBError ? codeOf(error.cause) : codeOf(error);
}

/** Whether the failure is that there is no such file or directory. */
export function isNotFound(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT';
}

/** Whether the failure is that the name is taken. */
export function isAlreadyExists(error: unknown): boolean {
  return errnoOf(error) === 'EEXIST';
}

/** The failure of using a handle after its close. */
export function closedError(path: string): DBError {
  return new DBError('CLOSED', `File is closed: ${path}`);
}

/** The failure of every append and sync after the first that failed; `first` is that one. */
export function poisonedError(path: string, first: unknown): DBError {
  return new DBError('IO_ERROR', `An earlier append or sync failed, the file must not be used again: ${path}`, {
    cause: first,
  });
}
