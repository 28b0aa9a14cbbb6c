/** `list_column_families`: the families of a database. */
import { resolve } from 'node:path';
import { DB } from '../../../src/index.ts';
import type { LdbCommand } from '../command.ts';

/** All on one line, in the order of their ids. */
export const listColumnFamiliesCommand: LdbCommand = {
  name: 'list_column_families',
  usage: 'list_column_families',
  group: 'admin',
  flags: {},
  needsDatabase: true,
  async run(context) {
    const names = await DB.listColumnFamilies(resolve(context.path));
    if (context.json) {
      for (const name of names) context.out.line(JSON.stringify({ name }));
      return;
    }
    context.out.line(`Column families in ${context.path}: `);
    context.out.line(`{${names.join(', ')}}`);
  },
};
