/** Runs abstract-level's own suite, with tape, over `PumiceLevel`. Its output is TAP; the exit code says whether all passed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PumiceLevel, type PumiceLevelOptions } from '../../src/utilities/level/index.ts';

/** Options of abstract-level's suite, which has no types. */
interface SuiteOptions {
  test: unknown;
  factory(options?: PumiceLevelOptions<string, string>): PumiceLevel;
}

const load = createRequire(import.meta.url);
const root = mkdtempSync(join(tmpdir(), 'pumice-level-'));
let count = 0;

process.on('exit', () => rmSync(root, { recursive: true, force: true }));
(load('abstract-level/test') as (options: SuiteOptions) => void)({
  test: load('tape') as unknown,
  factory: (options) => new PumiceLevel(join(root, String(++count)), options),
});
