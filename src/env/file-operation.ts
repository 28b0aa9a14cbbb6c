/** How traces, hooks and fault rules name a call of a file system. */

/** The kinds of call; a call and its blocking twin are one kind. */
export type FileOperationKind =
  | 'open-sequential'
  | 'open-random'
  | 'create'
  | 'reopen'
  | 'reuse'
  | 'open-directory'
  | 'read'
  | 'size'
  | 'append'
  | 'sync'
  | 'truncate'
  | 'close'
  | 'directory-sync'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'mkdir'
  | 'rmdir'
  | 'list'
  | 'stat'
  | 'exists'
  | 'lock'
  | 'unlock'
  | 'free-space';

/** All kinds. */
export const FILE_OPERATION_KINDS: readonly FileOperationKind[] = [
  'open-sequential',
  'open-random',
  'create',
  'reopen',
  'reuse',
  'open-directory',
  'read',
  'size',
  'append',
  'sync',
  'truncate',
  'close',
  'directory-sync',
  'rename',
  'link',
  'unlink',
  'mkdir',
  'rmdir',
  'list',
  'stat',
  'exists',
  'lock',
  'unlock',
  'free-space',
];

/** One call. */
export interface FileOperation {
  readonly kind: FileOperationKind;
  readonly path: string;
  /** The new name, of rename, link and reuse. */
  readonly to?: string;
  /** Of reads. */
  readonly offset?: number;
  /** Bytes, of reads and appends; the size, of truncations. */
  readonly length?: number;
}

/** What a database's file is for, told by its name. */
export type FileKind =
  | 'wal'
  | 'table'
  | 'blob'
  | 'manifest'
  | 'current'
  | 'options'
  | 'identity'
  | 'lock'
  | 'log'
  | 'temporary'
  | 'other';

/** The kind of the file at `path`. */
export function fileKindOf(path: string): FileKind {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.endsWith('.dbtmp') || name.endsWith('.tmp')) return 'temporary';
  if (name.endsWith('.log')) return 'wal';
  if (name.endsWith('.sst') || name.endsWith('.ldb')) return 'table';
  if (name.endsWith('.blob')) return 'blob';
  if (name.startsWith('MANIFEST-')) return 'manifest';
  if (name.startsWith('OPTIONS-')) return 'options';
  if (name === 'LOG' || name.startsWith('LOG.old.')) return 'log';
  if (name === 'CURRENT' || name === 'IDENTITY' || name === 'LOCK') return name.toLowerCase() as FileKind;
  return 'other';
}

/** One line of a trace: `12 rename /db/000004.dbtmp -> /db/CURRENT`. */
export function describeOperation(index: number, operation: FileOperation): string {
  const to = operation.to === undefined ? '' : ` -> ${operation.to}`;
  const at = operation.offset === undefined ? '' : ` @${operation.offset}`;
  const length = operation.length === undefined ? '' : ` +${operation.length}`;
  return `${index} ${operation.kind} ${operation.path}${to}${at}${length}`;
}
