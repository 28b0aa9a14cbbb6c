/**
 * Makes a database anew from its logs alone: where data lies on storage that forgets and logs, the archived ones included,
 * on storage that does not. The logs are only read.
 */
import { DBError, invalidArgument } from '../../../format/base/db-error.ts';
import { runAsync } from '../../../format/base/io.ts';
import { PreparedTransactions } from '../../../format/batch/prepared-transactions.ts';
import { LOCK_FILE } from '../../../format/manifest/file-name.ts';
import { createDirectories } from '../../env/file-operations.ts';
import { silentLogger } from '../../env/logger.ts';
import { DbContext } from '../../options/db-context.ts';
import type { Options } from '../../options/options.ts';
import { resolveOptions } from '../../options/resolve-options.ts';
import type { RecoveryDrop } from '../../wal/wal-recovery.ts';
import { absolutePath, inspectDirectory } from '../directory-check.ts';
import { readStoredOptions, storedAllow2pc } from '../stored-options.ts';
import { type ArrangedFamily, arrangeTables } from './arrange-tables.ts';
import { findRemains } from './find-remains.ts';
import { planFamilies } from './plan-families.ts';
import { boundedLogs } from './repair.ts';
import { LogReplay } from './replay-logs.ts';
import { Salvage } from './salvage.ts';
import { installTables } from './write-manifest.ts';

/** What a rebuild did. */
export interface RebuildReport {
  columnFamilies: string[];
  /** Paths of the logs that were read, in order. */
  logs: string[];
  /** Records that were replayed. */
  records: number;
  /** Ends of logs that a crash left torn. */
  drops: RecoveryDrop[];
  lastSequence: number;
}

/**
 * Rebuilds the database of `walDir` and its archive in `path`, which must not hold one (`INVALID_ARGUMENT`). The logs must
 * go back to the first write: `NOT_FOUND` when sequences are missing, `CORRUPTION` when damage hides some. Logs know
 * families by id only: `options.columnFamilies` names them in the order they were made; an id without a name becomes
 * `recovered-<id>`. The result is opened with the same `walDir`.
 */
export async function rebuildFromLogs(walDir: string, path: string, options: Options = {}): Promise<RebuildReport> {
  const walPath = absolutePath(walDir, 'walDir');
  const target = absolutePath(path);
  const resolved = await resolveOptions(options);
  const { db } = resolved;
  db.walDir = walPath;
  const context = new DbContext(target, db, db.logger ?? silentLogger);
  const { fs } = context;
  const found = await inspectDirectory(fs, target);
  if (found.hasCurrent) throw invalidArgument(`${target}: there is a database already`);
  await runAsync(createDirectories(fs, target));
  const lock = await fs.lock(`${target}/${LOCK_FILE}`);
  const salvage = new Salvage(context);
  try {
    const stored = await readStoredOptions(context, found.names);
    // Tables that lie there belong to a state that is gone; only their numbers are kept clear of.
    const { logs } = await findRemains(salvage, found.names);
    const nothing = { tables: [], damaged: [], logs, manifests: [], hint: undefined };
    await planFamilies(salvage, nothing, logs, resolved, stored);
    await runAsync(salvage.begin());
    const prepared = new PreparedTransactions(db.allow2pc || storedAllow2pc(stored));
    const replay = new LogReplay(salvage, {
      prepared,
      flushedThrough: new Map(),
      flushedLogs: new Map(),
      firstSequence: 1,
    });
    try {
      for (const log of await boundedLogs(context, logs)) await runAsync(replay.replay(log));
      await runAsync(replay.finish());
    } finally {
      replay.close();
    }
    if (replay.result.records === 0) throw new DBError('NOT_FOUND', `${walPath}: there are no logs with records`);
    const arranged: ArrangedFamily[] = [];
    for (const family of salvage.families.values()) arranged.push(await runAsync(arrangeTables(salvage, family)));
    await installTables(salvage, arranged, prepared.minLogNumber);
    return {
      columnFamilies: [...salvage.families.values()].sort((a, b) => a.id - b.id).map(({ name }) => name),
      logs: logs.map((log) => log.path),
      records: replay.result.records,
      drops: replay.result.drops,
      lastSequence: salvage.lastSequence,
    };
  } finally {
    salvage.close();
    await runAsync(salvage.end());
    if (!found.hasLock) await fs.unlink(`${target}/${LOCK_FILE}`).catch(() => {});
    await lock.release();
  }
}
