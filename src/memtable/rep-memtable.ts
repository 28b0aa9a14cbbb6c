/**
 * A memtable over a `MemTableRep`: one of the containers in JavaScript or a user's own. It joins the kernel's merges as
 * a host cursor, whose entries are copied into kernel memory as the merge reaches them.
 */
import { assert } from '../../format/base/assert.ts';
import type { Comparator } from '../../format/base/comparator.ts';
import type { CursorSource } from '../../format/base/cursor-source.ts';
import { corruption } from '../../format/base/db-error.ts';
import {
  makeInternalKey,
  sequenceOf,
  TRAILER_SIZE,
  TYPE_FOR_SEEK,
  typeOf,
  userKeyOf,
  ValueType,
} from '../../format/base/internal-key.ts';
import { type Io, noIo } from '../../format/base/io.ts';
import type { MemTableFactory, MemTableRep, MemTableRepIterator } from '../../format/base/memtable-rep.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import type { RangeTombstone } from '../../format/iterator/range-tombstones.ts';
import { GetResultField } from '../../format/kernel/abi/block.ts';
import { CURSOR_HEAD_SIZE, CursorField, CursorKind } from '../../format/kernel/abi/merge.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import { BTreeMemTable } from './btree-memtable.ts';
import { ENTRY_OVERHEAD, EntrySlab } from './entry-slab.ts';
import { internalKeyOrder } from './internal-key-order.ts';
import type { MemTable } from './memtable.ts';

/** A memtable in JavaScript. */
export class RepMemTable implements MemTable {
  readonly kernelAddress = 0;
  logNumber = 0;
  nextLogNumber = 0;
  flushing = false;
  firstSequence = 0;
  largestSequence = 0;
  readonly #kernel: Kernel;
  readonly #name: string;
  readonly #rep: MemTableRep;
  readonly #slab = new EntrySlab();
  readonly #tombstones: RangeTombstone[] = [];
  #points = 0;
  #tombstoneBytes = 0;
  #references = 1;
  /** Holds the value of the last lookup. */
  #valueBuffer = 0;
  #valueCapacity = 0;
  /** The kernel's copy, once a flush asked for it. */
  #copy: BTreeMemTable | undefined;
  readonly #comparatorId: number;
  #immutable = false;

  constructor(
    kernel: Kernel,
    factory: MemTableFactory,
    comparator: Comparator,
    comparatorId: number,
    prefix: SliceTransform | undefined,
  ) {
    this.#kernel = kernel;
    this.#comparatorId = comparatorId;
    this.#name = factory.name;
    this.#rep = factory.create({
      compare: internalKeyOrder(comparator),
      prefixExtractor: prefix,
    });
  }

  get entryCount(): number {
    return this.#points + this.#tombstones.length;
  }

  get bytes(): number {
    return this.#rep.approximateMemoryUsage() + this.#tombstoneBytes;
  }

  add(type: number, sequence: number, userKey: Uint8Array, value: Uint8Array): void {
    if (this.firstSequence === 0 || sequence < this.firstSequence) this.firstSequence = sequence;
    if (sequence > this.largestSequence) this.largestSequence = sequence;
    if (type === ValueType.rangeDeletion) {
      this.#tombstones.push({ begin: userKey.slice(), end: value.slice(), sequence });
      this.#tombstoneBytes += userKey.length + value.length + ENTRY_OVERHEAD;
      return;
    }
    this.#rep.insert(this.#slab.internalKey(userKey, sequence, type), this.#slab.copy(value));
    this.#points++;
  }

  get(userKey: number, userKeySize: number, sequence: number, result: number): number {
    const kernel = this.#kernel;
    const target = makeInternalKey(kernel.bytes(userKey, userKeySize), sequence, TYPE_FOR_SEEK);
    const entry = this.#rep.get(target);
    if (entry === undefined) return 0;
    if (entry.value.length > this.#valueCapacity) {
      kernel.free(this.#valueBuffer);
      this.#valueBuffer = kernel.malloc(entry.value.length);
      this.#valueCapacity = entry.value.length;
    }
    kernel.copyIn(entry.value, this.#valueBuffer);
    kernel.u32[(result + GetResultField.type) >>> 2] = typeOf(entry.key);
    kernel.u32[(result + GetResultField.value) >>> 2] = this.#valueBuffer;
    kernel.u32[(result + GetResultField.valueSize) >>> 2] = entry.value.length;
    kernel.f64[(result + GetResultField.sequence) >>> 3] = sequenceOf(entry.key);
    return 1;
  }

  rangeTombstones(): readonly RangeTombstone[] {
    return this.#tombstones;
  }

  source(totalOrder: boolean): CursorSource {
    return new RepSource(this.#kernel, this.#rep.iterator(totalOrder));
  }

  markImmutable(): void {
    this.#immutable = true;
    this.#rep.markReadOnly();
  }

  flushAddress(): number {
    if (this.#copy !== undefined) return this.#copy.kernelAddress;
    assert(this.#immutable, 'only an immutable memtable is flushed');
    const copy = new BTreeMemTable(this.#kernel, this.#comparatorId, this.bytes);
    try {
      this.#copyTo(copy);
    } catch (error) {
      copy.unref();
      throw error;
    }
    this.#copy = copy;
    return copy.kernelAddress;
  }

  ref(): void {
    assert(this.#references > 0, 'a freed memtable was referenced');
    this.#references++;
  }

  unref(): void {
    assert(this.#references > 0, 'a memtable was freed twice');
    if (--this.#references > 0) return;
    this.#kernel.free(this.#valueBuffer);
    this.#copy?.unref();
  }

  #copyTo(copy: BTreeMemTable): void {
    const iterator = this.#rep.iterator(true);
    let count = 0;
    for (iterator.seekToFirst(); iterator.valid; iterator.next(), count++) {
      const { key, value } = iterator;
      copy.add(typeOf(key), sequenceOf(key), userKeyOf(key), value);
    }
    // A container that loses entries must not be flushed: the log that still has them would be deleted.
    if (count !== this.#points) {
      throw corruption(`memtable ${this.#name}: expected ${this.#points} entries, its iterator shows ${count}`);
    }
    for (const { begin, end, sequence } of this.#tombstones) copy.add(ValueType.rangeDeletion, sequence, begin, end);
  }
}

const MOVE = { first: 0, last: 1, seek: 2, seekForPrev: 3, next: 4, prev: 5 } as const;

/** The host cursor (kind 3) over a representation's iterator. */
class RepSource implements CursorSource {
  readonly cursor: number;
  readonly refillable = false;
  readonly #kernel: Kernel;
  readonly #iterator: MemTableRepIterator;
  /** Key then value of the entry the cursor stands on. */
  #buffer = 0;
  #capacity = 0;
  #closed = false;

  constructor(kernel: Kernel, iterator: MemTableRepIterator) {
    this.#kernel = kernel;
    this.#iterator = iterator;
    this.cursor = kernel.malloc(CURSOR_HEAD_SIZE);
    kernel.u8.fill(0, this.cursor, this.cursor + CURSOR_HEAD_SIZE);
    this.#set(CursorField.kind, CursorKind.host);
    kernel.registerCursorHost(this.cursor, (_cursor, operation, key, size) => {
      this.#move(
        operation,
        operation === MOVE.seek || operation === MOVE.seekForPrev ? kernel.copyOut(key, size) : undefined,
      );
    });
  }

  seekToFirst(): Io<void> {
    this.#move(MOVE.first, undefined);
    return noIo();
  }

  seekToLast(): Io<void> {
    this.#move(MOVE.last, undefined);
    return noIo();
  }

  seek(target: number, targetSize: number): Io<void> {
    this.#move(MOVE.seek, this.#kernel.copyOut(target, targetSize));
    return noIo();
  }

  seekForPrev(target: number, targetSize: number): Io<void> {
    this.#move(MOVE.seekForPrev, this.#kernel.copyOut(target, targetSize));
    return noIo();
  }

  tryRefill(): number {
    return 0;
  }

  load(): Io<void> {
    return noIo();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#kernel.unregisterCursorHost(this.cursor);
    this.#kernel.free(this.#buffer);
    this.#kernel.free(this.cursor);
  }

  #move(operation: number, target: Uint8Array | undefined): void {
    const iterator = this.#iterator;
    if (operation === MOVE.first) iterator.seekToFirst();
    else if (operation === MOVE.last) iterator.seekToLast();
    else if (operation === MOVE.seek) iterator.seek(target!);
    else if (operation === MOVE.seekForPrev) iterator.seekForPrev(target!);
    else if (operation === MOVE.next) iterator.next();
    else iterator.prev();
    this.#publish();
  }

  #publish(): void {
    const { valid } = this.#iterator;
    this.#set(CursorField.valid, valid ? 1 : 0);
    if (!valid) return;
    const { key, value } = this.#iterator;
    assert(key.length >= TRAILER_SIZE, 'a memtable iterator gives internal keys');
    const kernel = this.#kernel;
    if (key.length + value.length > this.#capacity) {
      kernel.free(this.#buffer);
      this.#capacity = (key.length + value.length) * 2;
      this.#buffer = kernel.malloc(this.#capacity);
    }
    kernel.copyIn(key, this.#buffer);
    kernel.copyIn(value, this.#buffer + key.length);
    this.#set(CursorField.key, this.#buffer);
    this.#set(CursorField.keySize, key.length);
    this.#set(CursorField.value, this.#buffer + key.length);
    this.#set(CursorField.valueSize, value.length);
  }

  #set(field: number, value: number): void {
    this.#kernel.u32[(this.cursor + field) >>> 2] = value;
  }
}
