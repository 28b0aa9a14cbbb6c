/**
 * How full each level is. A score of 1 means the level is at its target; the picker serves the highest score first.
 * Level 0 is scored by its number of files (each one is read by every lookup) and by its size against the base level,
 * the others by size against their target.
 */
import type { CompactionPickerOptions } from './compaction-options.ts';
import { filesOf, type LevelsView, sizeOfLevel } from './levels-view.ts';
import type { RunningCompactions } from './running-compactions.ts';

/** Target sizes of the levels. */
export interface LevelTargets {
  /** The level that level 0 is compacted into. */
  readonly baseLevel: number;
  /** Bytes a level may hold, by level; index 0 is not used. */
  readonly maxBytes: readonly number[];
}

/** A level with its score. */
export interface LevelScore {
  readonly level: number;
  readonly score: number;
}

/**
 * Targets for the tree as it stands. Fixed: level 1 holds `maxBytesForLevelBase`, each deeper one a multiple of the
 * one above. Dynamic: the targets follow from the size of the largest level upward, so that nine tenths of the data
 * lie in the last level; levels above the base stay empty.
 */
export function levelTargets(view: LevelsView, options: CompactionPickerOptions): LevelTargets {
  return options.levelCompactionDynamicLevelBytes && options.compactionStyle === 'level'
    ? dynamicTargets(view, options)
    : fixedTargets(options);
}

function fixedTargets(options: CompactionPickerOptions): LevelTargets {
  const maxBytes: number[] = [options.maxBytesForLevelBase];
  for (let level = 1; level < options.numLevels; level++) {
    const above = maxBytes[level - 1]!;
    maxBytes.push(level === 1 ? above : above * options.maxBytesForLevelMultiplier);
  }
  return { baseLevel: 1, maxBytes };
}

function dynamicTargets(view: LevelsView, options: CompactionPickerOptions): LevelTargets {
  const { numLevels, maxBytesForLevelMultiplier: multiplier, maxBytesForLevelBase: baseMax } = options;
  const maxBytes = new Array<number>(numLevels).fill(Number.POSITIVE_INFINITY);
  let firstNonEmpty = 0;
  let largest = 0;
  for (let level = numLevels - 1; level >= 1; level--) {
    const bytes = sizeOfLevel(view, level);
    if (bytes > 0) firstNonEmpty = level;
    largest = Math.max(largest, bytes);
  }
  if (largest === 0) return { baseLevel: numLevels - 1, maxBytes };
  let size = largest;
  for (let level = numLevels - 2; level >= firstNonEmpty; level--) size /= multiplier;
  let baseLevel = firstNonEmpty;
  const baseMin = baseMax / multiplier;
  if (size <= baseMin) {
    size = baseMin + 1;
  } else {
    while (baseLevel > 1 && size > baseMax) {
      baseLevel--;
      size /= multiplier;
    }
    size = Math.min(size, baseMax);
  }
  for (let level = baseLevel; level < numLevels; level++) {
    // Never below the base's limit: else a tree thinner than level 0 would be served before level 0, which then stalls.
    maxBytes[level] = Math.max(Math.floor(size), baseMax);
    size *= multiplier;
  }
  return { baseLevel, maxBytes };
}

/** Scores of all levels that can be compacted into a deeper one, highest first; files of running compactions do not count. */
export function levelScores(
  view: LevelsView,
  options: CompactionPickerOptions,
  running: RunningCompactions,
  targets: LevelTargets,
): LevelScore[] {
  const scores: LevelScore[] = [{ level: 0, score: level0Score(view, options, running, targets) }];
  for (let level = 1; level < options.numLevels - 1; level++) {
    const bytes = running.idleBytes(view, level);
    scores.push({ level, score: bytes === 0 ? 0 : bytes / targets.maxBytes[level]! });
  }
  return scores.sort((a, b) => b.score - a.score || a.level - b.level);
}

function level0Score(
  view: LevelsView,
  options: CompactionPickerOptions,
  running: RunningCompactions,
  targets: LevelTargets,
): number {
  let count = 0;
  for (const file of filesOf(view, 0)) if (!running.isBusy(file)) count++;
  const bytes = running.idleBytes(view, 0);
  let score = count / options.level0FileNumCompactionTrigger;
  if (options.numLevels === 1) return score;
  if (!options.levelCompactionDynamicLevelBytes) return Math.max(score, bytes / options.maxBytesForLevelBase);
  if (bytes >= options.maxBytesForLevelBase) score = Math.max(score, 1.01);
  const baseBytes = targets.maxBytes[targets.baseLevel]!;
  return bytes > baseBytes ? Math.max(score, bytes / baseBytes) : score;
}

/**
 * RocksDB's `estimate-pending-compaction-bytes`: what must be rewritten until every level is at its target. Excess
 * flows down; each byte that moves drags along the fan-out of the next level. Write stalls are decided by it.
 */
export function estimatePendingCompactionBytes(view: LevelsView, options: CompactionPickerOptions): number {
  if (options.compactionStyle !== 'level') return 0;
  const targets = levelTargets(view, options);
  const level0 = filesOf(view, 0);
  let toNext = 0;
  let pending = 0;
  const level0Bytes = sizeOfLevel(view, 0);
  const triggered =
    level0.length >= options.level0FileNumCompactionTrigger || level0Bytes >= options.maxBytesForLevelBase;
  if (triggered) {
    toNext = level0Bytes;
    pending = level0Bytes + sizeOfLevel(view, targets.baseLevel);
  }
  for (let level = targets.baseLevel; level < options.numLevels - 1; level++) {
    const bytes = sizeOfLevel(view, level) + toNext;
    toNext = 0;
    const excess = bytes - targets.maxBytes[level]!;
    if (excess <= 0) continue;
    const nextBytes = sizeOfLevel(view, level + 1);
    toNext = excess;
    pending += excess * (nextBytes / bytes + 1);
  }
  return Math.round(pending);
}
