/**
 * A write by ldb keeps how the database is tuned. Method: put one key into copies of the golden databases and compare the
 * OPTIONS file that this leaves with the one that C++ RocksDB had written; and change levels and style, which must change
 * nothing else.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DB } from '../../src/index.ts';
import { parseNestedOptions } from '../../src/options/option-value.ts';
import { type OptionsFile, parseOptionsFile } from '../../src/options/options-file.ts';
import { ldb } from '../../tools/ldb/ldb.ts';
import { allFixtures } from '../support/fixtures.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryCopy, temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess } from './run-in-process.ts';

/** Not tuning: what an open may do, and versions of tables that Pumice does not write. */
const CHANGES = new Set(['create_if_missing', 'create_missing_column_families', 'error_if_exists', 'format_version']);

function newestOptions(directory: string): OptionsFile {
  const name = readdirSync(directory)
    .filter((file) => /^OPTIONS-\d+$/.test(file))
    .sort()
    .at(-1);
  return parseOptionsFile(readFileSync(join(directory, name!)), name!);
}

/** `name before -> after` of every option that both files have with different values. */
function differences(before: OptionsFile, after: OptionsFile): string[] {
  const found: string[] = [];
  const compare = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>, where: string): void => {
    for (const [name, value] of b) {
      const old = a.get(name);
      if (old === undefined || CHANGES.has(name) || sameOption(old, value)) continue;
      found.push(`${where} ${name}: ${old} -> ${value}`);
    }
  };
  compare(before.db, after.db, 'db');
  for (const family of after.families) {
    const old = before.families.find(({ name }) => name === family.name);
    if (old === undefined) continue;
    compare(old.columnFamily, family.columnFamily, family.name);
    compare(old.table, family.table, family.name);
  }
  return found;
}

/** Nested options are equal when those that Pumice has are. */
function sameOption(old: string, now: string): boolean {
  if (old === now) return true;
  if (!now.startsWith('{')) return old.startsWith('{id=') && now.split(':')[0] === old.slice(4).split(':')[0];
  const [before, after] = [parseNestedOptions(old, 'before'), parseNestedOptions(now, 'after')];
  return [...after].every(([name, value]) => before.get(name) === value);
}

test('a put leaves the tuning of every golden database as it was', async () => {
  let compared = 0;
  for (const { name, path } of allFixtures()) {
    if (name.startsWith('opt-') || name.startsWith('damaged-wal') || name.startsWith('leveldb')) continue;
    using copy = temporaryCopy(path);
    const run = await runInProcess(ldb, [`--db=${copy.path}`, 'put', '0', '1']);
    expect(run, name).toMatchObject({ code: 0, err: '' });
    expect(differences(newestOptions(path), newestOptions(copy.path)), name).toEqual([]);
    compared++;
  }
  expect(compared).toBeGreaterThan(70);
}, 120_000);

const levels = join(PROJECT_ROOT, 'test/fixtures/level-compacted/db');

test('S124 reduce_levels stores the number, keeps every row and all other tuning', async () => {
  using copy = temporaryCopy(levels);
  const db = `--db=${copy.path}`;
  const before = await runInProcess(ldb, [db, 'scan', '--hex']);
  const run = await runInProcess(ldb, [db, 'reduce_levels', '--new_levels=3', '--print_old_levels']);
  expect(run).toEqual({ code: 0, out: 'The old number of levels in use is 4\nCompacting the db...\n', err: '' });
  expect(differences(newestOptions(levels), newestOptions(copy.path))).toEqual(['default num_levels: 7 -> 3']);
  {
    await using opened = await DB.open(copy.path, { readOnly: true, numLevels: 3 });
    expect(opened.getProperty('rocksdb.num-files-at-level2')).not.toBe('0');
    expect(opened.getProperty('rocksdb.num-files-at-level3')).toBeUndefined();
  }
  expect(await runInProcess(ldb, [db, 'scan', '--hex'])).toEqual(before);
  const refused = await runInProcess(ldb, [db, 'reduce_levels', '--new_levels=1']);
  expect(refused).toMatchObject({ code: 1, err: 'Failed: Invalid number of levels.\n\n' });
});

test('change_compaction_style stores the style, keeps every row and all other tuning', async () => {
  using copy = temporaryCopy(levels);
  const db = `--db=${copy.path}`;
  const before = await runInProcess(ldb, [db, 'scan', '--hex']);
  const styles = ['--old_compaction_style=0', '--new_compaction_style=1'];
  const run = await runInProcess(ldb, [db, 'change_compaction_style', ...styles]);
  expect(run).toMatchObject({ code: 0, err: '' });
  expect(run.out).toMatch(
    /^files per level before compaction: 0,1,2,6,0,0,0\nfiles per level after compaction: [01,]+\n$/,
  );
  expect(differences(newestOptions(levels), newestOptions(copy.path))).toEqual([
    'default compaction_style: kCompactionStyleLevel -> kCompactionStyleUniversal',
  ]);
  expect(await runInProcess(ldb, [db, 'scan', '--hex'])).toEqual(before);
});

test.each([
  ['ribbonfilter:10:1', 'ribbonfilter:10:1'],
  ['ribbonfilter:9.5:-1', 'ribbonfilter:9.5:-1'],
  ['ribbonfilter:10:2147483647', 'ribbonfilter:10:2147483647'],
  ['ribbonfilter:10', 'ribbonfilter:10:0'],
  ['{id=ribbonfilter:10:0;bloom_before_level=3;}', 'ribbonfilter:10:3'],
  ['bloomfilter:12:false', 'bloomfilter:12:false'],
])('the filter policy %s comes back as %s, and optimize_filters_for_hits stays', async (before, after) => {
  using directory = temporaryDirectory();
  await (await DB.open(directory.path, { createIfMissing: true, optimizeFiltersForHits: true })).close();
  const file = join(directory.path, readdirSync(directory.path).find((name) => /^OPTIONS-\d+$/.test(name))!);
  writeFileSync(file, readFileSync(file, 'utf8').replace('filter_policy=nullptr', `filter_policy=${before}`));
  expect(await runInProcess(ldb, [`--db=${directory.path}`, 'put', '0', '1'])).toMatchObject({ code: 0 });
  const { columnFamily, table } = newestOptions(directory.path).families[0]!;
  expect(table.get('filter_policy')).toBe(after);
  expect(columnFamily.get('optimize_filters_for_hits')).toBe('true');
});

test('a dictionary asked for with a flag is stored beside the rest of the tuning of the codec, and stays', async () => {
  using copy = temporaryCopy(join(PROJECT_ROOT, 'test/fixtures/dict-zlib/db'));
  const db = `--db=${copy.path}`;
  const tuning = (): ReadonlyMap<string, string> =>
    parseNestedOptions(newestOptions(copy.path).families[0]!.columnFamily.get('compression_opts')!, 'compression_opts');
  expect(tuning().get('max_dict_bytes')).toBe('4096');
  expect(await runInProcess(ldb, [db, 'put', '0', '1'])).toMatchObject({ code: 0 });
  expect(tuning().get('max_dict_bytes')).toBe('4096');
  const flags = ['--compression_max_dict_bytes=500'];
  expect(await runInProcess(ldb, [db, ...flags, 'put', '0', '2'])).toMatchObject({ code: 0 });
  expect(tuning().get('max_dict_bytes')).toBe('500');
  expect(tuning().get('window_bits')).toBe('-14');
  const wrong = await runInProcess(ldb, [db, '--compression_max_dict_bytes=-1', 'put', '0', '2']);
  expect(wrong).toMatchObject({ code: 1, err: 'Failed: compression_max_dict_bytes must be >= 0.\n' });
});
