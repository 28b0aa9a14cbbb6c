/**
 * ldb: works on a database from the command line. Flags, texts and exit codes are those of RocksDB's tool;
 * `tools/README.md` lists where they differ.
 */
import { Flags, type FlagTable, type GivenFlag, splitArguments } from '../lib/arguments.ts';
import { flagHelp } from '../lib/flag-help.ts';
import { ToolFailure } from '../lib/tool-failure.ts';
import type { ToolStreams } from '../lib/tool-process.ts';
import { VERSION_TEXT } from '../lib/version-text.ts';
import type { LdbCommand } from './command.ts';
import { CommandContext } from './command-context.ts';
import { COMMANDS } from './command-list.ts';
import { FORMAT_FLAGS, formatFlags, OPEN_FLAGS, PLACE_FLAGS, REFUSED_FLAGS } from './global-flags.ts';

/** Runs the tool; returns its exit code. */
export async function ldb(args: readonly string[], streams: ToolStreams): Promise<number> {
  const { flags: given, words } = splitArguments(args);
  if (given.some(({ name }) => name === 'help')) {
    streams.out.write(helpText());
    return 0;
  }
  if (given.some(({ name }) => name === 'version')) {
    streams.out.line(`ldb from ${VERSION_TEXT}`);
    return 0;
  }
  const [name, ...params] = words;
  if (name === undefined) throw new ToolFailure(helpText());
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) throw new ToolFailure(`Unknown command\n${helpText()}`);
  refuseFlags(given);
  const flags = new Flags(given, flagsOf(command), unknownFlag);
  const context = new CommandContext(params, flags, streams);
  if (command.needsDatabase && flags.text('db') === '') throw new ToolFailure('Either db or path must be specified.');
  if (command.needsDatabase && context.path === '') throw new ToolFailure(helpText());
  await command.run(context);
  return 0;
}

function flagsOf({ formats, flags }: LdbCommand): FlagTable {
  return { ...PLACE_FLAGS, ...formatFlags(formats), ...OPEN_FLAGS, ...flags };
}

function unknownFlag({ name, value }: GivenFlag): ToolFailure {
  return new ToolFailure(`Invalid command-line ${value === undefined ? 'flag' : 'option'} ${name}`);
}

function refuseFlags(given: readonly GivenFlag[]): void {
  for (const { name } of given) {
    const why = REFUSED_FLAGS.get(name);
    if (why !== undefined) throw new ToolFailure(`Failed: Not implemented: --${name}: ${why}`);
  }
}

/** The help: global flags, then every command. */
export function helpText(): string {
  const commands = (group: LdbCommand['group']): string =>
    COMMANDS.filter((command) => command.group === group)
      .map(({ usage, flags }) => `  ${usage}\n${ownFlagHelp(flags)}`)
      .join('');
  return (
    'ldb - works on a database from the command line\n\n' +
    'ldb --db=<directory> <command> [<argument>...] [--<flag>...]\n\n' +
    `Where the database is:\n${flagHelp(PLACE_FLAGS)}\n` +
    `Keys and values, for commands that have any:\n${flagHelp(FORMAT_FLAGS)}\n` +
    `How it is opened:\n${flagHelp(OPEN_FLAGS)}\n` +
    `Data access commands:\n${commands('data')}\n` +
    `Admin commands:\n${commands('admin')}`
  );
}

function ownFlagHelp(flags: FlagTable): string {
  return flagHelp(Object.fromEntries(Object.entries(flags).filter(([, { help }]) => help !== undefined)));
}
