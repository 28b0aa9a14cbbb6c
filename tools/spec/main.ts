/**
 * `npm run spec`: every row of the specification with the tests named for it, their last result, and how many rows are
 * done. Reads the report that the last `npm test` left; where there is none, or with `--run`, it runs the named tests
 * first. `--open` prints only what is not done, `--json` prints data.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatReport, type RunnerReport, reportRows, type SpecRow, testsByRow } from './rows.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const REPORT = join(ROOT, 'coverage/test-report.json');

function main(): number {
  const { values } = parseArgs({
    options: {
      run: { type: 'boolean', default: false },
      open: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.run || !existsSync(REPORT)) {
    runNamedTests();
  }
  if (!existsSync(REPORT)) {
    process.stderr.write('spec: the tests left no report\n');
    return 1;
  }
  const rows = JSON.parse(readFileSync(join(ROOT, 'test/spec-rows.json'), 'utf8')) as SpecRow[];
  const report = JSON.parse(readFileSync(REPORT, 'utf8')) as RunnerReport;
  const reports = reportRows(rows, testsByRow(report, ROOT));
  if (values.json) {
    process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
  } else {
    process.stdout.write(`${formatReport(reports, values.open)}\n`);
    process.stdout.write(`results of ${statSync(REPORT).mtime.toISOString()}; npm run spec -- --run tests again\n`);
  }
  return reports.some((each) => each.state === 'failing') ? 1 : 0;
}

/** Runs the tests whose names begin with a row's id; the report is written even where some of them fail. */
function runNamedTests(): void {
  process.stderr.write('spec: running the tests that are named for rows\n');
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '-t', '(^| )S[0-9]+ ', '--reporter=json', `--outputFile=${REPORT}`];
  spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
}

process.exitCode = main();
