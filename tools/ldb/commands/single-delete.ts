/** `singledelete`: deletes one key that was written once. */
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Deletes and prints OK. */
export const singleDeleteCommand: LdbCommand = {
  name: 'singledelete',
  usage: 'singledelete <key>',
  group: 'data',
  formats: ['hex'],
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 1) throw commandFailure('KEY must be specified for the single delete command');
    const key = context.key(context.params[0]!);
    await using db = await context.openForWrite();
    await context.family(db).singleDelete(key);
    context.out.line('OK');
  },
};
