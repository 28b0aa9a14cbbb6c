/**
 * Iterators and snapshots: what they see, what they keep, and when they let it go. Method: views taken at random moments of a
 * random history are compared with copies of the model; files are counted in the directory.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB, Env, type Options, type Snapshot, WriteBatch } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { scanForward } from '../../support/read-database.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { expectRefused } from '../bad-input/refusal.ts';

const SMALL: Options = {
  createIfMissing: true,
  writeBufferSize: 16 << 10,
  targetFileSizeBase: 8 << 10,
  maxBytesForLevelBase: 32 << 10,
  level0FileNumCompactionTrigger: 2,
};

const hex = (text: string): string => Buffer.from(text).toString('hex');

function rowsOf(model: ReadonlyMap<string, string>): string[] {
  return [...model.keys()].sort().map((key) => `${hex(key)}=${hex(model.get(key)!)}`);
}

/** One step of a random history, in the database and in the model. */
async function step(db: DB, model: Map<string, string>, random: Random, i: number): Promise<void> {
  const key = `key${random.below(300)}`;
  if (random.oneIn(200)) {
    const end = `${key}~`;
    await db.deleteRange(key, end);
    for (const other of [...model.keys()]) if (other >= key && other < end) model.delete(other);
  } else if (random.oneIn(4)) {
    await db.delete(key);
    model.delete(key);
  } else {
    const value = `value ${i} `.repeat(random.between(1, 20));
    await db.put(key, value);
    model.set(key, value);
  }
  if (random.oneIn(500)) await db.flush();
  if (random.oneIn(1500)) await db.compactRange();
}

function tablesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.sst'));
}

describe.each(['file system', 'memory'])('over the %s', (place) => {
  test('S31 S32 views of random moments keep what they saw over flushes, compactions and new logs', async () => {
    using directory = temporaryDirectory();
    const env = place === 'memory' ? Env.memory() : Env.default;
    await using db = await DB.open(join(directory.path, 'db'), { ...SMALL, env });
    const random = new Random(seedFor(3132));
    const model = new Map<string, string>();
    let views: { rows: string[]; snapshot: Snapshot; cursor: ReturnType<DB['newIterator']> }[] = [];
    for (let i = 0; i < 6000; i++) {
      await step(db, model, random, i);
      if (random.oneIn(300)) views.push({ rows: rowsOf(model), snapshot: db.snapshot(), cursor: db.newIterator() });
      if (!random.oneIn(400) || views.length === 0) continue;
      const view = random.pick(views);
      expect(scanForward(db, { snapshot: view.snapshot })).toEqual(view.rows);
      const seen: string[] = [];
      for (let valid = await view.cursor.seekToFirst(); valid; valid = await view.cursor.next()) {
        seen.push(`${Buffer.from(view.cursor.key).toString('hex')}=${Buffer.from(view.cursor.value).toString('hex')}`);
      }
      expect(seen).toEqual(view.rows);
      for (const row of view.rows.slice(0, 20)) {
        const [key, value] = row.split('=') as [string, string];
        const got = await db.get(Buffer.from(key, 'hex'), { snapshot: view.snapshot });
        expect(Buffer.from(got!).toString('hex')).toBe(value);
        const [many] = await db.multiGet([Buffer.from(key, 'hex')], { snapshot: view.snapshot });
        expect(many).toEqual(got);
      }
      view.snapshot.release();
      view.cursor.close();
      views = views.filter((other) => other !== view);
    }
    for (const { snapshot, cursor } of views) {
      snapshot.release();
      cursor.close();
    }
    expect(db.getIntProperty('rocksdb.num-snapshots')).toBe(0);
    expect(scanForward(db)).toEqual(rowsOf(model));
  });
});

test('S33 an open iterator keeps its files, and they go when it is closed', async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(directory.path, { createIfMissing: true });
  for (let i = 0; i < 1000; i++) await db.put(`key${i}`, 'before');
  await db.flush();
  const old = tablesIn(directory.path);
  const cursor = db.newIterator();
  await cursor.seekToFirst();
  for (let i = 0; i < 1000; i++) await db.put(`key${i}`, 'after');
  await db.compactRange();
  expect(tablesIn(directory.path)).toEqual(expect.arrayContaining(old));
  expect(db.getLiveFilesMetaData().map(({ name }) => name.replace('/', ''))).not.toEqual(expect.arrayContaining(old));
  let count = 0;
  for (; cursor.valid; await cursor.next()) {
    expect(Buffer.from(cursor.value).toString()).toBe('before');
    count++;
  }
  expect(count).toBe(1000);
  cursor.close();
  await expect.poll(() => tablesIn(directory.path).filter((name) => old.includes(name))).toEqual([]);
});

testWithTools('S34 a snapshot keeps versions, not files', async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(directory.path, { createIfMissing: true });
  for (let i = 0; i < 100; i++) await db.put(`key${i}`, 'first');
  await db.flush();
  const inputs = tablesIn(directory.path);
  const snapshot = db.snapshot();
  for (let version = 0; version < 5; version++)
    for (let i = 0; i < 100; i++) await db.put(`key${i}`, `later ${version}`);
  await db.compactRange();
  await expect.poll(() => tablesIn(directory.path).filter((name) => inputs.includes(name))).toEqual([]);
  const entries = (): number =>
    tablesIn(directory.path)
      .map((name) => runTool('sst_dump', [`--file=${join(directory.path, name)}`, '--command=scan']).out)
      .join('\n')
      .split('\n')
      .filter((line) => /seq:\d+, type:1/.test(line)).length;
  await expect.poll(entries, { timeout: 5000 }).toBe(200);
  expect(Buffer.from(db.getSync('key7', { snapshot })!).toString()).toBe('first');
  snapshot.release();
  await db.put('key0', 'last');
  await db.compactRange({ bottommostLevelCompaction: 'force' });
  await expect.poll(entries, { timeout: 5000 }).toBe(100);
});

test('S35 a scan of a million keys by iterators that are made anew from a snapshot keeps few files', async () => {
  using directory = temporaryDirectory();
  let deleted = 0;
  await using db = await DB.open(directory.path, {
    ...SMALL,
    writeBufferSize: 256 << 10,
    targetFileSizeBase: 256 << 10,
    maxBytesForLevelBase: 1 << 20,
    listeners: [{ onTableFileDeleted: () => void deleted++ }],
  });
  const count = 1_000_000;
  const key = (i: number): string => `key${String(i).padStart(6, '0')}`;
  for (let i = 0; i < count; i += 1000) {
    const batch = new WriteBatch();
    for (let j = i; j < i + 1000; j++) batch.put(key(j), 'before');
    await db.write(batch);
  }
  await db.flush();
  using snapshot = db.snapshot();
  const random = new Random(3535);
  let seen = 0;
  let wrong = 0;
  const notLive = (): number => tablesIn(directory.path).length - db.getLiveFilesMetaData().length;
  deleted = 0;
  let from = '';
  while (seen < count) {
    // A piece of the scan, then overwrites: whoever held one iterator would keep every table of the beginning.
    using cursor = db.newIterator({ snapshot, iterateLowerBound: from });
    const piece = await cursor.nextMany(10_000);
    for (const [found, value] of piece) {
      if (Buffer.from(found).toString() !== key(seen++) || value.length !== 'before'.length) wrong++;
    }
    from = `${Buffer.from(piece.at(-1)![0]).toString()}\0`;
    cursor.close();
    for (let i = 0; i < 200; i++) await db.put(key(random.below(count)), `after ${seen} ${'x'.repeat(1000)}`);
    // Removal follows at its own pace; nothing that the scan has left behind may hold it up.
    await expect.poll(notLive, { interval: 5, timeout: 5000 }).toBeLessThan(20);
  }
  process.stdout.write(`S35: ${deleted} tables came and went during the scan\n`);
  expect([seen, wrong]).toEqual([count, 0]);
  expect(deleted).toBeGreaterThan(60);
});

test('S36 snapshots end with the database: none after a reopen, and old versions go', async () => {
  using directory = temporaryDirectory();
  const db = await DB.open(directory.path, { createIfMissing: true });
  await db.put('a', 'one');
  const snapshot = db.snapshot();
  await db.put('a', 'two');
  await db.flush();
  await db.close();
  snapshot.release();
  await using again = await DB.open(directory.path);
  expect(again.getIntProperty('rocksdb.num-snapshots')).toBe(0);
  await expectRefused(() => again.get('a', { snapshot }), 'INVALID_ARGUMENT', /another open of it/);
  await again.put('b', 'x');
  await again.compactRange({ bottommostLevelCompaction: 'force' });
  expect(again.getLiveFilesMetaData().reduce((sum, file) => sum + file.numEntries, 0)).toBe(2);
  using mine = again.snapshot();
  mine.release();
  await expectRefused(() => again.get('a', { snapshot: mine }), 'CLOSED', /released/);
});
