/**
 * The files of one level, end to end, as a sorted run read once from front to back. Tables are opened one after the
 * other and released as soon as they are read, so a run over many files holds the buffers of one.
 *
 * A merge knows a run by the address of one cursor. The kernel steps the run's own cursor struct through a block; at the
 * end of a block the struct is handed back to the table's iterator, which moves it on.
 */
import type { CursorSource } from '../format/base/cursor-source.ts';
import { makeInternalKey, SENTINEL_SEQUENCE, TYPE_FOR_SEEK } from '../format/base/internal-key.ts';
import type { Io } from '../format/base/io.ts';
import { BLOCK_CURSOR_SIZE } from '../format/kernel/abi/block.ts';
import { CursorField } from '../format/kernel/abi/merge.ts';
import { getKernel, type Kernel } from '../format/kernel/kernel.ts';
import type { TableIterator } from '../format/sst/table-iterator.ts';
import type { InputTable } from './compaction-io.ts';

/** Bytes that comparisons may read past a key. */
const KEY_SLACK = 16;

/** The part of a `CursorSource` that a compaction uses. */
export type CompactionSource = Pick<
  CursorSource,
  'cursor' | 'refillable' | 'seekToFirst' | 'tryRefill' | 'load' | 'close'
>;

/** A forward run over tables in key order. Owns the tables from here on. */
export class LevelRun implements CompactionSource {
  readonly cursor: number;
  readonly refillable = true;
  readonly #kernel: Kernel = getKernel();
  readonly #tables: InputTable[];
  readonly #readSize: number;
  /** Internal key that the run begins at, in kernel memory; 0: at the first. */
  readonly #begin: number = 0;
  readonly #beginSize: number = 0;
  #current: TableIterator | undefined;
  /** The struct is in `cursor`, not with the iterator. */
  #lent = false;
  /** The iterator has just been placed on the first entry of its table. */
  #placed = false;

  /** `readSize`: bytes a read of the files. `begin`: the run leaves out user keys before it. */
  constructor(tables: readonly InputTable[], readSize: number, begin?: Uint8Array) {
    this.#tables = [...tables];
    this.#readSize = readSize;
    this.cursor = this.#kernel.malloc(BLOCK_CURSOR_SIZE);
    this.#kernel.u8.fill(0, this.cursor, this.cursor + BLOCK_CURSOR_SIZE);
    if (begin === undefined) return;
    const key = makeInternalKey(begin, SENTINEL_SEQUENCE, TYPE_FOR_SEEK);
    this.#begin = this.#kernel.malloc(key.length + KEY_SLACK);
    this.#beginSize = key.length;
    this.#kernel.copyIn(key, this.#begin);
  }

  /** To the first entry, at or behind `begin` where one was given. */
  *seekToFirst(): Io<void> {
    while (this.tryRefill(1) === -1) yield* this.load();
  }

  tryRefill(_direction: 1 | -1): number {
    this.#takeBack();
    if (this.#current && this.#placed) {
      this.#placed = false;
      if (this.#isValid(this.#current)) return this.#lend(this.#current);
    }
    const outcome = this.#current?.tryRefill(1) ?? 0;
    if (outcome === -1) return -1;
    if (outcome === 1 && this.#current) return this.#lend(this.#current);
    this.#closeCurrent();
    return this.#tables.length > 0 ? -1 : 0;
  }

  *load(): Io<void> {
    if (this.#current) {
      yield* this.#current.load();
      return;
    }
    const table = this.#tables[0];
    if (!table) return;
    this.#current = table.reader.newIterator({ sequentialReadSize: this.#readSize });
    if (this.#begin === 0) yield* this.#current.seekToFirst();
    else yield* this.#current.seek(this.#begin, this.#beginSize);
    this.#placed = true;
  }

  close(): void {
    this.#takeBack();
    this.#closeCurrent();
    for (const table of this.#tables.splice(0)) table.release();
    this.#kernel.free(this.#begin);
    this.#kernel.free(this.cursor);
  }

  #closeCurrent(): void {
    if (!this.#current) return;
    this.#current.close();
    this.#current = undefined;
    this.#tables.shift()?.release();
  }

  #isValid(table: TableIterator): boolean {
    return this.#kernel.u32[(table.cursor + CursorField.valid) >>> 2] !== 0;
  }

  /** Moves the struct from the table's iterator to the run's cursor, which keeps its place in the merge. */
  #lend(table: TableIterator): 1 {
    const tagAt = (this.cursor + CursorField.tag) >>> 2;
    const tag = this.#kernel.u32[tagAt]!;
    this.#copyCursor(table.cursor, this.cursor);
    this.#kernel.u32[tagAt] = tag;
    this.#lent = true;
    return 1;
  }

  #takeBack(): void {
    if (this.#lent && this.#current) this.#copyCursor(this.cursor, this.#current.cursor);
    this.#lent = false;
    this.#kernel.u32[(this.cursor + CursorField.valid) >>> 2] = 0;
    this.#kernel.u32[(this.cursor + CursorField.error) >>> 2] = 0;
  }

  #copyCursor(from: number, to: number): void {
    this.#kernel.u8.copyWithin(to, from, from + BLOCK_CURSOR_SIZE);
  }
}
