/** What a traced point lookup tells of its way. */
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';

/** Called by `PointLookup` as it goes. No call may keep or change anything of the lookup. */
export interface LookupTrace {
  /** A memtable was searched: 0 is the active one. */
  memtable(index: number): void;
  /** A table whose range holds the key is searched next. */
  enterTable(file: FileMetadata, level: number): void;
  /** The table had to be opened first. */
  openTable(file: FileMetadata): void;
  /** A step of the search in the table begins, and has ended; nothing else runs between the two. */
  beforeStep(): void;
  afterStep(): void;
  /** Something of the table was not at hand and is read from its file. */
  loadBlock(file: FileMetadata): void;
  /** A version of the key was found in what was named last. */
  version(type: number, sequence: number): void;
}
