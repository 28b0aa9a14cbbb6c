/**
 * Small blocks read and written whole: metaindex, properties, range tombstones. Their few entries become JavaScript
 * values; data and index blocks never do.
 */
import { corruption } from '../base/db-error.ts';
import { BlockBuilderField } from '../kernel/abi/block.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';

/** One entry; the bytes are owned by whoever has it. */
export interface MetadataEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Offsets in the head that all cursors share (`format/kernel/README.md`). */
export const CursorHead = { valid: 4, key: 8, keySize: 12, value: 16, valueSize: 20, error: 24 } as const;

/** All entries of the block at kernel address `block`, copied out. CORRUPTION, naming `what`, when it is malformed. */
export function readMetadataBlock(block: number, size: number, what: string): MetadataEntry[] {
  const kernel = getKernel();
  const cursor = kernel.x.blockCursorCreate() >>> 0;
  if (cursor === 0) throw new RangeError('kernel memory exhausted');
  try {
    const entries: MetadataEntry[] = [];
    const word = (field: number) => kernel.u32[(cursor + field) >>> 2]!;
    if (kernel.x.blockCursorInit(cursor, block, size, 0, 0, 0) !== 0) {
      kernel.x.blockCursorSeekToFirst(cursor);
      while (word(CursorHead.valid) !== 0) {
        entries.push({
          key: kernel.copyOut(word(CursorHead.key), word(CursorHead.keySize)),
          value: kernel.copyOut(word(CursorHead.value), word(CursorHead.valueSize)),
        });
        kernel.x.blockCursorNext(cursor);
      }
    }
    if (word(CursorHead.error) !== 0) throw corruption(`bad entry in block: ${what}`);
    return entries;
  } finally {
    kernel.x.blockCursorDestroy(cursor);
  }
}

/** A block builder of the kernel that takes keys and values from JavaScript. */
export class MetadataBlockBuilder {
  readonly #kernel: Kernel = getKernel();
  readonly #builder: number;
  #scratch = 0;
  #scratchSize = 0;

  /** `flags`: `BlockBuilderFlags`. */
  constructor(restartInterval: number, flags = 0) {
    this.#builder = this.#kernel.x.blockBuilderCreate(restartInterval, flags, 1, 4096) >>> 0;
    if (this.#builder === 0) throw new RangeError('kernel memory exhausted');
  }

  /** Adds an entry behind all others. */
  add(key: Uint8Array, value: Uint8Array): void {
    const at = this.#place(key, value);
    if (this.#kernel.x.blockBuilderAdd(this.#builder, at, key.length, at + key.length, value.length) === 0) {
      throw new RangeError('kernel memory exhausted');
    }
  }

  /** Adds an index entry: a key and the handle of the block below it, and that block's first key if the index has them. */
  addHandle(key: Uint8Array, offset: number, size: number, firstKey?: Uint8Array): void {
    const at = this.#place(key, firstKey);
    const firstAt = firstKey === undefined ? 0 : at + key.length;
    const { x } = this.#kernel;
    if (x.blockBuilderAddHandle(this.#builder, at, key.length, offset, size, firstAt, firstKey?.length ?? 0) === 0) {
      throw new RangeError('kernel memory exhausted');
    }
  }

  /** Completes the block; its address and size stay good until `destroy` or `reset`, with 5 spare bytes behind it. */
  finish(): { at: number; size: number } {
    const size = this.#kernel.x.blockBuilderFinish(this.#builder) >>> 0;
    if (size === 0) throw new RangeError('kernel memory exhausted');
    return { at: this.#kernel.u32[(this.#builder + BlockBuilderField.buffer) >>> 2]!, size };
  }

  /** Empties it for another block. */
  reset(): void {
    this.#kernel.x.blockBuilderReset(this.#builder);
  }

  destroy(): void {
    this.#kernel.free(this.#scratch);
    this.#kernel.x.blockBuilderDestroy(this.#builder);
  }

  #place(key: Uint8Array, rest: Uint8Array | undefined): number {
    const needed = key.length + (rest?.length ?? 0);
    if (needed > this.#scratchSize || this.#scratch === 0) {
      this.#kernel.free(this.#scratch);
      this.#scratchSize = Math.max(256, needed * 2);
      this.#scratch = this.#kernel.malloc(this.#scratchSize);
    }
    this.#kernel.copyIn(key, this.#scratch);
    if (rest !== undefined) this.#kernel.copyIn(rest, this.#scratch + key.length);
    return this.#scratch;
  }
}
