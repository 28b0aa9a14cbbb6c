/**
 * Tables with a hash index. Method: the entries of tables that C++ RocksDB wrote, written again with the same options and
 * names, must give the same file; and ldb, whose gets go through the hash index, must find every key of ours.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytewiseComparator } from '../../format/base/comparator.ts';
import { delimiterPrefix, type SliceTransform, sliceTransformByName } from '../../format/base/slice-transform.ts';
import type { TableOptions } from '../../format/sst/table-options.ts';
import type { TableReader } from '../../format/sst/table-reader.ts';
import { DB, type Options } from '../../src/index.ts';
import { entry, get, memoryFile, openReader, readAll, writeTable } from '../format/sst/table-support.ts';
import { Random, seedFor } from '../support/random.ts';
import { expectTablesSound, rocksdbToolsInstalled, runTool } from '../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const toolsInstalled = rocksdbToolsInstalled();
const golden = join(import.meta.dirname, '../fixtures/index-hash/db/000009.sst');

/** Writes the entries of a table again, with what its properties say of its origin. */
function rewrite(reader: TableReader, extractor: SliceTransform, options: Partial<TableOptions>): Uint8Array {
  const { properties } = reader;
  return writeTable(readAll(reader), options, {
    comparator: bytewiseComparator,
    familyId: properties.columnFamilyId,
    familyName: properties.columnFamilyName,
    creationTime: properties.creationTime,
    oldestKeyTime: properties.oldestKeyTime,
    fileCreationTime: properties.fileCreationTime,
    dbId: properties.dbId,
    dbSessionId: properties.dbSessionId,
    dbHostId: properties.dbHostId,
    fileNumber: properties.originalFileNumber,
    mergeOperatorName: properties.mergeOperatorName,
    prefixExtractor: extractor,
  }).bytes;
}

function expectSameFile(bytes: Uint8Array, options: Partial<TableOptions>): void {
  const reader = openReader(memoryFile(bytes));
  const extractor = sliceTransformByName(reader.properties.prefixExtractorName)!;
  const again = rewrite(reader, extractor, { indexType: 'hashSearch', compression: 'none', ...options });
  reader.close();
  expect(Buffer.from(bytes).includes('rocksdb.hashindex.metadata')).toBe(true);
  expect(Buffer.compare(again, bytes)).toBe(0);
}

test('the golden table with a hash index is written the same, byte for byte', () => {
  expectSameFile(readFileSync(golden), { blockSize: 300, checksum: 'crc32c' });
});

test('keys without a prefix are left out of the helper blocks, and found', () => {
  const names = ['a', 'a/1', 'a/2', 'b', 'b/1', 'c', 'cc/1', 'cc/2', 'd'];
  const entries = names.map((name, i) => entry(name, i + 1, 'v'.repeat(40)));
  const prefixExtractor = delimiterPrefix(0x2f);
  // A block for each entry; the same in one block; and a table without any.
  for (const [count, blockSize, metadata] of [
    [9, 1, [2, 1, 2, 2, 4, 1, 3, 6, 2]],
    [9, 4096, [2, 0, 1, 2, 0, 1, 3, 0, 1]],
    [0, 4096, []],
  ] as const) {
    const options: Partial<TableOptions> = {
      indexType: 'hashSearch',
      blockSize,
      compression: 'none',
      checksum: 'none',
    };
    const { bytes } = writeTable(entries.slice(0, count), options, { prefixExtractor });
    const trailer = new Uint8Array(5);
    const prefixes = Buffer.from(count === 0 ? '' : 'a/b/cc/');
    const helpers = Buffer.concat([Uint8Array.from(metadata), trailer, prefixes, trailer]);
    expect(Buffer.from(bytes).includes(helpers)).toBe(true);
    const reader = openReader(memoryFile(bytes), { prefixExtractor });
    for (const name of names) expect(get(reader, Buffer.from(name), 100) !== undefined).toBe(count > 0);
    reader.close();
  }
});

/** Prefixes with one key, with many blocks, and many in one block. */
function makeKeys(prefixLength: number): string[] {
  const random = new Random(seedFor(4101));
  const keys: string[] = [];
  for (let prefix = 0; prefix < 300; prefix++) {
    const name = String(prefix).padStart(prefixLength, 'p');
    const count = random.oneIn(20) ? 200 : random.between(1, 5);
    for (let i = 0; i < count; i++) keys.push(`${name}${String(i).padStart(4, '0')}`);
  }
  return keys;
}

function tablesOf(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.sst'))
    .map((name) => join(directory, name));
}

describe.skipIf(!toolsInstalled)('ldb and a hash index', () => {
  test.each([
    ['rocksdb.FixedPrefix.5', 5],
    ['rocksdb.CappedPrefix.6', 6],
    ['rocksdb.Noop', 4],
  ] as const)(
    'S38 %s: gets find our keys, and tables that ldb compacts are like ours',
    async (prefixExtractor, length) => {
      using directory = temporaryDirectory();
      const path = join(directory.path, 'db');
      const options: Options = { prefixExtractor, indexType: 'hashSearch', blockSize: 400, compression: 'none' };
      const keys = makeKeys(length);
      {
        await using db = await DB.open(path, { createIfMissing: true, ...options });
        for (const key of keys) await db.put(key, `value of ${key}`);
        await db.flush();
      }
      expect(expectTablesSound(path)).toBe(1);
      const [ours] = tablesOf(path);
      expectSameFile(readFileSync(ours!), { blockSize: 400 });
      const ldb = (...args: string[]) => runTool('ldb', [`--db=${path}`, '--try_load_options', ...args]);
      for (const key of keys.filter((_, index) => index % 37 === 0)) {
        expect(ldb('get', key).out.trim(), key).toBe(`value of ${key}`);
      }
      for (const key of ['ppppp', `${keys[3]!.slice(0, -1)}x`, 'zzzzzzzzzz'])
        expect(ldb('get', key).out).not.toContain('value');
      expect(ldb('put', keys[0]!, 'new').out.trim()).toBe('OK');
      expect(ldb('compact')).toMatchObject({ code: 0 });
      const theirs = tablesOf(path).filter((table) => table !== ours);
      expect(theirs.length).toBe(1);
      expectSameFile(readFileSync(theirs[0]!), { blockSize: 400 });
      await using db = await DB.open(path, options);
      expect(Buffer.from(db.getSync(keys[0]!)!).toString()).toBe('new');
      for (const key of keys.slice(1)) expect(Buffer.from(db.getSync(key)!).toString()).toBe(`value of ${key}`);
    },
  );
});
