/**
 * Places where no database can be opened: nothing there, a file in its place, a directory that may not be written, a
 * database that somebody else has open, one with another comparator or with other families. Method: the error says what
 * is wrong, and the directory is byte for byte as before.
 */

import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DB, Env, type Options, WriteBatch } from '../../../src/index.ts';
import { scanForward } from '../../support/read-database.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { contentOf, expectRefused, expectRefusedUnchanged } from './refusal.ts';

/** Runs `body` as a user for whom permission bits count: root gives itself away for the time. */
async function asOrdinaryUser(directory: string, body: () => Promise<void>): Promise<void> {
  const nobody = 65_534;
  if (process.getuid?.() !== 0) return body();
  for (const name of ['.', ...readdirSync(directory)]) chownSync(join(directory, name), nobody, nobody);
  process.seteuid!(nobody);
  try {
    await body();
  } finally {
    process.seteuid!(0);
  }
}

async function make(path: string, options: Options = {}): Promise<void> {
  await using db = await DB.open(path, { createIfMissing: true, ...options });
  await db.put('a', 'one');
  await db.flush();
  await db.put('b', 'two');
}

test('a directory that is missing is not made without createIfMissing', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'deep', 'db');
  await expectRefused(() => DB.open(path), 'INVALID_ARGUMENT', /does not exist.*createIfMissing/);
  await expectRefused(() => DB.open(path, { readOnly: true }), 'INVALID_ARGUMENT', /does not exist/);
  await expectRefused(() => DB.listColumnFamilies(path), 'INVALID_ARGUMENT', /no database is there/);
  await DB.destroy(path);
  expect(existsSync(join(directory.path, 'deep'))).toBe(false);
});

test('an empty directory, and one with other files, is no database', async () => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'notes.txt'), 'mine');
  await expectRefusedUnchanged(directory.path, () => DB.open(directory.path), 'INVALID_ARGUMENT', /does not exist/);
  await make(directory.path);
  await DB.destroy(directory.path);
  expect(contentOf(directory.path).map((line) => line.split(' ')[0])).toEqual(['notes.txt']);
});

test('a file where the directory should be is refused', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  writeFileSync(path, 'no directory');
  for (const options of [{}, { createIfMissing: true }, { readOnly: true }]) {
    const open = (): Promise<DB> => DB.open(path, options);
    await expectRefusedUnchanged(directory.path, open, 'INVALID_ARGUMENT', /db: exists but is not a directory/);
  }
  const below = (): Promise<DB> => DB.open(join(path, 'below'), { createIfMissing: true });
  await expectRefusedUnchanged(directory.path, below, 'IO_ERROR', /ENOTDIR/);
  const wal = (): Promise<DB> => DB.open(join(directory.path, 'other'), { createIfMissing: true, walDir: path });
  await expectRefused(wal, 'IO_ERROR', /EEXIST|ENOTDIR/);
});

test('errorIfExists refuses an existing database', async () => {
  using directory = temporaryDirectory();
  await make(directory.path);
  const open = (): Promise<DB> => DB.open(directory.path, { createIfMissing: true, errorIfExists: true });
  await expectRefusedUnchanged(directory.path, open, 'INVALID_ARGUMENT', /exists.*errorIfExists/);
});

test('a directory that may not be written is refused for writing and opens for reading', async () => {
  using directory = temporaryDirectory();
  await make(directory.path);
  await asOrdinaryUser(directory.path, async () => {
    for (const [file, mode] of [
      ['.', 0o555],
      ['LOCK', 0o444],
    ] as const) {
      chmodSync(join(directory.path, file), mode);
    }
    await expectRefusedUnchanged(directory.path, () => DB.open(directory.path), 'IO_ERROR', /LOCK.*EACCES/);
    const inside = (): Promise<DB> => DB.open(join(directory.path, 'new'), { createIfMissing: true });
    await expectRefusedUnchanged(directory.path, inside, 'IO_ERROR', /new.*EACCES/);
    const before = contentOf(directory.path);
    {
      await using db = await DB.open(directory.path, { readOnly: true });
      expect(scanForward(db).length).toBe(2);
    }
    expect(contentOf(directory.path)).toEqual(before);
  });
});

test('a second opener is refused while the first works on: same path, a link to it, and destroy', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  await using db = await DB.open(path, { createIfMissing: true });
  await db.put('a', 'one');
  symlinkSync(path, join(directory.path, 'link'));
  for (const other of [path, `${path}/`, join(path, '..', 'db'), join(directory.path, 'link')]) {
    await expectRefusedUnchanged(path, () => DB.open(other), 'LOCKED', /LOCK/);
    await expectRefusedUnchanged(path, () => DB.open(other, { createIfMissing: true }), 'LOCKED', /LOCK/);
    await expectRefusedUnchanged(path, () => DB.destroy(other), 'LOCKED', /LOCK/);
  }
  await db.put('b', 'two');
  expect(scanForward(db).length).toBe(2);
});

test('a second opener in another process is refused, too, and gets its turn after the first', async () => {
  using directory = temporaryDirectory();
  const script = `import { DB } from ${JSON.stringify(join(import.meta.dirname, '../../../src/index.ts'))};
    try { const db = await DB.open(process.argv[1]); await db.put('theirs', 'x'); await db.close(); console.log('opened'); }
    catch (error) { console.log(error.code); }`;
  const other = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, directory.path]);
      let out = '';
      child.stdout.on('data', (chunk) => (out += chunk));
      child.on('error', reject).on('exit', () => resolve(out.trim()));
    });
  {
    await using db = await DB.open(directory.path, { createIfMissing: true });
    await db.put('ours', 'x');
    expect(await other()).toBe('LOCKED');
    await db.put('ours too', 'x');
  }
  expect(await other()).toBe('opened');
  await using db = await DB.open(directory.path);
  expect(scanForward(db).length).toBe(3);
});

testWithTools('C++ RocksDB is kept out while the database is open, and keeps us out', async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(directory.path, { createIfMissing: true });
  await db.put('a', 'one');
  const run = runTool('ldb', [`--db=${directory.path}`, 'put', 'a', 'theirs']);
  expect(run.out + run.err).toMatch(/lock/i);
  expect(Buffer.from(db.getSync('a')!).toString()).toBe('one');
});

test('another comparator than the stored one is refused, by either name', async () => {
  using directory = temporaryDirectory();
  await make(directory.path);
  const shout = { name: 'test.Shout', compare: (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) };
  for (const comparator of ['rocksdb.ReverseBytewiseComparator', shout]) {
    const open = (): Promise<DB> => DB.open(directory.path, { comparator });
    await expectRefusedUnchanged(
      directory.path,
      open,
      'INVALID_ARGUMENT',
      /does not match existing comparator leveldb.BytewiseComparator of column family default/,
    );
  }
});

test('stored names of components that are not built in must be given', async () => {
  using directory = temporaryDirectory();
  const comparator = { name: 'test.Mine', compare: (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) };
  const mergeOperator = {
    name: 'test.Sum',
    fullMerge: (_key: Uint8Array, base?: Uint8Array) => base ?? new Uint8Array(),
  };
  const prefixExtractor = { name: 'test.First', transform: (k: Uint8Array) => k.subarray(0, 1), inDomain: () => true };
  await make(directory.path, { comparator, mergeOperator, prefixExtractor });
  const refused = (options: Options, words: RegExp): Promise<void> =>
    expectRefusedUnchanged(directory.path, () => DB.open(directory.path, options), 'INVALID_ARGUMENT', words);
  await refused({}, /comparator "test.Mine", which is not built in: give it as options.comparator/);
  await refused({ comparator }, /merge operator "test.Sum", which is not built in: give it as options.mergeOperator/);
  await refused({ comparator, mergeOperator }, /prefix extractor "test.First".*options.prefixExtractor/);
  await using db = await DB.open(directory.path, { comparator, mergeOperator, prefixExtractor });
  expect(scanForward(db).length).toBe(2);
});

test('families: all must be named or none, and one that is missing is made only when asked', async () => {
  using directory = temporaryDirectory();
  const path = directory.path;
  await make(path, { createMissingColumnFamilies: true, columnFamilies: { default: {}, side: {} } });
  const refused = (options: Options, words: RegExp): Promise<void> =>
    expectRefusedUnchanged(path, () => DB.open(path, options), 'INVALID_ARGUMENT', words);
  await refused({ columnFamilies: { default: {} } }, /Column families not opened: side/);
  await refused({ columnFamilies: { default: {}, side: {}, typo: {} } }, /Column family not found: typo/);
  await refused({ columnFamilies: { side: {}, typo: {} }, createIfMissing: true }, /Column family not found: typo/);
  await refused({ columnFamilies: { side: {}, typo: {} }, readOnly: true }, /Column family not found: typo/);
  {
    await using db = await DB.open(path, {
      createMissingColumnFamilies: true,
      columnFamilies: { side: {}, third: {} },
    });
    await db.columnFamily('third').put('c', 'three');
  }
  expect(await DB.listColumnFamilies(path)).toEqual(['default', 'side', 'third']);
  await using db = await DB.open(path);
  expect(scanForward(db.columnFamily('third')).length).toBe(1);
});

test('a read-only database is open to nobody for writing', async () => {
  const env = Env.memory();
  {
    await using db = await DB.open('/db', { env, createIfMissing: true, mergeOperator: 'stringappend' });
    await db.put('a', 'one');
  }
  await using db = await DB.open('/db', { env, readOnly: true });
  const writes: [string, () => unknown][] = [
    ['put', () => db.put('a', 'b')],
    ['putSync', () => db.putSync('a', 'b')],
    ['delete', () => db.delete('a')],
    ['singleDelete', () => db.singleDelete('a')],
    ['deleteRange', () => db.deleteRange('a', 'b')],
    ['merge', () => db.merge('a', 'b')],
    ['write', () => db.write(new WriteBatch().put('a', 'b'))],
    ['writeSync', () => db.writeSync(new WriteBatch().put('a', 'b'))],
    ['flush', () => db.flush()],
    ['compactRange', () => db.compactRange()],
    ['compactFiles', () => db.compactFiles(['000001.sst'], 1)],
    ['createColumnFamily', () => db.createColumnFamily('x')],
    ['dropColumnFamily', () => db.dropColumnFamily('default')],
    ['setOptions', () => db.setOptions({ writeBufferSize: 1 << 20 })],
    ['syncWal', () => db.syncWal()],
    ['flushWal', () => db.flushWal()],
  ];
  for (const [name, write] of writes) {
    await expectRefused(write, 'READ_ONLY', /readOnly/).catch((error) => {
      throw new Error(`${name}: ${String(error)}`, { cause: error });
    });
  }
});

test('paths of users may be anything that the system takes', async () => {
  using directory = temporaryDirectory();
  for (const name of ['with space', 'ünïcödé', 'quote\'and"quote', '-dash', 'new\nline', '%41', 'a'.repeat(200)]) {
    const path = join(directory.path, name);
    mkdirSync(path);
    await make(path);
    await using db = await DB.open(path);
    expect(scanForward(db).length).toBe(2);
  }
  const long = join(directory.path, 'b'.repeat(300));
  await expectRefused(() => DB.open(long, { createIfMissing: true }), 'IO_ERROR', /ENAMETOOLONG/);
});
