/** What replicas and backups read of the log: which files there are, and the stream of updates. */
import { invalidArgument } from '../../format/base/db-error.ts';
import { runAsync } from '../../format/base/io.ts';
import { type Update, UpdateStream } from '../wal/update-stream.ts';
import type { WalFileInfo } from '../wal/wal-listing.ts';
import type { Engine } from './engine.ts';

/** Options of `getUpdatesSince`. */
export interface UpdatesOptions {
  /** At the end of the log: wait for more instead of ending. */
  follow?: boolean;
  /** Ends waiting; `next` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** See `DB.getSortedWalFiles`. */
export function sortedWalFiles(engine: Engine): Promise<WalFileInfo[]> {
  const { wal } = engine;
  return runAsync(
    wal.listing.files((number) => (number === wal.currentNumber ? wal.visibleSize : Number.POSITIVE_INFINITY)),
  );
}

/** See `DB.getUpdatesSince`. */
export function updatesSince(engine: Engine, sequence: number, options: UpdatesOptions): AsyncIterableIterator<Update> {
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw invalidArgument('sequence must be a whole number >= 0');
  const { follow = false, signal } = options;
  if (typeof follow !== 'boolean') throw invalidArgument('follow must be true or false');
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw invalidArgument('signal must be an AbortSignal');
  }
  engine.context.statistics?.count('rocksdb.getupdatessince.calls');
  return new UpdateStream(engine.context, engine.wal, () => engine.versions.lastSequence, sequence, { follow, signal });
}
