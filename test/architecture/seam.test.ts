/**
 * Disk, time and chance have one door: src/env. Method: look at every identifier and import of the engine's sources.
 * What stands elsewhere is not under a test's control, and a seed would not replay a run.
 */
import ts from 'typescript';
import { expect, test } from 'vitest';
import { readSourceFiles, type SourceFile } from '../support/source-files.ts';

const MODULES = /^(node:)?(fs|fs\/promises|os|timers|timers\/promises|perf_hooks|crypto|child_process)$/;

/** Calls of time and chance, as `object.member` or a bare name. */
const CALLS = new Set([
  'Date.now',
  'Math.random',
  'performance.now',
  'performance.timeOrigin',
  'process.hrtime',
  'crypto.randomUUID',
  'crypto.getRandomValues',
  'setTimeout',
  'setInterval',
  'setImmediate',
]);

/** What may be used outside src/env, by the start of the path, and why. */
const ALLOWED: readonly { path: string; uses: readonly string[]; why: string }[] = [
  { path: 'src/write/', uses: ['setImmediate'], why: 'group commit waits one turn for company; it measures no time' },
  {
    path: 'src/background/',
    uses: ['setImmediate', 'node:os'],
    why: 'jobs in slices give the loop a turn between two; the pool is sized by the count of cores',
  },
];

interface Use {
  readonly name: string;
  readonly where: string;
  readonly path: string;
}

function importedModule(node: ts.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
    return ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : undefined;
  }
  const isDynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const argument = isDynamic ? node.arguments[0] : undefined;
  return argument !== undefined && ts.isStringLiteral(argument) ? argument.text : undefined;
}

function usedName(node: ts.Node): string | undefined {
  const module = importedModule(node);
  if (module !== undefined) return MODULES.test(module) ? `node:${module.replace(/^node:/, '')}` : undefined;
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.getText().replace(/^globalThis\./, '');
    return CALLS.has(name) ? name : undefined;
  }
  // `new Date()` without arguments reads the clock.
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0)
    return 'new Date';
  // A bare name; a member was seen above.
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return undefined;
  return CALLS.has(node.expression.text) ? node.expression.text : undefined;
}

function usesIn(file: SourceFile): Use[] {
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const found: Use[] = [];
  const visit = (node: ts.Node): void => {
    const name = usedName(node);
    const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    if (name !== undefined) found.push({ name, where: `${file.path}:${line} ${name}`, path: file.path });
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function isAllowed(use: Use): boolean {
  return ALLOWED.some((rule) => use.path.startsWith(rule.path) && rule.uses.includes(use.name));
}

function isEngine(path: string): boolean {
  return /^(format|compaction|src)\//.test(path) && !path.startsWith('src/env/') && !path.endsWith('/kernel-wasm.ts');
}

test('disk, time and chance are used in src/env only', () => {
  const uses = readSourceFiles()
    .filter((file) => isEngine(file.path))
    .flatMap(usesIn);
  expect(uses.filter((use) => !isAllowed(use)).map((use) => use.where)).toEqual([]);
});

test('the rule sees what it forbids', () => {
  const text = `
    import fs from 'node:fs';
    import { randomUUID } from 'crypto';
    export { readFile } from 'node:fs/promises';
    const lazy = import('os');
    const a = [Date.now(), Math.random(), globalThis.performance.now(), new Date()];
    setTimeout(() => {}, 1);
    const fine = [new Date(0), clock.now(), queueMicrotask(() => {})];`;
  expect(usesIn({ path: 'src/x.ts', text }).map((use) => use.name)).toEqual([
    'node:fs',
    'node:crypto',
    'node:fs/promises',
    'node:os',
    'Date.now',
    'Math.random',
    'performance.now',
    'new Date',
    'setTimeout',
  ]);
});

test('src/env itself uses them', () => {
  const uses = readSourceFiles()
    .filter((file) => file.path.startsWith('src/env/'))
    .flatMap(usesIn);
  expect(new Set(uses.map((use) => use.name))).toContain('node:fs');
});
