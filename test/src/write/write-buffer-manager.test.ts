/** One limit on the memtables of several databases: what counts, who flushes, who waits, and who refuses what. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DB, Env, MemoryFileSystem, type Options, WriteBufferManager } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const VALUE = 'v'.repeat(1000);
/** Bytes of one entry with `VALUE` in a memtable, generously. */
const ENTRY_MAX = 1200;

/** Opens `count` databases over one memory file system; all are closed at the end, in any state. */
async function withDatabases(
  count: number,
  options: Options,
  use: (...databases: DB[]) => Promise<void>,
): Promise<void> {
  const env = new Env({ fileSystem: new MemoryFileSystem() });
  const databases: DB[] = [];
  try {
    for (let i = 0; i < count; i++) {
      databases.push(
        await DB.open(`/db${i}`, { createIfMissing: true, env, disableAutoCompactions: true, ...options }),
      );
    }
    await use(...databases);
  } finally {
    for (const db of databases) await db.close();
    await env.close();
  }
}

function activeBytes(db: DB): number {
  return Number(db.getProperty('rocksdb.cur-size-active-mem-table'));
}

/** Puts `entries` values under `prefix`. */
async function fill(db: DB, entries: number, prefix = 'k'): Promise<void> {
  for (let i = 0; i < entries; i++) await db.put(`${prefix}${String(i).padStart(6, '0')}`, VALUE);
}

function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number): unknown => (left === 0 ? resolve() : setImmediate(() => next(left - 1)));
    next(count);
  });
}

describe('WriteBufferManager', () => {
  test('three databases with large write buffers stay within one limit, and keep every value', async () => {
    const manager = new WriteBufferManager({ bufferSize: MIB });
    await withDatabases(3, { writeBufferManager: manager, writeBufferSize: 64 * MIB }, async (...databases) => {
      let most = 0;
      for (let i = 0; i < 6000; i++) {
        await databases[i % 3]!.put(`k${i}`, VALUE);
        most = Math.max(most, manager.memoryUsage);
        const active = databases.reduce((sum, db) => sum + activeBytes(db), 0);
        // Each looks again after a 64th of the limit.
        expect(active).toBeLessThan(MIB * (7 / 8) + 3 * (MIB / 64 + ENTRY_MAX));
      }
      expect(most).toBeGreaterThan(MIB / 2);
      expect(most).toBeLessThan(2 * MIB);
      for (let i = 0; i < 6000; i++) expect(databases[i % 3]!.getSync(`k${i}`)?.length).toBe(VALUE.length);
    });
    expect(manager.memoryUsage).toBe(0);
  });

  test('blocking writes stay within it as well', async () => {
    const manager = new WriteBufferManager({ bufferSize: MIB, allowStall: true });
    await withDatabases(3, { writeBufferManager: manager }, async (...databases) => {
      for (let i = 0; i < 4000; i++) {
        databases[i % 3]!.putSync(`k${i}`, VALUE);
        expect(manager.memoryUsage).toBeLessThan(MIB + 3 * (MIB / 64 + ENTRY_MAX));
      }
    });
  });

  test('what an idle database has in memory counts: the one that writes flushes earlier', async () => {
    const manager = new WriteBufferManager({ bufferSize: MIB });
    await withDatabases(2, { writeBufferManager: manager }, async (idle, busy) => {
      await fill(idle!, 600);
      const held = activeBytes(idle!);
      expect(held).toBeGreaterThan(MIB / 2);
      await fill(busy!, 500);
      await turns(5);
      expect(busy!.getProperty('rocksdb.num-files-at-level0')).not.toBe('0');
      expect(idle!.getProperty('rocksdb.num-files-at-level0')).toBe('0');
      expect(activeBytes(idle!)).toBe(held);
    });
    await withDatabases(1, { writeBufferManager: manager }, async (alone) => {
      await fill(alone!, 500);
      expect(alone!.getProperty('rocksdb.num-files-at-level0')).toBe('0');
    });
  });

  test('the family with the oldest data is flushed, with atomicFlush every one', async () => {
    for (const atomicFlush of [false, true]) {
      const manager = new WriteBufferManager({ bufferSize: MIB });
      await withDatabases(1, { writeBufferManager: manager, atomicFlush }, async (db) => {
        const old = await db!.createColumnFamily('old');
        await old.put('a', VALUE);
        await fill(db!, 900);
        await turns(20);
        expect(old.getProperty('rocksdb.num-entries-active-mem-table')).toBe('0');
        const rest = Number(db!.getProperty('rocksdb.num-entries-active-mem-table'));
        if (atomicFlush) expect(rest).toBeLessThan(300);
      });
    }
  });

  test('a database gives its share back when it closes, and a read-only one has none', async () => {
    const env = new Env({ fileSystem: new MemoryFileSystem() });
    const writeBufferManager = new WriteBufferManager({ bufferSize: MIB });
    const db = await DB.open('/db', { createIfMissing: true, env, writeBufferManager });
    expect(writeBufferManager.memoryUsage).toBe(0);
    await fill(db, 100);
    expect(writeBufferManager.memoryUsage).toBeGreaterThan(100 * VALUE.length);
    await db.close();
    expect(writeBufferManager.memoryUsage).toBe(0);
    const reader = await DB.open('/db', { readOnly: true, env, writeBufferManager });
    expect(writeBufferManager.memoryUsage).toBe(0);
    expect(reader.getSync('k000099')).toBeDefined();
    await reader.close();
    await env.close();
  });

  test('a flush and a dropped family free their share', async () => {
    const manager = new WriteBufferManager({ bufferSize: MIB });
    await withDatabases(1, { writeBufferManager: manager }, async (db) => {
      await fill(db!, 100);
      await db!.flush();
      expect(manager.memoryUsage).toBe(0);
      const family = await db!.createColumnFamily('f');
      await family.put('a', VALUE);
      expect(manager.memoryUsage).toBeGreaterThan(VALUE.length);
      await db!.dropColumnFamily(family);
      expect(manager.memoryUsage).toBe(0);
    });
  });
});

describe('allowStall', () => {
  const stalling = (): WriteBufferManager => new WriteBufferManager({ bufferSize: MIB, allowStall: true });

  test('writes wait while memory is full, in every database, and go on when it is free', async () => {
    const manager = stalling();
    const options = { writeBufferManager: manager, maxWriteBufferNumber: 100 };
    await withDatabases(2, options, async (full, other) => {
      await other!.put('before', VALUE);
      await full!.pauseBackgroundWork();
      let done = 0;
      const writing = (async () => {
        for (; done < 3000; done++) await full!.put(`k${done}`, VALUE);
      })();
      await turns(500);
      const stoppedAt = done;
      expect(stoppedAt).toBeLessThan(1100);
      expect(manager.memoryUsage).toBeGreaterThanOrEqual(MIB);
      let written = false;
      const waiting = other!.put('after', VALUE).then(() => {
        written = true;
      });
      await turns(200);
      expect(done).toBe(stoppedAt);
      expect(written).toBe(false);
      await expect(other!.put('now', VALUE, { noSlowdown: true })).rejects.toMatchObject({ code: 'INCOMPLETE' });
      full!.continueBackgroundWork();
      await Promise.all([writing, waiting]);
      expect(done).toBe(3000);
      expect(full!.getSync('k2999')).toBeDefined();
      expect(other!.getSync('after')).toBeDefined();
      await other!.put('now', VALUE, { noSlowdown: true });
    });
  });

  test('without it nobody waits for memory', async () => {
    const manager = new WriteBufferManager({ bufferSize: MIB });
    await withDatabases(
      1,
      { writeBufferManager: manager, maxWriteBufferNumber: 100, minWriteBufferNumberToMerge: 9 },
      async (db) => {
        await db!.pauseBackgroundWork();
        await fill(db!, 3000);
        expect(manager.memoryUsage).toBeGreaterThan(2 * MIB);
        db!.continueBackgroundWork();
      },
    );
  });

  test('memory of an idle database is flushed for one that waits, which has nothing to flush itself', async () => {
    for (const blocking of [false, true]) {
      const manager = stalling();
      await withDatabases(2, { writeBufferManager: manager }, async (idle, busy) => {
        await idle!.put('large', 'x'.repeat(2 * MIB));
        expect(manager.memoryUsage).toBeGreaterThan(2 * MIB);
        if (blocking) busy!.putSync('a', VALUE);
        else await busy!.put('a', VALUE);
        expect(manager.memoryUsage).toBeLessThan(MIB);
        expect(idle!.getSync('large')?.length).toBe(2 * MIB);
      });
    }
  });

  test('a blocking write does not wait for a flush that cannot end while it blocks', async () => {
    await withDatabases(2, { writeBufferManager: stalling() }, async (paused, busy) => {
      await paused!.pauseBackgroundWork();
      await paused!.put('large', 'x'.repeat(2 * MIB));
      busy!.putSync('a', VALUE);
      expect(busy!.getSync('a')).toBeDefined();
      paused!.continueBackgroundWork();
    });
  });

  test('a blocking write ends when little is active and the rest waits in a database that is paused', async () => {
    const options = { writeBufferManager: stalling(), maxWriteBufferNumber: 100 };
    await withDatabases(2, options, async (paused, busy) => {
      await busy!.put('a', VALUE);
      await paused!.pauseBackgroundWork();
      await paused!.put('large', 'x'.repeat(2 * MIB));
      const waiting = paused!.put('b', VALUE);
      await turns(20);
      busy!.putSync('c', VALUE);
      expect(busy!.getSync('c')).toBeDefined();
      paused!.continueBackgroundWork();
      await waiting;
    });
  });

  test('a database that closes lets go of those that wait for its memory', async () => {
    await withDatabases(2, { writeBufferManager: stalling() }, async (closing, busy) => {
      await closing!.pauseBackgroundWork();
      await closing!.put('large', 'x'.repeat(2 * MIB));
      const waiting = busy!.put('a', VALUE);
      await turns(50);
      await closing!.close();
      await waiting;
    });
  });
});

describe('options', () => {
  test('dbWriteBufferSize limits the families of one database together, and goes into the OPTIONS file', async () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/db`;
    const db = await DB.open(path, { createIfMissing: true, dbWriteBufferSize: MIB });
    const families = [await db.createColumnFamily('a'), await db.createColumnFamily('b')];
    for (let i = 0; i < 3000; i++) {
      await families[i % 2]!.put(`k${i}`, VALUE);
      const active = families.reduce((sum, f) => sum + Number(f.getProperty('rocksdb.cur-size-active-mem-table')), 0);
      expect(active).toBeLessThan(MIB);
    }
    await db.close();
    const newest = readdirSync(path)
      .filter((name) => name.startsWith('OPTIONS-'))
      .sort()
      .at(-1);
    expect(readFileSync(`${path}/${newest}`, 'utf8')).toMatch(/^ {2}db_write_buffer_size=1048576$/m);
  });

  test('values out of range and contradictions are refused', async () => {
    for (const bufferSize of [0, -1, 1.5, Number.NaN, 2 ** 53, '1', undefined]) {
      expect(() => new WriteBufferManager({ bufferSize: bufferSize as number })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('bufferSize') }),
      );
    }
    expect(() => new WriteBufferManager(undefined as never)).toThrow('options must be an object');
    expect(() => new WriteBufferManager({ bufferSize: 1, allowStall: 1 as never })).toThrow('allowStall');
    expect(() => new WriteBufferManager({ bufferSize: 1, size: 1 } as never)).toThrow('size is not an option');
    const env = new Env({ fileSystem: new MemoryFileSystem() });
    const refused = (options: Options, message: string): Promise<void> =>
      expect(DB.open('/db', { createIfMissing: true, env, ...options })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(message),
      });
    const writeBufferManager = new WriteBufferManager({ bufferSize: MIB });
    await refused({ writeBufferManager: { bufferSize: MIB } as never }, 'options.writeBufferManager must be');
    await refused({ writeBufferManager, dbWriteBufferSize: MIB }, 'exclude each other');
    await refused({ dbWriteBufferSize: -1 }, 'options.dbWriteBufferSize');
    await refused({ columnFamilies: { a: { dbWriteBufferSize: 1 } as never } }, 'belongs to the database');
    await env.close();
  });
});
