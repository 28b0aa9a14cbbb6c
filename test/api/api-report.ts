/**
 * The public API as text: the declaration of every name that an entry of the package exports, and of every type that these
 * mention, as the compiler writes them into `.d.ts` files, without comments and without what is private. A program that
 * compiles against one report compiles against the next as long as no line is taken away or changed.
 */
import { join } from 'node:path';
import ts from 'typescript';
import { PROJECT_ROOT } from '../support/source-files.ts';

/** The entries of the package by the name they are imported by. */
export const ENTRIES: Readonly<Record<string, string>> = {
  pumice: 'src/index.ts',
  'pumice/level': 'src/utilities/level/index.ts',
  'pumice/testing': 'src/testing/index.ts',
};

/** One declaration: its name and the file that has it. */
interface Declared {
  readonly name: string;
  readonly text: string;
}

/** The compiler's options without what belongs to building. */
function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(PROJECT_ROOT, 'tsconfig.json'), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, PROJECT_ROOT);
  return options;
}

/** The declarations of one source file, from its text alone: no type is inferred, which would take half a minute. */
function declarationsOf(source: ts.SourceFile): readonly ts.Statement[] {
  const compilerOptions = { removeComments: true, target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext };
  const { outputText } = ts.transpileDeclaration(source.text, { compilerOptions, fileName: source.fileName });
  return ts.createSourceFile(`${source.fileName}.d.ts`, outputText, ts.ScriptTarget.ES2023, true).statements;
}

/** Takes members away that no user can call. */
function withoutPrivate(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s+(private |#private;)/.test(line))
    .join('\n');
}

/** The names that a statement declares. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  const named = statement as ts.Statement & { name?: ts.Identifier };
  return named.name === undefined ? [] : [named.name.text];
}

/** Collects declarations, following every type that they mention into the files of this project. */
class Collector {
  readonly found = new Map<string, Declared>();
  readonly #checker: ts.TypeChecker;
  /** By the source's path; filled as they are asked for. */
  readonly #files = new Map<string, readonly ts.Statement[]>();

  constructor(program: ts.Program) {
    this.#checker = program.getTypeChecker();
  }

  /** The names that an entry exports, after its declarations were collected. */
  entry(source: ts.SourceFile): string[] {
    const module = this.#checker.getSymbolAtLocation(source)!;
    return this.#checker.getExportsOfModule(module).map((symbol) => {
      this.#follow(symbol, true);
      return symbol.name;
    });
  }

  /** Classes that no entry exports stay names: nobody can make one, and what users may call of them an interface says. */
  #follow(symbol: ts.Symbol, exported: boolean): void {
    const target = symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
    for (const declaration of target.declarations ?? []) {
      const source = declaration.getSourceFile();
      for (const statement of this.#statementsOf(source)) {
        if (!exported && ts.isClassDeclaration(statement)) continue;
        if (namesOf(statement).includes(target.name)) this.#collect(source, statement, target.name);
      }
    }
  }

  #statementsOf(source: ts.SourceFile): readonly ts.Statement[] {
    if (source.isDeclarationFile) return [];
    const known = this.#files.get(source.fileName) ?? declarationsOf(source);
    this.#files.set(source.fileName, known);
    return known;
  }

  #collect(source: ts.SourceFile, statement: ts.Statement, name: string): void {
    const text = withoutPrivate(statement.getText());
    const key = `${name} ${source.fileName} ${text}`;
    if (this.found.has(key)) return;
    this.found.set(key, { name, text });
    const scope = source.locals;
    for (const word of new Set(text.match(/[A-Za-z_]\w*/g))) {
      const mentioned = scope?.get(ts.escapeLeadingUnderscores(word));
      if (mentioned !== undefined) this.#follow(mentioned, false);
    }
  }
}

declare module 'typescript' {
  interface SourceFile {
    /** What the binder found in the file's own scope: its imports and declarations. */
    locals?: ts.SymbolTable;
  }
}

/** The whole report: the names of each entry, then every declaration, both in alphabetical order. */
export function apiReport(): string {
  const paths = Object.values(ENTRIES).map((path) => join(PROJECT_ROOT, path));
  const program = ts.createProgram(paths, compilerOptions());
  const collector = new Collector(program);
  const lines: string[] = [];
  for (const [name, path] of Object.entries(ENTRIES)) {
    const names = collector.entry(program.getSourceFile(join(PROJECT_ROOT, path))!);
    lines.push(`${name}: ${names.sort().join(', ')}`, '');
  }
  const declarations = [...collector.found.values()].map(({ text }) => text);
  return `${[...lines, ...[...new Set(declarations)].sort()].join('\n')}\n`;
}
