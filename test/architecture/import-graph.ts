/**
 * Reads the imports of source files with the TypeScript compiler: static imports, re-exports, type-only imports,
 * `import('…')` types, dynamic imports, and `new URL('…', import.meta.url)`, by which worker entries are named.
 */

import { posix } from 'node:path';
import ts from 'typescript';
import type { SourceFile } from '../support/source-files.ts';

/** One import: where it stands and what it names. */
export interface Import {
  from: string;
  /** A path from the project's root for a relative import, else the package's or built-in's name as written. */
  to: string;
  relative: boolean;
  line: number;
}

/** A file with its syntax tree, parsed once for all checks. */
export interface ParsedFile extends SourceFile {
  tree: ts.SourceFile;
}

/** Parses a file without resolving anything. */
export function parseFile(file: SourceFile): ParsedFile {
  return { ...file, tree: ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023, true) };
}

/** Every import of one file, in the order of its text. */
export function importsOf(file: ParsedFile): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      const relative = specifier.text.startsWith('.');
      const to = relative ? posix.join(posix.dirname(file.path), specifier.text) : specifier.text;
      const line = file.tree.getLineAndCharacterOfPosition(specifier.getStart()).line + 1;
      found.push({ from: file.path, to, relative, line });
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

function specifierOf(node: ts.Node): ts.StringLiteralLike | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return literal(node.moduleSpecifier);
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return literal(node.argument.literal);
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return literal(node.arguments[0]);
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'URL') {
    const [target, base] = node.arguments ?? [];
    const named = literal(target);
    return base?.getText() === 'import.meta.url' && named?.text.endsWith('.ts') ? named : undefined;
  }
  return undefined;
}

function literal(node: ts.Node | undefined): ts.StringLiteralLike | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node : undefined;
}

/** The circles of a graph: each strongly connected set of more than one file, and each file that imports itself. */
export function findCircles(edges: Map<string, string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const circles: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    stack.push(node);
    onStack.add(node);
    for (const next of edges.get(node) ?? []) {
      if (!index.has(next)) {
        visit(next);
        low.set(node, Math.min(low.get(node)!, low.get(next)!));
      } else if (onStack.has(next)) {
        low.set(node, Math.min(low.get(node)!, index.get(next)!));
      }
    }
    if (low.get(node) === index.get(node)) {
      const members: string[] = [];
      let member: string;
      do {
        member = stack.pop()!;
        onStack.delete(member);
        members.push(member);
      } while (member !== node);
      if (members.length > 1 || (edges.get(node) ?? []).includes(node)) {
        circles.push(members.reverse());
      }
    }
  };
  for (const node of edges.keys()) {
    if (!index.has(node)) {
      visit(node);
    }
  }
  return circles;
}
