/** What only the machine's file system has: permissions, planted links, pipes, descriptors, calls in place. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { DBError } from '../../../format/base/db-error.ts';
import { errnoOf, isAlreadyExists } from '../../../src/env/file-error.ts';
import { LatencyGuard } from '../../../src/env/latency-guard.ts';
import { NodeFileSystem } from '../../../src/env/node-file-system.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const usualUmask = process.umask();
afterEach(() => {
  process.umask(usualUmask);
  vi.restoreAllMocks();
});

async function refusalOf(call: () => unknown): Promise<DBError> {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(DBError);
    return error as DBError;
  }
  throw new Error('the call should have failed');
}

test.each([0o000, 0o022, 0o077])('R16 files are 0600 and directories 0700 under umask %o', async (umask) => {
  using directory = temporaryDirectory();
  process.umask(umask);
  const nodeFs = new NodeFileSystem();
  nodeFs.mkdirSync(`${directory.path}/a`);
  await nodeFs.mkdir(`${directory.path}/b`);
  for (const name of ['a', 'b']) expect(fs.statSync(`${directory.path}/${name}`).mode & 0o777).toBe(0o700);
  nodeFs.createWritableSync(`${directory.path}/f`).closeSync();
  await (await nodeFs.createWritable(`${directory.path}/g`)).close();
  nodeFs.lockSync(`${directory.path}/LOCK`).releaseSync();
  for (const name of ['f', 'g', 'LOCK']) expect(fs.statSync(`${directory.path}/${name}`).mode & 0o777).toBe(0o600);
});

test('R16 no call that writes follows a planted symbolic link', async () => {
  using directory = temporaryDirectory();
  const nodeFs = new NodeFileSystem();
  const link = `${directory.path}/000007.log`;
  fs.writeFileSync(`${directory.path}/canary`, 'canary');
  fs.symlinkSync(`${directory.path}/canary`, link);
  expect(isAlreadyExists(await refusalOf(() => nodeFs.createWritable(link)))).toBe(true);
  expect(isAlreadyExists(await refusalOf(() => nodeFs.createWritableSync(link)))).toBe(true);
  const calls = [
    () => nodeFs.reopenWritable(link),
    () => nodeFs.reopenWritableSync(link, { truncateTo: 0 }),
    () => nodeFs.reuseWritable(link, `${directory.path}/8`),
    () => nodeFs.reuseWritableSync(link, `${directory.path}/8`),
    () => nodeFs.truncate(link, 0),
    () => nodeFs.truncateSync(link, 0),
    () => nodeFs.openRandomSync(link, { noFollow: true }),
  ];
  for (const call of calls) expect(errnoOf(await refusalOf(call))).toBe('ELOOP');
  fs.symlinkSync(`${directory.path}/nothing`, `${directory.path}/dangling`);
  expect(isAlreadyExists(await refusalOf(() => nodeFs.createWritable(`${directory.path}/dangling`)))).toBe(true);
  expect(fs.existsSync(`${directory.path}/nothing`)).toBe(false);
  expect(fs.readFileSync(`${directory.path}/canary`, 'utf8')).toBe('canary');
  expect(nodeFs.openDescriptors).toBe(0);
});

test('R16 a planted pipe does not hang an open', async () => {
  using directory = temporaryDirectory();
  const pipe = `${directory.path}/CURRENT`;
  execFileSync('mkfifo', [pipe]);
  const nodeFs = new NodeFileSystem();
  const reader = await nodeFs.openSequential(pipe);
  await reader.close();
  expect(errnoOf(await refusalOf(() => nodeFs.reopenWritable(pipe)))).toBe('ENXIO');
});

test('R13 descriptors are counted and none is left behind by failures', async () => {
  using directory = temporaryDirectory();
  const nodeFs = new NodeFileSystem();
  const openBefore = fs.readdirSync('/proc/self/fd').length;
  const file = await nodeFs.createWritable(`${directory.path}/f`);
  const reader = await nodeFs.openRandom(`${directory.path}/f`);
  const synced = await nodeFs.openDirectory(directory.path);
  expect(nodeFs.openDescriptors).toBe(3);
  fs.linkSync(`${directory.path}/f`, `${directory.path}/g`);
  await refusalOf(() => nodeFs.reopenWritable(`${directory.path}/f`));
  await refusalOf(() => nodeFs.reuseWritable(`${directory.path}/f`, `${directory.path}/h`));
  await refusalOf(() => nodeFs.truncate(`${directory.path}/f`, 0));
  expect(nodeFs.openDescriptors).toBe(3);
  for (const handle of [file, reader, synced]) await handle.close();
  expect(nodeFs.openDescriptors).toBe(0);
  expect(fs.readdirSync('/proc/self/fd').length).toBe(openBefore);
});

test('a close waits for reads that are under way', async () => {
  using directory = temporaryDirectory();
  const nodeFs = new NodeFileSystem();
  fs.writeFileSync(`${directory.path}/f`, Buffer.alloc(1 << 20, 7));
  const reader = nodeFs.openRandomSync(`${directory.path}/f`);
  const buffers = Array.from({ length: 8 }, () => new Uint8Array(1 << 20));
  const reads = buffers.map((buffer) => reader.read(buffer, 0));
  reader.closeSync();
  expect(await Promise.all(reads)).toEqual(buffers.map(() => 1 << 20));
  expect(buffers.every((buffer) => buffer.every((byte) => byte === 7))).toBe(true);
  expect(nodeFs.openDescriptors).toBe(0);
});

test('short writes and interrupted calls are carried on', () => {
  using directory = temporaryDirectory();
  const nodeFs = new NodeFileSystem();
  const file = nodeFs.createWritableSync(`${directory.path}/f`);
  const { writevSync, writeSync } = fs;
  let calls = 0;
  const interrupt = () => {
    if (calls++ % 3 === 1) throw Object.assign(new Error('EINTR'), { code: 'EINTR' });
  };
  vi.spyOn(fs, 'writevSync').mockImplementation((fd, buffers, position) => {
    interrupt();
    const first = buffers.find((buffer) => buffer.byteLength > 0) as Uint8Array;
    return writevSync(fd, [first.subarray(0, 5)], position);
  });
  vi.spyOn(fs, 'writeSync').mockImplementation(((
    fd: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    position: number,
  ) => {
    interrupt();
    return writeSync(fd, bytes, at, Math.min(3, length), position);
  }) as typeof fs.writeSync);
  const parts = ['The quick ', '', 'brown fox ', 'jumps over', ' the lazy dog'];
  file.appendSync(parts.map((part) => new TextEncoder().encode(part)));
  vi.restoreAllMocks();
  file.closeSync();
  expect(fs.readFileSync(`${directory.path}/f`, 'utf8')).toBe(parts.join(''));
});

test('D6 a sync that failed is not tried again, and the file takes no more bytes', async () => {
  using directory = temporaryDirectory();
  const file = new NodeFileSystem().createWritableSync(`${directory.path}/f`);
  file.appendSync([new Uint8Array(10)]);
  const fsync = vi.spyOn(fs, 'fdatasyncSync').mockImplementationOnce(() => {
    throw Object.assign(new Error('EIO'), { code: 'EIO' });
  });
  expect((await refusalOf(() => file.syncSync('data'))).message).toBe(
    `While fdatasync: ${directory.path}/f: Input/output error (EIO)`,
  );
  expect(file.poisoned).toBe(true);
  await refusalOf(() => file.syncSync('data'));
  await refusalOf(() => file.sync('full'));
  await refusalOf(() => file.append([new Uint8Array(1)]));
  expect(fsync).toHaveBeenCalledTimes(1);
  expect(file.size).toBe(10);
  file.closeSync();
});

test('a full device is NO_SPACE and retryable', async () => {
  const nodeFs = new NodeFileSystem();
  using directory = temporaryDirectory();
  const file = nodeFs.createWritableSync(`${directory.path}/f`);
  vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  });
  const error = await refusalOf(() => file.append([new Uint8Array(4)]));
  expect(error).toMatchObject({ code: 'NO_SPACE', retryable: true });
  vi.restoreAllMocks();
  file.closeSync();
});

test('R14 a short call is made in place until one is slow, and again a second later', () => {
  let now = 5000;
  const guard = new LatencyGuard(() => now);
  const start = guard.start(4096);
  expect(start).toBe(5000);
  now += 0.4;
  guard.record(start);
  expect(guard.start(4096)).toBeGreaterThan(0);
  now += 2;
  guard.record(start);
  expect(guard.start(4096)).toBe(-1);
  now += 999;
  expect(guard.start(4096)).toBe(-1);
  now += 2;
  expect(guard.start(4096)).toBeGreaterThan(0);
  expect(guard.start(257 * 1024)).toBe(-1);
});

test('R14 syncs, opens, renames and unlinks of the promise API never block the thread', async () => {
  using directory = temporaryDirectory();
  const nodeFs = new NodeFileSystem();
  const blocking = [
    'openSync',
    'fsyncSync',
    'fdatasyncSync',
    'renameSync',
    'unlinkSync',
    'mkdirSync',
    'linkSync',
  ] as const;
  const spies = blocking.map((name) => vi.spyOn(fs, name));
  const file = await nodeFs.createWritable(`${directory.path}/f`);
  await file.append([new Uint8Array(100)]);
  await file.sync('data');
  await file.sync('full');
  await file.close();
  await (await nodeFs.openRandom(`${directory.path}/f`)).close();
  await nodeFs.link(`${directory.path}/f`, `${directory.path}/h`);
  await nodeFs.rename(`${directory.path}/f`, `${directory.path}/g`);
  await nodeFs.unlink(`${directory.path}/g`);
  await nodeFs.mkdir(`${directory.path}/d`);
  const handle = await nodeFs.openDirectory(directory.path);
  await handle.sync('deleted');
  await handle.close();
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
});
