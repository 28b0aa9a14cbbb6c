/** `update_manifest`: brings what the MANIFEST tells of tables up to date with the files. */
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Temperatures are the only thing that RocksDB's tool can update, and Pumice keeps tables in one place only. */
export const updateManifestCommand: LdbCommand = {
  name: 'update_manifest',
  usage: 'update_manifest [--update_temperatures]      refused: tables have no temperatures.',
  group: 'admin',
  formats: [],
  flags: { update_temperatures: { kind: 'boolean' } },
  needsDatabase: true,
  async run(context) {
    if (!context.flags.boolean('update_temperatures')) {
      throw commandFailure('No action like --update_temperatures specified for update_manifest');
    }
    throw commandFailure('Not implemented: tables have no temperatures');
  },
};
