/**
 * The user keys between which a table lies, as views made once for each table: picking a compaction compares those of
 * thousands, and making views took longer than comparing.
 */
import { userKeyOf } from '../base/internal-key.ts';
import type { FileMetadata } from './file-metadata.ts';

/** A closed interval of user keys. The arrays belong to whoever made the tables. */
export interface UserKeyRange {
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

/** Not enumerable: neither copies of the metadata nor messages to workers take it along. */
const RANGE = Symbol('range');

/** The range of `file`. A largest key that is a range-tombstone sentinel counts as inside. */
export function rangeOfFile(file: FileMetadata & { readonly [RANGE]?: UserKeyRange }): UserKeyRange {
  return file[RANGE] ?? noteRange(file);
}

function noteRange(file: FileMetadata): UserKeyRange {
  const value: UserKeyRange = { smallest: userKeyOf(file.smallest), largest: userKeyOf(file.largest) };
  Object.defineProperty(file, RANGE, { value });
  return value;
}
