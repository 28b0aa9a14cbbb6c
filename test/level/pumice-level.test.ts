/** What abstract-level's suite does not look at: additional methods, options of the engine, errors, and agreement with LevelDB. */

import { ClassicLevel } from 'classic-level';
import { expect, test } from 'vitest';
import { Env, Statistics } from '../../src/index.ts';
import { PumiceLevel } from '../../src/utilities/level/index.ts';
import { Random } from '../support/random.ts';
import { ldbScan, testWithTools } from '../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('every feature that a manifest can name is declared', async () => {
  const level = new PumiceLevel('/db', { database: { env: Env.memory() } });
  expect(level.supports).toMatchObject({
    seek: true,
    has: true,
    getSync: true,
    permanence: true,
    implicitSnapshots: true,
    explicitSnapshots: true,
    createIfMissing: true,
    errorIfExists: true,
    deferredOpen: true,
    signals: { iterators: true },
    encodings: { utf8: true, buffer: true, view: true, json: true, hex: true, base64: true },
    additionalMethods: { approximateSize: true, compactRange: true },
  });
  await level.close();
});

test('approximateSize and compactRange work, also before the database is open', async () => {
  const level = new PumiceLevel('/db', { database: { env: Env.memory(), compression: 'none' } });
  await level.batch(Array.from({ length: 1000 }, (_, i) => ({ type: 'put', key: `k${i}`, value: 'v'.repeat(100) })));
  expect(await level.approximateSize('a', 'z')).toBe(0);
  await level.compactRange('a', 'z');
  expect(await level.approximateSize('a', 'z')).toBeGreaterThan(90_000);
  expect(await level.approximateSize('a', 'b')).toBe(0);
  expect(level.getProperty('rocksdb.num-files-at-level0')).toBe('0');
  await expect(level.compactRange(undefined as never, 'z')).rejects.toThrow(/required/);
  await level.close();
  await expect(level.approximateSize('a', 'z')).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' });
});

test('clear writes one range tombstone, and only what stood before it is gone', async () => {
  const statistics = new Statistics();
  const level = new PumiceLevel('/db', { database: { env: Env.memory(), statistics } });
  await level.batch(Array.from({ length: 100 }, (_, i) => ({ type: 'put', key: `k${i + 100}`, value: 'v' })));
  const written = statistics.getTickerCount('rocksdb.number.keys.written');
  await level.clear({ gt: 'k110', lte: 'k120' });
  expect(statistics.getTickerCount('rocksdb.number.keys.written')).toBe(written + 1);
  expect(await level.keys().all()).toHaveLength(90);
  await level.clear({ gte: 'k150', lt: 'k140' });
  expect(await level.keys().all()).toHaveLength(90);
  const clearing = level.clear();
  await level.put('z', 'later');
  await clearing;
  expect(await level.iterator().all()).toEqual([['z', 'later']]);
  await level.close();
});

test('errors have codes of the Level kind and the engine error as their cause', async () => {
  const env = Env.memory();
  const level = new PumiceLevel('/db', { database: { env } });
  await level.open();
  const second = new PumiceLevel('/db', { database: { env } });
  const failure = (await second.open().catch((error: unknown) => error)) as { cause: { code: string; cause: unknown } };
  expect(failure).toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN', cause: { code: 'LEVEL_LOCKED' } });
  expect(failure.cause.cause).toMatchObject({ code: 'LOCKED' });
  await level.close();
  const reader = new PumiceLevel('/db', { database: { env, readOnly: true } });
  await expect(reader.put('a', 'b')).rejects.toMatchObject({ code: 'LEVEL_READONLY' });
  await reader.close();
  const bad = new PumiceLevel('/db', { database: { env, blockSize: -1 } });
  await expect(bad.open()).rejects.toMatchObject({ cause: { code: 'LEVEL_INVALID_ARGUMENT' } });
  await bad.close();
  await PumiceLevel.destroy('/db', { env });
  const gone = new PumiceLevel('/db', { createIfMissing: false, database: { env } });
  await expect(gone.open()).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' });
  await gone.close();
});

test('random operations leave the same entries as in classic-level, in every order and range', async () => {
  using directory = temporaryDirectory();
  const ours = new PumiceLevel<string, string>('/db', { database: { env: Env.memory(), writeBufferSize: 1 << 16 } });
  const theirs = new ClassicLevel<string, string>(directory.path);
  const random = new Random(20_260_728);
  const key = (): string => `k${random.below(300)}`;
  for (let step = 0; step < 150; step++) {
    const batch = Array.from({ length: 1 + random.below(20) }, () =>
      random.below(3) === 0
        ? { type: 'del' as const, key: key() }
        : { type: 'put' as const, key: key(), value: String(random.below(1e6)) },
    );
    await Promise.all([ours.batch(batch), theirs.batch(batch)]);
    const [low, high] = [key(), key()].sort() as [string, string];
    if (random.below(20) === 0)
      await Promise.all([ours.clear({ gte: low, lt: high }), theirs.clear({ gte: low, lt: high })]);
    const options = { gt: low, lte: high, reverse: random.below(2) === 1, limit: random.below(3) === 0 ? 5 : -1 };
    expect(await ours.iterator(options).all()).toEqual(await theirs.iterator(options).all());
    const probe = key();
    expect(ours.getSync(probe)).toBe(theirs.getSync(probe));
  }
  expect(await ours.iterator().all()).toEqual(await theirs.iterator().all());
  await Promise.all([ours.close(), theirs.close()]);
});

testWithTools('C++ RocksDB reads what was written through Level', async () => {
  using directory = temporaryDirectory();
  const level = new PumiceLevel(directory.path, { valueEncoding: 'json' });
  await level.sublevel<string, object>('s', { valueEncoding: 'json' }).put('a', { b: 1 }, { sync: true } as never);
  await level.close();
  const hex = (text: string): string => Buffer.from(text).toString('hex');
  expect(ldbScan(directory.path)).toEqual([`${hex('!s!a')}=${hex('{"b":1}')}`]);
});
