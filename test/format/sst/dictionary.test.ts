/**
 * Tables with compression dictionaries: the dictionary is RocksDB's, byte for byte; every block is read again whatever the
 * table's shape; what is kept in memory has a bound; and the C++ tools read all of it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Io, noIo, runAsync, runSync } from '../../../format/base/io.ts';
import { fixedPrefix } from '../../../format/base/slice-transform.ts';
import { CompressionId } from '../../../format/compression/codec.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import type { CompressionType, TableOptions } from '../../../format/sst/table-options.ts';
import { defaultTableOptions } from '../../../format/sst/table-options.ts';
import { TableWriter } from '../../../format/sst/table-writer.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { openTableFile } from '../../../tools/lib/table-file.ts';
import { readIndexEntries } from '../../../tools/lib/table-index.ts';
import { Env } from '../../../src/env/env.ts';
import { goldenTables, openFile } from './table-support.ts';
import {
  CollectingFile,
  context,
  type Entry,
  entry,
  memoryFile,
  openReader,
  readAll,
  writeTable,
} from './table-support.ts';

const withDictionary: readonly CompressionType[] = ['zlib', 'lz4', 'lz4hc', 'zstd'];
const without: readonly CompressionType[] = ['none', 'snappy', 'bzip2'];

/** Entries of about 100 bytes that have most of their text in common. */
function records(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => {
    const value = `{"id":${i},"name":"user ${(i * 7919) % 1000}","mail":"u${i}@example.com","roles":["reader"]}`;
    return entry(`user:${String(i).padStart(6, '0')}`, count - i, value);
  });
}

function expectSame(actual: readonly Entry[], expected: readonly Entry[]): void {
  expect(actual.length).toBe(expected.length);
  const differs = actual.findIndex(
    ({ key, value }, i) =>
      Buffer.compare(key, expected[i]!.key) !== 0 || Buffer.compare(value, expected[i]!.value) !== 0,
  );
  expect(differs).toBe(-1);
}

/** What the file says: its dictionary, and each data block's place and type. */
async function inside(bytes: Uint8Array): Promise<{
  dictionary: Uint8Array | undefined;
  blocks: { offset: number; size: number; type: number }[];
}> {
  const { fileSystem } = Env.memory();
  const file = fileSystem.createWritableSync('/table.sst');
  file.appendSync([bytes]);
  file.closeSync();
  const table = await openTableFile(fileSystem, '/table.sst', true);
  try {
    const blocks = [...readIndexEntries(table, table.head.footer.index!)].map(({ handle }) => ({
      offset: handle.offset,
      size: handle.size,
      type: bytes[handle.offset + handle.size]!,
    }));
    return { dictionary: table.source.dictionary?.slice(), blocks };
  } finally {
    table.close();
  }
}

function options(compression: CompressionType, more: Partial<TableOptions> = {}): Partial<TableOptions> {
  return { compression, compressionOptions: { maxDictBytes: 4096 }, ...more };
}

describe('the dictionary', () => {
  test.each(['dict-zlib', 'dict-lz4'])('is that of RocksDB 7.8.3 for the entries of %s', async (name) => {
    const { path } = goldenTables().find((table) => table.name === name)!;
    const reader = openReader(openFile(path));
    const golden = { ...(await inside(readFileSync(path))), properties: reader.properties };
    const { bytes, table } = writeTable(
      readAll(reader),
      options(name === 'dict-zlib' ? 'zlib' : 'lz4', { blockSize: 1024 }),
    );
    expect(golden.dictionary!.length).toBe(4096);
    expect(Buffer.compare((await inside(bytes)).dictionary!, golden.dictionary!)).toBe(0);
    expect(table.properties.compressionOptions).toBe(golden.properties.compressionOptions);
    expect(table.properties.numDataBlocks).toBe(golden.properties.numDataBlocks);
    // Matches are each compressor's own choice.
    expect(Math.abs(table.properties.dataSize / golden.properties.dataSize - 1)).toBeLessThan(0.05);
  });

  test('is as long as asked for, or as all blocks together', async () => {
    const sizes: (number | undefined)[] = [];
    for (const maxDictBytes of [1, 100, 5000, 1 << 20]) {
      const { bytes } = writeTable(records(300), { compression: 'zstd', compressionOptions: { maxDictBytes } });
      sizes.push((await inside(bytes)).dictionary?.length);
    }
    const plain = writeTable(records(300), { compression: 'none' });
    const blocks = (await inside(plain.bytes)).blocks.reduce((sum, { size }) => sum + size, 0);
    expect(sizes).toEqual([1, 100, 5000, blocks]);
  });

  test.each(without)('is not made for %s, and the bytes are those without the option', (compression) => {
    const { bytes } = writeTable(records(500), { ...options(compression), compressionOptions: {} });
    const asked = writeTable(records(500), options(compression));
    expect(asked.table.properties.dataSize).toBe(writeTable(records(500), { compression }).table.properties.dataSize);
    // They differ in the property that tells what was asked for.
    expect(asked.bytes.length - bytes.length).toBeLessThan(16);
  });

  test.each(withDictionary)(
    'is not there in a table of %s with tombstones only, nor in an empty one',
    async (compression) => {
      const { bytes } = writeTable([], options(compression), { tombstones: [['a', 'b', 1]] });
      expect((await inside(bytes)).dictionary).toBeUndefined();
      expect((await inside(writeTable([], options(compression)).bytes)).dictionary).toBeUndefined();
    },
  );
});

describe.each(withDictionary)('%s', (compression) => {
  test('makes a table of similar entries smaller, and all are read again', async () => {
    const entries = records(3000);
    const plain = writeTable(entries, { compression, blockSize: 1024 });
    const { bytes, table } = writeTable(entries, options(compression, { blockSize: 1024 }));
    expect(table.sizeBytes).toBeLessThan(plain.table.sizeBytes);
    expect(table.properties.dataSize).toBeLessThan(plain.table.properties.dataSize * 0.8);
    expectSame(readAll(openReader(memoryFile(bytes))), entries);
    const { blocks } = await inside(bytes);
    expect(new Set(blocks.map(({ type }) => type))).toEqual(new Set([CompressionId[compression]]));
    expect(blocks.reduce((sum, { size }) => sum + size + 5, 0)).toBe(table.properties.dataSize);
  });

  test.each(['binarySearch', 'hashSearch', 'twoLevelIndexSearch', 'binarySearchWithFirstKey'] as const)(
    'with an index of type %s: handles, partitions and filters are right though blocks had no place',
    (indexType) => {
      const entries = records(3000);
      for (const maxDictBufferBytes of [0, 1, 30_000]) {
        const { bytes } = writeTable(
          entries,
          {
            compression,
            compressionOptions: { maxDictBytes: 2000, maxDictBufferBytes },
            indexType,
            metadataBlockSize: 256,
            filterPolicy: { type: 'bloom', bitsPerKey: 10 },
            partitionFilters: indexType === 'twoLevelIndexSearch',
          },
          { prefixExtractor: fixedPrefix(8), tombstones: [['x', 'y', 5]] },
        );
        const reader = openReader(memoryFile(bytes));
        expectSame(readAll(reader), entries);
        expectSame(readAll(reader, -1), entries.toReversed());
      }
    },
  );

  test('keeps no more than the limit: what comes behind it is not in the dictionary', async () => {
    const behind = Array.from({ length: 400 }, (_, i) => entry(`z${i + 1000}`, 1, 'not like those before it'));
    const entries = [...records(400), ...behind];
    const first = writeTable(records(400), { compression: 'none' });
    const { blocks } = await inside(first.bytes);
    const limit = blocks.slice(0, 5).reduce((sum, { size }) => sum + size, 0) - 1;
    const samples = async (given: { maxDictBufferBytes?: number }, targetFileSize?: number) => {
      const compressionOptions = { maxDictBytes: 1 << 20, ...given };
      const { bytes } = writeTable(entries, { compression, compressionOptions }, { targetFileSize });
      expectSame(readAll(openReader(memoryFile(bytes))), entries);
      return (await inside(bytes)).dictionary!.length;
    };
    expect(await samples({ maxDictBufferBytes: limit })).toBe(limit + 1);
    expect(await samples({}, limit)).toBe(limit + 1);
    expect(await samples({ maxDictBufferBytes: limit * 2 }, limit)).toBe(limit + 1);
    expect(await samples({ maxDictBufferBytes: limit }, limit * 2)).toBe(limit + 1);
    expect(await samples({}, Number.POSITIVE_INFINITY)).toBeGreaterThan(limit * 2);
  });
});

test('nothing is written while blocks are kept, and the caller rests between them when they are', async () => {
  const file = new CollectingFile();
  let rests = 0;
  const pause = (): Io<void> => {
    rests++;
    return noIo();
  };
  const tableOptions = { ...defaultTableOptions, ...options('zlib') };
  const writer = new TableWriter(file, tableOptions, { ...context, pause });
  for (const { key, value } of records(2000)) await runAsync(writer.add(key, value));
  expect(writer.sizeEstimate).toBeLessThan(5000);
  expect([file.size, rests]).toEqual([0, 0]);
  const { properties } = await runAsync(writer.finish());
  expect(rests).toBe(properties.numDataBlocks);
});

test('a writer that is abandoned while it keeps blocks gives all kernel memory back', () => {
  const { x } = getKernel();
  const run = (): void => {
    const writer = new TableWriter(new CollectingFile(), { ...defaultTableOptions, ...options('zstd') }, context);
    for (const { key, value } of records(2000)) runSync(writer.add(key, value));
    writer.abandon();
    writer.abandon();
  };
  run();
  const before = x.allocatedBytes();
  for (let i = 0; i < 10; i++) run();
  expect(x.allocatedBytes()).toBe(before);
});

testWithTools('S7 sst_dump verifies and scans a table with a dictionary in every codec, and shows it', () => {
  using directory = temporaryDirectory();
  for (const compression of withDictionary) {
    for (const more of [{}, { formatVersion: 2 }, { indexType: 'twoLevelIndexSearch' }] as Partial<TableOptions>[]) {
      const { bytes } = writeTable(records(2000), options(compression, more));
      const path = join(directory.path, `${compression}.sst`);
      writeFileSync(path, bytes);
      const verify = runTool('sst_dump', [`--file=${path}`, '--command=verify', '--verify_checksum']);
      expect(verify.out + verify.err, compression).toContain('The file is ok');
      const scan = runTool('sst_dump', [`--file=${path}`, '--command=scan']);
      expect(scan.out.match(/^'user:\d{6}' seq:\d+, type:1 => \{.*"roles":\["reader"\]\}$/gm)?.length).toBe(2000);
      const shown = runTool('sst_dump', [`--file=${path}`, '--command=none', '--show_properties']);
      expect(shown.out).toMatch(/max_dict_bytes=4096;/);
    }
  }
});
