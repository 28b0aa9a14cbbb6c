/**
 * Where a table from outside goes, by RocksDB's rule: from level 0 down, as deep as its range fits between the tables of a
 * level, and no deeper than the first level that holds one of its keys. What it lies above it must hide, so then it gets a new
 * sequence; else its entries keep sequence 0.
 */
import { levelTargets } from '../../../compaction/level-score.ts';
import { RunningCompactions } from '../../../compaction/running-compactions.ts';
import { DBError } from '../../../format/base/db-error.ts';
import type { Io } from '../../../format/base/io.ts';
import type { Version } from '../../../format/manifest/version.ts';
import { pickerOptions } from '../../options/picker-options.ts';
import type { ColumnFamilyState } from '../../version/column-family.ts';
import type { Engine } from '../engine.ts';
import type { ResolvedIngestOptions } from './ingest-options.ts';
import { overlapsTables } from './range-overlap.ts';
import type { StagedTable } from './staged-table.ts';

/** The place of one table. */
export interface Placement {
  readonly table: StagedTable;
  readonly level: number;
  readonly sequence: number;
}

/** What holds for all files of an ingestion. */
export interface PlacementRules {
  readonly options: ResolvedIngestOptions;
  /** The files overlap each other: each hides those before it. */
  readonly filesOverlap: boolean;
  /** Snapshots exist that must not see the files. */
  readonly newSequence: boolean;
  /** The newest sequence in use. */
  readonly lastSequence: number;
}

/** Places tables, in their order; each new sequence is used once. Reads blocks where keys must be looked at. */
export function* placeTables(
  engine: Engine,
  family: ColumnFamilyState,
  tables: readonly StagedTable[],
  rules: PlacementRules,
): Io<Placement[]> {
  const placements: Placement[] = [];
  let { lastSequence } = rules;
  const version = family.version.ref();
  try {
    for (const table of tables) {
      const { level, sequence } = yield* place(engine, family, version, table, { ...rules, lastSequence });
      requireBottom(family, level, rules);
      table.requireSequence(sequence, rules.options);
      placements.push({ table, level, sequence });
      lastSequence = Math.max(lastSequence, sequence);
    }
  } finally {
    version.unref();
  }
  return placements;
}

function requireBottom({ options }: ColumnFamilyState, level: number, rules: PlacementRules): void {
  if (!rules.options.failIfNotBottommostLevel || level === options.numLevels - 1) return;
  throw new DBError(
    'TRY_AGAIN',
    'Files cannot be ingested to Lmax. Please make sure key range of Lmax does not overlap with files to ingest.',
    { retryable: true },
  );
}

function* place(
  engine: Engine,
  family: ColumnFamilyState,
  version: Version,
  { range }: StagedTable,
  rules: PlacementRules,
): Io<{ level: number; sequence: number }> {
  const { compactionStyle } = family.options;
  const universal = compactionStyle === 'universal';
  const next = rules.lastSequence + 1;
  if (rules.filesOverlap || (rules.newSequence && universal)) return { level: 0, sequence: next };
  const running = new RunningCompactions(family.comparator, engine.background.compactionsOf(family));
  const { baseLevel } = levelTargets(version, pickerOptions(family.options));
  const levelCount = compactionStyle === 'fifo' ? 1 : version.levelCount;
  let sequence = rules.newSequence ? next : 0;
  let target = 0;
  for (let level = 0; level < levelCount; level++) {
    if (level > 0 && level < baseLevel) continue;
    const files = version.filesOverlapping(level, range.smallest, range.largest);
    const hidden = running.willWriteInto(level, range) || (yield* overlapsTables(engine, family, files, range));
    if (hidden) return { level: target, sequence: sequence === 0 ? next : sequence };
    if (level > 0 && files.length > 0) continue;
    if (universal && level > 0) {
      // A level is one sorted run there, between those above and below in sequences, too.
      const newest = version.levels[level]!.reduce((most, file) => Math.max(most, file.largestSequence), 0);
      if (newest === 0) continue;
      sequence = newest;
    }
    target = level;
  }
  return { level: target, sequence };
}
