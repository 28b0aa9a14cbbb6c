/**
 * A memtable over a `MemTableRep`: one of the containers in JavaScript or a user's own. A flush, which may run in another
 * thread, reads a copy of it in the kernel's B+tree.
 */
import { assert } from '../../format/base/assert.ts';
import type { Comparator } from '../../format/base/comparator.ts';
import type { CursorSource } from '../../format/base/cursor-source.ts';
import {
  makeInternalKey,
  sequenceOf,
  TYPE_FOR_SEEK,
  typeOf,
  userKeyOf,
  ValueType,
} from '../../format/base/internal-key.ts';
import type { MemTableFactory, MemTableRep } from '../../format/base/memtable-rep.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import type { RangeTombstone } from '../../format/iterator/range-tombstones.ts';
import { GetResultField } from '../../format/kernel/abi/block.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import { BTreeMemTable } from './btree-memtable.ts';
import { ENTRY_OVERHEAD, EntrySlab } from './entry-slab.ts';
import { internalKeyOrder } from './internal-key-order.ts';
import type { MemTable } from './memtable.ts';
import type { MemTableFilter } from './memtable-filter.ts';
import { RepSource } from './rep-source.ts';

/** What is copied for a flush at a time: about two milliseconds. */
const SLICE_ENTRIES = 1500;
const SLICE_BYTES = 2 ** 20;

/** A memtable in JavaScript. */
export class RepMemTable implements MemTable {
  readonly kernelAddress = 0;
  readonly filter: MemTableFilter | undefined;
  logNumber = 0;
  nextLogNumber = 0;
  flushing = false;
  firstSequence = 0;
  largestSequence = 0;
  readonly #kernel: Kernel;
  readonly #rep: MemTableRep;
  readonly #slab = new EntrySlab();
  readonly #tombstones: RangeTombstone[] = [];
  #points = 0;
  #tombstoneBytes = 0;
  #references = 1;
  /** Holds the value of the last lookup. */
  #valueBuffer = 0;
  #valueCapacity = 0;
  /**
   * All points in the order of their arrival, until they are copied. A flush takes them from here: it needs no order, and
   * must not lose what a faulty container loses, because the log is deleted after it.
   */
  readonly #keys: Uint8Array[] = [];
  readonly #values: Uint8Array[] = [];
  /** The kernel's copy, under way and complete. */
  #copying: BTreeMemTable | undefined;
  #copy: BTreeMemTable | undefined;
  #copied = 0;
  readonly #comparatorId: number;
  #immutable = false;

  /** Takes over the filter, which is empty; the caller keeps it when this throws. */
  constructor(
    kernel: Kernel,
    factory: MemTableFactory,
    comparator: Comparator,
    comparatorId: number,
    prefix: SliceTransform | undefined,
    filter: MemTableFilter | undefined,
  ) {
    this.#kernel = kernel;
    this.filter = filter;
    this.#comparatorId = comparatorId;
    this.#rep = factory.create({
      compare: internalKeyOrder(comparator),
      prefixExtractor: prefix,
    });
  }

  get entryCount(): number {
    return this.#points + this.#tombstones.length;
  }

  get bytes(): number {
    return this.#rep.approximateMemoryUsage() + this.#tombstoneBytes + (this.filter?.bytes ?? 0);
  }

  add(type: number, sequence: number, userKey: Uint8Array, value: Uint8Array): void {
    if (this.firstSequence === 0 || sequence < this.firstSequence) this.firstSequence = sequence;
    if (sequence > this.largestSequence) this.largestSequence = sequence;
    if (type === ValueType.rangeDeletion) {
      this.#tombstones.push({ begin: userKey.slice(), end: value.slice(), sequence });
      this.#tombstoneBytes += userKey.length + value.length + ENTRY_OVERHEAD;
      return;
    }
    this.filter?.add(userKey);
    const key = this.#slab.internalKey(userKey, sequence, type);
    const copy = this.#slab.copy(value);
    this.#keys.push(key);
    this.#values.push(copy);
    this.#points++;
    this.#rep.insert(key, copy);
  }

  get(userKey: number, userKeySize: number, sequence: number, result: number): number {
    if (this.filter?.excludesKey(userKey, userKeySize) === true) return 0;
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

  copyForFlush(): boolean {
    if (this.#copy !== undefined) return true;
    assert(this.#immutable, 'only an immutable memtable is flushed');
    this.#copying ??= new BTreeMemTable(this.#kernel, this.#comparatorId, this.bytes);
    try {
      if (!this.#copySlice(this.#copying)) return false;
    } catch (error) {
      this.#copying.unref();
      this.#copying = undefined;
      this.#copied = 0;
      throw error;
    }
    this.#copy = this.#copying;
    this.#keys.length = 0;
    this.#values.length = 0;
    return true;
  }

  flushAddress(): number {
    while (!this.copyForFlush());
    return this.#copy!.kernelAddress;
  }

  ref(): void {
    assert(this.#references > 0, 'a freed memtable was referenced');
    this.#references++;
  }

  unref(): void {
    assert(this.#references > 0, 'a memtable was freed twice');
    if (--this.#references > 0) return;
    this.#kernel.free(this.#valueBuffer);
    this.#copying?.unref();
    this.filter?.close();
  }

  /** Copies some more entries, in the order of their arrival; true when all are there. */
  #copySlice(copy: BTreeMemTable): boolean {
    const end = Math.min(this.#points, this.#copied + SLICE_ENTRIES);
    for (let bytes = 0; this.#copied < end && bytes < SLICE_BYTES; this.#copied++) {
      const key = this.#keys[this.#copied]!;
      const value = this.#values[this.#copied]!;
      copy.add(typeOf(key), sequenceOf(key), userKeyOf(key), value);
      bytes += key.length + value.length;
    }
    if (this.#copied < this.#points) return false;
    for (const { begin, end, sequence } of this.#tombstones) copy.add(ValueType.rangeDeletion, sequence, begin, end);
    return true;
  }
}
