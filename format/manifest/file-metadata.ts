import { UNKNOWN_CHECKSUM_FUNCTION } from './version-edit-format.ts';

/** A field of a table's MANIFEST record that Pumice does not interpret: kept, and written back as it was. */
export interface ExtraFileField {
  readonly tag: number;
  readonly body: Uint8Array;
}

/** One table file of a version, as the MANIFEST records it. Immutable. */
export interface FileMetadata {
  readonly number: number;
  readonly sizeBytes: number;
  /** Internal keys. The largest may be a range-tombstone sentinel, which is exclusive (`format/README.md`). */
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly smallestSequence: number;
  readonly largestSequence: number;
  /** Unix seconds, 0 unknown. */
  readonly oldestAncestorTime: number;
  readonly fileCreationTime: number;
  /** Whole-file checksum and the function's name; empty and `Unknown` when there is none. */
  readonly checksum: Uint8Array;
  readonly checksumFunction: string;
  readonly pathId: number;
  readonly temperature: number;
  /** RocksDB's "need compaction" hint. */
  readonly markedForCompaction: boolean;
  /** Order of level-0 files in newer RocksDB; `undefined` where the MANIFEST has none. */
  readonly epochNumber: number | undefined;
  /** Whether the MANIFEST gave a sequence range (LevelDB's does not). */
  readonly sequencesKnown: boolean;
  /** The oldest blob file that the table refers to; such databases are refused. */
  readonly oldestBlobFile?: number;
  /** Unique id, tail size and the like, in the order they stood in; only valid for the very file they came with. */
  readonly extraFields?: readonly ExtraFileField[];
}

/** The fields of a table of which nothing more is known than where it lies and what keys it holds. */
export const plainFileFields = {
  checksum: new Uint8Array(0),
  checksumFunction: UNKNOWN_CHECKSUM_FUNCTION,
  pathId: 0,
  temperature: 0,
  markedForCompaction: false,
  epochNumber: undefined,
  sequencesKnown: true,
} as const satisfies Partial<FileMetadata>;
