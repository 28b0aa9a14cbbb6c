/**
 * Sub-compactions: a large compaction divided into ranges of user keys that are merged side by side and installed as
 * one. All versions of a user key lie in one range, and a range tombstone over a boundary has a part on either side, so
 * each part is a compaction by itself; only the edit that installs their outputs is common. Everything here is a pure
 * function of plain data: who runs the parts is the caller's business.
 */
import type { Comparator } from '../format/base/comparator.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../format/manifest/file-range.ts';
import type { KeyAnchor } from '../format/sst/key-anchors.ts';
import {
  type Compaction,
  inputBytes,
  inputFiles,
  type KeyBounds,
  startLevel,
  type UserKeyRange,
} from './compaction.ts';
import type { CompactionPickerOptions } from './compaction-options.ts';
import type { CompactionResult, CompactionStats } from './compaction-result.ts';
import { rangeOfFiles } from './levels-view.ts';

/**
 * Whether a compaction may be divided, by RocksDB's rule: out of level 0 or asked for by a user, and in universal
 * compaction always, as long as the output is not in level 0, where it must be one file.
 */
export function mayFormSubcompactions(
  compaction: Compaction,
  style: CompactionPickerOptions['compactionStyle'],
  maxSubcompactions: number,
): boolean {
  if (maxSubcompactions <= 1 || compaction.kind !== 'merge' || compaction.outputLevel === 0) return false;
  // A part writes one file of the target size at least: less than two of them are not worth a second part.
  if (inputBytes(compaction) <= compaction.targetFileSize) return false;
  if (style === 'universal') return true;
  return style === 'level' && (startLevel(compaction) === 0 || compaction.manual);
}

/**
 * The user keys at which a compaction is divided into at most `maxSubcompactions` parts of about the same size, none
 * meant to be smaller than one output file: ascending, each inside the keys of the inputs; empty when it stays whole.
 * `anchors`, of all inputs, may come in any order. Ranges of files overlap, so sizes are estimates.
 */
export function subcompactionBoundaries(
  compaction: Compaction,
  anchors: readonly KeyAnchor[],
  maxSubcompactions: number,
  comparator: Comparator,
): Uint8Array[] {
  const range = rangeOfFiles(comparator, inputFiles(compaction));
  if (range === undefined) return [];
  const sorted = [...anchors].sort((a, b) => comparator.compare(a.userKey, b.userKey));
  const total = sorted.reduce((sum, { bytes }) => sum + bytes, 0);
  const partBytes = Math.max(total / maxSubcompactions, compaction.targetFileSize);
  const boundaries: Uint8Array[] = [];
  let before = 0;
  let threshold = partBytes;
  for (const { userKey, bytes } of sorted) {
    if (boundaries.length === maxSubcompactions - 1) break;
    before += bytes;
    if (before <= threshold) continue;
    threshold += partBytes;
    if (isInside(comparator, userKey, range, boundaries[boundaries.length - 1])) boundaries.push(userKey);
  }
  return boundaries;
}

/** Whether a boundary at `userKey` leaves keys on both sides, the left one behind `previous`. */
function isInside(
  { compare }: Comparator,
  userKey: Uint8Array,
  range: UserKeyRange,
  previous: Uint8Array | undefined,
): boolean {
  if (previous !== undefined && compare(userKey, previous) <= 0) return false;
  return compare(userKey, range.smallest) > 0 && compare(userKey, range.largest) <= 0;
}

/**
 * The parts of a compaction in key order; itself when there is no boundary. Each has the files that reach into its range,
 * and what else it needs to know of that range. REQUIRES ascending, distinct boundaries.
 */
export function divideCompaction(
  compaction: Compaction,
  boundaries: readonly Uint8Array[],
  comparator: Comparator,
): Compaction[] {
  if (boundaries.length === 0) return [compaction];
  const edges = [undefined, ...boundaries, undefined];
  return edges.slice(1).map((end, i) => partOf(compaction, { begin: edges[i], end }, comparator));
}

function partOf(compaction: Compaction, bounds: KeyBounds, { compare }: Comparator): Compaction {
  const reaches = ({ smallest, largest }: UserKeyRange): boolean =>
    (bounds.begin === undefined || compare(largest, bounds.begin) >= 0) &&
    (bounds.end === undefined || compare(smallest, bounds.end) < 0);
  const within = (file: FileMetadata): boolean => reaches(rangeOfFile(file));
  return {
    ...compaction,
    inputs: compaction.inputs.map(({ level, files }) => ({ level, files: files.filter(within) })),
    grandparents: compaction.grandparents.filter(within),
    deeperRanges: compaction.deeperRanges?.filter(reaches),
    bounds,
  };
}

/**
 * What the parts made, in key order, as the result of the whole: files one after the other, counts added up, the time of
 * the slowest. A table that reaches into two parts counts once as read, a range tombstone in two parts twice.
 */
export function joinResults(compaction: Compaction, results: readonly CompactionResult[]): CompactionResult {
  const sum = (pick: (stats: CompactionStats) => number): number =>
    results.reduce((n, { stats }) => n + pick(stats), 0);
  return {
    outputs: results.flatMap(({ outputs }) => outputs),
    facts: results.flatMap(({ facts }) => facts),
    stats: {
      inputRecords: sum((s) => s.inputRecords),
      inputDeletions: sum((s) => s.inputDeletions),
      inputKeyBytes: sum((s) => s.inputKeyBytes),
      inputValueBytes: sum((s) => s.inputValueBytes),
      outputRecords: sum((s) => s.outputRecords),
      droppedHidden: sum((s) => s.droppedHidden),
      droppedObsolete: sum((s) => s.droppedObsolete),
      droppedRangeDeleted: sum((s) => s.droppedRangeDeleted),
      droppedByFilter: sum((s) => s.droppedByFilter),
      zeroedSequences: sum((s) => s.zeroedSequences),
      singleDeleteMismatches: sum((s) => s.singleDeleteMismatches),
      mergeFailures: sum((s) => s.mergeFailures),
      micros: Math.max(...results.map(({ stats }) => stats.micros)),
      bytesRead: inputBytes(compaction),
      bytesWritten: sum((s) => s.bytesWritten),
      inputFiles: inputFiles(compaction).length,
      outputFiles: sum((s) => s.outputFiles),
      inputTombstones: sum((s) => s.inputTombstones),
      outputTombstones: sum((s) => s.outputTombstones),
    },
  };
}
