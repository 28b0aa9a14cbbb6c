/**
 * Puts replayed batches into memtables. Unlike live writes, a record counts only for families whose own log number is not
 * above the log it stands in, records of families that are gone are passed over, and batches may hold the markers of
 * two-phase commit.
 */
import { getFixed32 } from '../../format/base/coding.ts';
import { corruption, notSupported } from '../../format/base/db-error.ts';
import { ValueType } from '../../format/base/internal-key.ts';
import { BATCH_COUNT_OFFSET } from '../../format/batch/batch-format.ts';
import type { PreparedTransactions } from '../../format/batch/prepared-transactions.ts';
import { WriteBatchReader } from '../../format/batch/write-batch-reader.ts';
import { BATCH_RESULT_SIZE, BatchResultField, BatchStatus, FAMILY_ROW_SIZE } from '../../format/kernel/abi/memtable.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { MemTable } from '../memtable/memtable.ts';

/** A family that takes replayed records. */
export interface ReplayFamily {
  readonly id: number;
  readonly active: MemTable;
  readonly logNumber: number;
}

/** Inserts for one recovery. */
export class ReplayInserter {
  readonly #kernel: Kernel;
  readonly #families: () => Iterable<ReplayFamily>;
  readonly #prepared: PreparedTransactions;
  readonly #result: number;
  /** Rows of the family table, and the log they are for. */
  #rows = 0;
  #rowCount = 0;
  #rowsForLog = -1;
  #allInKernel = true;
  #unknownIds = new Set<number>();
  /** What `check` found. */
  #status: number = BatchStatus.ok;

  constructor(kernel: Kernel, families: () => Iterable<ReplayFamily>, prepared: PreparedTransactions) {
    this.#kernel = kernel;
    this.#families = families;
    this.#prepared = prepared;
    this.#result = kernel.malloc(BATCH_RESULT_SIZE);
  }

  /** The active memtables have changed. */
  invalidate(): void {
    this.#rowsForLog = -1;
  }

  /** Throws `CORRUPTION` for a record that is no well-formed batch, `NOT_SUPPORTED` for kinds that Pumice does not read. */
  check(record: number, size: number, source: string): void {
    this.#status = this.#kernel.x.batchCheck(record, size, this.#result);
    if (this.#status === BatchStatus.ok || this.#status === BatchStatus.needsHost) return;
    if (this.#status === BatchStatus.unsupportedTag) throw this.#unsupported(source);
    throw corruption(this.#status === BatchStatus.wrongCount ? 'WriteBatch has wrong count' : 'malformed WriteBatch');
  }

  /** Applies the record that `check` was just called for; returns how many sequences it used. */
  apply(record: number, size: number, sequence: number, logNumber: number, source: string): number {
    if (this.#status === BatchStatus.needsHost) return this.#applyMarked(record, size, sequence, logNumber, source);
    const count = this.#field(BatchResultField.count);
    this.#insert(record, size, sequence, logNumber);
    return count;
  }

  close(): void {
    this.#kernel.free(this.#rows);
    this.#kernel.free(this.#result);
    this.#rows = 0;
  }

  #applyMarked(record: number, size: number, sequence: number, logNumber: number, source: string): number {
    const kernel = this.#kernel;
    const plain = this.#prepared.take(kernel.bytes(record, size).slice(), logNumber, source);
    const copy = kernel.malloc(plain.length + 16);
    try {
      kernel.u8.set(plain, copy);
      this.#insert(copy, plain.length, sequence, logNumber);
    } finally {
      kernel.free(copy);
    }
    return getFixed32(plain, BATCH_COUNT_OFFSET);
  }

  #insert(record: number, size: number, sequence: number, logNumber: number): void {
    this.#refresh(logNumber);
    if (!this.#allInKernel) {
      this.#insertHere(this.#kernel.bytes(record, size), sequence, logNumber);
      return;
    }
    for (;;) {
      const status = this.#kernel.x.batchApply(record, size, sequence, this.#rows, this.#rowCount, this.#result);
      if (status === BatchStatus.ok) return;
      if (status === BatchStatus.outOfMemory) throw new RangeError('kernel memory exhausted by recovery');
      if (status !== BatchStatus.unknownFamily) throw corruption('malformed WriteBatch');
      // A family that was dropped since: its records are passed over. Those inserted already are recognised as repeats.
      this.#unknownIds.add(this.#field(BatchResultField.family));
      this.invalidate();
      this.#refresh(logNumber);
    }
  }

  #insertHere(record: Uint8Array, sequence: number, logNumber: number): void {
    const families = new Map([...this.#families()].map((family) => [family.id, family]));
    const reader = new WriteBatchReader(record);
    while (reader.next()) {
      const family = families.get(reader.family);
      if (!reader.counts || family === undefined || family.logNumber > logNumber) continue;
      const key = record.subarray(reader.keyOffset, reader.keyOffset + reader.keySize);
      const value = record.subarray(reader.valueOffset, reader.valueOffset + reader.valueSize);
      family.active.add(reader.type, sequence + reader.counted - 1, key, value);
    }
  }

  #refresh(logNumber: number): void {
    if (this.#rowsForLog === logNumber) return;
    const kernel = this.#kernel;
    const rows = [...this.#families()].map((family) => ({
      id: family.id,
      memtable: family.logNumber > logNumber ? 0 : family.active.kernelAddress,
      inKernel: family.active.kernelAddress !== 0,
    }));
    this.#allInKernel = rows.every(({ inKernel }) => inKernel);
    for (const id of this.#unknownIds) rows.push({ id, memtable: 0, inKernel: true });
    rows.sort((a, b) => a.id - b.id);
    kernel.free(this.#rows);
    this.#rows = kernel.malloc(Math.max(1, rows.length) * FAMILY_ROW_SIZE);
    this.#rowCount = rows.length;
    rows.forEach(({ id, memtable }, i) => {
      kernel.u32[(this.#rows + i * FAMILY_ROW_SIZE) >>> 2] = id;
      kernel.u32[((this.#rows + i * FAMILY_ROW_SIZE) >>> 2) + 1] = memtable;
    });
    this.#rowsForLog = logNumber;
  }

  #field(offset: number): number {
    return this.#kernel.u32[(this.#result + offset) >>> 2]!;
  }

  #unsupported(source: string): Error {
    const tag = this.#field(BatchResultField.tag);
    if (tag === ValueType.blobIndex || tag === ValueType.columnFamilyBlobIndex) {
      return notSupported(`${source} holds a reference to a blob file; BlobDB is not supported`);
    }
    if (tag === ValueType.wideColumnEntity || tag === ValueType.columnFamilyWideColumnEntity) {
      return notSupported(`${source} holds a wide-column entity, which is not supported`);
    }
    if (tag > ValueType.columnFamilyValuePreferredSeqno) return corruption(`unknown WriteBatch tag ${tag}`);
    return notSupported(`${source} holds a record of type 0x${tag.toString(16)}, which is not supported`);
  }
}
