/** Which logs there are, where obsolete ones go, and when they leave the archive. */
import { describe, expect, test } from 'vitest';
import { DB, Env, ManualClock, MemoryFileSystem, type Options } from '../../../src/index.ts';

const PATH = '/db';

/** Lets queued removals happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function open(options: Options): Promise<{ db: DB; env: Env; clock: ManualClock }> {
  const clock = new ManualClock();
  const env = new Env({ fileSystem: new MemoryFileSystem({ clock }), clock });
  const db = await DB.open(PATH, { env, createIfMissing: true, ...options });
  return { db, env, clock };
}

async function archived(env: Env): Promise<string[]> {
  return (await env.fileSystem.exists(`${PATH}/archive`)) ? env.fileSystem.list(`${PATH}/archive`) : [];
}

describe('S87 the archive', () => {
  test('S87 without limits an obsolete log is deleted', async () => {
    const { db, env } = await open({});
    await db.put('a', '1');
    await db.flush();
    await settle();
    expect(await archived(env)).toEqual([]);
    expect((await env.fileSystem.list(PATH)).filter((name) => name.endsWith('.log')).length).toBe(1);
    await db.close();
  });

  test('S87 with a limit it is moved, and pruned when its time is over', async () => {
    const { db, env, clock } = await open({ walTtlSeconds: 100 });
    await db.put('a', '1');
    await db.flush();
    await settle();
    expect((await archived(env)).length).toBe(1);
    clock.advance(60_000);
    await db.put('b', '1');
    await db.flush();
    await settle();
    expect((await archived(env)).length).toBe(2);
    clock.advance(40_000);
    await settle();
    expect((await archived(env)).length).toBe(1);
    clock.advance(60_000);
    await settle();
    expect(await archived(env)).toEqual([]);
    await db.close();
  });

  test('S87 the archive is pruned to its size, the oldest first', async () => {
    const { db, env } = await open({ walSizeLimitMB: 1 });
    for (let i = 0; i < 8; i++) {
      await db.put(`k${i}`, Buffer.alloc(300_000));
      await db.flush();
    }
    await settle();
    const left = await archived(env);
    expect(left.length).toBe(3);
    const files = await db.getSortedWalFiles();
    expect(files.map(({ startSequence }) => startSequence)).toEqual([6, 7, 8]);
    await db.close();
  });

  test('S87 a reopen prunes what outlived its time while nobody looked', async () => {
    const { db, env, clock } = await open({ walTtlSeconds: 100 });
    await db.put('a', '1');
    await db.flush();
    await settle();
    await db.close();
    const before = await archived(env);
    expect(before.length).toBe(1);
    clock.advance(200_000);
    const again = await DB.open(PATH, { env, walTtlSeconds: 100 });
    await settle();
    // The log that the first run ended with has only now become obsolete.
    expect((await archived(env)).filter((name) => before.includes(name))).toEqual([]);
    await again.close();
  });

  test('S77 S78 suspended deletions suspend the archive, too', async () => {
    const { db, env, clock } = await open({ walTtlSeconds: 100 });
    await db.disableFileDeletions();
    await db.put('a', '1');
    await db.flush();
    clock.advance(200_000);
    await settle();
    expect(await archived(env)).toEqual([]);
    expect((await env.fileSystem.list(PATH)).filter((name) => name.endsWith('.log')).length).toBe(2);
    await db.enableFileDeletions();
    await settle();
    expect((await archived(env)).length).toBe(1);
    clock.advance(100_000);
    await settle();
    expect(await archived(env)).toEqual([]);
    await db.close();
  });
});

describe('S80 getSortedWalFiles', () => {
  test('S80 lists alive and archived logs with start and size, ascending', async () => {
    const { db, env } = await open({ walTtlSeconds: 1000, walDir: '/logs' });
    expect(await db.getSortedWalFiles()).toEqual([]);
    await db.put('a', '1');
    await db.flush();
    await settle();
    await db.put('b', '1');
    await db.put('c', '1');
    const files = await db.getSortedWalFiles();
    expect(files.map(({ type, startSequence }) => [type, startSequence])).toEqual([
      ['archived', 1],
      ['alive', 2],
    ]);
    expect(files[0]!.logNumber).toBeLessThan(files[1]!.logNumber);
    for (const { path, sizeBytes } of files) {
      expect(path).toMatch(/^\/logs\//);
      expect(sizeBytes).toBe((await env.fileSystem.stat(path)).size);
    }
    expect((await env.fileSystem.list(PATH)).filter((name) => name.endsWith('.log'))).toEqual([]);
    await db.close();
    await expect(db.getSortedWalFiles()).rejects.toThrow(/closed/);
  });
});
