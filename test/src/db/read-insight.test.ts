/** What a database tells of its reads and its shape: sizes of ranges, pending operands, amplification, explained reads. */

import { expect, test } from 'vitest';
import { DB, Env, type Options, stringAppend } from '../../../src/index.ts';

const PATH = '/db';

function open(options: Options = {}): Promise<DB> {
  return DB.open(PATH, { env: Env.memory(), createIfMissing: true, disableAutoCompactions: true, ...options });
}

function texts(values: readonly Uint8Array[]): string[] {
  return values.map((value) => Buffer.from(value).toString());
}

test('S99 getApproximateSizes adds up to the whole, and a tenth of the keys is about a tenth of the bytes', async () => {
  await using db = await open({ compression: 'none' });
  const key = (i: number): string => `k${String(i).padStart(5, '0')}`;
  for (let i = 0; i < 10_000; i++) db.putSync(key(i), 'v'.repeat(100));
  expect(db.getApproximateSizes([{ begin: 'a', end: 'z' }])).toEqual([0]);
  await db.flush();
  const total = db.getColumnFamilyMetaData().size;
  const tenths = Array.from({ length: 10 }, (_, i) => ({ begin: key(i * 1000), end: key((i + 1) * 1000) }));
  const sizes = db.getApproximateSizes([{ begin: 'a', end: 'z' }, ...tenths, { begin: 'x', end: 'y' }]);
  expect(sizes[0]).toBe(total);
  for (const size of sizes.slice(1, 10)) expect(Math.abs(size - total / 10)).toBeLessThan(total / 50);
  expect(sizes.at(-1)).toBe(0);
  expect(db.getApproximateSizes([{ begin: 'z', end: 'a' }])).toEqual([0]);
  expect(() => db.getApproximateSizes([{ begin: 'a' } as never])).toThrow(/end must be/);
});

test('S118 getMergeOperands shows what is pending, over memory and tables, and nothing after compaction', async () => {
  await using db = await open({ mergeOperator: stringAppend(',') });
  await db.put('k', 'base');
  await db.flush();
  await db.merge('k', 'one');
  await db.flush();
  await db.merge('k', 'two');
  using before = db.snapshot();
  await db.merge('k', 'three');
  expect(texts(await db.getMergeOperands('k'))).toEqual(['one', 'two', 'three']);
  expect(texts(await db.getMergeOperands('k', { snapshot: before }))).toEqual(['one', 'two']);
  expect(Buffer.from((await db.get('k'))!).toString()).toBe('base,one,two,three');
  before.release();
  await db.compactRange();
  expect(await db.getMergeOperands('k')).toEqual([]);
  expect(Buffer.from((await db.get('k'))!).toString()).toBe('base,one,two,three');
  expect(await db.getMergeOperands('absent')).toEqual([]);
});

test('S34 getAllKeyVersions shows what snapshots keep, and that compaction drops the rest', async () => {
  await using db = await open();
  await db.put('a', '1');
  using snapshot = db.snapshot();
  await db.put('a', '2');
  await db.flush();
  await db.delete('a');
  await db.put('b', 'x');
  const shown = async (options?: Parameters<DB['getAllKeyVersions']>[0]): Promise<string[]> =>
    (await db.getAllKeyVersions(options)).map(
      ({ userKey, value, sequence, type }) => `${texts([userKey])}#${sequence},${type}=${texts([value])}`,
    );
  expect(await shown()).toEqual(['a#3,0=', 'a#2,1=2', 'a#1,1=1', 'b#4,1=x']);
  expect(await shown({ begin: 'a', end: 'a', maxVersions: 2 })).toEqual(['a#3,0=', 'a#2,1=2']);
  expect(await shown({ begin: 'aa' })).toEqual(['b#4,1=x']);
  await db.compactRange();
  expect(await shown({ end: 'a' })).toEqual(['a#3,0=', 'a#0,1=1']);
  snapshot.release();
  await db.compactRange({ bottommostLevelCompaction: 'force' });
  expect(await shown()).toEqual(['b#0,1=x']);
});

test('S12 getAmplification: overwriting raises write and space, compaction raises write and lowers space and read', async () => {
  await using db = await open({ compression: 'none', disableAutoCompactions: true });
  expect(db.getAmplification()).toEqual({ read: 0, write: 0, space: 1 });
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 500; i++) db.putSync(`k${i}`, `${round}`.repeat(200));
    await db.flush();
  }
  const before = db.getAmplification();
  expect(before.read).toBe(4);
  expect(before.write).toBeGreaterThan(0.9);
  expect(before.write).toBeLessThan(1.2);
  expect(before.space).toBeCloseTo(4, 0);
  await db.compactRange();
  const after = db.getAmplification();
  expect(after.write).toBeGreaterThan(before.write + 0.2);
  expect(after.space).toBe(1);
  for (let i = 0; i < 100; i++) db.getSync(`k${i}`);
  expect(db.getAmplification().read).toBeCloseTo(1, 1);
});

test('explain.get names the memtables, tables, filters and blocks that a read touched', async () => {
  const options: Options = { env: Env.memory(), filterPolicy: { type: 'bloom', bitsPerKey: 16 } };
  let db = await open(options);
  for (const value of ['1', '2']) {
    for (let i = 0; i < 100; i += 2) db.putSync(`k${100 + i}`, value);
    await db.flush();
  }
  db.putSync('k100', '3');
  const inMemory = await db.explain.get('k100');
  expect(inMemory).toMatchObject({ found: true, valueSize: 1, sequence: db.latestSequence, files: [] });
  expect(inMemory.memtables).toEqual([{ kind: 'active', versions: [{ type: 'value', sequence: 101 }] }]);
  await db.close();

  db = await open({ ...options, avoidFlushDuringRecovery: true });
  const first = await db.explain.get('k102');
  expect(first.files).toHaveLength(1);
  expect(first.files[0]).toMatchObject({ level: 0, filter: 'passed', blocksRead: 1, blocksCached: 0 });
  expect(first.files[0]!.versions).toMatchObject([{ type: 'value', sequence: 52 }]);
  const again = await db.explain.get('k102');
  expect(again.files[0]).toMatchObject({ opened: false, blocksRead: 0, blocksCached: 1, reads: 0 });
  const absent = await db.explain.get('k101');
  expect(absent).toMatchObject({ found: false, valueSize: 0 });
  expect(absent.files.map(({ filter }) => filter)).toEqual(['excluded', 'excluded']);
  expect((await db.explain.get('zzz')).files).toEqual([]);
  await db.close();
});
