/** The model over option sets drawn at random: PUMICE_SEED draws others, PUMICE_MODEL_RANDOM_SETS says how many. */

import { describe, test } from 'vitest';
import { Env } from '../../src/index.ts';
import { seedFor } from '../support/random.ts';
import { ModelRun } from './model-run.ts';
import { describeOptions, randomOptionSet } from './random-options.ts';

const SETS = Number(process.env.PUMICE_MODEL_RANDOM_SETS ?? 12);
const OPERATIONS = Number(process.env.PUMICE_MODEL_OPERATIONS ?? 20_000);
const TIMEOUT_MS = 10 * 60_000;

describe('options drawn at random', () => {
  test.each(Array.from({ length: SETS }, (_, i) => randomOptionSet(seedFor(7), i)))(
    'R7 $name',
    async (optionSet) => {
      const run = new ModelRun({ optionSet, seed: seedFor(7), operations: OPERATIONS, path: '/db', env: Env.memory() });
      try {
        await run.run();
      } catch (error) {
        throw new Error(`with ${describeOptions(optionSet.options)}`, { cause: error });
      }
    },
    TIMEOUT_MS,
  );
});
