/**
 * Every option: accepted at open, refused out of range by its name, and stored in the OPTIONS file under RocksDB's name.
 * Method: the table of options tells what each takes; two values other than the default go through an open and are read
 * back from the file as written, and by C++ RocksDB, which refuses a file with a name or a value that it does not know.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB, Env, type Options } from '../../../src/index.ts';
import { OPTION_TABLE, type OptionDescriptor } from '../../../src/options/option-table.ts';
import { parseOptionsFile } from '../../../src/options/options-file.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { expectRefused } from '../bad-input/refusal.ts';

/** What an option needs beside it, so that it contradicts nothing. */
const companions: Record<string, Options> = {
  blockAlign: { compression: 'none' },
  partitionFilters: { indexType: 'twoLevelIndexSearch' },
  level0FileNumCompactionTrigger: { level0SlowdownWritesTrigger: 2 ** 31, level0StopWritesTrigger: 2 ** 31 },
  level0SlowdownWritesTrigger: { level0FileNumCompactionTrigger: 1, level0StopWritesTrigger: 2 ** 31 },
  level0StopWritesTrigger: { level0FileNumCompactionTrigger: 1, level0SlowdownWritesTrigger: 1 },
  minWriteBufferNumberToMerge: { maxWriteBufferNumber: 1024 },
  compactionStyle: { maxOpenFiles: -1 },
};

/** Options that decide whether there is a database to open at all. */
const decides = new Set(['createIfMissing', 'errorIfExists', 'readOnly', 'columnFamilies', 'walDir', 'env']);

/** Values that must be accepted, by kind. */
function goodValues({ name, kind, default: usual }: OptionDescriptor): unknown[] {
  switch (kind.type) {
    case 'boolean':
      return [true, false];
    case 'enum':
      return [...kind.values].filter((value) => value !== 'hashSearch');
    case 'enumList':
      return [[], kind.values.slice(0, 3)];
    case 'integer': {
      const least = /^maxBackground(Compactions|Flushes)$/.test(name) ? -1 : kind.min;
      // Extremes of memory and of levels are no setting for a test's machine.
      const most = /Number$|numLevels|minWrite/.test(name) ? Math.min(kind.max, 12) : Math.min(kind.max, 2 ** 31);
      return [least, most, usual].filter((value) => name !== 'numLevels' || (value as number) >= 2);
    }
    case 'number':
      return [kind.min, kind.max, usual];
    default:
      return [];
  }
}

/** Values that must be refused, by kind. */
function badValues({ kind }: OptionDescriptor): unknown[] {
  switch (kind.type) {
    case 'boolean':
      return [0, 1, 'true', null, {}];
    case 'enum':
      return ['', 'no such word', 0, true, null, []];
    case 'enumList':
      return ['none', ['no such word'], new Array(kind.maxLength + 1).fill(kind.values[0]), null, 5];
    case 'integer':
      return [
        kind.min - 1,
        kind.max + 1,
        kind.min + 0.5,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        `${kind.min}`,
        null,
        true,
      ];
    case 'number':
      return [kind.min - 0.01, kind.max + 0.01, Number.NaN, '1', null];
    case 'string':
      return ['', 5, 'a\0b', null];
    default:
      return [Symbol('x'), 5, true];
  }
}

const PATH = '/db';

/** The newest OPTIONS file of the database in memory. */
function storedOptions({ fileSystem }: Env): ReturnType<typeof parseOptionsFile> {
  const name = fileSystem
    .listSync(PATH)
    .filter((file) => file.startsWith('OPTIONS-'))
    .sort()
    .at(-1)!;
  const file = fileSystem.openRandomSync(`${PATH}/${name}`);
  const bytes = new Uint8Array(file.sizeSync());
  file.readSync(bytes, 0);
  file.closeSync();
  return parseOptionsFile(bytes, name);
}

function storedValue(env: Env, { file }: OptionDescriptor): string | undefined {
  const [section, key] = file!;
  const stored = storedOptions(env);
  if (section === 'db') return stored.db.get(key);
  const family = stored.families[0]!;
  return (section === 'cf' ? family.columnFamily : family.table).get(key);
}

/** How a plain value stands in the file. */
function asStored(name: string, value: unknown): RegExp {
  if (typeof value === 'boolean') return new RegExp(`^${value}$`);
  if (typeof value === 'number') {
    if (name === 'maxOpenFiles' && value >= 0 && value < 10) return /^10$/;
    if (name === 'maxCompactionBytes' && value === 0) return /^\d+$/;
    // What 7.8.3 does not know would make it refuse the whole file.
    if (name === 'formatVersion' && value > 5) return /^5$/;
    return new RegExp(`^${value}(\\.\\d+)?$|^${value.toFixed(6)}$`);
  }
  if (Array.isArray(value))
    return new RegExp(`^${value.map((one) => asStored(name, one).source.slice(1, -1)).join(':')}$`, 'i');
  const words: Record<string, string> = {
    none: 'k(No|CompactionStyleNone).*',
    level: 'kCompactionStyleLevel',
    zstd: 'kZSTD',
    pointInTime: 'kPointInTimeRecovery',
    binarySearch: 'k(DataBlock)?BinarySearch',
    binaryAndHash: 'kDataBlockBinaryAndHash',
  };
  return new RegExp(`^${words[value as string] ?? `k(CompactionStyle)?${String(value)}(Compression)?`}$`, 'i');
}

const rows = [...OPTION_TABLE.values()];

test('S3 every option has a type, a default in its range and a line of documentation', () => {
  expect(rows.length).toBeGreaterThan(70);
  for (const row of rows) {
    expect(row.doc, row.name).toMatch(/^[A-Z].*\.$/s);
    if (row.kind.type === 'integer' || row.kind.type === 'number') {
      expect(row.default, row.name).toBeGreaterThanOrEqual(row.kind.min);
      expect(row.default, row.name).toBeLessThanOrEqual(row.kind.max);
    }
    if (row.kind.type === 'enum' && row.default !== undefined) expect(row.kind.values).toContain(row.default);
  }
});

describe('one option at a time', () => {
  const plain = rows.filter((row) => row.kind.type !== 'component' && !decides.has(row.name));
  test.each(plain.map((row) => [row.name, row] as const))(
    'S3 %s is accepted, stored and read back',
    async (name, row) => {
      for (const value of goodValues(row)) {
        const env = Env.memory();
        const options: Options = { env, createIfMissing: true, ...companions[name], [name]: value };
        for (let round = 0; round < 2; round++) {
          await using db = await DB.open(PATH, options);
          await db.put(`key${round}`, 'value', name === 'manualWalFlush' ? {} : { sync: true });
        }
        await using db = await DB.open(PATH, options);
        expect(Buffer.from(db.getSync('key0')!).toString()).toBe('value');
        if (row.file !== undefined && value !== undefined) {
          expect(storedValue(env, row), `${name}: ${String(value)}`).toMatch(asStored(name, value));
        }
      }
    },
  );

  test.each(rows.map((row) => [row.name, row] as const))(
    'S3 %s is refused out of its range, by name',
    async (name, row) => {
      using directory = temporaryDirectory();
      for (const value of badValues(row)) {
        const path = join(directory.path, 'db');
        const open = (): Promise<DB> => DB.open(path, { createIfMissing: true, ...companions[name], [name]: value });
        await expectRefused(open, 'INVALID_ARGUMENT', new RegExp(`options\\.${name}\\b`));
      }
      expect(readdirSync(directory.path)).toEqual([]);
    },
  );
});

test('S3 mutable options change while the database is open and are stored; the others are refused', async () => {
  const env = Env.memory();
  await using db = await DB.open(PATH, { env, createIfMissing: true });
  for (const row of rows.filter(({ kind }) => kind.type !== 'component')) {
    const value = goodValues(row)[0];
    if (value === undefined) continue;
    const change = { [row.name]: value, ...(row.mutable ? companions[row.name] : {}) } as Parameters<
      DB['setOptions']
    >[0];
    if (!row.mutable) {
      await expectRefused(
        () => db.setOptions(change),
        'INVALID_ARGUMENT',
        new RegExp(`options\\.${row.name} cannot change`),
      );
      continue;
    }
    if (/^level0|minWrite/.test(row.name)) continue;
    await db.setOptions(change);
    if (row.file !== undefined) expect(storedValue(env, row), row.name).toMatch(asStored(row.name, value));
  }
  await db.put('a', 'one');
  await db.flush();
});

test('S3 every option that RocksDB stores is in the file, nested ones with their parts', async () => {
  const env = Env.memory();
  await using _ = await DB.open(PATH, {
    env,
    createIfMissing: true,
    maxBackgroundJobs: 5,
    filterPolicy: { type: 'ribbon', bitsPerKey: 9 },
    prefixExtractor: 'rocksdb.CappedPrefix.7',
    mergeOperator: 'uint64add',
    comparator: 'rocksdb.ReverseBytewiseComparator',
    compression: 'zlib',
    compressionOptions: { level: 7, windowBits: 12, maxDictBytes: 4096, maxDictBufferBytes: 65_536 },
    compactionOptionsUniversal: { sizeRatio: 17, stopStyle: 'similarSize', minMergeWidth: 3 },
    compactionOptionsFifo: { maxTableFilesSize: 12_345 },
  });
  for (const row of rows.filter(({ file }) => file !== undefined)) {
    expect(storedValue(env, row), row.name).toBeDefined();
  }
  const stored = (name: string): string | undefined => storedValue(env, OPTION_TABLE.get(name)!);
  expect(stored('maxBackgroundJobs')).toBe('5');
  expect(stored('filterPolicy')).toBe('ribbonfilter:9:0');
  expect(stored('prefixExtractor')).toBe('rocksdb.CappedPrefix.7');
  expect(stored('mergeOperator')).toBe('UInt64AddOperator');
  expect(stored('comparator')).toBe('rocksdb.ReverseBytewiseComparator');
  expect(stored('compressionOptions')).toMatch(
    /window_bits=-12;.*level=7;.*max_dict_bytes=4096;.*max_dict_buffer_bytes=65536;/,
  );
  expect(stored('compactionOptionsUniversal')).toMatch(/size_ratio=17;min_merge_width=3;.*SimilarSize/);
  expect(stored('compactionOptionsFifo')).toBe('{max_table_files_size=12345;}');
});

testWithTools('S3 the OPTIONS file with every option off its default is taken by C++ RocksDB', async () => {
  using directory = temporaryDirectory();
  const options: Record<string, unknown> = { createIfMissing: true };
  for (const row of rows) {
    if (row.kind.type === 'component' || decides.has(row.name) || row.file === undefined) continue;
    const other = goodValues(row).find((value) => value !== row.default);
    if (other === undefined || /indexType|partition|blockAlign|atomicFlush|numLevels|level0/.test(row.name)) continue;
    options[row.name] = other;
  }
  options.compressionOptions = { level: 7, windowBits: 12, maxDictBytes: 4096, maxDictBufferBytes: 65_536 };
  options.compactionOptionsUniversal = { sizeRatio: 17, stopStyle: 'similarSize', minMergeWidth: 3 };
  options.filterPolicy = { type: 'ribbon', bitsPerKey: 9 };
  Object.assign(options, {
    formatVersion: 5,
    maxManifestFileSize: 1 << 20,
    compression: 'zlib',
    compactionStyle: 'universal',
  });
  Object.assign(options, { minWriteBufferNumberToMerge: 2, maxWriteBufferNumber: 4 });
  {
    await using db = await DB.open(directory.path, options as Options);
    await db.put('a', 'one');
    await db.flush();
  }
  const run = runTool('ldb', [`--db=${directory.path}`, '--try_load_options', 'put', 'b', 'two']);
  expect(run.out + run.err).toMatch(/^OK/);
  await using db = await DB.open(directory.path, options as Options);
  expect(Buffer.from(db.getSync('b')!).toString()).toBe('two');
});
