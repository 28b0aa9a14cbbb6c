/** The core knows nothing of what is built on it. Method: follow every import of the core's files, however many steps. */
import { expect, test } from 'vitest';
import { readSourceFiles } from '../support/source-files.ts';
import { importsOf, parseFile } from './import-graph.ts';

const files = readSourceFiles().map(parseFile);
const edges = new Map(
  files.map((file) => [file.path, importsOf(file).flatMap(({ to, relative }) => (relative ? [to] : []))]),
);

/** Everything that the files import, directly or through others. */
function reach(from: readonly string[]): Set<string> {
  const found = new Set(from);
  // A set gives what is added while it is walked through.
  for (const path of found) for (const next of edges.get(path) ?? []) found.add(next);
  return found;
}

function isCore(path: string): boolean {
  return /^(format|compaction|src)\//.test(path) && !/^src\/(utilities\/|testing\/|index\.ts$)/.test(path);
}

test('S105 no file of the core imports a stacked database, a backup or a tool, at any number of steps', () => {
  const core = [...edges.keys()].filter(isCore);
  expect(core.length).toBeGreaterThan(200);
  expect(core).toContain('src/db/open.ts');
  expect([...reach(core)].filter((path) => edges.has(path) && !isCore(path))).toEqual([]);
});

test('S105 TtlDB is a module of its own over the core, and the only door to it is the package’s entry', () => {
  const importers = [...edges].filter(([, to]) => to.includes('src/utilities/ttl-db.ts')).map(([path]) => path);
  expect(importers.filter((path) => path.startsWith('src/'))).toEqual(['src/index.ts']);
  const needs = reach(['src/utilities/ttl-db.ts']);
  expect(needs.has('src/utilities/stackable-db.ts')).toBe(true);
  expect(needs.has('src/db/db.ts')).toBe(true);
});

test('S105 the core does not mention expiry by TtlDB', () => {
  const mentions = files.filter(({ path, text }) => isCore(path) && /TtlDB|ttl-(db|value|components)/.test(text));
  expect(mentions.map(({ path }) => path)).toEqual([]);
});
