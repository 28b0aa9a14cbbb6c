/**
 * Descriptors are bounded, and running out of them is an error that loses nothing. Method: a process under `ulimit -n` works
 * on more tables than it may have open, and counts what /proc says; another process judges the database afterwards.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DB } from '../../src/index.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CHILD = fileURLToPath(new URL('./fd-child.ts', import.meta.url));
const ROWS = 12_000;
const MAX_OPEN_FILES = 64;
const LIMIT = 256;
/** Beside tables: logs, MANIFEST, LOCK, LOG, what is being written, channels of the worker threads. */
const BESIDE_TABLES_MAX = 24;
const TIMEOUT_MS = 5 * 60_000;

interface Found {
  tables: number;
  reads: number;
  compaction: string;
  rows: number | string;
  readsAgain: number;
  mostReading: number;
  left: number;
}

function runLimited(directory: string, maxOpenFiles: number): Found {
  const command = `ulimit -n ${LIMIT}; exec "$0" --import tsx "$@"`;
  const args = ['-c', command, process.execPath, CHILD, directory, String(maxOpenFiles)];
  const run = spawnSync('bash', args, { cwd: PROJECT_ROOT, encoding: 'utf8', timeout: TIMEOUT_MS });
  expect(run.status, run.stderr.slice(-2000)).toBe(0);
  return JSON.parse(run.stdout) as Found;
}

async function expectWhole(directory: string): Promise<void> {
  await using db = await DB.open(directory);
  let rows = 0;
  for (const _row of db.entriesSync()) {
    rows++;
  }
  expect(rows).toBe(ROWS);
  await db.compactRange();
  await db.put('last', 'write', { sync: true });
}

test.runIf(process.platform === 'linux')(
  'R13 reads hold no more descriptors than maxOpenFiles and a few; a merge that needs more than ulimit -n says so and loses nothing',
  async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'db');
    const found = runLimited(path, MAX_OPEN_FILES);
    process.stdout.write(`open files: ${JSON.stringify(found)}\n`);
    expect(found.tables).toBe(300);
    expect(found.mostReading).toBeLessThanOrEqual(MAX_OPEN_FILES + BESIDE_TABLES_MAX);
    // The worker threads live on, with their channels.
    expect(found.left).toBeLessThanOrEqual(BESIDE_TABLES_MAX / 2);
    expect(found).toMatchObject({ reads: 3000, readsAgain: 3000 });
    for (const refusal of [found.compaction, found.rows]) {
      expect(refusal).toMatch(/^IO_ERROR .*\.sst: Too many open files \(EMFILE\)/);
    }
    await expectWhole(path);
  },
  TIMEOUT_MS,
);
