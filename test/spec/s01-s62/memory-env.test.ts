/** A database in memory opens no file: shown by the system's own trace of a process that works with one. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DB, Env, MemoryFileSystem } from '../../../src/index.ts';
import { scanForward } from '../../support/read-database.ts';
import { PROJECT_ROOT } from '../../support/source-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const strace = spawnSync('strace', ['-V']).error === undefined;
const PATH = '/pumice-in-memory/db';

const work = `
import { DB, Env } from ${JSON.stringify(join(PROJECT_ROOT, 'src/index.ts'))};
const env = Env.memory();
for (let round = 0; round < 2; round++) {
  const db = await DB.open(${JSON.stringify(PATH)}, { env, createIfMissing: true, writeBufferSize: 65536 });
  for (let i = 0; i < 3000; i++) await db.put('key' + i, 'value '.repeat(20), { sync: i % 100 === 0 });
  await db.flush();
  await db.compactRange();
  if ((await db.get('key7')) === undefined) throw new Error('lost');
  await db.close();
}
console.log('done');
`;

test.skipIf(!strace)('S4 a process with a database in memory opens no file of it', { timeout: 60_000 }, () => {
  using directory = temporaryDirectory();
  const trace = join(directory.path, 'trace');
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', work];
  const run = spawnSync('strace', ['-f', '-e', 'trace=%file', '-o', trace, ...node], {
    cwd: PROJECT_ROOT,
    encoding: 'utf8',
  });
  expect(run.stdout).toBe('done\n');
  const calls = readFileSync(trace, 'utf8');
  expect(calls).toContain('open');
  expect(calls).not.toContain('pumice-in-memory');
  expect(calls).not.toMatch(/\.sst"|MANIFEST-|\d{6}\.log"/);
});

test('S4 what lives in memory lives as long as its Env, and two of them are apart', async () => {
  const fileSystem = new MemoryFileSystem();
  const env = new Env({ fileSystem });
  for (let round = 1; round <= 3; round++) {
    await using db = await DB.open(PATH, { env, createIfMissing: true });
    await db.put(`round ${round}`, 'x');
    if (round === 2) await db.flush();
    expect(scanForward(db).length).toBe(round);
  }
  await using other = await DB.open(PATH, { env: Env.memory(), createIfMissing: true });
  expect(scanForward(other)).toEqual([]);
  expect(existsSync('/pumice-in-memory')).toBe(false);
  expect(fileSystem.listSync(PATH)).toContain('CURRENT');
  await DB.destroy(PATH, { env });
  expect(fileSystem.existsSync(PATH)).toBe(false);
  expect(fileSystem.openDescriptors).toBe(0);
});
