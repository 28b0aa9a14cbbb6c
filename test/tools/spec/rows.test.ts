/** The bookkeeping of specification rows. Method: made-up reports. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatReport, leadingIds, reportRows, type SpecRow, testsByRow } from '../../../tools/spec/rows.ts';

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
