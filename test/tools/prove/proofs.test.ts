/** The counts of `npm run prove`. Method: every variable must be one that the tests of its proof read and that README.md lists. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environmentOf, PROOFS, parseSize } from '../../../tools/prove/proofs.ts';
import { readSourceFiles } from '../../support/source-files.ts';

const sources = readSourceFiles();
const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

test.each(PROOFS.map((proof) => [proof.row, proof] as const))(
  '%s: its variables are read and described',
  (row, proof) => {
    const tests = sources.filter(({ path }) => proof.files.some((file) => path.startsWith(file)));
    expect(tests.length).toBeGreaterThan(0);
    expect(tests.some(({ text }) => text.includes(`${row} `))).toBe(true);
    for (const name of Object.keys(environmentOf(proof, { scale: 1, hours: 1, seed: undefined }))) {
      expect(
        tests.some(({ text }) => text.includes(`process.env.${name}`)),
        name,
      ).toBe(true);
      expect(readme).toContain(`| \`${name}\``);
    }
  },
);

test('counts grow with the scale, up to what makes sense, and hours are shared among the decoders', () => {
  const proofOf = (row: string) => PROOFS.find((proof) => proof.row === row)!;
  const size = parseSize('100', '11', '7');
  expect(environmentOf(proofOf('R2'), size)).toEqual({ PUMICE_POWER_CUTS: '2000000', PUMICE_SEED: '7' });
  expect(environmentOf(proofOf('R15'), size)).toMatchObject({
    PUMICE_LOCK_PROCESSES: '200',
    PUMICE_LOCK_ROUNDS: '200',
  });
  expect(environmentOf(proofOf('R9'), size)).toMatchObject({ PUMICE_FUZZ_SECONDS: '900' });
});

test.each([
  ['0', '0', undefined, /--scale/],
  ['x', '0', undefined, /--scale/],
  ['1', '-1', undefined, /--hours/],
  ['1', '0', '1.5', /--seed/],
])('--scale=%s --hours=%s --seed=%s is refused', (scale, hours, seed, words) => {
  expect(() => parseSize(scale, hours, seed)).toThrow(words);
});
