/** `getProperty` and its kin, with figures that are worked out here. */

import { expect, test } from 'vitest';
import { DB } from '../../../src/index.ts';
import { quietOptions } from './file-counting.ts';

/** Three tables with 100 puts each (the same keys), one deletion in the last, and five entries in memory. */
async function sample(): Promise<DB> {
  const db = await DB.open('/db', quietOptions({ compression: 'none' }));
  for (let table = 0; table < 3; table++) {
    for (let i = 0; i < 100; i++) db.putSync(`key${String(i).padStart(3, '0')}`, 'x'.repeat(50));
    if (table === 2) db.deleteSync('key050');
    await db.flush();
  }
  for (let i = 0; i < 4; i++) db.putSync(`new${i}`, '');
  db.deleteSync('key001');
  return db;
}

const GiB = 1024 ** 3;

test('estimate-num-keys and the counts of memtables need no table to be open', async () => {
  const db = await sample();
  const int = (name: string): number | undefined => db.getIntProperty(`rocksdb.${name}`);
  expect(int('num-entries-active-mem-table')).toBe(5);
  expect(int('num-deletes-active-mem-table')).toBe(1);
  expect(int('num-immutable-mem-table')).toBe(0);
  // 300 + 5 entries: a flush leaves out the put that its deletion hides. Two are deletions that take one entry each.
  expect(int('estimate-num-keys')).toBe(300 + 5 - 2 * 2);
  expect(int('total-sst-files-size')).toBe(db.getColumnFamilyMetaData().size);
  await db.compactRange();
  expect(int('estimate-num-keys')).toBe(98 + 4);
  expect(int('estimate-live-data-size')).toBe(int('total-sst-files-size'));
  expect(int('num-snapshots')).toBe(0);
  expect(int('no-such-property')).toBeUndefined();
  expect(db.getProperty('num-snapshots')).toBeUndefined();
  await db.close();
});

test('aggregated-table-properties adds up all tables, or those of a level', async () => {
  const db = await sample();
  const all = db.getProperty('rocksdb.aggregated-table-properties')!;
  expect(all).toContain('# entries=300; # deletions=1; # merge operands=0; # range deletions=0; ');
  expect(all).toContain(`raw key size=${300 * (6 + 8)}; `);
  expect(all).toContain(`raw value size=${299 * 50}; `);
  expect(db.getProperty('rocksdb.aggregated-table-properties-at-level0')).toBe(all);
  expect(db.getProperty('rocksdb.aggregated-table-properties-at-level1')).toContain('# entries=0;');
  expect(db.getProperty('rocksdb.aggregated-table-properties-at-level7')).toBeUndefined();
  expect(db.getMapProperty('rocksdb.aggregated-table-properties')).toMatchObject({ numEntries: '300' });
  expect(Number(db.getProperty('rocksdb.compression-ratio-at-level0'))).toBeGreaterThan(1);
  expect(db.getProperty('rocksdb.compression-ratio-at-level3')).toBe('-1.000000');
  await db.close();
});

test('rocksdb.stats: the compaction table has a row a level with work, and sums', async () => {
  const db = await sample();
  const level0 = db.getColumnFamilyMetaData().size;
  await db.compactRange();
  const { size, levels } = db.getColumnFamilyMetaData();
  const stats = db.getProperty('rocksdb.stats')!;
  expect(stats).toContain('** Compaction Stats [default] **');
  expect(stats).toMatch(/^Level {4}Files {3}Size {5}Score Read\(GB\) {2}Rn\(GB\) Rnp1\(GB\) Write\(GB\) /m);
  expect(stats).toMatch(/^ {2}L0 {6}0\/0 {4}/m);
  const deepest = levels.findLastIndex(({ files }) => files.length > 0);
  expect(stats).toMatch(new RegExp(`^  L${deepest} {6}1/0 {4}`, 'm'));
  expect(stats).toMatch(/^ Sum {6}1\/0 {4}/m);
  expect(stats).toContain('** DB Stats **');
  expect(stats).toMatch(/Cumulative writes: 306 writes, 306 keys, \d+ commit groups/);
  expect(stats).toMatch(/Cumulative WAL: \d+ writes, 0 syncs/);
  expect(stats).toMatch(/Cumulative stall: 00:00:00.000 H:M:S, 0.0 percent/);
  const map = db.getMapProperty('rocksdb.cfstats')!;
  const figure = (name: string): number => Number(map[`compaction.${name}`]);
  expect(figure(`L${deepest}.NumFiles`)).toBe(1);
  expect(figure(`L${deepest}.SizeBytes`)).toBe(size);
  // Four flushes, the last one by the compaction; all of level 0 read once and written once.
  expect(figure('L0.CompCount')).toBe(4);
  expect(figure('L0.WriteGB') * GiB).toBeGreaterThan(level0);
  expect(figure(`L${deepest}.RnGB`)).toBe(figure('L0.WriteGB'));
  expect(figure(`L${deepest}.WriteGB`) * GiB).toBeCloseTo(size, 0);
  expect(figure(`L${deepest}.KeyIn`)).toBe(305);
  expect(figure(`L${deepest}.KeyDrop`)).toBe(305 - 102);
  expect(figure('Sum.WriteAmp')).toBeGreaterThan(1);
  expect(figure('Sum.WriteAmp')).toBeLessThan(2);
  expect(db.getMapProperty('rocksdb.dbstats')).toMatchObject({ 'db.keys': '306' });
  await db.close();
});

test('levelstats and num-files-at-level', async () => {
  const db = await sample();
  expect(db.getProperty('rocksdb.num-files-at-level0')).toBe('3');
  expect(db.getProperty('rocksdb.num-files-at-level6')).toBe('0');
  expect(db.getProperty('rocksdb.num-files-at-level7')).toBeUndefined();
  expect(db.getProperty('rocksdb.levelstats')).toMatch(/^Level Files Size\(MB\)\n-{20}\n {2}0 {8}3 {8}0\n/);
  expect(db.getMapProperty('rocksdb.levelstats')).toMatchObject({ 'L0.files': '3', 'L1.files': '0' });
  await db.close();
});
