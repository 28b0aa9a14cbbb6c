/** The table options of one job: what the level of its outputs decides is decided here, so that workers are told the result. */
import type { Compaction } from '../../compaction/compaction.ts';
import type { TableOptions } from '../../format/sst/table-options.ts';
import type { FamilyOptions } from './resolved-options.ts';

/** The level that a flush counts as where filters are chosen, apart from compactions within level 0. */
const FLUSH_LEVEL = -1;

/** FIFO compaction and none at all have no deep levels: their tables count as deepest, as in RocksDB. */
function filterLevelOf(options: FamilyOptions, level: number): number {
  const leveled = options.compactionStyle === 'level' || options.compactionStyle === 'universal';
  return leveled ? level : Number.POSITIVE_INFINITY;
}

function ofLevel0(options: FamilyOptions, filterLevel: number): TableOptions {
  const compression = options.compressionPerLevel[0] ?? options.compression;
  return { ...options.table, compression, filterLevel: filterLevelOf(options, filterLevel) };
}

/** Of a table that memtables are flushed to. */
export function flushTableOptions(options: FamilyOptions): TableOptions {
  return ofLevel0(options, FLUSH_LEVEL);
}

/** Of a table made of the logs during an open: in RocksDB no flush, but level 0. */
export function recoveryTableOptions(options: FamilyOptions): TableOptions {
  return ofLevel0(options, 0);
}

/** Of a compaction's outputs; their codec is in the plan. */
export function compactionTableOptions(options: FamilyOptions, compaction: Compaction): TableOptions {
  return {
    ...options.table,
    filterLevel: filterLevelOf(options, compaction.outputLevel),
    skipFilters: options.optimizeFiltersForHits && compaction.bottommost,
  };
}
