/**
 * What a reader sees of a merge: of each user key the newest version that its snapshot shows, unless that is a deletion
 * or lies below a range tombstone. Rows are produced in chunks, so that crossing to JavaScript is paid once a chunk.
 *
 * Forward, a user key's versions come newest first: the first visible one decides, the rest are skipped by comparing
 * with the saved user key. Backward they come oldest first: the newest visible one so far is the candidate, and decides
 * when the user key changes.
 *
 * A row is { key u32, keySize u32, value u32, valueSize u32 }. Keys are copied into the iterator's slab; values too
 * when `copyValues` is set or their cursor cannot promise them, else they stay where they lie and the owner keeps the
 * blocks pinned until the rows are used. A merge operand is not resolved here: its row has value 0, and the owner reads
 * that key on its own.
 */
import { copyExact } from './bytes';
import { COMPARATOR_REVERSE, compareUser, equalBytes, TRAILER_SIZE } from './compare';
import { C_KEY, C_KEY_SIZE, C_KIND, C_VALUE, C_VALUE_SIZE, KIND_HOST } from './cursor-head';
import { free, malloc, SLACK } from './memory';
import {
  MERGE_CORRUPT,
  MERGE_END,
  MERGE_ENTRY,
  MERGE_NEED_REFILL,
  mergeComparator,
  mergeCorruptChild,
  mergeNeed,
  mergeNext,
  mergePrev,
  mergeTop,
} from './merge';

const READ_MORE: i32 = 0;
const READ_END: i32 = 1;
const READ_MERGE: i32 = 4;
const READ_UNSUPPORTED: i32 = 5;
const READ_OUT_OF_MEMORY: i32 = 6;
/** Inside this file: go on. */
const GO_ON: i32 = -1;

const TYPE_DELETION: u32 = 0x00;
const TYPE_VALUE: u32 = 0x01;
const TYPE_MERGE: u32 = 0x02;
const TYPE_SINGLE_DELETION: u32 = 0x07;

const I_ROWS: usize = 0;
const I_ROW_COUNT: usize = 4;
const I_TYPE: usize = 8; // the type that was not supported
const I_MERGE: usize = 12;
const I_COMPARATOR: usize = 16;
const I_ROW_CAPACITY: usize = 20;
const I_SNAPSHOT: usize = 24; // u64
const I_LOWER: usize = 32; // 0: no bound
const I_LOWER_SIZE: usize = 36;
const I_UPPER: usize = 40;
const I_UPPER_SIZE: usize = 44;
const I_TOMBSTONES: usize = 48;
const I_TOMBSTONE_COUNT: usize = 52;
const I_TOMBSTONE_AT: usize = 56; // first fragment that ends behind the last key asked about; -1: not known
const I_COPY_VALUES: usize = 60;
const I_SLAB: usize = 64;
const I_SLAB_SIZE: usize = 68;
const I_SLAB_USED: usize = 72;
const I_BYTES: usize = 76; // of keys and values of the rows
const I_SAVED: usize = 80; // user key whose versions are being passed, in the slab or the saved buffer; 0: none
const I_SAVED_SIZE: usize = 84;
const I_SAVED_BUFFER: usize = 88; // { address, size }
const I_CANDIDATE: usize = 96; // backward: 1 when there is a visible version of the saved key
const I_CANDIDATE_TYPE: usize = 100;
const I_CANDIDATE_SEQUENCE: usize = 104; // u64
const I_CANDIDATE_VALUE: usize = 112;
const I_CANDIDATE_VALUE_SIZE: usize = 116;
const I_CANDIDATE_BUFFER: usize = 120; // { address, size }
const ITERATOR_SIZE: u32 = 128;

const ROW_SIZE: u32 = 16;
const TOMBSTONE_SIZE: u32 = 24;
const SEQUENCE_LIMIT: f64 = 72057594037927936; // 2^56

/** An iterator over a merge for up to `rowCapacity` rows a chunk; 0 when memory is exhausted. The merge is borrowed. */
export function readIteratorCreate(
  merge: usize,
  snapshot: f64,
  rowCapacity: u32,
  slabSize: u32,
  copyValues: u32,
): usize {
  const it = malloc(ITERATOR_SIZE);
  const rows = malloc(rowCapacity * ROW_SIZE);
  const slab = malloc(slabSize + <u32>SLACK);
  if (it == 0 || rows == 0 || slab == 0) {
    free(it);
    free(rows);
    free(slab);
    return 0;
  }
  memory.fill(it, 0, ITERATOR_SIZE);
  store<u32>(it, <u32>rows, I_ROWS);
  store<u32>(it, <u32>merge, I_MERGE);
  store<u32>(it, mergeComparator(merge), I_COMPARATOR);
  store<u32>(it, rowCapacity, I_ROW_CAPACITY);
  store<u32>(it, <u32>slab, I_SLAB);
  store<u32>(it, slabSize, I_SLAB_SIZE);
  store<u32>(it, copyValues, I_COPY_VALUES);
  store<i32>(it, -1, I_TOMBSTONE_AT);
  readIteratorSetSnapshot(it, snapshot);
  return it;
}

/** Frees the iterator and its rows, not the merge. */
export function readIteratorFree(it: usize): void {
  free(load<u32>(it, I_ROWS));
  free(load<u32>(it, I_SLAB));
  free(load<u32>(it, I_SAVED_BUFFER));
  free(load<u32>(it, I_CANDIDATE_BUFFER));
  free(it);
}

/** Entries with a sequence above are not seen. */
export function readIteratorSetSnapshot(it: usize, snapshot: f64): void {
  store<u64>(it, snapshot < SEQUENCE_LIMIT ? <u64>snapshot : <u64>SEQUENCE_LIMIT, I_SNAPSHOT);
}

/** User-key bounds, borrowed: lower inclusive, upper exclusive; address 0 for none. */
export function readIteratorSetBounds(it: usize, lower: usize, lowerSize: u32, upper: usize, upperSize: u32): void {
  store<u32>(it, <u32>lower, I_LOWER);
  store<u32>(it, lowerSize, I_LOWER_SIZE);
  store<u32>(it, <u32>upper, I_UPPER);
  store<u32>(it, upperSize, I_UPPER_SIZE);
}

/** Range tombstones as the snapshot sees them, borrowed: sorted fragments that do not overlap. */
export function readIteratorSetTombstones(it: usize, rows: usize, count: u32): void {
  store<u32>(it, <u32>rows, I_TOMBSTONES);
  store<u32>(it, count, I_TOMBSTONE_COUNT);
  store<i32>(it, -1, I_TOMBSTONE_AT);
}

/**
 * Begins a new chunk: the rows so far are forgotten. A saved key may go on lying in the slab: only a new row overwrites
 * it, and the new row's key is then the saved one.
 */
export function readIteratorClear(it: usize): void {
  store<u32>(it, 0, I_ROW_COUNT);
  store<u32>(it, 0, I_SLAB_USED);
  store<u32>(it, 0, I_BYTES);
}

/** Forgets everything about the position; called after the merge was positioned anew. */
export function readIteratorReset(it: usize): void {
  store<u32>(it, 0, I_SAVED);
  store<u32>(it, 0, I_CANDIDATE);
  store<i32>(it, -1, I_TOMBSTONE_AT);
  readIteratorClear(it);
}

/**
 * Copies bytes into the buffer whose { address, size } stand at `slot`, growing it. Returns its address, 0: no
 * memory.
 */
function keep(slot: usize, from: usize, size: u32): usize {
  let buffer: usize = load<u32>(slot);
  if (buffer == 0 || load<u32>(slot, 4) < size) {
    const grown = max<u32>(size, 64) + (size >> 1);
    const fresh = malloc(grown);
    if (fresh == 0) return 0;
    copyExact(fresh, from, size);
    free(buffer);
    store<u32>(slot, <u32>fresh);
    store<u32>(slot, grown, 4);
    return fresh;
  }
  copyExact(buffer, from, size);
  return buffer;
}

function saveKey(it: usize, key: usize, size: u32): bool {
  const at = keep(it + I_SAVED_BUFFER, key, size);
  store<u32>(it, <u32>at, I_SAVED);
  store<u32>(it, size, I_SAVED_SIZE);
  return at != 0;
}

// @ts-ignore: decorator
@inline
function isSaved(it: usize, comparator: u32, key: usize, size: u32): bool {
  const saved: usize = load<u32>(it, I_SAVED);
  if (saved == 0) return false;
  const savedSize = load<u32>(it, I_SAVED_SIZE);
  if (comparator > COMPARATOR_REVERSE) return compareUser(comparator, saved, savedSize, key, size) == 0;
  return equalBytes(saved, savedSize, key, size);
}

// @ts-ignore: decorator
@inline
function tombstone(it: usize, index: u32): usize {
  return load<u32>(it, I_TOMBSTONES) + index * TOMBSTONE_SIZE;
}

function endsBehind(it: usize, index: u32, key: usize, size: u32): bool {
  const row = tombstone(it, index);
  return compareUser(load<u32>(it, I_COMPARATOR), load<u32>(row, 8), load<u32>(row, 12), key, size) > 0;
}

/** The first fragment that ends behind the key. Keys come in order, so it is near the last one. */
function locateTombstone(it: usize, key: usize, size: u32, forward: bool): u32 {
  const count = load<u32>(it, I_TOMBSTONE_COUNT);
  const last = load<i32>(it, I_TOMBSTONE_AT);
  let at: u32 = 0;
  if (last >= 0) {
    at = last;
    if (forward) while (at < count && !endsBehind(it, at, key, size)) at++;
    else while (at > 0 && endsBehind(it, at - 1, key, size)) at--;
  } else {
    let high = count;
    while (at < high) {
      const middle = (at + high) >> 1;
      if (endsBehind(it, middle, key, size)) high = middle;
      else at = middle + 1;
    }
  }
  store<u32>(it, at, I_TOMBSTONE_AT);
  return at;
}

/** Whether a range tombstone hides the entry. */
function covered(it: usize, key: usize, size: u32, sequence: u64, forward: bool): bool {
  const count = load<u32>(it, I_TOMBSTONE_COUNT);
  if (count == 0) return false;
  const at = locateTombstone(it, key, size, forward);
  if (at == count) return false;
  const row = tombstone(it, at);
  if (<f64>sequence >= load<f64>(row, 16)) return false;
  return compareUser(load<u32>(it, I_COMPARATOR), load<u32>(row), load<u32>(row, 4), key, size) <= 0;
}

/** Room for `size` bytes in the slab; 0: the chunk is full or, when it has no rows yet, memory is exhausted. */
function slabRoom(it: usize, size: u32): usize {
  const used = load<u32>(it, I_SLAB_USED);
  const slabSize = load<u32>(it, I_SLAB_SIZE);
  if (size <= slabSize - used) {
    store<u32>(it, used + size, I_SLAB_USED);
    return load<u32>(it, I_SLAB) + used;
  }
  // Rows may not move; only a chunk without any can have a new slab.
  if (load<u32>(it, I_ROW_COUNT) != 0) return 0;
  const slab = malloc(size + <u32>SLACK);
  if (slab == 0) return 0;
  free(load<u32>(it, I_SLAB));
  store<u32>(it, <u32>slab, I_SLAB);
  store<u32>(it, size, I_SLAB_SIZE);
  store<u32>(it, size, I_SLAB_USED);
  return slab;
}

/** What an absent `slabRoom` means. */
// @ts-ignore: decorator
@inline
function noRoom(it: usize): i32 {
  return load<u32>(it, I_ROW_COUNT) != 0 ? READ_MORE : READ_OUT_OF_MEMORY;
}

/** Appends a row. Returns the address of the key's copy, or 0 when there was no room. */
function addRow(it: usize, key: usize, keySize: u32, value: usize, valueSize: u32, copyValue: bool): usize {
  const room = slabRoom(it, copyValue ? keySize + valueSize : keySize);
  if (room == 0) return 0;
  const count = load<u32>(it, I_ROW_COUNT);
  const row: usize = load<u32>(it, I_ROWS) + count * ROW_SIZE;
  copyExact(room, key, keySize);
  if (copyValue) copyExact(room + keySize, value, valueSize);
  store<u32>(row, <u32>room);
  store<u32>(row, keySize, 4);
  store<u32>(row, copyValue ? <u32>room + keySize : <u32>value, 8);
  store<u32>(row, valueSize, 12);
  store<u32>(it, count + 1, I_ROW_COUNT);
  store<u32>(it, load<u32>(it, I_BYTES) + keySize + valueSize, I_BYTES);
  return room;
}

// @ts-ignore: decorator
@inline
function isFull(it: usize, maxRows: u32, maxBytes: u32): bool {
  const count = load<u32>(it, I_ROW_COUNT);
  return count >= maxRows || (count != 0 && load<u32>(it, I_BYTES) >= maxBytes);
}

/** Decides a user key by its newest visible version, the cursor's entry. GO_ON, or the status to stop with. */
function acceptForward(it: usize, cursor: usize, key: usize, userSize: u32, trailer: u64): i32 {
  const type = <u32>(trailer & 0xff);
  if (type == TYPE_VALUE || type == TYPE_MERGE) {
    if (!covered(it, key, userSize, trailer >> 8, true)) {
      const isValue = type == TYPE_VALUE;
      const copyValue = isValue && (load<u32>(it, I_COPY_VALUES) != 0 || load<u32>(cursor, C_KIND) == KIND_HOST);
      const value: usize = isValue ? <usize>load<u32>(cursor, C_VALUE) : 0;
      const valueSize = isValue ? load<u32>(cursor, C_VALUE_SIZE) : 0;
      const copy = addRow(it, key, userSize, value, valueSize, copyValue);
      if (copy == 0) return noRoom(it);
      store<u32>(it, <u32>copy, I_SAVED);
      store<u32>(it, userSize, I_SAVED_SIZE);
      return isValue ? GO_ON : READ_MERGE;
    }
  } else if (type != TYPE_DELETION && type != TYPE_SINGLE_DELETION) {
    store<u32>(it, type, I_TYPE);
    return READ_UNSUPPORTED;
  }
  return saveKey(it, key, userSize) ? GO_ON : READ_OUT_OF_MEMORY;
}

/** The status when the merge shows no entry. */
function stopStatus(merge: usize): i32 {
  if (mergeNeed(merge) >= 0) return MERGE_NEED_REFILL;
  return mergeCorruptChild(merge) >= 0 ? MERGE_CORRUPT : MERGE_END;
}

/** Appends rows going forward; `abi/read-iterator.ts` says what the result means. */
export function readForward(it: usize, maxRows: u32, maxBytes: u32): i32 {
  const merge: usize = load<u32>(it, I_MERGE);
  const comparator = load<u32>(it, I_COMPARATOR);
  const snapshot = load<u64>(it, I_SNAPSHOT);
  const upper: usize = load<u32>(it, I_UPPER);
  const upperSize = load<u32>(it, I_UPPER_SIZE);
  const rowsMax = min(maxRows, load<u32>(it, I_ROW_CAPACITY));
  let status = MERGE_ENTRY;
  while (status == MERGE_ENTRY) {
    const cursor = mergeTop(merge);
    if (cursor == 0) return stopStatus(merge);
    const key: usize = load<u32>(cursor, C_KEY);
    const userSize = load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE;
    const trailer = load<u64>(key + userSize);
    if (trailer >> 8 <= snapshot && !isSaved(it, comparator, key, userSize)) {
      if (upper != 0 && compareUser(comparator, key, userSize, upper, upperSize) >= 0) return READ_END;
      if (isFull(it, rowsMax, maxBytes)) return READ_MORE;
      const outcome = acceptForward(it, cursor, key, userSize, trailer);
      if (outcome != GO_ON) return outcome;
    }
    status = mergeNext(merge);
  }
  return status;
}

/** Makes the cursor's entry the candidate of the saved key. */
function propose(it: usize, cursor: usize, trailer: u64): bool {
  store<u32>(it, 1, I_CANDIDATE);
  store<u32>(it, <u32>(trailer & 0xff), I_CANDIDATE_TYPE);
  store<u64>(it, trailer >> 8, I_CANDIDATE_SEQUENCE);
  store<u32>(it, load<u32>(cursor, C_VALUE), I_CANDIDATE_VALUE);
  store<u32>(it, load<u32>(cursor, C_VALUE_SIZE), I_CANDIDATE_VALUE_SIZE);
  return load<u32>(cursor, C_KIND) != KIND_HOST || keepCandidate(it);
}

/** Copies the candidate's value away from bytes that may go when its cursor moves on. */
function keepCandidate(it: usize): bool {
  if (load<u32>(it, I_CANDIDATE) == 0 || load<u32>(it, I_CANDIDATE_TYPE) != TYPE_VALUE) return true;
  const value: usize = load<u32>(it, I_CANDIDATE_VALUE);
  const buffer: usize = load<u32>(it, I_CANDIDATE_BUFFER);
  if (buffer != 0 && value == buffer) return true;
  const kept = keep(it + I_CANDIDATE_BUFFER, value, load<u32>(it, I_CANDIDATE_VALUE_SIZE));
  store<u32>(it, <u32>kept, I_CANDIDATE_VALUE);
  return kept != 0;
}

/** The user key is complete: turns its candidate into a row. GO_ON, or the status to stop with. */
function settleCandidate(it: usize, maxRows: u32, maxBytes: u32): i32 {
  if (load<u32>(it, I_CANDIDATE) == 0) return GO_ON;
  const type = load<u32>(it, I_CANDIDATE_TYPE);
  const key: usize = load<u32>(it, I_SAVED);
  const keySize = load<u32>(it, I_SAVED_SIZE);
  let outcome = GO_ON;
  if (type == TYPE_VALUE || type == TYPE_MERGE) {
    if (!covered(it, key, keySize, load<u64>(it, I_CANDIDATE_SEQUENCE), false)) {
      if (isFull(it, maxRows, maxBytes)) return READ_MORE;
      const isValue = type == TYPE_VALUE;
      const value: usize = isValue ? <usize>load<u32>(it, I_CANDIDATE_VALUE) : 0;
      const copyValue = isValue && (load<u32>(it, I_COPY_VALUES) != 0 || value == load<u32>(it, I_CANDIDATE_BUFFER));
      const valueSize = isValue ? load<u32>(it, I_CANDIDATE_VALUE_SIZE) : 0;
      if (addRow(it, key, keySize, value, valueSize, copyValue) == 0) return noRoom(it);
      if (!isValue) outcome = READ_MERGE;
    }
  } else if (type != TYPE_DELETION && type != TYPE_SINGLE_DELETION) {
    store<u32>(it, type, I_TYPE);
    return READ_UNSUPPORTED;
  }
  store<u32>(it, 0, I_CANDIDATE);
  return outcome;
}

/** Deals with the end of the merge, a refill or a failure. */
function stopBackward(it: usize, status: i32, maxRows: u32, maxBytes: u32): i32 {
  if (status == MERGE_NEED_REFILL) return keepCandidate(it) ? status : READ_OUT_OF_MEMORY;
  if (status != MERGE_END) return status;
  const outcome = settleCandidate(it, maxRows, maxBytes);
  return outcome == GO_ON ? READ_END : outcome;
}

/** Appends rows going backward over a merge that was started with direction -1. */
export function readBackward(it: usize, maxRows: u32, maxBytes: u32): i32 {
  const merge: usize = load<u32>(it, I_MERGE);
  const comparator = load<u32>(it, I_COMPARATOR);
  const snapshot = load<u64>(it, I_SNAPSHOT);
  const lower: usize = load<u32>(it, I_LOWER);
  const lowerSize = load<u32>(it, I_LOWER_SIZE);
  const rowsMax = min(maxRows, load<u32>(it, I_ROW_CAPACITY));
  let status = MERGE_ENTRY;
  while (status == MERGE_ENTRY) {
    const cursor = mergeTop(merge);
    if (cursor == 0) return stopBackward(it, stopStatus(merge), rowsMax, maxBytes);
    const key: usize = load<u32>(cursor, C_KEY);
    const userSize = load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE;
    const trailer = load<u64>(key + userSize);
    if (trailer >> 8 <= snapshot) {
      if (!isSaved(it, comparator, key, userSize)) {
        const outcome = settleCandidate(it, rowsMax, maxBytes);
        if (outcome != GO_ON) return outcome;
        if (lower != 0 && compareUser(comparator, key, userSize, lower, lowerSize) < 0) return READ_END;
        if (!saveKey(it, key, userSize)) return READ_OUT_OF_MEMORY;
      }
      if (!propose(it, cursor, trailer)) return READ_OUT_OF_MEMORY;
    }
    status = mergePrev(merge);
  }
  return stopBackward(it, status, rowsMax, maxBytes);
}
