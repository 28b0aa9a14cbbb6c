/** Runs every example and holds its result to what its first sentence promises. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MemcacheClient, type MultiRetrievalResponse } from 'memcache-client';
import { expect, test } from 'vitest';
import { WriteBatch } from '../../src/index.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import * as bidirectional from './bidirectional.ts';
import * as longScan from './long-scan.ts';
import * as mailbox from './mailbox.ts';
import * as mediaCache from './media-cache.ts';
import * as memcached from './memcached.ts';
import * as myCompaction from './my-compaction.ts';
import * as queue from './queue.ts';
import * as replica from './replica.ts';
import * as sanitizer from './sanitizer.ts';
import * as tmpfsData from './tmpfs-data.ts';

test('S82 a replica over TCP that is restarted 20 times ends equal to its primary', async () => {
  using directory = temporaryDirectory();
  const result = await replica.main(directory.path);
  expect(result.restarts).toBe(20);
  expect(result.operations).toBe(12_000);
  expect(result.replicaHash).toBe(result.primaryHash);
});

/** Starts the replica's half of the example as a process of its own; resolves when it follows. */
async function spawnReplica(path: string, port: number): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./replica.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, 'follow', path, String(port)], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout!, 'data');
  expect(String(line)).toContain('following from');
  return child;
}

test('S82 a replica in a process of its own that is killed goes on where it stood', async () => {
  using directory = temporaryDirectory();
  const primary = await replica.openPrimary(join(directory.path, 'primary'));
  const server = await replica.PrimaryServer.listen(primary);
  const path = join(directory.path, 'replica');
  for (let round = 0; round < 2; round++) {
    const child = await spawnReplica(path, server.port);
    for (let i = 0; i < 2000; i++) {
      await primary.write(new WriteBatch().put(`key${i % 700}`, `${round}.${i}`).delete(`key${(i * 31) % 700}`));
    }
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  const last = await replica.Replica.start(path, server.port);
  const found = last.db.latestSequence;
  while (last.db.latestSequence < primary.latestSequence) await sleep(2);
  expect(found).toBeGreaterThan(0);
  expect(await replica.contentHash(last.db)).toBe(await replica.contentHash(primary));
  await last.stop();
  await server.close();
  await primary.close();
});

test('S86 two masters end equal, and nothing goes in circles', async () => {
  using directory = temporaryDirectory();
  const result = await bidirectional.main(directory.path);
  expect(result.written).toEqual([1200, 1200]);
  // What each site sent is what its application wrote, once: the other site's writes are not among it.
  for (const { written, sent, received } of result.counts) expect([written, sent, received]).toEqual([400, 400, 400]);
  expect(result.echoes).toBe(false);
  expect(result.equal).toBe(true);
  expect(result.entries).toBe(150);
});

test('S86 batches that were committed as one group keep their origins apart', async () => {
  using directory = temporaryDirectory();
  const site = await bidirectional.Site.open(directory.path, 1);
  const first = site.db.latestSequence + 1;
  const batches = [1, 2, 1, 2].map((origin, i) =>
    new WriteBatch().putLogData(String(origin)).put(`key${i}`, `from ${origin}`),
  );
  await Promise.all(batches.map((batch) => site.db.write(batch)));
  const own: string[] = [];
  for await (const update of site.db.getUpdatesSince(first)) {
    own.push(...site.ownPartOf(update).entries.map(([key]) => Buffer.from(key).toString()));
  }
  expect(own).toEqual(['key0', 'key2']);
  await site.db.close();
});

test('S61 after compactRange no table holds an e-mail address', async () => {
  using directory = temporaryDirectory();
  const result = await sanitizer.main(directory.path);
  expect(result.before).toBe(1000);
  expect(result.after).toBe(0);
  expect(readdirSync(directory.path).some((name) => name.endsWith('.sst'))).toBe(true);
  expect(result.sample).toBe('{"id":4,"contact":"[redacted], or by phone"}');
});

test('S113 of what goes through a queue less than 2 % is flushed', async () => {
  using directory = temporaryDirectory();
  const result = await queue.main(directory.path);
  expect([result.taken, result.inOrder]).toEqual([30_000, true]);
  // Something must have been flushed, or the figure says nothing.
  expect(result.bytesFlushed).toBeGreaterThan(0);
  expect(result.flushedPercent).toBeLessThan(2);
});

test('S98 a policy outside of the database keeps the tree in shape through compactFiles', async () => {
  using directory = temporaryDirectory();
  const result = await myCompaction.main(directory.path);
  expect([result.seen, result.wrong]).toEqual([result.keys, 0]);
  expect(result.level0Max).toBe(4);
  expect(result.compactions).toBeGreaterThan(4);
  expect(result.levels[0]).toBeLessThan(4);
  expect(result.levels[2]).toBeGreaterThan(0);
});

test('S35 a long scan with short iterators sees one moment and lets replaced tables go', async () => {
  using short = temporaryDirectory();
  using long = temporaryDirectory();
  const keys = 40_000;
  const result = await longScan.main(short.path, keys, 4_000);
  const held = await longScan.main(long.path, keys, keys);
  for (const { seen, wrong, overwritten } of [result, held])
    expect([seen, wrong, overwritten]).toEqual([keys, 0, 100_000]);
  // One iterator for the whole scan keeps what the short ones let go.
  expect(held.firstTablesLeft).toBeGreaterThan(0);
  expect(result.firstTablesLeft).toBe(0);
});

test('S73 tables on volatile storage come back from a checkpoint and the logs', async () => {
  using directory = temporaryDirectory();
  const result = await tmpfsData.main(directory.path);
  expect(result.keys).toBeGreaterThan(1000);
  expect(result.rounds.map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0]);
  expect(result.rounds.slice(1).every(({ replayedLogs }) => replayedLogs > 0)).toBe(true);
});

test('S73 a process that dies between the two names of a checkpoint leaves one that is found', async () => {
  using directory = temporaryDirectory();
  const places = { volatile: join(directory.path, 'volatile'), durable: join(directory.path, 'durable') };
  const db = await tmpfsData.open(places);
  await db.put('key', 'value');
  await db.close();
  renameSync(join(places.durable, 'checkpoint'), join(places.durable, 'checkpoint.previous'));
  rmSync(places.volatile, { recursive: true });
  const again = await tmpfsData.open(places);
  expect(Buffer.from((await again.get('key'))!).toString()).toBe('value');
  await again.close();
});

test('a persistent memcached answers as the protocol says, before and after a restart', async () => {
  using directory = temporaryDirectory();
  const { first, second, stored } = await memcached.main(directory.path);
  const greeting = ['VALUE greeting 7 5', 'hello'];
  expect(first).toEqual([
    ...['STORED', 'STORED', 'STORED', 'NOT_STORED', '42'],
    ...[...greeting, 'VALUE session 0 4', 'open', 'VALUE visits 0 2', '42', 'END', ''],
  ]);
  expect(second).toEqual([
    ...[...greeting, 'VALUE visits 0 2', '42', 'END'],
    ...['STORED', 'END', 'DELETED', '0', 'END', ''],
  ]);
  // The expired item is gone from the tables too.
  expect(stored).toEqual(['visits']);
});

test('the memcached refuses what is no command, and takes commands in pieces and many at once', async () => {
  using directory = temporaryDirectory();
  const server = await memcached.Memcached.start(directory.path);
  const socket = connect(server.port, '127.0.0.1');
  for (const piece of ['set a 1 0 ', '4\r\n\r\n', 'xy\r', '\nget a\r\nget']) {
    socket.write(piece);
    await sleep(10);
  }
  socket.write(' a b\r\nset q 0 0 1 noreply\r\nz\r\ngets q\r\nquit\r\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  const a = 'VALUE a 1 4\r\n\r\nxy\r\n';
  expect(answer).toBe(`STORED\r\n${a}END\r\n${a}END\r\nVALUE q 0 1\r\nz\r\nEND\r\n`);
  const commands = ['bogus', 'get', 'incr a 1', 'set n 0 0 20\r\n18446744073709551615', 'incr n 2', 'incr n x'];
  expect((await memcached.talk(server.port, ...commands, 'flush_all', 'get a n')).split('\r\n')).toEqual([
    'ERROR',
    'ERROR',
    'CLIENT_ERROR cannot increment or decrement non-numeric value',
    'STORED',
    '1',
    'CLIENT_ERROR invalid numeric delta argument',
    'OK',
    'END',
    '',
  ]);
  await server.stop();
});

/** What the client threw; clients tell of refusals by errors whose message is the server's answer. */
async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );
}

test('a memcached client from npm finds in the persistent memcached what it expects of any, after a restart too', async () => {
  using directory = temporaryDirectory();
  let seconds = 1_700_000_000;
  const start = () => memcached.Memcached.start(directory.path, 0, () => seconds);
  let server = await start();
  let client = new MemcacheClient({ server: `127.0.0.1:${server.port}` });
  const forEver = { lifetime: 0 };
  const values = async (...keys: string[]) => {
    const found = await client.get<MultiRetrievalResponse>(keys);
    return keys.map((key) => found[key]?.value);
  };

  expect(await client.version()).toEqual(['VERSION', 'pumice']);
  expect(await client.set('text', 'héllo', forEver)).toEqual(['STORED']);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1');
  const binary = Buffer.from(`\r\nEND\r\n${bytes}`.repeat(300), 'latin1');
  await client.set('bytes', binary, forEver);
  // Flags tell the client what a value was: an object comes back as one.
  await client.set('object', { moons: ['Phobos', 'Deimos'] }, forEver);
  await client.set('session', 'open', { lifetime: 60 });
  await client.set('visits', '41', forEver);
  expect(await client.add('new', 'first', forEver)).toEqual(['STORED']);
  expect(await refusal(client.add('new', 'second'))).toBe('NOT_STORED');
  expect(await refusal(client.replace('none', 'x'))).toBe('NOT_STORED');
  expect(await client.incr('visits', 9)).toBe('50');
  expect(await client.decr('visits', 8)).toBe('42');
  expect(await refusal(client.incr('none', 1))).toBe('NOT_FOUND');
  expect(await values('text', 'object', 'session', 'new', 'none')).toEqual([
    ...['héllo', { moons: ['Phobos', 'Deimos'] }, 'open', 'first', undefined],
  ]);
  expect(await values('bytes')).toEqual([binary]);

  client.shutdown();
  await server.stop();
  server = await start();
  client = new MemcacheClient({ server: `127.0.0.1:${server.port}` });
  seconds += 59;
  expect(await values('session', 'visits')).toEqual(['open', '42']);
  seconds += 1;
  expect(await values('session', 'text')).toEqual([undefined, 'héllo']);
  expect(await client.delete('text')).toEqual(['DELETED']);
  expect(await refusal(client.delete('text'))).toBe('NOT_FOUND');
  expect(await values('text', 'new', 'bytes')).toEqual([undefined, 'first', binary]);
  client.shutdown();
  await server.stop();
});

test('store and forward: every message arrives once, in order, across a restart', async () => {
  using directory = temporaryDirectory();
  const result = await mailbox.main(directory.path);
  expect([result.firstTime, ...result.later, result.left]).toEqual([5, 16, 21, 21, 0]);
  for (const [index, name] of ['ann', 'anna', 'bo'].entries()) {
    const letters = Array.from({ length: 20 }, (_, i) => `letter ${i * 3 + index}`);
    expect(result.received[name]).toEqual([...letters, 'to all']);
  }
  expect(result.nextNumber).toBe(62);
});

test('a media cache fetches what a range lacks, and stays within its size', async () => {
  using directory = temporaryDirectory();
  const result = await mediaCache.main(directory.path);
  expect(result.wrong).toBe(0);
  const block = mediaCache.MEDIA_BLOCK_SIZE;
  expect(result.first).toEqual({ requests: 1, bytes: 7 * block });
  expect(result.again).toEqual(result.first);
  expect(result.overlapping).toEqual({ requests: 2, bytes: 9 * block });
  expect(result.reopened).toEqual(result.overlapping);
  expect(result.tableBytes).toBeGreaterThan(result.sizeBytesMax / 4);
  expect(result.tableBytes).toBeLessThanOrEqual(result.sizeBytesMax);
  // The first film was played longest ago, so by the end it has to be fetched again.
  expect(result.evicted.requests).toBe(result.atEnd.requests + 6 * 6 + 1);
});
