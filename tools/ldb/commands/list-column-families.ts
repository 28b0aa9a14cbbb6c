/** `list_column_families`: the families of a database. */
import { resolve } from 'node:path';
import { CURRENT_FILE } from '../../../format/manifest/file-name.ts';
import { DB } from '../../../src/index.ts';
import { statusText } from '../../lib/status-text.ts';
import { ToolFailure } from '../../lib/tool-failure.ts';
import type { LdbCommand } from '../command.ts';

/** All on one line, in the order of their ids. */
export const listColumnFamiliesCommand: LdbCommand = {
  name: 'list_column_families',
  usage: 'list_column_families',
  group: 'admin',
  formats: ['json'],
  flags: {},
  needsDatabase: true,
  async run(context) {
    try {
      await context.requireFile(`${context.path}/${CURRENT_FILE}`);
    } catch (error) {
      throw new ToolFailure(`Error in processing db ${context.path} ${statusText(error)}`);
    }
    const names = await DB.listColumnFamilies(resolve(context.path));
    if (context.json) {
      for (const name of names) context.out.line(JSON.stringify({ name }));
      return;
    }
    context.out.line(`Column families in ${context.path}: `);
    context.out.line(`{${names.join(', ')}}`);
  },
};
