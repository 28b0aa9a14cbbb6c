/**
 * JSON text as a tree of objects whose other values stay text: what a merge of objects needs, without touching numbers
 * that a double cannot hold. Printing is canonical: the members of an object stand in the order of their names (UTF-16
 * code units), without white space around them; scalars and arrays keep the characters that they came with.
 */

/** A scalar or an array as its text, or an object. */
export type JsonTree = string | ReadonlyMap<string, JsonTree>;

/** Deeper objects are refused: the walks below are recursive. */
const DEPTH_MAX = 1000;

/** Parses one value. A SyntaxError when the text is not JSON; a RangeError when objects nest deeper than 1000. */
export function parseJsonTree(text: string): JsonTree {
  // It finds every fault, so that the walk after it needs to know only where values begin and end.
  try {
    JSON.parse(text);
  } catch {
    // Its message quotes the text, and users' bytes have no place in errors.
    throw new SyntaxError('not a JSON text');
  }
  return new TreeParser(text).value(0);
}

/** The text of a tree. */
export function printJsonTree(tree: JsonTree): string {
  if (typeof tree === 'string') return tree;
  const names = [...tree.keys()].sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${printJsonTree(tree.get(name)!)}`).join(',')}}`;
}

/** Walks text that is known to be JSON. */
class TreeParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonTree {
    this.#skipSpace();
    if (this.#text[this.#at] === '{') return this.#object(depth);
    const start = this.#at;
    this.#skipPlain();
    return this.#text.slice(start, this.#at);
  }

  #object(depth: number): JsonTree {
    if (depth >= DEPTH_MAX) throw new RangeError(`JSON objects nest deeper than ${DEPTH_MAX}`);
    const members = new Map<string, JsonTree>();
    this.#at++;
    this.#skipSpace();
    while (this.#text[this.#at] !== '}') {
      const start = this.#at;
      this.#skipString();
      const name = JSON.parse(this.#text.slice(start, this.#at)) as string;
      this.#skipSpace();
      this.#at++;
      // Of two members with one name the later counts, as in JSON.parse.
      members.set(name, this.value(depth + 1));
      this.#skipSpace();
      if (this.#text[this.#at] === ',') this.#at++;
      this.#skipSpace();
    }
    this.#at++;
    return members;
  }

  /** Passes a scalar or an array. */
  #skipPlain(): void {
    const first = this.#text[this.#at];
    if (first === '"') this.#skipString();
    else if (first === '[') this.#skipArray();
    else while (/[-+.0-9a-zA-Z]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #skipArray(): void {
    let depth = 0;
    do {
      const unit = this.#text[this.#at];
      if (unit === '"') {
        this.#skipString();
        continue;
      }
      if (unit === '[') depth++;
      else if (unit === ']') depth--;
      this.#at++;
    } while (depth > 0);
  }

  #skipString(): void {
    this.#at++;
    while (this.#text[this.#at] !== '"') this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at++;
  }

  #skipSpace(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? '.')) this.#at++;
  }
}
