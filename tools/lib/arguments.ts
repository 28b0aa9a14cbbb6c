/**
 * Command lines as RocksDB's tools take them: `--name` and `--name=value` anywhere, everything else in order. A value never
 * stands in an argument of its own, because a key may look like anything; `--noname` turns a boolean off.
 */
import { ToolFailure } from './tool-failure.ts';

/** What a flag takes. `boolean`: nothing, or `true` or `false`. */
export type FlagKind = 'boolean' | 'integer' | 'number' | 'text';

/** What can be wrong with the value of a flag. */
export type BadValue = 'missing' | 'invalid' | 'out of range';

/** One flag that a tool knows. */
export interface FlagDescriptor {
  readonly kind: FlagKind;
  /** What stands for the value in the help. */
  readonly value?: string;
  /** What the flag means when it is given without a value; flags without it need one, but for booleans. */
  readonly bare?: string;
  /** What is said of a bad value where the tool has words of its own for it; the whole line. */
  readonly refusal?: (flag: GivenFlag, problem: BadValue) => string;
  /** What the flag does, for the help; flags without it are left out there. */
  readonly help?: string;
}

/** Every flag that a tool knows, by name. */
export type FlagTable = Readonly<Record<string, FlagDescriptor>>;

/** One argument that begins with two dashes; `value` is `undefined` when it has no `=`. */
export interface GivenFlag {
  readonly name: string;
  readonly value: string | undefined;
}

/** A command line taken apart, not checked yet. */
export interface SplitArguments {
  readonly flags: readonly GivenFlag[];
  readonly words: readonly string[];
}

/** Takes a command line apart. */
export function splitArguments(args: readonly string[]): SplitArguments {
  const flags: GivenFlag[] = [];
  const words: string[] = [];
  for (const argument of args) {
    if (!argument.startsWith('--')) {
      words.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    if (equals < 0) flags.push({ name: argument.slice(2), value: undefined });
    else flags.push({ name: argument.slice(2, equals), value: argument.slice(equals + 1) });
  }
  return { flags, words };
}

const TRUE_WORDS: ReadonlySet<string> = new Set(['true', 't', 'yes', 'y', '1']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['false', 'f', 'no', 'n', '0']);
const INTEGER = /^[+-]?\d+$/;

/** The value of a boolean flag's text, `undefined` when it is none. */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (TRUE_WORDS.has(word)) return true;
  return FALSE_WORDS.has(word) ? false : undefined;
}

/** Flags that were given, checked against a table. The last one of a name counts. */
export class Flags {
  readonly #values = new Map<string, string>();

  /** `unknown` makes the failure for a flag that the table lacks. */
  constructor(given: readonly GivenFlag[], table: FlagTable, unknown: (flag: GivenFlag) => ToolFailure) {
    for (const flag of given) this.#take(flag, table, unknown);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** A boolean flag; `fallback` when it was not given. */
  boolean(name: string, fallback = false): boolean {
    const text = this.#values.get(name);
    return text === undefined ? fallback : text === 'true';
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** A whole number or, for flags of kind `number`, any number. */
  number(name: string): number | undefined {
    const text = this.#values.get(name);
    return text === undefined ? undefined : Number(text);
  }

  #take(flag: GivenFlag, table: FlagTable, unknown: (flag: GivenFlag) => ToolFailure): void {
    const known = Object.hasOwn(table, flag.name) ? table[flag.name] : undefined;
    if (known === undefined) {
      const positive = flag.name.startsWith('no') ? flag.name.slice(2) : '';
      if (flag.value !== undefined || !Object.hasOwn(table, positive) || table[positive]!.kind !== 'boolean') {
        throw unknown(flag);
      }
      this.#values.set(positive, 'false');
      return;
    }
    this.#values.set(flag.name, checkedValue(flag, known));
  }
}

function checkedValue(flag: GivenFlag, descriptor: FlagDescriptor): string {
  const { kind, bare, refusal } = descriptor;
  const { name, value = bare } = flag;
  if (kind === 'boolean') {
    const parsed = value === undefined ? true : parseBoolean(value);
    if (parsed === undefined) throw new ToolFailure(`Failed: ${name} must be true or false.`);
    return String(parsed);
  }
  const problem = problemOf(kind, value);
  if (problem !== undefined) throw new ToolFailure((refusal ?? badValueText)(flag, problem));
  return value!;
}

function problemOf(kind: FlagKind, value: string | undefined): BadValue | undefined {
  if (value === undefined) return 'missing';
  const number = Number(value);
  if (kind === 'integer') {
    if (!INTEGER.test(value)) return 'invalid';
    if (!Number.isSafeInteger(number)) return 'out of range';
  }
  return kind === 'number' && (value.trim() === '' || !Number.isFinite(number)) ? 'invalid' : undefined;
}

function badValueText({ name }: GivenFlag, problem: BadValue): string {
  if (problem === 'missing') return `Failed: ${name} needs a value: --${name}=<value>`;
  return `Failed: ${name} has ${problem === 'invalid' ? 'an invalid value' : 'a value out-of-range'}.`;
}
