/**
 * A disk that is full: during open, writes, flushes and compactions. Method: a file system that says ENOSPC at each call in
 * turn, and one with a capacity. Whatever fails says NO_SPACE; what was acknowledged stays; with room again it goes on.
 */

import { describe, expect, test } from 'vitest';
import { DB, DBError, Env, FaultFileSystem, MemoryFileSystem } from '../../../src/index.ts';
import { scanForward } from '../../support/read-database.ts';
import { errorOf } from './refusal.ts';

const VALUE = 'x'.repeat(2000);

test('a write that finds the disk full is refused with NO_SPACE, and resume goes on once there is room', async () => {
  const fileSystem = new MemoryFileSystem({ capacityBytes: 400_000 });
  const env = new Env({ fileSystem });
  const acknowledged: string[] = [];
  {
    await using db = await DB.open('/db', { env, createIfMissing: true, compression: 'none' });
    const fill = async (): Promise<void> => {
      for (let i = 0; ; i++) {
        const key = `key${String(acknowledged.length).padStart(5, '0')}`;
        await db.put(key, VALUE, { sync: i % 2 === 0 });
        acknowledged.push(key);
      }
    };
    const error = await errorOf(fill);
    expect(error).toBeInstanceOf(DBError);
    expect(error).toMatchObject({ code: 'NO_SPACE', severity: 'hard' });
    expect((error as DBError).message).toMatch(/\.log.*ENOSPC/);
    expect(acknowledged.length).toBeGreaterThan(100);
    // Reads go on, writes stay refused: what the log holds behind the failure is not known.
    expect(db.getSync(acknowledged[7]!)).toBeDefined();
    await expect(db.put('more', 'x')).rejects.toMatchObject({ code: 'NO_SPACE' });
    await expect(db.resume()).rejects.toMatchObject({ code: 'NO_SPACE' });
    fileSystem.capacityBytes = 10_000_000;
    await db.resume();
    await db.put('after', 'x');
    acknowledged.push('after');
  }
  await using db = await DB.open('/db', { env });
  for (const key of acknowledged) expect(db.getSync(key), key).toBeDefined();
});

test('a full disk at close or reopen loses nothing that was acknowledged', async () => {
  const fileSystem = new MemoryFileSystem({ capacityBytes: 200_000 });
  const env = new Env({ fileSystem });
  const db = await DB.open('/db', { env, createIfMissing: true, compression: 'none' });
  let count = 0;
  const error = await errorOf(async () => {
    for (;;) {
      await db.put(`key${count}`, VALUE);
      count++;
    }
  });
  expect(error).toMatchObject({ code: 'NO_SPACE' });
  await db.close().catch((failure) => expect(failure).toMatchObject({ code: 'NO_SPACE' }));
  // To open replays the log into a table, for which there is no room either.
  const before = fileSystem.listSync('/db').filter((name) => !name.startsWith('LOG'));
  await expect(DB.open('/db', { env })).rejects.toMatchObject({ code: 'NO_SPACE' });
  expect(fileSystem.listSync('/db')).toEqual(expect.arrayContaining(before));
  fileSystem.capacityBytes = 10_000_000;
  await using again = await DB.open('/db', { env });
  expect(scanForward(again).length).toBeGreaterThanOrEqual(count);
});

describe('ENOSPC at every place', () => {
  const steps: [string, (db: DB) => Promise<void>][] = [
    ['flush', (db) => db.flush()],
    ['compaction', (db) => db.compactRange()],
    ['a new family', (db) => db.createColumnFamily('new').then(() => {})],
    ['new options', (db) => db.setOptions({ writeBufferSize: 1 << 20 })],
    ['a synced write', (db) => db.put('synced', 'x', { sync: true })],
  ];
  test.each(steps)('during %s', async (_name, step) => {
    for (let nth = 1; nth < 200; nth++) {
      const memory = new MemoryFileSystem();
      const fileSystem = new FaultFileSystem(memory);
      const env = new Env({ fileSystem });
      const db = await DB.open('/db', { env, createIfMissing: true });
      for (let i = 0; i < 40; i++) {
        await db.put(`key${i % 20}`, `${i}`);
        if (i % 10 === 9) await db.flush();
      }
      await db.put('last', 'x');
      const kinds = ['create', 'append', 'sync', 'directory-sync', 'rename', 'reuse', 'link', 'mkdir'] as const;
      const fault = fileSystem.inject({ fault: 'ENOSPC', kinds, nth });
      let failure: unknown;
      try {
        await step(db);
      } catch (error) {
        failure = error;
      }
      fileSystem.clear();
      if (failure !== undefined) expect(failure, `call ${nth}: ${String(failure)}`).toMatchObject({ code: 'NO_SPACE' });
      expect(scanForward(db).filter((row) => !row.startsWith('73796e636564')).length, `call ${nth}`).toBe(21);
      if (failure !== undefined) await db.resume();
      await db.put('goes on', 'x');
      await db.close();
      const again = await DB.open('/db', { env: new Env({ fileSystem: memory }) });
      expect(again.getSync('last'), `call ${nth}`).toBeDefined();
      expect(again.getSync('goes on'), `call ${nth}`).toBeDefined();
      expect(scanForward(again).filter((row) => !row.startsWith('73796e636564')).length, `call ${nth}`).toBe(22);
      await again.close();
      if (fault.injected === 0) {
        expect(nth).toBeGreaterThan(2);
        return;
      }
    }
    throw new Error('the step never ran without a fault');
  });

  test('during open of a new and of an old database', async () => {
    for (const exists of [false, true]) {
      let refusals = 0;
      for (let nth = 1; ; nth++) {
        const memory = new MemoryFileSystem();
        if (exists) {
          await using db = await DB.open('/db', { env: new Env({ fileSystem: memory }), createIfMissing: true });
          await db.put('a', 'one');
          await db.flush();
          await db.put('b', 'two');
        }
        const fileSystem = new FaultFileSystem(memory);
        const kinds = ['create', 'append', 'sync', 'directory-sync', 'rename', 'mkdir', 'lock'] as const;
        const fault = fileSystem.inject({ fault: 'ENOSPC', kinds, nth });
        let failure: unknown;
        try {
          await (await DB.open('/db', { env: new Env({ fileSystem }), createIfMissing: true })).close();
        } catch (error) {
          failure = error;
        }
        if (failure !== undefined) {
          refusals++;
          expect(failure, `call ${nth}: ${String(failure)}`).toMatchObject({ code: 'NO_SPACE' });
        }
        fileSystem.clear();
        await using db = await DB.open('/db', { env: new Env({ fileSystem: memory }), createIfMissing: true });
        expect(scanForward(db).length, `call ${nth}`).toBe(exists ? 2 : 0);
        if (fault.injected === 0) break;
      }
      expect(refusals).toBeGreaterThan(5);
    }
  });
});
