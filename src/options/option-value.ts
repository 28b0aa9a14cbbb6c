/** Values of options that hold options themselves: `{a=1;b={c=2;};}`, in files and in `setOptions` strings. */
import { invalidArgument } from '../../format/base/db-error.ts';

/**
 * The names and values in `text`, whose outer braces may be missing. A nested value keeps its braces, so it can be parsed
 * in turn. `INVALID_ARGUMENT` when braces do not match or a name or `=` is missing; `what` begins the message.
 */
export function parseNestedOptions(text: string, what: string): Map<string, string> {
  const options = new Map<string, string>();
  const inner = stripBraces(text.trim());
  let at = 0;
  while (at < inner.length) {
    const end = endOfItem(inner, at, what);
    const item = inner.slice(at, end).trim();
    at = end + 1;
    if (item === '') continue;
    const equals = item.indexOf('=');
    if (equals <= 0) throw invalidArgument(`${what}: Mismatched key value pair, '=' expected`);
    options.set(item.slice(0, equals).trim(), item.slice(equals + 1).trim());
  }
  return options;
}

/** RocksDB's form of nested options: braces, and a semicolon behind every item. */
export function printNestedOptions(options: ReadonlyMap<string, string>): string {
  let text = '{';
  for (const [name, value] of options) text += `${name}=${value};`;
  return `${text}}`;
}

/** The items of a list that is joined by `:`; a colon inside braces belongs to its item. An empty text has none. */
export function splitOptionList(text: string, what: string): string[] {
  if (text === '') return [];
  const items: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    depth += braceStep(text, i);
    if (depth < 0) throw invalidArgument(`${what}: Mismatched curly braces for nested options`);
    if (depth > 0 || text[i] !== ':') continue;
    items.push(text.slice(from, i));
    from = i + 1;
  }
  if (depth > 0) throw invalidArgument(`${what}: Mismatched curly braces for nested options`);
  items.push(text.slice(from));
  return items;
}

function stripBraces(text: string): string {
  if (!text.startsWith('{') || !text.endsWith('}')) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    depth += braceStep(text, i);
    if (depth === 0) return text;
  }
  return text.slice(1, -1).trim();
}

function endOfItem(text: string, from: number, what: string): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    depth += braceStep(text, i);
    if (depth < 0) break;
    if (depth === 0 && text[i] === ';') return i;
  }
  if (depth !== 0) throw invalidArgument(`${what}: Mismatched curly braces for nested options`);
  return text.length;
}

/** What the character at `i` adds to the depth of braces; an escaped brace is a plain character. */
function braceStep(text: string, i: number): number {
  if (i > 0 && text[i - 1] === '\\') return 0;
  if (text[i] === '{') return 1;
  return text[i] === '}' ? -1 : 0;
}
