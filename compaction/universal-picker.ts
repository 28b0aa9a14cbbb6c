/**
 * Universal compaction: the tree is a list of sorted runs in the order of time (each file of level 0, then each level
 * as a whole), and only neighbours in time are merged, so every result takes its inputs' place. In this order: the
 * total exceeds the oldest run by too much (merge everything), runs of similar size stand side by side, or there are
 * simply too many runs.
 */
import type { Comparator } from '../format/base/comparator.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../format/manifest/file-range.ts';
import type { Compaction, CompactionInput, CompactionReason } from './compaction.ts';
import type { CompactionPickerOptions } from './compaction-options.ts';
import { filesOf, rangeOfFiles, rangesOverlap, totalSize } from './levels-view.ts';
import type { PickContext } from './pick-context.ts';
import { type CompactionChoice, compressionOf, planCompaction } from './plan-compaction.ts';
import { RunningCompactions } from './running-compactions.ts';

/** A sorted run: one file of level 0, or a whole deeper level. */
interface SortedRun {
  readonly level: number;
  readonly files: readonly FileMetadata[];
  readonly sizeBytes: number;
  readonly busy: boolean;
}

/** A stretch `[first, after)` of the runs, newest first. */
interface RunStretch {
  readonly first: number;
  readonly after: number;
}

/** Picks by RocksDB's universal rules. */
export class UniversalPicker {
  readonly #options: CompactionPickerOptions;
  readonly #comparator: Comparator;

  constructor(options: CompactionPickerOptions, comparator: Comparator) {
    this.#options = options;
    this.#comparator = comparator;
  }

  needsCompaction(context: PickContext): boolean {
    const runs = this.#sortedRuns(context, new RunningCompactions(this.#comparator, context.running));
    return runs.length >= this.#options.level0FileNumCompactionTrigger || this.#markedRun(runs) !== undefined;
  }

  pick(context: PickContext): Compaction | undefined {
    const running = new RunningCompactions(this.#comparator, context.running);
    const runs = this.#sortedRuns(context, running);
    const plan = (stretch: RunStretch | undefined, reason: CompactionReason) =>
      stretch && this.#plan(context, running, runs, stretch, reason);
    const marked = () => plan(this.#markedRun(runs), 'FilesMarkedForCompaction');
    const trigger = this.#options.level0FileNumCompactionTrigger;
    if (runs.length < trigger) return marked();
    return (
      plan(this.#tooMuchSpace(runs), 'UniversalSizeAmplification') ??
      plan(this.#similarSizes(runs, this.#options.universal.sizeRatio, runs.length), 'UniversalSizeRatio') ??
      plan(this.#tooManyRuns(runs, trigger), 'UniversalSortedRunNum') ??
      marked()
    );
  }

  #sortedRuns(context: PickContext, running: RunningCompactions): SortedRun[] {
    const run = (level: number, files: readonly FileMetadata[]): SortedRun => ({
      level,
      files,
      sizeBytes: totalSize(files),
      busy: running.anyBusy(files),
    });
    const runs = filesOf(context.view, 0).map((file) => run(0, [file]));
    for (let level = 1; level < context.view.levels.length; level++) {
      const files = filesOf(context.view, level);
      if (files.length > 0) runs.push(run(level, files));
    }
    return runs;
  }

  /** Everything newer than the oldest run takes more than the allowed share of that run's size. */
  #tooMuchSpace(runs: readonly SortedRun[]): RunStretch | undefined {
    const last = runs.length - 1;
    if (runs[last]!.busy) return undefined;
    let first = last;
    let newerBytes = 0;
    while (first > 0 && !runs[first - 1]!.busy) newerBytes += runs[--first]!.sizeBytes;
    const percent = this.#options.universal.maxSizeAmplificationPercent;
    if (first === last || newerBytes * 100 < percent * runs[last]!.sizeBytes) return undefined;
    return { first, after: runs.length };
  }

  /** The first stretch of runs in which none is much larger than those before it, at most `countMax` runs. */
  #similarSizes(runs: readonly SortedRun[], ratioPercent: number, countMax: number): RunStretch | undefined {
    const { minMergeWidth, maxMergeWidth } = this.#options.universal;
    const widthMax = Math.min(maxMergeWidth, countMax);
    for (let first = 0; first < runs.length; first++) {
      if (runs[first]!.busy) continue;
      const after = this.#endOfStretch(runs, first, ratioPercent, widthMax);
      if (after - first >= Math.max(minMergeWidth, 2)) return { first, after };
    }
    return undefined;
  }

  #endOfStretch(runs: readonly SortedRun[], first: number, ratioPercent: number, widthMax: number): number {
    const similar = this.#options.universal.stopStyle === 'similarSize';
    const allowance = (100 + ratioPercent) / 100;
    let picked = runs[first]!.sizeBytes;
    let after = first + 1;
    for (; after < runs.length && after - first < widthMax; after++) {
      const next = runs[after]!;
      if (next.busy || picked * allowance < next.sizeBytes) break;
      if (similar && next.sizeBytes * allowance < picked) break;
      picked = similar ? next.sizeBytes : picked + next.sizeBytes;
    }
    return after;
  }

  #tooManyRuns(runs: readonly SortedRun[], trigger: number): RunStretch | undefined {
    const idle = runs.filter((run) => !run.busy).length;
    return idle > trigger ? this.#similarSizes(runs, Number.POSITIVE_INFINITY, idle - trigger + 1) : undefined;
  }

  /** A marked file is merged from its run down to the oldest, so that the result is free of what it hides. */
  #markedRun(runs: readonly SortedRun[]): RunStretch | undefined {
    const first = runs.findIndex((run) => !run.busy && run.files.some((file) => file.markedForCompaction));
    if (first < 0 || first === runs.length - 1 || runs.slice(first).some((run) => run.busy)) return undefined;
    return { first, after: runs.length };
  }

  #plan(
    context: PickContext,
    running: RunningCompactions,
    runs: readonly SortedRun[],
    stretch: RunStretch,
    reason: CompactionReason,
  ): Compaction | undefined {
    const outputLevel = this.#outputLevel(runs, stretch.after);
    const inputs = inputsOf(runs.slice(stretch.first, stretch.after));
    const range = rangeOfFiles(
      this.#comparator,
      inputs.flatMap((input) => input.files),
    );
    if (!range || running.willWriteInto(outputLevel, range)) return undefined;
    const choice: CompactionChoice = {
      kind: this.#canMove(inputs, outputLevel) ? 'trivialMove' : 'merge',
      reason,
      inputs,
      outputLevel,
      baseLevel: 1,
      score: runs.length / this.#options.level0FileNumCompactionTrigger,
      compression: this.#worthCompressing(runs, stretch.after)
        ? compressionOf(context.view, this.#options, outputLevel, 1)
        : 'none',
    };
    return planCompaction(choice, context, this.#options, this.#comparator);
  }

  /** As deep as possible without passing the next older run; level 0 if that one lies there. */
  #outputLevel(runs: readonly SortedRun[], after: number): number {
    const older = runs[after];
    if (!older) return this.#options.numLevels - 1;
    return older.level === 0 ? 0 : older.level - 1;
  }

  #canMove(inputs: readonly CompactionInput[], outputLevel: number): boolean {
    if (!this.#options.universal.allowTrivialMove || outputLevel === 0) return false;
    const ranges = inputs
      .flatMap((input) => input.files)
      .map(rangeOfFile)
      .sort((a, b) => this.#comparator.compare(a.smallest, b.smallest));
    return ranges.every((range, i) => i === 0 || !rangesOverlap(this.#comparator, ranges[i - 1]!, range));
  }

  /** Young runs are rewritten soon: with `compressionSizePercent` set only the oldest part of the data is compressed. */
  #worthCompressing(runs: readonly SortedRun[], after: number): boolean {
    const percent = this.#options.universal.compressionSizePercent;
    if (percent < 0) return true;
    const bytesOf = (part: readonly SortedRun[]) => part.reduce((sum, run) => sum + run.sizeBytes, 0);
    return bytesOf(runs.slice(after)) * 100 < bytesOf(runs) * percent;
  }
}

function inputsOf(runs: readonly SortedRun[]): CompactionInput[] {
  const level0 = runs.filter((run) => run.level === 0).flatMap((run) => run.files);
  const deeper = runs.filter((run) => run.level > 0).map(({ level, files }) => ({ level, files }));
  return level0.length > 0 ? [{ level: 0, files: level0 }, ...deeper] : deeper;
}
