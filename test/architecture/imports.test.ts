/** The direction of every import: down, never up, never sideways, never in a circle. Method: read them all. */

import { expect, test } from 'vitest';
import { readSourceFiles } from '../support/source-files.ts';
import { findCircles, importsOf, parseFile } from './import-graph.ts';
import { FORBIDDEN_MODULES, layerViolation } from './layers.ts';

const files = readSourceFiles().map(parseFile);
const paths = new Set(files.map((file) => file.path));
const imports = files.flatMap(importsOf);

test('every relative import names a file of this project', () => {
  // Written relative to the root: package.json, scripts that are not TypeScript, and data files are looked at by name.
  const missing = imports.filter((i) => i.relative && i.to.endsWith('.ts') && !paths.has(i.to));
  expect(missing.map((i) => `${i.from}:${i.line} imports ${i.to}, which does not exist`)).toEqual([]);
});

test('imports only go down, and never between folders of one floor', () => {
  const wrong: string[] = [];
  for (const i of imports.filter((each) => each.relative)) {
    const why = layerViolation(i.from, i.to);
    if (why !== undefined) {
      wrong.push(`${i.from}:${i.line} imports ${i.to}: ${why}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('there is no circle of imports, type imports included', () => {
  const edges = new Map<string, string[]>();
  for (const path of paths) {
    edges.set(path, []);
  }
  for (const i of imports.filter((each) => each.relative && paths.has(each.to))) {
    edges.get(i.from)?.push(i.to);
  }
  expect(findCircles(edges).map((circle) => circle.join(' -> '))).toEqual([]);
});

test('format/ and compaction/ touch no files, threads or machines', () => {
  const wrong = imports
    .filter((i) => !i.relative && FORBIDDEN_MODULES[i.from.split('/')[0] ?? '']?.modules.test(i.to))
    .map((i) => `${i.from}:${i.line} imports ${i.to}: ${FORBIDDEN_MODULES[i.from.split('/')[0] ?? '']?.why}`);
  expect(wrong).toEqual([]);
});

test('built-in modules are imported by their node: names', () => {
  const bare =
    /^(fs|path|os|zlib|util|stream|events|buffer|crypto|child_process|worker_threads|url|assert|net|http)(\/|$)/;
  expect(imports.filter((i) => bare.test(i.to)).map((i) => `${i.from}:${i.line} imports ${i.to}`)).toEqual([]);
});

test('the checks themselves find an upward, a sideways and a circular import', () => {
  expect(layerViolation('format/sst/a.ts', 'src/db/b.ts')).toMatch(/imports only go down/);
  expect(layerViolation('format/base/a.ts', 'format/kernel/b.ts')).toMatch(/one floor/);
  expect(layerViolation('src/wal/a.ts', 'src/read/b.ts')).toMatch(/imports only go down/);
  expect(layerViolation('src/nowhere/a.ts', 'src/env/b.ts')).toMatch(/no rank/);
  expect(layerViolation('src/db/a.ts', 'src/index.ts')).toMatch(/imports only go down/);
  expect(layerViolation('tools/ldb/main.ts', 'tools/sst-dump/main.ts')).toMatch(/tools\/lib/);
  expect(layerViolation('src/db/a.ts', 'format/base/b.ts')).toBeUndefined();
  expect(layerViolation('src/index.ts', 'src/utilities/b.ts')).toBeUndefined();
  expect(layerViolation('tools/ldb/main.ts', 'tools/lib/flags.ts')).toBeUndefined();
  expect(
    findCircles(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['a']],
        ['d', ['a']],
      ]),
    ),
  ).toEqual([['a', 'b', 'c']]);
  const text = [
    "import type { A } from './a.ts';",
    "export * from './b.ts';",
    "type C = import('./c.ts').C;",
    "const d = await import('./d.ts');",
    "const e = new URL('./e.ts', import.meta.url);",
    "import 'node:fs';",
  ].join('\n');
  const found = importsOf(parseFile({ path: 'src/x/y.ts', text })).map((i) => i.to);
  expect(found).toEqual(['src/x/a.ts', 'src/x/b.ts', 'src/x/c.ts', 'src/x/d.ts', 'src/x/e.ts', 'node:fs']);
});
