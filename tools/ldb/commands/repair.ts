/** `repair`: makes a database out of the tables and logs that can still be read. */
import { resolve } from 'node:path';
import { DB } from '../../../src/index.ts';
import type { LdbCommand } from '../command.ts';

/** Prints OK; what could not be read is told on stderr, and with `--verbose` what was. */
export const repairCommand: LdbCommand = {
  name: 'repair',
  usage: 'repair [--verbose]',
  group: 'admin',
  formats: ['json'],
  flags: { verbose: { kind: 'boolean' } },
  needsDatabase: true,
  async run(context) {
    const report = await DB.repair(resolve(context.path));
    const verbose = context.flags.boolean('verbose');
    if (verbose) {
      for (const table of report.tables) context.err.line(`Table ${table} is part of the database`);
      for (const log of report.logs) context.err.line(`Log ${log} was turned into tables`);
      context.err.line(`Last sequence ${report.lastSequence}`);
    }
    for (const { path, movedTo, kind, reason } of report.lost) {
      if (kind === 'damaged' || verbose) context.err.line(`Warning: ${path} was moved to ${movedTo}: ${reason}`);
    }
    context.tellDrops(report.drops);
    context.out.line(context.json ? JSON.stringify(report) : 'OK');
  },
};
