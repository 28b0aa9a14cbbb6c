/**
 * Two-phase commit in the WAL (`format/README.md`, "Two-phase commit"). A prepare batch is kept under its transaction's
 * name; a later Commit applies it, a Rollback drops it, and what is left at the end stays prepared. Readers of the log
 * pass every batch through here and get plain batches back.
 *
 * Only the write-committed form is understood: sequences are taken when the commit is met, not at the prepare.
 */
import { concatBytes, latin1 } from '../base/bytes.ts';
import { setFixed32 } from '../base/coding.ts';
import { corruption, notSupported } from '../base/db-error.ts';
import { ValueType } from '../base/internal-key.ts';
import { BATCH_COUNT_OFFSET, BATCH_HEADER_SIZE } from './batch-format.ts';
import { WriteBatchReader } from './write-batch-reader.ts';

/** A transaction that was prepared and neither committed nor rolled back yet. */
export interface PreparedTransaction {
  /** The transaction's name, each byte one character. */
  readonly name: string;
  /** Number of the WAL that holds the prepare; that log must be kept while the transaction is open. */
  readonly logNumber: number;
  /** The header's sequence of the prepare batch. */
  readonly sequence: number;
  /** The encoded records between the markers, owned. */
  readonly records: Uint8Array;
  /** How many of them count. */
  readonly count: number;
}

/** Mutable bookkeeping over one replay of a database's logs, in order. */
export class PreparedTransactions {
  readonly #open = new Map<string, PreparedTransaction>();
  readonly #allow2pc: boolean;

  /** Without `allow2pc` a prepare marker is `NOT_SUPPORTED`, as in RocksDB. */
  constructor(allow2pc: boolean) {
    this.#allow2pc = allow2pc;
  }

  /** The transactions that are still prepared, by name. */
  get open(): ReadonlyMap<string, PreparedTransaction> {
    return this.#open;
  }

  /** The smallest WAL that holds an open prepare, or `undefined`. */
  get minLogNumber(): number | undefined {
    let least: number | undefined;
    for (const { logNumber } of this.#open.values()) if (least === undefined || logNumber < least) least = logNumber;
    return least;
  }

  /**
   * Takes one batch of WAL `logNumber` and returns what of it applies now: `batch` itself when it has no markers, else a
   * new batch with the same first sequence in which committed records stand in place of their Commit and prepared ones
   * are gone. In either case the sequence after it is the returned batch's sequence plus its count.
   *
   * `CORRUPTION` when the batch is malformed, markers do not pair or a name is prepared twice; nothing has changed then.
   */
  take(batch: Uint8Array, logNumber: number, source: string): Uint8Array {
    const reader = new WriteBatchReader(batch, source);
    while (reader.next()) {
      if (isTransactionMarker(reader.type)) return this.#takeMarked(batch, logNumber, source);
    }
    return batch;
  }

  #takeMarked(batch: Uint8Array, logNumber: number, source: string): Uint8Array {
    const section = new MarkedBatch(this.#open, batch, logNumber, source, this.#allow2pc);
    section.walk();
    for (const name of section.closed) this.#open.delete(name);
    for (const transaction of section.prepared.values()) this.#open.set(transaction.name, transaction);
    return section.result();
  }
}

/** One walk over a batch that holds markers. Changes nothing outside itself, so that a malformed batch has no effect. */
class MarkedBatch {
  /** Transactions that this batch prepares and does not close. */
  readonly prepared = new Map<string, PreparedTransaction>();
  /** Earlier transactions that this batch commits or rolls back. */
  readonly closed = new Set<string>();

  readonly #before: ReadonlyMap<string, PreparedTransaction>;
  readonly #batch: Uint8Array;
  readonly #logNumber: number;
  readonly #source: string;
  readonly #allow2pc: boolean;
  #parts: Uint8Array[] = [];
  #count = 0;
  /** Records of the prepare that is being walked. */
  #preparing: Uint8Array[] | undefined;
  #preparingCount = 0;

  constructor(
    before: ReadonlyMap<string, PreparedTransaction>,
    batch: Uint8Array,
    logNumber: number,
    source: string,
    allow2pc: boolean,
  ) {
    this.#before = before;
    this.#batch = batch;
    this.#logNumber = logNumber;
    this.#source = source;
    this.#allow2pc = allow2pc;
  }

  walk(): void {
    const reader = new WriteBatchReader(this.#batch, this.#source);
    while (reader.next()) {
      if (isTransactionMarker(reader.type)) this.#takeMarker(reader);
      else this.#takeRecord(reader);
    }
    if (this.#preparing !== undefined) throw this.#error('BeginPrepare without EndPrepare', reader);
  }

  /** The plain batch that applies now. */
  result(): Uint8Array {
    const result = concatBytes([this.#batch.subarray(0, BATCH_HEADER_SIZE), ...this.#parts]);
    setFixed32(result, BATCH_COUNT_OFFSET, this.#count);
    return result;
  }

  #takeRecord(reader: WriteBatchReader): void {
    const counts = reader.counts ? 1 : 0;
    if (this.#preparing === undefined) {
      this.#parts.push(reader.record());
      this.#count += counts;
    } else {
      this.#preparing.push(reader.record());
      this.#preparingCount += counts;
    }
  }

  #takeMarker(reader: WriteBatchReader): void {
    switch (reader.type) {
      case ValueType.beginPrepare:
        this.#beginPrepare(reader);
        break;
      case ValueType.endPrepare:
        this.#endPrepare(reader);
        break;
      case ValueType.rollback:
        this.#close(latin1(reader.key()), reader);
        return;
      case ValueType.commit:
        this.#commit(reader);
        break;
      case ValueType.commitWithTimestamp:
        throw notSupported(`${this.#source}: the WAL holds a commit with a user-defined timestamp`);
      default:
        throw notSupported(
          `${this.#source}: the WAL holds a transaction of the WritePrepared or WriteUnprepared policy; it must be emptied before changing the WritePolicy`,
        );
    }
  }

  #beginPrepare(reader: WriteBatchReader): void {
    if (!this.#allow2pc)
      throw notSupported(`${this.#source}: WAL contains prepared transactions. Open with TransactionDB::Open().`);
    if (this.#preparing !== undefined) throw this.#error('BeginPrepare inside a prepare', reader);
    this.#preparing = [];
    this.#preparingCount = 0;
  }

  #endPrepare(reader: WriteBatchReader): void {
    if (this.#preparing === undefined) throw this.#error('EndPrepare without BeginPrepare', reader);
    const name = latin1(reader.key());
    if (this.prepared.has(name) || (this.#before.has(name) && !this.closed.has(name)))
      throw this.#error('a transaction is prepared twice', reader);
    const records = concatBytes(this.#preparing);
    const transaction = { name, logNumber: this.#logNumber, sequence: reader.sequence, records };
    this.prepared.set(name, { ...transaction, count: this.#preparingCount });
    this.#preparing = undefined;
  }

  /** A name that is not known is no error: its prepare may stand in a log that is flushed and gone. */
  #commit(reader: WriteBatchReader): void {
    const transaction = this.#close(latin1(reader.key()), reader);
    if (transaction === undefined) return;
    this.#parts.push(transaction.records);
    this.#count += transaction.count;
  }

  #close(name: string, reader: WriteBatchReader): PreparedTransaction | undefined {
    if (this.#preparing !== undefined) throw this.#error('Commit or Rollback inside a prepare', reader);
    const own = this.prepared.get(name);
    if (own !== undefined) {
      this.prepared.delete(name);
      return own;
    }
    const earlier = this.closed.has(name) ? undefined : this.#before.get(name);
    if (earlier !== undefined) this.closed.add(name);
    return earlier;
  }

  #error(what: string, reader: WriteBatchReader): Error {
    return corruption(`${this.#source}: bad WriteBatch: ${what} at offset ${reader.offset}`);
  }
}

/** Whether records of this type mark the steps of two-phase commit. */
export function isTransactionMarker(type: number): boolean {
  switch (type) {
    case ValueType.beginPrepare:
    case ValueType.beginPersistedPrepare:
    case ValueType.beginUnprepare:
    case ValueType.endPrepare:
    case ValueType.commit:
    case ValueType.commitWithTimestamp:
    case ValueType.rollback:
      return true;
    default:
      return false;
  }
}
