/**
 * The tree as a picker sees it: files by level, and the questions about key ranges that every compaction style asks.
 * Ranges are of user keys and closed at both ends; a largest key that is a range-tombstone sentinel counts as
 * inclusive, which can only make a compaction a little wider.
 */
import type { Comparator } from '../format/base/comparator.ts';
import { SENTINEL_SEQUENCE, sequenceOf, typeOf, ValueType } from '../format/base/internal-key.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../format/manifest/file-range.ts';
import { levelFacts } from '../format/manifest/level-facts.ts';
import type { UserKeyRange } from './compaction.ts';

/** The files of one version: level 0 newest first, the others in key order. */
export interface LevelsView {
  readonly levels: readonly (readonly FileMetadata[])[];
}

/** The files of a level; none beyond the last. */
export function filesOf(view: LevelsView, level: number): readonly FileMetadata[] {
  return view.levels[level] ?? [];
}

/** Sum of sizes in bytes. */
export function totalSize(files: readonly FileMetadata[]): number {
  let bytes = 0;
  for (const file of files) bytes += file.sizeBytes;
  return bytes;
}

/** Bytes of the files of a level. */
export function sizeOfLevel(view: LevelsView, level: number): number {
  return levelFacts(filesOf(view, level)).sizeBytes;
}

/** Number of levels up to and including the deepest one with files. */
export function nonEmptyLevelCount(view: LevelsView): number {
  let count = view.levels.length;
  while (count > 0 && view.levels[count - 1]!.length === 0) count--;
  return count;
}

/** The smallest range that holds all `files`; `undefined` for none. */
export function rangeOfFiles(comparator: Comparator, files: Iterable<FileMetadata>): UserKeyRange | undefined {
  let range: UserKeyRange | undefined;
  for (const file of files) range = unite(comparator, range, rangeOfFile(file));
  return range;
}

function unite(comparator: Comparator, a: UserKeyRange | undefined, b: UserKeyRange): UserKeyRange {
  if (!a) return b;
  return {
    smallest: comparator.compare(b.smallest, a.smallest) < 0 ? b.smallest : a.smallest,
    largest: comparator.compare(b.largest, a.largest) > 0 ? b.largest : a.largest,
  };
}

/** Whether two ranges share a user key. */
export function rangesOverlap(comparator: Comparator, a: UserKeyRange, b: UserKeyRange): boolean {
  return comparator.compare(a.smallest, b.largest) <= 0 && comparator.compare(b.smallest, a.largest) <= 0;
}

/** Index of the first file of a sorted level whose largest user key is >= `userKey`. */
function firstFileEndingAtOrAfter(comparator: Comparator, files: readonly FileMetadata[], userKey: Uint8Array): number {
  let low = 0;
  let high = files.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparator.compare(rangeOfFile(files[middle]!).largest, userKey) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether the level has this very file. */
export function isInLevel(view: LevelsView, comparator: Comparator, level: number, file: FileMetadata): boolean {
  const files = filesOf(view, level);
  if (level === 0) return files.some(({ number }) => number === file.number);
  const { largest } = rangeOfFile(file);
  for (let i = firstFileEndingAtOrAfter(comparator, files, largest); i < files.length; i++) {
    if (files[i]!.number === file.number) return true;
    if (comparator.compare(rangeOfFile(files[i]!).smallest, largest) > 0) return false;
  }
  return false;
}

/**
 * The files of a level that share a key with `range` (`undefined`: all). In level 0 the range grows with every file
 * found until nothing more overlaps, so that no older file with one of those keys stays behind.
 */
export function overlappingFiles(
  view: LevelsView,
  comparator: Comparator,
  level: number,
  range: UserKeyRange | undefined,
): FileMetadata[] {
  const files = filesOf(view, level);
  if (!range) return [...files];
  if (level === 0) return overlappingLevel0(comparator, files, range);
  const found: FileMetadata[] = [];
  for (let i = firstFileEndingAtOrAfter(comparator, files, range.smallest); i < files.length; i++) {
    if (comparator.compare(rangeOfFile(files[i]!).smallest, range.largest) > 0) break;
    found.push(files[i]!);
  }
  return found;
}

function overlappingLevel0(
  comparator: Comparator,
  files: readonly FileMetadata[],
  range: UserKeyRange,
): FileMetadata[] {
  const taken = new Set<FileMetadata>();
  let wide = range;
  for (let grown = true; grown; ) {
    grown = false;
    for (const file of files) {
      if (taken.has(file) || !rangesOverlap(comparator, rangeOfFile(file), wide)) continue;
      taken.add(file);
      wide = unite(comparator, wide, rangeOfFile(file));
      grown = true;
    }
  }
  return files.filter((file) => taken.has(file));
}

/** Whether a file's largest key is the exclusive sentinel of a range tombstone. */
export function endsWithSentinel(file: FileMetadata): boolean {
  return typeOf(file.largest) === ValueType.rangeDeletion && sequenceOf(file.largest) === SENTINEL_SEQUENCE;
}

/** Whether versions of one user key are spread over these neighbours of a sorted level. */
function sharesBoundaryKey(comparator: Comparator, left: FileMetadata, right: FileMetadata): boolean {
  return !endsWithSentinel(left) && comparator.compare(rangeOfFile(left).largest, rangeOfFile(right).smallest) === 0;
}

/**
 * Widens a stretch of neighbouring files until no user key is cut: compacting only the newer versions of a key would
 * put them below the older ones. Level 0 widens by overlap instead.
 */
export function expandToCleanCut(
  view: LevelsView,
  comparator: Comparator,
  level: number,
  files: readonly FileMetadata[],
): FileMetadata[] {
  if (files.length === 0) return [];
  if (level === 0) return overlappingFiles(view, comparator, 0, rangeOfFiles(comparator, files));
  const all = filesOf(view, level);
  let first = all.indexOf(files[0]!);
  let last = all.indexOf(files[files.length - 1]!);
  while (first > 0 && sharesBoundaryKey(comparator, all[first - 1]!, all[first]!)) first--;
  while (last + 1 < all.length && sharesBoundaryKey(comparator, all[last]!, all[last + 1]!)) last++;
  return all.slice(first, last + 1);
}

/** The longest clean-cut stretch of a sorted level that lies inside `range`. */
export function filesWithin(
  view: LevelsView,
  comparator: Comparator,
  level: number,
  range: UserKeyRange,
): FileMetadata[] {
  const all = filesOf(view, level);
  const inside = overlappingFiles(view, comparator, level, range).filter(
    (file) =>
      comparator.compare(rangeOfFile(file).smallest, range.smallest) >= 0 &&
      comparator.compare(rangeOfFile(file).largest, range.largest) <= 0,
  );
  if (level === 0) return inside;
  let first = inside.length > 0 ? all.indexOf(inside[0]!) : 0;
  let last = first + inside.length - 1;
  while (first <= last && first > 0 && sharesBoundaryKey(comparator, all[first - 1]!, all[first]!)) first++;
  while (last >= first && last + 1 < all.length && sharesBoundaryKey(comparator, all[last]!, all[last + 1]!)) last--;
  return all.slice(first, last + 1);
}

/** User-key ranges of `files`, in key order, merged where they touch. */
export function mergedRanges(comparator: Comparator, files: readonly FileMetadata[]): UserKeyRange[] {
  const ranges = files.map(rangeOfFile).sort((a, b) => comparator.compare(a.smallest, b.smallest));
  const merged: UserKeyRange[] = [];
  for (const range of ranges) {
    const last = merged[merged.length - 1];
    if (last && comparator.compare(range.smallest, last.largest) <= 0)
      merged[merged.length - 1] = unite(comparator, last, range);
    else merged.push(range);
  }
  return merged;
}
