/** Places that divide a table into stretches of about the same size, read from its index alone. */
import type { Io } from '../base/io.ts';
import { type IndexCursor, IndexStatus } from './index-cursor.ts';

/** A place in a table: about `bytes` of the file lie between the anchor before and this user key, which follows them. */
export interface KeyAnchor {
  readonly userKey: Uint8Array;
  readonly bytes: number;
}

/** Anchors asked of each table; RocksDB's number. */
const ANCHORS = 128;

/** Index entries between two rests: well below a millisecond. */
const ENTRIES_PER_REST = 4096;

/**
 * About 128 anchors, in key order, the last one behind all data; fewer when the table has fewer blocks. `blockCount`: of
 * data blocks; `rest` lets others run, as a large index takes many milliseconds. The index stays the caller's.
 */
export function* readKeyAnchors(index: IndexCursor, blockCount: number, rest: () => Io<void>): Io<KeyAnchor[]> {
  const blocksPerAnchor = Math.max(1, Math.floor(blockCount / ANCHORS));
  const anchors: KeyAnchor[] = [];
  let seen = 0;
  let begin = 0;
  let status = index.seekToFirst();
  for (;;) {
    while (status === IndexStatus.pending) status = yield* index.load();
    if (status === IndexStatus.end) break;
    seen++;
    if (seen % blocksPerAnchor === 0 || seen === blockCount) {
      const end = index.handleOffset + index.handleSize;
      anchors.push({ userKey: index.userKey, bytes: end - begin });
      begin = end;
    }
    if (seen % ENTRIES_PER_REST === 0) yield* rest();
    status = index.next();
  }
  return anchors;
}
