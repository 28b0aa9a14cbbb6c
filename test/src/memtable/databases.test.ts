/** Whole databases over every kind of memtable: the API's suite, and random histories beside the default kind. */
import { describe, expect, test } from 'vitest';
import {
  bTreeMemTable,
  DB,
  Env,
  fixedPrefix,
  type MemTableFactory,
  type Options,
  prefixHashMemTable,
  skipListMemTable,
  stringAppend,
  vectorMemTable,
} from '../../../src/index.ts';
import { apiSuite } from '../../support/api-suite.ts';
import { Random, seedFor } from '../../support/random.ts';
import { sortedArrayMemTable } from './sorted-array-memtable.ts';

const seed = seedFor(40);
const KINDS: [row: string, factory: MemTableFactory][] = [
  ['S106', bTreeMemTable()],
  ['S106', skipListMemTable()],
  ['S107', sortedArrayMemTable()],
  ['S108', vectorMemTable()],
  ['S109', prefixHashMemTable()],
];
const PREFIX_SIZE = 2;

function optionsOf(memtableFactory: MemTableFactory, env: Env): Options {
  return {
    createIfMissing: true,
    env,
    memtableFactory,
    mergeOperator: stringAppend(),
    prefixExtractor: fixedPrefix(PREFIX_SIZE),
  };
}

for (const [row, factory] of KINDS.slice(1)) {
  apiSuite(`${row} a database over ${factory.name}`, () => {
    const env = Env.memory();
    return {
      open: (options) => DB.open('/db', { ...optionsOf(factory, env), ...options }),
      dispose: () => env.close(),
    };
  });
}

async function pairs(db: DB, options?: Parameters<DB['entries']>[0]): Promise<string[]> {
  const rows: string[] = [];
  for await (const [key, value] of db.entries(options)) rows.push(`${Buffer.from(key)}=${Buffer.from(value)}`);
  return rows;
}

function keyOf(random: Random): string {
  return `${random.pick(['aa', 'ab', 'ba', 'c', ''])}${random.below(60)}`;
}

/** One random write to both. */
async function write(random: Random, databases: readonly DB[], step: number): Promise<void> {
  const key = keyOf(random);
  const kind = random.below(20);
  const [begin, end] = [key, keyOf(random)].sort() as [string, string];
  for (const db of databases) {
    if (kind < 11) await db.put(key, `v${step}`);
    else if (kind < 15) await db.merge(key, `m${step}`);
    else if (kind < 18) await db.delete(key);
    else if (kind < 19) await db.deleteRange(begin, end);
    else await db.flush();
  }
}

describe.each(KINDS)('%s a random history', (_row, factory) => {
  test(`${factory.name} answers as the default does`, async () => {
    const random = new Random(seed);
    const envs = [Env.memory(), Env.memory()];
    const open = (): Promise<DB[]> =>
      Promise.all([
        DB.open('/db', optionsOf(factory, envs[0]!)),
        DB.open('/db', { ...optionsOf(factory, envs[1]!), memtableFactory: bTreeMemTable() }),
      ]);
    let databases = await open();
    for (let step = 0; step < 400; step++) {
      await write(random, databases, step);
      const [found, expected] = databases.map((db) => db.getSync(keyOf(new Random(step))));
      expect(found).toEqual(expected);
      if (step % 50 !== 0) continue;
      const [rows, expectedRows] = await Promise.all(databases.map((db) => pairs(db)));
      expect(rows).toEqual(expectedRows);
      const [back, expectedBack] = await Promise.all(databases.map((db) => pairs(db, { reverse: true })));
      expect(back).toEqual(expectedBack);
      if (step % 200 !== 0) continue;
      // From the log, into memtables of the kind.
      for (const db of databases) await db.close();
      databases = await open();
    }
    for (const db of databases) await db.close();
    for (const env of envs) await env.close();
  });

  test(`${factory.name}: a snapshot stays as it was`, async () => {
    const env = Env.memory();
    const db = await DB.open('/db', optionsOf(factory, env));
    const random = new Random(seed);
    for (let step = 0; step < 100; step++) await write(random, [db], step);
    const snapshot = db.snapshot();
    const before = await pairs(db);
    for (let step = 100; step < 200; step++) await write(random, [db], step);
    expect(await pairs(db, { snapshot })).toEqual(before);
    await db.flush();
    expect(await pairs(db, { snapshot })).toEqual(before);
    snapshot.release();
    await db.close();
    await env.close();
  });

  test(`${factory.name}: an iterator is not disturbed by writes`, async () => {
    const env = Env.memory();
    const db = await DB.open('/db', optionsOf(factory, env));
    for (let i = 0; i < 200; i += 2) await db.put(`aa${String(i).padStart(3, '0')}`, 'old');
    const seen: string[] = [];
    for await (const [key, value] of db.entries()) {
      seen.push(`${Buffer.from(key)}=${Buffer.from(value)}`);
      const i = seen.length;
      await db.put(`aa${String(i).padStart(3, '0')}`, 'new');
      await db.delete(`aa${String(199 - i).padStart(3, '0')}`);
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => `aa${String(i * 2).padStart(3, '0')}=old`));
    await db.close();
    await env.close();
  });

  test(`${factory.name}: full memtables become tables in the background`, async () => {
    const env = Env.memory();
    const db = await DB.open('/db', {
      ...optionsOf(factory, env),
      writeBufferSize: 64 * 1024,
      disableAutoCompactions: true,
    });
    const random = new Random(seed);
    const expected = new Map<string, string>();
    for (let i = 0; i < 1500; i++) {
      const key = `k${random.below(1000)}`;
      expected.set(key, `v${i}`.padEnd(100, '.'));
      await db.put(key, expected.get(key)!);
    }
    await db.flush();
    expect(Number(db.getProperty('rocksdb.num-files-at-level0'))).toBeGreaterThan(2);
    const rows = [...expected].map(([key, value]) => `${key}=${value}`).sort();
    expect((await pairs(db)).toSorted()).toEqual(rows);
    await db.close();
    await env.close();
  });
});

test('S109 scans of one prefix are right, in memtables and in tables, and full order is the default', async () => {
  const env = Env.memory();
  const db = await DB.open('/db', optionsOf(prefixHashMemTable({ bucketCount: 2 }), env));
  for (const key of ['ab2', 'aa1', 'b', 'ba1', 'ab1', 'aa2']) await db.put(key, 'v');
  for (const where of ['memtable', 'table']) {
    const scan = (options: Parameters<DB['entries']>[0]): Promise<string[]> => pairs(db, options);
    expect(await scan({ prefixSameAsStart: true, iterateLowerBound: 'ab' }), where).toEqual(['ab1=v', 'ab2=v']);
    expect(await scan({ iterateLowerBound: 'ab' }), where).toEqual(['ab1=v', 'ab2=v', 'b=v', 'ba1=v']);
    expect(await scan({ totalOrderSeek: true }), where).toEqual(['aa1=v', 'aa2=v', 'ab1=v', 'ab2=v', 'b=v', 'ba1=v']);
    const up = { prefixSameAsStart: true, reverse: true, iterateUpperBound: 'ab2' };
    expect(await scan(up), where).toEqual(['ab1=v']);
    await db.flush();
  }
  await db.close();
  await env.close();
});

test('S109 a database over a prefix-hash memtable needs a prefixExtractor', async () => {
  const env = Env.memory();
  const opening = DB.open('/db', { createIfMissing: true, env, memtableFactory: prefixHashMemTable() });
  await expect(opening).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await env.close();
});
