/**
 * `npm run prove`: the proofs of reliability with larger counts than `npm test` has. `--scale=N` takes N times the counts of
 * the test run (default 10), `--hours=H` fuzzes each decoder so long that all take H hours beside that; `--only=R9` and `--seed`
 * choose. Every run of vitest prints its counts; the exit code is 1 where any failed. Not a benchmark: nothing judges time.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { environmentOf, PROOFS, type ProofSize, parseSize } from './proofs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Runs one proof to its end; true when it held. */
function prove(files: readonly string[], environment: Readonly<Record<string, string>>): boolean {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  process.stdout.write(`\n== ${[...settings, 'npx vitest run', ...files].join(' ')}\n`);
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', ...files, '--reporter=default'];
  const run = spawnSync(process.execPath, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  return run.status === 0;
}

function main(): number {
  const { values } = parseArgs({
    options: {
      scale: { type: 'string', default: '10' },
      hours: { type: 'string', default: '0' },
      only: { type: 'string' },
      seed: { type: 'string' },
    },
  });
  let size: ProofSize;
  try {
    size = parseSize(values.scale, values.hours, values.seed);
  } catch (error) {
    process.stderr.write(`prove: ${(error as Error).message}\n`);
    return 1;
  }
  const chosen = PROOFS.filter(({ row }) => values.only === undefined || values.only === row);
  if (chosen.length === 0) {
    process.stderr.write(`prove: --only takes one of ${PROOFS.map(({ row }) => row).join(' ')}\n`);
    return 1;
  }
  const failed = chosen.filter((proof) => !prove(proof.files, environmentOf(proof, size)));
  const names = failed.map(({ row }) => row).join(' ');
  process.stdout.write(
    `\nprove: ${chosen.length - failed.length} of ${chosen.length} held${names && `, not ${names}`}\n`,
  );
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = main();
