/**
 * Every table of the golden databases, whoever wrote it: all blocks' checksums hold, the entries are those that
 * `sst_dump` prints, forward, backward and read ahead, and each key is found by a lookup, through the filter.
 */
import { describe, expect, test } from 'vitest';
import { sequenceOf, typeOf, userKeyOf } from '../../../format/base/internal-key.ts';
import { runSync } from '../../../format/base/io.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import {
  type Entry,
  get,
  goldenTables,
  openFile,
  openReader,
  openWithItsComparator,
  readAll,
} from './table-support.ts';

const tables = goldenTables();
const maxSequence = Number.MAX_SAFE_INTEGER;

function line({ key, value }: Entry): string {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase();
  return `'${hex(userKeyOf(key))}' seq:${sequenceOf(key)}, type:${typeOf(key)} => ${hex(value)}`;
}

test('there are tables of every kind', () => {
  expect(tables.length).toBeGreaterThan(150);
});

describe('tables of the golden databases', () => {
  test('read the same forward, backward and ahead, with all checksums right', () => {
    for (const { path } of tables) {
      const reader = openWithItsComparator(() => openFile(path));
      runSync(reader.verifyChecksums());
      const entries = readAll(reader).map(line);
      const { numEntries, numRangeDeletions } = reader.properties;
      if (numEntries > 0) expect(entries.length, path).toBe(numEntries - numRangeDeletions);
      expect(readAll(reader, -1).map(line).reverse(), path).toEqual(entries);
      expect(readAll(reader, 1, 4096).map(line), path).toEqual(entries);
      expect(readAll(reader, -1, 10_000).map(line).reverse(), path).toEqual(entries);
      expect(reader.rangeTombstones.length, path).toBe(numRangeDeletions);
      reader.close();
    }
  });

  test('hold each newest version for a lookup, and nothing else', () => {
    const kernel = getKernel();
    const cache = kernel.x.cacheCreate(1 << 22, 2, 1, 0) >>> 0;
    for (const { path } of tables) {
      for (const options of [{}, { cache: { address: cache } }]) {
        const reader = openWithItsComparator(() => openFile(path), options);
        const found = new Set<string>();
        for (const { key, value } of readAll(reader)) {
          const userKey = userKeyOf(key);
          const name = Buffer.from(userKey).toString('latin1');
          if (found.has(name)) continue;
          found.add(name);
          const newest = get(reader, userKey, maxSequence);
          expect(newest?.sequence, path).toBe(sequenceOf(key));
          expect(newest?.type, path).toBe(typeOf(key));
          expect(Buffer.compare(newest!.value, value), path).toBe(0);
          if (sequenceOf(key) > 0) expect(get(reader, userKey, sequenceOf(key))?.sequence, path).toBe(sequenceOf(key));
          const absent = Buffer.concat([userKey, Uint8Array.of(0)]);
          if (!found.has(absent.toString('latin1')) && get(reader, absent, maxSequence) !== undefined) {
            expect(
              readAll(reader).some((other) => Buffer.compare(userKeyOf(other.key), absent) === 0),
              path,
            ).toBe(true);
          }
        }
        reader.close();
      }
    }
    kernel.x.cacheFree(cache);
  });

  testWithTools(
    'hold what sst_dump scans and its properties say',
    () => {
      let compared = 0;
      for (const { name, path } of tables) {
        // LevelDB's and newer RocksDB's files are beyond the tool.
        if (name.startsWith('leveldb') || name.startsWith('modern')) continue;
        const run = runTool('sst_dump', [`--file=${path}`, '--command=scan', '--output_hex']);
        expect(run.err, path).not.toMatch(/Corruption/);
        const expected = run.out.split('\n').filter((text) => text.includes(' => '));
        const reader = openWithItsComparator(() => openFile(path));
        const actual = readAll(reader).map(line);
        expect(actual, path).toEqual(expected);
        reader.close();
        compared++;
      }
      expect(compared).toBeGreaterThan(140);
    },
    120_000,
  );
});

test('an ingested file takes the sequence of the MANIFEST, or the one written into it though its checksum is then stale', () => {
  const ingested = tables.filter(({ name }) => name.startsWith('ingested'));
  const sequences = ingested.map(({ path }) => {
    const file = openFile(path);
    const reader = openReader(file);
    const { externalFileVersion, globalSequence } = reader.properties;
    reader.close();
    return { path, external: externalFileVersion >= 2, globalSequence };
  });
  expect(sequences.some(({ external, globalSequence }) => external && globalSequence > 0)).toBe(true);
  expect(sequences.some(({ external, globalSequence }) => external && globalSequence === 0)).toBe(true);
  for (const { path, external, globalSequence } of sequences.filter((file) => file.external)) {
    expect(external).toBe(true);
    const sequence = globalSequence || 4711;
    const reader = openReader(openFile(path), { largestSequence: sequence });
    const entries = readAll(reader);
    expect(entries.length).toBeGreaterThan(0);
    for (const { key } of entries) expect(sequenceOf(key)).toBe(sequence);
    const first = userKeyOf(entries[0]!.key);
    expect(get(reader, first, sequence)?.sequence).toBe(sequence);
    expect(get(reader, first, sequence - 1)).toBeUndefined();
    reader.close();
    if (globalSequence > 0) {
      expect(() => openReader(openFile(path), { largestSequence: globalSequence + 1 })).toThrow(/global sequence/);
    }
  }
});

test('a table of another order is refused', () => {
  const { path } = tables.find(({ name }) => name === 'reverse-comparator')!;
  expect(() => openReader(openFile(path))).toThrow(/ordered by comparator rocksdb.ReverseBytewiseComparator/);
});

test('closing the last reader and iterator gives all memory back', () => {
  const kernel = getKernel();
  const pass = () => {
    for (const { path } of tables) {
      const reader = openWithItsComparator(() => openFile(path));
      const first = readAll(reader)[0];
      if (first !== undefined) get(reader, userKeyOf(first.key), maxSequence);
      const iterator = reader.newIterator();
      reader.close();
      runSync(iterator.seekToFirst());
      iterator.close();
    }
  };
  pass();
  const before = kernel.x.allocatedBytes();
  pass();
  expect(kernel.x.allocatedBytes()).toBe(before);
});
