/**
 * Names of the files in a database directory. Only names of exactly these forms belong to a database; everything else,
 * hostile names included, is not ours to read, rename or delete.
 */

/** What a file holds, told by its name. */
export type FileKind =
  | 'current'
  | 'identity'
  | 'lock'
  | 'infoLog'
  | 'manifest'
  | 'options'
  | 'optionsTemp'
  | 'wal'
  | 'table'
  | 'blob'
  | 'temp';

/** A parsed name. `number` is 0 for kinds without one; for old info logs it is their time in microseconds. */
export interface FileName {
  readonly kind: FileKind;
  readonly number: number;
  readonly name: string;
}

/** Names of the files that exist once. */
export const CURRENT_FILE = 'CURRENT';
export const IDENTITY_FILE = 'IDENTITY';
export const LOCK_FILE = 'LOCK';
export const INFO_LOG_FILE = 'LOG';
/** Folder of obsolete WALs that are kept for readers of updates. */
export const ARCHIVE_DIRECTORY = 'archive';

const unnumbered: ReadonlyMap<string, FileKind> = new Map([
  [CURRENT_FILE, 'current'],
  [IDENTITY_FILE, 'identity'],
  [LOCK_FILE, 'lock'],
  [INFO_LOG_FILE, 'infoLog'],
  ['LOG.old', 'infoLog'],
]);

const numbered: readonly (readonly [RegExp, FileKind])[] = [
  [/^(\d+)\.(?:sst|ldb)$/, 'table'],
  [/^(\d+)\.log$/, 'wal'],
  [/^MANIFEST-(\d+)$/, 'manifest'],
  [/^OPTIONS-(\d+)$/, 'options'],
  [/^OPTIONS-(\d+)\.dbtmp$/, 'optionsTemp'],
  [/^(\d+)\.dbtmp$/, 'temp'],
  [/^(\d+)\.blob$/, 'blob'],
  [/^LOG\.old\.(\d+)$/, 'infoLog'],
];

/** Kind and number of `name`, or `undefined` for a name that is not a database's. Any count of digits is taken. */
export function parseFileName(name: string): FileName | undefined {
  const kind = unnumbered.get(name);
  if (kind !== undefined) return { kind, number: 0, name };
  for (const [pattern, numberedKind] of numbered) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const number = Number(match[1]);
    if (!Number.isSafeInteger(number) || (numberedKind === 'table' && number === 0)) return undefined;
    return { kind: numberedKind, number, name };
  }
  return undefined;
}

function digits(number: number): string {
  return String(number).padStart(6, '0');
}

/** `000009.sst` */
export function tableFileName(number: number): string {
  return `${digits(number)}.sst`;
}

/** `000009.ldb`: how LevelDB names tables; read when the `.sst` is missing, never written. */
export function levelDbTableFileName(number: number): string {
  return `${digits(number)}.ldb`;
}

/** `000008.log` */
export function walFileName(number: number): string {
  return `${digits(number)}.log`;
}

/** `MANIFEST-000005` */
export function manifestFileName(number: number): string {
  return `MANIFEST-${digits(number)}`;
}

/** `OPTIONS-000007` */
export function optionsFileName(number: number): string {
  return `OPTIONS-${digits(number)}`;
}

/** `OPTIONS-000007.dbtmp` */
export function optionsTempFileName(number: number): string {
  return `OPTIONS-${digits(number)}.dbtmp`;
}

/** `000005.dbtmp`: what is renamed to CURRENT, or with number 0 to IDENTITY. */
export function tempFileName(number: number): string {
  return `${digits(number)}.dbtmp`;
}

/** `000012.blob` */
export function blobFileName(number: number): string {
  return `${digits(number)}.blob`;
}

/** `LOG.old.1700000000000000` */
export function oldInfoLogFileName(timeMicros: number): string {
  return `LOG.old.${timeMicros}`;
}
