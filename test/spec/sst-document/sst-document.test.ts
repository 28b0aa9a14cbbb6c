/**
 * The description of the table file is complete and true. Method: a decoder that takes layouts, ids, names and hash constants from
 * the tables of `docs/sst-format.md` reads every table that the C++ libraries wrote for us; what it finds is held to the
 * tables' own properties and to what the C++ tool prints; and with one cell of the document changed it must fail.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { allFixtures, type Fixture } from '../../support/fixtures.ts';
import { Random, seedFor } from '../../support/random.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { PROJECT_ROOT } from '../../support/source-files.ts';
import { DocumentRules } from './blocks.ts';
import { bytesOf, FormatDocument } from './document.ts';
import { type DecodedTable, decodeTable, type TableEntry } from './table-decoder.ts';

const SEED = seedFor(23);
const markdown = readFileSync(join(PROJECT_ROOT, 'docs/sst-format.md'), 'utf8');
const document = new FormatDocument(markdown);
let rules: DocumentRules;

beforeAll(async () => {
  rules = await DocumentRules.load(document);
});

/** The tables of one golden database, oldest first. */
function tablesOf(fixture: Fixture): string[] {
  const names = readdirSync(fixture.path).filter((name) => /\.(sst|ldb)$/.test(name));
  return names.sort().map((name) => join(fixture.path, name));
}

function count(entries: readonly TableEntry[], ...types: string[]): bigint {
  return BigInt(entries.filter((entry) => types.includes(entry.type)).length);
}

function sum(entries: readonly TableEntry[], size: (entry: TableEntry) => number): bigint {
  return BigInt(entries.reduce((total, entry) => total + size(entry), 0));
}

/** What the table says of itself must be what the decoder found. LevelDB's tables say nothing. */
function expectTrueToItself(table: DecodedTable, name: string): void {
  const { entries, tombstones, properties } = table;
  const all = [...entries, ...tombstones];
  const found: Record<string, bigint> = {
    'rocksdb.num.entries': BigInt(all.length),
    'rocksdb.deleted.keys': count(all, 'Deletion', 'SingleDeletion', 'RangeDeletion'),
    'rocksdb.merge.operands': count(all, 'Merge'),
    'rocksdb.num.range-deletions': BigInt(tombstones.length),
    'rocksdb.num.data.blocks': BigInt(table.dataBlocks),
    'rocksdb.data.size': BigInt(table.dataSize),
    'rocksdb.raw.key.size': sum(all, (entry) => entry.keySize),
    'rocksdb.raw.value.size': sum(all, (entry) => entry.value.length),
  };
  if (!properties.has('rocksdb.num.entries')) {
    expect(table.formatVersion, name).toBe(0);
    return;
  }
  const said = Object.fromEntries(Object.keys(found).map((property) => [property, properties.get(property) ?? 0n]));
  expect(found, name).toEqual(said);
}

/** No key in two places out of order: by user key, then the newest first. */
function expectOrdered(table: DecodedTable, name: string): void {
  const comparator = table.properties.get('rocksdb.comparator') as string;
  const sign = document.find('Comparators', 'name', comparator)?.order === 'the reverse' ? -1 : 1;
  const wrong = table.entries.findIndex((entry, i) => {
    const next = table.entries[i + 1];
    const order = next === undefined ? -1 : sign * Buffer.compare(entry.key, next.key);
    return order > 0 || (order === 0 && entry.sequence < next!.sequence);
  });
  expect(wrong, `${name}: an entry that is not before the next one`).toBe(-1);
}

/** The prefix of a key by the extractor's name; undefined for a key without one. */
function prefixOf(key: Buffer, extractor: string): Buffer | undefined {
  const [, name = extractor, digits = ''] = /^(.*)\.(\d+)$/.exec(extractor) ?? [];
  const rule = document.row('Prefix extractors', 'name', digits === '' ? name : `${name}.N`).prefix!;
  if (rule === 'the whole key') {
    return key;
  }
  const fits = key.length >= Number(digits) || rule.includes('the whole of a shorter key');
  return rule.startsWith('the first N bytes') && fits ? key.subarray(0, Number(digits)) : undefined;
}

/** What was put into the filter may be there; most of what was not is surely not. Gives the share of wrong answers. */
function expectFilterRight(table: DecodedTable, name: string, random: Random): void {
  const { filter, properties } = table;
  if (filter === undefined) {
    return;
  }
  expect(filter.kind, name).toBeDefined();
  const whole = properties.get('rocksdb.block.based.table.whole.key.filtering') === '1';
  const extractor = properties.get('rocksdb.prefix.extractor.name') as string;
  const asked = table.entries.flatMap(({ key }) => [whole ? key : undefined, prefixOf(key, extractor || 'nullptr')]);
  const present = asked.filter((key) => key !== undefined);
  expect(present.filter((key) => !filter.mayMatch(key)).length, `${name}: keys that the filter denies`).toBe(0);
  const absent = Array.from({ length: 1000 }, () => random.bytes(20));
  expect(absent.filter((key) => filter.mayMatch(key)).length, `${name}: strangers it lets in`).toBeLessThan(100);
}

const fixtures = allFixtures().filter((fixture) => tablesOf(fixture).length > 0);
const met = { versions: new Set(), checksums: new Set(), indexes: new Set(), filters: new Set(), codecs: new Set() };

describe('S23 the document decodes what the C++ libraries wrote', () => {
  test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('S23 %s', (_name, fixture) => {
    const random = new Random(SEED);
    for (const path of tablesOf(fixture)) {
      const table = decodeTable(rules, readFileSync(path));
      expectTrueToItself(table, path);
      expectOrdered(table, path);
      expectFilterRight(table, path, random);
      met.versions.add(table.formatVersion);
      met.checksums.add(table.checksumName);
      met.indexes.add(table.indexName);
      for (const codec of table.codecs) met.codecs.add(codec);
      if (table.filter !== undefined) met.filters.add(table.filter.kind);
      if (table.hashBuckets > 0) met.indexes.add('hash index of data blocks');
    }
  });

  test('S23 every version, checksum, index, filter and codec of the document was met', () => {
    const names = (heading: string): string[] => document.table(heading).map((row) => row.name!);
    expect([...met.versions].sort()).toEqual(document.table('Versions').map((row) => Number(row.format_version)));
    expect([...met.checksums].sort()).toEqual(names('Checksum types').sort());
    expect([...met.indexes].sort()).toEqual([...names('Index kinds'), 'hash index of data blocks'].sort());
    expect([...met.filters].sort()).toEqual(names('Filter kinds').sort());
    // No writer of today makes what only old ones did.
    const codecs = names('Compression types').filter((name) => name !== 'zstdNotFinal');
    expect([...met.codecs].sort()).toEqual(codecs.sort());
  });
});

/** Entries as `sst_dump --command=scan --output_hex` prints them. */
function dumped(path: string): string[] {
  const { out } = runTool('sst_dump', [`--file=${path}`, '--command=scan', '--output_hex']);
  return out.split('\n').filter((line) => /^'[0-9A-F]*' seq:/.test(line));
}

testWithTools('S23 entries decoded by the document are those that sst_dump prints', () => {
  let compared = 0;
  // Left out: newer tables, which it cannot read, blob references and wide columns, and LevelDB's.
  const readable = fixtures.filter(({ name }) => !/^(modern|opt-|leveldb)/.test(name));
  for (const fixture of readable) {
    const path = tablesOf(fixture)[0]!;
    const lines = decodeTable(rules, readFileSync(path)).entries.map(({ key, sequence, typeId, value }) => {
      const [keyText, valueText] = [key, value].map((bytes) => bytes.toString('hex').toUpperCase());
      return `'${keyText}' seq:${sequence}, type:${typeId} => ${valueText}`;
    });
    expect(lines, path).toEqual(dumped(path));
    compared += lines.length;
  }
  expect(compared).toBeGreaterThan(10_000);
});

test('S23 the file that the document shows byte by byte is that file', () => {
  const file = readFileSync(join(PROJECT_ROOT, 'test/fixtures/tiny/db/000009.sst'));
  for (const { offset, bytes, what } of document.table('One file, byte by byte')) {
    const expected = bytesOf(bytes!);
    const at = Number(offset);
    expect(file.subarray(at, at + expected.length).toString('hex'), what).toBe(expected.toString('hex'));
  }
  const table = decodeTable(rules, file);
  const entries = table.entries.map(({ key, sequence, type, value }) => `${key} ${sequence} ${type} ${value}`);
  expect(entries).toEqual(['apple 1 Value red', 'apricot 2 Value orange', 'banana 3 Deletion ']);
  expect([table.formatVersion, table.checksumName, table.filter?.kind]).toEqual([5, 'CRC32c', 'FastLocalBloom']);
  const trailer = rules.trailerOf(file, { offset: 0, size: 66 });
  expect(trailer.number('compression type')).toBe(0);
});

/** A cell of the document (heading, row, column), what it wrongly says, and a fixture that must then not decode. */
const ERRORS: readonly (readonly [string, readonly [string, string], string, string, string])[] = [
  ['Footer B', ['field', 'format version'], 'offset', '40', 'fv5'],
  ['Footer C', ['field', 'metaindex size'], 'offset', '17', 'modern-10.5-fv6'],
  ['Block trailer', ['field', 'checksum'], 'offset', '0', 'tiny'],
  ['Checksum constants', ['name', 'polynomial'], 'value', '0xedb88320', 'checksum-crc32c'],
  ['Checksum constants', ['name', 'multiplier'], 'value', '0x6b9083d8', 'checksum-xxh3'],
  ['Checksum types', ['name', 'xxHash64'], 'function', 'XXH32', 'checksum-xxhash64'],
  ['Compression types', ['name', 'lz4'], 'size, versions 0–1', 'varint32', 'lz4-fv1'],
  ['Compression types', ['name', 'zlib'], 'size, versions 2–7', '–', 'l0-zlib'],
  ['Entry', ['field', 'unshared'], 'form', 'fixed16', 'tiny'],
  ['Block end', ['field', 'hash index'], 'bits', '30', 'data-block-hash'],
  ['Hash constants', ['name', 'hash index seed'], 'value', '398', 'data-block-hash'],
  ['Entry types', ['name', 'SingleDeletion'], 'id', '0x08', 'deletes'],
  ['Metaindex names', ['name', 'rocksdb.range_del'], 'block', 'hints', 'deletes'],
  ['Index values', ['shared', 'above 0'], 'form', 'varint64', 'index-delta'],
  ['Index kinds', ['id', '3'], 'first key', 'no', 'index-first-key-fv5-ri8'],
  ['Index kinds', ['id', '2'], 'levels', '1', 'partitioned-fv5'],
  ['Hash constants', ['name', 'golden'], 'value', '0x9e3779bb', 'bloom-fastlocal'],
  ['Hash constants', ['name', 'legacy seed'], 'value', '0xbc9f1d35', 'bloom-legacy'],
  ['Hash constants', ['name', 'ribbon row'], 'value', '0xc28f82822b650bef', 'ribbon'],
  ['The secret', ['offset', '0'], 'bytes', '00'.repeat(32), 'bloom-fastlocal'],
  ['Properties that decide how to read', ['name', 'rocksdb.index.key.is.user.key'], 'form', 'fixed32', 'fv5'],
];

test.each(ERRORS)(
  'S23 with an error in the document nothing decodes: %s, %s, %s',
  async (heading, row, column, cell, name) => {
    const changed = await DocumentRules.load(document.withCell(heading, row, column, cell));
    const fixture = fixtures.find((each) => each.name === name)!;
    expect(() => {
      for (const path of tablesOf(fixture)) {
        const table = decodeTable(changed, readFileSync(path));
        expectTrueToItself(table, path);
        expectFilterRight(table, path, new Random(SEED));
      }
    }).toThrow();
  },
);
