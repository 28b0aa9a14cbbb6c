/** What a compaction or flush job hands back: the new files and what it took to make them. Plain data. */
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import type { CompactionIteratorCounts } from './compaction-iterator.ts';

/** Sums over one job. */
export interface CompactionStats extends CompactionIteratorCounts {
  readonly micros: number;
  /** Sizes of the input files; 0 for a flush. */
  readonly bytesRead: number;
  /** Sizes of the output files. */
  readonly bytesWritten: number;
  readonly inputFiles: number;
  readonly outputFiles: number;
  readonly inputTombstones: number;
  /** Range tombstones written; one that spans two outputs counts twice. */
  readonly outputTombstones: number;
}

/** Facts about one output that events and statistics show. */
export interface OutputTableFacts {
  readonly number: number;
  readonly numEntries: number;
  readonly numDeletions: number;
  readonly numRangeDeletions: number;
  readonly rawKeySize: number;
  readonly rawValueSize: number;
  readonly dataSize: number;
  readonly indexSize: number;
  readonly filterSize: number;
  /** Time that the sync of the file took, in microseconds. */
  readonly syncMicros: number;
}

/** The outcome. Files are complete, synced and closed; nothing refers to them yet. */
export interface CompactionResult {
  /** In key order. */
  readonly outputs: readonly FileMetadata[];
  readonly facts: readonly OutputTableFacts[];
  readonly stats: CompactionStats;
}
