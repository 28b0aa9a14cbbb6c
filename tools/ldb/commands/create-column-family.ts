/** `create_column_family`: adds a family. */
import { CURRENT_FILE } from '../../../format/manifest/file-name.ts';
import { statusText } from '../../lib/status-text.ts';
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Prints OK. */
export const createColumnFamilyCommand: LdbCommand = {
  name: 'create_column_family',
  usage: 'create_column_family <new_column_family_name>',
  group: 'admin',
  formats: [],
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 1) throw commandFailure('new column family name must be specified');
    await context.requireFile(`${context.path}/${CURRENT_FILE}`);
    await using db = await context.openForWrite();
    try {
      await db.createColumnFamily(context.params[0]!);
    } catch (error) {
      throw commandFailure(`Fail to create new column family: ${statusText(error)}`);
    }
    context.out.line('OK');
  },
};
