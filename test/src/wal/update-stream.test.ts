/** The stream of updates: exact from every start, across rotation, archive and reopen; it never leaves anything out. */
import { describe, expect, test } from 'vitest';
import { DB, DBError, Env, type Options, type Update, WriteBatch } from '../../../src/index.ts';
import { hex } from '../../support/bytes.ts';
import { allFixtures, expectedRows } from '../../support/fixtures.ts';
import { Random } from '../../support/random.ts';
import { scanForward } from '../../support/read-database.ts';
import { temporaryCopy } from '../../support/temporary-directory.ts';

const PATH = '/db';

function options(env: Env, more: Options = {}): Options {
  return { env, createIfMissing: true, walTtlSeconds: 1_000_000, ...more };
}

async function collect(stream: AsyncIterableIterator<Update>): Promise<Update[]> {
  const updates: Update[] = [];
  for await (const update of stream) updates.push(update);
  return updates;
}

/** What a batch does, one line an operation. */
function lines({ sequence, batch }: Update): string[] {
  const result: string[] = [];
  let at = sequence;
  batch.iterate({
    put: (_family, key, value) => result.push(`${at++} put ${text(key)}=${text(value)}`),
    delete: (_family, key) => result.push(`${at++} delete ${text(key)}`),
    logData: (blob) => result.push(`${at} log ${text(blob)}`),
  });
  return result;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

async function expectCode(work: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DBError);
  expect((error as DBError).code).toBe(code);
  expect((error as DBError).message).toMatch(message);
}

/** Batches of one to four puts, with rotations; what was written, by sequence. */
async function fill(db: DB, seed: number, count: number, from: number): Promise<string[]> {
  const random = new Random(seed);
  const expected: string[] = [];
  let sequence = from;
  for (let i = 0; i < count; i++) {
    const batch = new WriteBatch();
    const operations = 1 + random.below(4);
    for (let k = 0; k < operations; k++) {
      const value = 'x'.repeat(random.below(200));
      batch.put(`k${sequence}`, value);
      expected.push(`${sequence++} put k${sequence - 1}=${value}`);
    }
    await db.write(batch);
    if (random.below(10) === 0) await db.flush();
  }
  return expected;
}

describe('S81 getUpdatesSince', () => {
  test('S81 from any sequence every later batch comes once and in order, over rotation, archive and reopen', async () => {
    const env = Env.memory();
    let db = await DB.open(PATH, options(env));
    let expected = await fill(db, 1, 60, 1);
    await db.close();
    db = await DB.open(PATH, options(env));
    expected = [...expected, ...(await fill(db, 2, 60, expected.length + 1))];
    const logs = await db.getSortedWalFiles();
    expect(logs.filter(({ type }) => type === 'archived').length).toBeGreaterThan(3);
    const all = await collect(db.getUpdatesSince(0));
    expect(all.flatMap(lines)).toEqual(expected);
    for (let start = 1; start <= expected.length; start++) {
      const updates = await collect(db.getUpdatesSince(start));
      const first = updates[0]!;
      expect(first.sequence).toBeLessThanOrEqual(start);
      expect(first.sequence + first.batch.count).toBeGreaterThan(start);
      expect(updates.flatMap(lines)).toEqual(expected.slice(first.sequence - 1));
    }
    expect(await collect(db.getUpdatesSince(expected.length + 1))).toEqual([]);
    expect(await collect(db.getUpdatesSince(expected.length + 1000))).toEqual([]);
    await db.close();
  });

  test('S81 a sequence whose log is gone is refused and told from where there are updates', async () => {
    const env = Env.memory();
    await using db = await DB.open(PATH, { env, createIfMissing: true });
    await db.put('a', '1');
    await db.put('b', '2');
    await db.flush();
    await db.put('c', '3');
    await expectCode(db.getUpdatesSince(1).next(), 'NOT_FOUND', /go on with sequence 3/);
    await expectCode(db.getUpdatesSince(2).next(), 'NOT_FOUND', /go on with sequence 3/);
    expect((await collect(db.getUpdatesSince(3))).flatMap(lines)).toEqual(['3 put c=3']);
  });

  test('S81 after a reopen with nothing in the logs, old sequences are refused and new ones waited for', async () => {
    const env = Env.memory();
    const first = await DB.open(PATH, { env, createIfMissing: true });
    await first.put('a', '1');
    await first.close();
    await using db = await DB.open(PATH, { env });
    await expectCode(db.getUpdatesSince(1).next(), 'NOT_FOUND', /go on with sequence 2/);
    expect(await collect(db.getUpdatesSince(2))).toEqual([]);
  });

  test('S81 writes without the log leave a gap, and the stream stops there', async () => {
    const env = Env.memory();
    await using db = await DB.open(PATH, options(env));
    await db.put('a', '1');
    await db.put('b', '2', { disableWAL: true });
    const atEnd = db.getUpdatesSince(1);
    expect(lines((await atEnd.next()).value)).toEqual(['1 put a=1']);
    await expectCode(atEnd.next(), 'NOT_FOUND', /gap.*sequence 2 on.*go on with sequence 3/);
    expect(await atEnd.next()).toEqual({ done: true, value: undefined });
    await db.put('c', '3');
    const between = db.getUpdatesSince(1);
    await between.next();
    await expectCode(between.next(), 'NOT_FOUND', /gap.*sequence 2 on.*go on with sequence 3/);
    await expectCode(db.getUpdatesSince(2).next(), 'NOT_FOUND', /go on with sequence 3/);
    expect((await collect(db.getUpdatesSince(3))).flatMap(lines)).toEqual(['3 put c=3']);
  });

  test('S81 what manualWalFlush holds back is not seen before it is flushed', async () => {
    const env = Env.memory();
    await using db = await DB.open(PATH, options(env, { manualWalFlush: true }));
    await db.put('a', '1');
    expect(await collect(db.getUpdatesSince(1))).toEqual([]);
    const follower = db.getUpdatesSince(1, { follow: true });
    const next = follower.next();
    await db.flushWal();
    expect(lines((await next).value)).toEqual(['1 put a=1']);
    await follower.return!();
  });

  test('S81 writes that were committed as one group are one batch', async () => {
    const env = Env.memory();
    await using db = await DB.open(PATH, options(env));
    await Promise.all(Array.from({ length: 50 }, (_, i) => db.put(`k${i}`, 'v')));
    const updates = await collect(db.getUpdatesSince(1));
    expect(updates.length).toBeLessThan(50);
    expect(updates.flatMap(lines)).toEqual(Array.from({ length: 50 }, (_, i) => `${i + 1} put k${i}=v`));
  });

  test('S81 a log that vanishes under a reader is an error, not a jump', async () => {
    const env = Env.memory();
    await using db = await DB.open(PATH, options(env));
    for (let i = 0; i < 6; i++) {
      await db.put(`k${i}`, 'v');
      await db.flush();
    }
    const stream = db.getUpdatesSince(1);
    await stream.next();
    const archived = (await db.getSortedWalFiles()).filter(({ type }) => type === 'archived');
    for (const { path } of archived.slice(0, 3)) await env.fileSystem.unlink(path);
    await expectCode(collect(stream), 'NOT_FOUND', /gap.*sequence 2 on.*go on with sequence 4/);
  });

  test('S81 damage in an archived log is told as damage', async () => {
    const env = Env.memory();
    await using db = await DB.open(PATH, options(env));
    for (let i = 1; i <= 5; i++) await db.put(`k${i}`, 'value'.repeat(20));
    await db.flush();
    await db.put('k6', 'v');
    const log = (await db.getSortedWalFiles())[0]!;
    const bytes = Buffer.alloc(log.sizeBytes);
    const file = await env.fileSystem.openRandom(log.path);
    await file.read(bytes, 0);
    await file.close();
    bytes[300]! ^= 1;
    await env.fileSystem.unlink(log.path);
    const copy = await env.fileSystem.createWritable(log.path);
    await copy.append([bytes]);
    await copy.close();
    const stream = db.getUpdatesSince(1);
    expect((await stream.next()).value.sequence).toBe(1);
    await expectCode(collect(stream), 'CORRUPTION', /checksumMismatch at offset/);
  });

  test('S81 bad arguments are refused at the call', async () => {
    await using db = await DB.open(PATH, options(Env.memory()));
    expect(() => db.getUpdatesSince(-1)).toThrow(/sequence/);
    expect(() => db.getUpdatesSince(1.5)).toThrow(/sequence/);
    expect(() => db.getUpdatesSince(1, { signal: {} as AbortSignal })).toThrow(/signal/);
  });

  test('S81 a read-only database streams the logs it found', async () => {
    const env = Env.memory();
    const writer = await DB.open(PATH, options(env));
    const expected = await fill(writer, 4, 30, 1);
    await writer.close();
    await using db = await DB.open(PATH, { env, readOnly: true });
    expect((await collect(db.getUpdatesSince(1))).flatMap(lines)).toEqual(expected);
  });
});

describe('logs of the C++ library', () => {
  const names = [
    'wal-2pc',
    'wal-archived',
    'wal-block-edges',
    'wal-compressed-zstd',
    'wal-multi-cf',
    'wal-only',
    'wal-recycled',
  ];
  test.each(names)('S81 %s is streamed from its first record to its last', async (name) => {
    const fixture = allFixtures().find((other) => other.name === name)!;
    using copy = temporaryCopy(fixture.path);
    await using db = await DB.open(copy.path, { readOnly: true });
    const [first] = await db.getSortedWalFiles();
    const updates = await collect(db.getUpdatesSince(first!.startSequence));
    expect(updates[0]!.sequence).toBe(first!.startSequence);
    // The newest value of each key in the stream is what the library reads, where the stream knows the key.
    const newest = new Map<string, string>();
    if (name !== 'wal-2pc') {
      for (const { batch } of updates) {
        batch.iterate({ put: (family, key, value) => void newest.set(`${family} ${hex(key)}`, hex(value)) });
      }
      const rows = expectedRows(fixture).get('default')!;
      expect(
        rows.filter((row) => `${newest.get(`0 ${row.split('=')[0]}`)}` === row.split('=')[1]).length,
      ).toBeGreaterThan(rows.length / 3);
    }
    const last = updates.at(-1)!;
    expect(last.sequence).toBeLessThanOrEqual(db.latestSequence + 1);
  });
});

describe('S82 following', () => {
  test('S82 a replica that is stopped 20 times ends equal', async () => {
    const env = Env.memory();
    await using master = await DB.open('/master', options(env, { writeBufferSize: 64 * 1024 }));
    const random = new Random(9);
    let writing = true;
    const writer = (async () => {
      for (let i = 0; i < 3000; i++) {
        const key = `k${random.below(500)}`;
        if (random.oneIn(5)) await master.delete(key);
        else await master.put(key, 'x'.repeat(random.below(100)));
      }
      writing = false;
    })();
    for (let stop = 0; stop < 20 || writing; stop++) {
      await replicate(master, env, 200);
      // In memory nothing else gives the writer its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writer;
    await replicate(master, env, Number.POSITIVE_INFINITY);
    await using replica = await DB.open('/replica', { env });
    expect(replica.latestSequence).toBe(master.latestSequence);
    expect(scanForward(replica)).toEqual(scanForward(master));
  });

  /** Applies what the replica lacks, up to `limit` batches, and drops it as a crash would: its own sequence says where to go on. */
  async function replicate(master: DB, env: Env, limit: number): Promise<void> {
    const replica = await DB.open('/replica', { env, createIfMissing: true });
    const stream = master.getUpdatesSince(replica.latestSequence + 1);
    let applied = 0;
    for await (const { sequence, batch } of stream) {
      expect(sequence).toBe(replica.latestSequence + 1);
      await replica.write(batch);
      if (++applied >= limit) break;
    }
    await replica.close();
  }

  test('S82 a follower gets every write as it is made, over rotations', async () => {
    const env = Env.memory();
    await using db = await DB.open(PATH, options(env));
    const stream = db.getUpdatesSince(1, { follow: true });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const update of stream) {
        seen.push(...lines(update));
        if (seen.length >= 500) return;
      }
    })();
    for (let i = 1; i <= 500; i++) {
      await db.put(`k${i}`, 'v');
      if (i % 60 === 0) await db.flush();
    }
    await reading;
    expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => `${i + 1} put k${i + 1}=v`));
  });

  test('S82 a start beyond the newest write is waited for', async () => {
    await using db = await DB.open(PATH, options(Env.memory()));
    const next = db.getUpdatesSince(3, { follow: true }).next();
    for (const key of ['a', 'b', 'c']) await db.put(key, 'v');
    expect(lines((await next).value)).toEqual(['3 put c=v']);
  });

  test('S82 an aborted signal ends waiting with its reason', async () => {
    await using db = await DB.open(PATH, options(Env.memory()));
    const controller = new AbortController();
    const stream = db.getUpdatesSince(1, { follow: true, signal: controller.signal });
    const next = stream.next();
    setTimeout(() => controller.abort(new Error('enough')), 5);
    await expect(next).rejects.toThrow('enough');
    expect((await stream.next()).done).toBe(true);
  });

  test('S82 close of the database ends followers with CLOSED', async () => {
    const db = await DB.open(PATH, options(Env.memory()));
    const waiting = db.getUpdatesSince(1, { follow: true }).next();
    const idle = db.getUpdatesSince(1, { follow: true });
    const outcome = expectCode(waiting, 'CLOSED', /closed/);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await db.close();
    await outcome;
    await expectCode(idle.next(), 'CLOSED', /closed/);
    expect(() => db.getUpdatesSince(1)).toThrow(/closed/);
  });

  test('S88 a reader that pauses over 50 rotations resumes from the archive', async () => {
    const env = Env.memory();
    await using db = await DB.open(PATH, options(env));
    const stream = db.getUpdatesSince(1, { follow: true });
    await db.put('first', 'v');
    expect(lines((await stream.next()).value)).toEqual(['1 put first=v']);
    const expected: string[] = [];
    for (let i = 0; i < 50; i++) {
      await db.put(`k${i}`, 'v');
      await db.flush();
      expected.push(`${i + 2} put k${i}=v`);
    }
    const seen: string[] = [];
    while (seen.length < 50) seen.push(...lines((await stream.next()).value));
    expect(seen).toEqual(expected);
    await stream.return!();
  });
});

describe('log data', () => {
  test('S83 S84 S85 log data is in the log and in the stream, and not in the tables', async () => {
    const env = Env.memory();
    await using db = await DB.open(PATH, options(env));
    const magic = 'MAGIC-METADATA';
    await db.write(new WriteBatch().putLogData(`${magic}1`).put('a', '1').putLogData(`${magic}2`));
    await db.write(new WriteBatch().putLogData(`${magic}3`));
    await db.put('b', '2');
    await db.flush();
    expect((await collect(db.getUpdatesSince(1))).flatMap(lines)).toEqual([
      `1 log ${magic}1`,
      '1 put a=1',
      `2 log ${magic}2`,
      `2 log ${magic}3`,
      '2 put b=2',
    ]);
    expect((await collect(db.getUpdatesSince(2))).flatMap(lines)).toEqual([`2 log ${magic}3`, '2 put b=2']);
    const holds = async (path: string): Promise<boolean> => {
      const { size } = await env.fileSystem.stat(path);
      const bytes = Buffer.alloc(size);
      const file = await env.fileSystem.openRandom(path);
      await file.read(bytes, 0);
      await file.close();
      return bytes.includes(magic);
    };
    const tables = (await env.fileSystem.list(PATH)).filter((name) => name.endsWith('.sst'));
    expect(tables.length).toBe(1);
    for (const name of tables) expect(await holds(`${PATH}/${name}`)).toBe(false);
    const logs = await db.getSortedWalFiles();
    expect(await holds(logs[0]!.path)).toBe(true);
  });
});
