/** House rules that a reader would otherwise have to check by eye. Method: read every source file. */

import ts from 'typescript';
import { expect, test } from 'vitest';
import { readSourceFiles } from '../support/source-files.ts';
import { type ParsedFile, parseFile } from './import-graph.ts';

/** Written by a build step, not by hand. */
const GENERATED = new Set(['format/kernel/kernel-wasm.ts']);
const LINES_MAX = 800;

const files = readSourceFiles()
  .filter((file) => !GENERATED.has(file.path))
  .map(parseFile);

function nodesOf(file: ParsedFile, kind: ts.SyntaxKind): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (node.kind === kind) {
      found.push(`${file.path}:${file.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

test('no source file is longer than 800 lines', () => {
  const long = files.map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }));
  expect(long.filter((file) => file.lines > LINES_MAX)).toEqual([]);
});

test('nothing is typed any', () => {
  expect(files.flatMap((file) => nodesOf(file, ts.SyntaxKind.AnyKeyword))).toEqual([]);
});

test('nothing is left to be done later', () => {
  const marker = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`);
  const marked = files.flatMap((file) =>
    file.text
      .split('\n')
      .flatMap((line, index) => (marker.test(line) ? [`${file.path}:${index + 1} ${line.trim()}`] : [])),
  );
  expect(marked).toEqual([]);
});

test('each file opens with a comment that says what it is', () => {
  // Imports may stand before it where the first thing in the file is what the comment explains.
  const opening = /^(#!.*\n)?(import [^;]*;\s*)*\s*\/\*\*/;
  expect(files.filter((file) => !opening.test(file.text)).map((file) => file.path)).toEqual([]);
});

test('files are named in kebab-case after one idea', () => {
  const vague = /(^|\/)(utils?|helpers?|common|misc|manager2)\.ts$/;
  const wrong = files.filter((file) => vague.test(file.path) || !/\/[a-z0-9]+([-.][a-z0-9]+)*\.ts$/.test(file.path));
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test('no source imports the compiled form of another', () => {
  expect(files.filter((file) => /from '[^']*\bdist\//.test(file.text)).map((file) => file.path)).toEqual([]);
});
