/** Backups: whole, incremental, restorable here and by the C++ tools, and deaf to hostile lists. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BackupEngine, DB, Env } from '../../../src/index.ts';
import { scanForward } from '../../support/read-database.ts';
import { expectReadableByRocksDB, ldbScan, runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function fill(db: DB, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await db.put(String(i).padStart(6, '0'), `value${i}`.repeat(10));
}

async function rowsOf(path: string): Promise<string[]> {
  await using db = await DB.open(path, {});
  return scanForward(db);
}

describe('createBackup and restore', () => {
  test('S74 a backup under concurrent writes restores to the state of its time', async () => {
    using place = temporaryDirectory();
    await using db = await DB.open(join(place.path, 'db'), { createIfMissing: true, writeBufferSize: 64 * 1024 });
    await using engine = await BackupEngine.open(join(place.path, 'backups'));
    let written = 0;
    let stop = false;
    const writing = (async () => {
      for (; !stop; written++) await db.put(String(written).padStart(8, '0'), 'v'.repeat(100));
    })();
    const floors: { id: number; floor: number }[] = [];
    for (const flush of [true, false, true]) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      const floor = written;
      const { id, sequence } = await engine.createBackup(db, { flush });
      expect(sequence).toBeGreaterThanOrEqual(floor);
      floors.push({ id, floor });
    }
    stop = true;
    await writing;
    for (const { id, floor } of floors) {
      const target = join(place.path, `restored${id}`);
      await engine.verify(id);
      await engine.restore(id, target);
      const keys = (await rowsOf(target)).map((row) => Buffer.from(row.split('=')[0]!, 'hex').toString());
      expect(keys.length).toBeGreaterThanOrEqual(floor);
      expect(keys).toEqual(keys.map((_, i) => String(i).padStart(8, '0')));
    }
  });

  test('S75 a second backup copies only what is new, and each can be restored', async () => {
    using place = temporaryDirectory();
    await using db = await DB.open(join(place.path, 'db'), { createIfMissing: true, compression: 'none' });
    await using engine = await BackupEngine.open(join(place.path, 'backups'));
    await fill(db, 0, 3000);
    const first = await engine.createBackup(db, { metadata: 'before' });
    const before = scanForward(db);
    await fill(db, 3000, 3050);
    const second = await engine.createBackup(db);
    const after = scanForward(db);
    expect(second.copiedBytes).toBeLessThan(0.2 * first.copiedBytes);
    expect(second.sizeBytes).toBeGreaterThan(first.sizeBytes);
    expect(engine.list().map(({ id, metadata }) => [id, metadata])).toEqual([
      [1, 'before'],
      [2, ''],
    ]);
    await engine.restore(first, join(place.path, 'first'));
    await engine.restore(2, join(place.path, 'second'));
    expect(await rowsOf(join(place.path, 'first'))).toEqual(before);
    expect(await rowsOf(join(place.path, 'second'))).toEqual(after);
    // A database that is there is replaced, with its logs.
    await engine.restore(1, join(place.path, 'second'));
    expect(await rowsOf(join(place.path, 'second'))).toEqual(before);
  });

  test('S75 purge keeps what the others need', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'backups');
    await using db = await DB.open(join(place.path, 'db'), { createIfMissing: true, disableAutoCompactions: true });
    const engine = await BackupEngine.open(path);
    for (let i = 0; i < 4; i++) {
      await fill(db, 0, 100 + i);
      if (i === 3) await db.compactRange({ bottommostLevelCompaction: 'force' });
      await engine.createBackup(db);
    }
    expect(await engine.purge(2)).toEqual([1, 2]);
    await engine.verify(3);
    await engine.verify(4);
    expect(await engine.purge(1)).toEqual([3]);
    await engine.verify(4);
    await engine.close();
    expect(readdirSync(join(path, 'shared_checksum')).length).toBe(1);
    expect(readdirSync(join(path, 'private'))).toEqual(['4']);
    await using again = await BackupEngine.open(path);
    expect(again.list().map(({ id }) => id)).toEqual([4]);
    expect((await again.createBackup(db)).id).toBe(5);
    await again.deleteBackup(4);
    await again.verify(5);
    await expect(again.restore(4, join(place.path, 'r'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(existsSync(join(place.path, 'r'))).toBe(false);
  });

  test('backups work in memory, and refuse a directory that is in use', async () => {
    const env = Env.memory();
    await using db = await DB.open('/db', { env, createIfMissing: true, walDir: '/logs' });
    await using engine = await BackupEngine.open('/backups', { env });
    await db.put('a', '1');
    await engine.createBackup(db, { flush: false });
    await expect(engine.restore(1, '/db')).rejects.toMatchObject({ code: 'LOCKED' });
    expect(db.getSync('a')).toBeDefined();
    await engine.restoreLatest('/copy', { walDir: '/copylogs' });
    await using copy = await DB.open('/copy', { env, walDir: '/copylogs' });
    expect(copy.getSync('a')).toBeDefined();
    expect(copy.recovery.replayedFiles[0]).toMatch(/^\/copylogs\//);
  });
});

describe('with the C++ tools', () => {
  testWithTools('S74 ldb restores what we back up, and we restore what ldb backs up', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'db');
    const backups = join(place.path, 'backups');
    const db = await DB.open(path, { createIfMissing: true });
    await fill(db, 0, 200);
    const engine = await BackupEngine.open(backups);
    await engine.createBackup(db, { metadata: 'ours' });
    await fill(db, 200, 300);
    await engine.createBackup(db, { flush: false });
    const rows = scanForward(db);
    await db.close();
    await engine.close();
    const restored = join(place.path, 'restored');
    const run = runTool('ldb', ['restore', `--db=${restored}`, `--backup_dir=${backups}`]);
    expect(`${run.out}${run.err}`).toContain('restore from backup OK');
    expect(ldbScan(restored)).toEqual(rows);
    expectReadableByRocksDB(restored, new Map([['default', rows]]));

    expect(runTool('ldb', [`--db=${path}`, 'put', 'zz', 'by ldb']).code).toBe(0);
    const third = runTool('ldb', ['backup', `--db=${path}`, `--backup_dir=${backups}`]);
    expect(`${third.out}${third.err}`).toContain('create new backup OK');
    await using again = await BackupEngine.open(backups);
    expect(again.list().map(({ id }) => id)).toEqual([1, 2, 3]);
    for (const { id } of again.list()) await again.verify(id);
    await again.restore(3, join(place.path, 'third'));
    expect(await rowsOf(join(place.path, 'third'))).toEqual([...rows, '7a7a=6279206c6462']);
    await again.restore(1, join(place.path, 'first'));
    expect((await rowsOf(join(place.path, 'first'))).length).toBe(200);
    // Tables that ldb copied are not copied again.
    await using reopened = await DB.open(path, {});
    const fourth = await again.createBackup(reopened);
    expect(fourth.copiedFiles).toBe(3);
  });
});

describe('damage and malice', () => {
  async function oneBackup(place: string): Promise<{ backups: string; list: string }> {
    await using db = await DB.open(join(place, 'db'), { createIfMissing: true });
    await db.put('a', '1');
    const backups = join(place, 'backups');
    await using engine = await BackupEngine.open(backups);
    await engine.createBackup(db);
    return { backups, list: join(backups, 'meta', '1') };
  }

  test('a damaged, a shortened and a missing file are told by verify and by restore', async () => {
    using place = temporaryDirectory();
    const { backups } = await oneBackup(place.path);
    const table = join(backups, 'shared_checksum', readdirSync(join(backups, 'shared_checksum'))[0]!);
    const good = readFileSync(table);
    await using engine = await BackupEngine.open(backups);
    const bad = Buffer.from(good);
    bad[10]! ^= 1;
    for (const content of [bad, good.subarray(1), undefined]) {
      rmSync(table);
      if (content !== undefined) writeFileSync(table, content);
      await expect(engine.verify(1)).rejects.toMatchObject({ code: 'CORRUPTION' });
      await expect(engine.restore(1, join(place.path, 'r'))).rejects.toMatchObject({ code: 'CORRUPTION' });
      expect(existsSync(join(place.path, 'r', 'CURRENT'))).toBe(false);
    }
    writeFileSync(table, good);
    await engine.restore(1, join(place.path, 'r'));
    expect((await rowsOf(join(place.path, 'r'))).length).toBe(1);
  });

  const hostile: [string, (lines: string[]) => string[]][] = [
    ['a path that climbs', (lines) => lines.with(-1, 'private/1/../../../evil crc32 1')],
    ['an absolute path', (lines) => lines.with(-1, '/etc/passwd crc32 1')],
    ['a climbing shared name', (lines) => lines.with(-1, 'shared_checksum/../../000001_s1_1.sst crc32 1')],
    ['a name that is no database file', (lines) => lines.with(-1, 'private/1/evil.sh crc32 1')],
    ['a LOCK', (lines) => lines.with(-1, 'private/1/LOCK crc32 1')],
    ["another backup's private file", (lines) => lines.with(-1, 'private/2/CURRENT crc32 1')],
    ['a name twice', (lines) => lines.with(-1, lines.at(-2)!)],
    ['a wrong count', (lines) => lines.with(2, '99999999')],
    ['a huge count', (lines) => lines.with(2, '9007199254740991')],
    ['a checksum that is none', (lines) => lines.with(-1, `${lines.at(-1)!.split(' ')[0]} crc32 4294967296`)],
    ['a sequence that is none', (lines) => lines.with(1, '-1')],
    ['a NUL', (lines) => lines.with(-1, 'private/1/CURRENT\0 crc32 1')],
    ['another schema', (lines) => ['schema_version 2.1', ...lines]],
    ['nothing', () => []],
  ];
  test.each(hostile)(
    'R16 a list with %s makes a corrupt backup, and nothing is read or written for it',
    async (_what, change) => {
      using place = temporaryDirectory();
      const { backups, list } = await oneBackup(place.path);
      const lines = readFileSync(list, 'utf8').trimEnd().split('\n');
      const changed = change(lines);
      writeFileSync(list, changed.length === 0 ? '' : `${changed.join('\n')}\n`);
      const shared = readdirSync(join(backups, 'shared_checksum'));
      await using engine = await BackupEngine.open(backups);
      expect(engine.list()).toEqual([]);
      expect(engine.corruptBackups()).toEqual([1]);
      await expect(engine.restore(1, join(place.path, 'r'))).rejects.toThrow(/meta\/1/);
      expect(existsSync(join(place.path, 'r'))).toBe(false);
      expect(readdirSync(join(backups, 'shared_checksum'))).toEqual(shared);
      await engine.deleteBackup(1);
      expect(readdirSync(join(backups, 'shared_checksum'))).toEqual([]);
    },
  );

  test('R16 a link in the place of a backup file is not followed, foreign files stay', async () => {
    using place = temporaryDirectory();
    const { backups } = await oneBackup(place.path);
    const current = join(backups, 'private', '1', 'CURRENT');
    const secret = join(place.path, 'secret');
    writeFileSync(secret, readFileSync(current));
    rmSync(current);
    symlinkSync(secret, current);
    writeFileSync(join(backups, 'shared_checksum', 'notes.txt'), 'mine');
    mkdirSync(join(backups, 'private', 'mine'));
    await using engine = await BackupEngine.open(backups);
    await expect(engine.verify(1)).rejects.toThrow();
    await expect(engine.restore(1, join(place.path, 'r'))).rejects.toThrow();
    await engine.purge(0);
    expect(readdirSync(join(backups, 'shared_checksum'))).toEqual(['notes.txt']);
    expect(readdirSync(join(backups, 'private'))).toEqual(['mine']);
  });

  test('what an interrupted backup left is removed by the next open', async () => {
    using place = temporaryDirectory();
    const { backups } = await oneBackup(place.path);
    mkdirSync(join(backups, 'private', '2'));
    writeFileSync(join(backups, 'private', '2', 'MANIFEST-000004'), 'half');
    writeFileSync(join(backups, 'shared_checksum', '.000009_sABC_100.sst.tmp'), 'half');
    writeFileSync(join(backups, 'shared_checksum', '000009_sABC_4.sst'), 'half');
    appendFileSync(join(backups, 'meta', '2.tmp'), '12');
    await using engine = await BackupEngine.open(backups);
    expect(readdirSync(join(backups, 'private'))).toEqual(['1']);
    expect(readdirSync(join(backups, 'shared_checksum')).length).toBe(1);
    expect(readdirSync(join(backups, 'meta'))).toEqual(['1']);
    await engine.verify(1);
  });

  test('bad arguments are refused', async () => {
    const env = Env.memory();
    await using engine = await BackupEngine.open('/backups', { env });
    await expect(engine.createBackup({} as DB)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(engine.restore(0, '/r')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(engine.restore(7, '/r')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(engine.purge(-1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(engine.restoreLatest('/r')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await engine.close();
    expect(() => engine.list()).toThrow(/closed/);
  });
});
