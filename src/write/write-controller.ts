/**
 * Write stalls: when flush and compaction fall behind, writes are first slowed down to a rate and then stopped, by
 * RocksDB's rules. This part decides and keeps the account of the slowdown; who waits, and how, is the write path's.
 */
import type { StallCondition } from '../monitoring/event-listener.ts';

/** What the decision for one family looks at. */
export interface StallInput {
  immutableCount: number;
  level0FileCount: number;
  /** Estimated bytes that compactions still have to rewrite. */
  pendingCompactionBytes: number;
  maxWriteBufferNumber: number;
  disableAutoCompactions: boolean;
  level0SlowdownWritesTrigger: number;
  level0StopWritesTrigger: number;
  softPendingCompactionBytesLimit: number;
  hardPendingCompactionBytesLimit: number;
}

/** A family's condition and RocksDB's word for the cause. */
export interface StallDecision {
  condition: StallCondition;
  cause: 'none' | 'memtable_limit' | 'level0_file_limit' | 'pending_compaction_bytes_limit';
}

/** Decides for one family. Pure. */
export function decideStall(i: StallInput): StallDecision {
  if (i.immutableCount >= i.maxWriteBufferNumber) return { condition: 'stopped', cause: 'memtable_limit' };
  const compacts = !i.disableAutoCompactions;
  if (compacts && i.level0FileCount >= i.level0StopWritesTrigger) {
    return { condition: 'stopped', cause: 'level0_file_limit' };
  }
  const over = (limit: number): boolean => compacts && limit > 0 && i.pendingCompactionBytes >= limit;
  if (over(i.hardPendingCompactionBytesLimit)) return { condition: 'stopped', cause: 'pending_compaction_bytes_limit' };
  if (i.maxWriteBufferNumber > 3 && i.immutableCount >= i.maxWriteBufferNumber - 1) {
    return { condition: 'delayed', cause: 'memtable_limit' };
  }
  if (compacts && i.level0FileCount >= i.level0SlowdownWritesTrigger) {
    return { condition: 'delayed', cause: 'level0_file_limit' };
  }
  if (over(i.softPendingCompactionBytesLimit)) return { condition: 'delayed', cause: 'pending_compaction_bytes_limit' };
  return { condition: 'normal', cause: 'none' };
}

/** RocksDB's factors for a delayed rate that is too high or too low. */
const SLOWER = 0.8;
const RATE_MIN_BYTES_PER_SECOND = 16 * 1024;
/** No single wait is longer than this, so that a recovered tree is noticed soon. */
const DELAY_MAX_MICROS = 100_000;

/** The condition of a whole database: the worst of its families, and the account of delayed writes. */
export class WriteController {
  #families = new Map<number, StallDecision>();
  #stopped = 0;
  #delayed = 0;
  #rate: number;
  #rateMax: number;
  #debtBefore = 0;
  /** When the bytes admitted so far are paid for, in the clock's monotonic microseconds. */
  #paidUntilMicros = 0;

  constructor(delayedWriteRate: number) {
    this.#rate = delayedWriteRate;
    this.#rateMax = delayedWriteRate;
  }

  get condition(): StallCondition {
    return this.#stopped > 0 ? 'stopped' : this.#delayed > 0 ? 'delayed' : 'normal';
  }

  /** Bytes a second that delayed writes get. */
  get delayedWriteRate(): number {
    return this.#rate;
  }

  /** Changes the rate that delayed writes begin with. */
  setRate(bytesPerSecond: number): void {
    this.#rateMax = bytesPerSecond;
    this.#rate = bytesPerSecond;
  }

  /** Notes a family's condition; returns the previous one. */
  update(family: number, decision: StallDecision, pendingBytes: number): StallDecision {
    const previous = this.#families.get(family) ?? { condition: 'normal', cause: 'none' };
    this.#families.set(family, decision);
    if (decision.condition === 'delayed' && previous.condition !== 'normal') {
      // Falling further behind: slower. Catching up: faster.
      const factor = pendingBytes > this.#debtBefore ? SLOWER : 1 / SLOWER;
      this.#rate = Math.min(this.#rateMax, Math.max(RATE_MIN_BYTES_PER_SECOND, this.#rate * factor));
    }
    this.#debtBefore = pendingBytes;
    this.#recount();
    if (this.#delayed === 0) this.#rate = this.#rateMax;
    return previous;
  }

  /** Forgets a dropped family. */
  remove(family: number): void {
    this.#families.delete(family);
    this.#recount();
  }

  /** Microseconds that a delayed write of `bytes` has to wait, charged to the account. */
  delayMicros(bytes: number, nowMicros: number): number {
    this.#paidUntilMicros = Math.max(this.#paidUntilMicros, nowMicros) + (bytes / this.#rate) * 1e6;
    return Math.min(DELAY_MAX_MICROS, this.#paidUntilMicros - nowMicros);
  }

  #recount(): void {
    this.#stopped = 0;
    this.#delayed = 0;
    for (const { condition } of this.#families.values()) {
      if (condition === 'stopped') this.#stopped++;
      else if (condition === 'delayed') this.#delayed++;
    }
  }
}
