/**
 * Completes a choice of input files to a plan: codec and size of the outputs, grandparents, and what is known about
 * older sorted runs. All styles end here, so the rules that keep data alive (`bottommost`, `deeperRanges`) stand once.
 */
import type { Comparator } from '../format/base/comparator.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../format/manifest/file-range.ts';
import type { CompressionType } from '../format/sst/table-options.ts';
import type { Compaction, CompactionInput, CompactionKind, CompactionReason, UserKeyRange } from './compaction.ts';
import { type CompactionPickerOptions, maxCompactionBytesOf } from './compaction-options.ts';
import {
  filesOf,
  type LevelsView,
  mergedRanges,
  nonEmptyLevelCount,
  overlappingFiles,
  rangeOfFiles,
  rangesOverlap,
} from './levels-view.ts';
import type { PickContext } from './pick-context.ts';

/** The part of a plan that a picker decides. */
export interface CompactionChoice {
  readonly kind: CompactionKind;
  readonly reason: CompactionReason;
  readonly inputs: readonly CompactionInput[];
  readonly outputLevel: number;
  readonly baseLevel: number;
  readonly score: number;
  readonly manual?: boolean;
  /** Overrides the level's usual target, e.g. for universal compaction. */
  readonly targetFileSize?: number;
  /** Overrides the level's codec. */
  readonly compression?: CompressionType;
}

/** Makes the plan. */
export function planCompaction(
  choice: CompactionChoice,
  context: PickContext,
  options: CompactionPickerOptions,
  comparator: Comparator,
): Compaction {
  const { view } = context;
  const { outputLevel, baseLevel } = choice;
  const inputs = choice.inputs.filter((input) => input.files.length > 0);
  const files = inputs.flatMap((input) => input.files);
  const range = rangeOfFiles(comparator, files);
  const older = range === undefined ? [] : olderFiles(view, comparator, inputs, outputLevel, range);
  const bottommost = range !== undefined && older.length === 0;
  return {
    familyId: context.familyId,
    familyName: context.familyName,
    kind: choice.kind,
    reason: choice.reason,
    inputs,
    outputLevel,
    outputPathId: 0,
    targetFileSize: choice.targetFileSize ?? targetFileSizeOf(options, outputLevel, baseLevel),
    maxCompactionBytes: maxCompactionBytesOf(options),
    compression: choice.compression ?? compressionOf(view, options, outputLevel, baseLevel),
    compressionOptions: compressionOptionsOf(view, options, outputLevel),
    grandparents: outputLevel > 0 ? overlappingFiles(view, comparator, outputLevel + 1, range) : [],
    bottommost,
    deeperRanges: mergedRanges(comparator, older),
    score: choice.score,
    manual: choice.manual ?? false,
  };
}

/**
 * Every file with a key of `range` in a sorted run that is older than the output: deeper levels, and for an output in level
 * 0 the files of level 0 behind the last input. Files of the output level that are not inputs hold none of the inputs' keys.
 */
function olderFiles(
  view: LevelsView,
  comparator: Comparator,
  inputs: readonly CompactionInput[],
  outputLevel: number,
  range: UserKeyRange,
): FileMetadata[] {
  const older: FileMetadata[] = [];
  if (outputLevel === 0) {
    const level0 = filesOf(view, 0);
    const newest = inputs[0]?.files[0];
    const taken = new Set(inputs.flatMap((input) => input.files));
    const from = newest ? level0.indexOf(newest) : 0;
    const behind = level0.slice(Math.max(from, 0)).filter((file) => !taken.has(file));
    older.push(...behind.filter((file) => rangesOverlap(comparator, range, rangeOfFile(file))));
  }
  for (let level = outputLevel + 1; level < view.levels.length; level++) {
    older.push(...overlappingFiles(view, comparator, level, range));
  }
  return older;
}

/** Bytes an output file of a level may grow to. */
export function targetFileSizeOf(options: CompactionPickerOptions, level: number, baseLevel: number): number {
  if (level === 0) return Number.POSITIVE_INFINITY;
  const first = options.compactionStyle === 'level' && options.levelCompactionDynamicLevelBytes ? baseLevel : 1;
  return options.targetFileSizeBase * options.targetFileSizeMultiplier ** Math.max(level - first, 0);
}

/** The codec of a level's files. */
export function compressionOf(
  view: LevelsView,
  options: CompactionPickerOptions,
  level: number,
  baseLevel: number,
): CompressionType {
  if (options.bottommostCompression !== undefined && isLastLevel(view, level)) return options.bottommostCompression;
  const perLevel = options.compressionPerLevel;
  if (perLevel.length === 0) return options.compression;
  const index = level === 0 ? 0 : level - baseLevel + 1;
  return perLevel[Math.min(Math.max(index, 0), perLevel.length - 1)]!;
}

function compressionOptionsOf(view: LevelsView, options: CompactionPickerOptions, level: number) {
  return isLastLevel(view, level) && options.bottommostCompressionOptions
    ? options.bottommostCompressionOptions
    : options.compressionOptions;
}

function isLastLevel(view: LevelsView, level: number): boolean {
  return level > 0 && level >= nonEmptyLevelCount(view) - 1;
}
