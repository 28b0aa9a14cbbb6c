/**
 * Compactions that a caller asks for: a key range of one level (`compactRange` walks the levels with it) or named files
 * (`compactFiles`). Running compactions are never disturbed; a conflict is reported so that the caller can wait.
 */
import type { Comparator } from '../format/base/comparator.ts';
import { DBError, invalidArgument } from '../format/base/db-error.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../format/manifest/file-range.ts';
import type { Compaction, CompactionInput, UserKeyRange } from './compaction.ts';
import { type CompactionPickerOptions, maxCompactionBytesOf } from './compaction-options.ts';
import { canMoveTrivially, growInputs, type InputScope } from './level-inputs.ts';
import { levelTargets } from './level-score.ts';
import { expandToCleanCut, filesOf, overlappingFiles, rangeOfFiles, rangesOverlap } from './levels-view.ts';
import type { PickContext } from './pick-context.ts';
import { compressionOf, planCompaction } from './plan-compaction.ts';
import { RunningCompactions } from './running-compactions.ts';

/** One step of a range compaction. */
export interface ManualRequest {
  readonly level: number;
  /** The same level: rewrite in place, so that filters and a new codec reach the last level. */
  readonly outputLevel: number;
  /** User keys, both inclusive; `undefined`: open. */
  readonly begin: Uint8Array | undefined;
  readonly end: Uint8Array | undefined;
  /** Rewrite even what could be moved. */
  readonly forceRewrite?: boolean;
}

/**
 * What to do for a request. `nextBegin`: the plan covers the range only up to here (exclusive of this user key's
 * predecessors); ask again from it after the plan is installed.
 */
export type ManualPick =
  | { readonly outcome: 'plan'; readonly compaction: Compaction; readonly nextBegin: Uint8Array | undefined }
  | { readonly outcome: 'nothing' }
  | { readonly outcome: 'conflict' };

/** Picks what a user asks for. */
export class ManualPicker {
  readonly #options: CompactionPickerOptions;
  readonly #comparator: Comparator;

  constructor(options: CompactionPickerOptions, comparator: Comparator) {
    this.#options = options;
    this.#comparator = comparator;
  }

  /** The next compaction of a range in one level. */
  pickRange(context: PickContext, request: ManualRequest): ManualPick {
    const { level, outputLevel } = request;
    const scope = this.#scope(context);
    const wanted = this.#filesInRange(context, request);
    if (wanted.length === 0) return { outcome: 'nothing' };
    const taken = level === 0 ? wanted : this.#limitBytes(wanted);
    const blocked = level === 0 && scope.running.level0Busy;
    const inputs = blocked ? undefined : growInputs(scope, level, taken, outputLevel);
    if (!inputs) return { outcome: 'conflict' };
    const rest = wanted.filter((file) => !inputs[0]!.files.includes(file));
    const nextBegin = rest.length > 0 ? rangeOfFile(rest[0]!).smallest : undefined;
    const movable = !request.forceRewrite && !this.#options.hasCompactionFilter;
    return { outcome: 'plan', compaction: this.#plan(context, scope, inputs, outputLevel, movable), nextBegin };
  }

  /**
   * A compaction of exactly these files and what correctness adds to them. Throws `INVALID_ARGUMENT` for a file that is
   * not in the tree or an output level above an input, `ABORTED` if a running compaction holds one of the files.
   */
  pickFiles(context: PickContext, fileNumbers: readonly number[], outputLevel: number): Compaction {
    const scope = this.#scope(context);
    if (!Number.isInteger(outputLevel) || outputLevel < 0 || outputLevel >= this.#options.numLevels) {
      throw invalidArgument(`compactFiles: output level ${outputLevel} is not in 0..${this.#options.numLevels - 1}`);
    }
    const inputs = this.#completeFiles(context, this.#locate(context, fileNumbers, outputLevel), outputLevel);
    const files = inputs.flatMap((input) => input.files);
    const range = rangeOfFiles(this.#comparator, files)!;
    if (scope.running.anyBusy(files) || scope.running.willWriteInto(outputLevel, range)) {
      throw new DBError('ABORTED', 'compactFiles: a running compaction holds files of this key range', {
        retryable: true,
      });
    }
    return this.#plan(context, scope, inputs, outputLevel, false);
  }

  #scope(context: PickContext): InputScope {
    return {
      view: context.view,
      comparator: this.#comparator,
      running: new RunningCompactions(this.#comparator, context.running),
      options: this.#options,
    };
  }

  #filesInRange(context: PickContext, request: ManualRequest): FileMetadata[] {
    const { begin, end, level } = request;
    const { compare } = this.#comparator;
    const inside = filesOf(context.view, level).filter(
      (file) =>
        (!begin || compare(rangeOfFile(file).largest, begin) >= 0) &&
        (!end || compare(rangeOfFile(file).smallest, end) <= 0),
    );
    return expandToCleanCut(context.view, this.#comparator, level, inside);
  }

  /** The first files of a sorted level up to the limit of one compaction, always at least one. */
  #limitBytes(files: FileMetadata[]): FileMetadata[] {
    const bytesMax = maxCompactionBytesOf(this.#options);
    let bytes = 0;
    let count = 0;
    while (count < files.length && (count === 0 || bytes < bytesMax)) bytes += files[count++]!.sizeBytes;
    return files.slice(0, count);
  }

  #plan(
    context: PickContext,
    scope: InputScope,
    inputs: readonly CompactionInput[],
    outputLevel: number,
    movable: boolean,
  ): Compaction {
    const { baseLevel } = levelTargets(context.view, this.#options);
    const codec = (level: number) => compressionOf(context.view, this.#options, level, baseLevel);
    const moves =
      movable && codec(inputs[0]!.level) === codec(outputLevel) && canMoveTrivially(scope, inputs, outputLevel);
    const choice = {
      kind: moves ? 'trivialMove' : 'merge',
      reason: 'ManualCompaction',
      inputs,
      outputLevel,
      baseLevel,
      score: 0,
      manual: true,
    } as const;
    return planCompaction(choice, context, this.#options, this.#comparator);
  }

  #locate(context: PickContext, fileNumbers: readonly number[], outputLevel: number): Map<number, FileMetadata[]> {
    if (fileNumbers.length === 0) throw invalidArgument('compactFiles: no files given');
    const missing = new Set(fileNumbers);
    const byLevel = new Map<number, FileMetadata[]>();
    for (let level = 0; level < context.view.levels.length; level++) {
      const files = filesOf(context.view, level).filter((file) => missing.delete(file.number));
      if (files.length > 0) byLevel.set(level, files);
    }
    if (missing.size > 0) throw invalidArgument(`compactFiles: file ${[...missing][0]} is not in the database`);
    for (const level of byLevel.keys()) {
      if (level > outputLevel)
        throw invalidArgument(`compactFiles: a file of level ${level} cannot go up to level ${outputLevel}`);
    }
    return byLevel;
  }

  /**
   * Adds what must come along: older overlapping files of level 0, and every file between the first input level and the
   * output level that overlaps, each level with whole user keys.
   */
  #completeFiles(context: PickContext, chosen: Map<number, FileMetadata[]>, outputLevel: number): CompactionInput[] {
    const { view } = context;
    const comparator = this.#comparator;
    const inputs: CompactionInput[] = [];
    let range: UserKeyRange | undefined;
    for (let level = Math.min(...chosen.keys()); level <= outputLevel; level++) {
      let files = chosen.get(level) ?? [];
      if (level === 0) files = withOlderOverlapping(comparator, filesOf(view, 0), files, outputLevel);
      else {
        const overlap = range ? overlappingFiles(view, comparator, level, range) : [];
        const stretch = stretchOver(filesOf(view, level), [...files, ...overlap]);
        files = expandToCleanCut(view, comparator, level, stretch);
      }
      if (files.length === 0) continue;
      inputs.push({ level, files });
      range = rangeOfFiles(
        comparator,
        inputs.flatMap((input) => input.files),
      );
    }
    return inputs;
  }
}

/** The neighbours of a sorted level from the first to the last of `chosen`: outputs must not overlap a file between. */
function stretchOver(level: readonly FileMetadata[], chosen: readonly FileMetadata[]): FileMetadata[] {
  if (chosen.length === 0) return [];
  const indexes = chosen.map((file) => level.indexOf(file));
  return level.slice(Math.min(...indexes), Math.max(...indexes) + 1);
}

/**
 * Level-0 inputs from the newest chosen one on: into a deeper level every older file that overlaps goes along, else its
 * old versions would end up above newer ones; within level 0 the run must have no gaps.
 */
function withOlderOverlapping(
  comparator: Comparator,
  level0: readonly FileMetadata[],
  chosen: readonly FileMetadata[],
  outputLevel: number,
): FileMetadata[] {
  if (chosen.length === 0) return [];
  const first = Math.min(...chosen.map((file) => level0.indexOf(file)));
  if (outputLevel === 0) return level0.slice(first, Math.max(...chosen.map((file) => level0.indexOf(file))) + 1);
  const taken = new Set(chosen);
  for (let i = first; i < level0.length; i++) {
    const range = rangeOfFiles(comparator, taken)!;
    if (rangesOverlap(comparator, range, rangeOfFiles(comparator, [level0[i]!])!)) taken.add(level0[i]!);
  }
  // A file that joined late may overlap one that was passed before: repeat until nothing joins.
  return taken.size === chosen.length
    ? level0.filter((file) => taken.has(file))
    : withOlderOverlapping(
        comparator,
        level0,
        level0.filter((file) => taken.has(file)),
        outputLevel,
      );
}
