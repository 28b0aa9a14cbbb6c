/** Decoders of single records and small structures: numbers, handles, footers, metadata blocks, batches, edits, operands. */

import { mergeOperatorByName } from '../../../format/base/builtin-merge-operators.ts';
import { ByteReader, ByteWriter } from '../../../format/base/coding.ts';
import { decodeSet, encodeSet } from '../../../format/base/extra-merge-operators.ts';
import { PreparedTransactions } from '../../../format/batch/prepared-transactions.ts';
import { WriteBatch } from '../../../format/batch/write-batch.ts';
import { WriteBatchReader } from '../../../format/batch/write-batch-reader.ts';
import { BATCH_RESULT_SIZE } from '../../../format/kernel/abi/memtable.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { decodeVersionEdit } from '../../../format/manifest/version-edit-decoder.ts';
import { checkBlockHandle, readBlockHandle, writeBlockHandle } from '../../../format/sst/block-handle.ts';
import { decodeFooter, encodeFooter, FOOTER_SIZE_MAX } from '../../../format/sst/footer.ts';
import { MetadataBlockBuilder, type MetadataEntry, readMetadataBlock } from '../../../format/sst/metadata-block.ts';
import { decodeMetaindex } from '../../../format/sst/metaindex.ts';
import { decodeRangeTombstones, rangeTombstoneKey } from '../../../format/sst/range-del-block.ts';
import {
  decodeTableProperties,
  emptyTableProperties,
  encodeTableProperties,
} from '../../../format/sst/table-properties.ts';
import { checkedPlainValue, withTimestamp } from '../../../src/utilities/ttl-value.ts';
import { readLog, recordsOf } from '../../format/log/log-steps.ts';
import { withKey } from '../../format/sst/table-support.ts';
import { hex, utf8 } from '../../support/bytes.ts';
import { fixtureFiles, smallTable, TABLE_SHAPES } from './fuzz-corpus.ts';
import type { FuzzTarget } from './fuzz-target.ts';

/** Size of the files that handles and footers are said to stand in. */
const FILE_SIZE = 1 << 20;

/** What an object holds, as text; byte strings by their hex. */
export function textOfTree(tree: unknown): string {
  return JSON.stringify(tree, (_name, value: unknown) => {
    if (value instanceof Uint8Array) return hex(value);
    if (value instanceof Map || value instanceof Set) return [...value];
    return typeof value === 'bigint' ? `${value}n` : value;
  });
}

/** Every kind of number in turn, until the bytes end. */
function readNumbers(bytes: Uint8Array): string {
  const reader = new ByteReader(bytes, 'fuzz');
  const found: unknown[] = [];
  const reads = [
    () => reader.varint32('a'),
    () => reader.varint64('b'),
    () => reader.sequence('c'),
    () => reader.fixed16('d'),
    () => reader.signedVarint64('e'),
    () => reader.lengthPrefixed('f'),
    () => reader.varint64BigInt('g'),
    () => reader.fixed32('h'),
    () => reader.fixed64('i'),
    () => reader.fixed64BigInt('j'),
  ];
  for (let i = 0; reader.remaining > 0; i++) found.push(reads[i % reads.length]!());
  return textOfTree(found);
}

function someNumbers(): Uint8Array {
  const writer = new ByteWriter();
  writer
    .varint(300)
    .varint(2 ** 40)
    .sequence(77)
    .slice(Uint8Array.of(1, 2))
    .signedVarint(-9)
    .lengthPrefixed(utf8('abc'));
  return writer
    .varint(2 ** 52)
    .slice(new Uint8Array(4))
    .slice(new Uint8Array(8))
    .slice(new Uint8Array(8))
    .toBytes();
}

function readHandle(bytes: Uint8Array): string {
  const handle = readBlockHandle(new ByteReader(bytes, 'fuzz'));
  checkBlockHandle(handle, FILE_SIZE, 'fuzz');
  if (handle.offset + handle.size + 5 > FILE_SIZE) throw new Error('a handle that reaches behind the file was taken');
  return textOfTree(handle);
}

function someHandle(offset: number, size: number): Uint8Array {
  const writer = new ByteWriter();
  writeBlockHandle(writer, { offset, size });
  return writer.toBytes();
}

function metadataBlock(entries: readonly MetadataEntry[]): Uint8Array {
  const builder = new MetadataBlockBuilder(2);
  for (const { key, value } of entries) builder.add(key, value);
  const { at, size } = builder.finish();
  const bytes = getKernel().copyOut(at, size).slice();
  builder.destroy();
  return bytes;
}

const METADATA: readonly [name: string, entries: MetadataEntry[], decode: (entries: MetadataEntry[]) => unknown][] = [
  [
    'properties block',
    encodeTableProperties({ ...emptyTableProperties(), dataSize: 5000, comparatorName: 'leveldb.BytewiseComparator' }),
    (entries) => decodeTableProperties(entries, 'fuzz'),
  ],
  [
    'metaindex block',
    ['fullfilter.rocksdb.BuiltinBloomFilter', 'rocksdb.properties', 'rocksdb.range_del'].map((name, i) => ({
      key: utf8(name),
      value: someHandle(i * 1000, 900),
    })),
    (entries) => decodeMetaindex(entries, 'fuzz'),
  ],
  [
    'range tombstone block',
    ['a', 'b', 'c'].map((begin, i) => ({ key: rangeTombstoneKey(utf8(begin), 9 - i), value: utf8(`${begin}z`) })),
    (entries) => decodeRangeTombstones(entries, undefined, 'fuzz'),
  ],
];

function metadataTargets(): FuzzTarget[] {
  return METADATA.map(([name, entries, decode]) => ({
    name,
    corpus: [metadataBlock(entries)],
    decode: (bytes) => withKey(bytes, (at, size) => textOfTree(decode(readMetadataBlock(at, size, 'fuzz')))),
  }));
}

/** Batches of the golden logs, and one with every kind of write. */
function someBatches(): Uint8Array[] {
  const batch = new WriteBatch();
  batch
    .put('key', 'value')
    .delete('gone')
    .singleDelete('once')
    .deleteRange('a', 'b')
    .merge('sum', 'one')
    .putLogData('x');
  batch.put('other', 'family', { id: 3 }).merge('m', 'n', { id: 300 });
  const logs = fixtureFiles(/\.log$/, /^(wal-2pc|wal-only|tiny|range-del|deletes|wal-multi-cf|column-families)/);
  const records = logs.flatMap((log) => recordsOf(readLog(log)).slice(0, 30));
  return [batch.data().slice(), ...records.filter((record) => record.length < 4096)];
}

function readBatch(bytes: Uint8Array): string {
  const reader = new WriteBatchReader(bytes, 'fuzz');
  const found: unknown[] = [reader.sequence, reader.count];
  while (reader.next()) found.push([reader.type, reader.family, reader.key(), reader.value()]);
  return textOfTree(found);
}

/** The kernel's own walk over a batch must agree with the one above about what is whole. */
function checkBatch(bytes: Uint8Array): string {
  const kernel = getKernel();
  const result = kernel.malloc(BATCH_RESULT_SIZE);
  try {
    return `status ${withKey(bytes, (at, size) => kernel.x.batchCheck(at, size, result))}`;
  } finally {
    kernel.free(result);
  }
}

function takePrepared(bytes: Uint8Array): string {
  const transactions = new PreparedTransactions(true);
  const applied = transactions.take(bytes, 1, 'fuzz');
  return textOfTree([applied, [...transactions.open.keys()], transactions.minLogNumber]);
}

const MERGES: Readonly<Record<string, readonly Uint8Array[]>> = {
  uint64add: [new Uint8Array(8).fill(7)],
  max: [utf8('abc')],
  bytesxor: [utf8('abc')],
  stringappend: [utf8('abc')],
  'pumice.JsonMergePatch': ['{"a":1,"b":{"c":null}}', '[1,2]', '"text"', '{"__proto__":{"x":1e400}}'].map(utf8),
  'pumice.SetUnion': [encodeSet([utf8('one'), utf8('two'), new Uint8Array(200)])],
};

/** Half of the bytes are the value, the rest two operands; operators may refuse what is none of theirs. */
function mergeTarget(name: string, corpus: readonly Uint8Array[]): FuzzTarget {
  const operator = mergeOperatorByName(name)!;
  return {
    name: `operands of ${name}`,
    corpus,
    decode: (bytes) =>
      textOfTree([
        operator.fullMerge(utf8('key'), bytes, [bytes, bytes]),
        operator.partialMerge?.(utf8('key'), bytes, bytes),
      ]),
    mayThrow: (error) => error instanceof SyntaxError || error instanceof RangeError,
  };
}

/** Whether a batch of a log makes sense without those before it: a commit without its prepare does not. */
function standsAlone(batch: Uint8Array): boolean {
  try {
    takePrepared(batch);
    return true;
  } catch {
    return false;
  }
}

/** Footers of all shapes, moved to the end of a file of one size: from version 6 on the place is in the checksum. */
function someFooters(): Uint8Array[] {
  return Object.values(TABLE_SHAPES).map((shape) => {
    const table = smallTable(shape);
    const footer = decodeFooter(table.slice(-FOOTER_SIZE_MAX), table.length, 'fuzz');
    return encodeFooter(footer, FILE_SIZE - FOOTER_SIZE_MAX);
  });
}

/** Decoders of what stands inside files. */
export function recordTargets(): FuzzTarget[] {
  const batches = someBatches();
  const edits = fixtureFiles(/^MANIFEST/).flatMap((manifest) => recordsOf(readLog(manifest)).slice(0, 20));
  return [
    { name: 'numbers', corpus: [someNumbers()], decode: readNumbers },
    { name: 'block handle', corpus: [someHandle(4096, 4000), someHandle(0, 2 ** 19)], decode: readHandle },
    {
      name: 'footer',
      corpus: someFooters(),
      decode: (bytes) => textOfTree(decodeFooter(bytes, FILE_SIZE, 'fuzz')),
    },
    ...metadataTargets(),
    { name: 'write batch', corpus: batches, decode: readBatch },
    { name: 'write batch, the walk of the kernel', corpus: batches, decode: checkBatch },
    { name: 'two-phase commit markers', corpus: batches.filter(standsAlone), decode: takePrepared },
    { name: 'version edit', corpus: edits, decode: (bytes) => textOfTree(decodeVersionEdit(bytes, 'fuzz')) },
    ...Object.entries(MERGES).map(([name, corpus]) => mergeTarget(name, corpus)),
    {
      name: 'set of byte strings',
      corpus: MERGES['pumice.SetUnion']!,
      decode: (bytes) => textOfTree(decodeSet(bytes)),
    },
    {
      name: 'value with a time to live',
      corpus: [withTimestamp('value', 1_700_000_000)],
      decode: (bytes) => hex(checkedPlainValue(bytes)),
    },
  ];
}
