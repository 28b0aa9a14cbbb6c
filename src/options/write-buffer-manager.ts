/**
 * One limit on the memtables of many databases. It keeps no account of its own that could drift: databases join while they
 * are open, and their memtables are asked when somebody wants to know. When to flush and when to wait is decided here, by
 * RocksDB's rules; the write path of each database acts on it.
 */
import { invalidArgument } from '../../format/base/db-error.ts';

/** How to make a manager. */
export interface WriteBufferManagerOptions {
  /** Bytes that the memtables of all its databases may have together, 1 to 2^53-1. */
  bufferSize: number;
  /** Writes wait while active and immutable memtables have `bufferSize` or more. Default false: they only start flushes. */
  allowStall?: boolean;
}

/** What a manager asks of an open database, and asks it to do. */
export interface WriteBufferMember {
  /** Bytes of active memtables that hold something. */
  readonly activeBytes: number;
  /** Bytes of memtables that wait for their flush. */
  readonly immutableBytes: number;
  /** Whether a flush can ever end: not after a background error. */
  readonly canFlush: boolean;
  /** Whether one can end while this thread is blocked. */
  readonly canFlushSync: boolean;
  /** Starts the flush of its oldest active memtable, behind the writes queued there. */
  flushOldest(): void;
  /** Seals that memtable at once. */
  sealOldestSync(): void;
  /** Has its immutable memtables flushed, however few they are. */
  flushImmutables(): void;
  /** Blocks for a step of its background work. */
  waitSync(): void;
  /** Lets writes that wait look again. */
  wake(): void;
}

/**
 * Bounds the memory of the memtables of all databases that were opened with it as `writeBufferManager`. Past 7/8 of
 * `bufferSize` the database that writes next flushes the family with its oldest data. Memtables that only an iterator still
 * holds, and those of databases opened with `readOnly`, do not count. Nothing has to be closed.
 */
export class WriteBufferManager {
  readonly bufferSize: number;
  readonly allowStall: boolean;
  /** Whether writes had to wait when this was last decided. For the engine. */
  stallActive = false;
  readonly #members = new Set<WriteBufferMember>();

  /** Throws `INVALID_ARGUMENT` for a value out of range or a name that is none. */
  constructor(options: WriteBufferManagerOptions) {
    if (typeof options !== 'object' || options === null) {
      throw invalidArgument('WriteBufferManager: options must be an object');
    }
    const { bufferSize, allowStall = false, ...rest } = options;
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) throw invalidArgument(`WriteBufferManager: ${unknown} is not an option of it`);
    if (!Number.isSafeInteger(bufferSize) || bufferSize < 1) {
      throw invalidArgument('WriteBufferManager: bufferSize must be a whole number of bytes from 1 to 2^53-1');
    }
    if (typeof allowStall !== 'boolean') throw invalidArgument('WriteBufferManager: allowStall must be true or false');
    this.bufferSize = bufferSize;
    this.allowStall = allowStall;
  }

  /** Bytes of the memtables, active and immutable, of all open databases that share this. */
  get memoryUsage(): number {
    const { active, immutable } = this.#usage();
    return active + immutable;
  }

  /** Counts a database from now on. For the engine. */
  join(member: WriteBufferMember): void {
    this.#members.add(member);
  }

  /** Forgets a database that closes; nothing happens when it never joined. For the engine. */
  leave(member: WriteBufferMember): void {
    if (this.#members.delete(member)) this.memoryChanged();
  }

  /** Whether the database that writes next is to flush: RocksDB's rule. For the engine. */
  shouldFlush(): boolean {
    const { active, immutable } = this.#usage();
    if (active > this.bufferSize * (7 / 8)) return true;
    return active + immutable >= this.bufferSize && active >= this.bufferSize / 2;
  }

  /** Decides whether writes wait. Nobody waits for memory that a failed database cannot flush. For the engine. */
  shouldStall(): boolean {
    if (!this.allowStall) return false;
    const { active, immutable } = this.#usage((member) => member.canFlush);
    this.stallActive = active + immutable >= this.bufferSize;
    return this.stallActive;
  }

  /** Memtables went, or will never go: whoever waits looks again. For the engine. */
  memoryChanged(): void {
    if (!this.stallActive) return;
    for (const member of this.#members) member.wake();
  }

  /** Sees to it that some flush is on its way while writes wait, in idle databases too. For the engine. */
  relieve(): void {
    let waiting = false;
    for (const member of this.#members) {
      if (!member.canFlush || member.immutableBytes === 0) continue;
      member.flushImmutables();
      waiting = true;
    }
    if (!waiting) this.#largest((member) => member.canFlush)?.flushOldest();
  }

  /** Blocks for a step towards free memory; false when no step can be made while this thread is blocked. For the engine. */
  relieveSync(): boolean {
    for (const member of this.#members) {
      if (!member.canFlushSync || member.immutableBytes === 0) continue;
      member.flushImmutables();
      member.waitSync();
      return true;
    }
    const largest = this.#largest((member) => member.canFlushSync);
    largest?.sealOldestSync();
    return largest !== undefined;
  }

  /** Bytes of the memtables of all members, or of those that count. */
  #usage(counts: (member: WriteBufferMember) => boolean = () => true): { active: number; immutable: number } {
    let active = 0;
    let immutable = 0;
    for (const member of this.#members) {
      if (!counts(member)) continue;
      active += member.activeBytes;
      immutable += member.immutableBytes;
    }
    return { active, immutable };
  }

  /** The member with the most in active memtables, of those that have something there. */
  #largest(able: (member: WriteBufferMember) => boolean): WriteBufferMember | undefined {
    let largest: WriteBufferMember | undefined;
    let most = 0;
    for (const member of this.#members) {
      const { activeBytes } = member;
      if (activeBytes <= most || !able(member)) continue;
      largest = member;
      most = activeBytes;
    }
    return largest;
  }
}
