/**
 * Tables that follow each other in key order, read as one sorted run: a level, or a single table of level 0. Tables are
 * opened when the run reaches them.
 */

import type { Comparator } from '../../format/base/comparator.ts';
import type { CursorSource } from '../../format/base/cursor-source.ts';
import { compareInternalKeys, equalBytes, TRAILER_SIZE, userKeyOf } from '../../format/base/internal-key.ts';
import type { Io } from '../../format/base/io.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import { CursorField } from '../../format/kernel/abi/merge.ts';
import { getKernel, type Kernel } from '../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { FilterAnswer } from '../../format/sst/filter-reader.ts';
import type { TableIterator } from '../../format/sst/table-iterator.ts';
import type { TableIteratorOptions, TableReader } from '../../format/sst/table-reader.ts';

/** Where a run gets its tables. */
export interface LevelTables {
  /** The open table, or `undefined` when it has to be opened first. */
  find(file: FileMetadata): TableReader | undefined;
  open(file: FileMetadata): Io<TableReader>;
  /** Called whenever the run enters a table, before its entries are read: range tombstones take effect then. */
  onEnter?(file: FileMetadata, reader: TableReader): void;
  /** Given when only entries with the prefix of a seek's target count: tables whose filter excludes it are not read. */
  readonly prefix?: SliceTransform | undefined;
  /** Told once a positioning of every filter that was asked for a prefix. */
  onPrefixAsked?(reader: TableReader, excluded: boolean): void;
}

/** A run over tables in order. */
export class LevelSource implements CursorSource {
  readonly cursor: number;
  readonly refillable = true;
  readonly #kernel: Kernel = getKernel();
  readonly #comparator: Comparator;
  readonly #files: readonly FileMetadata[];
  readonly #tables: LevelTables;
  readonly #options: TableIteratorOptions;
  #index = -1;
  #iterator: TableIterator | undefined;
  /** What `load` must do before `tryRefill` can go on. */
  #lacking: 'nothing' | 'table' | 'position' | 'block' = 'nothing';
  /** `load` left the cursor on the first entry of a table that was just entered. */
  #fresh = false;
  /** Filters asked by the last `tryPosition`: a positioning that goes on from it with reads tells of them only once. */
  #asked = 0;
  #direction: 1 | -1 = 1;
  #closed = false;

  /** REQUIRES files in key order that do not overlap. */
  constructor(
    comparator: Comparator,
    files: readonly FileMetadata[],
    tables: LevelTables,
    options: TableIteratorOptions = {},
  ) {
    this.#comparator = comparator;
    this.#files = files;
    this.#tables = tables;
    this.cursor = this.#kernel.x.blockCursorCreate() >>> 0;
    if (this.cursor === 0) throw new RangeError('kernel memory exhausted');
    this.#options = { ...options, cursor: this.cursor };
  }

  *seekToFirst(): Io<void> {
    yield* this.#startAt(0, 1, 0, 0, 0);
  }

  *seekToLast(): Io<void> {
    yield* this.#startAt(this.#files.length - 1, -1, 1, 0, 0);
  }

  *seek(target: number, targetSize: number): Io<void> {
    const index = yield* this.#passFilters(2, target, targetSize);
    yield* this.#startAt(index, 1, 2, target, targetSize);
  }

  *seekForPrev(target: number, targetSize: number): Io<void> {
    const index = yield* this.#passFilters(3, target, targetSize);
    yield* this.#startAt(index, -1, 3, target, targetSize);
  }

  tryPosition(operation: 0 | 1 | 2 | 3, target: number, targetSize: number): boolean {
    this.#direction = operation === 0 || operation === 2 ? 1 : -1;
    const index = this.#tryPassFilters(operation, target, targetSize);
    if (index === undefined) return false;
    this.#lacking = 'nothing';
    this.#fresh = false;
    if (index < 0 || index >= this.#files.length) {
      this.#leaveAt(index);
      return true;
    }
    if (!this.#tryEnter(index)) return false;
    if (!this.#iterator!.tryPosition(operation, target, targetSize)) return false;
    return this.#isValid() || this.tryRefill(this.#direction) >= 0;
  }

  tryRefill(direction: 1 | -1): number {
    this.#direction = direction;
    if (this.#fresh) {
      this.#fresh = false;
      if (this.#isValid()) return 1;
    }
    for (;;) {
      if (this.#lacking === 'table' || this.#lacking === 'position') return -1;
      this.#lacking = 'nothing';
      const within = this.#iterator?.tryRefill(direction) ?? 0;
      if (within === 1) return 1;
      if (within < 0) {
        this.#lacking = 'block';
        return -1;
      }
      const next = this.#index + direction;
      if (next < 0 || next >= this.#files.length) {
        this.#leaveAt(next);
        return 0;
      }
      if (!this.#tryEnter(next)) return -1;
      if (!this.#iterator!.tryPosition(direction === 1 ? 0 : 1, 0, 0)) {
        this.#lacking = 'position';
        return -1;
      }
      if (this.#isValid()) return 1;
    }
  }

  *load(): Io<void> {
    if (this.#lacking === 'block') {
      yield* this.#iterator!.load();
      this.#lacking = 'nothing';
      return;
    }
    if (this.#lacking === 'table') yield* this.#enter(this.#index);
    if (this.#lacking === 'nothing') return;
    const iterator = this.#iterator!;
    if (this.#direction === 1) yield* iterator.seekToFirst();
    else yield* iterator.seekToLast();
    this.#lacking = 'nothing';
    this.#fresh = true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#iterator?.close();
    this.#iterator = undefined;
    this.#kernel.x.blockCursorDestroy(this.cursor);
  }

  /** Positions in the table at `index`, and goes on to its neighbours while that leaves no entry. */
  *#startAt(index: number, direction: 1 | -1, operation: 0 | 1 | 2 | 3, target: number, size: number): Io<void> {
    this.#direction = direction;
    this.#lacking = 'nothing';
    this.#fresh = false;
    if (index < 0 || index >= this.#files.length) {
      this.#leaveAt(index);
      return;
    }
    if (!this.#tryEnter(index)) yield* this.#enter(index);
    this.#lacking = 'nothing';
    const iterator = this.#iterator!;
    if (operation === 0) yield* iterator.seekToFirst();
    else if (operation === 1) yield* iterator.seekToLast();
    else if (operation === 2) yield* iterator.seek(target, size);
    else yield* iterator.seekForPrev(target, size);
    while (!this.#isValid() && this.tryRefill(direction) < 0) yield* this.load();
  }

  #startIndex(operation: 0 | 1 | 2 | 3, target: number, targetSize: number): number {
    if (operation === 0) return 0;
    if (operation === 1) return this.#files.length - 1;
    if (operation === 2) return this.#firstEndingAtOrAfter(target, targetSize);
    return this.#lastBeginningAtOrBefore(target, targetSize);
  }

  /**
   * Where a positioning starts: past the tables whose filter excludes the target's prefix. `undefined`: that takes a read.
   * The filter of a run of one table (level 0) is asked even where its range lies aside, as by RocksDB, whose counters
   * people compare.
   */
  #tryPassFilters(operation: 0 | 1 | 2 | 3, target: number, targetSize: number): number | undefined {
    const first = this.#startIndex(operation, target, targetSize);
    this.#asked = 0;
    if (operation < 2 || this.#tables.prefix === undefined) return first;
    let index = this.#files.length === 1 ? 0 : first;
    const step = operation === 2 ? 1 : -1;
    while (this.#isInside(index)) {
      const reader = this.#tables.find(this.#files[index]!);
      if (reader === undefined) return undefined;
      const answer = reader.tryPrefixMayMatch(target, targetSize, step < 0);
      if (answer === FilterAnswer.pending) return undefined;
      this.#asked++;
      this.#tables.onPrefixAsked?.(reader, answer === FilterAnswer.no);
      if (answer === FilterAnswer.maybe) return this.#files.length === 1 ? first : index;
      index = this.#passOver(index, step, reader, target, targetSize);
    }
    return index;
  }

  /** As `#tryPassFilters`, with the reads. */
  *#passFilters(operation: 2 | 3, target: number, targetSize: number): Io<number> {
    const first = this.#startIndex(operation, target, targetSize);
    if (this.#tables.prefix === undefined) return first;
    let index = this.#files.length === 1 ? 0 : first;
    const step = operation === 2 ? 1 : -1;
    let told = this.#asked;
    this.#asked = 0;
    while (this.#isInside(index)) {
      const file = this.#files[index]!;
      const reader = this.#tables.find(file) ?? (yield* this.#tables.open(file));
      const mayMatch = yield* reader.prefixMayMatch(target, targetSize, step < 0);
      if (told-- <= 0) this.#tables.onPrefixAsked?.(reader, !mayMatch);
      if (mayMatch) return this.#files.length === 1 ? first : index;
      index = this.#passOver(index, step, reader, target, targetSize);
    }
    return index;
  }

  /**
   * Passes over a table without entries of the prefix; its range tombstones count all the same. Returns the next index, or
   * one outside when no table from there on can have the prefix: keys of one prefix stand together, so the next table
   * must begin (going back: end) with it.
   */
  #passOver(index: number, step: 1 | -1, reader: TableReader, target: number, targetSize: number): number {
    this.#tables.onEnter?.(this.#files[index]!, reader);
    const outside = step > 0 ? this.#files.length : -1;
    const next = this.#files[index + step];
    if (next === undefined) return outside;
    const prefix = this.#tables.prefix!;
    const bound = userKeyOf(step > 0 ? next.smallest : next.largest);
    if (!prefix.inDomain(bound)) return index + step;
    const wanted = prefix.transform(this.#kernel.bytes(target, targetSize - TRAILER_SIZE));
    return equalBytes(prefix.transform(bound), wanted) ? index + step : outside;
  }

  #isInside(index: number): boolean {
    return index >= 0 && index < this.#files.length;
  }

  /** Enters an open table; false, with the lack noted, when it must be opened. */
  #tryEnter(index: number): boolean {
    if (this.#index === index && this.#iterator !== undefined) return true;
    const file = this.#files[index]!;
    const reader = this.#tables.find(file);
    if (reader === undefined) {
      this.#leaveAt(index);
      this.#lacking = 'table';
      return false;
    }
    this.#use(index, file, reader);
    return true;
  }

  *#enter(index: number): Io<void> {
    const file = this.#files[index]!;
    const reader = yield* this.#tables.open(file);
    if (this.#closed) return;
    this.#use(index, file, reader);
    this.#lacking = 'position';
  }

  #use(index: number, file: FileMetadata, reader: TableReader): void {
    this.#iterator?.close();
    this.#index = index;
    this.#iterator = reader.newIterator(this.#options);
    this.#tables.onEnter?.(file, reader);
  }

  /** Stands at a table without reading it, or outside of all: the cursor has no entry. */
  #leaveAt(index: number): void {
    this.#iterator?.close();
    this.#iterator = undefined;
    this.#index = index;
    this.#kernel.u32[(this.cursor + CursorField.valid) >>> 2] = 0;
  }

  #isValid(): boolean {
    return this.#kernel.u32[(this.cursor + CursorField.valid) >>> 2] !== 0;
  }

  #firstEndingAtOrAfter(target: number, targetSize: number): number {
    const key = this.#kernel.bytes(target, targetSize);
    let low = 0;
    let high = this.#files.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareInternalKeys(this.#comparator, this.#files[middle]!.largest, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #lastBeginningAtOrBefore(target: number, targetSize: number): number {
    const key = this.#kernel.bytes(target, targetSize);
    let low = 0;
    let high = this.#files.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareInternalKeys(this.#comparator, this.#files[middle]!.smallest, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
