/**
 * Level compaction. The level with the highest score gives a file (from level 0: all files that overlap it) to the next
 * level, together with the files there that overlap. When level 0 cannot go down because its way is blocked, its newest
 * files are merged with each other instead, so that reads do not suffer meanwhile. With nothing over its target, files
 * that ask for compaction, files that kept old versions for released snapshots and files older than the ttl are taken.
 */
import type { Comparator } from '../format/base/comparator.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../format/manifest/file-range.ts';
import { type FileAtLevel, releasedBottommostFiles } from './bottommost-files.ts';
import type { Compaction, CompactionInput, CompactionReason } from './compaction.ts';
import type { CompactionPickerOptions } from './compaction-options.ts';
import { filesByPriority } from './file-priority.ts';
import { pickIntraLevel0 } from './intra-level0.ts';
import { canMoveTrivially, growInputs, type InputScope } from './level-inputs.ts';
import { type LevelTargets, levelScores, levelTargets } from './level-score.ts';
import { filesOf } from './levels-view.ts';
import type { PickContext } from './pick-context.ts';
import { compressionOf, planCompaction } from './plan-compaction.ts';
import { RunningCompactions } from './running-compactions.ts';

/** Picks by RocksDB's leveled rules. */
export class LevelPicker {
  readonly #options: CompactionPickerOptions;
  readonly #comparator: Comparator;

  constructor(options: CompactionPickerOptions, comparator: Comparator) {
    this.#options = options;
    this.#comparator = comparator;
  }

  needsCompaction(context: PickContext): boolean {
    const running = new RunningCompactions(this.#comparator, context.running);
    const scores = levelScores(context.view, this.#options, running, levelTargets(context.view, this.#options));
    return scores[0]!.score >= 1 || this.#agedFiles(context, running).length > 0;
  }

  pick(context: PickContext): Compaction | undefined {
    const running = new RunningCompactions(this.#comparator, context.running);
    const scope = { view: context.view, comparator: this.#comparator, running, options: this.#options };
    const targets = levelTargets(context.view, this.#options);
    return this.#pickByScore(context, scope, targets) ?? this.#pickAgedFile(context, scope, targets);
  }

  #pickByScore(context: PickContext, scope: InputScope, targets: LevelTargets): Compaction | undefined {
    let level0Blocked = false;
    for (const { level, score } of levelScores(context.view, this.#options, scope.running, targets)) {
      if (score < 1) break;
      // Level 0 waits for the base level: feeding that level's own compactions first would starve it.
      if (level0Blocked && level === targets.baseLevel) continue;
      const outputLevel = level === 0 ? targets.baseLevel : level + 1;
      const reason = level === 0 ? 'LevelL0FilesNum' : 'LevelMaxLevelSize';
      const inputs = this.#pickFile(context, scope, level, outputLevel);
      if (inputs) return this.#plan(context, scope, inputs, outputLevel, targets, reason, score);
      if (level !== 0) continue;
      level0Blocked = true;
      const intra = pickIntraLevel0(scope);
      if (intra) return this.#plan(context, scope, [intra], 0, targets, reason, score);
    }
    return undefined;
  }

  #pickFile(
    context: PickContext,
    scope: InputScope,
    level: number,
    outputLevel: number,
  ): CompactionInput[] | undefined {
    if (level === 0 && scope.running.level0Busy) return undefined;
    const { compactionPri } = this.#options;
    const cursor = context.compactCursors.get(level);
    const candidates = filesByPriority(context.view, this.#comparator, level, outputLevel, compactionPri, cursor);
    for (const file of candidates) {
      if (scope.running.isBusy(file)) continue;
      const inputs = growInputs(scope, level, [file], outputLevel);
      if (inputs) return inputs;
      // Round-robin waits for the file whose turn it is.
      if (compactionPri === 'roundRobin') return undefined;
    }
    return undefined;
  }

  #plan(
    context: PickContext,
    scope: InputScope,
    inputs: readonly CompactionInput[],
    outputLevel: number,
    targets: LevelTargets,
    reason: CompactionReason,
    score: number,
  ): Compaction {
    const startLevel = inputs[0]!.level;
    const { baseLevel } = targets;
    const sameCodec =
      compressionOf(context.view, this.#options, startLevel, baseLevel) ===
      compressionOf(context.view, this.#options, outputLevel, baseLevel);
    const kind =
      reason !== 'Ttl' && sameCodec && canMoveTrivially(scope, inputs, outputLevel) ? 'trivialMove' : 'merge';
    const choice = { kind, reason, inputs, outputLevel, baseLevel, score } as const;
    return planCompaction(choice, context, this.#options, this.#comparator);
  }

  /** Files that should be rewritten though their level is not too full, in the order of `AGED_REASONS`. */
  #agedFiles(context: PickContext, running: RunningCompactions): AgedFile[] {
    const { ttlSeconds, numLevels } = this.#options;
    const aged: AgedFile[] = [];
    const oldest = ttlSeconds > 0 ? context.nowSeconds - ttlSeconds : 0;
    for (const { level, file } of releasedBottommostFiles(context, this.#comparator)) {
      if (!running.isBusy(file)) aged.push({ level, file, reason: 'BottommostFiles' });
    }
    for (let level = 0; level < numLevels - 1; level++) {
      for (const file of filesOf(context.view, level)) {
        if (running.isBusy(file)) continue;
        if (file.markedForCompaction) aged.push({ level, file, reason: 'FilesMarkedForCompaction' });
        else if (file.oldestAncestorTime > 0 && file.oldestAncestorTime < oldest)
          aged.push({ level, file, reason: 'Ttl' });
      }
    }
    return aged.sort((a, b) => AGED_REASONS.indexOf(a.reason) - AGED_REASONS.indexOf(b.reason));
  }

  #pickAgedFile(context: PickContext, scope: InputScope, targets: LevelTargets): Compaction | undefined {
    for (const { level, file, reason } of this.#agedFiles(context, scope.running)) {
      if (level === 0 && scope.running.level0Busy) continue;
      const below = level === 0 ? targets.baseLevel : level + 1;
      const outputLevel = reason === 'BottommostFiles' ? level : below;
      const inputs = growInputs(scope, level, [file], outputLevel);
      if (inputs) return this.#plan(context, scope, inputs, outputLevel, targets, reason, 0);
    }
    return undefined;
  }
}

/** Why files of levels that are not too full are taken, most urgent first. */
const AGED_REASONS: readonly CompactionReason[] = ['FilesMarkedForCompaction', 'BottommostFiles', 'Ttl'];

interface AgedFile extends FileAtLevel {
  readonly reason: CompactionReason;
}

/**
 * The round-robin cursor after a compaction: the start level continues behind its last input. An internal key, owned by
 * the caller, or `undefined` when nothing was taken from that level.
 */
export function nextCompactCursor(
  comparator: Comparator,
  compaction: Compaction,
): { level: number; key: Uint8Array } | undefined {
  const { level, files } = compaction.inputs[0]!;
  let last: FileMetadata | undefined;
  for (const file of files) {
    if (!last || comparator.compare(rangeOfFile(file).largest, rangeOfFile(last).largest) > 0) last = file;
  }
  return last && { level, key: last.largest.slice() };
}
