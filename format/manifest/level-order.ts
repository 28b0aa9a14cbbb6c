/**
 * The order of tables within a level, and the rules that a level must keep (`format/README.md`, "Order within levels").
 * RocksDB refuses a database that breaks them, and so do we: a read through levels in disorder gives wrong answers.
 */
import type { Comparator } from '../base/comparator.ts';
import { corruption } from '../base/db-error.ts';
import { compareInternalKeys } from '../base/internal-key.ts';
import type { FileMetadata } from './file-metadata.ts';

/** How the tables of a level 0 are ordered; all of one level by the same rule. */
export type LevelZeroRule = 'epoch' | 'sequence' | 'number';

/**
 * The rule for these tables: by file number when a sequence range is not known (LevelDB), by epoch when every table has
 * one (newer RocksDB), else by sequence.
 */
export function levelZeroRule(files: readonly FileMetadata[]): LevelZeroRule {
  if (files.some((file) => !file.sequencesKnown)) return 'number';
  return files.every((file) => file.epochNumber !== undefined) ? 'epoch' : 'sequence';
}

/** Newest first. */
export function sortLevelZero(files: FileMetadata[]): FileMetadata[] {
  const rule = levelZeroRule(files);
  if (rule === 'number') return files.sort((a, b) => b.number - a.number);
  if (rule === 'epoch') return files.sort((a, b) => b.epochNumber! - a.epochNumber! || compareBySequence(a, b));
  return files.sort(compareBySequence);
}

function compareBySequence(a: FileMetadata, b: FileMetadata): number {
  return b.largestSequence - a.largestSequence || b.smallestSequence - a.smallestSequence || b.number - a.number;
}

/**
 * A level from 1 on with `added` in their places; `sorted`, the level before, was checked when it was made, so only what
 * stands beside the new tables is. `CORRUPTION` as of `checkLevel`.
 */
export function insertByKey(
  level: number,
  sorted: readonly FileMetadata[],
  added: FileMetadata[],
  comparator: Comparator,
): readonly FileMetadata[] {
  const compare = (a: FileMetadata, b: FileMetadata): number =>
    compareInternalKeys(comparator, a.smallest, b.smallest) || a.number - b.number;
  const result: FileMetadata[] = [];
  let from = 0;
  for (const file of added.sort(compare)) {
    checkFile(level, file, comparator);
    const to = lowerBound(sorted, from, (other) => compare(other, file) < 0);
    for (; from < to; from++) result.push(sorted[from]!);
    const before = result.at(-1);
    if (before !== undefined) checkKeyOrder(level, before, file, comparator);
    const behind = sorted[from];
    if (behind !== undefined) checkKeyOrder(level, file, behind, comparator);
    result.push(file);
  }
  for (; from < sorted.length; from++) result.push(sorted[from]!);
  return result;
}

/** Index, from `low` on, of the first table that does not come before. */
function lowerBound(files: readonly FileMetadata[], low: number, isBefore: (file: FileMetadata) => boolean): number {
  let high = files.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(files[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Checks a sorted level; `CORRUPTION` names the two tables that contradict each other, not their keys. */
export function checkLevel(level: number, files: readonly FileMetadata[], comparator: Comparator): void {
  const rule = level === 0 ? levelZeroRule(files) : undefined;
  for (const file of files) checkFile(level, file, comparator);
  for (let i = 1; i < files.length; i++) {
    if (rule === undefined) checkKeyOrder(level, files[i - 1]!, files[i]!, comparator);
    else if (rule === 'sequence') checkSequenceOrder(files[i - 1]!, files[i]!);
    else if (rule === 'epoch') checkEpochOrder(files[i - 1]!, files[i]!);
  }
}

function checkFile(level: number, file: FileMetadata, comparator: Comparator): void {
  if (compareInternalKeys(comparator, file.smallest, file.largest) <= 0) return;
  throw corruption(`VersionBuilder: L${level} file #${file.number} has its smallest key behind its largest key`);
}

function checkKeyOrder(level: number, a: FileMetadata, b: FileMetadata, comparator: Comparator): void {
  if (compareInternalKeys(comparator, a.largest, b.smallest) < 0) return;
  throw corruption(
    `force_consistency_checks: VersionBuilder: L${level} has overlapping ranges: ` +
      `file #${a.number} largest key vs. file #${b.number} smallest key`,
  );
}

/** `a` is the newer. A table with one sequence for all keys was ingested and may stand between the others' sequences. */
function checkSequenceOrder(a: FileMetadata, b: FileMetadata): void {
  if (b.smallestSequence === b.largestSequence) {
    if (b.smallestSequence === 0 || b.smallestSequence < a.largestSequence) return;
  } else if (a.smallestSequence > b.smallestSequence) return;
  throw corruption(
    `force_consistency_checks: VersionBuilder: L0 file #${a.number} with seqno ${a.smallestSequence} ` +
      `${a.largestSequence} vs. file #${b.number} with seqno ${b.smallestSequence} ${b.largestSequence}`,
  );
}

/** Tables of one flush may share an epoch; then their sequences decide, as RocksDB's order does. */
function checkEpochOrder(a: FileMetadata, b: FileMetadata): void {
  if (a.epochNumber! >= b.epochNumber!) return;
  throw corruption(
    `force_consistency_checks: VersionBuilder: L0 file #${a.number} with epoch ${a.epochNumber} ` +
      `vs. file #${b.number} with epoch ${b.epochNumber}`,
  );
}
