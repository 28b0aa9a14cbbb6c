/** What the inputs of a compaction hold in memory. */
import { expect, test } from 'vitest';
import { readSizeFor } from '../../compaction/compaction-inputs.ts';

const KIB = 1024;

test('the reads of all runs stay within 32 MiB together: 1602 level-0 files of a bulk load took 400 MB', () => {
  expect(readSizeFor(1)).toBe(256 * KIB);
  expect(readSizeFor(128)).toBe(256 * KIB);
  for (const runs of [129, 500, 1602, 2048]) {
    expect(readSizeFor(runs) * runs).toBeLessThanOrEqual(32 * KIB * KIB);
    expect(readSizeFor(runs) * runs).toBeGreaterThan(31 * KIB * KIB);
  }
  expect(readSizeFor(1e6)).toBe(16 * KIB);
});
