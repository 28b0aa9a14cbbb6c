/**
 * A sorted run of real blocks, one after the other, of which only the current one exists: at each refill the block before
 * is overwritten and freed, as if it had been evicted from a cache at once.
 */
import type { CursorSource } from '../../../../format/base/cursor-source.ts';
import { type Io, noIo } from '../../../../format/base/io.ts';
import { BlockBuilderField, BlockFlags } from '../../../../format/kernel/abi/block.ts';
import { CursorField } from '../../../../format/kernel/abi/merge.ts';
import type { Kernel } from '../../../../format/kernel/kernel.ts';
import { Scratch } from './random-entries.ts';
import type { Entry } from './sorted-entries.ts';

/** A run of bytewise order that can be walked from either end. */
export class BlockRun implements CursorSource {
  readonly cursor: number;
  readonly refillable = true;
  readonly #kernel: Kernel;
  readonly #blocks: Uint8Array[] = [];
  #index = 0;
  #block = 0;

  constructor(kernel: Kernel, entries: readonly Entry[], blockEntries: number) {
    this.#kernel = kernel;
    this.cursor = kernel.x.blockCursorCreate() >>> 0;
    for (let i = 0; i < entries.length; i += blockEntries) {
      this.#blocks.push(encodeBlock(kernel, entries.slice(i, i + blockEntries)));
    }
  }

  #drop(): void {
    if (this.#block === 0) return;
    this.#kernel.u8.fill(0xdd, this.#block, this.#block + this.#kernel.x.allocationSize(this.#block));
    this.#kernel.free(this.#block);
    this.#block = 0;
  }

  /** Puts the cursor on the first or last entry of block `index`, if there is one. */
  #open(index: number, direction: 1 | -1): number {
    this.#index = index;
    const bytes = this.#blocks[index];
    if (bytes === undefined) return 0;
    this.#drop();
    const { x } = this.#kernel;
    this.#block = this.#kernel.malloc(bytes.length + 16);
    this.#kernel.u8.set(bytes, this.#block);
    const flags = BlockFlags.internalKeys | BlockFlags.dataBlock;
    x.blockCursorInit(this.cursor, this.#block, bytes.length, flags, 0, 0);
    if (direction === 1) x.blockCursorSeekToFirst(this.cursor);
    else x.blockCursorSeekToLast(this.cursor);
    return this.#kernel.u32[(this.cursor + CursorField.valid) >>> 2]!;
  }

  seekToFirst(): Io<void> {
    this.#open(0, 1);
    return noIo();
  }

  seekToLast(): Io<void> {
    this.#open(this.#blocks.length - 1, -1);
    return noIo();
  }

  seek(): Io<void> {
    throw new Error('a block run is walked from its ends only');
  }

  seekForPrev(): Io<void> {
    throw new Error('a block run is walked from its ends only');
  }

  tryRefill(direction: 1 | -1): number {
    return this.#open(this.#index + direction, direction);
  }

  load(): Io<void> {
    return noIo();
  }

  close(): void {
    this.#drop();
    this.#kernel.x.blockCursorDestroy(this.cursor);
  }
}

function encodeBlock(kernel: Kernel, entries: readonly Entry[]): Uint8Array {
  const { x, u32 } = kernel;
  const scratch = new Scratch(kernel);
  const builder = x.blockBuilderCreate(16, 0, 0, 4096) >>> 0;
  for (const { key, value } of entries) {
    x.blockBuilderAdd(builder, scratch.put(key), key.length, scratch.put(value, 4096), value.length);
  }
  const size = x.blockBuilderFinish(builder);
  const bytes = kernel.bytes(u32[(builder + BlockBuilderField.buffer) >>> 2]!, size).slice();
  x.blockBuilderDestroy(builder);
  scratch.free();
  return bytes;
}
