/** Faults happen where, how and as often as a rule says. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DBError } from '../../../format/base/db-error.ts';
import { FaultFileSystem, type FaultRule } from '../../../src/env/fault-injection-file-system.ts';
import { errnoOf } from '../../../src/env/file-error.ts';
import { FILE_OPERATION_KINDS, fileKindOf } from '../../../src/env/file-operation.ts';
import { MemoryFileSystem } from '../../../src/env/memory-file-system.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

function faulty(...rules: FaultRule[]): FaultFileSystem {
  const result = new FaultFileSystem(new MemoryFileSystem());
  for (const rule of rules) result.inject(rule);
  return result;
}

function errnoOfCall(call: () => unknown): string | undefined {
  try {
    call();
    return 'no failure';
  } catch (error) {
    return errnoOf(error);
  }
}

/** Every kind of call once, in one manner. */
async function exercise(files: FaultFileSystem, blocking: boolean): Promise<void> {
  const b = blocking;
  const file = b ? files.createWritableSync('/1.log') : await files.createWritable('/1.log');
  b ? file.appendSync([new Uint8Array(100)]) : await file.append([new Uint8Array(100)]);
  b ? file.syncSync('data') : await file.sync('data');
  b ? file.truncateSync(50) : await file.truncate(50);
  b ? file.closeSync() : await file.close();
  const again = b ? files.reopenWritableSync('/1.log') : await files.reopenWritable('/1.log');
  b ? again.closeSync() : await again.close();
  const reused = b ? files.reuseWritableSync('/1.log', '/2.log') : await files.reuseWritable('/1.log', '/2.log');
  b ? reused.closeSync() : await reused.close();
  const reader = b ? files.openRandomSync('/2.log') : await files.openRandom('/2.log');
  b ? reader.readSync(new Uint8Array(8), 0) : await reader.read(new Uint8Array(8), 0);
  b ? reader.sizeSync() : await reader.size();
  b ? reader.closeSync() : await reader.close();
  const sequential = b ? files.openSequentialSync('/2.log') : await files.openSequential('/2.log');
  b ? sequential.closeSync() : await sequential.close();
  const directory = b ? files.openDirectorySync('/') : await files.openDirectory('/');
  b ? directory.syncSync('renamed') : await directory.sync('renamed');
  b ? directory.closeSync() : await directory.close();
  b ? files.linkSync('/2.log', '/3.log') : await files.link('/2.log', '/3.log');
  b ? files.renameSync('/3.log', '/4.log') : await files.rename('/3.log', '/4.log');
  b ? files.unlinkSync('/4.log') : await files.unlink('/4.log');
  b ? files.mkdirSync('/d') : await files.mkdir('/d');
  b ? files.rmdirSync('/d') : await files.rmdir('/d');
  b ? files.listSync('/') : await files.list('/');
  b ? files.statSync('/') : await files.stat('/');
  b ? files.existsSync('/') : await files.exists('/');
  const lock = b ? files.lockSync('/LOCK') : await files.lock('/LOCK');
  b ? lock.releaseSync() : await lock.release();
  b ? files.freeSpaceSync('/') : await files.freeSpace('/');
}

test.each([true, false])(
  'every call can be failed in turn, before or after its effect (blocking: %s)',
  async (blocking) => {
    const sound = faulty();
    await exercise(sound, blocking);
    expect(sound.count).toBeGreaterThanOrEqual(FILE_OPERATION_KINDS.length);
    for (const afterEffect of [false, true]) {
      for (let nth = 1; nth <= sound.count; nth++) {
        const inner = new MemoryFileSystem();
        const files = new FaultFileSystem(inner);
        const fault = files.inject({ fault: 'EACCES', nth, afterEffect });
        const failure = await exercise(files, blocking).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure, `call ${nth}`).toBeInstanceOf(DBError);
        expect(errnoOf(failure)).toBe('EACCES');
        expect(fault.injected).toBe(1);
      }
    }
  },
);

test('the trace names every kind of call', async () => {
  const files = faulty();
  files.trace = [];
  await exercise(files, true);
  const traced = new Set(files.trace.map((line) => line.split(' ')[1]));
  expect([...traced].sort()).toEqual([...FILE_OPERATION_KINDS].sort());
  expect(files.trace[0]).toBe('0 create /1.log');
  expect(files.trace).toContain('1 append /1.log +100');
});

test('a rule counts only the calls it matches', () => {
  const files = faulty({ fault: 'EIO', kinds: ['sync'], path: /\.log$/, nth: 2 });
  const log = files.createWritableSync('/1.log');
  const table = files.createWritableSync('/2.sst');
  log.syncSync('data');
  table.syncSync('data');
  table.syncSync('data');
  expect(errnoOfCall(() => log.syncSync('data'))).toBe('EIO');
  expect(log.poisoned).toBe(true);
  expect(table.poisoned).toBe(false);
});

test('a sticky fault lasts until the rules are cleared', () => {
  const files = faulty({ fault: 'ENOSPC', kinds: ['create'], nth: 2, sticky: true });
  files.createWritableSync('/1').closeSync();
  for (const name of ['/2', '/3']) expect(errnoOfCall(() => files.createWritableSync(name))).toBe('ENOSPC');
  files.clear();
  files.createWritableSync('/2').closeSync();
});

test('ENOSPC is NO_SPACE', () => {
  const files = faulty({ fault: 'ENOSPC', kinds: ['create'] });
  expect(() => files.createWritableSync('/1')).toThrow(expect.objectContaining({ code: 'NO_SPACE' }));
});

test('a short write leaves half of the bytes and a poisoned file', () => {
  const files = faulty({ fault: 'short-write' });
  const file = files.createWritableSync('/1');
  expect(errnoOfCall(() => file.appendSync([Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6, 7)]))).toBe('EIO');
  expect(file.poisoned).toBe(true);
  expect(errnoOfCall(() => file.appendSync([Uint8Array.of(1)]))).toBeDefined();
  file.closeSync();
  const buffer = new Uint8Array(7);
  expect(files.openRandomSync('/1').readSync(buffer, 0)).toBe(3);
  expect([...buffer]).toEqual([1, 2, 3, 0, 0, 0, 0]);
});

test('a short read gives half of the bytes asked for', async () => {
  const files = faulty({ fault: 'short-read', nth: 2 });
  const file = files.createWritableSync('/1');
  file.appendSync([new Uint8Array(100)]);
  const reader = files.openRandomSync('/1');
  expect(await reader.read(new Uint8Array(40), 0)).toBe(40);
  expect(await reader.read(new Uint8Array(40), 0)).toBe(20);
  expect(await reader.read(new Uint8Array(40), 0)).toBe(40);
});

test('after-effect faults leak no handle, and a failed close has closed', () => {
  const inner = new MemoryFileSystem();
  const files = new FaultFileSystem(inner);
  files.inject({ fault: 'EIO', afterEffect: true, kinds: ['create'] });
  expect(errnoOfCall(() => files.createWritableSync('/1'))).toBe('EIO');
  expect(inner.existsSync('/1')).toBe(true);
  files.inject({ fault: 'EIO', kinds: ['close'] });
  const reader = files.openRandomSync('/1');
  expect(errnoOfCall(() => reader.closeSync())).toBe('EIO');
  files.inject({ fault: 'EIO', kinds: ['lock'], afterEffect: true });
  expect(errnoOfCall(() => files.lockSync('/LOCK'))).toBe('EIO');
  files.lockSync('/LOCK').releaseSync();
  expect(inner.openDescriptors).toBe(0);
});

test('call sites are told apart', () => {
  const files = new FaultFileSystem(new MemoryFileSystem(), { recordCallSites: true });
  for (let i = 0; i < 3; i++) files.existsSync('/here');
  expect([...files.callSites.values()].reduce((a, b) => a + b)).toBe(3);
});

test('files are known by their names', () => {
  const kinds = {
    '/db/000012.log': 'wal',
    '/db/000012.sst': 'table',
    '/db/000012.ldb': 'table',
    '/db/MANIFEST-000004': 'manifest',
    '/db/CURRENT': 'current',
    '/db/000004.dbtmp': 'temporary',
    '/db/OPTIONS-000007': 'options',
    '/db/OPTIONS-000007.dbtmp': 'temporary',
    '/db/LOG': 'log',
    '/db/LOG.old.1700000000000000': 'log',
    '/db/LOCK': 'lock',
    '/db/IDENTITY': 'identity',
    '/db/000012.blob': 'blob',
    '/db': 'other',
  };
  expect(Object.fromEntries(Object.keys(kinds).map((path) => [path, fileKindOf(path)]))).toEqual(kinds);
});

test('a kill point ends the process at its place, with nothing after it', () => {
  using directory = temporaryDirectory();
  const module = fileURLToPath(new URL('../../../src/env/fault-injection-file-system.ts', import.meta.url));
  const script = `
    import { killingFileSystem } from ${JSON.stringify(module)};
    const files = killingFileSystem({ point: 'before:rename:current' });
    const file = files.createWritableSync(${JSON.stringify(`${directory.path}/1.dbtmp`)});
    file.appendSync([Buffer.from('abc')]);
    files.renameSync(file.path, ${JSON.stringify(`${directory.path}/CURRENT`)});
    console.log('alive');`;
  fs.writeFileSync(`${directory.path}/script.mts`, script);
  const run = spawnSync(process.execPath, ['--import', 'tsx', `${directory.path}/script.mts`], { encoding: 'utf8' });
  expect(run.signal, run.stderr).toBe('SIGKILL');
  expect(run.stdout).toBe('');
  expect(fs.readdirSync(directory.path).sort()).toEqual(['1.dbtmp', 'script.mts']);
  expect(fs.readFileSync(`${directory.path}/1.dbtmp`, 'utf8')).toBe('abc');
});
