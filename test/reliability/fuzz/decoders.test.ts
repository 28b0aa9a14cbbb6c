/**
 * Every decoder of bytes that somebody else may have written, under hostile input: it answers or refuses with a typed error,
 * whatever stands behind the input, and gives its memory back. Method: seeded mutations of sound bytes, for logs with right
 * checksums every other time, for tables without any. PUMICE_FUZZ_ROUNDS inputs for each, and PUMICE_FUZZ_SECONDS at least.
 */

import { afterAll, expect, test } from 'vitest';
import { seedFor } from '../../support/random.ts';
import { fileTargets } from './file-targets.ts';
import { fuzz } from './fuzz-target.ts';
import { recordTargets } from './record-targets.ts';

const ROUNDS = Number(process.env.PUMICE_FUZZ_ROUNDS ?? 1500);
const SECONDS = Number(process.env.PUMICE_FUZZ_SECONDS ?? 0);
const SEED = seedFor(91);
const TIMEOUT_MS = 10 * 60_000 + SECONDS * 2000 + ROUNDS * 20;

const targets = [...recordTargets(), ...fileTargets()];
let inputs = 0;
let refused = 0;
let slowest = { ms: 0, where: '' };

test.each(targets.map((target) => [target.name, target] as const))(
  'R9 hostile input gives an answer or a typed error: %s',
  (name, target) => {
    const report = fuzz(target, SEED, { rounds: ROUNDS, seconds: SECONDS });
    inputs += report.inputs;
    refused += report.refused;
    if (report.slowestMs > slowest.ms)
      slowest = { ms: report.slowestMs, where: `${name}, round ${report.slowestRound}` };
  },
  TIMEOUT_MS,
);

test('R9 the input is hostile: much of it is refused', () => {
  expect(refused).toBeGreaterThan(inputs / 5);
});

afterAll(() => {
  process.stdout.write(
    `fuzzing: ${inputs} inputs for ${targets.length} decoders, ${refused} refused, seed ${SEED}; ` +
      `the slowest took ${slowest.ms.toFixed(1)} ms (${slowest.where})\n`,
  );
});
