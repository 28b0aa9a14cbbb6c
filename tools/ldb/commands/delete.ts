/** `delete`: deletes one key. */
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Deletes and prints OK, whether the key was there or not. */
export const deleteCommand: LdbCommand = {
  name: 'delete',
  usage: 'delete <key>',
  group: 'data',
  formats: ['hex'],
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 1) throw commandFailure('KEY must be specified for the delete command');
    const key = context.key(context.params[0]!);
    await using db = await context.openForWrite();
    await context.family(db).delete(key);
    context.out.line('OK');
  },
};
