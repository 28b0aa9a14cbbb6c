/** Checkpoints: openable copies of one moment, by Pumice and by the C++ library, taken while writes go on. */
import { linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB, Env, MemoryFileSystem } from '../../../src/index.ts';
import { scanForward } from '../../support/read-database.ts';
import { expectReadableByRocksDB, rocksdbToolsInstalled } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const tools = rocksdbToolsInstalled();

/** Rows of every family. */
async function rowsOf(path: string): Promise<Map<string, string[]>> {
  await using db = await DB.open(path, {});
  const rows = new Map<string, string[]>();
  for (const name of await DB.listColumnFamilies(path)) rows.set(name, scanForward(db.columnFamily(name)));
  return rows;
}

describe('createCheckpoint', () => {
  test('S79 a checkpoint of two families under concurrent writes is a prefix of the writes, and C++ opens it', async () => {
    using place = temporaryDirectory();
    const db = await DB.open(join(place.path, 'db'), {
      createIfMissing: true,
      columnFamilies: { other: {} },
      createMissingColumnFamilies: true,
      writeBufferSize: 64 * 1024,
    });
    const other = db.columnFamily('other');
    let written = 0;
    let stop = false;
    const writing = (async () => {
      for (; !stop; written++) {
        const key = String(written).padStart(8, '0');
        await db.put(key, 'v'.repeat(100));
        await other.put(key, 'w');
      }
    })();
    const floors: number[] = [];
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      floors.push(written);
      await db.createCheckpoint(join(place.path, `copy${i}`));
    }
    stop = true;
    await writing;
    await db.close();
    for (const [i, floor] of floors.entries()) {
      const path = join(place.path, `copy${i}`);
      expect(readdirSync(path)).not.toContain('IDENTITY');
      const copy = await DB.open(path, {});
      const keys = scanForward(copy).length;
      const others = scanForward(copy.columnFamily('other')).length;
      expect(keys).toBeGreaterThanOrEqual(floor);
      expect(keys).toBeLessThanOrEqual(written);
      expect(keys - others === 0 || keys - others === 1).toBe(true);
      expect(copy.recovery.droppedBytes).toBe(0);
      for (let k = 0; k < keys; k++) expect(copy.getSync(String(k).padStart(8, '0'))).toBeDefined();
      await copy.close();
      if (tools && i === 4) expectReadableByRocksDB(path, await rowsOf(path));
    }
  });

  test('S79 tables are links, so a checkpoint costs no second copy, and outlives the original', async () => {
    using place = temporaryDirectory();
    const db = await DB.open(join(place.path, 'db'), { createIfMissing: true });
    for (let i = 0; i < 100; i++) await db.put(`k${i}`, 'v');
    await db.createCheckpoint(join(place.path, 'copy'));
    const table = readdirSync(join(place.path, 'copy')).find((name) => name.endsWith('.sst'))!;
    expect(statSync(join(place.path, 'copy', table)).nlink).toBe(2);
    await db.compactRange({ bottommostLevelCompaction: 'force' });
    await db.put('later', 'v');
    await db.close();
    await DB.destroy(join(place.path, 'db'));
    await using copy = await DB.open(join(place.path, 'copy'), {});
    expect(scanForward(copy).length).toBe(100);
  });

  test('S79 unflushed data that no log holds is in the checkpoint', async () => {
    using place = temporaryDirectory();
    await using db = await DB.open(join(place.path, 'db'), { createIfMissing: true, manualWalFlush: true });
    await db.put('a', '1', { disableWAL: true });
    await db.put('b', '2');
    await db.createCheckpoint(join(place.path, 'copy'));
    await using copy = await DB.open(join(place.path, 'copy'), {});
    expect(scanForward(copy)).toEqual(['61=31', '62=32']);
  });

  test('S79 where links do not work tables are copied', async () => {
    const fileSystem = new MemoryFileSystem({ caps: { hardLink: false } });
    const env = new Env({ fileSystem });
    await using db = await DB.open('/db', { env, createIfMissing: true });
    await db.put('a', '1');
    await db.createCheckpoint('/copy');
    await using copy = await DB.open('/copy', { env });
    expect(scanForward(copy)).toEqual(['61=31']);
  });

  test('a directory that exists is refused, and what a crash left is replaced unless it is not ours', async () => {
    using place = temporaryDirectory();
    await using db = await DB.open(join(place.path, 'db'), { createIfMissing: true });
    await db.put('a', '1');
    mkdirSync(join(place.path, 'there'));
    await expect(db.createCheckpoint(join(place.path, 'there'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    mkdirSync(join(place.path, 'copy.tmp'));
    linkSync(
      join(place.path, 'db', readdirSync(join(place.path, 'db')).find((name) => name.startsWith('MANIFEST'))!),
      join(place.path, 'copy.tmp', 'MANIFEST-000001'),
    );
    await db.createCheckpoint(join(place.path, 'copy'));
    expect(readdirSync(place.path)).not.toContain('copy.tmp');
    mkdirSync(join(place.path, 'again.tmp'));
    writeFileSync(join(place.path, 'again.tmp', 'mine.txt'), '');
    await expect(db.createCheckpoint(join(place.path, 'again'))).rejects.toThrow(/mine\.txt/);
    expect(readdirSync(join(place.path, 'again.tmp'))).toEqual(['mine.txt']);
  });
});

describe('getLiveFiles', () => {
  test('S76 S79 copies of exactly these files, the MANIFEST cut to its size, open and hold what was flushed', async () => {
    const env = Env.memory();
    const { fileSystem } = env;
    await using db = await DB.open('/db', { env, createIfMissing: true });
    for (let i = 0; i < 50; i++) await db.put(`k${i}`, 'v');
    await db.disableFileDeletions();
    const { files, manifestFileSize } = await db.getLiveFiles();
    for (let i = 0; i < 50; i++) await db.put(`later${i}`, 'v');
    await db.compactRange({ bottommostLevelCompaction: 'force' });
    await fileSystem.mkdir('/copy');
    for (const name of files) {
      const from = await fileSystem.openRandom(`/db${name}`);
      const size = name.includes('MANIFEST') ? manifestFileSize : await from.size();
      const bytes = new Uint8Array(size);
      await from.read(bytes, 0);
      await from.close();
      const to = await fileSystem.createWritable(`/copy${name}`);
      await to.append([bytes]);
      await to.close();
    }
    await db.enableFileDeletions();
    await using copy = await DB.open('/copy', { env });
    expect(scanForward(copy).length).toBe(50);
  });
});
