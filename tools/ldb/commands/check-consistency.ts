/** `checkconsistency`: opens the database with every table, and compares what files are with what the MANIFEST says. */

import { openTableFile } from '../../lib/table-file.ts';
import type { LdbCommand } from '../command.ts';
import { liveTables } from '../live-tables.ts';

/** Prints OK. Data blocks and filters are not read, as in RocksDB's tool: `sst_dump --command=verify` does that. */
export const checkConsistencyCommand: LdbCommand = {
  name: 'checkconsistency',
  usage: 'checkconsistency',
  group: 'data',
  formats: [],
  flags: {},
  needsDatabase: true,
  async run(context) {
    await using db = await context.openForRead();
    context.family(db);
    for (const { path } of await liveTables(context, db)) {
      (await openTableFile(context.fileSystem, path, false)).close();
    }
    context.out.line('OK');
  },
};
