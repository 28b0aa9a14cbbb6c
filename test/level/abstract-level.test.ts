/** abstract-level's own suite passes whole over `PumiceLevel`; it runs under tape in a process of its own. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../support/source-files.ts';

/** Assertions of the suite of abstract-level 3.1 for a database that declares every feature. */
const ASSERTIONS = 5168;

test('the official suite of abstract-level passes, every declared feature included', { timeout: 300_000 }, () => {
  const script = join(PROJECT_ROOT, 'test/level/abstract-level-suite.ts');
  const run = spawnSync(process.execPath, ['--import', 'tsx', script], {
    cwd: PROJECT_ROOT,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const failures = run.stdout.split('\n').filter((line) => line.startsWith('not ok'));
  expect({ failures: failures.slice(0, 20), stderr: run.stderr, status: run.status }).toEqual({
    failures: [],
    stderr: '',
    status: 0,
  });
  const passed = Number(/^# pass +(\d+)$/m.exec(run.stdout)?.[1]);
  expect(passed).toBeGreaterThanOrEqual(ASSERTIONS);
  expect(run.stdout).not.toMatch(/^# fail/m);
});
