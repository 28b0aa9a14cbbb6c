/** The index of a table as a list: one entry a data block, whether the index has one level or two. */
import { corruption } from '../../format/base/db-error.ts';
import { runSync } from '../../format/base/io.ts';
import { BlockCursorField, BlockFlags } from '../../format/kernel/abi/block.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { fetchBlock } from '../../format/sst/block-fetch.ts';
import type { BlockHandle } from '../../format/sst/block-handle.ts';
import { CursorHead } from '../../format/sst/metadata-block.ts';
import type { OpenTableFile } from './table-file.ts';

/** What the index says of a data block. The keys are owned by whoever has the entry. */
export interface IndexEntry {
  /** A user key or an internal key, as the properties say. */
  readonly key: Uint8Array;
  readonly handle: BlockHandle;
  /** First internal key of the block, in indexes that have it. */
  readonly firstKey: Uint8Array | undefined;
}

/** All entries that lead to data blocks, in order. CORRUPTION when a block of the index is damaged. */
export function readIndexEntries(table: OpenTableFile, indexHandle: BlockHandle): IndexEntry[] {
  if (!table.partitionedIndex) return readIndexBlock(table, indexHandle, table.indexFlags);
  const partitions = readIndexBlock(table, indexHandle, table.indexFlags & ~BlockFlags.firstKeys);
  return partitions.flatMap(({ handle }) => readIndexBlock(table, handle, table.indexFlags));
}

function readIndexBlock(table: OpenTableFile, handle: BlockHandle, flags: number): IndexEntry[] {
  const kernel = getKernel();
  const { x, u32, f64 } = kernel;
  const block = runSync(fetchBlock(table.source, handle));
  const cursor = x.blockCursorCreate() >>> 0;
  if (cursor === 0) throw new RangeError('kernel memory exhausted');
  const word = (field: number): number => u32[(cursor + field) >>> 2]!;
  const entries: IndexEntry[] = [];
  try {
    if (x.blockCursorInit(cursor, block, x.blockSize(block) >>> 0, flags, table.comparatorId, 0) !== 0) {
      x.blockCursorSeekToFirst(cursor);
    }
    for (; word(CursorHead.valid) !== 0; x.blockCursorNext(cursor)) {
      const firstKey = kernel.copyOut(word(BlockCursorField.firstKey), word(BlockCursorField.firstKeySize));
      entries.push({
        key: kernel.copyOut(word(CursorHead.key), word(CursorHead.keySize)),
        handle: {
          offset: f64[(cursor + BlockCursorField.handleOffset) >>> 3]!,
          size: f64[(cursor + BlockCursorField.handleSize) >>> 3]!,
        },
        firstKey: (flags & BlockFlags.firstKeys) !== 0 ? firstKey : undefined,
      });
    }
    if (word(CursorHead.error) !== 0) throw corruption(`bad entry in index block of ${table.path}`);
    return entries;
  } finally {
    x.blockCursorDestroy(cursor);
    x.blockRelease(block);
  }
}
