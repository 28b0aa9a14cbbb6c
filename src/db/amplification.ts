/** The three amplifications of an open database, as measured since it was opened. */
import { TableStatsField } from '../../format/kernel/abi/block-cache.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';

/** How much more is read, written and stored than users ask for. */
export interface Amplification {
  /** Data blocks that a point read looked into, on average; before the first read: sorted runs that one may look into. */
  read: number;
  /** Bytes written to tables for each byte that users wrote; 0 before the first write. Logs are not in it. */
  write: number;
  /** Bytes of all tables for each byte of the last sorted runs, where every key stands once; 1 when there is no table. */
  space: number;
}

/** Measures. `lookups` is the number of point reads so far. */
export function measureAmplification(engine: Engine, lookups: number): Amplification {
  const families = [...engine.versions.families.values()].filter((family) => !family.dropped);
  const { flushedBytes, compactionWrittenBytes } = engine.context.totals;
  const accepted = engine.writes.acceptedBytes;
  return {
    read: lookups > 0 ? blocksLookedInto(engine) / lookups : Math.max(0, ...families.map(sortedRuns)),
    write: accepted > 0 ? (flushedBytes + compactionWrittenBytes) / accepted : 0,
    space: spaceOf(families),
  };
}

function blocksLookedInto(engine: Engine): number {
  const { f64 } = engine.kernel;
  const at = engine.caches.stats;
  return f64[(at + TableStatsField.dataBlockHits) >>> 3]! + f64[(at + TableStatsField.dataBlockMisses) >>> 3]!;
}

/** Level 0 has a run a file, every other level that has files is one. */
function sortedRuns({ version }: ColumnFamilyState): number {
  let runs = version.fileCount(0);
  for (let level = 1; level < version.levelCount; level++) if (version.fileCount(level) > 0) runs++;
  return runs;
}

function spaceOf(families: readonly ColumnFamilyState[]): number {
  let total = 0;
  let last = 0;
  for (const { version } of families) {
    total += version.totalBytes;
    const deepest = version.nonEmptyLevelCount - 1;
    if (deepest > 0) last += version.levelBytes(deepest);
    else if (deepest === 0) last += Math.max(...version.levels[0]!.map(({ sizeBytes }) => sizeBytes));
  }
  return last > 0 ? total / last : 1;
}
