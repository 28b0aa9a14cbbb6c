/** `backup`: adds a backup of the database to a directory of backups. */
import { resolve } from 'node:path';
import { BackupEngine } from '../../../src/index.ts';
import type { FlagTable } from '../../lib/arguments.ts';
import type { LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { commandFailure } from '../command-failure.ts';

const LOG_LEVEL_COUNT = 6;

/** Flags of both directions. Threads and log levels are RocksDB's tuning of its own copying; they change nothing here. */
export const BACKUP_FLAGS: FlagTable = {
  backup_dir: { kind: 'text', bare: '' },
  num_threads: { kind: 'integer' },
  stderr_log_level: { kind: 'integer' },
};

/** The directory of backups that the flags name. */
export function backupDirectory(context: CommandContext): string {
  const directory = context.flags.text('backup_dir');
  if (directory === undefined || directory === '') throw commandFailure('--backup_dir: missing backup directory');
  return resolve(directory);
}

/** `stderr_log_level` is one of RocksDB's six levels. */
export function checkBackupFlags({ flags }: CommandContext): void {
  const level = flags.number('stderr_log_level') ?? 0;
  if (level < 0 || level >= LOG_LEVEL_COUNT) throw commandFailure('stderr_log_level must be >= 0 and < 6.');
}

/** Says OK after each step. */
export const backupCommand: LdbCommand = {
  name: 'backup',
  usage: 'backup --backup_dir=<directory> [--num_threads=<N>] [--stderr_log_level=<N>]',
  group: 'admin',
  formats: [],
  flags: BACKUP_FLAGS,
  needsDatabase: true,
  async run(context) {
    const directory = backupDirectory(context);
    checkBackupFlags(context);
    await using db = await context.openForWrite();
    context.family(db);
    context.out.line('open db OK');
    await using engine = await BackupEngine.open(directory);
    context.out.line('open backup engine OK');
    await engine.createBackup(db);
    context.out.line('create new backup OK');
  },
};
