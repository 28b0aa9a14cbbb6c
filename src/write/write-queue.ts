/**
 * The write queue: turns calls into groups and commits them one after another.
 *
 * Life of a group: operations are encoded into it as they are called → it is taken for commit → room is made (memtable
 * switch, stall) → sequences are assigned → its record is appended to the WAL → if asked for, the WAL is synced →
 * its entries go into the memtables → the new last sequence is published → its callers wake up.
 *
 * When to commit: a group of 32 KiB at once; a lone writer in a microtask, so that `await put()` in a loop costs no trip
 * through the event loop; anything else in `setImmediate`, so that concurrent writers meet in one group. Microtasks run
 * before the loop turns, and a writer that awaits one batch after the other would starve it. So one turn has a budget: after
 * a number of microtasks the next commit waits for the next turn, and after a number of bytes its acknowledgement does.
 *
 * Blocking calls commit on the spot, everything queued before them first: order is call order. While a group awaits
 * its sync, a blocking call finishes that group itself (`IoTask.finishSync`).
 */
import type { DBError } from '../../format/base/db-error.ts';
import { type Io, IoTask, runAsync, runSync } from '../../format/base/io.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import { GroupBufferPool, WriteGroup } from './write-group.ts';

/** Bytes at which a group is written out without waiting for company. */
const COMMIT_AT_BYTES = 32 * 1024;
/** Commits in microtasks of one event-loop turn before one goes through `setImmediate`. */
const MICROTASK_COMMITS_MAX = 32;
/** Bytes whose commit is acknowledged within one event-loop turn: some 1 ms of work. */
const TURN_BYTES_MAX = 128 * 1024;

/** What the queue needs of the database. */
export interface WriteHost {
  /** Throws when writes are refused: closed, read-only, background error. */
  checkWritable(): void;
  /** Whether a component of the user is being called: nothing may be committed in the middle of what it is called for. */
  isCallingOut(): boolean;
  /** Whether a group must wait for `makeRoom` first; cheap. */
  needsRoom(): boolean;
  /** Switches full memtables and waits while writes are stalled. */
  makeRoom(bytes: number): Io<void>;
  /** Assigns the group's sequences and appends its record to the WAL. A throw means nothing of it may be applied. */
  append(group: WriteGroup): void;
  /** Makes everything appended so far durable. Steps may be carried out twice. */
  syncWal(): Io<void>;
  /** Inserts the group into the memtables and publishes its last sequence. */
  apply(group: WriteGroup): void;
  /** A WAL append or sync failed; nothing may be acknowledged on that log any more. */
  onWalFailure(error: unknown): DBError;
}

/** An operation that runs between groups, with none of them under way: a memtable switch asked for by `flush()`. */
class Barrier {
  readonly promise: Promise<void>;
  readonly operation: () => Io<void>;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  constructor(operation: () => Io<void>) {
    this.operation = operation;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  succeed(): void {
    this.#resolve();
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}

function runBarrierSync(barrier: Barrier): void {
  try {
    runSync(barrier.operation());
  } catch (error) {
    barrier.fail(error);
    return;
  }
  barrier.succeed();
}

/** One database's writes, in order. */
export class WriteQueue {
  readonly #kernel: Kernel;
  readonly #host: WriteHost;
  readonly #buffers: GroupBufferPool;
  #pending: (WriteGroup | Barrier)[] = [];
  #inFlight: { group: WriteGroup; task: IoTask<void> } | undefined;
  /** Set while room is made for the head of the queue, or a barrier runs. */
  #makingRoom = false;
  #scheduled = false;
  #microtaskCommits = 0;
  #turnBytes = 0;
  #turnWatched = false;
  /** Committed groups that are acknowledged in the next turn. */
  #committed: WriteGroup[] = [];
  #idleWaiters: (() => void)[] = [];

  constructor(kernel: Kernel, host: WriteHost) {
    this.#kernel = kernel;
    this.#host = host;
    this.#buffers = new GroupBufferPool(kernel);
  }

  /** Whether nothing is queued or under way. */
  get idle(): boolean {
    return this.#pending.length === 0 && this.#inFlight === undefined && !this.#makingRoom;
  }

  /** The group that an operation of `bytes` joins. Fill it, then call `submit` or `submitSync`. */
  join(disableWAL: boolean, sync: boolean, bytes: number): WriteGroup {
    let group = this.#pending[this.#pending.length - 1];
    if (!(group instanceof WriteGroup) || group.disableWAL !== disableWAL || !group.accepts(bytes)) {
      group = new WriteGroup(this.#kernel, this.#buffers, disableWAL);
      this.#pending.push(group);
    }
    group.callers++;
    if (sync) group.sync = true;
    return group;
  }

  /**
   * Runs `operation` behind everything queued so far, with no group under way. Blocking writes may still be made while it
   * waits for something, so it must look again at what it saw before.
   */
  barrier(operation: () => Io<void>): Promise<void> {
    const barrier = new Barrier(operation);
    this.#pending.push(barrier);
    this.#driveSoon();
    return barrier.promise;
  }

  /** Queues what was added to `group` and promises its commit. */
  submit(group: WriteGroup): Promise<void> {
    if (group.size >= COMMIT_AT_BYTES) this.#driveSoon();
    else if (!this.#scheduled) this.#schedule();
    return group.promise;
  }

  /** At once, but for calls out of callbacks. */
  #driveSoon(): void {
    if (!this.#host.isCallingOut()) this.#drive();
    else if (!this.#scheduled) this.#schedule();
  }

  /** Commits everything queued, `group` included, before it returns; throws what `group` failed with. */
  submitSync(group: WriteGroup): void {
    this.drainSync();
    if (group.failure !== undefined) throw group.failure;
  }

  /** Commits everything queued, blocking. */
  drainSync(): void {
    this.settleSync();
    while (this.#pending.length > 0) {
      const group = this.#pending[0]!;
      if (group instanceof Barrier) {
        this.#pending.shift();
        runBarrierSync(group);
        continue;
      }
      if (this.#host.needsRoom()) {
        let failure: { error: unknown } | undefined;
        try {
          runSync(this.#host.makeRoom(group.size));
        } catch (error) {
          failure = { error };
        }
        // A callback that wrote meanwhile has committed the group.
        if (this.#pending[0] !== group) continue;
        if (failure !== undefined) {
          this.#pending.shift();
          group.fail(failure.error);
          continue;
        }
      }
      this.#pending.shift();
      if (!this.#begin(group)) continue;
      if (!group.sync) {
        this.#finish(group);
        continue;
      }
      try {
        runSync(this.#host.syncWal());
      } catch (error) {
        group.fail(this.#host.onWalFailure(error));
        continue;
      }
      this.#finish(group);
    }
    this.#wakeIdle();
  }

  /** Finishes the group that awaits its sync, blocking: no group is under way then. */
  settleSync(): void {
    this.#inFlight?.task.finishSync();
    this.#settleInFlight();
  }

  /** Resolves once nothing is queued or under way. */
  async whenIdle(): Promise<void> {
    while (!this.idle) {
      this.#drive();
      if (this.idle) return;
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  /** Frees the buffers. REQUIRES idle. */
  close(): void {
    this.#buffers.close();
  }

  #schedule(): void {
    this.#scheduled = true;
    if (this.#microtaskCommits < MICROTASK_COMMITS_MAX) {
      queueMicrotask(() => {
        const head = this.#pending[0];
        const lone = this.#pending.length === 1 && head instanceof WriteGroup && head.callers === 1;
        if (!lone) {
          setImmediate(() => this.#onTurn());
          return;
        }
        this.#microtaskCommits++;
        this.#scheduled = false;
        this.#drive();
      });
    } else setImmediate(() => this.#onTurn());
  }

  #watchTurn(): void {
    if (this.#turnWatched) return;
    this.#turnWatched = true;
    setImmediate(() => {
      this.#turnWatched = false;
      this.#beginTurn();
    });
  }

  #beginTurn(): void {
    this.#microtaskCommits = 0;
    this.#turnBytes = 0;
    const committed = this.#committed;
    if (committed.length === 0) return;
    this.#committed = [];
    for (const group of committed) group.acknowledge();
  }

  #onTurn(): void {
    this.#beginTurn();
    this.#scheduled = false;
    this.#drive();
  }

  /** Commits from the head of the queue until it is empty or something must be awaited. */
  #drive(): void {
    while (this.#pending.length > 0 && this.#inFlight === undefined && !this.#makingRoom) {
      const group = this.#pending[0]!;
      if (group instanceof Barrier) {
        this.#pending.shift();
        this.#runBarrier(group);
        return;
      }
      if (this.#host.needsRoom()) {
        this.#makeRoom(group);
        return;
      }
      this.#pending.shift();
      if (!this.#begin(group)) continue;
      if (!group.sync) {
        this.#finishInTurn(group);
        continue;
      }
      const task = new IoTask(this.#host.syncWal());
      this.#inFlight = { group, task };
      const settle = (): void => {
        if (this.#inFlight?.task === task) this.#settleInFlight();
        this.#drive();
      };
      task.promise.then(settle, settle);
    }
    this.#wakeIdle();
  }

  #runBarrier(barrier: Barrier): void {
    this.#makingRoom = true;
    const resume = (settle: () => void): void => {
      this.#makingRoom = false;
      settle();
      this.#drive();
    };
    runAsync(barrier.operation()).then(
      () => resume(() => barrier.succeed()),
      (error) => resume(() => barrier.fail(error)),
    );
  }

  #makeRoom(head: WriteGroup): void {
    this.#makingRoom = true;
    const resume = (error?: unknown): void => {
      this.#makingRoom = false;
      // A blocking call may have committed the group meanwhile.
      if (error !== undefined && this.#pending[0] === head) {
        this.#pending.shift();
        head.fail(error);
      }
      this.#drive();
    };
    runAsync(this.#host.makeRoom(head.size)).then(() => resume(), resume);
  }

  /** Settles the group in flight by the outcome of its task, which has settled. */
  #settleInFlight(): void {
    const inFlight = this.#inFlight;
    if (inFlight === undefined) return;
    this.#inFlight = undefined;
    const failure = inFlight.task.failure;
    if (failure !== undefined) inFlight.group.fail(this.#host.onWalFailure(failure));
    else this.#finish(inFlight.group);
  }

  /** Appends the record; false when the group has failed. */
  #begin(group: WriteGroup): boolean {
    try {
      this.#host.checkWritable();
      this.#host.append(group);
      return true;
    } catch (error) {
      group.fail(error);
      return false;
    }
  }

  #finish(group: WriteGroup): void {
    if (this.#apply(group)) group.acknowledge();
  }

  /** Like `finish`, but past the turn's budget the callers hear of it in the next turn: others have theirs first. */
  #finishInTurn(group: WriteGroup): void {
    const { size } = group;
    if (!this.#apply(group)) return;
    this.#turnBytes += size;
    this.#watchTurn();
    if (this.#turnBytes > TURN_BYTES_MAX) this.#committed.push(group);
    else group.acknowledge();
  }

  /** False when the group has failed. */
  #apply(group: WriteGroup): boolean {
    try {
      this.#host.apply(group);
    } catch (error) {
      group.fail(error);
      return false;
    }
    group.release();
    return true;
  }

  #wakeIdle(): void {
    if (!this.idle || this.#idleWaiters.length === 0) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const wake of waiters) wake();
  }
}
