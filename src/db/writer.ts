/** Writes of an open database, for `DB` and `ColumnFamily`: checks arguments, encodes into the present group, queues. */
import { DBError, invalidArgument, wouldWaitForItself } from '../../format/base/db-error.ts';
import { BATCH_SIZE_MAX, checkSize, KEY_SIZE_MAX, VALUE_SIZE_MAX } from '../../format/base/entry-limits.ts';
import { ValueType } from '../../format/base/internal-key.ts';
import { BATCH_HEADER_SIZE } from '../../format/batch/batch-format.ts';
import { WriteBatch } from '../../format/batch/write-batch.ts';
import { WriteBatchReader } from '../../format/batch/write-batch-reader.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { WriteGroup } from '../write/write-group.ts';
import type { Engine } from './engine.ts';
import { type Bytes, checkBytes, checkWriteOptions, toBytes, type WriteOptions } from './read-options.ts';

const NO_OPTIONS: WriteOptions = {};

/** Writes of one database. */
export class Writer {
  readonly #engine: Engine;
  /** Whether statistics want to know how long each call took. */
  readonly #timed: boolean;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#timed = engine.context.statistics !== undefined;
  }

  /** One operation, promised. `value` undefined for deletions. */
  add(
    type: number,
    family: ColumnFamilyState,
    key: Bytes,
    value: Bytes | undefined,
    options?: WriteOptions,
  ): Promise<void> {
    try {
      return this.#engine.queue.submit(this.#encode(type, family, key, value, options ?? NO_OPTIONS));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The same, blocking. */
  addSync(type: number, family: ColumnFamilyState, key: Bytes, value: Bytes | undefined, options?: WriteOptions): void {
    this.#refuseInCallbacks();
    this.#engine.queue.submitSync(this.#encode(type, family, key, value, options ?? NO_OPTIONS));
  }

  /** A batch, promised. Its content is taken at the call. */
  write(batch: WriteBatch, options?: WriteOptions): Promise<void> {
    try {
      return this.#engine.queue.submit(this.#encodeBatch(batch, options ?? NO_OPTIONS));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The same, blocking. */
  writeSync(batch: WriteBatch, options?: WriteOptions): void {
    this.#refuseInCallbacks();
    this.#engine.queue.submitSync(this.#encodeBatch(batch, options ?? NO_OPTIONS));
  }

  /** A write in the middle of another one would tear it. */
  #refuseInCallbacks(): void {
    if (this.#engine.context.isCallingOut) throw wouldWaitForItself();
  }

  #encode(
    type: number,
    family: ColumnFamilyState,
    key: Bytes,
    value: Bytes | undefined,
    options: WriteOptions,
  ): WriteGroup {
    checkBytes(key, type === ValueType.rangeDeletion ? 'begin' : 'key');
    checkSize(key, KEY_SIZE_MAX, 'key');
    const takesValue = type === ValueType.value || type === ValueType.merge || type === ValueType.rangeDeletion;
    if (takesValue) {
      checkBytes(value, VALUE_NAMES[type] ?? 'value');
      checkSize(value!, type === ValueType.rangeDeletion ? KEY_SIZE_MAX : VALUE_SIZE_MAX, VALUE_NAMES[type] ?? 'value');
    }
    this.#check(options);
    if (type === ValueType.merge) requireOperator(family);
    if (type === ValueType.rangeDeletion) checkRange(family, toBytes(key), toBytes(value!));
    const size = key.length + (value?.length ?? 0);
    const group = this.#engine.queue.join(options.disableWAL === true, options.sync === true, size);
    if (this.#timed) this.#noteStart(group);
    group.addOperation(type, family.id, key, value);
    return group;
  }

  #encodeBatch(batch: WriteBatch, options: WriteOptions): WriteGroup {
    if (!(batch instanceof WriteBatch)) throw invalidArgument('write takes a WriteBatch');
    if (options.columnFamily !== undefined)
      throw invalidArgument('columnFamily: the batch of write names families itself');
    this.#check(options);
    const encoded = batch.encode((name) => this.#idOf(name));
    checkSize(encoded, BATCH_SIZE_MAX, 'a batch');
    this.#checkBatch(batch, encoded);
    const group = this.#engine.queue.join(options.disableWAL === true, options.sync === true, encoded.length);
    if (this.#timed) this.#noteStart(group);
    group.addBatch(encoded, batch.count);
    return group;
  }

  #noteStart(group: WriteGroup): void {
    group.startMicros ??= [];
    group.startMicros.push(this.#engine.context.clock.monotonicMicros());
  }

  #check(options: WriteOptions): void {
    const engine = this.#engine;
    engine.requireOpen();
    if (options !== NO_OPTIONS) checkWriteOptions(options);
    if (engine.readOnly) throw new DBError('READ_ONLY', 'the database was opened with readOnly');
    engine.writes.checkWritable();
    if (options.noSlowdown === true && engine.writes.isStalled) {
      throw new DBError('INCOMPLETE', 'writes are stalled, and noSlowdown is set', { retryable: true });
    }
  }

  #idOf(name: string): number {
    const family = this.#engine.versions.byName(name);
    if (family === undefined)
      throw invalidArgument(`the batch names column family ${JSON.stringify(name)}, which does not exist`);
    return family.id;
  }

  /** What must be known of a batch before it is in the log: its families exist, its ranges are ranges. */
  #checkBatch(batch: WriteBatch, encoded: Uint8Array): void {
    if (encoded.length === BATCH_HEADER_SIZE) return;
    const { families } = this.#engine.versions;
    if (!batch.hasFamilies && !batch.hasDeleteRange && families.get(0)!.mergeOperator !== undefined) return;
    const reader = new WriteBatchReader(encoded);
    while (reader.next()) {
      if (!reader.counts) continue;
      const family = families.get(reader.family);
      if (family === undefined || family.dropped) {
        throw invalidArgument(`the batch names column family ${reader.family}, which does not exist`);
      }
      if (reader.type === ValueType.merge) requireOperator(family);
      if (reader.type !== ValueType.rangeDeletion) continue;
      const begin = encoded.subarray(reader.keyOffset, reader.keyOffset + reader.keySize);
      checkRange(family, begin, encoded.subarray(reader.valueOffset, reader.valueOffset + reader.valueSize));
    }
  }
}

const VALUE_NAMES: Readonly<Record<number, string>> = {
  [ValueType.merge]: 'operand',
  [ValueType.rangeDeletion]: 'end',
};

function requireOperator(family: ColumnFamilyState): void {
  if (family.mergeOperator !== undefined) return;
  throw invalidArgument(`merge needs options.mergeOperator for column family ${family.name}`);
}

function checkRange(family: ColumnFamilyState, begin: Uint8Array, end: Uint8Array): void {
  if (family.comparator.compare(begin, end) > 0) {
    throw invalidArgument('end key comes before start key');
  }
}
