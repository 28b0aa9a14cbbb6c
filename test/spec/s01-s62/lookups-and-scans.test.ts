/**
 * What lookups and scans cost, counted in blocks read rather than in time: a point lookup reads one data block at most, a
 * lookup of what is not there almost none, a seek one block for each sorted run.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { DB, Env, FaultFileSystem, MemoryFileSystem } from '../../../src/index.ts';
import { Random } from '../../support/random.ts';

const KEYS = 20_000;
const key = (i: number): string => `key${String(i).padStart(8, '0')}`;

let tableReads = 0;
const fileSystem = new FaultFileSystem(new MemoryFileSystem(), {
  onPoint: (point) => {
    if (point === 'before:read:table') tableReads++;
  },
});
const env = new Env({ fileSystem });
let db: DB;

beforeAll(async () => {
  const options = { env, createIfMissing: true, filterPolicy: { type: 'bloom', bitsPerKey: 10 } as const };
  db = await DB.open('/db', { ...options, compression: 'none', targetFileSizeBase: 256 << 10 });
  for (let i = 0; i < KEYS; i++) await db.put(key(2 * i), 'v'.repeat(100));
  await db.flush();
  await db.compactRange();
  await db.close();
  // Tables are open, so index and filter are in memory; without a cache every data block is a read.
  db = await DB.open('/db', { ...options, noBlockCache: true, disableAutoCompactions: true });
});

afterAll(() => db.close());

async function readsOf(body: () => Promise<void>): Promise<number> {
  const before = tableReads;
  await body();
  return tableReads - before;
}

test('S10 a random lookup reads one data block at most', async () => {
  const random = new Random(1010);
  const count = 2000;
  const reads = await readsOf(async () => {
    for (let i = 0; i < count; i++) expect(await db.get(key(2 * random.below(KEYS)))).toBeDefined();
  });
  expect(reads / count).toBeLessThanOrEqual(1);
  expect(reads).toBeGreaterThan(count / 2);
});

test('S10 a lookup of a missing key reads at most 0.02 data blocks', async () => {
  const random = new Random(1011);
  const count = 5000;
  const reads = await readsOf(async () => {
    for (let i = 0; i < count; i++) expect(await db.get(key(2 * random.below(KEYS) + 1))).toBeUndefined();
  });
  process.stdout.write(`S10 missing keys: ${reads} block reads in ${count} lookups\n`);
  expect(reads / count).toBeLessThanOrEqual(0.02);
});

test('S10 a seek reads one block for each sorted run at most, and scans read blocks once', async () => {
  const random = new Random(1012);
  for (let run = 1; run <= 3; run++) {
    for (let i = 0; i < 50; i++) await db.put(key(2 * random.below(KEYS)), 'new');
    await db.flush();
  }
  const runs = db.getLiveFilesMetaData().filter((file) => file.level === 0).length + 1;
  const seeks = 300;
  const perSeek = await readsOf(async () => {
    for (let i = 0; i < seeks; i++) {
      using cursor = db.newIterator();
      expect(await cursor.seek(key(2 * random.below(KEYS)))).toBe(true);
    }
  });
  expect(perSeek / seeks).toBeLessThanOrEqual(runs);
  let rows = 0;
  const forward = await readsOf(async () => {
    for await (const _ of db.keys()) rows++;
  });
  const backward = await readsOf(async () => {
    for await (const _ of db.keys({ reverse: true })) rows++;
  });
  expect(rows).toBe(2 * KEYS);
  const bytes = db.getLiveFilesMetaData().reduce((sum, file) => sum + file.size, 0);
  // A block is up to a tenth smaller than its size.
  expect(forward).toBeLessThanOrEqual(1.1 * (bytes / 4096) + runs);
  expect(backward).toBeLessThanOrEqual(1.1 * (bytes / 4096) + runs);
});
