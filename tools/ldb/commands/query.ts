/** `query`: gets, puts and deletes line by line from standard input, until it ends. */
import type { ColumnFamily, DB } from '../../../src/index.ts';
import type { LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { commandFailure } from '../command-failure.ts';
import { DUMP_DELIMITER } from '../key-value-line.ts';
import { withoutTime, withTime } from '../ttl-value.ts';

/** Answers each line at once. A key that is not there ends it, as in RocksDB's tool. */
export const queryCommand: LdbCommand = {
  name: 'query',
  usage: 'query [--ttl]\n    Reads commands from standard input: help, get, put, delete.',
  group: 'data',
  formats: ['hex', 'ttl'],
  flags: {},
  needsDatabase: true,
  async run(context) {
    await using db: DB = await context.openForWrite();
    const family = context.family(db);
    for await (const line of context.streams.lines()) {
      await answer(context, family, line);
      await context.out.flush();
    }
  },
};

async function answer(context: CommandContext, family: ColumnFamily, line: string): Promise<void> {
  const [verb, ...words] = line.split(/\s+/).filter((word) => word !== '');
  const { out } = context;
  if (verb === 'help' && words.length === 0) out.write('get <key>\nput <key> <value>\ndelete <key>\n');
  else if (verb === 'get' && words.length === 1) await get(context, family, words[0]!);
  else if (verb === 'put' && words.length === 2) {
    const value = context.value(words[1]!);
    await family.put(context.key(words[0]!), context.ttl ? withTime(value, context.nowSeconds()) : value);
    out.write(`Successfully put ${words[0]} ${words[1]}\n`);
  } else if (verb === 'delete' && words.length === 1) {
    await family.delete(context.key(words[0]!));
    out.write(`Successfully deleted ${words[0]}\n`);
  } else out.write(`Unknown command ${line}\n`);
}

async function get(context: CommandContext, family: ColumnFamily, word: string): Promise<void> {
  const stored = await family.get(context.key(word));
  if (stored === undefined) {
    context.out.write(`Not found ${word}\n`);
    throw commandFailure('');
  }
  const value = context.ttl ? withoutTime(stored) : stored;
  context.out.write(word, DUMP_DELIMITER, context.shownValue(value), '\n');
}
