/** The options of an ingestion, and how they are checked. */
import { invalidArgument } from '../../../format/base/db-error.ts';
import type { FamilyHandle } from '../read-options.ts';

/** Options of `ingestExternalFile`, by RocksDB's names. */
export interface IngestOptions {
  /** Default: the default family. */
  columnFamily?: FamilyHandle | undefined;
  /** Link the files into the database and remove their old names, instead of copying them. Default false. */
  moveFiles?: boolean | undefined;
  /** With `moveFiles`: copy a file that cannot be linked, from another disk for instance. Default true. */
  failedMoveFallBackToCopy?: boolean | undefined;
  /** Snapshots taken before do not see the files. Default true; false saves a sequence and may place them deeper. */
  snapshotConsistency?: boolean | undefined;
  /** Whether the entries may get a sequence; false: refuse files that need one. Default true. */
  allowGlobalSeqno?: boolean | undefined;
  /** Whether memtables may be flushed; false: refuse files that overlap what is in memory. Default true. */
  allowBlockingFlush?: boolean | undefined;
  /**
   * Write the sequence into the file, too, which only RocksDB before 5.16 needs: the file is then rewritten while writes
   * wait. Default false, as in RocksDB from 8.0 on.
   */
  writeGlobalSeqno?: boolean | undefined;
  /** Read every block and check it before the database refers to a file. Default true. */
  verifyChecksumsBeforeIngest?: boolean | undefined;
  /** Fail with `TRY_AGAIN` where a file cannot go to the last level. Default false. */
  failIfNotBottommostLevel?: boolean | undefined;
}

/** All of them but the family, complete. */
export type ResolvedIngestOptions = Required<Omit<IngestOptions, 'columnFamily'>> &
  Record<keyof Omit<IngestOptions, 'columnFamily'>, boolean>;

const DEFAULTS: ResolvedIngestOptions = {
  moveFiles: false,
  failedMoveFallBackToCopy: true,
  snapshotConsistency: true,
  allowGlobalSeqno: true,
  allowBlockingFlush: true,
  writeGlobalSeqno: false,
  verifyChecksumsBeforeIngest: true,
  failIfNotBottommostLevel: false,
};

/** Completes the options. `INVALID_ARGUMENT` names one that is unknown, no boolean, or contradicts another. */
export function resolveIngestOptions(given: IngestOptions): ResolvedIngestOptions {
  if (typeof given !== 'object' || given === null) throw invalidArgument('ingest options must be an object');
  const result = { ...DEFAULTS };
  for (const [name, value] of Object.entries(given)) {
    if (name === 'columnFamily' || value === undefined) continue;
    if (!Object.hasOwn(DEFAULTS, name)) throw invalidArgument(`${name} is not an ingest option`);
    if (typeof value !== 'boolean') throw invalidArgument(`${name} must be true or false`);
    result[name as keyof ResolvedIngestOptions] = value;
  }
  if (result.writeGlobalSeqno && !result.allowGlobalSeqno) {
    throw invalidArgument('writeGlobalSeqno contradicts allowGlobalSeqno: false');
  }
  return result;
}
