/**
 * The text of an OPTIONS file: sections of `name=value` lines. This file knows the grammar and the rules about sections;
 * which names exist and what their values mean is not its business, so a file of any RocksDB version can be read and
 * written back.
 *
 * Names come from files, so they are only ever keys of `Map`s, never of plain objects.
 */
import { strictTextOf, utf8 } from '../../format/base/bytes.ts';
import { corruption, type DBError, invalidArgument } from '../../format/base/db-error.ts';

/** Options of one column family. */
export interface FamilyOptionsSection {
  readonly name: string;
  /** [CFOptions "name"] */
  readonly columnFamily: Map<string, string>;
  /** [TableOptions/BlockBasedTable "name"] */
  readonly table: Map<string, string>;
  /** The factory's name in the table section's title; `undefined` when the family has no table section. */
  tableFactory: string | undefined;
}

/** A parsed OPTIONS file. Values are unescaped text, in the order of the file. */
export interface OptionsFile {
  /** Digits and dots; empty when the file has no [Version]. */
  rocksdbVersion: string;
  optionsFileVersion: string;
  readonly db: Map<string, string>;
  /** The default family first. */
  readonly families: FamilyOptionsSection[];
}

/** More than any OPTIONS file has; a larger one is refused before it is parsed. */
export const OPTIONS_FILE_SIZE_MAX = 64 << 20;
/** The table factory whose options Pumice knows. */
export const BLOCK_BASED_TABLE = 'BlockBasedTable';

const DEFAULT_FAMILY = 'default';

/**
 * Parses the bytes of an OPTIONS file; `path` names it in errors. `CORRUPTION` when sections are missing, repeated or out
 * of order, `INVALID_ARGUMENT` for a line that is neither a section nor a statement.
 */
export function parseOptionsFile(content: Uint8Array, path: string): OptionsFile {
  if (content.length > OPTIONS_FILE_SIZE_MAX)
    throw corruption(`${path}: expected at most ${OPTIONS_FILE_SIZE_MAX} bytes, found ${content.length}`);
  const text = strictTextOf(content);
  if (text === undefined) throw corruption(`${path}: expected UTF-8 text`);
  const parser = new OptionsFileParser(path);
  text.split('\n').forEach((line, index) => {
    parser.takeLine(line, index + 1);
  });
  return parser.finish();
}

/** The file's bytes in RocksDB's layout. Values are escaped here. */
export function printOptionsFile(file: OptionsFile): Uint8Array {
  const lines = [
    '# This is a RocksDB option file.',
    '#',
    '# For detailed file format spec, please refer to the example file',
    '# in examples/rocksdb_option_file_example.ini',
    '#',
    '',
    '[Version]',
    `  rocksdb_version=${file.rocksdbVersion}`,
    `  options_file_version=${file.optionsFileVersion}`,
    '',
    '[DBOptions]',
    ...statements(file.db),
  ];
  for (const family of file.families) {
    lines.push('', `[CFOptions "${escapeOptionText(family.name)}"]`, ...statements(family.columnFamily));
    if (family.tableFactory === undefined) continue;
    lines.push(`[TableOptions/${family.tableFactory} "${escapeOptionText(family.name)}"]`, ...statements(family.table));
  }
  return utf8(`${lines.join('\n')}\n`);
}

function statements(options: ReadonlyMap<string, string>): string[] {
  const lines: string[] = [];
  for (const [name, value] of options) lines.push(`  ${name}=${escapeOptionText(value)}`);
  lines.push('  ');
  return lines;
}

/** Escapes what cannot stand in a value or a section's argument: ends of lines, `#` and the backslash. */
export function escapeOptionText(text: string): string {
  return text.replace(/[\\#\r\n]/g, (char) => {
    if (char === '\n') return '\\n';
    return char === '\r' ? '\\r' : `\\${char}`;
  });
}

/** The inverse of `escapeOptionText`; a backslash before any other character stands for that character. */
export function unescapeOptionText(text: string): string {
  return text.replace(/\\([\s\S]?)/g, (_, char: string) => {
    if (char === 'n') return '\n';
    return char === 'r' ? '\r' : char;
  });
}

type Section =
  | { readonly kind: 'version' }
  | { readonly kind: 'db' }
  | { readonly kind: 'family'; readonly family: FamilyOptionsSection }
  | { readonly kind: 'table'; readonly family: FamilyOptionsSection };

class OptionsFileParser {
  readonly #path: string;
  readonly #file: OptionsFile = { rocksdbVersion: '', optionsFileVersion: '', db: new Map(), families: [] };
  #section: Section | undefined;
  #hasVersion = false;
  #hasDb = false;

  constructor(path: string) {
    this.#path = path;
  }

  takeLine(raw: string, lineNumber: number): void {
    const line = withoutComment(raw).trim();
    if (line === '') return;
    if (line.startsWith('[')) this.#section = this.#openSection(line, lineNumber);
    else this.#takeStatement(line, lineNumber);
  }

  finish(): OptionsFile {
    if (!this.#hasDb) throw corruption(`${this.#path}: A RocksDB Option file must have a single DBOptions section`);
    if (this.#file.families.length === 0)
      throw corruption(`${this.#path}: A RocksDB Option file must have a single CFOptions:default section`);
    return this.#file;
  }

  #openSection(line: string, lineNumber: number): Section {
    const match = /^\[\s*([^\s"\]]+)\s*(?:"(.*)"\s*)?\]$/.exec(line);
    if (match === null) throw this.#invalid(lineNumber, 'a section title that does not end in a bracket');
    const title = match[1]!;
    const argument = match[2] === undefined ? undefined : unescapeOptionText(match[2]);
    if (title === 'Version') return this.#openVersion(lineNumber);
    if (title === 'DBOptions') return this.#openDb(lineNumber);
    if (title === 'CFOptions') return this.#openFamily(argument, lineNumber);
    if (title.startsWith('TableOptions/')) return this.#openTable(title.slice(13), argument, lineNumber);
    throw this.#invalid(lineNumber, `Unknown section ${JSON.stringify(title)}`);
  }

  #openVersion(lineNumber: number): Section {
    if (this.#hasVersion)
      throw this.#corrupt(lineNumber, 'More than one Version section found in the option config file');
    this.#hasVersion = true;
    return { kind: 'version' };
  }

  #openDb(lineNumber: number): Section {
    if (this.#hasDb) throw this.#corrupt(lineNumber, 'More than one DBOption section found in the option config file');
    this.#hasDb = true;
    return { kind: 'db' };
  }

  #openFamily(name: string | undefined, lineNumber: number): Section {
    if (name === undefined) throw this.#invalid(lineNumber, 'A CFOptions section must name its column family');
    const { families } = this.#file;
    if (families.length === 0 && name !== DEFAULT_FAMILY)
      throw this.#corrupt(
        lineNumber,
        'Default column family must be the first CFOptions section in the option config file',
      );
    if (families.some((family) => family.name === name))
      throw this.#corrupt(lineNumber, 'Two identical column families found in option config file');
    const family = { name, columnFamily: new Map(), table: new Map(), tableFactory: undefined };
    families.push(family);
    return { kind: 'family', family };
  }

  #openTable(factory: string, name: string | undefined, lineNumber: number): Section {
    const family = this.#file.families.find((candidate) => candidate.name === name);
    if (family === undefined)
      throw this.#corrupt(
        lineNumber,
        `Does not find a matched column family name in TableOptions section.  Column Family Name:${name ?? ''}`,
      );
    if (family.tableFactory !== undefined)
      throw this.#corrupt(lineNumber, 'More than one TableOptions section found for a column family');
    family.tableFactory = factory;
    return { kind: 'table', family };
  }

  #takeStatement(line: string, lineNumber: number): void {
    const equals = line.indexOf('=');
    if (equals < 0) throw this.#invalid(lineNumber, "A valid statement must have a '='");
    const name = line.slice(0, equals).trim();
    const value = unescapeOptionText(line.slice(equals + 1).trim());
    if (name === '') throw this.#invalid(lineNumber, 'A statement must have a variable name');
    const section = this.#section;
    if (section === undefined) throw this.#invalid(lineNumber, 'A statement must stand in a section');
    if (section.kind === 'version') this.#takeVersion(name, value, lineNumber);
    else if (section.kind === 'db') this.#file.db.set(name, value);
    else if (section.kind === 'family') section.family.columnFamily.set(name, value);
    else section.family.table.set(name, value);
  }

  #takeVersion(name: string, value: string, lineNumber: number): void {
    if (name !== 'rocksdb_version' && name !== 'options_file_version') return;
    if (!/^\d{1,9}(\.\d{1,9}){0,3}$/.test(value))
      throw this.#invalid(lineNumber, 'A valid version must be digits and dots');
    if (name === 'rocksdb_version') this.#file.rocksdbVersion = value;
    else this.#file.optionsFileVersion = value;
    if (name === 'options_file_version' && Number.parseInt(value, 10) < 1)
      throw this.#invalid(lineNumber, 'A valid option file should have options_file_version >= 1');
  }

  #corrupt(lineNumber: number, what: string): DBError {
    return corruption(`${this.#path}: ${what} (at line ${lineNumber})`);
  }

  #invalid(lineNumber: number, what: string): DBError {
    return invalidArgument(`${this.#path}: [RocksDBOptionsParser Error] ${what} (at line ${lineNumber})`);
  }
}

/** The line up to a `#` that is not escaped. */
function withoutComment(line: string): string {
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '\\') i++;
    else if (line[i] === '#') return line.slice(0, i);
  }
  return line;
}
