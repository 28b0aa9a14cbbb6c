/**
 * The user keys between which a table lies, as views made once for each table: picking a compaction compares those of
 * thousands, and making views took longer than comparing.
 */
import { userKeyOf } from '../base/internal-key.ts';
import type { FileMetadata } from './file-metadata.ts';

/** User keys, borrowed from the table's metadata. Both are inside, but for a sentinel as largest key. */
export interface FileRange {
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

/** Not enumerable: neither copies of the metadata nor messages to workers take it along. */
const RANGE = Symbol('range');

/** The range of `file`. */
export function rangeOfFile(file: FileMetadata & { readonly [RANGE]?: FileRange }): FileRange {
  return file[RANGE] ?? noteRange(file);
}

function noteRange(file: FileMetadata): FileRange {
  const value: FileRange = { smallest: userKeyOf(file.smallest), largest: userKeyOf(file.largest) };
  Object.defineProperty(file, RANGE, { value });
  return value;
}
