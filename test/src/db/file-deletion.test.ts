/** Deletion of whole tables: what the rules allow is gone from MANIFEST and disk for good, all else is refused. */

import { expect, test } from 'vitest';
import { DB, Env, MemoryFileSystem, type Options } from '../../../src/index.ts';

const PATH = '/db';

function memoryOptions(): Options & { env: Env } {
  return { env: Env.memory(), createIfMissing: true, disableAutoCompactions: true };
}

async function namesOnDisk(env: Env): Promise<string[]> {
  return (await env.fileSystem.list(PATH)).filter((name) => name.endsWith('.sst')).sort();
}

function liveNames(db: DB): string[] {
  return db
    .getLiveFilesMetaData()
    .map(({ name }) => name.slice(1))
    .sort();
}

async function untilOnDisk(env: Env, wanted: string[]): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (JSON.stringify(await namesOnDisk(env)) === JSON.stringify(wanted)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await namesOnDisk(env)).toEqual(wanted);
}

test('S100 deleteFile takes the oldest table of level 0 away, from MANIFEST and disk, and refuses a newer one', async () => {
  const options = memoryOptions();
  let db = await DB.open(PATH, options);
  for (const key of ['a', 'b', 'c']) {
    await db.put(key, key);
    await db.flush();
  }
  const [newest, , oldest] = db.getColumnFamilyMetaData().levels[0]!.files.map(({ name }) => name);
  await expect(db.deleteFile(newest!)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await db.deleteFile(oldest!);
  expect(db.getSync('a')).toBeUndefined();
  expect(Buffer.from(db.getSync('b')!).toString()).toBe('b');
  expect(liveNames(db)).toHaveLength(2);
  await untilOnDisk(options.env, liveNames(db));
  await expect(db.deleteFile(oldest!)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await db.close();
  db = await DB.open(PATH, options);
  expect(db.getSync('a')).toBeUndefined();
  expect(Buffer.from(db.getSync('c')!).toString()).toBe('c');
  await db.close();
});

test('S100 deleteFile deletes tables of the last level only, and neither logs in use nor other files', async () => {
  const options = memoryOptions();
  await using db = await DB.open(PATH, options);
  await db.put('a', '1');
  await db.flush();
  await db.compactRange();
  const [bottom] = liveNames(db);
  await db.put('b', '2');
  await db.flush();
  const top = liveNames(db).find((name) => name !== bottom)!;
  await expect(db.deleteFile(top)).rejects.toThrow(/level \d is not empty/);
  await db.deleteFile(bottom!);
  expect(db.getSync('a')).toBeUndefined();
  const log = (await options.env.fileSystem.list(PATH)).find((name) => name.endsWith('.log'))!;
  for (const name of [log, 'CURRENT', 'MANIFEST-000001', 'x', '999999.sst', '../a.sst', '']) {
    await expect(db.deleteFile(name), name).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});

test('S100 deleteFile removes a log of the archive', async () => {
  const options = { ...memoryOptions(), walTtlSeconds: 1000 };
  await using db = await DB.open(PATH, options);
  await db.put('a', '1');
  await db.flush();
  const archived = async (): Promise<string[]> => options.env.fileSystem.list(`${PATH}/archive`).catch(() => []);
  for (let i = 0; i < 200 && (await archived()).length === 0; i++) await new Promise((r) => setTimeout(r, 5));
  const [log] = await archived();
  await db.deleteFile(`/archive/${log}`);
  expect(await archived()).toEqual([]);
});

test('S100 deleteFilesInRange drops the tables wholly inside and keeps the others', async () => {
  const options = { ...memoryOptions(), targetFileSizeBase: 4096, compression: 'none' as const };
  let db = await DB.open(PATH, options);
  const key = (i: number): string => `k${String(i).padStart(4, '0')}`;
  for (let i = 0; i < 1000; i++) db.putSync(key(i), 'v'.repeat(100));
  await db.flush();
  await db.compactRange();
  const files = db.getLiveFilesMetaData();
  expect(files.length).toBeGreaterThan(8);
  const begin = key(200);
  const end = key(700);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  const inside = files.filter((file) => text(file.smallestKey) >= begin && text(file.largestKey) <= end);
  await db.deleteFilesInRange(begin, end);
  expect(liveNames(db)).toEqual(
    files
      .filter((file) => !inside.includes(file))
      .map(({ name }) => name.slice(1))
      .sort(),
  );
  await untilOnDisk(options.env, liveNames(db));
  await db.close();
  db = await DB.open(PATH, options);
  let left = 0;
  for (let i = 0; i < 1000; i++) {
    const gone = inside.some((file) => key(i) >= text(file.smallestKey) && key(i) <= text(file.largestKey));
    expect(db.getSync(key(i)) === undefined, key(i)).toBe(gone);
    if (!gone) left++;
  }
  expect(left).toBeLessThan(600);
  expect(left).toBeGreaterThan(400);
  await db.deleteFilesInRange();
  expect(db.getLiveFilesMetaData()).toEqual([]);
  await expect(db.deleteFilesInRange('b', 'a')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await db.close();
});

/** Takes its time to remove a file, as a disk does. */
class SlowUnlinkFileSystem extends MemoryFileSystem {
  override async unlink(path: string): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    return super.unlink(path);
  }
}

test('flush resolves when the logs that held the data are gone', async () => {
  const fileSystem = new SlowUnlinkFileSystem();
  await using db = await DB.open('/db', { createIfMissing: true, env: new Env({ fileSystem }) });
  const logs = (): string[] => fileSystem.listSync('/db').filter((name) => name.endsWith('.log'));
  for (const key of ['a', 'b', 'c']) {
    await db.put(key, key);
    const before = logs();
    await db.flush();
    const after = logs();
    expect(after).toHaveLength(1);
    expect(before).not.toContain(after[0]);
  }
});
