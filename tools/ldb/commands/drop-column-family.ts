/** `drop_column_family`: removes a family and all it holds. */
import { resolve } from 'node:path';
import { CURRENT_FILE } from '../../../format/manifest/file-name.ts';
import { DB } from '../../../src/index.ts';
import { statusText } from '../../lib/status-text.ts';
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Prints OK. */
export const dropColumnFamilyCommand: LdbCommand = {
  name: 'drop_column_family',
  usage: 'drop_column_family <column_family_name_to_drop>',
  group: 'admin',
  formats: [],
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 1) throw commandFailure('The name of column family to drop must be specified');
    await context.requireFile(`${context.path}/${CURRENT_FILE}`);
    const name = context.params[0]!;
    if (!(await DB.listColumnFamilies(resolve(context.path))).includes(name)) {
      throw commandFailure(`Column family: ${name} doesn't exist in db.`);
    }
    await using db = await context.openForWrite();
    try {
      await db.dropColumnFamily(name);
    } catch (error) {
      throw commandFailure(`Fail to drop column family: ${statusText(error)}`);
    }
    context.out.line('OK');
  },
};
