/**
 * Memory stays flat, however much data there is: under load, and while a long log is replayed. Method: processes of their own,
 * with a small heap, that watch their resident size; more data than caches and memtables hold. PUMICE_MEMORY_MIB and
 * PUMICE_LOG_MIB set how much. Seconds are printed, never judged.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileSources } from '../support/compiled-sources.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const LOAD_MIB = Number(process.env.PUMICE_MEMORY_MIB ?? 192);
const LOG_MIB = Number(process.env.PUMICE_LOG_MIB ?? 128);
/** For 64 MiB of cache and three memtables of 16 MiB, and for Node itself. */
const LOAD_RSS_MIB_MAX = LOAD_MIB > 1024 ? 400 : 300;
const REPLAY_RSS_MIB_MAX = 250;
const CHILD = 'test/reliability/memory-child';
const TIMEOUT_MS = 5 * 60_000 + (LOAD_MIB + LOG_MIB) * 1000;

interface Found {
  rows: number;
  expected: number;
  mostMiB: number;
  seconds: number;
}

let compiled: TemporaryDirectory;
beforeAll(() => {
  compiled = temporaryDirectory();
  compileSources(compiled.path, [`${CHILD}.ts`]);
});
afterAll(() => compiled[Symbol.dispose]());

function run(directory: string, task: 'load' | 'fill-log' | 'replay', sizeMiB: number): Found | undefined {
  const args = ['--max-old-space-size=96', join(compiled.path, `${CHILD}.js`), directory, task, String(sizeMiB)];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  if (task === 'fill-log') {
    expect(child.signal, child.stderr.slice(-2000)).toBe('SIGKILL');
    return undefined;
  }
  expect(child.status, child.stderr.slice(-2000)).toBe(0);
  process.stdout.write(`memory, ${task} of ${sizeMiB} MiB: ${child.stdout}`);
  return JSON.parse(child.stdout) as Found;
}

test(
  'R11 resident memory under writes, reads, scans and compactions is that of caches and memtables, not of the data',
  () => {
    using directory = temporaryDirectory();
    const found = run(join(directory.path, 'db'), 'load', LOAD_MIB)!;
    expect(found.rows).toBe(found.expected);
    expect(found.mostMiB).toBeLessThanOrEqual(LOAD_RSS_MIB_MAX);
  },
  TIMEOUT_MS,
);

test(
  'R17 a long log of a killed process is replayed whole, in the memory of a few memtables',
  () => {
    using directory = temporaryDirectory();
    run(join(directory.path, 'db'), 'fill-log', LOG_MIB);
    const found = run(join(directory.path, 'db'), 'replay', LOG_MIB)!;
    expect(found.rows).toBe(found.expected);
    expect(found.mostMiB).toBeLessThanOrEqual(REPLAY_RSS_MIB_MAX);
  },
  TIMEOUT_MS,
);
