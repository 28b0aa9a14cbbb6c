/** `restore`: brings the newest backup of a directory back as a database. */
import { resolve } from 'node:path';
import { isNotFound } from '../../../src/env/file-error.ts';
import { BackupEngine } from '../../../src/index.ts';
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';
import { BACKUP_FLAGS, backupDirectory, checkBackupFlags } from './backup.ts';

/** Says OK after each step. What stands in the database's directory is replaced. */
export const restoreCommand: LdbCommand = {
  name: 'restore',
  usage: 'restore --backup_dir=<directory> [--num_threads=<N>] [--stderr_log_level=<N>]',
  group: 'admin',
  formats: [],
  flags: BACKUP_FLAGS,
  needsDatabase: true,
  async run(context) {
    const directory = backupDirectory(context);
    checkBackupFlags(context);
    // Opening an engine makes its directory; asking for a restore must not.
    try {
      await context.fileSystem.stat(`${directory}/meta`);
    } catch (error) {
      throw isNotFound(error) ? commandFailure(`NotFound: ${directory}/meta is missing`) : error;
    }
    await using engine = await BackupEngine.open(directory);
    context.out.line('open restore engine OK');
    await engine.restoreLatest(resolve(context.path));
    context.out.line('restore from backup OK');
  },
};
