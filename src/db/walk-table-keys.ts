/** Reads a table through for its keys alone: what recovery and repair measure files with. */
import type { Io } from '../../format/base/io.ts';
import { CursorField } from '../../format/kernel/abi/merge.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import type { TableReader } from '../../format/sst/table-reader.ts';

const READ_SIZE = 256 * 1024;

/**
 * Calls `visit` with each internal key in order; the view that it gets lives until it returns. `CORRUPTION` when a block
 * is damaged.
 */
export function* walkTableKeys(kernel: Kernel, reader: TableReader, visit: (key: Uint8Array) => void): Io<void> {
  const iterator = reader.newIterator({ sequentialReadSize: READ_SIZE });
  const field = (offset: number): number => kernel.u32[(iterator.cursor + offset) >>> 2]!;
  try {
    yield* iterator.seekToFirst();
    while (field(CursorField.valid) === 1) {
      visit(kernel.bytes(field(CursorField.key), field(CursorField.keySize)));
      kernel.x.cursorNext(iterator.cursor);
      while (field(CursorField.valid) === 0) {
        const status = iterator.tryRefill(1);
        if (status === 0) break;
        if (status < 0) yield* iterator.load();
      }
    }
  } finally {
    iterator.close();
  }
}
