/** What `getProperty` knows, under RocksDB's names. */
import { estimatePendingCompactionBytes } from '../../compaction/level-score.ts';
import { invalidArgument } from '../../format/base/db-error.ts';
import { pickerOptions } from '../options/picker-options.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';

type IntProperty = (engine: Engine, family: ColumnFamilyState) => number;

function openReaders(
  engine: Engine,
  family: ColumnFamilyState,
): { entries: number; deletions: number; memory: number } {
  let entries = 0;
  let deletions = 0;
  let memory = 0;
  for (const file of family.version.levels.flat()) {
    const reader = engine.tables.find(file.number);
    if (reader === undefined) continue;
    entries += reader.properties.numEntries;
    deletions += reader.properties.numDeletions;
    memory += reader.memoryUsage;
  }
  return { entries, deletions, memory };
}

function memtableEntries(family: ColumnFamilyState): number {
  return family.immutables.reduce((sum, { entryCount }) => sum + entryCount, family.active.entryCount);
}

function cacheStat(name: 'capacity' | 'usage' | 'pinnedUsage'): IntProperty {
  return (engine, family) => engine.caches.cacheOf(family.options)?.[name] ?? 0;
}

const INT_PROPERTIES: ReadonlyMap<string, IntProperty> = new Map<string, IntProperty>([
  ['num-immutable-mem-table', (_e, f) => f.immutables.length],
  ['mem-table-flush-pending', (_e, f) => (f.immutables.length > 0 ? 1 : 0)],
  ['num-running-flushes', (e) => e.background.runningFlushCount],
  ['num-running-compactions', (e) => e.background.runningCompactionCount],
  ['compaction-pending', (e, f) => (e.background.compactionsOf(f).length > 0 ? 1 : 0)],
  ['background-errors', (e) => (e.errors.error === undefined ? 0 : 1)],
  ['cur-size-active-mem-table', (_e, f) => f.active.bytes],
  ['cur-size-all-mem-tables', (_e, f) => f.immutables.reduce((sum, { bytes }) => sum + bytes, f.active.bytes)],
  ['size-all-mem-tables', (_e, f) => f.immutables.reduce((sum, { bytes }) => sum + bytes, f.active.bytes)],
  ['num-entries-active-mem-table', (_e, f) => f.active.entryCount],
  ['num-entries-imm-mem-tables', (_e, f) => f.immutables.reduce((sum, { entryCount }) => sum + entryCount, 0)],
  [
    'estimate-num-keys',
    (e, f) => {
      const { entries, deletions } = openReaders(e, f);
      return Math.max(0, entries + memtableEntries(f) - 2 * deletions);
    },
  ],
  ['estimate-table-readers-mem', (e, f) => openReaders(e, f).memory],
  ['estimate-live-data-size', (_e, f) => f.version.totalBytes],
  ['is-file-deletions-enabled', (e) => (e.obsolete.isSuspended ? 0 : 1)],
  ['num-snapshots', (e) => e.snapshots.count],
  ['oldest-snapshot-sequence', (e) => e.snapshots.oldest ?? 0],
  ['num-live-versions', (_e, f) => f.version.references],
  ['current-super-version-number', (_e, f) => f.version.references],
  ['total-sst-files-size', (_e, f) => f.version.totalBytes],
  ['live-sst-files-size', (_e, f) => f.version.totalBytes],
  ['base-level', (_e, f) => firstLevelWithFiles(f)],
  ['estimate-pending-compaction-bytes', (_e, f) => estimatePendingCompactionBytes(f.version, pickerOptions(f.options))],
  [
    'actual-delayed-write-rate',
    (e) => (e.writes.controller.condition === 'delayed' ? e.writes.controller.delayedWriteRate : 0),
  ],
  ['is-write-stopped', (e) => (e.writes.controller.condition === 'stopped' ? 1 : 0)],
  ['block-cache-capacity', cacheStat('capacity')],
  ['block-cache-usage', cacheStat('usage')],
  ['block-cache-pinned-usage', cacheStat('pinnedUsage')],
  ['min-log-number-to-keep', (e) => e.versions.minLogNumberToKeep],
]);

function firstLevelWithFiles(family: ColumnFamilyState): number {
  for (let level = 1; level < family.version.levelCount; level++) if (family.version.fileCount(level) > 0) return level;
  return family.version.levelCount - 1;
}

function levelStats(family: ColumnFamilyState): string {
  const lines = ['Level Files Size(MB)', '--------------------'];
  for (let level = 0; level < family.version.levelCount; level++) {
    const megabytes = (family.version.levelBytes(level) / 1048576).toFixed(0);
    lines.push(
      `${String(level).padStart(3)} ${String(family.version.fileCount(level)).padStart(8)} ${megabytes.padStart(8)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function sstables(family: ColumnFamilyState): string {
  const lines: string[] = [];
  family.version.levels.forEach((files, level) => {
    lines.push(`--- level ${level} --- version# 1 ---`);
    for (const file of files)
      lines.push(` ${file.number}:${file.sizeBytes}[${file.smallestSequence} .. ${file.largestSequence}]`);
  });
  return `${lines.join('\n')}\n`;
}

function stats(engine: Engine, family: ColumnFamilyState): string {
  const stall = engine.writes.controller.condition;
  return [
    `** Compaction Stats [${family.name}] **`,
    levelStats(family),
    `Write stall: ${stall}`,
    `Snapshots: ${engine.snapshots.count}`,
    `Pending compaction bytes: ${estimatePendingCompactionBytes(family.version, pickerOptions(family.options))}`,
    engine.context.statistics?.toString() ?? '',
  ].join('\n');
}

/** The name without `rocksdb.`, or `undefined` for a name of another kind. */
function shortName(name: string): string | undefined {
  if (typeof name !== 'string') throw invalidArgument('the name of a property must be a string');
  return name.startsWith('rocksdb.') ? name.slice('rocksdb.'.length) : undefined;
}

/** An integer property, or `undefined` for an unknown name. */
export function intProperty(engine: Engine, family: ColumnFamilyState, name: string): number | undefined {
  const short = shortName(name);
  return short === undefined ? undefined : INT_PROPERTIES.get(short)?.(engine, family);
}

/** A property as text, or `undefined` for an unknown name. */
export function textProperty(engine: Engine, family: ColumnFamilyState, name: string): string | undefined {
  const short = shortName(name);
  if (short === undefined) return undefined;
  const files = /^num-files-at-level(\d+)$/.exec(short);
  if (files !== null) {
    const level = Number(files[1]);
    return level < family.version.levelCount ? String(family.version.fileCount(level)) : undefined;
  }
  if (short === 'levelstats') return levelStats(family);
  if (short === 'sstables') return sstables(family);
  if (short === 'stats' || short === 'cfstats' || short === 'dbstats') return stats(engine, family);
  if (short === 'options-statistics') return engine.context.statistics?.toString();
  return INT_PROPERTIES.get(short)?.(engine, family).toString();
}

/** A property of several values, or `undefined` for an unknown name. */
export function mapProperty(
  engine: Engine,
  family: ColumnFamilyState,
  name: string,
): Record<string, string> | undefined {
  const short = shortName(name);
  if (short !== 'cfstats' && short !== 'levelstats') return undefined;
  const result: Record<string, string> = {};
  for (let level = 0; level < family.version.levelCount; level++) {
    result[`L${level}.files`] = String(family.version.fileCount(level));
    result[`L${level}.bytes`] = String(family.version.levelBytes(level));
  }
  result['write.stall'] = engine.writes.controller.condition;
  return result;
}
