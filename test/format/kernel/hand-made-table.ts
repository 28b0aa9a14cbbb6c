/** Tables laid out by hand for the kernel's point lookup, and a plain search to compare it with. */
import { expect } from 'vitest';
import { equalBytes, sequenceOf, typeOf, userKeyOf } from '../../../format/base/internal-key.ts';
import { BlockFlags, GET_RESULT_SIZE, GetResultField } from '../../../format/kernel/abi/block.ts';
import { TABLE_STATS_SIZE, TableField } from '../../../format/kernel/abi/block-cache.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { hex } from '../../support/bytes.ts';
import type { Random } from '../../support/random.ts';
import type { Scratch } from './block-fixture.ts';
import { type Entry, encodeBlock, encodeIndex, type IndexEntry } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;

/** How a table is laid out. */
export interface TableShape {
  comparator: number;
  /** Separators are internal keys, so that one user key may lie in several blocks. */
  internal: boolean;
  delta: boolean;
  firstKeys: boolean;
  cached: boolean;
  /** Entries a restart point of the index has; default 2. */
  indexInterval?: number;
  /** Bytes of the cache; default 1 MiB. */
  cacheCapacity?: number;
}

/** One entry a restart point, so that the index has places for shortcuts and directories. */
export const DENSE: TableShape = {
  comparator: 0,
  internal: false,
  delta: true,
  firstKeys: false,
  cached: true,
  indexInterval: 1,
};

/** Entries in blocks of `size` entries each. */
export function inBlocksOf(entries: readonly Entry[], size: number): Entry[][] {
  return Array.from({ length: Math.ceil(entries.length / size) }, (_, i) => entries.slice(i * size, (i + 1) * size));
}

/** A table in memory whose blocks are loaded when the kernel asks for them. */
export class HandMadeTable {
  readonly struct = x.tableCreate() >>> 0;
  readonly stats: number;
  readonly result: number;
  readonly cache: number;
  readonly #scratch: Scratch;
  readonly blocks = new Map<number, Uint8Array>();
  loads = 0;

  /** What `scratch` gives lives until it is cleared. */
  constructor(scratch: Scratch, groups: readonly Entry[][], shape: TableShape, filter?: Uint8Array) {
    this.#scratch = scratch;
    this.stats = scratch.room(TABLE_STATS_SIZE);
    this.result = scratch.room(GET_RESULT_SIZE);
    this.cache = shape.cached ? x.cacheCreate(shape.cacheCapacity ?? 1 << 20, 0, 1, 0) >>> 0 : 0;
    kernel.u8.fill(0, this.stats, this.stats + TABLE_STATS_SIZE);
    let offset = 0;
    const index = groups.map((group): IndexEntry => {
      const bytes = encodeBlock(group, { restartInterval: 4, utilRatio: 0.75 });
      this.blocks.set(offset, bytes);
      const last = group.at(-1)!.key;
      const entry: IndexEntry = { key: shape.internal ? last : userKeyOf(last), offset, size: bytes.length };
      if (shape.firstKeys) entry.firstKey = group[0]!.key;
      offset += bytes.length + 5;
      return entry;
    });
    const indexBytes = encodeIndex(index, shape.indexInterval ?? 2, shape.delta);
    let indexFlags = BlockFlags.handles | (shape.internal ? BlockFlags.internalKeys : BlockFlags.userKeys);
    if (shape.delta) indexFlags |= BlockFlags.deltaValues;
    if (shape.firstKeys) indexFlags |= BlockFlags.firstKeys;
    this.set(TableField.tableId, 1);
    this.set(TableField.filter, filter === undefined ? 0 : scratch.put(filter));
    this.set(TableField.filterSize, filter?.length ?? 0);
    this.set(TableField.wholeKeyFiltering, 1);
    this.set(TableField.index, scratch.put(indexBytes));
    this.set(TableField.indexSize, indexBytes.length);
    this.set(TableField.indexFlags, indexFlags);
    this.set(TableField.dataFlags, BlockFlags.internalKeys | BlockFlags.dataBlock);
    this.set(TableField.comparator, shape.comparator);
    this.set(TableField.stats, this.stats);
    expect(x.tablePrepare(this.struct)).toBe(1);
  }

  set(field: number, value: number): void {
    kernel.u32[(this.struct + field) >>> 2] = value;
  }

  stat(field: number): number {
    return kernel.f64[(this.stats + field) >>> 3]!;
  }

  /** As a reader does it: asks, loads what is missing, asks again. */
  get(userKey: Uint8Array, sequence: number): string {
    const key = this.#scratch.put(userKey);
    let loaded = 0;
    for (let attempt = 0; attempt < 50; attempt++) {
      const status = x.tableGet(this.struct, this.cache, key, userKey.length, sequence, loaded, this.result);
      if (loaded !== 0) x.blockRelease(loaded);
      loaded = 0;
      if (status === 0) return 'absent';
      if (status === 1) return this.takeResult();
      if (status === -1) return 'corrupt';
      loaded = this.load(kernel.f64[(this.result + GetResultField.handleOffset) >>> 3]!);
    }
    return 'endless';
  }

  load(offset: number): number {
    this.loads++;
    const bytes = this.blocks.get(offset)!;
    expect(kernel.f64[(this.result + GetResultField.handleSize) >>> 3]).toBe(bytes.length);
    const block = x.blockAlloc(bytes.length + 5) >>> 0;
    kernel.u8.set(bytes, block);
    if (this.cache !== 0) return x.cacheInsert(this.cache, 1, offset, block, bytes.length) >>> 0;
    x.blockSetSize(block, bytes.length);
    return block;
  }

  takeResult(): string {
    const field = (offset: number): number => kernel.u32[(this.result + offset) >>> 2]!;
    const value = field(GetResultField.value);
    const bytes = kernel.u8.slice(value, value + field(GetResultField.valueSize));
    const block = field(GetResultField.block);
    if (block !== 0) x.blockRelease(block);
    const sequence = kernel.f64[(this.result + GetResultField.sequence) >>> 3]!;
    return `${field(GetResultField.type)}@${sequence} ${hex(bytes)}`;
  }

  close(): void {
    x.tableDestroy(this.struct);
    x.cacheFree(this.cache);
  }
}

/** What a lookup must say. */
export function plainGet(entries: readonly Entry[], userKey: Uint8Array, sequence: number): string {
  const entry = entries.find((e) => equalBytes(userKeyOf(e.key), userKey) && sequenceOf(e.key) <= sequence);
  return entry === undefined ? 'absent' : `${typeOf(entry.key)}@${sequenceOf(entry.key)} ${hex(entry.value)}`;
}

/** Cuts entries into blocks, between user keys only unless `anywhere`. */
export function cut(random: Random, entries: readonly Entry[], anywhere: boolean): Entry[][] {
  const groups: Entry[][] = [];
  let size = 0;
  for (const entry of entries) {
    const previous = groups.at(-1)?.at(-1);
    const same = previous !== undefined && equalBytes(userKeyOf(previous.key), userKeyOf(entry.key));
    if (previous === undefined || (groups.at(-1)!.length >= size && (anywhere || !same))) {
      groups.push([]);
      size = random.between(1, 12);
    }
    groups.at(-1)!.push(entry);
  }
  return groups;
}
