/**
 * A version: the tables of one column family at one time, level by level. Immutable and counted, because readers,
 * iterators and compactions keep using the version they began with while newer ones take its place.
 *
 * Level 0 is ordered newest first and its tables may overlap. In every other level the tables are ordered by key and do
 * not overlap in internal keys; two neighbours may share a user key.
 */
import { assert } from '../base/assert.ts';
import type { Comparator } from '../base/comparator.ts';
import { compareInternalKeys } from '../base/internal-key.ts';
import type { FileMetadata } from './file-metadata.ts';
import { rangeOfFile } from './file-range.ts';
import { hasExclusiveLargest, LevelBounds } from './level-bounds.ts';
import { levelFacts } from './level-facts.ts';

/** Levels are shared from version to version, and so are their bounds. */
const boundsOfLevels = new WeakMap<readonly FileMetadata[], LevelBounds>();

/** The tables of one family. Made by `VersionBuilder`, with one reference that belongs to the maker. */
export class Version {
  readonly comparator: Comparator;
  /** Tables by level; always as many levels as the family has, empty ones included. */
  readonly levels: readonly (readonly FileMetadata[])[];
  /** Of the levels that lookups asked for. */
  readonly #bounds: (LevelBounds | undefined)[];
  #references = 1;
  readonly #onRelease: ((version: Version) => void) | undefined;

  /** `onRelease` is called once, when the last reference is given up. REQUIRES levels in order (`VersionBuilder`). */
  constructor(
    comparator: Comparator,
    levels: readonly (readonly FileMetadata[])[],
    onRelease?: (version: Version) => void,
  ) {
    this.comparator = comparator;
    this.levels = levels;
    this.#bounds = levels.map(() => undefined);
    this.#onRelease = onRelease;
  }

  /** One more user of the version. */
  ref(): this {
    assert(this.#references > 0, 'a released version was referenced');
    this.#references++;
    return this;
  }

  /** One user less; the last one releases the version. */
  unref(): void {
    assert(this.#references > 0, 'a version was released twice');
    this.#references--;
    if (this.#references === 0) this.#onRelease?.(this);
  }

  get references(): number {
    return this.#references;
  }

  get levelCount(): number {
    return this.levels.length;
  }

  /** Number of tables in `level`. */
  fileCount(level: number): number {
    return this.levels[level]?.length ?? 0;
  }

  /** Number of tables in all levels. */
  get totalFileCount(): number {
    return this.levels.reduce((sum, files) => sum + files.length, 0);
  }

  /** Bytes of the tables in `level`. */
  levelBytes(level: number): number {
    const files = this.levels[level];
    return files === undefined ? 0 : levelFacts(files).sizeBytes;
  }

  /** Bytes of all tables. */
  get totalBytes(): number {
    return this.levels.reduce((sum, files) => sum + levelFacts(files).sizeBytes, 0);
  }

  /** Levels up to and including the deepest one that has tables. */
  get nonEmptyLevelCount(): number {
    let count = this.levels.length;
    while (count > 0 && this.fileCount(count - 1) === 0) count--;
    return count;
  }

  /** Level and metadata of a table by its number, or `undefined`. */
  findByNumber(number: number): { level: number; file: FileMetadata } | undefined {
    for (let level = 0; level < this.levels.length; level++) {
      for (const file of this.levels[level]!) if (file.number === number) return { level, file };
    }
    return undefined;
  }

  /**
   * Index of the first table of a sorted level whose largest key is at or behind `internalKey`; the number of tables when
   * there is none. The table may still begin behind the key.
   */
  findFile(level: number, internalKey: Uint8Array): number {
    const files = this.levels[level]!;
    let low = 0;
    let high = files.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareInternalKeys(this.comparator, files[middle]!.largest, internalKey) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Index of the first table of a sorted level that may hold `userKey` or something behind it. Where neighbours share the
   * user key it is the one with the newer entries.
   */
  findFileForUserKey(level: number, userKey: Uint8Array): number {
    return this.#boundsOf(level).find(userKey);
  }

  /** Index of the table of a sorted level whose range holds `userKey`, -1 if there is none. See `findFileForUserKey`. */
  findFileHolding(level: number, userKey: Uint8Array): number {
    return this.#boundsOf(level).findHolding(userKey);
  }

  /** Whether the range of the `index`th table of `level` holds `userKey`. */
  holdsUserKey(level: number, index: number, userKey: Uint8Array): boolean {
    return this.#boundsOf(level).holds(index, userKey);
  }

  /** Whether the file's range has a user key in [begin, end]; `undefined` is unbounded. */
  overlaps(file: FileMetadata, begin: Uint8Array | undefined, end: Uint8Array | undefined): boolean {
    if (begin !== undefined && this.#endsBefore(file, begin)) return false;
    return end === undefined || this.comparator.compare(rangeOfFile(file).smallest, end) <= 0;
  }

  /**
   * Tables of `level` with a user key in [begin, end], in the level's order. Nothing is widened: level-0 tables that
   * overlap the result but not the range are left out.
   */
  filesOverlapping(level: number, begin?: Uint8Array, end?: Uint8Array): FileMetadata[] {
    const files = this.levels[level] ?? [];
    if (level === 0) return files.filter((file) => this.overlaps(file, begin, end));
    const first = begin === undefined ? 0 : this.findFileForUserKey(level, begin);
    let last = first;
    while (last < files.length && this.overlaps(files[last]!, undefined, end)) last++;
    return files.slice(first, last);
  }

  /** Whether any table of `level` has a user key in [begin, end]. */
  overlapInLevel(level: number, begin?: Uint8Array, end?: Uint8Array): boolean {
    const files = this.levels[level] ?? [];
    if (level === 0) return files.some((file) => this.overlaps(file, begin, end));
    const first = files[begin === undefined ? 0 : this.findFileForUserKey(level, begin)];
    return first !== undefined && this.overlaps(first, undefined, end);
  }

  #boundsOf(level: number): LevelBounds {
    const known = this.#bounds[level];
    if (known !== undefined) return known;
    const files = this.levels[level]!;
    let bounds = boundsOfLevels.get(files);
    if (bounds === undefined) {
      bounds = new LevelBounds(this.comparator, files, level > 0);
      boundsOfLevels.set(files, bounds);
    }
    this.#bounds[level] = bounds;
    return bounds;
  }

  /** Whether every key of the file lies before `userKey`. */
  #endsBefore(file: FileMetadata, userKey: Uint8Array): boolean {
    const order = this.comparator.compare(rangeOfFile(file).largest, userKey);
    return order < 0 || (order === 0 && hasExclusiveLargest(file));
  }
}
