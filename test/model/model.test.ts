/**
 * Random operations against a sorted map. Method: each option set runs in memory and on the real file system; a
 * difference prints the seed, the last writes and the command that repeats the run. PUMICE_MODEL_OPERATIONS sets how
 * many operations each run makes.
 */

import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { Env } from '../../src/index.ts';
import { seedFor } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ModelRun } from './model-run.ts';
import { OPTION_SETS } from './option-sets.ts';

const OPERATIONS = Number(process.env.PUMICE_MODEL_OPERATIONS ?? 80_000);
const TIMEOUT_MS = 10 * 60_000;

let done = 0;
afterAll(() => {
  process.stdout.write(`model: ${done} operations over ${OPTION_SETS.length} option sets, seed ${seedFor(1)}\n`);
});

describe('S17 S29 S30 S31 S32 in memory', () => {
  test.each(OPTION_SETS.map((set) => [set.name, set] as const))(
    'R7 %s',
    async (_name, optionSet) => {
      const run = new ModelRun({ optionSet, seed: seedFor(1), operations: OPERATIONS, path: '/db', env: Env.memory() });
      await run.run();
      done += run.operations;
    },
    TIMEOUT_MS,
  );
});

describe('S17 S29 S30 S31 S32 on the file system', () => {
  test.each(OPTION_SETS.map((set) => [set.name, set] as const))(
    'R7 %s',
    async (_name, optionSet) => {
      using directory = temporaryDirectory();
      const path = join(directory.path, 'db');
      const run = new ModelRun({ optionSet, seed: seedFor(2), operations: OPERATIONS, path });
      await run.run();
      done += run.operations;
    },
    TIMEOUT_MS,
  );
});
