/** What a command of ldb is: a row of the help, the flags it takes, and what it does. */
import type { BadValue, FlagTable, GivenFlag } from '../lib/arguments.ts';
import type { CommandContext } from './command-context.ts';

/** Flags about how keys and values are written: `hex` stands for `--hex`, `--key_hex` and `--value_hex`. */
export type Format = 'hex' | 'json' | 'ttl';

/** One command. */
export interface LdbCommand {
  readonly name: string;
  /** Its line in the help, name included. */
  readonly usage: string;
  /** Under which heading of the help it stands. */
  readonly group: 'data' | 'admin';
  /** Formats that change something of what the command does; the flags of the others are refused. */
  readonly formats: readonly Format[];
  /** Flags of its own; those of the place and of the opening are always there. */
  readonly flags: FlagTable;
  /** False: it can run without `--db`. */
  readonly needsDatabase: boolean;
  /** Throws a `ToolFailure` (`command-failure.ts`), or any error, which is then printed as a status. */
  run(context: CommandContext): Promise<void>;
}

/** Flags of commands that go over a range of keys. */
export const RANGE_FLAGS: FlagTable = { from: { kind: 'text' }, to: { kind: 'text' } };

/** `--max_keys` of the commands whose words about it end without a full stop in RocksDB's tool. */
export const MAX_KEYS_FLAG: FlagTable = { max_keys: { kind: 'integer', refusal: maxKeysRefusal } };

function maxKeysRefusal({ name }: GivenFlag, problem: BadValue): string {
  if (problem === 'missing') return `Failed: ${name} needs a value: --${name}=<value>`;
  return `Failed: ${name} has ${problem === 'invalid' ? 'an invalid value' : 'a value out-of-range'}`;
}

/** What would be done with blob indexes and blob files. A database or a table that has any is refused. */
export const BLOB_FLAGS: FlagTable = {
  decode_blob_index: { kind: 'boolean' },
  dump_uncompressed_blobs: { kind: 'boolean' },
};

/** The flag of commands that may make the database. */
export const CREATE_FLAG: FlagTable = { create_if_missing: { kind: 'boolean' } };
