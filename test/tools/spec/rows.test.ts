/** The bookkeeping of specification rows. Method: made-up reports. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatReport, leadingIds, reportRows, type SpecRow, testsByRow } from '../../../tools/spec/rows.ts';
import { PROJECT_ROOT, readSourceFiles } from '../../support/source-files.ts';

const rows = JSON.parse(readFileSync(new URL('../../spec-rows.json', import.meta.url), 'utf8')) as SpecRow[];

test('the rows are S1 to S149, each once and in order', () => {
  expect(rows.map((row) => row.id)).toEqual(Array.from({ length: 149 }, (_, index) => `S${index + 1}`));
  expect(rows.every((row) => row.term !== '' && row.done !== '' && row.section !== '')).toBe(true);
});

test('ids are read from the beginning of a name only', () => {
  expect(leadingIds('S66 snappy')).toEqual(['S66']);
  expect(leadingIds('S66 S67 two codecs')).toEqual(['S66', 'S67']);
  expect(leadingIds('R4 S44 damage')).toEqual(['S44']);
  expect(leadingIds('snappy S66 ')).toEqual([]);
  expect(leadingIds('S66: no space after the id')).toEqual([]);
});

test('a row is done when it has tests and none of them failed', () => {
  const assertion = (title: string, status: string, ancestorTitles: string[] = []) => ({
    title,
    status,
    ancestorTitles,
  });
  const report = {
    testResults: [
      {
        name: '/root/test/a.test.ts',
        assertionResults: [
          assertion('S1 passes', 'passed'),
          assertion('S2 fails', 'failed'),
          assertion('S2 passes', 'passed'),
          assertion('S3 skipped', 'skipped'),
          assertion('inner', 'passed', ['S4 a group']),
        ],
      },
    ],
  };
  const reports = reportRows(rows.slice(0, 5), testsByRow(report, '/root'));
  expect(reports.map((each) => each.state)).toEqual(['done', 'failing', 'open', 'done', 'open']);
  const text = formatReport(reports);
  expect(text).toContain('test/a.test.ts: S4 a group > inner');
  expect(text).toMatch(/5 rows: 2 done, 2 not yet, 1 failing$/);
});

/** The names of tests, as they stand in the sources, and the rows that recorded sessions of the tools say they are of. */
function testNames(): string[] {
  const sources = readSourceFiles().filter(({ path }) => path.startsWith('test/') && path.endsWith('.test.ts'));
  const names = sources.flatMap(({ text }) => [...text.matchAll(/['`"]((?:[RS]\d+ ?)+)/g)].map((match) => match[1]!));
  const folder = join(PROJECT_ROOT, 'test/tools/recorded');
  const sessions = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  const recorded = sessions.flatMap((name) => readFileSync(join(folder, name), 'utf8').match(/^rows .*$/m) ?? []);
  return [...names, ...recorded.map((line) => line.slice('rows '.length))];
}

test('S126 every row has a test that bears its name', () => {
  const named = new Set(testNames().flatMap((name) => leadingIds(`${name.trim()} `)));
  // There is no HDFS to be had.
  expect(rows.filter(({ id }) => !named.has(id)).map(({ term }) => term)).toEqual([expect.stringContaining('HDFS')]);
});

test('S127 make check runs lint, types, build, all tests and prints the table of rows', () => {
  const makefile = readFileSync(join(PROJECT_ROOT, 'Makefile'), 'utf8');
  expect(makefile).toMatch(/^check:\n\tnpm run check$/m);
  const { scripts } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const steps = ['format:check', 'lint', 'types', 'build', 'test', 'spec'];
  expect(scripts.check!.split(' && ')).toEqual(steps.map((step) => (step === 'test' ? 'npm test' : `npm run ${step}`)));
  for (const step of steps) expect(scripts[step]).toBeDefined();
});
