/** `npm run bench:styles`: the amplifications of the two styles, of one load. Method: a small load in memory; counters only. */
import { expect, test } from 'vitest';
import { measureStyle } from '../../bench/styles/measure-style.ts';
import { stylesTable } from '../../bench/styles/styles-table.ts';

const LOAD = { writes: 120_000, keys: 60_000, valueSize: 100, seed: 55 };

test('S55 bench:styles finds that universal compaction writes less and takes more space at its peak', async () => {
  const level = await measureStyle('level', LOAD);
  const universal = await measureStyle('universal', LOAD);
  const table = stylesTable([level, universal]);
  process.stdout.write(`${table}\n`);
  expect(universal.writeAmplification).toBeLessThan(level.writeAmplification);
  expect(universal.peakBytes).toBeGreaterThan(level.peakBytes);
  // The same rows come out, and both are what was put in.
  expect(universal.rows).toBe(level.rows);
  expect(level.rows).toBeGreaterThan(LOAD.keys / 2);
  expect(level.writeAmplification).toBeGreaterThan(1);
  expect(table).toMatch(/^\| level +\| +\d+\.\d\d \| +\d+\.\d\d \| +\d+\.\d \| +\d+\.\d \|$/m);
  expect(table).toMatch(/^\| universal +\|/m);
});
