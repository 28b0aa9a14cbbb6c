/**
 * The file CURRENT: one line, the name of the MANIFEST in force. It is the root of a database, so a name that is not
 * exactly a MANIFEST's is refused; nothing outside the directory can be named.
 */
import { strictTextOf, utf8 } from '../base/bytes.ts';
import { corruption } from '../base/db-error.ts';
import { manifestFileName, parseFileName } from './file-name.ts';

/** More bytes than any CURRENT file has; enough to read to tell a wrong one. */
export const CURRENT_SIZE_MAX = 256;

/** The MANIFEST that CURRENT names. */
export interface CurrentManifest {
  /** The file's name as it stands there, which may have other leading zeros than ours. */
  readonly name: string;
  readonly number: number;
}

/** The bytes of a CURRENT that names MANIFEST `number`. */
export function encodeCurrent(number: number): Uint8Array {
  return utf8(`${manifestFileName(number)}\n`);
}

/** Reads CURRENT's content; `path` names it in errors, all of which are `CORRUPTION`. */
export function decodeCurrent(content: Uint8Array, path: string): CurrentManifest {
  if (content.length === 0 || content.at(-1) !== 0x0a)
    throw corruption(`${path}: CURRENT file does not end with newline (${content.length} bytes)`);
  const name = content.length > CURRENT_SIZE_MAX ? undefined : strictTextOf(content.subarray(0, -1));
  const parsed = name === undefined ? undefined : parseFileName(name);
  if (parsed?.kind !== 'manifest') throw corruption(`${path}: CURRENT file corrupted: it does not name a MANIFEST`);
  return { name: parsed.name, number: parsed.number };
}
