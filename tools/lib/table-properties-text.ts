/** The properties of a table as text, in the order and the words of RocksDB's tools. */
import { type TableProperties, UNKNOWN_FAMILY_ID } from '../../format/sst/table-properties.ts';
import { uniqueIdText } from './unique-id.ts';

/** `[name, value]` of every line. */
export function tablePropertyLines(properties: TableProperties): [string, string][] {
  return [...countLines(properties), ...componentLines(properties), ...originLines(properties)];
}

/** All lines, each behind the one before as `name<separator>value<end>`. */
export function tablePropertiesText(properties: TableProperties, end: string, separator: string): string {
  return tablePropertyLines(properties)
    .map(([name, value]) => `${name}${separator}${value}${end}`)
    .join('');
}

function average(total: number, count: number): string {
  return (count === 0 ? 0 : total / count).toFixed(6);
}

function countLines(p: TableProperties): [string, string][] {
  const flags = `user-key? ${Number(p.indexKeyIsUserKey)}, delta-value? ${Number(p.indexValueIsDeltaEncoded)}`;
  const lines: [string, string | number][] = [
    ['# data blocks', p.numDataBlocks],
    ['# entries', p.numEntries],
    ['# deletions', p.numDeletions],
    ['# merge operands', p.numMergeOperands],
    ['# range deletions', p.numRangeDeletions],
    ['raw key size', p.rawKeySize],
    ['raw average key size', average(p.rawKeySize, p.numEntries)],
    ['raw value size', p.rawValueSize],
    ['raw average value size', average(p.rawValueSize, p.numEntries)],
    ['data block size', p.dataSize],
    [`index block size (${flags})`, p.indexSize],
  ];
  if (p.indexPartitions !== 0) {
    lines.push(['# index partitions', p.indexPartitions], ['top-level index size', p.topLevelIndexSize]);
  }
  lines.push(
    ['filter block size', p.filterSize],
    ['# entries for filter', p.numFilterEntries],
    ['(estimated) table size', p.dataSize + p.indexSize + p.filterSize],
  );
  return lines.map(([name, value]) => [name, String(value)]);
}

function orNone(text: string): string {
  return text === '' ? 'N/A' : text;
}

function componentLines(p: TableProperties): [string, string][] {
  return [
    ['filter policy name', orNone(p.filterPolicyName)],
    ['prefix extractor name', orNone(p.prefixExtractorName)],
    ['column family ID', p.columnFamilyId === UNKNOWN_FAMILY_ID ? 'N/A' : String(p.columnFamilyId)],
    ['column family name', orNone(p.columnFamilyName)],
    ['comparator name', orNone(p.comparatorName)],
    ['merge operator name', orNone(p.mergeOperatorName)],
    ['property collectors names', orNone(p.propertyCollectorsNames)],
    ['SST file compression algo', orNone(p.compressionName)],
    ['SST file compression options', orNone(p.compressionOptions)],
  ];
}

function originLines(p: TableProperties): [string, string][] {
  return [
    ['creation time', String(p.creationTime)],
    ['time stamp of earliest key', String(p.oldestKeyTime)],
    ['file creation time', String(p.fileCreationTime)],
    ['slow compression estimated data size', String(p.slowCompressionEstimatedDataSize)],
    ['fast compression estimated data size', String(p.fastCompressionEstimatedDataSize)],
    ['DB identity', p.dbId],
    ['DB session identity', p.dbSessionId],
    ['DB host id', p.dbHostId],
    ['original file number', String(p.originalFileNumber)],
    ['unique ID', uniqueIdText(p)],
    ['Sequence number to time mapping', ''],
  ];
}
