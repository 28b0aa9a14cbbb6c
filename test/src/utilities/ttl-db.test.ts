/** Databases whose values expire: RocksDB's bytes, RocksDB's rules, and a clock that tests own. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type CompactionFilter,
  DB,
  Env,
  ManualClock,
  MemoryFileSystem,
  type MergeOperator,
  stringAppend,
  TtlDB,
  type TtlOptions,
  WriteBatch,
} from '../../../src/index.ts';
import { apiSuite } from '../../support/api-suite.ts';
import { ldbScan, runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { PROJECT_ROOT } from '../../support/source-files.ts';
import { temporaryCopy, temporaryDirectory } from '../../support/temporary-directory.ts';

const HOUR = 3600;
const START = 1_700_000_000;

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

/** A place in memory with a clock of its own. */
function place(): { clock: ManualClock; env: Env; open(o?: Partial<TtlOptions>): Promise<TtlDB>; raw(): Promise<DB> } {
  const clock = new ManualClock(START * 1e6);
  const env = new Env({ fileSystem: new MemoryFileSystem(), clock });
  return {
    clock,
    env,
    open: (options) => TtlDB.open('/db', { env, createIfMissing: true, ttlSeconds: HOUR, ...options }),
    raw: () => DB.open('/db', { env }),
  };
}

apiSuite('S105 a TTL database whose values never expire', () => {
  const { env } = place();
  return {
    open: async (options) => (await TtlDB.open('/db', { ...options, env, ttlSeconds: 0 })) as unknown as DB,
    dispose: () => env.close(),
  };
});

test('S105 values carry the time of their writing as four bytes, little-endian', async () => {
  const { open, raw } = place();
  const db = await open();
  await db.put('a', 'one');
  db.putSync('b', '');
  await db.write(new WriteBatch().put('c', 'two').delete('b').putLogData('x'));
  expect(text(await db.get('a'))).toBe('one');
  await db.close();
  await using plain = await raw();
  const suffix = Buffer.alloc(4);
  suffix.writeUInt32LE(START);
  expect(Buffer.from(plain.getSync('a')!)).toEqual(Buffer.concat([Buffer.from('one'), suffix]));
  expect(Buffer.from(plain.getSync('c')!)).toEqual(Buffer.concat([Buffer.from('two'), suffix]));
  expect(plain.getSync('b')).toBeUndefined();
});

test('S105 a stale value is read until a compaction meets it, and is gone afterwards', async () => {
  const { clock, open } = place();
  let db = await open();
  await db.put('old', '1');
  clock.advance(1000 * (HOUR - 1));
  await db.put('new', '2');
  clock.advance(2000);
  await db.compactRange();
  expect(text(await db.get('old'))).toBeUndefined();
  expect(text(await db.get('new'))).toBe('2');
  clock.advance(1000 * HOUR * 10);
  expect(text(await db.get('new'))).toBe('2');
  await db.close();
  db = await open();
  expect(text(await db.get('new'))).toBe('2');
  await db.compactRange({ bottommostLevelCompaction: 'force' });
  expect(await db.get('new')).toBeUndefined();
  expect(db.getLiveFilesMetaData()).toEqual([]);
  await db.close();
});

test('S105 exactly at its time a value lives on, and zero or less means for ever', async () => {
  const { clock, open } = place();
  await using db = await open();
  await db.put('a', '1');
  clock.advance(1000 * HOUR);
  await db.compactRange();
  expect(text(await db.get('a'))).toBe('1');
  db.setTtl(0);
  clock.advance(1000 * HOUR * 1000);
  await db.compactRange({ bottommostLevelCompaction: 'force' });
  expect(text(await db.get('a'))).toBe('1');
  db.setTtl(HOUR);
  await db.compactRange({ bottommostLevelCompaction: 'force' });
  expect(await db.get('a')).toBeUndefined();
});

test('S105 each family may have a time of its own, also one that is created later', async () => {
  const { clock, open } = place();
  let db = await open({ columnFamilies: { short: { ttlSeconds: 10 } }, createMissingColumnFamilies: true });
  const short = db.columnFamily('short');
  const later = await db.createColumnFamily('later', { ttlSeconds: 20 });
  for (const family of [undefined, short, later]) await db.put('k', 'v', { columnFamily: family });
  clock.advance(15_000);
  for (const family of [short, later]) await family.compactRange();
  await db.compactRange();
  expect([await db.get('k'), await short.get('k'), await later.get('k')].map(text)).toEqual(['v', undefined, 'v']);
  expect([db.getTtl(), db.getTtl(short), db.getTtl('later')]).toEqual([HOUR, 10, 20]);
  expect(() => db.setTtl(1, 'absent')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  await db.close();
  db = await open();
  expect(text(await db.columnFamily('later').get('k'))).toBe('v');
  expect(db.getTtl('later')).toBe(HOUR);
  await db.close();
});

test('S105 the user’s merge operator and filter see values without their times', async () => {
  const seen: string[] = [];
  const filter: CompactionFilter = {
    name: 'spy',
    filter: (_level, _key, value) => {
      seen.push(Buffer.from(value).toString());
      return text(value) === 'rename' ? { value: Buffer.from('renamed') } : 'keep';
    },
  };
  const { clock, open, raw } = place();
  let db = await open({ mergeOperator: stringAppend(','), compactionFilter: filter });
  await db.put('k', 'a');
  await db.merge('k', 'b');
  db.mergeSync('k', 'c');
  await db.put('r', 'rename');
  expect(text(await db.get('k'))).toBe('a,b,c');
  expect((await db.getMergeOperands('k')).map(text)).toEqual(['b', 'c']);
  const rows: string[] = [];
  for await (const value of db.values()) rows.push(Buffer.from(value).toString());
  expect(rows).toEqual(['a,b,c', 'rename']);
  clock.advance(5000);
  await db.compactRange({ bottommostLevelCompaction: 'force' });
  expect(seen).toContain('a,b,c');
  expect(text(await db.get('k'))).toBe('a,b,c');
  expect(text(await db.get('r'))).toBe('renamed');
  await db.close();
  await expect(raw()).rejects.toThrow(/TtlMergeOperator/);
  // The operator is built in, so it is found by what is stored. A rewritten value keeps its own time.
  db = await open();
  await db.merge('k', 'd');
  expect(text(await db.get('k'))).toBe('a,b,c,d');
  using iterator = db.newIterator();
  await iterator.seek('r');
  expect([text(iterator.value), iterator.writeTime]).toEqual(['renamed', START]);
  iterator.close();
  await db.close();
});

test('S105 an operator without partialMerge gets none', async () => {
  const plain: MergeOperator = { name: 'sum', fullMerge: (_key, base, operands) => operands.at(-1) ?? base! };
  const { open } = place();
  await using db = await open({ mergeOperator: plain });
  await db.merge('k', '1');
  await db.merge('k', '2');
  await db.compactRange();
  expect(text(await db.get('k'))).toBe('2');
});

test('S105 values that no TTL database wrote are CORRUPTION, in every way of reading', async () => {
  const { env, open } = place();
  const plain = await DB.open('/db', { env, createIfMissing: true });
  await plain.put('early', Buffer.from([1, 2, 3, 4, 5]));
  await plain.put('short', 'abc');
  await plain.close();
  await using db = await open();
  for (const key of ['short', 'early']) {
    await expect(db.get(key)).rejects.toMatchObject({ code: 'CORRUPTION' });
    expect(() => db.getSync(key)).toThrow(expect.objectContaining({ code: 'CORRUPTION' }));
    await expect(db.multiGet([key])).rejects.toMatchObject({ code: 'CORRUPTION' });
  }
  using iterator = db.newIterator();
  iterator.seekSync('short');
  expect(() => iterator.value).toThrow(expect.objectContaining({ code: 'CORRUPTION' }));
});

test('S105 read-only opens read and refuse to write, and bad times are refused', async () => {
  const { env, open } = place();
  const writer = await open();
  await writer.put('a', '1');
  await writer.close();
  await using db = await TtlDB.open('/db', { env, readOnly: true, ttlSeconds: HOUR });
  expect(text(db.getSync('a'))).toBe('1');
  await expect(db.put('a', '2')).rejects.toMatchObject({ code: 'READ_ONLY' });
  for (const ttlSeconds of [1.5, Number.NaN, 2 ** 31, '60' as never, undefined as never]) {
    await expect(TtlDB.open('/other', { env, ttlSeconds })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});

test('S105 a database that DBWithTTL wrote reads without its times, and expires', async () => {
  using copy = temporaryCopy(join(PROJECT_ROOT, 'test/fixtures/ttl/db'));
  const lines = readFileSync(join(PROJECT_ROOT, 'test/fixtures/ttl/expected.jsonl'), 'utf8').trim().split('\n');
  const expected = lines.map((line) => {
    const { k, v } = JSON.parse(line) as { k: string; v: string };
    return `${k}=${v.slice(0, -8)}`;
  });
  const clock = new ManualClock(Date.now() * 1000);
  const db = await TtlDB.open(copy.path, { env: new Env({ clock }), ttlSeconds: 0 });
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const rows: string[] = [];
  for await (const [key, value] of db.entries()) rows.push(`${hex(key)}=${hex(value)}`);
  expect(rows).toEqual(expected);
  db.setTtl(HOUR);
  clock.advance(1e12);
  await db.compactRange({ bottommostLevelCompaction: 'force' });
  expect(await db.entries().next()).toMatchObject({ done: true });
  await db.close();
});

test('S105 compactions of a TTL database run in worker threads, and hear of a changed time', async () => {
  using directory = temporaryDirectory();
  const env = new Env({ compactionWorkers: 1, flushWorkers: 1 });
  const options = {
    env,
    createIfMissing: true,
    ttlSeconds: 0,
    compression: 'none' as const,
    mergeOperator: stringAppend('+'),
  };
  const db = await TtlDB.open(directory.path, options);
  const compact = () => db.compactRange({ bottommostLevelCompaction: 'force' });
  for (let i = 0; i < 2000; i++) db.putSync(`k${i}`, 'v'.repeat(200));
  await db.flush();
  for (let i = 0; i < 2000; i++) db.mergeSync(`k${i}`, 'w');
  await compact();
  expect(env.stats().workers).toBe(2);
  expect(text(await db.get('k7'))).toBe(`${'v'.repeat(200)}+w`);
  expect(await db.getMergeOperands('k7')).toEqual([]);
  db.setTtl(1);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await compact();
  expect(await db.get('k7')).toBeUndefined();
  expect(db.getLiveFilesMetaData()).toEqual([]);
  await db.close();
  await env.close();
});

testWithTools('S105 ldb --ttl reads what TtlDB wrote, and TtlDB what ldb --ttl put', async () => {
  using directory = temporaryDirectory();
  const options = { createIfMissing: true, ttlSeconds: 10 * HOUR };
  let db = await TtlDB.open(directory.path, options);
  for (let i = 0; i < 100; i++) await db.put(`k${100 + i}`, `v${i}`);
  await db.flush();
  await db.put('memory', 'yes');
  await db.close();
  const scan = runTool('ldb', [`--db=${directory.path}`, '--ttl', '--try_load_options=false', 'scan']);
  expect(scan.out.split('\n').filter((line) => line.includes(' : ') || line.includes(' ==> '))).toHaveLength(101);
  expect(scan.out).toMatch(/^k142 (:|==>) v42$/m);
  const put = ['--ttl', '--try_load_options=false', 'put', 'from-ldb', 'hello'];
  expect(runTool('ldb', [`--db=${directory.path}`, ...put]).out).toContain('OK');
  db = await TtlDB.open(directory.path, options);
  expect(text(await db.get('from-ldb'))).toBe('hello');
  using iterator = db.newIterator();
  await iterator.seek('from-ldb');
  expect(Math.abs(iterator.writeTime - Date.now() / 1000)).toBeLessThan(600);
  iterator.close();
  // ldb --ttl opens with a merge operator, which the OPTIONS file now names: it is found and put behind the times.
  await db.merge('from-ldb', 'world');
  expect(text(await db.get('from-ldb'))).toBe('hello:world');
  await db.close();
  const get = runTool('ldb', [`--db=${directory.path}`, '--ttl', 'get', 'from-ldb']);
  expect(get.out).toContain('hello:world');
  expect(ldbScan(directory.path)).toHaveLength(102);
});
