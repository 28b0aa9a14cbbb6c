/**
 * The list of a backup's files, as RocksDB writes it to `meta/<id>`: lines of text, time, sequence, an optional note, the
 * number of files, and one line for each with its checksum. Whoever can write to the directory can write anything here,
 * so only paths of exactly RocksDB's forms are taken: nothing outside the backup is read, nothing but a database's own
 * names is written.
 */
import { fromHex, strictTextOf, toHex, utf8 } from '../../../format/base/bytes.ts';
import { corruption, type DBError, notSupported } from '../../../format/base/db-error.ts';
import { parseFileName } from '../../../format/manifest/file-name.ts';

/** More than the list of a million files. */
export const BACKUP_META_SIZE_MAX = 128 << 20;

/** Folder of tables, shared by the backups that need them. */
export const SHARED_DIRECTORY = 'shared_checksum';
/** Folder of the lists of files. */
export const META_DIRECTORY = 'meta';
/** Folder of what belongs to one backup, one folder each. */
export const PRIVATE_DIRECTORY = 'private';

/** One file of a backup. */
export interface BackupFile {
  /** Relative to the backup directory, with `/`. */
  path: string;
  /** The name it had in the database. */
  name: string;
  /** CRC-32C of its bytes; `undefined`: the list has none. */
  checksum: number | undefined;
  /** As its name says, `undefined` where it does not. */
  sizeBytes: number | undefined;
}

/** The content of a list. */
export interface BackupMeta {
  id: number;
  /** Unix seconds. */
  timestamp: number;
  sequence: number;
  /** The note that was given with the backup. */
  metadata: string;
  files: BackupFile[];
}

const sharedWithChecksum = /^shared_checksum\/(\d{1,16})_(?:s[0-9A-Za-z]{1,64}|\d{1,10})(?:_(\d{1,16}))?\.(sst|ldb)$/;
const sharedPlain = /^shared\/(\d{1,16})\.(sst|ldb)$/;
const privateFile = /^private\/(\d{1,16})\/([^/]+)$/;
const privateKinds: ReadonlySet<string> = new Set(['current', 'manifest', 'options', 'wal', 'table']);

/** The number of a list's file name; `undefined` for other names. */
export function parseBackupId(name: string): number | undefined {
  const id = /^[1-9]\d{0,15}$/.test(name) ? Number(name) : undefined;
  return id !== undefined && Number.isSafeInteger(id) ? id : undefined;
}

/** What `path` in the list of backup `id` is; `undefined` when no backup has such a file. */
export function parseBackupPath(path: string, id: number): Omit<BackupFile, 'checksum'> | undefined {
  const shared = sharedWithChecksum.exec(path) ?? sharedPlain.exec(path);
  if (shared !== null) {
    const name = `${shared[1]}.${shared[shared.length - 1]}`;
    const size = shared.length === 4 && shared[2] !== undefined ? Number(shared[2]) : undefined;
    return parseFileName(name)?.kind === 'table' ? { path, name, sizeBytes: size } : undefined;
  }
  const own = privateFile.exec(path);
  if (own === null || Number(own[1]) !== id) return undefined;
  const kind = parseFileName(own[2]!)?.kind;
  return kind !== undefined && privateKinds.has(kind) ? { path, name: own[2]!, sizeBytes: undefined } : undefined;
}

/** The text of a list. */
export function encodeBackupMeta(meta: BackupMeta): Uint8Array {
  const lines = [String(meta.timestamp), String(meta.sequence)];
  if (meta.metadata !== '') lines.push(`metadata ${toHex(utf8(meta.metadata)).toUpperCase()}`);
  lines.push(String(meta.files.length));
  for (const { path, checksum } of meta.files) lines.push(checksum === undefined ? path : `${path} crc32 ${checksum}`);
  return utf8(`${lines.join('\n')}\n`);
}

/** Reads a list; `source` names it in errors. `CORRUPTION` when it is malformed or names what no backup has. */
export function decodeBackupMeta(content: Uint8Array, id: number, source: string): BackupMeta {
  const text = strictTextOf(content);
  if (text?.endsWith('\n') !== true) throw corruption(`${source}: expected lines of text that end with a newline`);
  const lines = text.slice(0, -1).split('\n');
  if (lines[0]!.startsWith('schema_version ')) {
    throw notSupported(`${source}: ${JSON.stringify(lines[0]!.slice(0, 40))} of backup metadata is not supported`);
  }
  let at = 0;
  const number = (what: string): number => {
    const line = lines[at++];
    if (line === undefined || !/^\d{1,16}$/.test(line) || !Number.isSafeInteger(Number(line))) {
      throw bad(source, at, `expected the ${what}`, line);
    }
    return Number(line);
  };
  const timestamp = number('time');
  const sequence = number('sequence');
  const metadata = lines[at]?.startsWith('metadata ') === true ? decodeNote(lines[at++]!, source, at) : '';
  const count = number('number of files');
  if (lines.length - at !== count) {
    throw corruption(`${source}: expected ${count} files, found ${lines.length - at} lines`);
  }
  const names = new Set<string>();
  const files = lines.slice(at).map((line, i) => {
    const file = decodeFile(line, id);
    if (file === undefined) throw bad(source, at + i + 1, 'expected a file of the backup', line);
    if (names.has(file.name)) throw bad(source, at + i + 1, 'a name that stands twice', line);
    names.add(file.name);
    return file;
  });
  return { id, timestamp, sequence, metadata, files };
}

function decodeFile(line: string, id: number): BackupFile | undefined {
  const [path, kind, value, ...rest] = line.split(' ');
  const parsed = parseBackupPath(path!, id);
  if (parsed === undefined || rest.length > 0) return undefined;
  if (kind === undefined) return { ...parsed, checksum: undefined };
  if (kind !== 'crc32' || value === undefined || !/^\d{1,10}$/.test(value)) return undefined;
  const checksum = Number(value);
  return checksum <= 0xffffffff ? { ...parsed, checksum } : undefined;
}

function decodeNote(line: string, source: string, lineNumber: number): string {
  const hex = line.slice('metadata '.length);
  const text = /^(?:[0-9A-Fa-f]{2})*$/.test(hex) ? strictTextOf(fromHex(hex)) : undefined;
  if (text === undefined) throw bad(source, lineNumber, 'expected hexadecimal text', line);
  return text;
}

function bad(source: string, lineNumber: number, what: string, line: string | undefined): DBError {
  const found = line === undefined ? 'the end' : JSON.stringify(line.slice(0, 200));
  return corruption(`${source}: line ${lineNumber}: ${what}, found ${found}`);
}
