/**
 * Finds the value of one key at one sequence: through the memtables, then level 0 from its newest table on, then one
 * table a level. It stops at the first version that decides; merge operands on the way are kept and folded at the end.
 *
 * A lookup runs as far as the blocks at hand allow and says so when one is missing; `load` brings it and `run` goes on
 * where it was. So the blocking and the promise form take the same path, and a lookup that needs no file makes no promise.
 */
import { foldMerge } from '../../compaction/merge-operands.ts';
import { corruption, notSupported } from '../../format/base/db-error.ts';
import { ValueType } from '../../format/base/internal-key.ts';
import { type Io, runSync } from '../../format/base/io.ts';
import { GET_RESULT_SIZE, GetResultField } from '../../format/kernel/abi/block.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../../format/manifest/file-range.ts';
import type { TableReader } from '../../format/sst/table-reader.ts';
import type { TableCache, TableOpening } from '../cache/table-cache.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { SuperVersion } from '../version/super-version.ts';
import type { LookupTrace } from './lookup-trace.ts';
import { memtableFragments, tableFragments } from './tombstones.ts';

/** What `run` came to. */
export const LookupStatus = { absent: 0, found: 1, needsIo: 2 } as const;

/** The tables of a family as reads open them. */
export interface TableAccess {
  tables: TableCache;
  openingOf(family: ColumnFamilyState): TableOpening;
}

/** One lookup at a time. Reused: `begin` starts the next one. */
export class PointLookup {
  /** The value, owned by the caller, after `found`. */
  value: Uint8Array | undefined;
  /** Level of the table that decided; -1 a memtable. For statistics. */
  level = -1;
  /** Merge operands that the value was folded from. For statistics. */
  operandCount = 0;
  /** When it began, in monotonic microseconds; kept by the reader, for statistics alone. */
  startMicros = 0;
  /** Whether merge operands are left unfolded, in `operands`; the next `begin` does not change it. */
  keepOperands = false;
  /** With `keepOperands`: the operands over `value`, oldest first, owned by the caller. */
  operands: Uint8Array[] = [];
  /** Is told of every step; `undefined` in all lookups but explained ones. */
  trace: LookupTrace | undefined;
  readonly #kernel: Kernel;
  readonly #access: TableAccess;
  readonly #result: number;
  #key = 0;
  #keySize = 0;
  #keyCapacity = 0;
  #keyBytes: Uint8Array | undefined;
  #family!: ColumnFamilyState;
  #view!: SuperVersion;
  #snapshot = 0;
  /** Versions above this were read already (operands). */
  #ceiling = 0;
  /** Highest sequence of a range tombstone over the key in what was passed. */
  #cover = 0;
  #memtableIndex = 0;
  #fileIndex = 0;
  #operands: Uint8Array[] = [];
  /** The table that the lookup waits for or in. */
  #file: FileMetadata | undefined;
  #reader: TableReader | undefined;
  #readerNeedsLoad = false;
  #fillCache = true;
  #verifyChecksums = true;
  #done = false;

  constructor(kernel: Kernel, access: TableAccess) {
    this.#kernel = kernel;
    this.#access = access;
    this.#result = kernel.malloc(GET_RESULT_SIZE);
  }

  /** Starts a lookup of `key` in what `view` shows up to `snapshot`. `view` is borrowed until the lookup ends. */
  begin(
    family: ColumnFamilyState,
    view: SuperVersion,
    key: Uint8Array | string,
    snapshot: number,
    fillCache: boolean,
    verifyChecksums = true,
  ): void {
    this.#placeKey(key);
    this.#family = family;
    this.#view = view;
    this.#snapshot = snapshot;
    this.#ceiling = snapshot;
    this.#cover = 0;
    this.#memtableIndex = 0;
    this.#fileIndex = 0;
    this.level = -1;
    this.#file = undefined;
    this.#reader = undefined;
    this.#readerNeedsLoad = false;
    this.#fillCache = fillCache;
    this.#verifyChecksums = verifyChecksums;
    this.#done = false;
    this.value = undefined;
    this.operandCount = 0;
    if (this.#operands.length > 0) this.#operands = [];
    if (this.operands.length > 0) this.operands = [];
  }

  /** Goes on: `LookupStatus`. Throws `CORRUPTION`, `MERGE_FAILED`, `NOT_SUPPORTED`. */
  run(): number {
    while (this.#memtableIndex < this.#view.memtables.length) {
      this.#searchMemtable();
      if (this.#done) return this.#finish();
      this.#memtableIndex++;
    }
    for (;;) {
      if (this.#file === undefined && !this.#nextFile()) return this.#fold(undefined);
      if (!this.#searchTable()) return LookupStatus.needsIo;
      if (this.#done) return this.#finish();
      this.#file = undefined;
      this.#reader = undefined;
    }
  }

  /** Brings what `run` lacked. */
  *load(): Io<void> {
    const { tables } = this.#access;
    yield* tables.enterLookup();
    this.#keyBytes = undefined;
    try {
      if (!this.#isTableOpen()) yield* this.#openTable();
      yield* this.#readTable();
    } finally {
      tables.leaveLookup();
    }
  }

  /** `load` in place, to be called at once after `run`: nobody else has run since, so an open table is still open. */
  loadSync(): void {
    if (this.#readerNeedsLoad) {
      this.trace?.loadBlock(this.#file!);
      this.#reader!.loadSync(this.#result, this.#fillCache, this.#verifyChecksums);
    } else runSync(this.load());
  }

  /** Whether the table that `run` was in is open; it may have been closed for another while this lookup waited for its turn. */
  #isTableOpen(): boolean {
    if (!this.#readerNeedsLoad) return false;
    if (this.#access.tables.find(this.#file!.number) === this.#reader) return true;
    this.#reader!.forget(this.#result);
    this.#readerNeedsLoad = false;
    return false;
  }

  *#openTable(): Io<void> {
    const file = this.#file!;
    this.trace?.openTable(file);
    this.#reader = yield* this.#access.tables.open(file, this.#access.openingOf(this.#family));
  }

  /**
   * Reads all that the lookup needs of the open table, in this turn: by the next one the table would be closed for those that
   * waited in between, and where thousands wait each would open its table over and over and none would get on.
   */
  *#readTable(): Io<void> {
    const file = this.#file!;
    const unpin = this.#access.tables.pin(file.number);
    try {
      for (;;) {
        if (this.#readerNeedsLoad) {
          this.trace?.loadBlock(file);
          yield* this.#reader!.load(this.#result, this.#fillCache, this.#verifyChecksums);
        }
        // The block belongs to this result struct; take it before anybody else runs.
        if (this.#searchTable()) break;
        if (!this.#readerNeedsLoad) return;
      }
      if (!this.#done) {
        this.#file = undefined;
        this.#reader = undefined;
      }
    } finally {
      unpin?.();
    }
  }

  close(): void {
    this.#kernel.free(this.#key);
    this.#kernel.free(this.#result);
  }

  #placeKey(key: Uint8Array | string): void {
    const sizeMax = typeof key === 'string' ? key.length * 3 : key.length;
    if (sizeMax > this.#keyCapacity || this.#key === 0) {
      this.#kernel.free(this.#key);
      this.#keyCapacity = Math.max(256, sizeMax);
      this.#key = this.#kernel.malloc(this.#keyCapacity + 16);
    }
    if (typeof key === 'string') {
      this.#keySize = this.#kernel.writeUtf8(key, this.#key);
      this.#keyBytes = undefined;
    } else {
      this.#kernel.copyIn(key, this.#key);
      this.#keySize = key.length;
      // The caller's array serves until the lookup first waits; the caller may change it then.
      this.#keyBytes = key;
    }
  }

  #userKey(): Uint8Array {
    this.#keyBytes ??= this.#kernel.bytes(this.#key, this.#keySize);
    return this.#keyBytes;
  }

  #searchMemtable(): void {
    const memtable = this.#view.memtables[this.#memtableIndex]!;
    const { comparator } = this.#family;
    this.trace?.memtable(this.#memtableIndex);
    const fragments = memtable.rangeTombstones().length === 0 ? undefined : memtableFragments(memtable, comparator);
    if (fragments !== undefined) this.#raiseCover(fragments.coveringSequence(this.#userKey(), this.#snapshot));
    while (memtable.get(this.#key, this.#keySize, this.#ceiling, this.#result) === 1) {
      if (this.#take(0)) return;
    }
  }

  /** Finds the next table that may hold the key. */
  #nextFile(): boolean {
    const { version } = this.#view;
    const level0 = version.levels[0]!;
    while (this.level <= 0 && this.#fileIndex < level0.length) {
      this.level = 0;
      const index = this.#fileIndex++;
      if (version.holdsUserKey(0, index, this.#userKey())) return this.#enter(level0[index]!);
    }
    if (this.level < 0) this.level = 0;
    return this.#nextSortedFile();
  }

  /** One table a level, and its neighbour where versions of the key go on in it. */
  #nextSortedFile(): boolean {
    const { version } = this.#view;
    const key = this.#userKey();
    if (this.level > 0 && this.#continuesInNext()) return true;
    while (++this.level < version.levels.length) {
      const index = version.findFileHolding(this.level, key);
      if (index < 0) continue;
      this.#fileIndex = index;
      return this.#enter(version.levels[this.level]![index]!);
    }
    return false;
  }

  #continuesInNext(): boolean {
    const files = this.#view.version.levels[this.level]!;
    const next = files[this.#fileIndex + 1];
    if (next === undefined) return false;
    if (this.#family.comparator.compare(rangeOfFile(next).smallest, this.#userKey()) !== 0) return false;
    this.#fileIndex++;
    return this.#enter(next);
  }

  #enter(file: FileMetadata): true {
    this.#file = file;
    this.trace?.enterTable(file, this.level);
    return true;
  }

  /** Looks in the current table; false when something must be loaded first. */
  #searchTable(): boolean {
    const file = this.#file;
    if (file === undefined || this.#done) return true;
    if (this.#reader === undefined || !this.#readerNeedsLoad) {
      const reader = this.#access.tables.find(file.number);
      this.#readerNeedsLoad = false;
      if (reader === undefined) return false;
      this.#reader = reader;
      const fragments = tableFragments(reader, file, this.#family.comparator);
      if (fragments !== undefined) this.#raiseCover(fragments.coveringSequence(this.#userKey(), this.#snapshot));
    }
    const reader = this.#reader;
    for (;;) {
      this.trace?.beforeStep();
      const status = reader.tryGet(this.#key, this.#keySize, this.#ceiling, this.#result);
      this.trace?.afterStep();
      if (status === 2) {
        this.#readerNeedsLoad = true;
        return false;
      }
      this.#readerNeedsLoad = false;
      if (status === 0) return true;
      const block = this.#kernel.u32[(this.#result + GetResultField.block) >>> 2]!;
      if (this.#take(block)) return true;
    }
  }

  #raiseCover(sequence: number): void {
    if (sequence > this.#cover) this.#cover = sequence;
  }

  /** Takes the version in the result struct; true when it decides. `block` is released. */
  #take(block: number): boolean {
    const kernel = this.#kernel;
    const at = this.#result;
    const type = kernel.u32[(at + GetResultField.type) >>> 2]!;
    const sequence = kernel.f64[(at + GetResultField.sequence) >>> 3]!;
    this.trace?.version(type, sequence);
    try {
      if (sequence < this.#cover) return this.#decide(undefined);
      switch (type) {
        case ValueType.value:
          return this.#decide(this.#copyValue());
        case ValueType.deletion:
        case ValueType.singleDeletion:
          return this.#decide(undefined);
        case ValueType.merge:
          this.#operands.push(this.#copyValue());
          this.#ceiling = sequence - 1;
          return false;
        default:
          throw unsupportedType(type);
      }
    } finally {
      if (block !== 0) kernel.x.blockRelease(block);
    }
  }

  #copyValue(): Uint8Array {
    const { u32 } = this.#kernel;
    const at = this.#result;
    return this.#kernel.copyOut(u32[(at + GetResultField.value) >>> 2]!, u32[(at + GetResultField.valueSize) >>> 2]!);
  }

  #decide(base: Uint8Array | undefined): boolean {
    this.value = base;
    this.#done = true;
    return true;
  }

  #finish(): number {
    if (this.#operands.length > 0) return this.#fold(this.value);
    return this.value === undefined ? LookupStatus.absent : LookupStatus.found;
  }

  #fold(base: Uint8Array | undefined): number {
    if (this.#operands.length === 0) return LookupStatus.absent;
    const operands = this.#operands.reverse();
    this.#operands = [];
    this.operandCount = operands.length;
    if (this.keepOperands) {
      this.operands = operands;
      this.value = base;
      return LookupStatus.found;
    }
    this.value = foldMerge(this.#family.mergeOperator, this.#userKey().slice(), base, operands);
    return LookupStatus.found;
  }
}

/** The refusal of records that Pumice does not read. */
export function unsupportedType(type: number): Error {
  if (type === ValueType.blobIndex) return notSupported('the value is in a blob file; BlobDB is not supported');
  if (type === ValueType.wideColumnEntity)
    return notSupported('the value is a wide-column entity, which is not supported');
  if (type === ValueType.deletionWithTimestamp) return notSupported('user-defined timestamps are not supported');
  return corruption(`an entry has the unknown type 0x${type.toString(16)}`);
}
