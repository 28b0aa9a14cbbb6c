/**
 * What commits a group: room, sequences, log, memtables. The queue says when (`write-queue.ts`), the controller whether
 * writes must wait (`write-controller.ts`), the background makes room.
 */
import { DBError } from '../../format/base/db-error.ts';
import { MAX_SEQUENCE } from '../../format/base/internal-key.ts';
import { type Io, io } from '../../format/base/io.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { Statistics } from '../monitoring/statistics.ts';
import type { DbContext } from '../options/db-context.ts';
import type { WriteBufferManager } from '../options/write-buffer-manager.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import { makeFamilyMemTable } from '../version/family-memtable.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { WalManager } from '../wal/wal-manager.ts';
import { MemtableInserter } from './memtable-inserter.ts';
import { decideStall, WriteController } from './write-controller.ts';
import type { WriteGroup } from './write-group.ts';
import type { WriteHost } from './write-queue.ts';

/** What the write path needs of background work. */
export interface RoomMaker {
  /** Flushes and compactions may have become due. */
  schedule(): void;
  /** Resolves when something finished that may have ended a stall, or when writes became refused. */
  whenChanged(): Promise<void>;
  /** Lets background work take effect that has come to its end, without a wait for any other; whether there was some. */
  advanceSync(): boolean;
  /** Blocks until some background work has come to its end and taken effect. */
  waitSync(): void;
}

/** The memtables are looked at again after this share of the smallest write buffer, or of the manager's, has been written. */
const CHECK_SHARE = 64;

/** Commits groups into logs and memtables. */
export class WritePath implements WriteHost {
  readonly controller: WriteController;
  /** Set while writes are refused; thrown to every writer. */
  refusal: DBError | undefined;
  readonly inserter: MemtableInserter;
  /** Whether something was ever written with `disableWAL`. */
  hasUnloggedData = false;
  /** Bytes of the batches written since the database was opened. */
  acceptedBytes = 0;
  readonly #context: DbContext;
  readonly #kernel: Kernel;
  readonly #versions: VersionSet;
  readonly #wal: WalManager;
  readonly #room: RoomMaker;
  /** The limit on memtables that other databases may share. */
  readonly #buffers: WriteBufferManager | undefined;
  readonly #onWalFailure: (error: DBError) => void;
  /** The next write gets the sequence after this; ahead of `versions.lastSequence` while a group is under way. */
  #allocatedSequence: number;
  /** Of the last write that went into a log; others bypass it. */
  #loggedSequence: number;
  #bytesSinceCheck = 0;
  #checkAtBytes = 0;
  #switchDue = false;

  constructor(
    context: DbContext,
    kernel: Kernel,
    versions: VersionSet,
    wal: WalManager,
    room: RoomMaker,
    onWalFailure: (error: DBError) => void,
  ) {
    this.#context = context;
    this.#kernel = kernel;
    this.#versions = versions;
    this.#wal = wal;
    this.#room = room;
    this.#buffers = context.options.writeBufferManager;
    this.#onWalFailure = onWalFailure;
    this.controller = new WriteController(context.options.delayedWriteRate);
    this.inserter = new MemtableInserter(kernel, versions.families);
    this.#allocatedSequence = versions.lastSequence;
    this.#loggedSequence = versions.lastSequence;
    this.refresh();
  }

  /** Looks families and their options up again. */
  refresh(): void {
    this.inserter.refresh();
    let smallest = this.#buffers?.bufferSize ?? Number.MAX_SAFE_INTEGER;
    for (const family of this.#versions.families.values()) {
      smallest = Math.min(smallest, family.options.writeBufferSize);
    }
    this.#checkAtBytes = Math.max(1, Math.floor(smallest / CHECK_SHARE));
    this.#switchDue = true;
  }

  checkWritable(): void {
    if (this.refusal !== undefined) throw this.refusal;
  }

  isCallingOut(): boolean {
    return this.#context.isCallingOut;
  }

  needsRoom(): boolean {
    const waits = this.controller.condition !== 'normal' || this.#buffers?.stallActive === true;
    return this.#switchDue || waits || this.refusal !== undefined;
  }

  *makeRoom(bytes: number): Io<void> {
    let delayed = false;
    for (;;) {
      this.checkWritable();
      if (this.#buffers?.stallActive === true) this.#switchDue = true;
      yield* this.#switchFull();
      const { condition } = this.controller;
      if (condition === 'stopped') yield* this.#stop();
      else if (condition === 'delayed' && !delayed) {
        delayed = true;
        yield* this.#delay(bytes);
      } else if (this.#buffers?.shouldStall() !== true || !(yield* this.#waitForMemory(this.#buffers))) return;
    }
  }

  append(group: WriteGroup): void {
    const sequence = this.#allocatedSequence + 1;
    if (sequence + group.count > MAX_SEQUENCE) throw sequencesExhausted();
    group.seal(sequence);
    // Even if the append fails its bytes may be in the file: these sequences are never used again.
    this.#allocatedSequence += group.count;
    if (group.disableWAL) {
      this.hasUnloggedData = true;
      return;
    }
    try {
      if (this.#wal.currentSize === 0 && sequence !== this.#loggedSequence + 1) this.#wal.noteSequenceJump(sequence);
      this.#wal.append(group.buffer, group.size);
    } catch (error) {
      throw this.onWalFailure(error);
    }
    this.#loggedSequence = this.#allocatedSequence;
  }

  syncWal(): Io<void> {
    return this.#wal.sync();
  }

  apply(group: WriteGroup): void {
    this.inserter.apply(group.buffer, group.size, this.#allocatedSequence - group.count + 1);
    this.#versions.lastSequence = this.#allocatedSequence;
    this.#wal.tail.changed();
    this.#bytesSinceCheck += group.size;
    this.acceptedBytes += group.size;
    const { writeTotals } = this.#context;
    writeTotals.calls += group.callers;
    writeTotals.groups++;
    writeTotals.keys += group.count;
    writeTotals.bytes += group.size;
    if (this.#bytesSinceCheck >= this.#checkAtBytes) this.#checkMemtables();
    if (this.#context.statistics !== undefined) this.#count(group, this.#context.statistics);
  }

  #count(group: WriteGroup, statistics: Statistics): void {
    statistics.count('rocksdb.number.keys.written', group.count);
    statistics.count('rocksdb.bytes.written', group.size);
    statistics.count('rocksdb.write.self');
    statistics.count('rocksdb.write.other', group.callers - 1);
    statistics.record('rocksdb.bytes.per.write', group.size);
    const now = this.#context.clock.monotonicMicros();
    for (const start of group.startMicros ?? []) statistics.record('rocksdb.db.write.micros', now - start);
  }

  onWalFailure(cause: unknown): DBError {
    const error =
      cause instanceof DBError
        ? new DBError(cause.code, cause.message, { cause: cause.cause, severity: 'hard', retryable: cause.retryable })
        : new DBError('IO_ERROR', `write-ahead log: ${String(cause)}`, { cause, severity: 'hard' });
    this.#onWalFailure(error);
    return error;
  }

  /** Makes the log durable outside of any group. Like in one, a failure ends the use of the log. */
  *syncLog(): Io<void> {
    try {
      yield* this.#wal.sync();
    } catch (error) {
      throw this.onWalFailure(error);
    }
  }

  /** Hands deferred bytes of the log to the operating system; a failure ends the use of the log. */
  flushLog(): void {
    try {
      this.#wal.flush();
    } catch (error) {
      throw this.onWalFailure(error);
    }
  }

  /** Whether a write with `noSlowdown` has to be turned away now. */
  get isStalled(): boolean {
    if (this.controller.condition !== 'normal' || this.#buffers?.shouldStall() === true) return true;
    return this.#switchDue && this.#switchWouldStall();
  }

  /** Whether the write that seals the full memtables, or one for the manager, would have to wait for their flush. */
  #switchWouldStall(): boolean {
    const forMemory = this.#dueForMemory();
    for (const family of this.#versions.families.values()) {
      const { active, dropped, immutables, options } = family;
      if (dropped || (active.bytes < options.writeBufferSize && !forMemory.includes(family))) continue;
      const immutableCount = immutables.length + 1;
      const sealed = { ...options, immutableCount, level0FileCount: 0, pendingCompactionBytes: 0 };
      if (decideStall(sealed).condition !== 'normal') return true;
    }
    return false;
  }

  /**
   * Makes the active memtables of `families` immutable and begins a new log. Runs with no group under way (queue barrier or
   * `makeRoom`). What changed while the log was created is left alone.
   */
  *switchMemtables(families: readonly ColumnFamilyState[]): Io<void> {
    const actives = families.map((family) => family.active);
    const next = this.#wal.currentSize > 0 ? yield* this.#wal.create(this.#versions.newFileNumber()) : undefined;
    const due = families.filter((family, i) => family.active === actives[i] && !family.dropped);
    // No wait from here on: log, memtables and the inserter's table change together.
    if (due.length === 0) {
      next?.closeSync();
      return;
    }
    if (next !== undefined) this.#installLog(next);
    for (const family of due) this.#switchOne(family);
    this.inserter.refresh();
    this.#room.schedule();
  }

  /** Seals the oldest memtable and has it flushed, for other databases that wait for memory. Runs as `switchMemtables` does. */
  *sealOldest(): Io<void> {
    if (this.refusal !== undefined || this.#buffers?.shouldStall() !== true) return;
    const due = this.#holdersOfOldestData();
    for (const family of due) family.flushRequested = true;
    yield* this.switchMemtables(due);
  }

  /**
   * Takes `count` sequences for entries that go into tables past the log, as ingested ones do; returns the first. They are
   * used up, whatever becomes of the entries. The log tells of them as of writes that bypass it.
   */
  takeSequences(count: number): number {
    const first = this.#allocatedSequence + 1;
    if (first + count > MAX_SEQUENCE) throw sequencesExhausted();
    this.#allocatedSequence += count;
    return first;
  }

  /** Takes over from recovery or from `resume`: no sequence up to `sequence` is used again. */
  skipTo(sequence: number): void {
    this.#allocatedSequence = Math.max(this.#allocatedSequence, sequence);
    this.#loggedSequence = this.#allocatedSequence;
  }

  /** The logs that recovery keeps may end before sequences that are in tables: the first log says so. */
  followKeptLogs(): void {
    this.#loggedSequence = -1;
  }

  get allocatedSequence(): number {
    return this.#allocatedSequence;
  }

  close(): void {
    this.inserter.close();
  }

  #installLog(next: Parameters<WalManager['install']>[0]): void {
    try {
      this.#wal.install(next);
    } catch (error) {
      throw this.onWalFailure(error);
    }
    // Families with nothing in memory need none of the older logs.
    for (const family of this.#versions.families.values()) {
      if (family.active.entryCount === 0) family.active.logNumber = next.number;
    }
  }

  #switchOne(family: ColumnFamilyState): void {
    const { active } = family;
    family.switchMemtable(makeFamilyMemTable(this.#kernel, family), this.#wal.currentNumber);
    this.#context.notify('onMemTableSealed', {
      columnFamily: family.name,
      entries: active.entryCount,
      bytes: active.bytes,
    });
  }

  #checkMemtables(): void {
    this.#bytesSinceCheck = 0;
    for (const family of this.#versions.families.values()) {
      if (!family.dropped && family.active.bytes >= family.options.writeBufferSize) this.#switchDue = true;
    }
    if (this.#wal.totalSize > this.#walLimit()) this.#switchDue = true;
    const buffers = this.#buffers;
    if (buffers !== undefined && (buffers.shouldFlush() || buffers.shouldStall())) this.#switchDue = true;
  }

  #walLimit(): number {
    const { maxTotalWalSize } = this.#context.options;
    if (maxTotalWalSize > 0) return maxTotalWalSize;
    let buffers = 0;
    for (const { options } of this.#versions.families.values()) {
      buffers += options.writeBufferSize * options.maxWriteBufferNumber;
    }
    return buffers * 4;
  }

  *#switchFull(): Io<void> {
    if (!this.#switchDue) return;
    this.#switchDue = false;
    const live = [...this.#versions.families.values()].filter((family) => !family.dropped);
    let due = live.filter((f) => f.active.entryCount > 0 && f.active.bytes >= f.options.writeBufferSize);
    if (due.length === 0 && this.#wal.totalSize > this.#walLimit()) due = this.#holdersOfOldestLog(live);
    else if (due.length > 0 && this.#context.options.atomicFlush) due = live.filter((f) => f.active.entryCount > 0);
    if (due.length === 0) {
      due = this.#dueForMemory();
      for (const family of due) family.flushRequested = true;
    }
    if (due.length === 0) return;
    for (const family of due) family.flushRequested ||= this.#wal.totalSize > this.#walLimit();
    // Writers that block leave the event loop no turn in which results would take effect.
    yield* io(
      () => this.#room.advanceSync(),
      async () => false,
    );
    yield* this.switchMemtables(due);
  }

  /** What to seal when memtables have too much together. */
  #dueForMemory(): ColumnFamilyState[] {
    return this.#buffers?.shouldFlush() === true ? this.#holdersOfOldestData() : [];
  }

  /** The family with the oldest active data, or with `atomicFlush` all that have some. */
  #holdersOfOldestData(): ColumnFamilyState[] {
    const holders = [...this.#versions.families.values()].filter((f) => !f.dropped && f.active.entryCount > 0);
    if (this.#context.options.atomicFlush || holders.length <= 1) return holders;
    return [holders.reduce((a, b) => (b.active.firstSequence < a.active.firstSequence ? b : a))];
  }

  /** The families whose unflushed data keeps the oldest log alive. */
  #holdersOfOldestLog(live: readonly ColumnFamilyState[]): ColumnFamilyState[] {
    let oldest = Number.MAX_SAFE_INTEGER;
    for (const family of live) oldest = Math.min(oldest, family.oldestLogNeeded);
    if (oldest >= this.#wal.currentNumber) return [];
    const holders = live.filter((family) => family.oldestLogNeeded === oldest);
    for (const family of holders) family.flushRequested = true;
    this.#room.schedule();
    return holders.filter((family) => family.active.entryCount > 0 && family.immutables.length === 0);
  }

  *#delay(bytes: number): Io<void> {
    const { clock } = this.#context;
    const micros = this.controller.delayMicros(bytes, clock.monotonicMicros());
    if (micros < 1000) return;
    this.#countStall(micros);
    yield* io(
      () => this.#room.waitSync(),
      // Somebody waits for this write: the process must live to make it.
      () => new Promise<void>((resolve) => void clock.setTimer(micros / 1000, resolve, true)),
    );
  }

  *#stop(): Io<void> {
    const { clock } = this.#context;
    const start = clock.monotonicMicros();
    this.#room.schedule();
    yield* io(
      () => this.#room.waitSync(),
      () => this.#room.whenChanged(),
    );
    this.#countStall(clock.monotonicMicros() - start);
  }

  /** Waits until memory may be free; false when a blocking write would wait for what cannot come while it blocks. */
  *#waitForMemory(buffers: WriteBufferManager): Io<boolean> {
    const { clock } = this.#context;
    const start = clock.monotonicMicros();
    let goOn = true;
    yield* io(
      () => {
        goOn = buffers.relieveSync();
      },
      () => {
        const changed = this.#room.whenChanged();
        buffers.relieve();
        return changed;
      },
    );
    this.#countStall(clock.monotonicMicros() - start);
    return goOn;
  }

  #countStall(micros: number): void {
    const { statistics, writeTotals } = this.#context;
    writeTotals.stallMicros += micros;
    statistics?.count('rocksdb.stall.micros', Math.round(micros));
    statistics?.record('rocksdb.db.write.stall', micros);
  }
}

function sequencesExhausted(): DBError {
  return new DBError('NOT_SUPPORTED', 'sequence numbers are exhausted: 2^53 writes have been made');
}
