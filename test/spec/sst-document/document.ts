/** The tables of a markdown document, by the heading that they stand under: what the decoder knows of the format. */

/** A row of a table: the text of each cell by the text of its column's heading. */
export type Row = Readonly<Record<string, string>>;

/** A document whose tables are looked up by heading; only the first table under a heading counts. */
export class FormatDocument {
  private readonly tables = new Map<string, Row[]>();

  constructor(markdown: string) {
    let heading = '';
    let columns: string[] | undefined;
    for (const line of markdown.split('\n')) {
      const title = /^#+ (.*)$/.exec(line)?.[1];
      if (title !== undefined) {
        heading = title.replace(/^\d+ /, '');
      } else if (!line.startsWith('|')) {
        columns = undefined;
      } else if (columns !== undefined) {
        this.addRow(heading, columns, line);
      } else if (!this.tables.has(heading)) {
        columns = cellsOf(line);
        this.tables.set(heading, []);
      }
    }
  }

  /** The rows under a heading, in their order. Throws where there is none. */
  table(heading: string): readonly Row[] {
    const rows = this.tables.get(heading);
    if (rows === undefined) {
      throw new Error(`the document has no table under the heading '${heading}'`);
    }
    return rows;
  }

  /** The first row whose cell in `column` is the value, or undefined. Ranges such as `1–127` hold what lies within. */
  find(heading: string, column: string, value: string | number | bigint): Row | undefined {
    return this.table(heading).find((row) => cellHolds(row[column] ?? '', value));
  }

  /** As `find`. Throws where there is no such row. */
  row(heading: string, column: string, value: string | number | bigint): Row {
    const row = this.find(heading, column, value);
    if (row === undefined) {
      throw new Error(`the document's table '${heading}' has no row for ${column} ${value}`);
    }
    return row;
  }

  /** A number by its name, from a table with the columns `name` and `value`. */
  constant(heading: string, name: string): bigint {
    return BigInt(this.row(heading, 'name', name).value!);
  }

  /** This document with the cell `column` of one row changed: the one whose cell in `keyColumn` is `key`. */
  withCell(heading: string, [keyColumn, key]: readonly [string, string], column: string, cell: string): FormatDocument {
    const rows = this.table(heading);
    const at = rows.findIndex((row) => row[keyColumn] === key);
    if (at < 0 || rows[at]![column] === undefined || rows[at]![column] === cell) {
      throw new Error(`nothing to change in '${heading}', ${keyColumn} ${key}, ${column}`);
    }
    const changed = new FormatDocument('');
    for (const [name, table] of this.tables) {
      changed.tables.set(name, [...table]);
    }
    changed.tables.get(heading)![at] = { ...rows[at], [column]: cell };
    return changed;
  }

  private addRow(heading: string, columns: readonly string[], line: string): void {
    const cells = cellsOf(line);
    if (!cells.every((cell) => /^:?-+:?$/.test(cell))) {
      this.tables.get(heading)!.push(Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ''])));
    }
  }
}

/** Whether a cell names the value, alone or in a range. */
export function cellHolds(cell: string, value: string | number | bigint): boolean {
  if (typeof value === 'string') {
    return cell === value;
  }
  const range = /^(\S+)–(\S+)$/.exec(cell);
  const isNumber = /^(0x[0-9a-f]+|-?\d+)$/;
  if (range !== null) {
    return BigInt(range[1]!) <= BigInt(value) && BigInt(value) <= BigInt(range[2]!);
  }
  return isNumber.test(cell) && BigInt(cell) === BigInt(value);
}

/** Bytes in hexadecimal, with or without spaces. */
export function bytesOf(cell: string): Buffer {
  return Buffer.from(cell.replaceAll(' ', ''), 'hex');
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}
