/** Short ways to write down tables and edits. */
import { utf8 } from '../../../format/base/bytes.ts';
import { makeInternalKey, ValueType } from '../../../format/base/internal-key.ts';
import type { FileMetadata } from '../../../format/manifest/file-metadata.ts';
import { emptyEdit, type VersionEdit } from '../../../format/manifest/version-edit.ts';

/** A table from key `smallest`#`low` to `largest`#`high`. */
export function table(
  number: number,
  smallest: string,
  largest: string,
  low = number * 10,
  high = low + 9,
): FileMetadata {
  return {
    number,
    sizeBytes: number * 100,
    smallest: makeInternalKey(utf8(smallest), high, ValueType.value),
    largest: makeInternalKey(utf8(largest), low, ValueType.value),
    smallestSequence: low,
    largestSequence: high,
    oldestAncestorTime: 0,
    fileCreationTime: 0,
    checksum: new Uint8Array(0),
    checksumFunction: 'Unknown',
    pathId: 0,
    temperature: 0,
    markedForCompaction: false,
    epochNumber: undefined,
    sequencesKnown: true,
  };
}

/** An edit that adds tables to levels. */
export function adding(...files: [level: number, file: FileMetadata][]): VersionEdit {
  return { ...emptyEdit(), newFiles: files.map(([level, file]) => ({ level, file })) };
}

/** An edit that deletes tables by level and number. */
export function deleting(...files: [level: number, number: number][]): VersionEdit {
  return { ...emptyEdit(), deletedFiles: files.map(([level, number]) => ({ level, number })) };
}
