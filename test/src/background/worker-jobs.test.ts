/** Databases whose flushes and compactions run in worker threads, driven through the public door. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Comparator, DB, Env, type EnvOptions, type Options } from '../../../src/index.ts';
import { Random } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MODULE = new URL('../../support/worker-modules.mjs', import.meta.url);
const text = new TextDecoder();

const small: Options = {
  createIfMissing: true,
  writeBufferSize: 256 * 1024,
  targetFileSizeBase: 256 * 1024,
  maxBytesForLevelBase: 1024 * 1024,
};

/** An environment with threads of its own, and a directory. */
class Place implements AsyncDisposable {
  readonly env: Env;
  readonly #directory = temporaryDirectory();

  constructor(options: EnvOptions = {}) {
    this.env = new Env(options);
  }

  get path(): string {
    return `${this.#directory.path}/db`;
  }

  get tables(): string[] {
    return readdirSync(this.path).filter((name) => name.endsWith('.sst'));
  }

  open(options: Options = {}): Promise<DB> {
    return DB.open(this.path, { ...small, env: this.env, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.env.close();
    this.#directory[Symbol.dispose]();
  }
}

function key(i: number): string {
  return `key${String(i).padStart(8, '0')}`;
}

function read(db: DB, name: string): string | undefined {
  const value = db.getSync(name);
  return value === undefined ? undefined : text.decode(value);
}

describe('a caller that blocks', () => {
  test('fills memtables no faster than workers flush them, and loses nothing', async () => {
    await using place = new Place();
    const db = await place.open({ maxWriteBufferNumber: 2 });
    const count = 100_000;
    let most = 0;
    for (let i = 0; i < count; i++) {
      db.putSync(key((i * 7919) % count), `${'v'.repeat(60)}${i}`);
      if (i % 500 === 0) most = Math.max(most, Number(db.getProperty('rocksdb.num-immutable-mem-table')));
    }
    expect(most).toBeLessThanOrEqual(2);
    expect(place.env.stats().workers).toBeGreaterThan(0);
    for (let i = 0; i < count; i += 3) {
      if (read(db, key((i * 7919) % count)) !== `${'v'.repeat(60)}${i}`) throw new Error(`key ${i} is lost`);
    }
    await db.close();
    const again = await place.open();
    expect(read(again, key(7919))).toBe(`${'v'.repeat(60)}1`);
    await again.close();
  });

  test('may take over whatever awaited writes began', async () => {
    await using place = new Place();
    const db = await place.open({ maxWriteBufferNumber: 2 });
    const random = new Random(7);
    const value = random.bytes(200);
    let written = 0;
    for (let round = 0; round < 12; round++) {
      for (let i = random.below(1500); i >= 0; i--) await db.put(key(written++), value);
      for (let i = random.below(6000); i >= 0; i--) db.putSync(key(written++), value);
      if (random.oneIn(3)) await new Promise((resolve) => setTimeout(resolve, random.below(20)));
    }
    for (let i = 0; i < written; i++) if (db.getSync(key(i)) === undefined) throw new Error(`key ${i} is lost`);
    await db.close();
  });
});

describe('components', () => {
  async function fill(db: DB, count: number, value: string): Promise<void> {
    for (let i = 0; i < count; i++) db.putSync(key(i), value.length > 5 ? value : value.repeat(40));
    await db.flush();
  }

  test('S59 a compaction filter by module runs in a worker', async () => {
    await using place = new Place();
    const options = { ending: '7' };
    const db = await place.open({ compactionFilter: { module: MODULE, export: 'filtering', options } });
    db.putSync('where', 'where');
    await fill(db, 5000, 'value');
    await db.compactRange();
    expect(read(db, key(17))).toBeUndefined();
    expect(read(db, key(18))).toBe('value'.repeat(40));
    expect(read(db, 'where')).toMatch(/^thread [1-9]/);
    await db.close();
  });

  test('a filter factory by module makes a filter for each compaction', async () => {
    await using place = new Place();
    const db = await place.open({ compactionFilterFactory: { module: MODULE, export: 'filterFactory' } });
    await fill(db, 5000, 'value');
    await db.compactRange();
    expect(read(db, key(4))).toMatch(/^\d+ true true$/);
    await db.close();
  });

  test('a comparator and a merge operator by module order and fold in workers', async () => {
    await using place = new Place();
    const options: Options = {
      comparator: { module: MODULE, export: 'descending' },
      mergeOperator: { module: MODULE, export: 'joining', options: { with: '+' } },
    };
    const db = await place.open(options);
    await fill(db, 4000, 'value');
    for (let i = 0; i < 4000; i++) db.mergeSync(key(i), `operand${'x'.repeat(60)}`);
    await db.flush();
    await db.compactRange();
    expect(place.env.stats().workers).toBeGreaterThan(0);
    expect(read(db, key(3999))).toBe(`${'value'.repeat(40)}+operand${'x'.repeat(60)}`);
    const keys: string[] = [];
    for await (const [name] of db.entries()) keys.push(text.decode(name));
    expect(keys).toEqual(Array.from({ length: 4000 }, (_, i) => key(3999 - i)));
    await db.close();
  });

  test('an object of the user stays on this thread, and its work with it', async () => {
    await using place = new Place();
    const comparator: Comparator = { name: 'test.Here', compare: (a, b) => Buffer.compare(b, a) };
    const db = await place.open({ comparator });
    await fill(db, 5000, 'value');
    await db.compactRange();
    expect(place.env.stats().workers).toBe(0);
    expect(read(db, key(4999))).toBe('value'.repeat(40));
    await db.close();
  });
});

describe('ends', () => {
  test('closing cancels a compaction; the next open finds every key and no stray file', async () => {
    await using place = new Place();
    const db = await place.open({ level0FileNumCompactionTrigger: 2 });
    for (let i = 0; i < 60_000; i++) db.putSync(key((i * 7919) % 60_000), `${'v'.repeat(60)}${i}`);
    const compaction = db.compactRange().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 5));
    await db.close();
    await compaction;
    const left = place.tables;
    const again = await place.open({ disableAutoCompactions: true });
    const live = new Set(again.getLiveFilesMetaData().map((file) => file.fileNumber));
    expect(left.filter((name) => !live.has(Number.parseInt(name, 10)))).toEqual([]);
    for (let i = 0; i < 60_000; i += 11) {
      if (read(again, key((i * 7919) % 60_000)) !== `${'v'.repeat(60)}${i}`) throw new Error(`key ${i} is lost`);
    }
    await again.close();
  });

  test('a family is dropped while its flush runs', async () => {
    await using place = new Place();
    const db = await place.open();
    for (let round = 0; round < 3; round++) {
      const family = await db.createColumnFamily(`family${round}`);
      for (let i = 0; i < 3000; i++) family.putSync(key(i), 'x'.repeat(150));
      await db.dropColumnFamily(family);
    }
    db.putSync('still', 'here');
    await db.flush();
    expect(read(db, 'still')).toBe('here');
    await db.close();
  });

  test('a thread that dies in a flush stops writes, and leaves no table', async () => {
    await using place = new Place();
    const db = await place.open({ mergeOperator: { module: MODULE, export: 'deadly' } });
    for (let i = 0; i < 1000; i++) db.putSync(key(i), 'x'.repeat(200));
    db.putSync('doomed', 'base');
    db.mergeSync('doomed', 'operand');
    await expect(db.flush()).rejects.toMatchObject({ code: 'IO_ERROR', retryable: true });
    expect(() => db.putSync('more', 'x')).toThrow(expect.objectContaining({ code: 'IO_ERROR' }));
    expect(place.tables).toEqual([]);
    await db.close();
  });

  test('S90 databases of one Env share its threads', async () => {
    await using place = new Place({ compactionWorkers: 4, flushWorkers: 1 });
    let most = 0;
    const databases = await Promise.all(
      Array.from({ length: 20 }, (_, i) => DB.open(`${place.path}${i}`, { ...small, env: place.env })),
    );
    for (let round = 0; round < 4; round++) {
      for (const db of databases) for (let i = 0; i < 2000; i++) db.putSync(key(i), 'x'.repeat(200));
      const flushes = databases.map((db) => db.flush());
      most = Math.max(most, place.env.stats().workers);
      await Promise.all(flushes);
    }
    const compactions = databases.map((db) => db.compactRange());
    await new Promise((resolve) => setTimeout(resolve, 10));
    most = Math.max(most, place.env.stats().workers);
    await Promise.all(compactions);
    expect(most).toBe(5);
    await Promise.all(databases.map((db) => db.close()));
    expect(place.env.stats().workers).toBe(5);
    await place.env.close();
    expect(place.env.stats().workers).toBe(0);
  });
});
