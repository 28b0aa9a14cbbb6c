/**
 * What a write promises: a batch is whole or absent wherever its log is cut, a synced write survives a power cut, one without
 * the log does not, and many synced writes share one sync. Method: logs cut at every byte, images of a disk after a power
 * cut, killed processes, and the system's own trace of calls.
 */

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB, Env, MemoryFileSystem, type Options, Statistics, WriteBatch } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { scanForward } from '../../support/read-database.ts';
import { PROJECT_ROOT } from '../../support/source-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const OPTIONS: Options = {
  createIfMissing: true,
  createMissingColumnFamilies: true,
  columnFamilies: { default: {}, side: {} },
  mergeOperator: 'stringappend',
  logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
};

/** The files of a memory file system in another, a log cut to `size`. */
function copyWithCutLog(source: MemoryFileSystem, log: string, size: number): MemoryFileSystem {
  const target = new MemoryFileSystem();
  target.mkdirSync('/db');
  for (const name of source.listSync('/db')) {
    if (name === 'LOCK') continue;
    const file = source.openRandomSync(`/db/${name}`);
    const bytes = new Uint8Array(name === log ? Math.min(size, file.sizeSync()) : file.sizeSync());
    file.readSync(bytes, 0);
    file.closeSync();
    const copy = target.createWritableSync(`/db/${name}`);
    copy.appendSync([bytes]);
    copy.closeSync();
  }
  return target;
}

function rowsOf(db: DB): string {
  return [...scanForward(db), '|', ...scanForward(db.columnFamily('side'))].join(' ');
}

describe.each([40, 40_000])('batches with values of %i bytes', (size) => {
  test('S40 a log that is cut at any byte gives whole batches, over families, and never a part of one', async () => {
    const fileSystem = new MemoryFileSystem();
    const states: string[] = [];
    {
      await using db = await DB.open('/db', { ...OPTIONS, env: new Env({ fileSystem }) });
      await db.write(new WriteBatch().put('a', 'zero').put('b', 'zero', 'side').put('r1', 'x').put('m', 'base'));
      await db.flush();
      states.push(rowsOf(db));
      for (let i = 1; i <= 4; i++) {
        const batch = new WriteBatch()
          .put('a', `${i}`.repeat(size))
          .put('b', `${i}`, 'side')
          .delete(`old${i - 1}`);
        batch
          .put(`old${i}`, 'x')
          .merge('m', `${i}`)
          .deleteRange(`r${i}`, `r${i}~`)
          .put(`r${i + 1}`, 'x', 'side');
        await db.write(batch);
        states.push(rowsOf(db));
      }
    }
    const log = fileSystem.listSync('/db').findLast((name) => name.endsWith('.log'))!;
    const length = fileSystem.statSync(`/db/${log}`).size;
    const random = new Random(seedFor(4000));
    // Every byte of a short log; of a long one the ends of all records and blocks, and a sample.
    const cuts = new Set<number>([0, length]);
    while (cuts.size < Math.min(length, 700)) cuts.add(length < 2000 ? cuts.size : random.below(length + 1));
    let least = 0;
    for (const cut of [...cuts].sort((x, y) => x - y)) {
      const image = copyWithCutLog(fileSystem, log, cut);
      await using db = await DB.open('/db', {
        ...OPTIONS,
        env: new Env({ fileSystem: image }),
        readOnly: true,
        createIfMissing: false,
      });
      const state = states.indexOf(rowsOf(db));
      expect(state, `cut at ${cut} of ${length}`).toBeGreaterThanOrEqual(least);
      least = state;
    }
    expect(least).toBe(4);
  });
});

test('S42 a synced write is there after a power cut at any moment behind its acknowledgement', async () => {
  const random = new Random(seedFor(4200));
  const fileSystem = new MemoryFileSystem({ crashable: true });
  await using db = await DB.open('/db', { ...OPTIONS, writeBufferSize: 16 << 10, env: new Env({ fileSystem }) });
  const promised = new Map<string, string>();
  let images = 0;
  for (let i = 0; i < 300; i++) {
    const [key, value] = [`key${random.below(60)}`, `value ${i} ${'x'.repeat(random.below(300))}`];
    const sync = random.oneIn(3);
    await db.put(key, value, { sync });
    promised.set(key, value);
    if (random.oneIn(80)) await db.flush();
    if (!sync || !random.oneIn(2)) continue;
    // Everything before a synced write is as durable as it is.
    for (const model of ['synced', 'ordered'] as const) {
      const image = fileSystem.crashImage(model, random);
      await using after = await DB.open('/db', { ...OPTIONS, env: new Env({ fileSystem: image }) });
      for (const [name, wanted] of promised) expect(Buffer.from(after.getSync(name) ?? '').toString()).toBe(wanted);
      images++;
    }
  }
  expect(images).toBeGreaterThan(50);
});

test('S20 S41 what was written without the log is lost by a power cut, unless it was flushed', async () => {
  const fileSystem = new MemoryFileSystem({ crashable: true });
  await using db = await DB.open('/db', { ...OPTIONS, env: new Env({ fileSystem }) });
  await db.put('flushed', 'x', { disableWAL: true });
  await db.flush();
  await db.put('lost', 'x', { disableWAL: true });
  await db.put('synced', 'x', { sync: true });
  await db.put('lost too', 'x', { disableWAL: true });
  await db.syncWal();
  const image = fileSystem.crashImage('synced', new Random(41));
  await using after = await DB.open('/db', { ...OPTIONS, env: new Env({ fileSystem: image }) });
  expect(scanForward(after).map((row) => Buffer.from(row.split('=')[0]!, 'hex').toString())).toEqual([
    'flushed',
    'synced',
  ]);
});

test('S20 S41 the same with a process that is killed', { timeout: 60_000 }, async () => {
  using directory = temporaryDirectory();
  const work = `import { DB } from ${JSON.stringify(join(PROJECT_ROOT, 'src/index.ts'))};
    const db = await DB.open(process.argv[1], { createIfMissing: true });
    await db.put('flushed', 'x', { disableWAL: true });
    await db.flush();
    await db.put('lost', 'x', { disableWAL: true });
    await db.put('logged', 'x');
    console.log('ready');
    setInterval(() => {}, 1000);`;
  await new Promise<void>((resolve, reject) => {
    const args = ['--import', 'tsx', '--input-type=module', '-e', work, directory.path];
    const child = spawn(process.execPath, args, { cwd: PROJECT_ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', () => child.kill('SIGKILL'));
    child.on('error', reject).on('exit', (_code, signal) => {
      if (signal === 'SIGKILL') resolve();
      else reject(new Error('the child ended by itself'));
    });
  });
  await using db = await DB.open(directory.path);
  expect(db.getSync('flushed')).toBeDefined();
  expect(db.getSync('lost')).toBeUndefined();
  expect(db.getSync('logged')).toBeDefined();
});

test.skipIf(spawnSync('strace', ['-V']).error !== undefined)(
  'S42 the log is synced before a synced write is acknowledged, as the system sees it',
  { timeout: 60_000 },
  () => {
    using directory = temporaryDirectory();
    const trace = join(directory.path, 'trace');
    const work = `import { DB } from ${JSON.stringify(join(PROJECT_ROOT, 'src/index.ts'))};
      import { writeSync } from 'node:fs';
      const db = await DB.open(process.argv[1], { createIfMissing: true });
      for (let i = 0; i < 20; i++) {
        writeSync(1, 'begin ' + i);
        if (i % 2) db.putSync('key', 'x', { sync: true });
        else await db.put('key', 'x', { sync: true });
        writeSync(1, 'acknowledged ' + i);
      }
      await db.close();`;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', work, join(directory.path, 'db')];
    const args = ['-f', '-y', '-e', 'trace=write,fdatasync,fsync', '-o', trace, ...node];
    expect(spawnSync('strace', args, { cwd: PROJECT_ROOT }).status).toBe(0);
    const calls = readFileSync(trace, 'utf8');
    for (let i = 0; i < 20; i++) {
      const from = calls.indexOf(`"begin ${i}"`);
      const to = calls.indexOf(`"acknowledged ${i}"`);
      expect(from).toBeGreaterThan(0);
      // One thread's call may be reported in two lines; its end counts.
      expect(calls.slice(from, to), `write ${i}`).toMatch(
        /fdatasync(\(\d+<[^>]*\.log>\)|[^\n]*\.log[\s\S]*fdatasync resumed[^\n]*) *= 0|fsync\(\d+<[^>]*\.log>\) *= 0/,
      );
    }
  },
);

test('S43 64 synced writes at once share a few syncs', async () => {
  using directory = temporaryDirectory();
  const statistics = new Statistics();
  await using db = await DB.open(directory.path, { createIfMissing: true, statistics });
  const before = statistics.getTickerCount('rocksdb.wal.synced');
  await Promise.all(Array.from({ length: 64 }, (_, i) => db.put(`key${i}`, 'x', { sync: true })));
  const syncs = statistics.getTickerCount('rocksdb.wal.synced') - before;
  expect(syncs).toBeGreaterThan(0);
  expect(syncs).toBeLessThanOrEqual(8);
  expect(statistics.getTickerCount('rocksdb.write.other')).toBeGreaterThan(0);
  let rounds = 0;
  await Promise.all(
    Array.from({ length: 64 }, async (_, thread) => {
      for (let i = 0; i < 5; i++, rounds++) await db.put(`thread${thread} ${i}`, 'x', { sync: true });
    }),
  );
  const perWrite = (statistics.getTickerCount('rocksdb.wal.synced') - before - syncs) / rounds;
  process.stdout.write(`S43: ${syncs} syncs for 64 writes at once, ${perWrite.toFixed(3)} a write over ${rounds}\n`);
  expect(perWrite).toBeLessThan(0.2);
});
