/**
 * Tables that we write: read back by ourselves entry by entry, and accepted by the C++ tools in every shape that they
 * know. Version 6 is beyond those tools; there we are our own reader, beside the golden files of that version.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Comparator, reverseBytewiseComparator } from '../../../format/base/comparator.ts';
import { sequenceOf, typeOf, userKeyOf } from '../../../format/base/internal-key.ts';
import { runAsync, runSync } from '../../../format/base/io.ts';
import {
  cappedPrefix,
  delimiterPrefix,
  fixedPrefix,
  type SliceTransform,
} from '../../../format/base/slice-transform.ts';
import { makeInternalKey } from '../../../format/base/internal-key.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { oneFalsePositiveIn } from '../../../format/sst/filter-builder.ts';
import type {
  ChecksumType,
  CompressionType,
  FilterPolicy,
  IndexType,
  TableOptions,
} from '../../../format/sst/table-options.ts';
import { defaultTableOptions } from '../../../format/sst/table-options.ts';
import { TableWriter } from '../../../format/sst/table-writer.ts';
import { Random, seedFor } from '../../support/random.ts';
import { rocksdbToolsInstalled, runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import {
  CollectingFile,
  context,
  type Entry,
  entry,
  get,
  memoryFile,
  openReader,
  readAll,
  reverse,
  withKey,
  writeTable,
} from './table-support.ts';

const directory = mkdtempSync(join(tmpdir(), 'pumice-tables-'));
const tools = rocksdbToolsInstalled();
afterAll(() => rmSync(directory, { recursive: true }));

const versions = [2, 3, 4, 5, 6] as const;
const compressions: readonly CompressionType[] = ['none', 'snappy', 'zlib', 'bzip2', 'lz4', 'lz4hc', 'zstd'];
const checksums: readonly ChecksumType[] = ['none', 'crc32c', 'xxHash', 'xxHash64', 'xxh3'];
const indexTypes: readonly IndexType[] = [
  'binarySearch',
  'hashSearch',
  'twoLevelIndexSearch',
  'binarySearchWithFirstKey',
];
const bloom: FilterPolicy = { type: 'bloom', bitsPerKey: 10 };
const ribbon: FilterPolicy = { type: 'ribbon', bitsPerKey: 10 };

/** Keys in order, some with several versions, values half compressible, some tombstones. */
function makeEntries(count: number, versionsOfEach: number): Entry[] {
  const random = new Random(seedFor(count * 31 + versionsOfEach));
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const key = Buffer.from(`key${String(i).padStart(5, '0')}${'x'.repeat(random.below(4))}`);
    const many = random.oneIn(3) ? versionsOfEach : 1;
    for (let v = many; v > 0; v--) {
      const type = random.oneIn(9) ? 0 : random.oneIn(9) ? 2 : 1;
      const value = type === 0 ? new Uint8Array(0) : random.bytes(random.below(90), true);
      entries.push({ key: makeInternalKey(key, i * 10 + v, type), value });
    }
  }
  return entries;
}

function expectReadBack(bytes: Uint8Array, entries: readonly Entry[], comparator?: { id: number; name: string }): void {
  const reader = openReader(memoryFile(bytes), comparator === undefined ? {} : { comparator });
  runSync(reader.verifyChecksums());
  const all = readAll(reader);
  expect(all.length).toBe(entries.length);
  const differing = all.findIndex(
    ({ key, value }, i) => Buffer.compare(key, entries[i]!.key) !== 0 || Buffer.compare(value, entries[i]!.value) !== 0,
  );
  expect(differing).toBe(-1);
  const seen = new Set<string>();
  for (const { key, value } of entries) {
    const name = Buffer.from(userKeyOf(key)).toString('hex');
    const found = get(reader, userKeyOf(key), sequenceOf(key));
    expect(found?.type).toBe(typeOf(key));
    expect(Buffer.compare(found!.value, value)).toBe(0);
    seen.add(name);
  }
  expect(get(reader, Buffer.from('key'), 1e9)).toBeUndefined();
  expect(get(reader, Buffer.from('zzz'), 1e9)).toBeUndefined();
  reader.close();
}

let fileNumber = 0;

/** Fails unless sst_dump finds all blocks sound and scans as many entries as there are. */
function expectSound(bytes: Uint8Array, count: number): void {
  if (!tools) return;
  const path = join(directory, `${++fileNumber}.sst`);
  writeFileSync(path, bytes);
  const verify = runTool('sst_dump', [`--file=${path}`, '--command=verify', '--verify_checksum']);
  expect(`${verify.out}${verify.err}`).toContain('The file is ok');
  const scan = runTool('sst_dump', [`--file=${path}`, '--command=scan', '--verify_checksum', '--output_hex']);
  expect(`${scan.err}`).not.toMatch(/[Cc]orrupt|rror/);
  expect(scan.out.split('\n').filter((line) => line.includes(' => ')).length).toBe(count);
  rmSync(path);
}

function check(
  entries: readonly Entry[],
  options: Partial<TableOptions>,
  prefixExtractor?: SliceTransform,
): Uint8Array {
  const { bytes, table } = writeTable(entries, options, { prefixExtractor });
  expect(table.sizeBytes).toBe(bytes.length);
  expectReadBack(bytes, entries);
  if (options.formatVersion !== 6) expectSound(bytes, entries.length);
  return bytes;
}

describe('tables in every shape', () => {
  const entries = makeEntries(700, 1);
  const manyVersions = makeEntries(300, 8);

  for (const formatVersion of versions) {
    test(`format_version ${formatVersion}: every codec`, () => {
      for (const compression of compressions) check(entries, { formatVersion, compression, blockSize: 1024 });
    });

    test(`format_version ${formatVersion}: every checksum`, () => {
      for (const checksum of checksums)
        check(entries, { formatVersion, checksum, filterPolicy: bloom, blockSize: 700 });
    });

    for (const indexType of indexTypes) {
      test(`format_version ${formatVersion}: index ${indexType} with every filter and both restart intervals`, () => {
        for (const filterPolicy of [undefined, bloom, ribbon]) {
          for (const indexBlockRestartInterval of [1, 7]) {
            const options: Partial<TableOptions> = {
              formatVersion,
              indexType,
              filterPolicy,
              indexBlockRestartInterval,
              partitionFilters: indexBlockRestartInterval === 7,
              blockSize: 400,
              metadataBlockSize: 300,
              dataBlockIndexType: filterPolicy === undefined ? 'binarySearch' : 'binaryAndHash',
            };
            check(indexBlockRestartInterval === 1 ? entries : manyVersions, options);
          }
        }
      });
    }
  }

  test('aligned blocks, one restart an entry, tiny and huge blocks, values larger than a block', () => {
    check(entries, { blockAlign: true, compression: 'none' });
    check(entries, { blockAlign: true, compression: 'none', blockSize: 512, checksum: 'crc32c' });
    check(entries, { blockRestartInterval: 1, blockSize: 1 });
    check(entries, { blockSize: 1 << 20, dataBlockIndexType: 'binaryAndHash' });
    const large = [
      entry('a', 9, new Uint8Array(3 << 20).fill(7)),
      entry('b', 8, Buffer.alloc(5000, 'xy')),
      entry('c', 7),
    ];
    for (const compression of ['none', 'snappy', 'zstd'] as const) check(large, { compression, filterPolicy: bloom });
  });

  test('prefixes of each extractor, known to the kernel or not, exclude what is not there', () => {
    const words = ['a/1', 'a/2', 'b/1', 'cc/1', 'cc/2', 'dddd/1'].map((key, i) => entry(key, i + 1, 'v'.repeat(40)));
    for (const extractor of [fixedPrefix(2), cappedPrefix(3), delimiterPrefix(0x2f)]) {
      for (const indexType of ['binarySearch', 'twoLevelIndexSearch'] as const) {
        for (const wholeKeyFiltering of [true, false]) {
          const options: Partial<TableOptions> = { filterPolicy: bloom, indexType, wholeKeyFiltering, blockSize: 50 };
          const partitions = { partitionFilters: true, metadataBlockSize: 20 };
          const { bytes } = writeTable(words, { ...options, ...partitions }, { prefixExtractor: extractor });
          const reader = openReader(memoryFile(bytes), { prefixExtractor: extractor });
          expect(reader.hasPrefixFilter).toBe(true);
          const may = (key: string) =>
            withKey(makeInternalKey(Buffer.from(key), 100, 0x18), (at, size) =>
              runSync(reader.prefixMayMatch(at, size)),
            );
          for (const { key } of words) {
            expect(may(Buffer.from(userKeyOf(key)).toString())).toBe(true);
            expect(get(reader, userKeyOf(key), 100)).toBeDefined();
          }
          const absent = ['A/', 'B/', 'bb/', 'ca/', 'cb/', 'da/', 'ee/', 'zz/'].filter((key) => !may(`${key}1`));
          expect(absent.length).toBeGreaterThan(5);
          reader.close();
        }
      }
    }
  });

  test('the other order, and an order of JavaScript', () => {
    const reversed = makeEntries(500, 3).sort((a, b) => {
      const order = Buffer.compare(userKeyOf(b.key), userKeyOf(a.key));
      return order !== 0 ? order : sequenceOf(b.key) - sequenceOf(a.key);
    });
    const { bytes } = writeTable(
      reversed,
      { blockSize: 300, filterPolicy: bloom },
      { comparator: reverseBytewiseComparator },
    );
    expectReadBack(bytes, reversed, reverse);
    expectSound(bytes, reversed.length);
    const byLength: Comparator = {
      name: 'test.LengthThenBytes',
      compare: (a, b) => (a.length !== b.length ? a.length - b.length : Buffer.compare(a, b)),
    };
    const id = getKernel().registerComparator(byLength);
    const sorted = makeEntries(500, 3).sort(
      (a, b) => byLength.compare(userKeyOf(a.key), userKeyOf(b.key)) || sequenceOf(b.key) - sequenceOf(a.key),
    );
    for (const indexType of indexTypes) {
      const own = writeTable(sorted, { blockSize: 300, indexType, metadataBlockSize: 200 }, { comparator: byLength });
      expectReadBack(own.bytes, sorted, { id, name: byLength.name });
    }
  });
});

for (const [row, compression] of [
  ['S66', 'snappy'],
  ['S67', 'zlib'],
  ['S68', 'bzip2'],
] as const) {
  testWithTools(`${row} ${compression}: sst_dump reads our file, whose blocks are really compressed`, () => {
    const entries = makeEntries(3000, 1).map(({ key }, i) => ({ key, value: Buffer.from(`value ${i} `.repeat(9)) }));
    const { bytes, table } = writeTable(entries, { compression });
    expect(table.properties.dataSize * 2).toBeLessThan(table.properties.rawValueSize);
    expectSound(bytes, entries.length);
  });
}

describe('what a finished table says of itself', () => {
  test('properties agree with what sst_dump shows', () => {
    const entries = makeEntries(400, 2);
    const { bytes, table } = writeTable(entries, { filterPolicy: ribbon, compression: 'lz4', blockSize: 1000 });
    const count = (type: number) => entries.filter(({ key }) => typeOf(key) === type).length;
    expect(table.properties).toMatchObject({
      numEntries: entries.length,
      numDeletions: count(0),
      numMergeOperands: count(2),
      rawKeySize: entries.reduce((sum, { key }) => sum + key.length, 0),
      rawValueSize: entries.reduce((sum, { value }) => sum + value.length, 0),
      compressionName: 'LZ4',
      filterPolicyName: 'ribbonfilter',
    });
    const reader = openReader(memoryFile(bytes));
    expect(reader.properties).toEqual(table.properties);
    reader.close();
    if (!tools) return;
    const path = join(directory, 'properties.sst');
    writeFileSync(path, bytes);
    const { out } = runTool('sst_dump', [`--file=${path}`, '--command=none', '--show_properties']);
    for (const [name, value] of [
      ['# data blocks', table.properties.numDataBlocks],
      ['# entries', entries.length],
      ['# deletions', count(0)],
      ['# merge operands', count(2)],
      ['raw key size', table.properties.rawKeySize],
      ['data block size', table.properties.dataSize],
      ['filter block size', table.properties.filterSize],
      ['# entries for filter', table.properties.numFilterEntries],
      ['comparator name', 'leveldb.BytewiseComparator'],
      ['SST file compression algo', 'LZ4'],
      ['DB session identity', context.dbSessionId],
      ['original file number', 9],
    ]) {
      expect(out).toContain(`  ${name}: ${value}\n`);
    }
  });

  test('boundaries and sequences cover entries and range tombstones', () => {
    const entries = [entry('c', 7, 'x'), entry('f', 3, 'y')];
    const inside = writeTable(entries, {}, { tombstones: [['d', 'e', 5]] }).table;
    expect(inside.smallest).toEqual(entries[0]!.key);
    expect(inside.largest).toEqual(entries[1]!.key);
    const { table, bytes } = writeTable(
      entries,
      {},
      {
        tombstones: [
          ['a', 'd', 9],
          ['e', 'k', 2],
        ],
      },
    );
    expect(Buffer.from(table.smallest!).toString('hex')).toBe('610f09000000000000');
    expect(Buffer.from(table.largest!).toString('hex')).toBe('6b0fffffffffffffff');
    expect([table.smallestSequence, table.largestSequence]).toEqual([2, 9]);
    expect(table.properties).toMatchObject({ numEntries: 4, numDeletions: 2, numRangeDeletions: 2 });
    const reader = openReader(memoryFile(bytes));
    expect(reader.rangeTombstones.map(({ begin, end, sequence }) => `${begin} ${end} ${sequence}`)).toEqual([
      '97 100 9',
      '101 107 2',
    ]);
    reader.close();
    expectSound(bytes, 2);
  });

  test('a table of range tombstones alone has no blocks but is sound', () => {
    for (const formatVersion of versions) {
      const { bytes, table } = writeTable([], { formatVersion, filterPolicy: bloom }, { tombstones: [['a', 'b', 4]] });
      expect(table.properties.numDataBlocks).toBe(0);
      expectReadBack(bytes, []);
      if (formatVersion !== 6) expectSound(bytes, 0);
    }
  });

  test('an external file has room for the sequence that ingestion gives it', () => {
    const { bytes } = writeTable([entry('a', 0, '1'), entry('b', 0, '2')], {}, { externalFile: true });
    const reader = openReader(memoryFile(bytes), { largestSequence: 42 });
    expect(readAll(reader).map(({ key }) => sequenceOf(key))).toEqual([42, 42]);
    expect(reader.properties.externalFileVersion).toBe(2);
    reader.close();
    expectSound(bytes, 2);
  });

  test('Bloom and Ribbon filters keep their promise of false positives', () => {
    expect(oneFalsePositiveIn(10)).toBeGreaterThan(95);
    expect(oneFalsePositiveIn(10)).toBeLessThan(110);
    const entries = makeEntries(5000, 1);
    const sizes = [bloom, ribbon].map((filterPolicy) => {
      const { bytes, table } = writeTable(entries, { filterPolicy });
      const reader = openReader(memoryFile(bytes));
      let passed = 0;
      for (let i = 0; i < 10_000; i++) {
        const kernel = getKernel();
        withKey(Buffer.from(`absent${i}`), (at, size) => {
          const result = kernel.malloc(64);
          // No cache: what the filter lets pass needs a block.
          if (reader.tryGet(at, size, 1e9, result) !== 0) passed++;
          kernel.free(result);
        });
      }
      reader.close();
      expect(passed).toBeLessThan(220);
      return table.properties.filterSize;
    });
    expect(sizes[1]!).toBeLessThan(sizes[0]! * 0.8);
  });
});

test('blocks that are lost on the way to the disk are not reported as written', async () => {
  class FailingFile extends CollectingFile {
    override async append(): Promise<void> {
      throw new Error('disk gone');
    }
    override appendSync(): void {
      throw new Error('disk gone');
    }
  }
  const before = getKernel().x.allocatedBytes();
  const writer = new TableWriter(new FailingFile(), defaultTableOptions, context);
  runSync(writer.add(entry('a', 1).key, Buffer.from('v')));
  await expect(runAsync(writer.finish())).rejects.toThrow('disk gone');
  expect(getKernel().x.allocatedBytes()).toBe(before);
});

test('options that contradict each other are refused', () => {
  expect(() => new TableWriter(new CollectingFile(), { ...defaultTableOptions, blockAlign: true }, context)).toThrow(
    /block_align/,
  );
  const odd = { ...defaultTableOptions, blockAlign: true, compression: 'none' as const, blockSize: 1000 };
  expect(() => new TableWriter(new CollectingFile(), odd, context)).toThrow(/power of 2/);
});
