/**
 * Decides what recovery makes of damage in the write-ahead logs: RocksDB's four modes, and Pumice's stricter reading of
 * them. Pure bookkeeping over one recovery: the database reads the files, tells what it met and does as it is told.
 *
 * RocksDB stops at the first damage in its default mode, whatever lies behind it. With `errorIfNotTail` (our default) that
 * is only accepted where nothing whole follows, as after a crash; damage with intact records behind it is an error,
 * because acknowledged writes would be lost in silence.
 */
import type { LogEventKind } from './log-event.ts';

/** RocksDB's wal_recovery_mode, in the order of its numbers. */
export type WalRecoveryMode =
  | 'tolerateCorruptedTailRecords'
  | 'absoluteConsistency'
  | 'pointInTime'
  | 'skipAnyCorruptedRecords';

/** What damage that is followed by intact records means: an error, or RocksDB's answer. */
export type WalCorruption = 'errorIfNotTail' | 'recoverToPoint';

/** The modes by RocksDB's numbers. Part of the OPTIONS format: never reorder. */
export const walRecoveryModes: readonly WalRecoveryMode[] = [
  'tolerateCorruptedTailRecords',
  'absoluteConsistency',
  'pointInTime',
  'skipAnyCorruptedRecords',
];

/**
 * What to do next. `error`: fail the open. `skip`: go on behind the damage. `endFile`: read no more of this file.
 * `stop`: the same, and later files count only if they continue exactly where this one stopped.
 */
export type DamageAction = 'error' | 'skip' | 'endFile' | 'stop';

/** What to do with a record. `skipFile`: it does not continue what was recovered; drop it and the rest of its file. */
export type RecordAction = 'apply' | 'skipFile' | 'error';

type Row = readonly [DamageAction, DamageAction, DamageAction, DamageAction];

const tornTail: Row = ['endFile', 'error', 'stop', 'endFile'];
const wrongBytes: Row = ['error', 'error', 'stop', 'skip'];

/** The table of RocksDB's answers: a row for each kind of event, a column for each mode. */
const answers: Readonly<Record<LogEventKind, Row>> = {
  truncatedHeader: tornTail,
  truncatedBody: tornTail,
  unfinishedRecord: tornTail,
  badLength: wrongBytes,
  checksumMismatch: wrongBytes,
  partialRecord: wrongBytes,
  missingStart: wrongBytes,
  unknownType: wrongBytes,
  brokenRecord: wrongBytes,
  badCompression: wrongBytes,
  recordTooSmall: wrongBytes,
  malformedBatch: ['error', 'error', 'stop', 'endFile'],
  zeroGap: ['skip', 'skip', 'skip', 'skip'],
  oldRecord: ['endFile', 'endFile', 'endFile', 'skip'],
  damagedOldRecord: ['endFile', 'endFile', 'endFile', 'skip'],
};

/** One recovery of one database. */
export class WalRecoveryPolicy {
  readonly mode: WalRecoveryMode;
  readonly walCorruption: WalCorruption;
  readonly #column: number;
  /** Whether damage ended the replay, so that only an exact continuation is taken. */
  #stopped = false;
  /** Replay stopped where a whole log, or its end, is missing. */
  #atGap = false;

  constructor(mode: WalRecoveryMode, walCorruption: WalCorruption) {
    this.mode = mode;
    this.walCorruption = walCorruption;
    this.#column = walRecoveryModes.indexOf(mode);
  }

  /** Whether replay has stopped at damage. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * Whether `onDamage` wants to know if an intact record follows. The search may read the whole rest of the file, so it
   * should not be made unasked. `recycled`: the file's records carry log numbers.
   */
  needsSearch(kind: LogEventKind, recycled: boolean): boolean {
    if (this.walCorruption !== 'errorIfNotTail' || this.mode === 'skipAnyCorruptedRecords') return false;
    return kind !== 'oldRecord' && this.#rocksDbAnswer(kind, recycled) !== 'error';
  }

  /** What to do about an event. `intactFollows` is the search's result, false where none was asked for. */
  onDamage(kind: LogEventKind, recycled: boolean, intactFollows: boolean): DamageAction {
    if (intactFollows && this.needsSearch(kind, recycled)) return 'error';
    const action = this.#rocksDbAnswer(kind, recycled);
    if (action === 'stop') this.#stopped = true;
    return action;
  }

  /**
   * What to do with an intact batch whose first sequence is `sequence`, when `nextSequence` is the one behind everything
   * applied so far.
   */
  onRecord(sequence: number, nextSequence: number): RecordAction {
    if (!this.#stopped) return 'apply';
    if (sequence === nextSequence) {
      this.#stopped = false;
      return 'apply';
    }
    return this.walCorruption === 'errorIfNotTail' && !this.#atGap ? 'error' : 'skipFile';
  }

  /**
   * What to do with the first batch of a log that does not continue the intact log before it. A synced write makes all logs
   * before its own durable, so only a power cut that took unsynced bytes leaves this: nothing behind it was promised.
   */
  onGap(): RecordAction {
    if (this.mode === 'absoluteConsistency') return 'error';
    if (this.mode !== 'pointInTime') return 'apply';
    this.#stopped = true;
    this.#atGap = true;
    return 'skipFile';
  }

  /** A recycled file ends in the remains of an older log, which the oldest mode takes for the end. */
  #rocksDbAnswer(kind: LogEventKind, recycled: boolean): DamageAction {
    if (kind === 'checksumMismatch' && recycled && this.mode === 'tolerateCorruptedTailRecords') return 'endFile';
    return answers[kind][this.#column]!;
  }
}

/** Whether stepping over an event of this kind loses bytes of this log. */
export function losesData(kind: LogEventKind): boolean {
  return kind !== 'oldRecord' && kind !== 'damagedOldRecord';
}
