/**
 * The point lookup in a cached data block that is borrowed for it: under the lock of its shard, without a pin. A value of
 * ordinary size is copied into a buffer of the thread, so that the block is done with; a block with a larger one is pinned.
 *
 * A block that is asked for a second time gets a directory. Only for bytewise order: no host function runs under the lock.
 */
import {
  borrowedBytes,
  borrowedDirectory,
  borrowedKeepDirectory,
  borrowedPin,
  borrowedSetDirectory,
  cacheBorrow,
  cacheReturn,
} from './block-cache';
import { directoryGet, directorySize, makeDirectory, NO_DIRECTORY } from './block-directory';
import { blockGet, trailerGlobal, trailerMask, trailerMax } from './block-get';
import {
  GET_ABSENT,
  GET_BLOCK_ENDED,
  GET_FOUND,
  GET_NEED_BLOCK,
  GET_UNDECIDED,
  R_BLOCK,
  R_VALUE,
  R_VALUE_SIZE,
} from './block-get-result';
import { copyExact } from './bytes';
import { COMPARATOR_BYTEWISE } from './compare';
import { free, malloc } from './memory';
import { PLACE_OFFSET, PLACE_SHORTCUT } from './restart-prefixes';

/** Longer values are read where they lie. */
const VALUE_COPY_MAX: u32 = 1024;

/** Where values are copied to; of this thread. */
let values: usize = 0;

/** An outcome of `blockGet` for the block at a place of the index, or `GET_NEED_BLOCK`: it is not in the cache. */
export function borrowedGet(
  cache: usize,
  tableId: u32,
  place: usize,
  flags: u32,
  globalSequence: f64,
  userKey: usize,
  userKeySize: u32,
  sequence: f64,
  result: usize,
): i32 {
  const block = cacheBorrow(cache, tableId, load<u32>(place, PLACE_OFFSET), place + PLACE_SHORTCUT);
  if (block == 0) return GET_NEED_BLOCK;
  const size = borrowedBytes;
  let directory = borrowedDirectory;
  if (directory == 0) directory = addDirectory(block, size, flags, place + PLACE_SHORTCUT);
  let status = GET_UNDECIDED;
  if (directory != NO_DIRECTORY) {
    const mask = trailerMask(flags);
    const global = trailerGlobal(flags, globalSequence);
    const newest = trailerMax(sequence);
    status = directoryGet(directory, block, size, mask, global, userKey, userKeySize, newest, result);
  }
  if (status == GET_UNDECIDED) {
    status = blockGet(
      block, size, flags, COMPARATOR_BYTEWISE, globalSequence, userKey, userKeySize, sequence, result,
    );
  }
  if (status == GET_FOUND) takeValue(block, result);
  cacheReturn();
  return status == GET_BLOCK_ENDED ? GET_ABSENT : status;
}

function addDirectory(block: usize, size: u32, flags: u32, shortcut: usize): usize {
  let directory = makeDirectory(block, size, flags);
  if (directory != NO_DIRECTORY && !borrowedKeepDirectory(block, directory, directorySize(directory), shortcut)) {
    free(directory);
    directory = NO_DIRECTORY;
  }
  borrowedSetDirectory(block, directory);
  return directory;
}

/** Makes the result outlive the loan. */
// @ts-ignore: decorator
@inline
function takeValue(block: usize, result: usize): void {
  const size = load<u32>(result, R_VALUE_SIZE);
  if (size > VALUE_COPY_MAX) {
    borrowedPin(block);
    store<u32>(result, <u32>block, R_BLOCK);
    return;
  }
  if (values == 0) {
    values = malloc(VALUE_COPY_MAX);
    if (values == 0) unreachable();
  }
  copyExact(values, load<u32>(result, R_VALUE), size);
  store<u32>(result, <u32>values, R_VALUE);
  store<u32>(result, 0, R_BLOCK);
}
