/** What `getProperty` knows, under RocksDB's names. */
import { estimatePendingCompactionBytes } from '../../compaction/level-score.ts';
import { invalidArgument } from '../../format/base/db-error.ts';
import { crc32c } from '../../format/kernel/crc32c-choice.ts';
import { rangeOfFile } from '../../format/manifest/file-range.ts';
import type { MemTable } from '../memtable/memtable.ts';
import { pickerOptions } from '../options/picker-options.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import { dbStatsMap, dbStatsText } from './db-stats.ts';
import type { Engine } from './engine.ts';
import { familyStatsMap, familyStatsText } from './family-stats.ts';
import { aggregatedText, compressionRatio, entrySums, sumProperties } from './table-sums.ts';

type IntProperty = (engine: Engine, family: ColumnFamilyState) => number;

function tableReadersMemory(engine: Engine, family: ColumnFamilyState): number {
  let memory = 0;
  for (const file of family.version.levels.flat()) memory += engine.tables.find(file.number)?.memoryUsage ?? 0;
  return memory;
}

/** Point deletions in memtables; those of memtables in JavaScript are not counted. */
function deletionsIn(engine: Engine, memtables: readonly MemTable[]): number {
  let sum = 0;
  for (const { kernelAddress } of memtables) {
    if (kernelAddress !== 0) sum += engine.kernel.x.memtableDeletes(kernelAddress);
  }
  return sum;
}

function estimateKeys(engine: Engine, family: ColumnFamilyState): number {
  const { entries, deletions } = entrySums(engine, family);
  const pending = deletionsIn(engine, [family.active, ...family.immutables]);
  return Math.max(0, entries + memtableEntries(family) - 2 * (deletions + pending));
}

/** Bytes of the tables whose keys no deeper table may have, from the last level upward: what a full compaction would leave. */
function estimateLiveBytes({ version }: ColumnFamilyState): number {
  let sum = 0;
  for (let level = version.levelCount - 1; level >= 0; level--) {
    for (const file of version.levels[level]!) {
      const { smallest, largest } = rangeOfFile(file);
      let covered = false;
      for (let deeper = level + 1; deeper < version.levelCount && !covered; deeper++) {
        const candidate = version.levels[deeper]![version.findFileForUserKey(deeper, smallest)];
        covered = candidate !== undefined && version.overlaps(candidate, smallest, largest);
      }
      if (!covered) sum += file.sizeBytes;
    }
  }
  return sum;
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
  ['num-deletes-active-mem-table', (e, f) => deletionsIn(e, [f.active])],
  ['num-deletes-imm-mem-tables', (e, f) => deletionsIn(e, f.immutables)],
  // Flushed memtables are let go at once.
  ['num-immutable-mem-table-flushed', () => 0],
  ['estimate-num-keys', estimateKeys],
  ['estimate-table-readers-mem', tableReadersMemory],
  ['estimate-live-data-size', (_e, f) => estimateLiveBytes(f)],
  ['is-file-deletions-enabled', (e) => (e.obsolete.isSuspended ? 0 : 1)],
  ['num-snapshots', (e) => e.snapshots.count],
  ['oldest-snapshot-sequence', (e) => e.snapshots.oldest ?? 0],
  ['num-live-versions', (_e, f) => f.version.references],
  ['current-super-version-number', (_e, f) => f.superVersionNumber],
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
  // There is no BlobDB: a database with blob files is not opened.
  ['num-blob-files', () => 0],
  ['total-blob-file-size', () => 0],
  ['live-blob-file-size', () => 0],
  ['live-blob-file-garbage-size', () => 0],
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

/** Properties with a level behind their name. */
const LEVEL_PROPERTIES: ReadonlyMap<string, (engine: Engine, family: ColumnFamilyState, level: number) => string> =
  new Map<string, (engine: Engine, family: ColumnFamilyState, level: number) => string>([
    ['num-files-at-level', (_e, f, level) => String(f.version.fileCount(level))],
    ['compression-ratio-at-level', (e, f, level) => compressionRatio(e, f, level).toFixed(6)],
    ['aggregated-table-properties-at-level', (e, f, level) => aggregatedText(sumProperties(e, f, level))],
  ]);

const TEXT_PROPERTIES: ReadonlyMap<string, (engine: Engine, family: ColumnFamilyState) => string | undefined> = new Map<
  string,
  (engine: Engine, family: ColumnFamilyState) => string | undefined
>([
  ['levelstats', (_e, f) => levelStats(f)],
  ['sstables', (_e, f) => sstables(f)],
  ['stats', (e, f) => familyStatsText(e, f) + dbStatsText(e)],
  ['cfstats', familyStatsText],
  ['cfstats-no-file-histogram', familyStatsText],
  ['dbstats', dbStatsText],
  ['options-statistics', (e) => e.context.statistics?.toString()],
  ['aggregated-table-properties', (e, f) => aggregatedText(sumProperties(e, f))],
]);

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

/** A property as text, or `undefined` for an unknown name. `checksum.impl` is Pumice's own: how CRC-32C is computed. */
export function textProperty(engine: Engine, family: ColumnFamilyState, name: string): string | undefined {
  const short = shortName(name);
  if (short === undefined) return name === 'checksum.impl' ? crc32c().name : undefined;
  const leveled = /^([a-z-]+-at-level)(\d+)$/.exec(short);
  if (leveled !== null) {
    const level = Number(leveled[2]);
    if (level >= family.version.levelCount) return undefined;
    return LEVEL_PROPERTIES.get(leveled[1]!)?.(engine, family, level);
  }
  const text = TEXT_PROPERTIES.get(short);
  if (text !== undefined) return text(engine, family);
  return INT_PROPERTIES.get(short)?.(engine, family).toString();
}

/** A property of several values, or `undefined` for an unknown name. */
export function mapProperty(
  engine: Engine,
  family: ColumnFamilyState,
  name: string,
): Record<string, string> | undefined {
  switch (shortName(name)) {
    case 'cfstats':
      return { ...familyStatsMap(engine, family), 'write.stall': engine.writes.controller.condition };
    case 'dbstats':
      return dbStatsMap(engine);
    case 'levelstats':
      return levelMap(family);
    case 'aggregated-table-properties': {
      const sums = Object.entries(sumProperties(engine, family));
      return Object.fromEntries(sums.map(([property, sum]) => [property, String(sum)]));
    }
    default:
      return undefined;
  }
}

function levelMap({ version }: ColumnFamilyState): Record<string, string> {
  const result: Record<string, string> = {};
  for (let level = 0; level < version.levelCount; level++) {
    result[`L${level}.files`] = String(version.fileCount(level));
    result[`L${level}.bytes`] = String(version.levelBytes(level));
  }
  return result;
}
