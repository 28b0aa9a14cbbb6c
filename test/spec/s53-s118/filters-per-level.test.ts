/**
 * Which filter a table gets by its level. Bloom filters of 10 bits a key take 10 bits, Ribbon filters of the same promise 7:
 * that tells them apart in the properties, as does C++ RocksDB's sst_dump, which is asked as well. What is expected was
 * seen of RocksDB 7.8.3's own db_bench and ldb.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALWAYS_BLOOM } from '../../../format/sst/filter-policy.ts';
import { runSync } from '../../../format/base/io.ts';
import { readTableProperties } from '../../../format/sst/table-open.ts';
import { DB, type FilterPolicy, type Options, SstFileWriter } from '../../../src/index.ts';
import { memoryFile } from '../../format/sst/table-support.ts';
import { ldbScan, runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { numbered } from './file-counting.ts';

const KEYS = 3000;
const ribbon = (bloomBeforeLevel?: number): FilterPolicy => ({
  type: 'ribbon',
  bitsPerKey: 10,
  ...(bloomBeforeLevel === undefined ? {} : { bloomBeforeLevel }),
});

function kindOf(filterSize: number, keys: number): string {
  if (filterSize === 0) return 'none';
  return (filterSize * 8) / keys > 9 ? 'bloom' : 'ribbon';
}

/** The table's filter by its properties, which name the policy whatever it made. */
function filterIn(path: string): string {
  const bytes = readFileSync(path);
  const properties = runSync(readTableProperties(memoryFile(bytes), bytes.length));
  expect(properties.filterPolicyName).toBe('ribbonfilter');
  return kindOf(properties.filterSize, properties.numEntries);
}

function filterBySstDump(path: string): string {
  const { out } = runTool('sst_dump', [`--file=${path}`, '--show_properties']);
  const number = (name: string): number => Number(new RegExp(`^ *${name}: (\\d+)`, 'm').exec(out)?.[1] ?? Number.NaN);
  expect(out).toContain('filter policy name: ribbonfilter');
  return kindOf(number('filter block size'), number('# entries'));
}

function fill(db: DB, round: number): void {
  for (let i = 0; i < KEYS; i++) db.putSync(numbered('key', i * 2), `${round} ${i}`.padEnd(40));
}

/** Tables of the same keys in levels `deepest` down to 0, written in that order; the last one is a flush. */
async function fillLevels(db: DB, deepest: number): Promise<void> {
  for (let level = deepest; level >= 0; level--) {
    fill(db, level);
    await db.flush();
    const flushed = db.getLiveFilesMetaData().filter((file) => file.level === 0);
    if (level > 0)
      await db.compactFiles(
        flushed.map(({ name }) => name),
        level,
      );
  }
}

async function open(path: string, options: Options): Promise<DB> {
  return DB.open(path, { createIfMissing: true, disableAutoCompactions: true, ...options });
}

/** The filters by level, from level 0 on. */
function filtersOf(db: DB, path: string, filterOf = filterIn): string[] {
  const files = db.getLiveFilesMetaData().toSorted((a, b) => a.level - b.level);
  return files.map(({ level, name }) => `${level} ${filterOf(join(path, name))}`);
}

function expectReads(db: DB): void {
  for (let i = 0; i < KEYS; i += 7) {
    expect(Buffer.from(db.getSync(numbered('key', i * 2))!).toString()).toBe(`0 ${i}`.padEnd(40));
    expect(db.getSync(numbered('key', i * 2 + 1))).toBeUndefined();
  }
}

const EXPECTED: [policy: FilterPolicy, options: Options, filters: string[]][] = [
  [ribbon(), {}, ['0 bloom', '1 ribbon', '2 ribbon', '3 ribbon']],
  [ribbon(-1), {}, ['0 ribbon', '1 ribbon', '2 ribbon', '3 ribbon']],
  [ribbon(2), {}, ['0 bloom', '1 bloom', '2 ribbon', '3 ribbon']],
  [ribbon(ALWAYS_BLOOM), {}, ['0 bloom', '1 bloom', '2 bloom', '3 bloom']],
  // The table format has a Bloom filter of its own before version 5, which a Ribbon policy never makes.
  [ribbon(2), { formatVersion: 4 }, ['0 bloom', '1 bloom', '2 ribbon', '3 ribbon']],
  [ribbon(2), { optimizeFiltersForHits: true }, ['0 bloom', '1 bloom', '2 ribbon', '3 none']],
];

describe('filters by level', () => {
  test.each(EXPECTED)('%o, %o', async (filterPolicy, options, expected) => {
    using directory = temporaryDirectory();
    await using db = await open(directory.path, { filterPolicy, ...options });
    await fillLevels(db, 3);
    expect(filtersOf(db, directory.path)).toEqual(expected);
    expectReads(db);
  });

  testWithTools('sst_dump sees the same filters, and ldb keeps to the policy when it compacts', async () => {
    using directory = temporaryDirectory();
    {
      await using db = await open(directory.path, { filterPolicy: ribbon(2), optimizeFiltersForHits: true });
      await fillLevels(db, 3);
      expect(filtersOf(db, directory.path, filterBySstDump)).toEqual(['0 bloom', '1 bloom', '2 ribbon', '3 none']);
    }
    const rows = ldbScan(directory.path);
    expect(rows).toHaveLength(KEYS);
    expect(runTool('ldb', [`--db=${directory.path}`, '--try_load_options', 'compact']).code).toBe(0);
    await using db = await open(directory.path, { filterPolicy: ribbon(2), optimizeFiltersForHits: true });
    expect(filtersOf(db, directory.path)).toEqual(['3 none']);
    expectReads(db);
  });

  test('FIFO and external tables count as deepest, tables of recovered logs as level 0', async () => {
    using directory = temporaryDirectory();
    const filterPolicy = ribbon(0);
    const fifo = join(directory.path, 'fifo');
    {
      await using db = await open(fifo, { filterPolicy, compactionStyle: 'fifo' });
      await fillLevels(db, 0);
      expect(filtersOf(db, fifo)).toEqual(['0 ribbon']);
    }
    const recovered = join(directory.path, 'recovered');
    {
      await using db = await open(recovered, { filterPolicy, avoidFlushDuringShutdown: true });
      fill(db, 0);
    }
    {
      await using db = await open(recovered, { filterPolicy });
      expect(filtersOf(db, recovered)).toEqual(['0 ribbon']);
      expectReads(db);
    }
    const external = join(directory.path, 'external.sst');
    const writer = await SstFileWriter.open(external, { filterPolicy });
    for (let i = 0; i < KEYS; i++) await writer.put(numbered('key', i), 'v');
    await writer.finish();
    expect(filterIn(external)).toBe('ribbon');
  });

  test('tables under universal compaction follow the level they are made for', async () => {
    using directory = temporaryDirectory();
    await using db = await open(directory.path, {
      filterPolicy: ribbon(6),
      compactionStyle: 'universal',
      numLevels: 7,
    });
    await fillLevels(db, 0);
    expect(filtersOf(db, directory.path)).toEqual(['0 bloom']);
    await db.compactRange({ bottommostLevelCompaction: 'force' });
    expect(filtersOf(db, directory.path)).toEqual(['6 ribbon']);
    expectReads(db);
  });
});
