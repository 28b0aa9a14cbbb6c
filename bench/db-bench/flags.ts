/**
 * Command lines as gflags takes them, which is what scripts for RocksDB's db_bench are written for: `--name=value`,
 * `-name=value`, `--name value`, `--boolean`, `--noboolean`; the last one of a name counts.
 */
import { FLAG_TABLE, type FlagDescriptor, type FlagName } from './flag-table.ts';

/** A command line that cannot be carried out; the message is all there is to print. */
export class FlagError extends Error {}

const TRUE_WORDS: ReadonlySet<string> = new Set(['1', 't', 'true', 'y', 'yes']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['0', 'f', 'false', 'n', 'no']);
const WHOLE_NUMBER = /^[+-]?\d+$/;
const TYPE_NAMES: Readonly<Record<FlagDescriptor['kind'], string>> = {
  boolean: 'bool',
  integer: 'int64',
  number: 'double',
  text: 'string',
};

type FlagValue = boolean | number | string;

function parseValue(name: string, kind: FlagDescriptor['kind'], text: string): FlagValue {
  const illegal = (): FlagError =>
    new FlagError(`ERROR: illegal value '${text}' specified for ${TYPE_NAMES[kind]} flag '${name}'`);
  switch (kind) {
    case 'boolean': {
      const word = text.toLowerCase();
      if (TRUE_WORDS.has(word)) return true;
      if (FALSE_WORDS.has(word)) return false;
      throw illegal();
    }
    case 'integer': {
      const value = Number(text);
      if (!WHOLE_NUMBER.test(text) || !Number.isSafeInteger(value)) throw illegal();
      return value;
    }
    case 'number': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value)) throw illegal();
      return value;
    }
    default:
      return text;
  }
}

function descriptorOf(name: string): FlagDescriptor | undefined {
  return Object.hasOwn(FLAG_TABLE, name) ? FLAG_TABLE[name as FlagName] : undefined;
}

/** The flags of one command line. */
export class BenchFlags {
  readonly #given = new Map<string, FlagValue>();

  /** Throws a `FlagError` in gflags' words for a flag that does not exist or a value that it cannot have. */
  constructor(args: readonly string[]) {
    for (let at = 0; at < args.length; at++) {
      const argument = args[at]!;
      if (!argument.startsWith('-') || argument === '-')
        throw new FlagError(`ERROR: unexpected argument '${argument}'`);
      at += this.#take(argument.replace(/^--?/, ''), args[at + 1]);
    }
  }

  /** Names that were given, in order. */
  get given(): readonly FlagName[] {
    return [...this.#given.keys()] as FlagName[];
  }

  has(name: FlagName): boolean {
    return this.#given.has(name);
  }

  boolean(name: FlagName): boolean {
    return this.value(name) as boolean;
  }

  /** A flag of kind `integer` or `number`. */
  number(name: FlagName): number {
    return this.value(name) as number;
  }

  text(name: FlagName): string {
    return this.value(name) as string;
  }

  /** What was given, or the default. */
  value(name: FlagName): FlagValue {
    return this.#given.get(name) ?? FLAG_TABLE[name].default;
  }

  /** Takes one flag; returns how many further arguments it used up. */
  #take(body: string, next: string | undefined): 0 | 1 {
    const equals = body.indexOf('=');
    const name = equals < 0 ? body : body.slice(0, equals);
    const known = descriptorOf(name);
    if (known === undefined) {
      const positive = descriptorOf(name.slice(2));
      if (equals >= 0 || !name.startsWith('no') || positive?.kind !== 'boolean') {
        throw new FlagError(`ERROR: unknown command line flag '${name}'`);
      }
      this.#given.set(name.slice(2), false);
      return 0;
    }
    if (equals >= 0) {
      this.#given.set(name, parseValue(name, known.kind, body.slice(equals + 1)));
      return 0;
    }
    if (known.kind === 'boolean') {
      this.#given.set(name, true);
      return 0;
    }
    if (next === undefined) throw new FlagError(`ERROR: flag '--${name}' is missing its argument`);
    this.#given.set(name, parseValue(name, known.kind, next));
    return 1;
  }
}
