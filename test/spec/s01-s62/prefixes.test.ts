/**
 * Prefix extractors: the built-in ones and one of the user's, stored by name, used by prefix iteration and by the filters of
 * tables. Method: scans against a model, and counters that tell which tables were not looked into.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  cappedPrefix,
  DB,
  delimiterPrefix,
  fixedPrefix,
  type Options,
  type SliceTransform,
  Statistics,
} from '../../../src/index.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const vowels: SliceTransform = {
  name: 'test.UpToVowel',
  transform: (key) => key.subarray(0, key.findIndex((byte) => 'aeiou'.includes(String.fromCharCode(byte))) + 1),
  inDomain: (key) => key.some((byte) => 'aeiou'.includes(String.fromCharCode(byte))),
};

const extractors: [name: string, extractor: SliceTransform, prefixOf: (key: string) => string | undefined][] = [
  ['fixed', fixedPrefix(3), (key) => (key.length >= 3 ? key.slice(0, 3) : undefined)],
  ['capped', cappedPrefix(3), (key) => key.slice(0, 3)],
  [
    'delimiter',
    delimiterPrefix(':'.charCodeAt(0)),
    (key) => (key.includes(':') ? key.slice(0, key.indexOf(':') + 1) : undefined),
  ],
  ['custom', vowels, (key) => /^[^aeiou]*[aeiou]/.exec(key)?.[0]],
];

const keys = [
  'a',
  'ab',
  'abc',
  'abc:1',
  'abc:2',
  'abd',
  'abd:1',
  'b',
  'bcd:1',
  'bcd:2',
  'bcdo',
  'xyz',
  'xyzu',
  'xyzua',
  ':',
  ':x',
].sort();

describe.each(extractors)('%s', (_name, prefixExtractor, prefixOf) => {
  const options: Options = { createIfMissing: true, prefixExtractor, filterPolicy: { type: 'bloom', bitsPerKey: 10 } };

  async function expectPrefixScans(db: DB): Promise<void> {
    for (const start of keys) {
      const prefix = prefixOf(start);
      if (prefix === undefined) continue;
      using cursor = db.newIterator({ prefixSameAsStart: true });
      const found: string[] = [];
      for (let valid = await cursor.seek(start); valid; valid = await cursor.next()) {
        found.push(Buffer.from(cursor.key).toString());
      }
      expect(found, `from ${start}`).toEqual(keys.filter((key) => key >= start && prefixOf(key) === prefix));
    }
    const all: string[] = [];
    for await (const key of db.keys()) all.push(Buffer.from(key).toString());
    expect(all).toEqual(keys);
    for (const key of keys) expect(await db.get(key)).toBeDefined();
    expect(await db.get('abc:3')).toBeUndefined();
  }

  test('S37 a prefix scan gives the keys of the prefix, from memory and from tables; a whole scan gives all', async () => {
    using directory = temporaryDirectory();
    {
      await using db = await DB.open(directory.path, options);
      for (const key of keys) await db.put(key, key);
      await expectPrefixScans(db);
      await db.flush();
      await expectPrefixScans(db);
      await db.compactRange();
      await expectPrefixScans(db);
    }
    await using db = await DB.open(directory.path, options);
    await expectPrefixScans(db);
  });

  testWithTools('S37 S38 the name stands in the properties of tables, beside the filter policy', async () => {
    using directory = temporaryDirectory();
    {
      await using db = await DB.open(directory.path, options);
      for (const key of keys) await db.put(key, key);
      await db.flush();
    }
    const table = readdirSync(directory.path).find((name) => name.endsWith('.sst'))!;
    const run = runTool('sst_dump', [`--file=${join(directory.path, table)}`, '--command=none', '--show_properties']);
    expect(run.out).toContain(`prefix extractor name: ${prefixExtractor.name}`);
    expect(run.out).toMatch(/filter policy name: bloomfilter/);
  });
});

test('S39 a scan of one prefix looks into the one table of a hundred that has it', async () => {
  using directory = temporaryDirectory();
  const statistics = new Statistics();
  const options: Options = {
    createIfMissing: true,
    disableAutoCompactions: true,
    level0SlowdownWritesTrigger: 1000,
    level0StopWritesTrigger: 1000,
    prefixExtractor: fixedPrefix(4),
    filterPolicy: { type: 'bloom', bitsPerKey: 10 },
  };
  const prefix = (table: number): string => `p${String(table).padStart(3, '0')}`;
  {
    await using db = await DB.open(directory.path, options);
    for (let table = 0; table < 100; table++) {
      // The ends of every table lie around all prefixes, so that only the filter can tell them apart.
      await db.put('a', 'x');
      await db.put('z', 'x');
      for (let i = 0; i < 20; i++) await db.put(`${prefix(table)}-${i}`, 'value');
      await db.flush();
    }
    expect(db.getLiveFilesMetaData().length).toBe(100);
  }
  await using db = await DB.open(directory.path, { ...options, statistics });
  const misses = statistics.getTickerCount('rocksdb.block.cache.miss');
  using cursor = db.newIterator({ prefixSameAsStart: true });
  let rows = 0;
  for (let valid = await cursor.seek(`${prefix(42)}-`); valid; valid = await cursor.next()) rows++;
  expect(rows).toBe(20);
  const useful = statistics.getTickerCount('rocksdb.bloom.filter.prefix.useful');
  const blocks = statistics.getTickerCount('rocksdb.block.cache.miss') - misses;
  process.stdout.write(`S39: ${useful} tables passed over, ${blocks} blocks read\n`);
  expect(useful).toBeGreaterThanOrEqual(95);
  expect(blocks).toBeLessThanOrEqual(5);
});
