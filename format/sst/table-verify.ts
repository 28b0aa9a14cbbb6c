/** Reads every block of a table and checks its checksum. */
import { corruption } from '../base/db-error.ts';
import type { Io } from '../base/io.ts';
import { BlockCursorField, BlockFlags } from '../kernel/abi/block.ts';
import { getKernel } from '../kernel/kernel.ts';
import { readStoredBlock, verifyBlockChecksum } from './block-fetch.ts';
import type { BlockHandle } from './block-handle.ts';
import { type IndexCursor, IndexStatus } from './index-cursor.ts';
import { CursorHead } from './metadata-block.ts';
import type { TableParts } from './table-open.ts';

/** CORRUPTION at the first block whose checksum is wrong. What opening the table read has been checked then. */
export function* verifyTableChecksums(parts: TableParts, index: IndexCursor, comparator: number): Io<void> {
  const { filter, metaindex, index: top } = parts;
  if (metaindex.filter !== undefined) yield* verifyBlock(parts, metaindex.filter.handle);
  const indexHandle = parts.footer.index ?? metaindex.index;
  if (indexHandle !== undefined) yield* verifyBlock(parts, indexHandle);
  for (const handle of [metaindex.rangeDeletions, metaindex.compressionDictionary]) {
    if (handle !== undefined) yield* verifyBlock(parts, handle);
  }
  if (filter?.partitioned === true) yield* verifyPartitions(parts, filter.block, filter.size, comparator);
  if (top.partitioned) yield* verifyPartitions(parts, top.block, top.size, comparator);
  for (let status = index.seekToFirst(); status !== IndexStatus.end; ) {
    if (status === IndexStatus.pending) {
      status = yield* index.load();
      continue;
    }
    yield* verifyBlock(parts, { offset: index.handleOffset, size: index.handleSize });
    status = index.next();
  }
}

function* verifyBlock(parts: TableParts, handle: BlockHandle): Io<void> {
  const block = yield* readStoredBlock(parts.source, handle);
  try {
    verifyBlockChecksum(parts.source, handle, block);
  } finally {
    getKernel().x.blockRelease(block);
  }
}

/** Checks all blocks that a top-level block of handles leads to. */
function* verifyPartitions(parts: TableParts, block: number, size: number, comparator: number): Io<void> {
  const { x, u32, f64 } = getKernel();
  const cursor = x.blockCursorCreate() >>> 0;
  if (cursor === 0) throw new RangeError('kernel memory exhausted');
  try {
    x.blockCursorInit(cursor, block, size, parts.index.flags & ~BlockFlags.firstKeys, comparator, 0);
    x.blockCursorSeekToFirst(cursor);
    while (u32[(cursor + CursorHead.valid) >>> 2] !== 0) {
      const offset = f64[(cursor + BlockCursorField.handleOffset) >>> 3]!;
      yield* verifyBlock(parts, { offset, size: f64[(cursor + BlockCursorField.handleSize) >>> 3]! });
      x.blockCursorNext(cursor);
    }
    if (u32[(cursor + CursorHead.error) >>> 2] !== 0) {
      throw corruption(`bad entry in a block of partition handles of ${parts.source.path}`);
    }
  } finally {
    x.blockCursorDestroy(cursor);
  }
}
