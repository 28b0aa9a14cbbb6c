/** The sorted runs that an iterator of one family merges, newest first, and the range tombstones that it meets in them. */
import type { CursorSource } from '../../format/base/cursor-source.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import { FragmentedTombstones, layTombstoneRows, type RangeTombstone } from '../../format/iterator/range-tombstones.ts';
import { TableStatsField } from '../../format/kernel/abi/block-cache.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import type { TableReader } from '../../format/sst/table-reader.ts';
import { countTableStat } from '../../format/sst/table-stats.ts';
import type { MemTable } from '../memtable/memtable.ts';
import { PrefixFilteredSource } from '../memtable/prefix-filtered-source.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { SuperVersion } from '../version/super-version.ts';
import { LevelSource, type LevelTables } from './level-source.ts';
import type { TableAccess } from './point-lookup.ts';
import { memtableFragments, tableFragments } from './tombstones.ts';

/** How the runs are read. */
export interface SourceOptions {
  fillCache: boolean;
  verifyChecksums: boolean;
  /** Iterate hashed memtables in full order. */
  totalOrder: boolean;
  /** Only entries with the prefix of a seek's target count. */
  prefix: SliceTransform | undefined;
}

/** The tombstones of the memtables and of every table entered so far, as one list in kernel memory for the read iterator. */
export class TombstoneView {
  readonly #kernel: Kernel;
  readonly #family: ColumnFamilyState;
  readonly #snapshot: number;
  readonly #seen = new Set<number>();
  readonly #parts: RangeTombstone[] = [];
  #rows = 0;
  #count = 0;
  #stale = false;

  constructor(kernel: Kernel, family: ColumnFamilyState, view: SuperVersion, snapshot: number) {
    this.#kernel = kernel;
    this.#family = family;
    this.#snapshot = snapshot;
    for (const memtable of view.memtables) this.#add(memtableFragments(memtable, family.comparator));
  }

  /** Takes in a table's tombstones, once. */
  enter(file: FileMetadata, reader: TableReader): void {
    if (reader.rangeTombstones.length === 0 || this.#seen.has(file.number)) return;
    this.#seen.add(file.number);
    this.#add(tableFragments(reader, file, this.#family.comparator));
  }

  /** Whether the rows must be given to the kernel again (`lay`). */
  get isStale(): boolean {
    return this.#stale;
  }

  /** Lays the rows out; they live until the next call or `close`. */
  lay(): { rows: number; count: number } {
    const merged = new FragmentedTombstones(this.#family.comparator, this.#parts).visibleAt(this.#snapshot);
    this.#kernel.free(this.#rows);
    this.#rows = layTombstoneRows(this.#kernel, merged);
    this.#count = merged.length;
    this.#stale = false;
    return { rows: this.#rows, count: this.#count };
  }

  close(): void {
    this.#kernel.free(this.#rows);
    this.#rows = 0;
  }

  #add(fragments: FragmentedTombstones | undefined): void {
    if (fragments === undefined) return;
    const visible = fragments.visibleAt(this.#snapshot);
    if (visible.length === 0) return;
    this.#parts.push(...visible);
    this.#stale = true;
  }
}

function memtableSource(kernel: Kernel, memtable: MemTable, options: SourceOptions): CursorSource {
  const source = memtable.source(options.totalOrder);
  if (options.prefix === undefined || memtable.filter === undefined) return source;
  return new PrefixFilteredSource(kernel, source, memtable.filter);
}

/** Makes the runs of `view`; the caller owns them. */
export function makeSources(
  kernel: Kernel,
  access: TableAccess,
  family: ColumnFamilyState,
  view: SuperVersion,
  tombstones: TombstoneView,
  options: SourceOptions,
): CursorSource[] {
  const sources: CursorSource[] = view.memtables
    .filter((memtable, i) => i === 0 || memtable.entryCount > 0)
    .map((memtable) => memtableSource(kernel, memtable, options));
  const opening = access.openingOf(family);
  const tables: LevelTables = {
    find: (file) => access.tables.find(file.number),
    open: (file) => access.tables.open(file, opening),
    onEnter: (file, reader) => tombstones.enter(file, reader),
    prefix: options.prefix,
    onPrefixAsked: (reader, excluded) => {
      if (!reader.hasPrefixFilter) return;
      countTableStat(opening.stats, TableStatsField.prefixChecked);
      if (excluded) countTableStat(opening.stats, TableStatsField.prefixUseful);
    },
  };
  const run = (files: readonly FileMetadata[]): LevelSource =>
    new LevelSource(family.comparator, files, tables, {
      fillCache: options.fillCache,
      verifyChecksums: options.verifyChecksums,
    });
  for (const file of view.version.levels[0]!) sources.push(run([file]));
  for (const files of view.version.levels.slice(1)) if (files.length > 0) sources.push(run(files));
  return sources;
}
