/** The rows of the specification and the test results that belong to them: pure functions, no files. */

/** One thing the specification names. */
export interface SpecRow {
  /** `S1` to `S149`. */
  id: string;
  section: string;
  /** The words of the specification. */
  term: string;
  /** What must hold for the row to be done. */
  done: string;
}

/** How one test ended. */
export type TestOutcome = 'passed' | 'failed' | 'skipped';

/** One test of a report. */
export interface TestResult {
  name: string;
  file: string;
  outcome: TestOutcome;
}

/** A row with the tests that carry its id. */
export interface RowReport {
  row: SpecRow;
  tests: TestResult[];
  /** `done`: there are tests and all passed. `failing`: one failed. `open`: no test, or only skipped ones. */
  state: 'done' | 'failing' | 'open';
}

/** The part that matters here of the report that the test runner's JSON reporter writes. */
export interface RunnerReport {
  testResults: {
    name: string;
    assertionResults: { ancestorTitles: string[]; title: string; status: string }[];
  }[];
}

/** The row ids a test's name begins with, separated by spaces; ids of reliability figures (`R4`) may stand among them. */
export function leadingIds(name: string): string[] {
  const match = /^(?:[RS]\d+ )+/.exec(name);
  const ids = match === null ? [] : match[0].trim().split(' ');
  return ids.filter((id) => id.startsWith('S'));
}

/** Every test of a report by the row ids that it, or a group around it, is named for. */
export function testsByRow(report: RunnerReport, projectRoot: string): Map<string, TestResult[]> {
  const byRow = new Map<string, TestResult[]>();
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      const titles = [...test.ancestorTitles, test.title];
      const result: TestResult = {
        name: titles.join(' > '),
        file: file.name.startsWith(projectRoot) ? file.name.slice(projectRoot.length + 1) : file.name,
        outcome: test.status === 'passed' || test.status === 'failed' ? test.status : 'skipped',
      };
      for (const id of new Set(titles.flatMap(leadingIds))) {
        byRow.set(id, [...(byRow.get(id) ?? []), result]);
      }
    }
  }
  return byRow;
}

/** Joins rows and results, in the order of the rows. */
export function reportRows(rows: readonly SpecRow[], tests: ReadonlyMap<string, TestResult[]>): RowReport[] {
  return rows.map((row) => {
    const own = tests.get(row.id) ?? [];
    const failing = own.some((test) => test.outcome === 'failed');
    const passing = own.some((test) => test.outcome === 'passed');
    return { row, tests: own, state: failing ? 'failing' : passing ? 'done' : 'open' };
  });
}

/** The report as text: every row, its tests, and the totals in the last line. */
export function formatReport(reports: readonly RowReport[], onlyOpen = false): string {
  const lines: string[] = [];
  let section = '';
  for (const { row, tests, state } of reports) {
    if (onlyOpen && state === 'done') {
      continue;
    }
    if (row.section !== section) {
      section = row.section;
      lines.push('', section);
    }
    lines.push(`${MARKS[state]} ${row.id.padEnd(5)} ${row.term}`);
    for (const test of tests) {
      lines.push(`            ${test.outcome.padEnd(8)} ${test.file}: ${test.name}`);
    }
  }
  const count = (state: RowReport['state']): number => reports.filter((report) => report.state === state).length;
  const total = `${reports.length} rows: ${count('done')} done, ${count('open')} not yet, ${count('failing')} failing`;
  return [...lines, '', total].join('\n').trimStart();
}

const MARKS: Record<RowReport['state'], string> = { done: '[done]', failing: '[FAIL]', open: '[    ]' };
