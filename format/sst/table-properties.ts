/**
 * The properties of a table: what RocksDB's tools print, and what a reader must know to understand the index and the
 * filter. Unknown names are kept as user-collected properties.
 */
import { strictTextOf, textOf, utf8 } from '../base/bytes.ts';
import { ByteReader, ByteWriter } from '../base/coding.ts';
import type { DBError } from '../base/db-error.ts';
import type { MetadataEntry } from './metadata-block.ts';

/** Properties of one table. Sizes in bytes, times in Unix seconds, numbers 0 and texts empty where the file has none. */
export interface TableProperties {
  dataSize: number;
  indexSize: number;
  indexPartitions: number;
  topLevelIndexSize: number;
  indexKeyIsUserKey: boolean;
  indexValueIsDeltaEncoded: boolean;
  filterSize: number;
  rawKeySize: number;
  rawValueSize: number;
  numDataBlocks: number;
  /** Range tombstones included. */
  numEntries: number;
  numFilterEntries: number;
  /** Range tombstones included. */
  numDeletions: number;
  numMergeOperands: number;
  numRangeDeletions: number;
  formatVersion: number;
  fixedKeyLength: number;
  columnFamilyId: number;
  columnFamilyName: string;
  creationTime: number;
  oldestKeyTime: number;
  fileCreationTime: number;
  slowCompressionEstimatedDataSize: number;
  fastCompressionEstimatedDataSize: number;
  originalFileNumber: number;
  dbId: string;
  dbSessionId: string;
  dbHostId: string;
  filterPolicyName: string;
  comparatorName: string;
  mergeOperatorName: string;
  prefixExtractorName: string;
  propertyCollectorsNames: string;
  compressionName: string;
  compressionOptions: string;
  /** 0 binary search, 1 hash search, 2 partitioned, 3 binary search with first keys. */
  indexType: number;
  wholeKeyFiltering: boolean;
  prefixFiltering: boolean;
  /** Version of an ingested file; 0: the file was not made for ingestion. */
  externalFileVersion: number;
  /** As the file has it; what counts is `TableReader.globalSequence`. */
  globalSequence: number;
  /** Everything under names not listed here. */
  userCollected: Map<string, Uint8Array>;
}

/** The family id of a table whose family is not known. */
export const UNKNOWN_FAMILY_ID = 2147483647;

/** Property names that others need. */
export const PropertyName = {
  globalSequence: 'rocksdb.external_sst_file.global_seqno',
  externalFileVersion: 'rocksdb.external_sst_file.version',
} as const;

type Kind = 'varint' | 'text' | 'flagVarint' | 'flagText' | 'fixed32' | 'fixed64';
type Field = Exclude<keyof TableProperties, 'userCollected'>;

const fields: ReadonlyMap<string, readonly [Field, Kind]> = new Map<string, readonly [Field, Kind]>([
  ['rocksdb.block.based.table.index.type', ['indexType', 'fixed32']],
  ['rocksdb.block.based.table.prefix.filtering', ['prefixFiltering', 'flagText']],
  ['rocksdb.block.based.table.whole.key.filtering', ['wholeKeyFiltering', 'flagText']],
  ['rocksdb.column.family.id', ['columnFamilyId', 'varint']],
  ['rocksdb.column.family.name', ['columnFamilyName', 'text']],
  ['rocksdb.comparator', ['comparatorName', 'text']],
  ['rocksdb.compression', ['compressionName', 'text']],
  ['rocksdb.compression_options', ['compressionOptions', 'text']],
  ['rocksdb.creating.db.identity', ['dbId', 'text']],
  ['rocksdb.creating.host.identity', ['dbHostId', 'text']],
  ['rocksdb.creating.session.identity', ['dbSessionId', 'text']],
  ['rocksdb.creation.time', ['creationTime', 'varint']],
  ['rocksdb.data.size', ['dataSize', 'varint']],
  ['rocksdb.deleted.keys', ['numDeletions', 'varint']],
  [PropertyName.globalSequence, ['globalSequence', 'fixed64']],
  [PropertyName.externalFileVersion, ['externalFileVersion', 'fixed32']],
  ['rocksdb.file.creation.time', ['fileCreationTime', 'varint']],
  ['rocksdb.filter.policy', ['filterPolicyName', 'text']],
  ['rocksdb.filter.size', ['filterSize', 'varint']],
  ['rocksdb.fixed.key.length', ['fixedKeyLength', 'varint']],
  ['rocksdb.format.version', ['formatVersion', 'varint']],
  ['rocksdb.index.key.is.user.key', ['indexKeyIsUserKey', 'flagVarint']],
  ['rocksdb.index.partitions', ['indexPartitions', 'varint']],
  ['rocksdb.index.size', ['indexSize', 'varint']],
  ['rocksdb.index.value.is.delta.encoded', ['indexValueIsDeltaEncoded', 'flagVarint']],
  ['rocksdb.merge.operands', ['numMergeOperands', 'varint']],
  ['rocksdb.merge.operator', ['mergeOperatorName', 'text']],
  ['rocksdb.num.data.blocks', ['numDataBlocks', 'varint']],
  ['rocksdb.num.entries', ['numEntries', 'varint']],
  ['rocksdb.num.filter_entries', ['numFilterEntries', 'varint']],
  ['rocksdb.num.range-deletions', ['numRangeDeletions', 'varint']],
  ['rocksdb.oldest.key.time', ['oldestKeyTime', 'varint']],
  ['rocksdb.original.file.number', ['originalFileNumber', 'varint']],
  ['rocksdb.prefix.extractor.name', ['prefixExtractorName', 'text']],
  ['rocksdb.property.collectors', ['propertyCollectorsNames', 'text']],
  ['rocksdb.raw.key.size', ['rawKeySize', 'varint']],
  ['rocksdb.raw.value.size', ['rawValueSize', 'varint']],
  ['rocksdb.sample_for_compression.fast.data.size', ['fastCompressionEstimatedDataSize', 'varint']],
  ['rocksdb.sample_for_compression.slow.data.size', ['slowCompressionEstimatedDataSize', 'varint']],
  ['rocksdb.top-level.index.size', ['topLevelIndexSize', 'varint']],
]);

/** Written only when they are not 0, false or empty, as RocksDB does. */
const optionalFields: ReadonlySet<Field> = new Set<Field>([
  'indexPartitions',
  'topLevelIndexSize',
  'columnFamilyName',
  'comparatorName',
  'compressionName',
  'compressionOptions',
  'dbId',
  'dbHostId',
  'dbSessionId',
  'fileCreationTime',
  'filterPolicyName',
  'mergeOperatorName',
  'prefixExtractorName',
  'propertyCollectorsNames',
  'fastCompressionEstimatedDataSize',
  'slowCompressionEstimatedDataSize',
]);

/** Properties of a table that has none: LevelDB's, and the start for a writer. */
export function emptyTableProperties(): TableProperties {
  const properties: Record<string, unknown> = { userCollected: new Map<string, Uint8Array>() };
  for (const [field, kind] of fields.values()) {
    properties[field] = kind === 'text' ? '' : kind.startsWith('flag') ? false : 0;
  }
  // Absent in old files, which then hold whole keys and belong to nobody in particular.
  return {
    ...(properties as unknown as TableProperties),
    wholeKeyFiltering: true,
    columnFamilyId: UNKNOWN_FAMILY_ID,
  };
}

/** Sorts the entries of a properties block out. CORRUPTION when a value is malformed. */
export function decodeTableProperties(entries: readonly MetadataEntry[], path: string): TableProperties {
  const properties = emptyTableProperties();
  const target = properties as unknown as Record<Field, number | boolean | string>;
  for (const { key, value } of entries) {
    const name = textOf(key);
    const field = fields.get(name);
    if (field === undefined) properties.userCollected.set(name, value);
    else target[field[0]] = decodeValue(field[1], value, name, path);
  }
  return properties;
}

function decodeValue(kind: Kind, value: Uint8Array, name: string, path: string): number | boolean | string {
  const reader = new ByteReader(value, `${path}: property ${name}`);
  switch (kind) {
    case 'text':
      return strictTextOf(value) ?? textOf(value);
    case 'flagText':
      return value.length === 1 && value[0] === 0x31;
    case 'flagVarint':
      return reader.varint64BigInt('value') !== 0n;
    case 'fixed32':
      return reader.fixed32('value');
    case 'fixed64':
      return exact(reader.fixed64BigInt('value'), reader);
    case 'varint':
      return exact(reader.varint64BigInt('value'), reader);
  }
}

/** Statistics that wrapped around below zero, as some writers have them, read as the largest exact number. */
function exact(value: bigint, reader: ByteReader): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  if (value >> 63n === 1n) return Number.MAX_SAFE_INTEGER;
  throw outOfRange(value, reader);
}

function outOfRange(value: bigint, reader: ByteReader): DBError {
  return reader.error(`value: expected a number below 2^53, found ${value}`, 0);
}

/** The entries of a properties block in its order: bytewise by name. */
export function encodeTableProperties(properties: TableProperties): MetadataEntry[] {
  const entries: MetadataEntry[] = [];
  for (const [name, [field, kind]] of fields) {
    const value = properties[field];
    if (optionalFields.has(field) && (value === 0 || value === '')) continue;
    if ((kind === 'fixed32' || kind === 'fixed64') && field !== 'indexType' && properties.externalFileVersion === 0) {
      continue;
    }
    entries.push({ key: utf8(name), value: encodeValue(kind, value) });
  }
  for (const [name, value] of properties.userCollected) entries.push({ key: utf8(name), value });
  return entries.sort((a, b) => Buffer.compare(a.key, b.key));
}

function encodeValue(kind: Kind, value: number | boolean | string): Uint8Array {
  if (kind === 'text') return utf8(value as string);
  if (kind === 'flagText') return utf8(value === true ? '1' : '0');
  const writer = new ByteWriter(10);
  if (kind === 'fixed32') writer.fixed32(value as number);
  else if (kind === 'fixed64') writer.fixed64(value as number);
  else writer.varint(Number(value));
  return writer.toBytes();
}
