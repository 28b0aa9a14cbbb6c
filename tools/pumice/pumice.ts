/** `pumice`: the commands that are not programs of their own. */
import { Flags, type FlagTable, splitArguments } from '../lib/arguments.ts';
import { flagHelp } from '../lib/flag-help.ts';
import { ToolFailure } from '../lib/tool-failure.ts';
import type { Tool, ToolStreams } from '../lib/tool-process.ts';
import { VERSION_TEXT } from '../lib/version-text.ts';
import { doctor } from './doctor.ts';
import { listOptions } from './option-listing.ts';
import { PROGRAM_NAMES } from './programs.ts';
import { stat } from './stat.ts';

/** A command. */
interface Command {
  readonly usage: string;
  readonly help: string;
  readonly flags: FlagTable;
  /** Returns the exit code. */
  run(words: readonly string[], flags: Flags, streams: ToolStreams): Promise<number>;
}

const JSON_FLAG: FlagTable = { json: { kind: 'boolean', help: 'Print one JSON document.' } };
const PLACE: FlagTable = { db: { kind: 'text', value: '<directory>', help: 'The database, if it is no argument.' } };

function placeOf(words: readonly string[], flags: Flags): string {
  const path = words[0] ?? flags.text('db') ?? '';
  if (path === '') throw new ToolFailure('Failed: which database? Give its directory, or --db=<directory>');
  return path;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'doctor',
    {
      usage: 'doctor <directory> [--quick] [--json]',
      help: 'One page on the health of a database; reads it without lock and changes nothing. Exit code 1 when something is wrong.',
      flags: {
        ...PLACE,
        ...JSON_FLAG,
        quick: { kind: 'boolean', help: 'Do not read the tables through; only their metadata is checked.' },
      },
      run: (words, flags, streams) => doctor(placeOf(words, flags), flags, streams),
    },
  ],
  [
    'stat',
    {
      usage: 'stat <directory> [<property>...] [--json]',
      help: 'Figures of a database, or the properties named (rocksdb.levelstats, ...).',
      flags: { ...PLACE, ...JSON_FLAG },
      run: (words, flags, streams) => {
        const given = flags.text('db');
        const properties = given === undefined ? words.slice(1) : words;
        return stat(given ?? placeOf(words, flags), properties, flags.boolean('json'), streams);
      },
    },
  ],
  [
    'options',
    {
      usage: 'options [--list] [<name>...] [--json]',
      help: 'Every option of DB.open, or those whose name holds one of the words: type, range, default, whether it may change while the database is open, and what it does.',
      flags: { ...JSON_FLAG, list: { kind: 'boolean', help: 'List them all; the same without words.' } },
      run: (words, flags, streams) => listOptions(words, flags.boolean('json'), streams),
    },
  ],
]);

function helpText(): string {
  const commands = [...COMMANDS.values()]
    .map(({ usage, help, flags }) => `  pumice ${usage}\n      ${help}\n${flagHelp(flags)}`)
    .join('');
  return (
    'pumice - a key-value store in RocksDB’s files\n\n' +
    `Programs, each with a --help of its own:\n${PROGRAM_NAMES.map((name) => `  pumice ${name} ...\n`).join('')}\n` +
    `Commands:\n${commands}`
  );
}

/** Runs a command; returns its exit code. */
export const pumice: Tool = async (args, streams) => {
  const { flags: given, words } = splitArguments(args);
  if (given.some(({ name }) => name === 'version')) {
    streams.out.line(VERSION_TEXT);
    return 0;
  }
  if (given.some(({ name }) => name === 'help') || words[0] === 'help') {
    streams.out.write(helpText());
    return 0;
  }
  const [name, ...params] = words;
  if (name === undefined) throw new ToolFailure(helpText());
  const command = COMMANDS.get(name);
  if (command === undefined) throw new ToolFailure(`Unknown command ${name}\n${helpText()}`);
  const flags = new Flags(given, command.flags, ({ name: flag }) => {
    return new ToolFailure(`Failed: pumice ${name} knows no flag --${flag}`);
  });
  return await command.run(params, flags, streams);
};
