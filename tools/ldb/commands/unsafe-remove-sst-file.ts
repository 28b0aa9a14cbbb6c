/** `unsafe_remove_sst_file`: makes the MANIFEST forget a table, so that a database opens again without it. */
import { resolve } from 'node:path';
import { CURRENT_FILE } from '../../../format/manifest/file-name.ts';
import { removeTable } from '../../../src/db/remove-table.ts';
import { statusText } from '../../lib/status-text.ts';
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** What the table held is lost, and what it hid comes back. The file itself goes with the next open that writes. */
export const unsafeRemoveSstFileCommand: LdbCommand = {
  name: 'unsafe_remove_sst_file',
  usage: 'unsafe_remove_sst_file <SST file number>      the database must not be open; what the table holds is lost.',
  group: 'admin',
  formats: [],
  flags: {},
  needsDatabase: true,
  async run(context) {
    const [word] = context.params;
    if (word === undefined || context.params.length !== 1) throw commandFailure('SST file number must be specified');
    if (!/^\d+$/.test(word)) throw commandFailure(`Failed to parse SST file number ${word}`);
    try {
      await context.requireFile(`${context.path}/${CURRENT_FILE}`);
      await removeTable(resolve(context.path), Number(word));
    } catch (error) {
      throw commandFailure(`failed to unsafely remove SST file: ${statusText(error)}`);
    }
    context.err.line('unsafely removed SST file');
  },
};
