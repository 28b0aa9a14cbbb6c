/**
 * Tables from outside: where they go, what they hide, who sees them, and that a refused one leaves nothing behind. Method:
 * an in-memory file system, tables written by `SstFileWriter`.
 */
import { describe, expect, test } from 'vitest';
import { CRASH_MODELS } from '../../../src/env/crash-image.ts';
import { SeededRandom } from '../../../src/env/random.ts';
import {
  DB,
  DBError,
  Env,
  FaultFileSystem,
  type IngestOptions,
  MemoryFileSystem,
  type Options,
  SstFileWriter,
} from '../../../src/index.ts';

const PATH = '/db';

function memoryOptions(): Options & { env: Env } {
  return { env: Env.memory(), createIfMissing: true, disableAutoCompactions: true };
}

type Entries = Record<string, string>;

async function table(env: Env, path: string, entries: Entries, options = {}): Promise<string> {
  await using writer = await SstFileWriter.open(path, { env, ...options });
  for (const [key, value] of Object.entries(entries)) await writer.put(key, value);
  await writer.finish();
  return path;
}

function read(db: DB): Entries {
  const result: Entries = {};
  for (const [key, value] of db.entriesSync()) result[Buffer.from(key).toString()] = Buffer.from(value).toString();
  return result;
}

/** Level, smallest sequence and largest sequence of every table, deepest last. */
function places(db: DB): [number, number, number][] {
  return db
    .getLiveFilesMetaData()
    .map(({ level, smallestSequence, largestSequence }): [number, number, number] => [
      level,
      smallestSequence,
      largestSequence,
    ])
    .sort((a, b) => a[0] - b[0]);
}

async function tablesOnDisk(env: Env): Promise<number> {
  return (await env.fileSystem.list(PATH)).filter((name) => name.endsWith('.sst')).length;
}

async function refused(db: DB, paths: string[], options: IngestOptions, code: string, words: RegExp): Promise<void> {
  const before = read(db);
  const tables = db.getLiveFilesMetaData().map(({ name }) => name);
  const sequence = db.latestSequence;
  const error = await db.ingestExternalFile(paths, options).then(
    () => undefined,
    (cause) => cause,
  );
  expect(error).toBeInstanceOf(DBError);
  expect(error).toMatchObject({ code });
  expect(error.message).toMatch(words);
  expect(read(db)).toEqual(before);
  expect(db.getLiveFilesMetaData().map(({ name }) => name)).toEqual(tables);
  expect(db.latestSequence).toBe(sequence);
  await db.enableFileDeletions();
  expect(await tablesOnDisk(db.env)).toBe(tables.length);
}

describe('places', () => {
  test('a table that overlaps nothing goes to the last level with sequence 0, and is still there after a reopen', async () => {
    const options = memoryOptions();
    const path = await table(options.env, '/x.sst', { a: '1', b: '2' });
    {
      await using db = await DB.open(PATH, options);
      await db.ingestExternalFile([path]);
      expect(places(db)).toEqual([[6, 0, 0]]);
      expect(read(db)).toEqual({ a: '1', b: '2' });
      expect(db.latestSequence).toBe(0);
    }
    await using db = await DB.open(PATH, options);
    expect(read(db)).toEqual({ a: '1', b: '2' });
    expect(await options.env.fileSystem.exists(path)).toBe(true);
  });

  test('a table over stored data hides it with a sequence of its own, one level above', async () => {
    const options = memoryOptions();
    await using db = await DB.open(PATH, options);
    await db.put('a', 'old');
    await db.put('c', 'old');
    await db.flush();
    await db.compactRange();
    const level = places(db)[0]![0];
    await db.ingestExternalFile([await table(options.env, '/x.sst', { a: 'new', b: 'new' })]);
    expect(places(db)).toEqual([
      [level - 1, 3, 3],
      [level, expect.anything(), expect.anything()],
    ]);
    expect(read(db)).toEqual({ a: 'new', b: 'new', c: 'old' });
    expect(db.latestSequence).toBe(3);
    await db.put('a', 'newest');
    expect(db.latestSequence).toBe(4);
    expect(read(db).a).toBe('newest');
  });

  test('a table that fits between two keys of another goes below it with sequence 0', async () => {
    const options = memoryOptions();
    await using db = await DB.open(PATH, options);
    await db.put('a', '1');
    await db.put('z', '1');
    await db.flush();
    await db.compactRange();
    expect(places(db)[0]![0]).toBe(1);
    await db.ingestExternalFile([await table(options.env, '/x.sst', { m: '2' })]);
    expect(places(db).map(([level]) => level)).toEqual([1, 6]);
    expect(places(db)[1]).toEqual([6, 0, 0]);
    expect(read(db)).toEqual({ a: '1', m: '2', z: '1' });
  });

  test('writes in memory that overlap are flushed first; others stay in memory', async () => {
    const options = memoryOptions();
    await using db = await DB.open(PATH, options);
    await db.put('m', 'memory');
    await db.ingestExternalFile([await table(options.env, '/x.sst', { a: '1', b: '1' })]);
    expect(places(db)).toEqual([[6, 0, 0]]);
    await db.ingestExternalFile([await table(options.env, '/y.sst', { m: 'table' })]);
    expect(places(db).map(([level]) => level)).toEqual([0, 0, 6]);
    expect(read(db)).toEqual({ a: '1', b: '1', m: 'table' });
  });

  test('a range tombstone in memory counts as overlap, and so does one in a table', async () => {
    const options = memoryOptions();
    await using db = await DB.open(PATH, options);
    await db.deleteRange('a', 'k');
    await db.ingestExternalFile([await table(options.env, '/x.sst', { c: '1' })]);
    expect(read(db)).toEqual({ c: '1' });
    await db.ingestExternalFile([await table(options.env, '/y.sst', { d: '2' })]);
    expect(read(db)).toEqual({ c: '1', d: '2' });
  });

  test('a snapshot taken before does not see the table, unless told not to care', async () => {
    const options = memoryOptions();
    await using db = await DB.open(PATH, options);
    await db.put('z', '1');
    using snapshot = db.snapshot();
    await db.ingestExternalFile([await table(options.env, '/x.sst', { a: '1' })]);
    expect(await db.get('a', { snapshot })).toBeUndefined();
    expect(places(db)).toEqual([[6, 2, 2]]);
    expect(read(db).a).toBe('1');
    await db.ingestExternalFile([await table(options.env, '/y.sst', { b: '1' })], { snapshotConsistency: false });
    expect(Buffer.from((await db.get('b', { snapshot }))!).toString()).toBe('1');
  });

  test('of tables that overlap each other the later one wins, on level 0', async () => {
    const options = memoryOptions();
    await using db = await DB.open(PATH, options);
    const paths = [
      await table(options.env, '/1.sst', { a: '1', b: '1' }),
      await table(options.env, '/2.sst', { b: '2', c: '2' }),
    ];
    await db.ingestExternalFile(paths);
    expect(places(db)).toEqual([
      [0, 2, 2],
      [0, 1, 1],
    ]);
    expect(read(db)).toEqual({ a: '1', b: '2', c: '2' });
    await db.compactRange();
    expect(read(db)).toEqual({ a: '1', b: '2', c: '2' });
  });

  test('universal compaction: a table goes to the level that it fits in, with that run’s sequence', async () => {
    const options = { ...memoryOptions(), compactionStyle: 'universal' as const };
    await using db = await DB.open(PATH, options);
    await db.put('a', '1');
    await db.put('b', '1');
    await db.flush();
    using snapshot = db.snapshot();
    await db.put('b', '2');
    await db.compactRange();
    snapshot.release();
    const newest = places(db)[0]![2];
    expect(newest).toBeGreaterThan(0);
    await db.ingestExternalFile([await table(options.env, '/x.sst', { m: '1' })]);
    expect(places(db).at(-1)).toEqual([6, newest, newest]);
    await db.ingestExternalFile([await table(options.env, '/y.sst', { a: '3' })]);
    expect(places(db)[0]).toEqual([expect.any(Number), db.latestSequence, db.latestSequence]);
    expect(read(db)).toEqual({ a: '3', b: '2', m: '1' });
  });

  test('deletions, range deletions and merges of a table act on what was stored before', async () => {
    const options = { ...memoryOptions(), mergeOperator: 'stringappend' as const };
    await using db = await DB.open(PATH, options);
    for (const key of ['a', 'b', 'm', 'r1', 'r2', 'z']) await db.put(key, 'old');
    await using writer = await SstFileWriter.open('/x.sst', { env: options.env });
    writer.putSync('a', 'new');
    writer.deleteSync('b');
    writer.mergeSync('m', 'more');
    writer.deleteRangeSync('r', 's');
    expect(writer.finishSync()).toMatchObject({
      numEntries: 3,
      numRangeDelEntries: 1,
      version: 2,
      smallestKey: new Uint8Array([97]),
      largestKey: new Uint8Array([109]),
      smallestRangeDelKey: new Uint8Array([114]),
      largestRangeDelKey: new Uint8Array([115]),
    });
    await db.ingestExternalFile(['/x.sst']);
    expect(read(db)).toEqual({ a: 'new', m: 'old,more', z: 'old' });
    await db.compactRange();
    expect(read(db)).toEqual({ a: 'new', m: 'old,more', z: 'old' });
  });

  test('a running compaction into the range keeps the table above it', async () => {
    const options = { ...memoryOptions(), disableAutoCompactions: true };
    await using db = await DB.open(PATH, options);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 3000; i++) db.putSync(`k${i}`, 'v'.repeat(100));
      await db.flush();
    }
    const compaction = db.compactRange();
    await db.ingestExternalFile([await table(options.env, '/x.sst', { k5x: 'new', k6: 'new' })]);
    await compaction;
    expect(read(db)).toMatchObject({ k5x: 'new', k6: 'new' });
    await db.compactRange();
    expect(read(db)).toMatchObject({ k5x: 'new', k6: 'new' });
  });
});

describe('files', () => {
  test('moveFiles takes the old name away, and only when it succeeded', async () => {
    const options = memoryOptions();
    await using db = await DB.open(PATH, options);
    const path = await table(options.env, '/x.sst', { a: '1' });
    await db.put('a', '0');
    await refused(db, [path], { moveFiles: true, allowBlockingFlush: false }, 'INVALID_ARGUMENT', /requires flush/);
    expect(await options.env.fileSystem.exists(path)).toBe(true);
    await db.ingestExternalFile([path], { moveFiles: true });
    expect(await options.env.fileSystem.exists(path)).toBe(false);
    expect(read(db)).toEqual({ a: '1' });
  });

  test('writeGlobalSeqno writes the sequence into the copy, and never into a file of two names', async () => {
    const options = memoryOptions();
    await using db = await DB.open(PATH, options);
    await db.put('a', '0');
    const path = await table(options.env, '/x.sst', { a: '1' });
    await options.env.fileSystem.link(path, '/other.sst');
    const bytes = async (name: string): Promise<Uint8Array> => {
      const file = await options.env.fileSystem.openRandom(name);
      const target = new Uint8Array(await file.size());
      await file.read(target, 0);
      await file.close();
      return target;
    };
    const before = await bytes(path);
    await db.ingestExternalFile([path], { writeGlobalSeqno: true, moveFiles: true });
    expect(await bytes('/other.sst')).toEqual(before);
    const [newest] = db.getLiveFilesMetaData().filter(({ largestSequence }) => largestSequence === 2);
    const inside = await bytes(`${PATH}${newest!.name}`);
    const changed = [...inside.keys()].filter((i) => inside[i] !== before[i]);
    expect(changed).toHaveLength(1);
    expect(inside[changed[0]!]).toBe(2);
    expect(read(db)).toEqual({ a: '1' });
    // A file that has a sequence already gets another one.
    await options.env.fileSystem.link(`${PATH}${newest!.name}`, '/again.sst');
    await db.ingestExternalFile(['/again.sst']);
    expect(db.latestSequence).toBe(3);
    expect(read(db)).toEqual({ a: '1' });
  });

  test('a power cut before any change of the disk leaves the table in or out, whole, and nothing of it lying around', async () => {
    let cuts = 0;
    for (let at = 0; ; at++) {
      const fileSystem = new MemoryFileSystem({ crashable: true });
      const env = new Env({ fileSystem });
      const path = await table(env, '/x.sst', { a: 'table', c: 'table' });
      const other = await table(env, '/y.sst', { d: 'table' });
      const db = await DB.open(PATH, { env, createIfMissing: true });
      await db.put('a', 'log');
      await db.syncWal();
      await db.put('b', 'log');
      const stop = fileSystem.nextIndex + at;
      fileSystem.hooks = { before: (index) => (index >= stop ? 'power-off' : undefined) };
      const done = await db
        .ingestExternalFile([path, other], { moveFiles: at % 2 === 0, writeGlobalSeqno: at % 3 === 0 })
        .then(
          () => true,
          () => false,
        );
      const images = CRASH_MODELS.map((model) => fileSystem.crashImage(model, new SeededRandom(at)));
      fileSystem.hooks = {};
      await db.close().catch(() => {});
      for (const image of images) {
        const after = await DB.open(PATH, { env: new Env({ fileSystem: image }) });
        const found = read(after);
        if (done || found.a === 'table') expect(found).toEqual({ a: 'table', b: 'log', c: 'table', d: 'table' });
        else expect([{ a: 'log' }, { a: 'log', b: 'log' }]).toContainEqual(found);
        await after.enableFileDeletions();
        expect(await tablesOnDisk(after.env)).toBe(after.getLiveFilesMetaData().length);
        await after.close();
        cuts++;
      }
      if (done) break;
    }
    expect(cuts).toBeGreaterThan(80);
  });

  test('a write made before is not lost by a power cut that the table survives', async () => {
    const fileSystem = new MemoryFileSystem({ crashable: true });
    const env = new Env({ fileSystem });
    const path = await table(env, '/x.sst', { x: 'table' });
    const db = await DB.open(PATH, { env, createIfMissing: true });
    await db.put('a', 'in the log, not synced');
    await db.ingestExternalFile([path]);
    const image = fileSystem.crashImage('synced', new SeededRandom(1));
    await db.close();
    await using after = await DB.open(PATH, { env: new Env({ fileSystem: image }) });
    expect(read(after)).toEqual({ a: 'in the log, not synced', x: 'table' });
  });

  test('a failure of any call to the disk refuses the tables or takes them in, and writes go on after resume()', async () => {
    let failures = 0;
    for (let nth = 1; ; nth++) {
      const fileSystem = new FaultFileSystem(new MemoryFileSystem());
      const env = new Env({ fileSystem });
      const path = await table(env, '/x.sst', { a: 'table', c: 'table' });
      const db = await DB.open(PATH, { env, createIfMissing: true });
      await db.put('a', 'log');
      const rule = fileSystem.inject({ fault: 'EIO', nth });
      const done = await db
        .ingestExternalFile([path], { moveFiles: nth % 2 === 0, writeGlobalSeqno: nth % 3 === 0 })
        .then(
          () => true,
          () => false,
        );
      const injected = rule.injected;
      fileSystem.clear();
      await db.resume();
      await db.put('d', 'after');
      const expected = done ? { a: 'table', c: 'table', d: 'after' } : { a: 'log', d: 'after' };
      expect(read(db)).toEqual(expected);
      await db.close();
      await using after = await DB.open(PATH, { env });
      expect(read(after)).toEqual(expected);
      expect(await tablesOnDisk(env)).toBe(after.getLiveFilesMetaData().length);
      if (injected === 0) break;
      failures++;
    }
    expect(failures).toBeGreaterThan(25);
  });
});

describe('refused', () => {
  test('each wrong table, in words, and nothing changes', async () => {
    const options = memoryOptions();
    const { env } = options;
    await using db = await DB.open(PATH, options);
    await db.put('a', '1');
    await db.flush();
    const other = await db.createColumnFamily('other');
    const good = await table(env, '/good.sst', { a: '2' });
    const own = `${PATH}${db.getLiveFilesMetaData()[0]!.name}`;
    await refused(db, [good, own], {}, 'CORRUPTION', /External file version not found/);
    await refused(db, ['/missing.sst'], {}, 'IO_ERROR', /missing/);
    await refused(db, [PATH], {}, 'INVALID_ARGUMENT', /not a file/);
    await refused(db, [], {}, 'INVALID_ARGUMENT', /paths of tables/);
    const reverse = await table(env, '/r.sst', { b: '1', a: '1' }, { comparator: 'rocksdb.ReverseBytewiseComparator' });
    await refused(db, [reverse], {}, 'INVALID_ARGUMENT', /comparator/);
    const foreign = await table(env, '/f.sst', { a: '1' }, { columnFamily: other });
    await refused(db, [foreign], {}, 'INVALID_ARGUMENT', /column family id/);
    await other.ingestExternalFile([foreign]);
    await refused(db, [good], { allowGlobalSeqno: false }, 'INVALID_ARGUMENT', /Global seqno is required/);
    await refused(db, [good], { failIfNotBottommostLevel: true }, 'TRY_AGAIN', /Lmax/);
    await refused(db, [good], { moveFile: true } as IngestOptions, 'INVALID_ARGUMENT', /moveFile is not/);
    await refused(db, [good], { moveFiles: 1 } as never, 'INVALID_ARGUMENT', /true or false/);
    const contradiction = { writeGlobalSeqno: true, allowGlobalSeqno: false };
    await refused(db, [good], contradiction, 'INVALID_ARGUMENT', /contradicts/);
    const damaged = await table(env, '/d.sst', { b: 'x'.repeat(100) });
    const whole = await env.fileSystem.openRandom(damaged);
    const bytes = new Uint8Array(await whole.size());
    await whole.read(bytes, 0);
    await whole.close();
    bytes[10]! ^= 1;
    const file = await env.fileSystem.createWritable('/e.sst');
    await file.append([bytes]);
    await file.close();
    await refused(db, ['/e.sst'], {}, 'CORRUPTION', /checksum/i);
    expect(Buffer.from(other.getSync('a')!).toString()).toBe('1');
  });

  test('closed and read-only databases', async () => {
    const options = memoryOptions();
    const db = await DB.open(PATH, options);
    await db.put('a', '1');
    await db.close();
    await expect(db.ingestExternalFile(['/x.sst'])).rejects.toMatchObject({ code: 'CLOSED' });
    await using looking = await DB.open(PATH, { env: options.env, readOnly: true });
    await expect(looking.ingestExternalFile(['/x.sst'])).rejects.toMatchObject({ code: 'READ_ONLY' });
  });
});

describe('SstFileWriter', () => {
  test('keys must ascend; a table without entries is none; close removes what is not finished', async () => {
    const env = Env.memory();
    const writer = await SstFileWriter.open('/x.sst', { env });
    await writer.put('b', '1');
    await expect(writer.put('b', '1')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => writer.putSync('a', '1')).toThrow(/ascending/);
    expect(() => writer.deleteRangeSync('b', 'a')).toThrow(/before start key/);
    await writer.close();
    await writer.close();
    expect(await env.fileSystem.exists('/x.sst')).toBe(false);
    expect(() => writer.putSync('c', '1')).toThrow(/closed/);
    await using empty = await SstFileWriter.open('/y.sst', { env });
    await expect(empty.finish()).rejects.toThrow(/no entries/);
    await expect(SstFileWriter.open('/z.sst', { env, blockSize: -1 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test('puts that are not awaited are written in their order, with their bytes of the call', async () => {
    const env = Env.memory();
    await using writer = await SstFileWriter.open('/x.sst', { env, compression: 'none' });
    const value = new Uint8Array(1000);
    const promises: Promise<void>[] = [];
    for (let i = 0; i < 100; i++) {
      value.fill(i);
      promises.push(writer.put(String(i).padStart(3, '0'), value));
    }
    expect(() => writer.putSync('999', '')).toThrow(/not settled/);
    await Promise.all(promises);
    expect(writer.fileSize).toBeGreaterThan(100_000);
    const info = await writer.finish();
    expect(info.fileSizeBytes).toBe(writer.fileSize);
    await using db = await DB.open(PATH, { env, createIfMissing: true });
    await db.ingestExternalFile([info.filePath]);
    for (let i = 0; i < 100; i++) expect(db.getSync(String(i).padStart(3, '0'))).toEqual(new Uint8Array(1000).fill(i));
  });
});
