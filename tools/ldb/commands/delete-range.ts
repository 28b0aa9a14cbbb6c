/** `deleterange`: deletes the keys from one, inclusive, to another, exclusive. */
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Deletes and prints OK. */
export const deleteRangeCommand: LdbCommand = {
  name: 'deleterange',
  usage: 'deleterange <begin key> <end key>',
  group: 'data',
  formats: ['hex'],
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 2) {
      throw commandFailure('begin and end keys must be specified for the delete command');
    }
    const [begin, end] = [context.key(context.params[0]!), context.key(context.params[1]!)];
    await using db = await context.openForWrite();
    await context.family(db).deleteRange(begin, end);
    context.out.line('OK');
  },
};
