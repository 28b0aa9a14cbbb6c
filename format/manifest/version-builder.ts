/**
 * Makes a version from an earlier one and the edits since. Levels that no edit touched are shared with the earlier
 * version, so an edit costs the size of the levels it names, not of the tree.
 */
import type { Comparator } from '../base/comparator.ts';
import { corruption } from '../base/db-error.ts';
import type { FileMetadata } from './file-metadata.ts';
import { levelFacts } from './level-facts.ts';
import { checkLevel, insertByKey, sortLevelZero } from './level-order.ts';
import { Version } from './version.ts';
import type { VersionEdit } from './version-edit.ts';

interface LevelDelta {
  /** Numbers of tables of the base that are gone. */
  readonly removed: Set<number>;
  readonly added: Map<number, FileMetadata>;
}

/** Collects edits of one family over a base version. */
export class VersionBuilder {
  readonly #base: readonly (readonly FileMetadata[])[];
  readonly #deltas = new Map<number, LevelDelta>();
  /** Level of each table that an edit added and none removed. */
  readonly #addedLevels = new Map<number, number>();

  /** `base` is borrowed until `finish`; none is an empty tree. */
  constructor(base?: Version) {
    this.#base = base?.levels ?? [];
  }

  /**
   * Applies the tables of `edit`: first those it deletes, then those it adds. `CORRUPTION` when a deleted table is not at
   * that level or an added one is already in the tree; the builder must not be used after that.
   */
  apply(edit: VersionEdit): void {
    for (const { level, number } of edit.deletedFiles) this.#remove(level, number);
    for (const { level, file } of edit.newFiles) this.#add(level, file);
  }

  /**
   * The new version, of `levelCount` levels. `CORRUPTION` when a level is out of order, or when a table lies deeper than
   * that.
   */
  finish(comparator: Comparator, levelCount: number, onRelease?: (version: Version) => void): Version {
    const levels: (readonly FileMetadata[])[] = [];
    for (let level = 0; level < levelCount; level++) {
      const delta = this.#deltas.get(level);
      levels.push(delta === undefined ? (this.#base[level] ?? []) : this.#merge(level, delta, comparator));
    }
    this.#checkDepth(levelCount);
    return new Version(comparator, levels, onRelease);
  }

  /** Numbers of the tables that edits added and none removed. */
  addedNumbers(): number[] {
    return [...this.#addedLevels.keys()];
  }

  /** Level of the table with this number as the edits leave it, `undefined` when it is in none. */
  levelOf(number: number): number | undefined {
    const added = this.#addedLevels.get(number);
    if (added !== undefined) return added;
    for (let level = 0; level < this.#base.length; level++) {
      if (this.#deltas.get(level)?.removed.has(number)) continue;
      if (levelFacts(this.#base[level]!).numbers.includes(number)) return level;
    }
    return undefined;
  }

  #checkDepth(levelCount: number): void {
    const depth = Math.max(this.#base.length, ...[...this.#deltas.keys()].map((level) => level + 1));
    for (let level = levelCount; level < depth; level++) {
      const left = (this.#base[level]?.length ?? 0) - (this.#deltas.get(level)?.removed.size ?? 0);
      if (left + (this.#deltas.get(level)?.added.size ?? 0) > 0)
        throw corruption(`VersionBuilder: level ${level} has tables, but the column family has ${levelCount} levels`);
    }
  }

  #merge(level: number, delta: LevelDelta, comparator: Comparator): readonly FileMetadata[] {
    const base = this.#base[level] ?? [];
    const left = delta.removed.size === 0 ? base : base.filter((file) => !delta.removed.has(file.number));
    const added = [...delta.added.values()];
    if (level > 0) return insertByKey(level, left, added, comparator);
    const sorted = sortLevelZero([...left, ...added]);
    checkLevel(level, sorted, comparator);
    return sorted;
  }

  #remove(level: number, number: number): void {
    const current = this.levelOf(number);
    if (current !== level)
      throw corruption(
        `VersionBuilder: Cannot delete table file #${number} from level ${level} since it is ${
          current === undefined ? 'not in the LSM tree' : `on level ${current}`
        }`,
      );
    const delta = this.#delta(level);
    if (delta.added.delete(number)) this.#addedLevels.delete(number);
    else delta.removed.add(number);
  }

  #add(level: number, file: FileMetadata): void {
    const current = this.levelOf(file.number);
    if (current !== undefined)
      throw corruption(
        `VersionBuilder: Cannot add table file #${file.number} to level ${level} since it is already in the LSM tree${
          current === level ? '' : ` on level ${current}`
        }`,
      );
    this.#delta(level).added.set(file.number, file);
    this.#addedLevels.set(file.number, level);
  }

  #delta(level: number): LevelDelta {
    let delta = this.#deltas.get(level);
    if (delta === undefined) {
      delta = { removed: new Set(), added: new Map() };
      this.#deltas.set(level, delta);
    }
    return delta;
  }
}
