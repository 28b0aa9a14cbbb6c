/** `checkpoint`: makes a directory that holds the database as it is now, tables shared by hard links. */
import { resolve } from 'node:path';
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Prints OK. */
export const checkpointCommand: LdbCommand = {
  name: 'checkpoint',
  usage: 'checkpoint --checkpoint_dir=<directory>',
  group: 'admin',
  flags: { checkpoint_dir: { kind: 'text' } },
  needsDatabase: true,
  async run(context) {
    const directory = context.flags.text('checkpoint_dir');
    if (directory === undefined || directory === '') {
      throw commandFailure('Invalid argument: invalid checkpoint directory name');
    }
    await using db = await context.openForWrite();
    await db.createCheckpoint(resolve(directory));
    context.out.line('OK');
  },
};
