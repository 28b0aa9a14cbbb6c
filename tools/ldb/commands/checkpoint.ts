/** `checkpoint`: makes a directory that holds the database as it is now, tables shared by hard links. */
import { resolve } from 'node:path';
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Prints OK. */
export const checkpointCommand: LdbCommand = {
  name: 'checkpoint',
  usage: 'checkpoint --checkpoint_dir=<directory>',
  group: 'admin',
  formats: [],
  flags: { checkpoint_dir: { kind: 'text', bare: '' } },
  needsDatabase: true,
  async run(context) {
    await context.requireDatabase();
    await context.requireFamily();
    const directory = context.flags.text('checkpoint_dir');
    if (directory === undefined || directory === '') {
      throw commandFailure('Invalid argument: invalid checkpoint directory name');
    }
    await using db = await context.openForWrite();
    await db.createCheckpoint(resolve(directory));
    context.out.line('OK');
  },
};
