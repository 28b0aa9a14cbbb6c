/** Opens a database to look at it: without lock, without a change to any file. */
import { resolve } from 'node:path';
import { DB } from '../../src/index.ts';

/** A database that is only looked at. `close` it. Errors are those of `DB.open`. */
export function openToLook(path: string): Promise<DB> {
  return DB.open(resolve(path), { readOnly: true });
}

/** Names of its column families, in the order they were made. */
export function familyNames(path: string): Promise<string[]> {
  return DB.listColumnFamilies(resolve(path));
}
