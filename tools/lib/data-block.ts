/** The entries of one data block. */
import { corruption } from '../../format/base/db-error.ts';
import { runSync } from '../../format/base/io.ts';
import { BlockFlags } from '../../format/kernel/abi/block.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { fetchBlock } from '../../format/sst/block-fetch.ts';
import type { BlockHandle } from '../../format/sst/block-handle.ts';
import { CursorHead, type MetadataEntry } from '../../format/sst/metadata-block.ts';
import type { OpenTableFile } from './table-file.ts';

/** All entries of the data block at `handle`, with internal keys. CORRUPTION when it is malformed. */
export function readDataBlock(table: OpenTableFile, handle: BlockHandle): MetadataEntry[] {
  const kernel = getKernel();
  const { x, u32 } = kernel;
  const block = runSync(fetchBlock(table.source, handle, table.source.dictionary));
  const cursor = x.blockCursorCreate() >>> 0;
  if (cursor === 0) throw new RangeError('kernel memory exhausted');
  const word = (field: number): number => u32[(cursor + field) >>> 2]!;
  const entries: MetadataEntry[] = [];
  const flags = BlockFlags.internalKeys | BlockFlags.dataBlock;
  try {
    if (x.blockCursorInit(cursor, block, x.blockSize(block) >>> 0, flags, table.comparatorId, 0) !== 0) {
      x.blockCursorSeekToFirst(cursor);
    }
    for (; word(CursorHead.valid) !== 0; x.blockCursorNext(cursor)) {
      entries.push({
        key: kernel.copyOut(word(CursorHead.key), word(CursorHead.keySize)),
        value: kernel.copyOut(word(CursorHead.value), word(CursorHead.valueSize)),
      });
    }
    if (word(CursorHead.error) !== 0) {
      throw corruption(`bad entry in block in ${table.path} offset ${handle.offset}`);
    }
    return entries;
  } finally {
    x.blockCursorDestroy(cursor);
    x.blockRelease(block);
  }
}
