/** What the properties of a family's tables add up to. Tables that are not open are opened for it. */
import { runSync } from '../../format/base/io.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import type { TableProperties } from '../../format/sst/table-properties.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';

/** Tables that an estimate opens at most; the others are taken to be like those that are known. */
const SAMPLE_SIZE_MAX = 20;

/** Entries of a family's tables, deletions among them. */
export interface EntrySums {
  entries: number;
  deletions: number;
}

const known = new WeakMap<FileMetadata, EntrySums>();

/** A table's properties; blocks for a read when it is not open. */
export function tableProperties(engine: Engine, family: ColumnFamilyState, file: FileMetadata): TableProperties {
  const { access, tables } = engine;
  return (tables.find(file.number) ?? runSync(tables.open(file, access.openingOf(family)))).properties;
}

/** Entries in all tables of a family: exact up to 20 tables that were never looked at, and an estimate by size beyond. */
export function entrySums(engine: Engine, family: ColumnFamilyState): EntrySums {
  const sums = { entries: 0, deletions: 0 };
  let knownBytes = 0;
  let samples = 0;
  for (const file of family.version.levels.flat()) {
    let own = known.get(file);
    if (own === undefined && samples < SAMPLE_SIZE_MAX) {
      samples++;
      const { numEntries, numDeletions } = tableProperties(engine, family, file);
      own = { entries: numEntries, deletions: numDeletions };
      known.set(file, own);
    }
    if (own === undefined) continue;
    knownBytes += file.sizeBytes;
    sums.entries += own.entries;
    sums.deletions += own.deletions;
  }
  const { totalBytes } = family.version;
  if (knownBytes === 0 || knownBytes === totalBytes) return sums;
  const factor = totalBytes / knownBytes;
  return { entries: Math.round(sums.entries * factor), deletions: Math.round(sums.deletions * factor) };
}

const SUMMED = [
  'numDataBlocks',
  'numEntries',
  'numDeletions',
  'numMergeOperands',
  'numRangeDeletions',
  'rawKeySize',
  'rawValueSize',
  'dataSize',
  'indexSize',
  'filterSize',
  'numFilterEntries',
] as const;

type Sums = Record<(typeof SUMMED)[number], number>;

/** The sums over one level, or over all. */
export function sumProperties(engine: Engine, family: ColumnFamilyState, level?: number): Sums {
  const sums = Object.fromEntries(SUMMED.map((name) => [name, 0])) as Sums;
  const files = level === undefined ? family.version.levels.flat() : (family.version.levels[level] ?? []);
  for (const file of files) {
    const properties = tableProperties(engine, family, file);
    for (const name of SUMMED) sums[name] += properties[name];
  }
  return sums;
}

/** `rocksdb.aggregated-table-properties`, as RocksDB prints it. */
export function aggregatedText(sums: Sums): string {
  const average = (bytes: number): string => (sums.numEntries > 0 ? bytes / sums.numEntries : 0).toFixed(6);
  const fields: [string, number | string][] = [
    ['# data blocks', sums.numDataBlocks],
    ['# entries', sums.numEntries],
    ['# deletions', sums.numDeletions],
    ['# merge operands', sums.numMergeOperands],
    ['# range deletions', sums.numRangeDeletions],
    ['raw key size', sums.rawKeySize],
    ['raw average key size', average(sums.rawKeySize)],
    ['raw value size', sums.rawValueSize],
    ['raw average value size', average(sums.rawValueSize)],
    ['data block size', sums.dataSize],
    ['index block size (user-key? 0, delta-value? 0)', sums.indexSize],
    ['filter block size', sums.filterSize],
    ['# entries for filter', sums.numFilterEntries],
    ['(estimated) table size', sums.dataSize + sums.indexSize + sums.filterSize],
  ];
  return fields.map(([name, value]) => `${name}=${value}; `).join('');
}

/** Key and value bytes for each byte of data blocks in a level; -1 when it has none. */
export function compressionRatio(engine: Engine, family: ColumnFamilyState, level: number): number {
  const { rawKeySize, rawValueSize, dataSize } = sumProperties(engine, family, level);
  return dataSize > 0 ? (rawKeySize + rawValueSize) / dataSize : -1;
}
