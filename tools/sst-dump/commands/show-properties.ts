/** `--show_properties`: everything that the properties block of a table says. */
import { textOf } from '../../../format/base/bytes.ts';
import { upperHex } from '../../lib/hex.ts';
import type { Output } from '../../lib/output.ts';
import type { OpenTableFile } from '../../lib/table-file.ts';
import { tablePropertiesText, tablePropertyLines } from '../../lib/table-properties-text.ts';

/**
 * What RocksDB keeps in fields of its own; the tool lists all other names as collected ones, those of the block-based
 * format and of ingestion included.
 */
const PREDEFINED: ReadonlySet<string> = new Set([
  'rocksdb.column.family.id',
  'rocksdb.column.family.name',
  'rocksdb.comparator',
  'rocksdb.compression',
  'rocksdb.compression_options',
  'rocksdb.creating.db.identity',
  'rocksdb.creating.host.identity',
  'rocksdb.creating.session.identity',
  'rocksdb.creation.time',
  'rocksdb.data.size',
  'rocksdb.file.creation.time',
  'rocksdb.filter.policy',
  'rocksdb.filter.size',
  'rocksdb.fixed.key.length',
  'rocksdb.format.version',
  'rocksdb.index.key.is.user.key',
  'rocksdb.index.partitions',
  'rocksdb.index.size',
  'rocksdb.index.value.is.delta.encoded',
  'rocksdb.merge.operator',
  'rocksdb.num.data.blocks',
  'rocksdb.num.entries',
  'rocksdb.num.filter_entries',
  'rocksdb.num.range-deletions',
  'rocksdb.oldest.key.time',
  'rocksdb.original.file.number',
  'rocksdb.prefix.extractor.name',
  'rocksdb.property.collectors',
  'rocksdb.raw.key.size',
  'rocksdb.raw.value.size',
  'rocksdb.sample_for_compression.fast.data.size',
  'rocksdb.sample_for_compression.slow.data.size',
  'rocksdb.seqno.time.map',
  'rocksdb.tail.start.offset',
  'rocksdb.top-level.index.size',
  'rocksdb.user.defined.timestamps.persisted',
]);

/** Prints the properties of a table. */
export function showProperties(table: OpenTableFile, json: boolean, out: Output): void {
  const collected = table.head.properties
    .map(({ key, value }): [string, string] => [textOf(key), `0x${upperHex(value)}`])
    .filter(([name]) => !PREDEFINED.has(name));
  if (json) {
    const properties = Object.fromEntries(tablePropertyLines(table.reader.properties));
    out.line(JSON.stringify({ file: table.path, properties, collected: Object.fromEntries(collected) }));
    return;
  }
  out.write('Table Properties:\n------------------------------\n  ');
  out.write(tablePropertiesText(table.reader.properties, '\n  ', ': '));
  out.write('Raw user collected properties\n------------------------------\n');
  for (const [name, value] of collected) out.line(`  # ${name}: ${value}`);
}
