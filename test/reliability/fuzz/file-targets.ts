/** Decoders of whole files: logs, MANIFESTs, texts, lists of backups, tables, and blocks as codecs store them. */

import { runSync } from '../../../format/base/io.ts';
import { compressBlock, compressionRoom, readSizePrefix } from '../../../format/compression/block-compression.ts';
import { CompressionId } from '../../../format/compression/codec.ts';
import { findCodec } from '../../../format/compression/codec-registry.ts';
import { decompressZstdFrames } from '../../../format/compression/zstd.ts';
import { decodeCurrent, encodeCurrent } from '../../../format/manifest/current-file.ts';
import { parseFileName } from '../../../format/manifest/file-name.ts';
import { readManifest } from '../../../format/manifest/manifest-reader.ts';
import { readGlobalSequenceOffset, readTableProperties } from '../../../format/sst/table-open.ts';
import { parseNestedOptions, splitOptionList } from '../../../src/options/option-value.ts';
import { parseOptionsFile, printOptionsFile } from '../../../src/options/options-file.ts';
import { decodeBackupMeta, encodeBackupMeta } from '../../../src/utilities/backup/backup-meta.ts';
import { bytesFile } from '../../format/base/byte-files.ts';
import { readLog } from '../../format/log/log-steps.ts';
import { get, openReader, readAll } from '../../format/sst/table-support.ts';
import { hex, utf8 } from '../../support/bytes.ts';
import { Random } from '../../support/random.ts';
import { fixtureFiles, smallTable, TABLE_SHAPES } from './fuzz-corpus.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { mendLog } from './mend-log.ts';
import { textOfTree } from './record-targets.ts';

/** Larger claims are sound and are left to the tests of sizes: filling them would only take time. */
const DECOMPRESSED_MAX = 1 << 20;

function logTargets(): FuzzTarget[] {
  const logs: Record<string, RegExp> = {
    'log of plain records': /^(wal-only|tiny|l0-none|merge-|wal-2pc|leveldb)/,
    'log of recycled records': /^(wal-recycled|reopened)/,
    'compressed log': /^wal-compressed/,
  };
  const decode = (bytes: Uint8Array): string => {
    const decompress = (frames: Uint8Array): Uint8Array => decompressZstdFrames(frames, DECOMPRESSED_MAX);
    return textOfTree(readLog(bytes, { logNumber: 12, decompress, readSize: 32768 }));
  };
  return Object.entries(logs).map(([name, fixture]) => ({
    name,
    corpus: fixtureFiles(/\.log$/, fixture),
    mend: mendLog,
    decode,
    cost: 4,
  }));
}

function readTable(bytes: Uint8Array): string {
  const reader = openReader(bytesFile(bytes));
  try {
    const forward = readAll(reader);
    const backward = readAll(reader, -1);
    const ahead = readAll(reader, 1, 300);
    return textOfTree([forward, backward.length, ahead.length, get(reader, utf8('key05'), 1e6), reader.properties]);
  } finally {
    reader.close();
  }
}

function readTail(bytes: Uint8Array): string {
  const file = bytesFile(bytes);
  const properties = runSync(readTableProperties(file, bytes.length));
  let offset: unknown;
  try {
    offset = runSync(readGlobalSequenceOffset(file, bytes.length));
  } catch (error) {
    offset = String(error);
  }
  return textOfTree([properties, offset]);
}

function tableTargets(): FuzzTarget[] {
  const tables = Object.entries(TABLE_SHAPES).map(([name, shape]) => ({
    name: `table, ${name}`,
    corpus: [smallTable(shape)],
    decode: readTable,
    cost: 8,
  }));
  const all = Object.values(TABLE_SHAPES).map(smallTable);
  return [...tables, { name: 'properties of a table that is not known', corpus: all, decode: readTail, cost: 2 }];
}

/** A block as it stands in a table: the size before the codec's bytes. */
function codecTarget(type: 'snappy' | 'zlib' | 'bzip2' | 'lz4' | 'zstd', cost: number): FuzzTarget {
  const codec = findCodec(type);
  const random = new Random(7);
  const corpus = [3000, 300, 20_000].map((size) => {
    const source = random.bytes(size, true);
    source.fill(65, size / 2);
    const target = new Uint8Array(compressionRoom(size));
    return target.slice(0, compressBlock(codec, source, target, {}));
  });
  const decode = (bytes: Uint8Array): string => {
    const { uncompressedSize, payloadAt } = readSizePrefix(codec, CompressionId[type], bytes, 5);
    if (uncompressedSize! > DECOMPRESSED_MAX) return `a claim of ${uncompressedSize}`;
    const target = new Uint8Array(uncompressedSize!);
    codec.decompress(bytes.subarray(payloadAt), target);
    return hex(target.subarray(0, 200));
  };
  return { name: `block of ${type}`, corpus, decode, cost };
}

/** What a parsed OPTIONS file says must survive being printed and parsed again. */
function readOptions(bytes: Uint8Array): string {
  const file = parseOptionsFile(bytes, 'fuzz');
  const text = textOfTree(file);
  if (textOfTree(parseOptionsFile(printOptionsFile(file), 'fuzz')) !== text) throw new Error('it does not survive');
  return text;
}

function textTargets(): FuzzTarget[] {
  const nested = '{checksum=kXXH3;filter={id=bloomfilter:10;x={}};cache_size=8388608;}';
  const backup = {
    id: 7,
    timestamp: 1_700_000_000,
    sequence: 500,
    metadata: 'note',
    files: [
      { path: 'private/7/MANIFEST-000005', name: 'MANIFEST-000005', checksum: 77, sizeBytes: undefined },
      { path: 'shared_checksum/000009_sABC_1234.sst', name: '000009.sst', checksum: 5, sizeBytes: 1234 },
    ],
  };
  const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  return [
    {
      name: 'OPTIONS',
      corpus: fixtureFiles(/^OPTIONS/, /^(tiny|column|modern|ttl|leveldb)/),
      decode: readOptions,
      cost: 4,
    },
    {
      name: 'nested options',
      corpus: [utf8(nested)],
      decode: (bytes) => textOfTree(parseNestedOptions(asText(bytes), 'fuzz')),
    },
    {
      name: 'list of options',
      corpus: [utf8('kNoCompression:kSnappyCompression:{a:b}')],
      decode: (bytes) => textOfTree(splitOptionList(asText(bytes), 'fuzz')),
    },
    { name: 'CURRENT', corpus: [encodeCurrent(5)], decode: (bytes) => textOfTree(decodeCurrent(bytes, 'fuzz')) },
    {
      name: 'file name',
      corpus: ['000009.sst', 'MANIFEST-000005', 'OPTIONS-000007.dbtmp', 'LOG.old.1700000000', 'LOCK'].map(utf8),
      decode: (bytes) => textOfTree(parseFileName(asText(bytes)) ?? 'none'),
    },
    {
      name: 'list of a backup',
      corpus: [encodeBackupMeta(backup)],
      decode: (bytes) => textOfTree(decodeBackupMeta(bytes, 7, 'fuzz')),
    },
  ];
}

/** Decoders of files. */
export function fileTargets(): FuzzTarget[] {
  return [
    ...logTargets(),
    {
      name: 'MANIFEST',
      corpus: fixtureFiles(/^MANIFEST/),
      mend: mendLog,
      decode: (bytes) => {
        const { state, validBytes, tornTail } = runSync(readManifest(bytesFile(bytes)));
        return textOfTree([state, validBytes, tornTail]);
      },
      cost: 2,
    },
    ...textTargets(),
    ...tableTargets(),
    codecTarget('snappy', 1),
    codecTarget('lz4', 1),
    codecTarget('zlib', 2),
    codecTarget('zstd', 2),
    codecTarget('bzip2', 10),
  ];
}
