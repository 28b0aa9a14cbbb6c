/**
 * The iterator of a container in JavaScript as a sorted run of the kernel's merges: a host cursor, whose entries are
 * copied into kernel memory as the merge reaches them.
 */
import { assert } from '../../format/base/assert.ts';
import type { CursorSource } from '../../format/base/cursor-source.ts';
import { TRAILER_SIZE } from '../../format/base/internal-key.ts';
import { type Io, noIo } from '../../format/base/io.ts';
import type { MemTableRepIterator } from '../../format/base/memtable-rep.ts';
import { CURSOR_HEAD_SIZE, CursorField, CursorKind } from '../../format/kernel/abi/merge.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';

const MOVE = { first: 0, last: 1, seek: 2, seekForPrev: 3, next: 4, prev: 5 } as const;

/** A host cursor (kind 3) of the kernel. */
export class RepSource implements CursorSource {
  readonly cursor: number;
  readonly refillable = false;
  readonly #kernel: Kernel;
  readonly #iterator: MemTableRepIterator;
  /** Key then value of the entry the cursor stands on. */
  #buffer = 0;
  #capacity = 0;
  #closed = false;

  /** `iterator` is the source's own from now on. */
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
