/**
 * Compactions side by side, asked for from several places at once, and cut off by a power failure: the result is that of one
 * after the other, and the MANIFEST shows the state before or the state after.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CompactionEvent, DB, Env, MemoryFileSystem, type Options, Statistics } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { expectRows, scanForward } from '../../support/read-database.ts';
import { expectConsistent, runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const key = (i: number): string => `key${String(i).padStart(6, '0')}`;
const hex = (text: string): string => Buffer.from(text).toString('hex');
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Levels so small that several of them are over their limit at once. */
const STEEP: Options = { maxBytesForLevelBase: 64 << 10, targetFileSizeBase: 8 << 10, maxBytesForLevelMultiplier: 2 };

const SMALL: Options = {
  createIfMissing: true,
  writeBufferSize: 64 << 10,
  targetFileSizeBase: 32 << 10,
  maxBytesForLevelBase: 128 << 10,
  maxBytesForLevelMultiplier: 4,
  level0FileNumCompactionTrigger: 2,
};

async function fill(db: DB, model: Map<string, string>, seed: number, count: number): Promise<void> {
  const random = new Random(seed);
  for (let i = 0; i < count; i++) {
    const name = key(random.below(6000));
    if (random.oneIn(6)) {
      await db.delete(name);
      model.delete(name);
    } else {
      const value = `value ${i} ${'x'.repeat(random.below(80))}`;
      await db.put(name, value);
      model.set(name, value);
    }
  }
}

function rowsOf(model: ReadonlyMap<string, string>): string[] {
  return [...model.keys()].sort().map((name) => `${hex(name)}=${hex(model.get(name)!)}`);
}

test('S49 compactions overlap in time, and the rows are those that one thread makes', { timeout: 60_000 }, async () => {
  using directory = temporaryDirectory();
  const model = new Map<string, string>();
  let running = 0;
  let together = 0;
  const inputs = new Set<number>();
  const begin = (event: CompactionEvent): void => {
    running++;
    together = Math.max(together, running);
    for (const file of event.inputFiles) {
      expect(inputs.has(file), `table ${file} is an input of two compactions at once`).toBe(false);
      inputs.add(file);
    }
  };
  const end = (event: CompactionEvent): void => {
    running--;
    for (const file of event.inputFiles) inputs.delete(file);
  };
  const listeners = [{ onCompactionBegin: begin, onCompactionCompleted: end }];
  {
    const env = new Env({ compactionWorkers: 3, flushWorkers: 1 });
    await using db = await DB.open(directory.path, {
      ...SMALL,
      ...STEEP,
      env,
      maxBackgroundCompactions: 4,
      maxBackgroundFlushes: 1,
      listeners,
    });
    await fill(db, model, seedFor(4900), 30_000);
    await db.flush();
    await expectRows(db, rowsOf(model));
  }
  process.stdout.write(`S49: up to ${together} compactions at once\n`);
  expect(together).toBeGreaterThanOrEqual(2);
  const alone = new Map<string, string>();
  await using one = await DB.open(join(directory.path, 'alone'), {
    ...SMALL,
    maxBackgroundCompactions: 1,
    maxBackgroundFlushes: 1,
  });
  await fill(one, alone, seedFor(4900), 30_000);
  await one.compactRange();
  expect(scanForward(one)).toEqual(rowsOf(model));
});

test('S50 compactRange of disjoint and of overlapping ranges at once, with writers', { timeout: 60_000 }, async () => {
  using directory = temporaryDirectory();
  const model = new Map<string, string>();
  {
    await using db = await DB.open(directory.path, { ...SMALL, maxBackgroundCompactions: 4, maxBackgroundFlushes: 1 });
    await fill(db, model, seedFor(5000), 10_000);
    const ranges = Array.from({ length: 4 }, (_, i) => ({ begin: key(i * 1500), end: key(i * 1500 + 1499) }));
    for (let round = 0; round < 3; round++) {
      const work = ranges.map((range) => db.compactRange(range));
      if (round > 0) work.push(db.compactRange(), db.compactRange({ begin: key(1000), end: key(4000) }));
      work.push(fill(db, model, seedFor(5001 + round), 1000));
      if (round === 2) work.push(db.flush());
      await Promise.all(work);
    }
    await expectRows(db, rowsOf(model));
    await db.compactRange();
    const levels = new Set(db.getLiveFilesMetaData().map(({ level }) => level));
    expect(levels.has(0)).toBe(false);
  }
  await using db = await DB.open(directory.path);
  await expectRows(db, rowsOf(model));
});

test('S56 a power cut at any step of a flush or a compaction leaves the state before or after', {
  timeout: 60_000,
}, async () => {
  const random = new Random(seedFor(5600));
  const images: MemoryFileSystem[] = [];
  const places = new Map<string, number>();
  let take = false;
  const fileSystem: MemoryFileSystem = new MemoryFileSystem({
    crashable: true,
    hooks: {
      before: (_index, { kind, path }) => {
        if (!take || ['read', 'stat', 'size', 'list', 'exists', 'close'].includes(kind)) return undefined;
        places.set(`${kind} ${path.replace(/\d+/, 'n')}`, 1);
        for (const model of ['synced', 'ordered', 'subset', 'dirs'] as const)
          images.push(fileSystem.crashImage(model, random));
        return undefined;
      },
    },
  });
  const options: Options = { ...SMALL, logger: quiet, disableAutoCompactions: true };
  await using db = await DB.open('/db', { ...options, env: new Env({ fileSystem }), maxManifestFileSize: 2048 });
  const model = new Map<string, string>();
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 150; i++) {
      const name = key(random.below(400));
      model.set(name, `${round} ${i}`);
      await db.put(name, `${round} ${i}`);
    }
    if (round < 3) await db.flush();
  }
  await db.syncWal();
  take = true;
  await db.flush();
  await db.compactRange();
  await db.compactRange({ bottommostLevelCompaction: 'force' });
  take = false;
  const rows = rowsOf(model);
  for (const [index, image] of images.entries()) {
    await using after = await DB.open('/db', { ...options, env: new Env({ fileSystem: image }) });
    expect(scanForward(after), `image ${index}`).toEqual(rows);
  }
  process.stdout.write(`S56: ${images.length} images at ${places.size} kinds of step\n`);
  expect(images.length).toBeGreaterThan(80);
});

testWithTools('S56 C++ RocksDB reads the MANIFEST', async () => {
  using directory = temporaryDirectory();
  const model = new Map<string, string>();
  const files: string[] = [];
  {
    await using db = await DB.open(directory.path, { ...SMALL, maxManifestFileSize: 4096 });
    await fill(db, model, seedFor(5601), 8000);
    await db.flush();
    await db.pauseBackgroundWork();
    for (const file of db.getLiveFilesMetaData()) files.push(`${Number(/\d+/.exec(file.name)![0])}:${file.size}`);
  }
  expectConsistent(directory.path);
  const manifest = join(directory.path, readFileSync(join(directory.path, 'CURRENT'), 'utf8').trim());
  const run = runTool('ldb', ['manifest_dump', `--path=${manifest}`]);
  expect(run.out).toContain('leveldb.BytewiseComparator');
  for (const file of files) expect(run.out).toContain(` ${file}[`);
  expect(readdirSync(directory.path).filter((name) => name.startsWith('MANIFEST-')).length).toBe(1);
});

test('S57 changes that end together share syncs of the MANIFEST', async () => {
  const statistics = new Statistics();
  const env = Env.memory();
  const columnFamilies = Object.fromEntries(['default', ...'abcdefghijkl'].map((name) => [name, {}]));
  const options: Options = {
    env,
    createIfMissing: true,
    statistics,
    columnFamilies,
    maxBackgroundFlushes: 12,
    maxBackgroundJobs: 24,
  };
  await using db = await DB.open('/db', options);
  for (const name of Object.keys(columnFamilies)) await db.columnFamily(name).put('a', 'x');
  const before = statistics.getTickerCount('rocksdb.manifest.synced');
  await db.flush();
  const syncs = statistics.getTickerCount('rocksdb.manifest.synced') - before;
  process.stdout.write(`S57: ${syncs} syncs for 13 flushes that end together\n`);
  expect(syncs).toBeGreaterThan(0);
  expect(syncs).toBeLessThan(10);
});

test('S61 a sanitizer as a compaction filter leaves nothing of what it takes out', async () => {
  using directory = temporaryDirectory();
  const redact = {
    name: 'test.Redact',
    filter: (_level: number, _key: Uint8Array, value: Uint8Array): 'keep' | { value: Uint8Array } => {
      const text = Buffer.from(value).toString();
      return text.includes('@') ? { value: Buffer.from(text.replace(/\S+@\S+/g, '[address]')) } : 'keep';
    },
  };
  await using db = await DB.open(directory.path, {
    createIfMissing: true,
    compression: 'none',
    compactionFilter: redact,
  });
  for (let i = 0; i < 500; i++)
    await db.put(`user${i}`, i % 3 === 0 ? `write to name${i}@example.com soon` : `no address ${i}`);
  await db.flush();
  const tables = (): Buffer[] =>
    readdirSync(directory.path)
      .filter((name) => name.endsWith('.sst'))
      .map((name) => readFileSync(join(directory.path, name)));
  expect(tables().some((bytes) => bytes.includes('@example.com'))).toBe(true);
  await db.compactRange();
  await expect.poll(() => tables().filter((bytes) => bytes.includes('@example.com')).length).toBe(0);
  expect(Buffer.from(db.getSync('user3')!).toString()).toBe('write to [address] soon');
  expect(Buffer.from(db.getSync('user4')!).toString()).toBe('no address 4');
});
