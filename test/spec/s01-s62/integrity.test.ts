/**
 * Checksums find every damaged byte that is read, tables are written once and never again, and the read-only open keeps its
 * word. Method: one bit of every byte of small files is flipped; every call of the file system is watched.
 */

import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB, DBError, Env, FaultFileSystem, MemoryFileSystem, type Options } from '../../../src/index.ts';
import { sstDump } from '../../../tools/sst-dump/sst-dump.ts';
import { directoryFingerprint } from '../../support/directory-hash.ts';
import { Random, seedFor } from '../../support/random.ts';
import { expectRows, scanForward } from '../../support/read-database.ts';
import { expectTablesSound, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { runInProcess } from '../../tools/run-in-process.ts';
import { expectRefused } from '../bad-input/refusal.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

type Files = ReadonlyMap<string, Uint8Array>;

function filesOf(fileSystem: MemoryFileSystem): Files {
  const files = new Map<string, Uint8Array>();
  for (const name of fileSystem.listSync('/db')) {
    const file = fileSystem.openRandomSync(`/db/${name}`);
    const bytes = new Uint8Array(file.sizeSync());
    file.readSync(bytes, 0);
    file.closeSync();
    files.set(name, bytes);
  }
  return files;
}

function fileSystemOf(files: Files, damaged: string, at: number, bit: number): MemoryFileSystem {
  const fileSystem = new MemoryFileSystem();
  fileSystem.mkdirSync('/db');
  for (const [name, bytes] of files) {
    const file = fileSystem.createWritableSync(`/db/${name}`);
    const copy = bytes.slice();
    if (name === damaged) copy[at]! ^= 1 << bit;
    file.appendSync([copy]);
    file.closeSync();
  }
  return fileSystem;
}

describe.each([
  ['.sst', 'snappy'],
  ['.sst', 'none'],
  ['.log', 'none'],
  ['MANIFEST', 'none'],
  ['CURRENT', 'none'],
  ['OPTIONS', 'none'],
] as const)('%s, compression %s', (kind, compression) => {
  test('S44 a flipped bit in any byte gives right data, or CORRUPTION that names the file, or a reported loss at the end', async () => {
    const original = new MemoryFileSystem();
    const rows: string[] = [];
    {
      const env = new Env({ fileSystem: original });
      await using db = await DB.open('/db', { env, createIfMissing: true, logger: quiet, compression, blockSize: 512 });
      for (let i = 0; i < 30; i++) await db.put(`key${i}`, `value ${i} `.repeat(5));
      await db.flush();
      for (let i = 20; i < 40; i++) await db.put(`key${i}`, `value ${i} again`);
      rows.push(...scanForward(db));
    }
    const files = filesOf(original);
    const name = [...files.keys()].find((file) => file.includes(kind))!;
    const random = new Random(seedFor(4400));
    const counts = { right: 0, refused: 0, reported: 0 };
    const size = files.get(name)!.length;
    for (let at = 0; at < size; at += Math.max(1, Math.floor(size / 400))) {
      const where = `bit of byte ${at} of ${name}`;
      const env = new Env({ fileSystem: fileSystemOf(files, name, at, random.below(8)) });
      try {
        await using db = await DB.open('/db', { env, logger: quiet });
        const seen = scanForward(db);
        for (let i = 0; i < 40; i += 7) await db.get(`key${i}`);
        if (seen.join() === rows.join()) counts.right++;
        else {
          // Only the last record of a log may go, and then the report says so.
          expect(db.recovery.droppedBytes, where).toBeGreaterThan(0);
          expect(db.recovery.drops[0]!.file, where).toContain(name);
          expect(rows.join(), where).toContain(seen.slice(0, 20).join());
          counts.reported++;
        }
      } catch (error) {
        expect(error, `${where}: ${String((error as Error).stack)}`).toBeInstanceOf(DBError);
        const { code, message } = error as DBError;
        expect(`${code}: ${message}`, where).toMatch(/^CORRUPTION: |^NOT_SUPPORTED: |^INVALID_ARGUMENT: /);
        expect(message, where).toMatch(new RegExp(`${name}|MANIFEST-|comparator|column famil|\\.sst`));
        counts.refused++;
      }
    }
    process.stdout.write(`S44 ${name}: ${JSON.stringify(counts)}\n`);
    expect(counts.refused + counts.right).toBeGreaterThan(0);
    if (kind === '.sst') expect(counts.refused).toBeGreaterThan(200);
    if (kind === 'OPTIONS') expect(counts).toMatchObject({ reported: 0 });
  });
});

test('S46 a table is written once, front to back, and never opened for writing again', async () => {
  const state = new Map<string, 'open' | 'closed'>();
  const wrong: string[] = [];
  const fileSystem = new FaultFileSystem(new MemoryFileSystem(), {
    onPoint: (point, { kind, path, to }) => {
      if (!point.startsWith('before:') || !/\.sst$/.test(to ?? path)) return;
      const present = state.get(path);
      if (kind === 'create') {
        if (present !== undefined) wrong.push(`${path} made twice`);
        state.set(path, 'open');
      } else if (kind === 'append' || kind === 'sync') {
        if (present !== 'open') wrong.push(`${kind} on ${path}, which is ${present}`);
      } else if (kind === 'close' && present === 'open') state.set(path, 'closed');
      else if (['reopen', 'reuse', 'truncate', 'rename', 'link'].includes(kind)) wrong.push(`${kind} of ${path}`);
    },
  });
  const options: Options = {
    env: new Env({ fileSystem }),
    createIfMissing: true,
    writeBufferSize: 16 << 10,
    targetFileSizeBase: 8 << 10,
    maxBytesForLevelBase: 32 << 10,
    level0FileNumCompactionTrigger: 2,
  };
  const random = new Random(46);
  for (let round = 0; round < 3; round++) {
    await using db = await DB.open('/db', options);
    for (let i = 0; i < 2000; i++) await db.put(`key${random.below(800)}`, 'x'.repeat(random.below(100)));
    await db.deleteRange('key2', 'key3');
    await db.compactRange();
  }
  expect(state.size).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});

testWithTools('S22 tables are sorted and sound, as our sst_dump and that of C++ see them', async () => {
  using directory = temporaryDirectory();
  const random = new Random(22);
  {
    await using db = await DB.open(directory.path, { createIfMissing: true, writeBufferSize: 64 << 10 });
    for (let i = 0; i < 5000; i++) await db.put(random.bytes(random.below(30)), random.bytes(random.below(100), true));
    await db.flush();
  }
  const tables = expectTablesSound(directory.path);
  expect(tables).toBeGreaterThan(0);
  const { code, out } = await runInProcess(sstDump, [`--file=${directory.path}`, '--command=check']);
  expect([code, out.match(/^Process .*\.sst$/gm)?.length]).toEqual([0, tables]);
  expect(out).not.toMatch(/corruption/i);
  const victim = join(directory.path, readdirSync(directory.path).find((name) => name.endsWith('.sst'))!);
  const bytes = readFileSync(victim);
  bytes[100]! ^= 1;
  writeFileSync(victim, bytes);
  const damaged = await runInProcess(sstDump, [`--file=${victim}`, '--command=check', '--verify_checksum']);
  expect(`${damaged.out}${damaged.err}`).toMatch(/corruption/i);
});

test('S62 a read-only open needs no LOCK, makes none, and changes nothing in a directory that cannot be written', async () => {
  using directory = temporaryDirectory();
  const rows: string[] = [];
  {
    await using db = await DB.open(directory.path, { createIfMissing: true });
    for (let i = 0; i < 200; i++) await db.put(`key${i}`, `${i}`);
    await db.flush();
    for (let i = 100; i < 300; i++) await db.put(`key${i}`, `${i} again`);
    rows.push(...scanForward(db));
  }
  rmSync(join(directory.path, 'LOCK'));
  chmodSync(directory.path, 0o555);
  try {
    const before = directoryFingerprint(directory.path);
    {
      await using one = await DB.open(directory.path, { readOnly: true });
      await using two = await DB.open(directory.path, { readOnly: true });
      await expectRows(one, rows);
      await expectRows(two, rows);
      const refuse = (action: () => unknown): Promise<void> => expectRefused(action, 'READ_ONLY', /readOnly/);
      await refuse(() => one.put('a', 'b'));
      await refuse(() => one.deleteSync('a'));
      await refuse(() => one.compactRange());
      await refuse(() => one.flush());
      await refuse(() => one.createColumnFamily('x'));
      await refuse(() => one.setOptions({ writeBufferSize: 1 << 20 }));
    }
    expect(directoryFingerprint(directory.path)).toEqual(before);
    expect(readdirSync(directory.path)).not.toContain('LOCK');
  } finally {
    chmodSync(directory.path, 0o755);
  }
});
