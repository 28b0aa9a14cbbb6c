/** Puts committed batches into the active memtables of their families. */
import { corruption, DBError, notSupported } from '../../format/base/db-error.ts';
import { WriteBatchReader } from '../../format/batch/write-batch-reader.ts';
import { BATCH_RESULT_SIZE, BatchResultField, BatchStatus, FAMILY_ROW_SIZE } from '../../format/kernel/abi/memtable.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';

/** Routes batches to memtables: in the kernel when all of them live there, else record by record. */
export class MemtableInserter {
  readonly #kernel: Kernel;
  readonly #families: ReadonlyMap<number, ColumnFamilyState>;
  readonly #result: number;
  #rows = 0;
  #rowCount = 0;
  #allInKernel = true;

  /** `families` is the live map of the version set. Call `refresh` before the first batch. */
  constructor(kernel: Kernel, families: ReadonlyMap<number, ColumnFamilyState>) {
    this.#kernel = kernel;
    this.#families = families;
    this.#result = kernel.malloc(BATCH_RESULT_SIZE);
  }

  /** Looks the active memtables up again, after a switch or a change of families. */
  refresh(): void {
    const kernel = this.#kernel;
    const families = [...this.#families.values()].sort((a, b) => a.id - b.id);
    kernel.free(this.#rows);
    this.#rows = kernel.malloc(families.length * FAMILY_ROW_SIZE);
    this.#rowCount = families.length;
    this.#allInKernel = true;
    families.forEach((family, i) => {
      const row = this.#rows + i * FAMILY_ROW_SIZE;
      kernel.u32[row >>> 2] = family.id;
      // A dropped family's records are in the log already; they go nowhere.
      kernel.u32[(row >>> 2) + 1] = family.dropped ? 0 : family.active.kernelAddress;
      if (!family.dropped && family.active.kernelAddress === 0) this.#allInKernel = false;
    });
  }

  /** Inserts a whole record (header and body) whose first operation has `sequence`. Throws before a malformed record. */
  apply(record: number, size: number, sequence: number): void {
    if (!this.#allInKernel) {
      this.#applyHere(this.#kernel.bytes(record, size), sequence);
      return;
    }
    const status = this.#kernel.x.batchApply(record, size, sequence, this.#rows, this.#rowCount, this.#result);
    if (status !== BatchStatus.ok) throw this.#error(status);
  }

  /** Throws what is wrong with a record that has not been applied: shape, count or kinds. */
  check(record: number, size: number): void {
    const status = this.#kernel.x.batchCheck(record, size, this.#result);
    if (status !== BatchStatus.ok) throw this.#error(status);
  }

  close(): void {
    this.#kernel.free(this.#rows);
    this.#kernel.free(this.#result);
    this.#rows = 0;
  }

  #applyHere(record: Uint8Array, sequence: number): void {
    const reader = new WriteBatchReader(record);
    while (reader.next()) {
      if (!reader.counts) continue;
      const family = this.#families.get(reader.family);
      if (family === undefined) throw this.#unknownFamily(reader.family);
      if (family.dropped) continue;
      const key = record.subarray(reader.keyOffset, reader.keyOffset + reader.keySize);
      const value = record.subarray(reader.valueOffset, reader.valueOffset + reader.valueSize);
      family.active.add(reader.type, sequence + reader.counted - 1, key, value);
    }
  }

  #field(offset: number): number {
    return this.#kernel.u32[(this.#result + offset) >>> 2]!;
  }

  #error(status: number): Error {
    const at = `record at offset ${this.#field(BatchResultField.offset)}`;
    const tag = `0x${this.#field(BatchResultField.tag).toString(16)}`;
    switch (status) {
      case BatchStatus.wrongCount:
        return corruption('WriteBatch has wrong count');
      case BatchStatus.unsupportedTag:
        return notSupported(`WriteBatch: ${at} has tag ${tag}, which Pumice does not support`);
      case BatchStatus.needsHost:
        return notSupported(`WriteBatch: ${at} has tag ${tag}, a marker of two-phase commit`);
      case BatchStatus.unknownFamily:
        return this.#unknownFamily(this.#field(BatchResultField.family));
      case BatchStatus.outOfMemory:
        return new DBError('IO_ERROR', 'kernel memory exhausted by memtables', { severity: 'hard' });
      default:
        return corruption(`malformed WriteBatch: ${at}`);
    }
  }

  #unknownFamily(id: number): DBError {
    return new DBError('INVALID_ARGUMENT', `WriteBatch names column family ${id}, which this database does not have`);
  }
}
