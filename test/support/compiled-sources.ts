/** The engine as plain JavaScript, for tests that start many processes: each of them would else translate it by itself. */

import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { PROJECT_ROOT, readSourceFiles } from './source-files.ts';

const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/**
 * Writes the engine, and the test files `more` (paths from the project's root), as JavaScript below `directory`, under the
 * same relative paths. They run with `node` alone.
 */
export function compileSources(directory: string, more: readonly string[] = []): void {
  for (const { path, text } of readSourceFiles()) {
    if (path.endsWith('.d.ts') || !(/^(format|compaction|src)\//.test(path) || more.includes(path))) {
      continue;
    }
    const target = join(directory, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, ts.transpileModule(text, { compilerOptions: OPTIONS, fileName: path }).outputText);
  }
  cpSync(join(PROJECT_ROOT, 'package.json'), join(directory, 'package.json'));
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(directory, 'node_modules'));
}
