/**
 * Walks the records of an encoded WriteBatch, checking every length, every tag and the count. It is what recovery, the
 * stream of updates, WAL dumps and `WriteBatch.from` read with; the kernel's `batch-apply` reads the same layout when it
 * fills memtables.
 */
import { corruption, type DBError } from '../base/db-error.ts';
import { getFixed32, getFixed64 } from '../base/coding.ts';
import { ValueType } from '../base/internal-key.ts';
import { BATCH_COUNT_OFFSET, BATCH_HEADER_SIZE, BatchBody, type BatchTag, batchTags } from './batch-format.ts';

/**
 * Receives the records of a batch in order. A method that is absent skips its kind. `family` is a column family id, 0
 * the default one. All arrays are views of the batch: borrowed for the call.
 */
export interface WriteBatchHandler {
  put?(family: number, key: Uint8Array, value: Uint8Array): void;
  delete?(family: number, key: Uint8Array): void;
  singleDelete?(family: number, key: Uint8Array): void;
  deleteRange?(family: number, begin: Uint8Array, end: Uint8Array): void;
  merge?(family: number, key: Uint8Array, operand: Uint8Array): void;
  logData?(blob: Uint8Array): void;
  /** A value that stands in a blob file; Pumice refuses databases that have them. */
  putBlobIndex?(family: number, key: Uint8Array, index: Uint8Array): void;
  putEntity?(family: number, key: Uint8Array, entity: Uint8Array): void;
  /** The value is followed by a fixed64 write time. */
  timedPut?(family: number, key: Uint8Array, valueAndTime: Uint8Array): void;
  noop?(): void;
  /** `kind` is the marker's tag: `beginPrepare`, `beginPersistedPrepare` or `beginUnprepare` of `ValueType`. */
  markBeginPrepare?(kind: number): void;
  markEndPrepare?(xid: Uint8Array): void;
  markCommit?(xid: Uint8Array): void;
  markCommitWithTimestamp?(xid: Uint8Array, timestamp: Uint8Array): void;
  markRollback?(xid: Uint8Array): void;
}

/**
 * A cursor over the records of one batch. It copies nothing and allocates only when `key` or `value` is called.
 * `CORRUPTION` errors begin with `source`, which names where the batch came from.
 */
export class WriteBatchReader {
  readonly data: Uint8Array;
  /** Sequence of the first record; rounded if the header holds one of 2^53 or more. */
  readonly sequence: number;
  /** The header's count. */
  readonly count: number;
  /** Offset of the current record's tag. */
  offset = BATCH_HEADER_SIZE;
  /** Offset after the current record. */
  nextOffset = BATCH_HEADER_SIZE;
  /** The current record's type, the family form folded into the plain one. */
  type = -1;
  /** The tag byte as stored. */
  tag = -1;
  family = 0;
  /** Whether the current record takes a sequence number. */
  counts = false;
  keyOffset = 0;
  keySize = 0;
  valueOffset = 0;
  valueSize = 0;
  /** Counting records passed so far, the current one included. */
  counted = 0;

  readonly #source: string;
  /** Result of the last `#varint32`, with `#after` the offset behind it. */
  #after = 0;

  /** Throws `CORRUPTION` when there is no whole header. `data` is borrowed for the reader's life. */
  constructor(data: Uint8Array, source = 'WriteBatch') {
    this.#source = source;
    this.data = data;
    if (data.length < BATCH_HEADER_SIZE)
      throw corruption(
        `${source}: malformed WriteBatch (too small): expected at least ${BATCH_HEADER_SIZE} bytes, found ${data.length}`,
      );
    this.sequence = getFixed64(data, 0);
    this.count = getFixed32(data, BATCH_COUNT_OFFSET);
  }

  /** Steps to the next record; false at the end, where the count has been checked. */
  next(): boolean {
    const at = this.nextOffset;
    if (at >= this.data.length) {
      if (this.counted !== this.count)
        throw corruption(
          `${this.#source}: WriteBatch has wrong count: expected ${this.count} records, found ${this.counted}`,
        );
      return false;
    }
    this.offset = at;
    this.tag = this.data[at]!;
    const tag = batchTags[this.tag];
    if (tag === undefined)
      throw corruption(`${this.#source}: unknown WriteBatch tag 0x${this.tag.toString(16)} at offset ${at}`);
    this.type = tag.type;
    this.counts = tag.counts;
    if (tag.counts) this.counted++;
    this.#readBody(tag, at + 1);
    return true;
  }

  /** The key, the begin of a range, the log data or the transaction's name: a view of the batch. */
  key(): Uint8Array {
    return this.data.subarray(this.keyOffset, this.keyOffset + this.keySize);
  }

  /** The value, operand, end of a range or timestamp: a view of the batch. */
  value(): Uint8Array {
    return this.data.subarray(this.valueOffset, this.valueOffset + this.valueSize);
  }

  /** The current record's bytes, tag included: a view of the batch. */
  record(): Uint8Array {
    return this.data.subarray(this.offset, this.nextOffset);
  }

  #readBody(tag: BatchTag, start: number): void {
    let at = start;
    this.family = 0;
    this.keySize = 0;
    this.valueSize = 0;
    if (tag.hasFamily) {
      this.family = this.#varint32(at, tag);
      at = this.#after;
    }
    if (tag.body !== BatchBody.empty) {
      this.keySize = this.#sliceSize(at, tag);
      this.keyOffset = this.#after;
      at = this.keyOffset + this.keySize;
    }
    if (tag.body === BatchBody.keyAndValue || tag.body === BatchBody.timestampAndName) {
      this.valueSize = this.#sliceSize(at, tag);
      this.valueOffset = this.#after;
      at = this.valueOffset + this.valueSize;
    }
    if (tag.body === BatchBody.timestampAndName) this.#swapKeyAndValue();
    this.nextOffset = at;
  }

  /** The timestamp stands before the name in the record; the name is what `key` gives. */
  #swapKeyAndValue(): void {
    const { keyOffset, keySize } = this;
    this.keyOffset = this.valueOffset;
    this.keySize = this.valueSize;
    this.valueOffset = keyOffset;
    this.valueSize = keySize;
  }

  #sliceSize(at: number, tag: BatchTag): number {
    const size = this.#varint32(at, tag);
    if (size > this.data.length - this.#after) throw this.#bad(tag, `${size} bytes`, this.data.length - this.#after);
    return size;
  }

  #varint32(start: number, tag: BatchTag): number {
    const { data } = this;
    let at = start;
    let byte = at < data.length ? data[at++]! : this.#end(tag);
    let value = byte & 0x7f;
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      if (at - start === 5) throw this.#bad(tag, 'a varint32', 'a longer number');
      byte = at < data.length ? data[at++]! : this.#end(tag);
      value += (byte & 0x7f) * scale;
    }
    if (value > 0xffffffff) throw this.#bad(tag, 'a varint32', value);
    this.#after = at;
    return value;
  }

  #end(tag: BatchTag): never {
    throw this.#bad(tag, 'a varint32', 'the end');
  }

  #bad(tag: BatchTag, expected: string, found: string | number): DBError {
    return corruption(
      `${this.#source}: bad WriteBatch ${tag.name} at offset ${this.offset}: expected ${expected}, found ${found}`,
    );
  }
}

/**
 * Gives every record of `data` to `handler`, in order. `CORRUPTION` when the batch is malformed; records before the
 * damage have been given by then.
 */
export function iterateBatch(data: Uint8Array, handler: WriteBatchHandler, source?: string): void {
  const reader = new WriteBatchReader(data, source);
  while (reader.next()) dispatch(reader, handler);
}

/** Walks the whole batch and throws `CORRUPTION` where it is malformed. Allocates nothing per record. */
export function verifyBatch(data: Uint8Array, source?: string): void {
  const reader = new WriteBatchReader(data, source);
  while (reader.next());
}

function dispatch(reader: WriteBatchReader, handler: WriteBatchHandler): void {
  switch (reader.type) {
    case ValueType.value:
      handler.put?.(reader.family, reader.key(), reader.value());
      break;
    case ValueType.deletion:
      handler.delete?.(reader.family, reader.key());
      break;
    case ValueType.singleDeletion:
      handler.singleDelete?.(reader.family, reader.key());
      break;
    case ValueType.rangeDeletion:
      handler.deleteRange?.(reader.family, reader.key(), reader.value());
      break;
    case ValueType.merge:
      handler.merge?.(reader.family, reader.key(), reader.value());
      break;
    case ValueType.blobIndex:
      handler.putBlobIndex?.(reader.family, reader.key(), reader.value());
      break;
    case ValueType.wideColumnEntity:
      handler.putEntity?.(reader.family, reader.key(), reader.value());
      break;
    case ValueType.valuePreferredSeqno:
      handler.timedPut?.(reader.family, reader.key(), reader.value());
      break;
    case ValueType.logData:
      handler.logData?.(reader.key());
      break;
    default:
      dispatchMarker(reader, handler);
  }
}

function dispatchMarker(reader: WriteBatchReader, handler: WriteBatchHandler): void {
  switch (reader.type) {
    case ValueType.noop:
      handler.noop?.();
      break;
    case ValueType.endPrepare:
      handler.markEndPrepare?.(reader.key());
      break;
    case ValueType.commit:
      handler.markCommit?.(reader.key());
      break;
    case ValueType.commitWithTimestamp:
      handler.markCommitWithTimestamp?.(reader.key(), reader.value());
      break;
    case ValueType.rollback:
      handler.markRollback?.(reader.key());
      break;
    default:
      handler.markBeginPrepare?.(reader.type);
  }
}
