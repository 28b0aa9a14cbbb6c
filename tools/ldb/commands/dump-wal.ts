/** `dump_wal`: the batches of a write-ahead log, one line each. */
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';
import { printWal } from '../wal-text.ts';

/** Needs no database: the log may lie anywhere. */
export const dumpWalCommand: LdbCommand = {
  name: 'dump_wal',
  usage: 'dump_wal --walfile=<write_ahead_log_file_path> [--header] [--print_value] [--write_committed=true|false]',
  group: 'admin',
  formats: ['hex', 'json'],
  flags: {
    walfile: { kind: 'text', bare: '' },
    header: { kind: 'boolean' },
    print_value: { kind: 'boolean' },
    write_committed: { kind: 'boolean' },
  },
  needsDatabase: false,
  async run(context) {
    const path = context.flags.text('walfile');
    if (path === undefined || path === '') throw commandFailure('Argument walfile must be specified.');
    await printWal(context, path, {
      header: context.flags.boolean('header'),
      values: context.flags.boolean('print_value'),
    });
  },
};
