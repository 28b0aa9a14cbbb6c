/** What a command of ldb is: a row of the help, the flags it takes, and what it does. */
import type { FlagTable } from '../lib/arguments.ts';
import type { CommandContext } from './command-context.ts';

/** One command. */
export interface LdbCommand {
  readonly name: string;
  /** Its line in the help, name included. */
  readonly usage: string;
  /** Under which heading of the help it stands. */
  readonly group: 'data' | 'admin';
  /** Flags of its own; the global ones are always there. */
  readonly flags: FlagTable;
  /** False: it can run without `--db`. */
  readonly needsDatabase: boolean;
  /** Throws a `ToolFailure` (`command-failure.ts`), or any error, which is then printed as a status. */
  run(context: CommandContext): Promise<void>;
}

/** Flags of commands that go over a range of keys. */
export const RANGE_FLAGS: FlagTable = { from: { kind: 'text' }, to: { kind: 'text' } };

/** The flag of commands that may make the database. */
export const CREATE_FLAG: FlagTable = { create_if_missing: { kind: 'boolean' } };
