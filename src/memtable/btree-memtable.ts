/**
 * The default memtable: the B+tree of the kernel (`format/kernel/assembly/memtable.ts`). Batches go into it without
 * passing through JavaScript, and worker threads flush it in place.
 */
import { assert } from '../../format/base/assert.ts';
import type { CursorSource } from '../../format/base/cursor-source.ts';
import { MemtableSource, memtableTombstones } from '../../format/iterator/memtable-source.ts';
import type { RangeTombstone } from '../../format/iterator/range-tombstones.ts';
import { InsertStatus, TreeField } from '../../format/kernel/abi/memtable.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { MemTable } from './memtable.ts';
import type { MemTableFilter } from './memtable-filter.ts';

/** Largest chunk that entries are put into; smaller memtables get smaller chunks so that their size is respected. */
const CHUNK_SIZE_MAX = 1024 * 1024;
const CHUNK_SIZE_MIN = 1024;

/** A memtable in kernel memory. */
export class BTreeMemTable implements MemTable {
  readonly kernelAddress: number;
  readonly filter: MemTableFilter | undefined;
  logNumber = 0;
  nextLogNumber = 0;
  flushing = false;
  readonly #kernel: Kernel;
  readonly #rangeTree: number;
  #references = 1;
  #tombstones: readonly RangeTombstone[] = [];

  /** Takes over the filter, which is empty; the caller keeps it when this throws. */
  constructor(kernel: Kernel, comparatorId: number, writeBufferSize: number, filter?: MemTableFilter) {
    this.#kernel = kernel;
    this.filter = filter;
    const chunk = Math.min(CHUNK_SIZE_MAX, Math.max(CHUNK_SIZE_MIN, Math.floor(writeBufferSize / 8)));
    const address = kernel.x.memtableCreate(comparatorId, chunk) >>> 0;
    if (address === 0) throw new RangeError('kernel memory exhausted: no memtable can be made');
    this.kernelAddress = address;
    if (filter !== undefined) kernel.x.memtableSetFilter(address, filter.address);
    this.#rangeTree = kernel.x.memtableRangeTree(address) >>> 0;
  }

  get entryCount(): number {
    const x = this.#kernel.x;
    return x.memtableCount(this.kernelAddress) + x.memtableCount(this.#rangeTree);
  }

  get bytes(): number {
    return this.#kernel.x.memtableBytes(this.kernelAddress) >>> 0;
  }

  get firstSequence(): number {
    const points = this.#kernel.x.memtableFirstSequence(this.kernelAddress);
    const ranges = this.#kernel.x.memtableFirstSequence(this.#rangeTree);
    return points === 0 || ranges === 0 ? Math.max(points, ranges) : Math.min(points, ranges);
  }

  get largestSequence(): number {
    const x = this.#kernel.x;
    return Math.max(x.memtableLargestSequence(this.kernelAddress), x.memtableLargestSequence(this.#rangeTree));
  }

  add(type: number, sequence: number, userKey: Uint8Array, value: Uint8Array): void {
    const kernel = this.#kernel;
    const scratch = kernel.malloc(userKey.length + value.length + 1);
    try {
      kernel.copyIn(userKey, scratch);
      kernel.copyIn(value, scratch + userKey.length);
      const status = kernel.x.memtableInsert(
        this.kernelAddress,
        sequence,
        type,
        scratch,
        userKey.length,
        scratch + userKey.length,
        value.length,
      );
      if (status === InsertStatus.outOfMemory) throw new RangeError('kernel memory exhausted by memtables');
    } finally {
      kernel.free(scratch);
    }
  }

  get(userKey: number, userKeySize: number, sequence: number, result: number): number {
    const { u32 } = this.#kernel;
    // The active one is often empty where little is written.
    if (u32[(this.kernelAddress + TreeField.count) >>> 2] === 0) return 0;
    if (this.filter?.excludesKey(userKey, userKeySize) === true) return 0;
    return this.#kernel.x.memtableGet(this.kernelAddress, userKey, userKeySize, sequence, result);
  }

  rangeTombstones(): readonly RangeTombstone[] {
    // Every lookup asks, and a read of memory costs less than a call.
    const count = this.#kernel.u32[(this.#rangeTree + TreeField.count) >>> 2]!;
    if (count !== this.#tombstones.length) this.#tombstones = memtableTombstones(this.#kernel, this.kernelAddress);
    return this.#tombstones;
  }

  source(): CursorSource {
    return new MemtableSource(this.#kernel, this.kernelAddress);
  }

  markImmutable(): void {}

  copyForFlush(): boolean {
    return true;
  }

  flushAddress(): number {
    return this.kernelAddress;
  }

  ref(): void {
    assert(this.#references > 0, 'a freed memtable was referenced');
    this.#references++;
  }

  unref(): void {
    assert(this.#references > 0, 'a memtable was freed twice');
    if (--this.#references > 0) return;
    this.#kernel.x.memtableFree(this.kernelAddress);
    this.filter?.close();
  }
}
