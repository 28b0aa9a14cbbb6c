/** Prefixes in tables' filters: named in the file, and used by iterators that stay inside a prefix. */

import { join } from 'node:path';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DB, fixedPrefix, type Options, Statistics } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { CountingEnv, numbered, prefixRows, quietOptions, rowsOf } from './file-counting.ts';

const FILTERED: Options = { prefixExtractor: fixedPrefix(4), filterPolicy: { type: 'bloom', bitsPerKey: 16 } };

testWithTools('S37 S38 a table names its prefix extractor and its filter policy', async () => {
  using directory = temporaryDirectory();
  const db = await DB.open(directory.path, { createIfMissing: true, ...FILTERED });
  await db.put('user1', 'a');
  await db.flush();
  await db.close();
  const table = readdirSync(directory.path).find((name) => name.endsWith('.sst'))!;
  const { out } = runTool('sst_dump', [`--file=${join(directory.path, table)}`, '--show_properties']);
  expect(out).toContain('prefix extractor name: rocksdb.FixedPrefix.4');
  expect(out).toMatch(/filter policy name: (rocksdb\.BuiltinBloomFilter|bloomfilter)/);
});

/** 100 tables of level 0, each with entries of one prefix, in an order in which their ranges say nothing. */
async function hundredPrefixes(options: Options): Promise<{ db: DB; statistics: Statistics; env: CountingEnv }> {
  const env = new CountingEnv();
  const statistics = new Statistics();
  const db = await DB.open('/db', quietOptions({ env: env.env, statistics, ...FILTERED, ...options }));
  for (let table = 0; table < 100; table++) {
    for (let i = 0; i < 50; i++) db.putSync(`${numbered('p', (table * 37) % 100, 3)}${i}`, `${i}`);
    await db.flush();
  }
  return { db, statistics, env };
}

describe('S39 an iterator that stays in a prefix passes over tables whose filter excludes it', () => {
  test.each([
    ['full filters', {}],
    ['partitioned filters', { indexType: 'twoLevelIndexSearch', partitionFilters: true, metadataBlockSize: 64 }],
    ['filters of prefixes only', { wholeKeyFiltering: false }],
  ] as const)('S39 %s', async (name, extra) => {
    const { db, statistics, env } = await hundredPrefixes(extra as Options);
    env.clear();
    expect(prefixRows(db, 'p050')).toHaveLength(50);
    const useful = statistics.getTickerCount('rocksdb.bloom.filter.prefix.useful');
    expect(useful).toBeGreaterThanOrEqual(95);
    expect(statistics.getTickerCount('rocksdb.bloom.filter.prefix.checked')).toBe(100);
    // Each table is opened with one read; of data blocks only those with the prefix are read.
    expect(env.count(/^read .*\.sst/)).toBeLessThanOrEqual(name === 'partitioned filters' ? 300 : 105);
    if (name !== 'partitioned filters') {
      expect(statistics.getTickerCount('rocksdb.block.cache.miss')).toBeLessThanOrEqual(5);
    }
    // Without the promise to stay in the prefix every table counts.
    using iterator = db.newIterator({ totalOrderSeek: true });
    let rows = 0;
    for (let valid = iterator.seekSync('p050'); valid; valid = iterator.nextSync()) rows++;
    expect(rows).toBe(50 * 50);
    expect(statistics.getTickerCount('rocksdb.bloom.filter.prefix.useful')).toBe(useful);
    await db.close();
  });

  test('S39 absent prefixes and both directions show the same rows as a walk in full order', async () => {
    const { db } = await hundredPrefixes({});
    await db.compactRange();
    for (const prefix of ['p000', 'p099', 'p100', 'o999', 'p05x']) {
      const all = (await rowsOf(db)).filter((row) => row.startsWith(prefix));
      expect(prefixRows(db, prefix)).toEqual(all);
      expect(prefixRows(db, prefix, true)).toEqual(all.toReversed());
    }
    await db.close();
  });

  test('S39 range tombstones of a table that is passed over still hide older rows', async () => {
    const db = await DB.open('/db', quietOptions(FILTERED));
    for (const key of ['aaaa1', 'bbbb1', 'bbbb2', 'cccc1']) db.putSync(key, 'old');
    await db.flush();
    await db.compactRange();
    db.putSync('aaaa9', 'new');
    db.deleteRangeSync('bbbb', 'bbbb2');
    db.putSync('cccc9', 'new');
    await db.flush();
    expect(prefixRows(db, 'bbbb')).toEqual(['bbbb2=old']);
    expect(prefixRows(db, 'bbbb', true)).toEqual(['bbbb2=old']);
    await db.close();
  });

  test('S39 random histories: prefix iterators agree with iterators in full order', async () => {
    const random = new Random(seedFor(39));
    for (const extra of [{}, { indexType: 'twoLevelIndexSearch', partitionFilters: true, metadataBlockSize: 128 }]) {
      const db = await DB.open('/db', {
        ...FILTERED,
        ...(extra as Options),
        createIfMissing: true,
        env: new CountingEnv().env,
        targetFileSizeBase: 4096,
        blockSize: 256,
        level0FileNumCompactionTrigger: 3,
      });
      for (let step = 0; step < 3000; step++) {
        const key = `${numbered('', random.below(40), 4).slice(0, random.oneIn(20) ? 2 : 4)}${random.below(30)}`;
        const other = `${numbered('', random.below(40), 4)}${random.below(30)}`;
        if (random.oneIn(60) && key < other) db.deleteRangeSync(key, other < `${key}9` ? other : `${key}9`);
        else if (random.oneIn(5)) db.deleteSync(key);
        else db.putSync(key, `${step}`);
        if (random.oneIn(150)) await db.flush();
      }
      const all = await rowsOf(db);
      for (let prefix = 0; prefix < 42; prefix++) {
        const wanted = all.filter((row) => row.startsWith(numbered('', prefix, 4)));
        expect(prefixRows(db, numbered('', prefix, 4))).toEqual(wanted);
        expect(prefixRows(db, numbered('', prefix, 4), true)).toEqual(wanted.toReversed());
      }
      await db.close();
    }
  });
});
