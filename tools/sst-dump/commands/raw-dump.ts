/** `raw`: everything in a table, block by block, as text in a file beside it. */

import { textOf } from '../../../format/base/bytes.ts';
import { ByteWriter } from '../../../format/base/coding.ts';
import { TRAILER_SIZE, userKeyOf } from '../../../format/base/internal-key.ts';
import { runSync } from '../../../format/base/io.ts';
import { type BlockHandle, writeBlockHandle } from '../../../format/sst/block-handle.ts';
import type { MetadataEntry } from '../../../format/sst/metadata-block.ts';
import { decodeMetaindex, MetaindexName } from '../../../format/sst/metaindex.ts';
import { readDataBlock } from '../../lib/data-block.ts';
import { upperHex } from '../../lib/hex.ts';
import type { Output } from '../../lib/output.ts';
import { type OpenTableFile, readEntries } from '../../lib/table-file.ts';
import { type IndexEntry, readIndexEntries } from '../../lib/table-index.ts';
import { tablePropertiesText } from '../../lib/table-properties-text.ts';

const RULE = '--------------------------------------\n';
/** The number at the end of block-based tables, which RocksDB also shows for LevelDB's. */
const MAGIC_NUMBER = '9863518390377041911';

/** Where the dump of a table goes. */
export function rawDumpPath(tablePath: string): string {
  return `${tablePath.slice(0, tablePath.lastIndexOf('.'))}_dump.txt`;
}

/** Writes the whole dump. CORRUPTION when a block is damaged; what stands before it has been written by then. */
export async function writeRawDump(table: OpenTableFile, out: Output): Promise<void> {
  const indexHandle = table.head.footer.index ?? decodeMetaindex(table.head.metaindex, table.path).index;
  if (indexHandle === undefined) return;
  dumpHead(table, indexHandle, out);
  const index = readIndexEntries(table, indexHandle);
  dumpIndex(table, index, out);
  dumpDictionary(table, out);
  dumpRangeDeletions(table, out);
  await dumpDataBlocks(table, index, out);
}

function handleHex(handle: BlockHandle): string {
  const writer = new ByteWriter(20);
  writeBlockHandle(writer, handle);
  return upperHex(writer.toBytes());
}

function dumpHead(table: OpenTableFile, indexHandle: BlockHandle, out: Output): void {
  const { footer, metaindex } = table.head;
  out.write('Footer Details:\n', RULE);
  out.line(`  metaindex handle: ${handleHex(footer.metaindex)}`);
  out.line(`  index handle: ${handleHex(indexHandle)}`);
  out.line(`  table_magic_number: ${MAGIC_NUMBER}`);
  out.line(`  format version: ${footer.formatVersion}\n  `);
  out.write('Metaindex Details:\n', RULE);
  for (const { key, value } of metaindex) {
    const name = metaindexLabel(textOf(key));
    if (name !== undefined) out.line(`  ${name} block handle: ${upperHex(value)}`);
  }
  out.write('\nTable Properties:\n', RULE, '  ');
  out.write(tablePropertiesText(table.reader.properties, '\n  ', ': '), '\n');
}

function metaindexLabel(name: string): string | undefined {
  if (name === MetaindexName.properties) return 'Properties';
  if (name === MetaindexName.compressionDictionary) return 'Compression dictionary';
  if (name === MetaindexName.rangeDeletions) return 'Range deletion';
  const filter =
    name.startsWith(MetaindexName.fullFilterPrefix) || name.startsWith(MetaindexName.partitionedFilterPrefix);
  return filter ? 'Filter' : undefined;
}

function dumpIndex(table: OpenTableFile, index: readonly IndexEntry[], out: Output): void {
  out.write('Index Details:\n', RULE, '  Block key hex dump: Data block handle\n  Block key ascii\n\n');
  for (const { key, handle, firstKey } of index) {
    const userKey = table.reader.properties.indexKeyIsUserKey ? key : userKeyOf(key);
    const writer = new ByteWriter(32);
    writeBlockHandle(writer, handle);
    if (firstKey !== undefined) writer.lengthPrefixed(firstKey);
    out.line(`  HEX    ${upperHex(userKey)}: ${upperHex(writer.toBytes())}`);
    out.line('  ASCII  ', spaced(userKey));
    out.line('  ------');
  }
  out.line();
}

function dumpDictionary(table: OpenTableFile, out: Output): void {
  const { dictionary } = table.source;
  if (dictionary === undefined) return;
  out.write('Compression Dictionary:\n', RULE);
  out.write(`  size (bytes): ${dictionary.length}\n\n  HEX    ${upperHex(dictionary)}\n\n`);
}

function dumpRangeDeletions(table: OpenTableFile, out: Output): void {
  const { rangeDeletions } = decodeMetaindex(table.head.metaindex, table.path);
  if (rangeDeletions === undefined) return;
  out.write('Range deletions:\n', RULE);
  for (const entry of runSync(readEntries(table.source, rangeDeletions, 'range deletions'))) dumpEntry(entry, out);
  out.line();
}

async function dumpDataBlocks(table: OpenTableFile, index: readonly IndexEntry[], out: Output): Promise<void> {
  let least = Number.MAX_SAFE_INTEGER;
  let most = 0;
  let total = 0;
  for (const [number, { handle }] of index.entries()) {
    least = Math.min(least, handle.size);
    most = Math.max(most, handle.size);
    total += handle.size;
    out.write(`Data Block # ${number + 1} @ ${handleHex(handle)}\n`, RULE);
    for (const entry of readDataBlock(table, handle)) dumpEntry(entry, out);
    out.line();
    if (out.full) await out.flush();
  }
  if (index.length === 0) return;
  out.write('Data Block Summary:\n', RULE);
  out.line(`  # data blocks: ${index.length}`);
  out.line(`  min data block size: ${least}`);
  out.line(`  max data block size: ${most}`);
  out.line(`  avg data block size: ${(total / index.length).toFixed(6)}`);
}

function dumpEntry({ key, value }: MetadataEntry, out: Output): void {
  const userKey = key.length < TRAILER_SIZE ? key : userKeyOf(key);
  out.line(`  HEX    ${upperHex(userKey)}: ${upperHex(value)}`);
  out.line('  ASCII  ', spaced(userKey), ': ', spaced(value));
  out.line('  ------');
}

const SPACE = 0x20;
const NUL_TEXT = [0x5c, 0x30];

/** Every byte with a space behind it; a NUL is shown as a backslash and a zero. */
function spaced(bytes: Uint8Array): Uint8Array {
  const result: number[] = [];
  for (const byte of bytes) result.push(...(byte === 0 ? NUL_TEXT : [byte]), SPACE);
  return Uint8Array.from(result);
}
