/**
 * Grows a first choice of files to a complete, safe set of inputs for a compaction from one level into another. Used by
 * level compaction and by manual ones.
 */
import type { Comparator } from '../format/base/comparator.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import type { CompactionInput } from './compaction.ts';
import { type CompactionPickerOptions, maxCompactionBytesOf } from './compaction-options.ts';
import {
  expandToCleanCut,
  filesOf,
  filesWithin,
  type LevelsView,
  overlappingFiles,
  rangeOfFiles,
  rangesOverlap,
  totalSize,
} from './levels-view.ts';
import type { RunningCompactions } from './running-compactions.ts';

/** Files moved together when nothing below overlaps them; more would only press on the next level. */
const TRIVIAL_MOVE_FILES_MAX = 8;

/** Where inputs are looked for. */
export interface InputScope {
  readonly view: LevelsView;
  readonly comparator: Comparator;
  readonly running: RunningCompactions;
  readonly options: CompactionPickerOptions;
}

/**
 * The inputs of `startLevel` and `outputLevel` for a compaction of `files`, or `undefined` if a running compaction is in
 * the way.
 */
export function growInputs(
  scope: InputScope,
  startLevel: number,
  files: readonly FileMetadata[],
  outputLevel: number,
): CompactionInput[] | undefined {
  const { view, comparator, running } = scope;
  let upper = expandToCleanCut(view, comparator, startLevel, files);
  if (upper.length === 0 || running.anyBusy(upper)) return undefined;
  if (startLevel === outputLevel) return withinOneLevel(scope, startLevel, upper);
  let lower = cleanOverlap(scope, outputLevel, upper);
  if (running.anyBusy(lower)) return undefined;
  if (lower.length > 0) {
    const wider = widenWithoutMoreBelow(scope, startLevel, upper, outputLevel, lower);
    if (wider) {
      upper = wider;
      lower = cleanOverlap(scope, outputLevel, upper);
    }
  } else if (startLevel > 0) {
    upper = addMovableNeighbours(scope, startLevel, upper, outputLevel);
  }
  const range = rangeOfFiles(comparator, [...upper, ...lower])!;
  if (running.willWriteInto(outputLevel, range)) return undefined;
  const inputs: CompactionInput[] = [{ level: startLevel, files: upper }];
  if (lower.length > 0) inputs.push({ level: outputLevel, files: lower });
  return inputs;
}

function withinOneLevel(
  scope: InputScope,
  level: number,
  files: readonly FileMetadata[],
): CompactionInput[] | undefined {
  const range = rangeOfFiles(scope.comparator, files)!;
  return scope.running.willWriteInto(level, range) ? undefined : [{ level, files }];
}

/** Files of `level` that overlap `files`, whole user keys only. */
function cleanOverlap(scope: InputScope, level: number, files: readonly FileMetadata[]): FileMetadata[] {
  const { view, comparator } = scope;
  return expandToCleanCut(
    view,
    comparator,
    level,
    overlappingFiles(view, comparator, level, rangeOfFiles(comparator, files)),
  );
}

/**
 * More files of the start level for the same files below: the lower files are rewritten anyway, so everything above
 * that fits into their range should come along, within `maxCompactionBytes`.
 */
function widenWithoutMoreBelow(
  scope: InputScope,
  startLevel: number,
  upper: FileMetadata[],
  outputLevel: number,
  lower: FileMetadata[],
): FileMetadata[] | undefined {
  const { view, comparator, running, options } = scope;
  const all = rangeOfFiles(comparator, [...upper, ...lower])!;
  const lowerBytes = totalSize(lower);
  const fits = (files: FileMetadata[]) =>
    files.length > upper.length &&
    lowerBytes + totalSize(files) < maxCompactionBytesOf(options) &&
    !running.anyBusy(files);
  const overlapping = expandToCleanCut(
    view,
    comparator,
    startLevel,
    overlappingFiles(view, comparator, startLevel, all),
  );
  if (fits(overlapping) && cleanOverlap(scope, outputLevel, overlapping).length === lower.length) return overlapping;
  if (startLevel === 0) return undefined;
  const within = filesWithin(view, comparator, startLevel, all);
  return fits(within) && upper.every((file) => within.includes(file)) ? within : undefined;
}

/** The files behind `upper` that can move down with it because nothing below overlaps them either. */
function addMovableNeighbours(
  scope: InputScope,
  startLevel: number,
  upper: FileMetadata[],
  outputLevel: number,
): FileMetadata[] {
  const { view, running, options } = scope;
  const level = filesOf(view, startLevel);
  const moved = [...upper];
  let bytes = totalSize(moved);
  for (let i = level.indexOf(upper[upper.length - 1]!) + 1; i < level.length; i++) {
    const next = expandToCleanCut(view, scope.comparator, startLevel, [level[i]!]);
    const wider = [...moved, ...next];
    bytes += totalSize(next);
    if (next[0] !== level[i] || wider.length > TRIVIAL_MOVE_FILES_MAX || bytes > maxCompactionBytesOf(options)) break;
    if (running.anyBusy(next) || cleanOverlap(scope, outputLevel, wider).length > 0) break;
    moved.push(...next);
    i += next.length - 1;
  }
  return moved;
}

/**
 * Whether the only input level can be moved down as it is: nothing below overlaps, the codec stays, and no file would
 * meet so much data one level further down that its next compaction becomes very large.
 */
export function canMoveTrivially(scope: InputScope, inputs: readonly CompactionInput[], outputLevel: number): boolean {
  const { view, comparator, options } = scope;
  const [input] = inputs;
  if (!input || inputs.length > 1 || input.level === outputLevel) return false;
  if (input.level === 0 && anyOverlap(comparator, input.files)) return false;
  if (input.files.some((file) => file.pathId !== 0)) return false;
  return input.files.every((file) => {
    const below = overlappingFiles(view, comparator, outputLevel + 1, rangeOfFiles(comparator, [file]));
    return file.sizeBytes + totalSize(below) <= maxCompactionBytesOf(options);
  });
}

function anyOverlap(comparator: Comparator, files: readonly FileMetadata[]): boolean {
  const ranges = files
    .map((file) => rangeOfFiles(comparator, [file])!)
    .sort((a, b) => comparator.compare(a.smallest, b.smallest));
  return ranges.some((range, i) => i > 0 && rangesOverlap(comparator, ranges[i - 1]!, range));
}
