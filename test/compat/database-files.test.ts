/**
 * The files of a database from the outside: read-only opens, live files and logs for backups, the archive, several
 * databases at once. Method: what the API says is compared with the directory.
 */

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BlockCache, DB, type Options, WriteBatch } from '../../src/index.ts';
import { directoryFingerprint } from '../support/directory-hash.ts';
import { scanForward } from '../support/read-database.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CREATE: Options = { createIfMissing: true };

function tablesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.sst'));
}

async function fill(db: DB, count: number, label = 'value'): Promise<void> {
  for (let i = 0; i < count; i++) {
    await db.put(`key${String(i).padStart(5, '0')}`, `${label} ${i}`);
  }
}

test('S62 S63 every write of a read-only database is refused, many may be open, and nothing changes', async () => {
  using directory = temporaryDirectory();
  {
    await using db = await DB.open(directory.path, CREATE);
    await fill(db, 100);
    await db.flush();
    await fill(db, 50, 'again');
  }
  const before = directoryFingerprint(directory.path);
  await using one = await DB.open(directory.path, { readOnly: true });
  await using two = await DB.open(directory.path, { readOnly: true });
  expect(scanForward(one)).toEqual(scanForward(two));
  expect(scanForward(one).length).toBe(100);
  const refused = { code: expect.stringMatching(/NOT_SUPPORTED|READ_ONLY/) };
  await expect(one.put('a', 'b')).rejects.toMatchObject(refused);
  await expect(one.delete('a')).rejects.toMatchObject(refused);
  await expect(one.deleteRange('a', 'b')).rejects.toMatchObject(refused);
  await expect(one.merge('a', 'b')).rejects.toMatchObject(refused);
  await expect(one.write(new WriteBatch().put('a', 'b'))).rejects.toMatchObject(refused);
  await expect(one.flush()).rejects.toMatchObject(refused);
  await expect(one.compactRange()).rejects.toMatchObject(refused);
  await expect(one.createColumnFamily('x')).rejects.toMatchObject(refused);
  expect(directoryFingerprint(directory.path)).toEqual(before);
});

test('S89 many databases work in one process, and the same path twice is refused', async () => {
  using directory = temporaryDirectory();
  const paths = Array.from({ length: 20 }, (_, index) => join(directory.path, `db${index}`));
  const databases = await Promise.all(paths.map((path) => DB.open(path, { ...CREATE, writeBufferSize: 1 << 20 })));
  await Promise.all(databases.map((db, index) => fill(db, 200, `db ${index}`)));
  for (const [index, db] of databases.entries()) {
    expect(Buffer.from(db.getSync('key00007')!).toString()).toBe(`db ${index} 7`);
  }
  await expect(DB.open(paths[0]!)).rejects.toMatchObject({ code: expect.stringMatching(/LOCKED|BUSY/) });
  await Promise.all(databases.map((db) => db.close()));
  await using again = await DB.open(paths[0]!);
  expect(scanForward(again).length).toBe(200);
});

test('S91 a block cache that databases share stays within its capacity', async () => {
  using directory = temporaryDirectory();
  const blockCache = new BlockCache({ capacity: 1 << 20 });
  const databases: DB[] = [];
  for (let index = 0; index < 4; index++) {
    const db = await DB.open(join(directory.path, `db${index}`), { ...CREATE, blockCache, compression: 'none' });
    for (let i = 0; i < 4000; i++) {
      await db.put(`key${i}`, 'x'.repeat(200));
    }
    await db.flush();
    databases.push(db);
  }
  for (const db of databases) {
    expect(scanForward(db).length).toBe(4000);
    expect(db.getIntProperty('rocksdb.block-cache-usage')).toBeLessThanOrEqual(1 << 20);
    expect(db.getIntProperty('rocksdb.block-cache-usage')).toBeGreaterThan(0);
    await db.close();
  }
});

test('S77 S78 S79 S80 a copy of the live files and logs is the database at that moment', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  const copy = join(directory.path, 'copy');
  await using db = await DB.open(path, { ...CREATE, disableAutoCompactions: true });
  await fill(db, 300);
  await db.flush();
  await fill(db, 200, 'again');
  await db.disableFileDeletions();
  const expected = scanForward(db);
  const { files, manifestFileSize } = await db.getLiveFiles({ flush: false });
  const logs = await db.getSortedWalFiles();
  await db.compactRange();
  mkdirSync(copy);
  for (const file of [...files, ...logs.map((log) => log.path)]) {
    const name = file.replace(/^.*\//, '');
    if (!existsSync(join(copy, name))) {
      copyFileSync(join(path, name), join(copy, name));
    }
  }
  truncateSync(join(copy, files.find((file) => file.includes('MANIFEST'))!.replace(/^.*\//, '')), manifestFileSize);
  await using restored = await DB.open(copy);
  expect(scanForward(restored)).toEqual(expected);
  const before = tablesIn(path).length;
  await db.enableFileDeletions();
  expect(tablesIn(path).length).toBeLessThan(before);
});

test('S97 S99 with automatic compaction off, every flush stays a table of level 0, and the metadata describes it', async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(directory.path, { ...CREATE, disableAutoCompactions: true });
  for (let i = 0; i < 12; i++) {
    await db.put('a', `${i}`);
    await db.put('z', `${i}`);
    await db.flush();
  }
  // Counts of entries are known of tables that are open.
  expect(scanForward(db).length).toBe(2);
  const files = db.getLiveFilesMetaData();
  expect(files.length).toBe(12);
  for (const file of files) {
    expect(file).toMatchObject({ level: 0, columnFamily: 'default', numEntries: 2, numDeletions: 0 });
    expect(Buffer.from(file.smallestKey).toString()).toBe('a');
    expect(Buffer.from(file.largestKey).toString()).toBe('z');
    expect(file.size).toBe(readFileSync(join(directory.path, file.name.replace(/^\//, ''))).length);
    expect(file.largestSequence - file.smallestSequence).toBe(1);
  }
});

test('S41 a write without the log is gone after a reopen that had no flush, and there after one', async () => {
  using directory = temporaryDirectory();
  {
    await using db = await DB.open(directory.path, { ...CREATE, avoidFlushDuringShutdown: true });
    await db.put('flushed', 'x', { disableWAL: true });
    await db.flush();
    await db.put('lost', 'x', { disableWAL: true });
    await db.put('logged', 'x');
  }
  await using db = await DB.open(directory.path);
  expect(db.getSync('flushed')).toBeDefined();
  expect(db.getSync('lost')).toBeUndefined();
  expect(db.getSync('logged')).toBeDefined();
});

test('S72 logs live in their own directory when asked', async () => {
  using directory = temporaryDirectory();
  const [path, walDir] = [join(directory.path, 'db'), join(directory.path, 'logs')];
  {
    await using db = await DB.open(path, { ...CREATE, walDir });
    await fill(db, 10);
    expect(readdirSync(path).filter((name) => name.endsWith('.log'))).toEqual([]);
    expect(readdirSync(walDir).filter((name) => name.endsWith('.log')).length).toBe(1);
  }
  await using db = await DB.open(path, { walDir });
  expect(scanForward(db).length).toBe(10);
});

test('S84 S85 S87 log data stays in logs, which are archived, and is read back in its place', async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(directory.path, { ...CREATE, walTtlSeconds: 3600, compression: 'none' });
  await db.write(new WriteBatch().put('a', 'one').putLogData('ORIGIN-MAGIC').put('b', 'two'));
  await db.flush();
  await db.put('c', 'three');
  await db.flush();
  const archived = readdirSync(join(directory.path, 'archive'));
  expect(archived.length).toBeGreaterThan(0);
  for (const table of tablesIn(directory.path)) {
    expect(readFileSync(join(directory.path, table)).includes('ORIGIN-MAGIC')).toBe(false);
  }
  expect(archived.some((log) => readFileSync(join(directory.path, 'archive', log)).includes('ORIGIN-MAGIC'))).toBe(
    true,
  );
  const events: string[] = [];
  for await (const { batch } of db.getUpdatesSince(1)) {
    batch.iterate({
      put: (_family, key) => events.push(`put ${Buffer.from(key)}`),
      logData: (blob) => events.push(`log ${Buffer.from(blob)}`),
    });
  }
  expect(events).toEqual(['put a', 'log ORIGIN-MAGIC', 'put b', 'put c']);
});
