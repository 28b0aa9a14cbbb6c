/** The README's example does what the README says. Method: run its code block, compare with the block below it. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from './support/source-files.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const readme = readFileSync(join(PROJECT_ROOT, 'README.md'), 'utf8');

/** The first code block of a language. */
function block(language: string): string {
  return new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme)?.[1] ?? '';
}

test('S18 the example of the README runs and prints what stands there', () => {
  using directory = temporaryDirectory();
  const entry = pathToFileURL(join(PROJECT_ROOT, 'src/index.ts')).href;
  const example = block('js');
  expect(example).toContain("from 'pumice'");
  const script = join(directory.path, 'example.mjs');
  writeFileSync(script, example.replace("'pumice'", `'${entry}'`));
  const loader = pathToFileURL(join(PROJECT_ROOT, 'node_modules/tsx/dist/esm/index.mjs')).href;
  const run = spawnSync(process.execPath, ['--import', loader, script], { cwd: directory.path, encoding: 'utf8' });
  expect(`${run.stderr}${run.stdout}`).toBe(block('text'));
  expect(run.status).toBe(0);
});

test('every command of the README exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm run (?:-s )?([a-z_:]+)/g)].map((match) => match[1]!);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
});
