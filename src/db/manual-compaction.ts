/** Compactions that users ask for: `compactRange` level by level, `compactFiles` as they are named. */

import type { CompactionResult } from '../../compaction/compaction-result.ts';
import { type ManualPick, ManualPicker } from '../../compaction/manual-picker.ts';
import { copyOf } from '../../format/base/bytes.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { parseFileName, tableFileName } from '../../format/manifest/file-name.ts';
import { pickerOptions } from '../options/picker-options.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { CompactRangeOptions } from './column-family-handle.ts';
import type { Engine } from './engine.ts';
import { checkBytes, toBytes } from './read-options.ts';

/** Names that `compactRange` takes. */
const RANGE_OPTIONS = ['begin', 'end', 'changeLevel', 'targetLevel', 'bottommostLevelCompaction', 'maxSubcompactions'];

interface UserRange {
  begin: Uint8Array | undefined;
  end: Uint8Array | undefined;
}

/** Manual compactions of one database. */
export class ManualCompaction {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Flushes, then moves every entry of the range to the deepest level that holds any of it. */
  async compactRange(family: ColumnFamilyState, options: CompactRangeOptions): Promise<void> {
    const range = userRange(family, options);
    const most = subcompactionsOf(options);
    this.#requireWritable();
    await this.#engine.flush([family]);
    if (family.options.compactionStyle === 'level') await this.#compactLevels(family, range, options, most);
    else if (family.options.compactionStyle === 'universal') await this.#compactAll(family, most);
    if (options.changeLevel === true) await this.#changeLevel(family, range, options.targetLevel);
    // Who compacts to get space back, or old bytes off the disk, finds them gone.
    await this.#engine.obsolete.idle();
  }

  /** Compacts these tables, by name or number, into one level. Returns the names of the new ones. */
  async compactFiles(family: ColumnFamilyState, files: readonly string[], outputLevel: number): Promise<string[]> {
    this.#requireWritable();
    if (!Array.isArray(files) || files.length === 0) throw invalidArgument('compactFiles takes the names of tables');
    const numbers = files.map(fileNumberOf);
    const picker = new ManualPicker(pickerOptions(family.options), family.comparator);
    const compaction = picker.pickFiles(this.#engine.background.pickContext(family), numbers, outputLevel);
    const result = await this.#engine.background.runManual(family, compaction);
    return (result?.outputs ?? []).map(({ number }) => tableFileName(number));
  }

  #requireWritable(): void {
    this.#engine.requireOpen();
    if (this.#engine.readOnly) throw new DBError('READ_ONLY', 'the database was opened with readOnly');
    this.#engine.writes.checkWritable();
  }

  async #compactLevels(
    family: ColumnFamilyState,
    range: UserRange,
    options: CompactRangeOptions,
    most: number | undefined,
  ): Promise<void> {
    const rewrite = rewritesBottom(family, options);
    const { version } = family;
    let deepest = 0;
    for (let level = 0; level < version.levelCount; level++) {
      if (version.overlapInLevel(level, range.begin, range.end)) deepest = level;
    }
    for (let level = 0; level < Math.max(1, deepest); level++)
      await this.#compactLevel(family, level, level + 1, range, most);
    // What came from above was merged with the last level on the way; the rest of it is rewritten only if asked for.
    if (rewrite && deepest > 0) await this.#compactLevel(family, deepest, deepest, range, most);
  }

  async #compactLevel(
    family: ColumnFamilyState,
    level: number,
    outputLevel: number,
    range: UserRange,
    most: number | undefined,
  ): Promise<void> {
    let begin = range.begin;
    for (;;) {
      const picker = new ManualPicker(pickerOptions(family.options), family.comparator);
      const request = { level, outputLevel, begin, end: range.end, forceRewrite: level === outputLevel };
      const pick: ManualPick = picker.pickRange(this.#engine.background.pickContext(family), request);
      if (pick.outcome === 'nothing') return;
      if (pick.outcome === 'conflict') {
        await this.#engine.background.whenChanged();
        this.#requireWritable();
        continue;
      }
      await this.#engine.background.runManual(family, pick.compaction, most);
      if (pick.nextBegin === undefined) return;
      begin = pick.nextBegin;
    }
  }

  /** Every sorted run into one. */
  async #compactAll(family: ColumnFamilyState, most: number | undefined): Promise<CompactionResult | undefined> {
    const { background } = this.#engine;
    for (;;) {
      const numbers = family.version.levels.flat().map(({ number }) => number);
      if (numbers.length === 0) return undefined;
      if (background.compactionsOf(family).length > 0) {
        await background.whenChanged();
        this.#requireWritable();
        continue;
      }
      const picker = new ManualPicker(pickerOptions(family.options), family.comparator);
      const compaction = picker.pickFiles(background.pickContext(family), numbers, family.options.numLevels - 1);
      return background.runManual(family, compaction, most);
    }
  }

  /** Moves the tables of a range, which one level holds, up or down in the MANIFEST alone. */
  async #changeLevel(family: ColumnFamilyState, range: UserRange, target: number | undefined): Promise<void> {
    await refitLevel(this.#engine, family, range, target);
  }
}

/** Moves files between levels where nothing lies between. */
async function refitLevel(
  engine: Engine,
  family: ColumnFamilyState,
  range: UserRange,
  target: number | undefined,
): Promise<void> {
  const { version } = family;
  let from = -1;
  for (let level = 1; level < version.levelCount; level++) {
    if (version.overlapInLevel(level, range.begin, range.end)) from = level;
  }
  if (from < 0) return;
  let to = target ?? from;
  if (target === undefined) while (to > 1 && version.fileCount(to - 1) === 0) to--;
  const between = Array.from({ length: Math.abs(from - to) }, (_, i) => (to < from ? to + i : from + 1 + i));
  if (to === from) return;
  if (between.some((level) => version.fileCount(level) > 0)) {
    throw new DBError('NOT_SUPPORTED', `compactRange: levels between ${from} and ${to} are not empty`);
  }
  const files = version.levels[from]!.map(({ number }) => number);
  await engine.background.moveFiles(family, files, from, to);
}

function userRange(family: ColumnFamilyState, options: CompactRangeOptions): UserRange {
  if (typeof options !== 'object' || options === null) throw invalidArgument('compactRange options must be an object');
  for (const name of Object.keys(options)) {
    if (!RANGE_OPTIONS.includes(name)) {
      throw invalidArgument(`${name} is not an option of compactRange`);
    }
  }
  const { begin, end, targetLevel } = options;
  if (begin !== undefined) checkBytes(begin, 'begin');
  if (end !== undefined) checkBytes(end, 'end');
  const { numLevels } = family.options;
  if (targetLevel !== undefined && !(Number.isInteger(targetLevel) && targetLevel >= 1 && targetLevel < numLevels)) {
    throw invalidArgument(`targetLevel must be from 1 to ${numLevels - 1}`);
  }
  return {
    begin: begin === undefined ? undefined : copyOf(toBytes(begin)),
    end: end === undefined ? undefined : copyOf(toBytes(end)),
  };
}

/** `undefined`: as the database's option says. */
function subcompactionsOf({ maxSubcompactions = 0 }: CompactRangeOptions): number | undefined {
  if (!(Number.isInteger(maxSubcompactions) && maxSubcompactions >= 0)) {
    throw invalidArgument('maxSubcompactions must be a whole number; 0 takes the option of the database');
  }
  return maxSubcompactions === 0 ? undefined : maxSubcompactions;
}

function rewritesBottom(family: ColumnFamilyState, options: CompactRangeOptions): boolean {
  const choice = options.bottommostLevelCompaction ?? 'ifHaveCompactionFilter';
  if (!['skip', 'ifHaveCompactionFilter', 'force'].includes(choice)) {
    throw invalidArgument("bottommostLevelCompaction must be 'skip', 'ifHaveCompactionFilter' or 'force'");
  }
  if (choice === 'force') return true;
  const { compactionFilter, compactionFilterFactory } = family.options;
  return (
    choice === 'ifHaveCompactionFilter' && (compactionFilter !== undefined || compactionFilterFactory !== undefined)
  );
}

/** The number of a table named as the API names it: `000012.sst`, with or without a leading slash. */
export function fileNumberOf(name: string): number {
  const parsed = typeof name === 'string' ? parseFileName(name.replace(/^\//, '')) : undefined;
  if (parsed?.kind !== 'table') throw invalidArgument(`${JSON.stringify(name)} is not the name of a table`);
  return parsed.number;
}
