/**
 * A WriteBatch: updates that are written together or not at all, held in RocksDB's own encoding so that writing it is a
 * copy. It is the unit of atomicity and, with its header filled in, the payload of a WAL record.
 *
 * One growing buffer backs the batch and no object is made per operation. Families are stored by id. A family given by
 * name is not known here, so its records carry the name's index instead and are noted; `encode` puts the ids in.
 */
import { describe } from '../base/bytes.ts';
import { setFixed32, setVarint, VARINT32_SIZE_MAX, varintSize } from '../base/coding.ts';
import { BATCH_SIZE_MAX, checkSize, KEY_SIZE_MAX, VALUE_SIZE_MAX } from '../base/entry-limits.ts';
import { invalidArgument } from '../base/db-error.ts';
import { ValueType } from '../base/internal-key.ts';
import { BATCH_COUNT_MAX, BATCH_COUNT_OFFSET, BATCH_HEADER_SIZE, familyTagOf } from './batch-format.ts';
import { iterateBatch, verifyBatch, type WriteBatchHandler, WriteBatchReader } from './write-batch-reader.ts';

/** Names a column family: its handle, its name, or nothing for the default one. */
export type BatchFamily = { readonly id: number } | string | undefined;

/** Bytes up to which a plain loop beats the call of `TypedArray.set`. */
const LOOP_COPY_MAX = 32;
/** Strings up to which testing for ASCII while copying beats `Buffer.write`. */
const LOOP_TEXT_MAX = 32;
const INITIAL_CAPACITY = 512;

interface SavePoint {
  readonly size: number;
  readonly count: number;
  readonly fixups: number;
}

/** Collects updates for `db.write`. May be reused after `clear`; not to be changed while a write of it is pending. */
export class WriteBatch {
  #buffer: Buffer = Buffer.alloc(INITIAL_CAPACITY);
  #size = BATCH_HEADER_SIZE;
  #count = 0;
  #hasDeleteRange = false;
  #hasFamilies = false;
  #savePoints: SavePoint[] = [];
  /** Names that were given, by the index that their records carry. */
  #names: string[] = [];
  /** Offsets of the records whose family is an index into `#names`, ascending. */
  #fixups: number[] = [];
  /** The index that each of them carries. */
  #fixupNames: number[] = [];

  /**
   * A batch of RocksDB's encoding, copied. `CORRUPTION` when it is malformed or its count is wrong.
   */
  static from(data: Uint8Array): WriteBatch {
    if (!(data instanceof Uint8Array)) throw invalidArgument(`data must be a Uint8Array, not ${describe(data)}`);
    verifyBatch(data);
    const batch = new WriteBatch();
    batch.#size = 0;
    batch.#appendBytes(data);
    batch.#count = new WriteBatchReader(data).count;
    // What is in it was not seen one by one: the checks that these ask for are made.
    batch.#hasDeleteRange = true;
    batch.#hasFamilies = true;
    return batch;
  }

  /** Operations that take a sequence number; log data does not count. */
  get count(): number {
    return this.#count;
  }

  /** Whether a `deleteRange` was ever added since the batch was made or cleared. */
  get hasDeleteRange(): boolean {
    return this.#hasDeleteRange;
  }

  /** Whether a family other than the default one was ever named since the batch was made or cleared. */
  get hasFamilies(): boolean {
    return this.#hasFamilies;
  }

  /** Size of the encoding, header included. */
  get byteSize(): number {
    return this.#size;
  }

  /** Sets `key` to `value`. `INVALID_ARGUMENT` when an argument is neither bytes nor a string. */
  put(key: Uint8Array | string, value: Uint8Array | string, family?: BatchFamily): this {
    return this.#addPair(ValueType.value, key, value, family, 'value');
  }

  /** Removes `key`. */
  delete(key: Uint8Array | string, family?: BatchFamily): this {
    return this.#addKey(ValueType.deletion, key, family);
  }

  /** Removes a key that was put exactly once since it was last removed, and never merged. */
  singleDelete(key: Uint8Array | string, family?: BatchFamily): this {
    return this.#addKey(ValueType.singleDeletion, key, family);
  }

  /** Removes every key in [begin, end). That begin <= end is checked when the batch is written. */
  deleteRange(begin: Uint8Array | string, end: Uint8Array | string, family?: BatchFamily): this {
    this.#hasDeleteRange = true;
    return this.#addPair(ValueType.rangeDeletion, begin, end, family, 'end');
  }

  /** Adds `operand` to what the family's merge operator makes of `key`. */
  merge(key: Uint8Array | string, operand: Uint8Array | string, family?: BatchFamily): this {
    return this.#addPair(ValueType.merge, key, operand, family, 'operand');
  }

  /** Stores `blob` in the WAL only: readers of the log see it, the database does not. */
  putLogData(blob: Uint8Array | string): this {
    checkBytes(blob, 'blob', VALUE_SIZE_MAX);
    const start = this.#size;
    this.#reserve(1);
    this.#buffer[this.#size++] = ValueType.logData;
    this.#appendSlice(blob, start);
    return this;
  }

  /** Empties the batch, its save points included. Keeps the buffer unless it has grown large. */
  clear(): this {
    if (this.#buffer.length > 1 << 20) this.#buffer = Buffer.alloc(INITIAL_CAPACITY);
    this.#buffer.fill(0, 0, BATCH_HEADER_SIZE);
    this.#size = BATCH_HEADER_SIZE;
    this.#count = 0;
    this.#hasDeleteRange = false;
    this.#hasFamilies = false;
    this.#savePoints = [];
    this.#names = [];
    this.#fixups = [];
    this.#fixupNames = [];
    return this;
  }

  /** Remembers this state for `rollbackToSavePoint`. Save points nest. */
  setSavePoint(): this {
    this.#savePoints.push({ size: this.#size, count: this.#count, fixups: this.#fixups.length });
    return this;
  }

  /** Drops what was added since the last save point, and that save point. `INVALID_ARGUMENT` when there is none. */
  rollbackToSavePoint(): this {
    const point = this.#takeSavePoint();
    this.#size = point.size;
    this.#count = point.count;
    this.#fixups.length = point.fixups;
    this.#fixupNames.length = point.fixups;
    return this;
  }

  /** Forgets the last save point and keeps what was added since. `INVALID_ARGUMENT` when there is none. */
  popSavePoint(): this {
    this.#takeSavePoint();
    return this;
  }

  /**
   * RocksDB's encoding, owned by the caller. `INVALID_ARGUMENT` when a family was given by name: only a database can
   * tell its id.
   */
  data(): Uint8Array {
    return new Uint8Array(this.encode(unknownFamily));
  }

  /** Gives every operation to `handler`, in order. Families that were given by name are refused as in `data`. */
  iterate(handler: WriteBatchHandler): void {
    iterateBatch(this.encode(unknownFamily), handler);
  }

  /**
   * RocksDB's encoding with the count filled in and every family name replaced by `idOf(name)`, which throws for names
   * that it does not know. A view, valid until the batch is next changed; the caller may write the sequence into it.
   */
  encode(idOf: (name: string) => number): Uint8Array {
    setFixed32(this.#buffer, BATCH_COUNT_OFFSET, this.#count);
    if (this.#fixups.length === 0) return this.#buffer.subarray(0, this.#size);
    return this.#encodeWithIds(this.#names.map(idOf));
  }

  /** Copies the batch, putting ids where the indexes of names are. */
  #encodeWithIds(ids: readonly number[]): Uint8Array {
    const source = this.#buffer;
    const result = new Uint8Array(this.#size + this.#fixups.length * VARINT32_SIZE_MAX);
    let from = 0;
    let to = 0;
    for (let i = 0; i < this.#fixups.length; i++) {
      const offset = this.#fixups[i]!;
      const name = this.#fixupNames[i]!;
      result.set(source.subarray(from, offset), to);
      to += offset - from;
      const id = ids[name]!;
      const tag = source[offset]!;
      result[to++] = id === 0 ? plainTagOf.get(tag)! : tag;
      if (id !== 0) to = setVarint(result, to, id);
      from = offset + 1 + varintSize(name);
    }
    result.set(source.subarray(from, this.#size), to);
    return result.subarray(0, to + this.#size - from);
  }

  #takeSavePoint(): SavePoint {
    const point = this.#savePoints.pop();
    if (point === undefined) throw invalidArgument('the batch has no save point');
    return point;
  }

  #addPair(
    type: number,
    key: Uint8Array | string,
    value: Uint8Array | string,
    family: BatchFamily,
    valueName: string,
  ): this {
    checkBytes(key, 'key', KEY_SIZE_MAX);
    checkBytes(value, valueName, type === ValueType.rangeDeletion ? KEY_SIZE_MAX : VALUE_SIZE_MAX);
    const start = this.#size;
    this.#beginRecord(type, family);
    this.#appendSlice(key, start);
    this.#appendSlice(value, start);
    this.#count++;
    return this;
  }

  #addKey(type: number, key: Uint8Array | string, family: BatchFamily): this {
    checkBytes(key, 'key', KEY_SIZE_MAX);
    const start = this.#size;
    this.#beginRecord(type, family);
    this.#appendSlice(key, start);
    this.#count++;
    return this;
  }

  #beginRecord(type: number, family: BatchFamily): void {
    if (this.#count === BATCH_COUNT_MAX) throw invalidArgument(`a batch holds at most ${BATCH_COUNT_MAX} operations`);
    this.#reserve(1 + VARINT32_SIZE_MAX);
    if (family === undefined || family === 'default') {
      this.#buffer[this.#size++] = type;
      return;
    }
    const id = typeof family === 'string' ? this.#indexOfName(family) : checkedId(family);
    if (typeof family === 'string') {
      this.#fixups.push(this.#size);
      this.#fixupNames.push(id);
    } else if (id === 0) {
      this.#buffer[this.#size++] = type;
      return;
    }
    this.#hasFamilies = true;
    this.#buffer[this.#size] = familyTagOf.get(type)!;
    this.#size = setVarint(this.#buffer, this.#size + 1, id);
  }

  #indexOfName(name: string): number {
    const index = this.#names.indexOf(name);
    return index >= 0 ? index : this.#names.push(name) - 1;
  }

  /** Appends a length and the bytes; a failure takes the record that began at `recordStart` back. */
  #appendSlice(slice: Uint8Array | string, recordStart: number): void {
    try {
      if (typeof slice === 'string') this.#appendText(slice);
      else {
        this.#reserve(VARINT32_SIZE_MAX + slice.length);
        this.#size = setVarint(this.#buffer, this.#size, slice.length);
        this.#appendBytes(slice);
      }
    } catch (error) {
      this.#size = recordStart;
      if (this.#fixups.at(-1) === recordStart) {
        this.#fixups.pop();
        this.#fixupNames.pop();
      }
      throw error;
    }
  }

  #appendBytes(bytes: Uint8Array): void {
    const size = bytes.length;
    this.#reserve(size);
    const buffer = this.#buffer;
    const at = this.#size;
    if (size <= LOOP_COPY_MAX) for (let i = 0; i < size; i++) buffer[at + i] = bytes[i]!;
    else buffer.set(bytes, at);
    this.#size = at + size;
  }

  #appendText(text: string): void {
    const length = text.length;
    if (length <= LOOP_TEXT_MAX && this.#appendShortAscii(text, length)) return;
    const size = Buffer.byteLength(text);
    this.#reserve(VARINT32_SIZE_MAX + size);
    const at = setVarint(this.#buffer, this.#size, size);
    this.#buffer.write(text, at);
    this.#size = at + size;
  }

  /** Copies while it is ASCII; false, with nothing appended, when it is not. */
  #appendShortAscii(text: string, length: number): boolean {
    this.#reserve(1 + length);
    const buffer = this.#buffer;
    const at = this.#size;
    buffer[at] = length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at + 1 + i] = code;
    }
    this.#size = at + 1 + length;
    return true;
  }

  #reserve(size: number): void {
    const needed = this.#size + size;
    if (needed <= this.#buffer.length) return;
    if (needed > BATCH_SIZE_MAX) {
      throw invalidArgument(`a batch of ${needed} bytes is too large: the limit is ${BATCH_SIZE_MAX}`);
    }
    const grown = Buffer.alloc(Math.min(BATCH_SIZE_MAX, Math.max(needed, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.#size));
    this.#buffer = grown;
  }
}

const plainTagOf: ReadonlyMap<number, number> = new Map([...familyTagOf].map(([plain, tag]) => [tag, plain]));

function checkBytes(argument: unknown, what: string, most: number): void {
  if (typeof argument === 'string' || argument instanceof Uint8Array) {
    checkSize(argument, most, what);
    return;
  }
  throw invalidArgument(`${what} must be a Uint8Array or a string, not ${describe(argument)}`);
}

function checkedId(family: unknown): number {
  const id = typeof family === 'object' && family !== null ? (family as { id?: unknown }).id : undefined;
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= 0xffffffff) return id;
  throw invalidArgument(`a column family must be a ColumnFamily or a name, not ${describe(family)}`);
}

function unknownFamily(name: string): never {
  throw invalidArgument(
    `the batch names column family ${JSON.stringify(name)}, whose id only a database knows; pass the ColumnFamily`,
  );
}
