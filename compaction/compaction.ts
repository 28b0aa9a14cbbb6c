/**
 * A compaction as plain data: which files go in, where the output goes and the rules it is cut by. Pickers make it, the
 * job (`compaction-job.ts`) carries it out, the caller installs the result. Everything here can be structured-cloned,
 * so a plan travels to a worker thread as it is.
 */
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import type { UserKeyRange } from '../format/manifest/file-range.ts';
import type { CompressionOptions, CompressionType } from '../format/sst/table-options.ts';

export type { UserKeyRange };

/** Why a compaction was started, by RocksDB's names. */
export type CompactionReason =
  | 'LevelL0FilesNum'
  | 'LevelMaxLevelSize'
  | 'UniversalSizeAmplification'
  | 'UniversalSizeRatio'
  | 'UniversalSortedRunNum'
  | 'FIFOMaxSize'
  | 'FIFOTtl'
  | 'FIFOReduceNumFiles'
  | 'ManualCompaction'
  | 'FilesMarkedForCompaction'
  | 'BottommostFiles'
  | 'Ttl'
  | 'Flush';

/** The input files of one level: newest first in level 0, in key order elsewhere. */
export interface CompactionInput {
  readonly level: number;
  readonly files: readonly FileMetadata[];
}

/** User keys from `begin` up to, not including, `end`; `undefined` is unbounded. */
export interface KeyBounds {
  readonly begin: Uint8Array | undefined;
  readonly end: Uint8Array | undefined;
}

/**
 * What is to be done with the inputs: `merge` rewrites them, `trivialMove` only changes their level in the MANIFEST,
 * `deletion` drops whole files.
 */
export type CompactionKind = 'merge' | 'trivialMove' | 'deletion';

/** One compaction, decided. */
export interface Compaction {
  readonly familyId: number;
  readonly familyName: string;
  readonly kind: CompactionKind;
  readonly reason: CompactionReason;
  /** The start level first; never empty. Levels without files are left out, but for those of a sub-compaction. */
  readonly inputs: readonly CompactionInput[];
  readonly outputLevel: number;
  readonly outputPathId: number;
  /** Bytes after which an output ends at the next user key; `Infinity` for outputs in level 0. */
  readonly targetFileSize: number;
  /** An output also ends where it would overlap more than this many bytes of grandparents. */
  readonly maxCompactionBytes: number;
  readonly compression: CompressionType;
  readonly compressionOptions: CompressionOptions;
  /** Files of the level below the output level that overlap the inputs, in key order. */
  readonly grandparents: readonly FileMetadata[];
  /** No older sorted run holds a key of the inputs' range: tombstones may go and sequences become zero. */
  readonly bottommost: boolean;
  /**
   * User-key ranges of the files in older sorted runs, in key order, merged where they touch: a tombstone of a key
   * outside all of them has nothing left to hide. `undefined`: unknown, every tombstone stays.
   */
  readonly deeperRanges: readonly UserKeyRange[] | undefined;
  /** The score that made the picker act; 0 for manual ones. For logs and events. */
  readonly score: number;
  /** Asked for by a user, who waits for it. */
  readonly manual: boolean;
  /** A sub-compaction: of the inputs only the entries in here, and of range tombstones the parts in here. */
  readonly bounds?: KeyBounds;
}

/** The level whose excess started it. */
export function startLevel(compaction: Compaction): number {
  return compaction.inputs[0]!.level;
}

/** All input files, start level first. */
export function inputFiles(compaction: Compaction): FileMetadata[] {
  return compaction.inputs.flatMap((input) => input.files);
}

/** Sum of the inputs' sizes in bytes. */
export function inputBytes(compaction: Compaction): number {
  let bytes = 0;
  for (const input of compaction.inputs) for (const file of input.files) bytes += file.sizeBytes;
  return bytes;
}

/** One line for logs and tests: `L0[12,11]+L1[7] -> L1`. */
export function describeCompaction(compaction: Compaction): string {
  const inputs = compaction.inputs.map(({ level, files }) => `L${level}[${files.map((f) => f.number).join(',')}]`);
  const target = compaction.kind === 'deletion' ? 'deleted' : `L${compaction.outputLevel}`;
  return `${inputs.join('+')} -> ${target}`;
}
