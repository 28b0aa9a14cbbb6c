/**
 * The public API against its report. A change that takes something away or alters it needs a new major version (below 1.0: a
 * new minor one); one that only adds needs a look at the difference. Both need `npm run api:check -- -u`, which writes it anew.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { apiReport, ENTRIES } from './api-report.ts';

const report = apiReport();

test('S15 the public API is the one of test/api/api-report.txt', async () => {
  await expect(report).toMatchFileSnapshot('api-report.txt');
});

test('S15 the report has every entry of the package, what these export, and the types that those mention', () => {
  const { exports } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string } | string>;
  };
  const entries = Object.entries(exports).flatMap(([name, target]) =>
    typeof target === 'string' ? [] : [[name.replace(/^\./, 'pumice'), target.types]],
  );
  const built = Object.entries(ENTRIES).map(([name, path]) => [name, `./dist/${path.replace(/\.ts$/, '.d.ts')}`]);
  expect(entries).toEqual(built);
  expect(report).toMatch(/^export declare class DB .*implements AsyncDisposable \{$/m);
  expect(report).toMatch(/^ {4}getSync\(key: .*$/m);
  expect(report).toMatch(/^export interface Options extends /m);
  expect(report).not.toMatch(/class (Engine|BackgroundWork) /);
  expect(report).toMatch(/^export declare class TtlDB /m);
  // Types are read, not inferred: what is public says its type.
  expect(report).not.toMatch(/: any\b/);
  // What is private is nobody's business, and comments may change.
  expect(report).not.toMatch(/#private|^\s+private |\/\*\*/m);
});
