/**
 * Which entries of a merge a flush or a compaction writes. For each user key the versions come newest first, and the
 * snapshots cut them into stripes: two versions lie in one stripe when no snapshot can tell them apart. In each stripe
 * only the newest version counts; a tombstone goes when nothing older is left for it to hide; a SingleDelete goes
 * together with its Put; merge operands are gathered for the host to fold; at the bottom, sequences that every snapshot
 * can see become 0. The rules and their order are those of RocksDB's CompactionIterator.
 *
 * It is a state machine, because at any step the input may run out of bytes, the output block may be full, or the host
 * may have to decide: `run` then returns a status and goes on from the same place when it is called again. The steps are
 *
 *   emit (if an entry waits for the writer) -> advance (if the input must move) -> the phase's own work
 */
import { copyExact } from './bytes';
import { fragmentOf, historyEndsHere, isRangeDeleted } from './compaction-cover';
import { crossGrandparents, mustCut, overlapHere } from './compaction-cut';
import {
  CI_ADVANCE,
  CI_AT_END,
  CI_BOUNDARIES,
  CI_BYTES,
  CI_BYTES_USED,
  CI_CLEAR_NEXT,
  CI_COMPARATOR,
  CI_CONFLICT,
  CI_DROPPED_FILTER,
  CI_DROPPED_HIDDEN,
  CI_DROPPED_OBSOLETE,
  CI_DROPPED_RANGE,
  CI_EMITTING,
  CI_END_KEY,
  CI_END_KEY_SIZE,
  CI_ENTRY_STRIPE,
  CI_FLAGS,
  CI_FRAGMENT,
  CI_HAS_KEY,
  CI_HAS_OUTPUT,
  CI_INPUT_DELETIONS,
  CI_INPUT_KEY_BYTES,
  CI_INPUT_RECORDS,
  CI_INPUT_VALUE_BYTES,
  CI_IN_GAP,
  CI_KEY,
  CI_KEY_CAPACITY,
  CI_KEY_SIZE,
  CI_LAST_STRIPE,
  CI_MERGE,
  CI_MERGE_BASE,
  CI_MISMATCHES,
  CI_OPERANDS,
  CI_OPERAND_AT,
  CI_OPERAND_COUNT,
  CI_OUTPUT_RECORDS,
  CI_OVERLAP,
  CI_PHASE,
  CI_PREVIOUS_WRITER,
  CI_SEQUENCE,
  CI_SIZE,
  CI_SLICE,
  CI_SNAPSHOT_COUNT,
  CI_STRIPE,
  CI_TYPE,
  CI_VALUE,
  CI_VALUE_SIZE,
  CI_WAITING,
  CI_WRITER,
  CI_ZEROED,
  CI_ZEROED_COUNT,
  FLAG_BOTTOMMOST,
  FLAG_FILTER,
  OPERAND_ROW,
  stripeOf,
  userKeySize,
} from './compaction-layout';
import { addOperand } from './compaction-operands';
import { COMPARATOR_REVERSE, compareUser, equalBytes, TRAILER_SIZE } from './compare';
import { C_KEY, C_KEY_SIZE, C_VALUE, C_VALUE_SIZE } from './cursor-head';
import { free, malloc, SLACK } from './memory';
import { MERGE_CORRUPT, MERGE_END, MERGE_NEED_REFILL, mergeNext, mergeResume, mergeTop } from './merge';
import { tableWriterAdd } from './table-writer';

const STATUS_END: i32 = 0;
const STATUS_NEED_REFILL: i32 = 1;
const STATUS_BLOCK_FULL: i32 = 2;
const STATUS_MERGE: i32 = 3;
const STATUS_FILTER: i32 = 4;
const STATUS_CUT: i32 = 5;
const STATUS_CORRUPT: i32 = 6;
const STATUS_UNSUPPORTED_TYPE: i32 = 7;
const STATUS_PAUSE: i32 = 8;
const STATUS_OUT_OF_MEMORY: i32 = 9;
const STATUS_WRITER_FAILED: i32 = 10;
/** Inside `run`: nothing is needed, go on with the next step. */
const GO_ON: i32 = -1;

const TYPE_DELETION: u32 = 0;
const TYPE_VALUE: u32 = 1;
const TYPE_MERGE: u32 = 2;
const TYPE_SINGLE_DELETION: u32 = 7;

const BASE_UNKNOWN: u32 = 0;
const BASE_VALUE: u32 = 1;
const BASE_NONE: u32 = 2;

/** Takes up the entry at the top of the merge. */
const PHASE_READ: u32 = 0;
/** Applies the rules to it; the filter has had its say. */
const PHASE_DECIDE: u32 = 1;
/** A SingleDelete waits in the key buffer for the entry behind it. */
const PHASE_AFTER_SINGLE_DELETE: u32 = 2;
/** A bottommost Deletion waits while the versions of its stripe are skipped. */
const PHASE_AFTER_DELETION: u32 = 3;
/** Merge operands are gathered. */
const PHASE_GATHER: u32 = 4;
/** The host folds. */
const PHASE_FOLD: u32 = 5;
/** Gathered operands are written unmerged. */
const PHASE_OPERANDS: u32 = 6;

/** No version of the user key has been seen: no stripe number. */
const STRIPE_NONE: u32 = 0xffffffff;

/** An iterator of zeros; 0: out of memory. */
export function compactionCreate(comparator: u32): usize {
  const ci = malloc(CI_SIZE);
  if (ci == 0) return 0;
  memory.fill(ci, 0, CI_SIZE);
  store<u32>(ci, comparator, CI_COMPARATOR);
  store<u32>(ci, STRIPE_NONE, CI_STRIPE);
  store<u32>(ci, 1, CI_IN_GAP);
  return ci;
}

/** Frees the iterator and the buffers it made. */
export function compactionFree(ci: usize): void {
  free(load<u32>(ci, CI_KEY));
  free(load<u32>(ci, CI_OPERANDS));
  free(load<u32>(ci, CI_BYTES));
  free(ci);
}

// @ts-ignore: decorator
@inline
function count(ci: usize, field: usize, by: f64): void {
  store<f64>(ci + field, load<f64>(ci + field) + by);
}

/** Goes on until the host is needed. */
export function compactionRun(ci: usize): i32 {
  let budget: i32 = load<i32>(ci, CI_SLICE);
  let status = GO_ON;
  while (status == GO_ON) {
    if (load<u32>(ci, CI_EMITTING) != 0) {
      status = emit(ci);
      if (status != GO_ON) break;
    }
    if (load<u32>(ci, CI_ADVANCE) != 0) {
      status = advance(ci);
      if (status != GO_ON) break;
    }
    const phase = load<u32>(ci, CI_PHASE);
    if (phase == PHASE_READ) status = budget-- == 0 ? STATUS_PAUSE : read(ci);
    else if (phase == PHASE_DECIDE) status = decide(ci);
    else if (phase == PHASE_AFTER_SINGLE_DELETE) status = afterSingleDelete(ci);
    else if (phase == PHASE_AFTER_DELETION) status = afterDeletion(ci);
    else if (phase == PHASE_GATHER) status = gather(ci);
    else if (phase == PHASE_OPERANDS) status = nextOperand(ci);
    else status = STATUS_MERGE;
  }
  return status;
}

/** The cursor of the next entry, 0 at the end. */
// @ts-ignore: decorator
@inline
function top(ci: usize): usize {
  const none: usize = 0;
  return load<u32>(ci, CI_AT_END) != 0 ? none : mergeTop(load<u32>(ci, CI_MERGE));
}

/** Steps the merge once. */
function advance(ci: usize): i32 {
  const merge = load<u32>(ci, CI_MERGE);
  const status = load<u32>(ci, CI_WAITING) != 0 ? mergeResume(merge) : mergeNext(merge);
  if (status == MERGE_NEED_REFILL) {
    store<u32>(ci, 1, CI_WAITING);
    return STATUS_NEED_REFILL;
  }
  store<u32>(ci, 0, CI_WAITING);
  store<u32>(ci, 0, CI_ADVANCE);
  if (status == MERGE_CORRUPT) return STATUS_CORRUPT;
  if (status == MERGE_END) store<u32>(ci, 1, CI_AT_END);
  return GO_ON;
}

/** Leaves the current entry behind. */
// @ts-ignore: decorator
@inline
function skip(ci: usize): i32 {
  store<u32>(ci, 1, CI_ADVANCE);
  store<u32>(ci, PHASE_READ, CI_PHASE);
  return GO_ON;
}

/** Counts an entry as dropped and leaves it behind. */
function drop(ci: usize, counter: usize): i32 {
  count(ci, counter, 1);
  return skip(ci);
}

/** Whether the entry of `cursor` is of the user key in the key buffer. */
// @ts-ignore: decorator
@inline
function sameUserKey(ci: usize, cursor: usize): bool {
  const key = load<u32>(cursor, C_KEY);
  const size = load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE;
  const comparator = load<u32>(ci, CI_COMPARATOR);
  if (comparator <= COMPARATOR_REVERSE) return equalBytes(key, size, load<u32>(ci, CI_KEY), userKeySize(ci));
  return compareUser(comparator, key, size, load<u32>(ci, CI_KEY), userKeySize(ci)) == 0;
}

// @ts-ignore: decorator
@inline
function trailerOf(cursor: usize): u64 {
  return load<u64>(load<u32>(cursor, C_KEY) + load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE);
}

/** Whether the entry of `cursor` lies behind the range that is compacted. */
function isBehindEnd(ci: usize, cursor: usize): bool {
  const end = load<u32>(ci, CI_END_KEY);
  if (end == 0) return false;
  const key = load<u32>(cursor, C_KEY);
  const size = load<u32>(cursor, C_KEY_SIZE) - TRAILER_SIZE;
  return compareUser(load<u32>(ci, CI_COMPARATOR), key, size, end, load<u32>(ci, CI_END_KEY_SIZE)) >= 0;
}

/** Takes up the entry at the top of the merge; a new user key goes into the key buffer. */
function read(ci: usize): i32 {
  const cursor = top(ci);
  if (cursor == 0) return STATUS_END;
  const first = load<u32>(ci, CI_HAS_KEY) == 0 || !sameUserKey(ci, cursor);
  if (first && isBehindEnd(ci, cursor)) {
    store<u32>(ci, 1, CI_AT_END);
    return STATUS_END;
  }
  const keySize = load<u32>(cursor, C_KEY_SIZE);
  const valueSize = load<u32>(cursor, C_VALUE_SIZE);
  const trailer = trailerOf(cursor);
  const type = <u32>(trailer & 0xff);
  count(ci, CI_INPUT_RECORDS, 1);
  count(ci, CI_INPUT_KEY_BYTES, <f64>keySize);
  count(ci, CI_INPUT_VALUE_BYTES, <f64>valueSize);
  store<u32>(ci, type, CI_TYPE);
  if (type > TYPE_MERGE && type != TYPE_SINGLE_DELETION) return STATUS_UNSUPPORTED_TYPE;
  if (type == TYPE_DELETION || type == TYPE_SINGLE_DELETION) count(ci, CI_INPUT_DELETIONS, 1);
  if (first && !startUserKey(ci, cursor)) return STATUS_OUT_OF_MEMORY;
  store<u64>(load<u32>(ci, CI_KEY) + userKeySize(ci), trailer);
  const sequence = trailer >> 8;
  store<u64>(ci, sequence, CI_SEQUENCE);
  const stripe = stripeOf(ci, sequence);
  store<u32>(ci, load<u32>(ci, CI_STRIPE), CI_LAST_STRIPE);
  store<u32>(ci, stripe, CI_STRIPE);
  store<u32>(ci, stripe, CI_ENTRY_STRIPE);
  store<u32>(ci, load<u32>(cursor, C_VALUE), CI_VALUE);
  store<u32>(ci, valueSize, CI_VALUE_SIZE);
  store<u32>(ci, PHASE_DECIDE, CI_PHASE);
  const filtered =
    first &&
    type == TYPE_VALUE &&
    (load<u32>(ci, CI_FLAGS) & FLAG_FILTER) != 0 &&
    stripe == load<u32>(ci, CI_SNAPSHOT_COUNT);
  return filtered ? STATUS_FILTER : GO_ON;
}

/** Copies the user key of `cursor` into the key buffer and forgets what was known of the last one. */
function startUserKey(ci: usize, cursor: usize): bool {
  const size = load<u32>(cursor, C_KEY_SIZE);
  if (size > load<u32>(ci, CI_KEY_CAPACITY)) {
    const capacity = size + (size >> 1) + 64;
    const buffer = malloc(capacity + <u32>SLACK);
    if (buffer == 0) return false;
    free(load<u32>(ci, CI_KEY));
    store<u32>(ci, <u32>buffer, CI_KEY);
    store<u32>(ci, capacity, CI_KEY_CAPACITY);
  }
  copyExact(load<u32>(ci, CI_KEY), load<u32>(cursor, C_KEY), size);
  store<u32>(ci, size, CI_KEY_SIZE);
  store<u32>(ci, 1, CI_HAS_KEY);
  store<u32>(ci, STRIPE_NONE, CI_STRIPE);
  store<u32>(ci, 0, CI_HAS_OUTPUT);
  store<u32>(ci, 0, CI_ZEROED);
  store<u32>(ci, <u32>fragmentOf(ci), CI_FRAGMENT);
  return true;
}

/** The rules, in RocksDB's order. */
function decide(ci: usize): i32 {
  const type = load<u32>(ci, CI_TYPE);
  const stripe = load<u32>(ci, CI_ENTRY_STRIPE);
  if (load<u32>(ci, CI_CLEAR_NEXT) != 0) {
    store<u32>(ci, 0, CI_CLEAR_NEXT);
    store<u32>(ci, 0, CI_VALUE_SIZE);
    return write(ci, 1);
  }
  if (type == TYPE_SINGLE_DELETION) {
    store<u32>(ci, 1, CI_ADVANCE);
    store<u32>(ci, PHASE_AFTER_SINGLE_DELETE, CI_PHASE);
    return GO_ON;
  }
  if (stripe == load<u32>(ci, CI_LAST_STRIPE)) return drop(ci, CI_DROPPED_HIDDEN);
  if (type == TYPE_DELETION) {
    if (stripe == 0 && historyEndsHere(ci)) return drop(ci, CI_DROPPED_OBSOLETE);
    if ((load<u32>(ci, CI_FLAGS) & FLAG_BOTTOMMOST) != 0) {
      store<u32>(ci, 1, CI_ADVANCE);
      store<u32>(ci, PHASE_AFTER_DELETION, CI_PHASE);
      return GO_ON;
    }
  }
  if (isRangeDeleted(ci, load<u64>(ci, CI_SEQUENCE), stripe)) return drop(ci, CI_DROPPED_RANGE);
  if (type == TYPE_MERGE) {
    store<u32>(ci, 0, CI_OPERAND_COUNT);
    store<u32>(ci, 0, CI_BYTES_USED);
    store<u32>(ci, PHASE_GATHER, CI_PHASE);
    return GO_ON;
  }
  return write(ci, 1);
}

/** Hands the entry in the key buffer to the writer; `advanceAfter` 0: the merge already stands behind it. */
function write(ci: usize, advanceAfter: u32): i32 {
  store<u32>(ci, 1, CI_EMITTING);
  store<u32>(ci, advanceAfter, CI_ADVANCE);
  store<u32>(ci, PHASE_READ, CI_PHASE);
  const zeroes =
    (load<u32>(ci, CI_FLAGS) & FLAG_BOTTOMMOST) != 0 &&
    load<u32>(ci, CI_ENTRY_STRIPE) == 0 &&
    load<u32>(ci, CI_TYPE) == TYPE_VALUE;
  let sequence = load<u64>(ci, CI_SEQUENCE);
  if (zeroes) {
    if (sequence != 0) count(ci, CI_ZEROED_COUNT, 1);
    sequence = 0;
    store<u32>(ci, 1, CI_ZEROED);
  }
  store<u64>(load<u32>(ci, CI_KEY) + userKeySize(ci), (sequence << 8) | <u64>load<u32>(ci, CI_TYPE));
  return GO_ON;
}

/** The entry behind a SingleDelete decides what becomes of both. */
function afterSingleDelete(ci: usize): i32 {
  const stripe = load<u32>(ci, CI_ENTRY_STRIPE);
  const next = top(ci);
  store<u32>(ci, PHASE_READ, CI_PHASE);
  store<u32>(ci, 0, CI_VALUE_SIZE);
  if (next == 0 || !sameUserKey(ci, next)) {
    const gone = (stripe == 0 && historyEndsHere(ci)) || load<u32>(ci, CI_ZEROED) != 0;
    if (!gone) return write(ci, 0);
    count(ci, CI_DROPPED_OBSOLETE, 1);
    return GO_ON;
  }
  const trailer = trailerOf(next);
  // An older snapshot sees what follows: the pair is not complete in this stripe.
  if (stripeOf(ci, trailer >> 8) != stripe) return write(ci, 0);
  const type = <u32>(trailer & 0xff);
  if (type == TYPE_VALUE) return pairWithPut(ci);
  count(ci, CI_MISMATCHES, 1);
  if (type == TYPE_SINGLE_DELETION || type == TYPE_DELETION) {
    // The older tombstone does the same work; it must not count as hidden by this one.
    store<u32>(ci, load<u32>(ci, CI_LAST_STRIPE), CI_STRIPE);
    count(ci, CI_DROPPED_OBSOLETE, 1);
    return GO_ON;
  }
  // Merge operands under a SingleDelete: only a Deletion is sure to keep the key deleted.
  store<u32>(ci, TYPE_DELETION, CI_TYPE);
  return write(ci, 0);
}

/** A SingleDelete and its Put in one stripe vanish, unless a transaction must still notice that the key was written. */
function pairWithPut(ci: usize): i32 {
  const sequence = load<u64>(ci, CI_SEQUENCE);
  const conflict = <u64>load<f64>(ci, CI_CONFLICT);
  if (load<u32>(ci, CI_HAS_OUTPUT) != 0 || load<u32>(ci, CI_ENTRY_STRIPE) == 0 || sequence <= conflict) {
    count(ci, CI_INPUT_RECORDS, 1);
    count(ci, CI_DROPPED_OBSOLETE, 1);
    return drop(ci, CI_DROPPED_HIDDEN);
  }
  store<u32>(ci, 1, CI_CLEAR_NEXT);
  return write(ci, 0);
}

/** A bottommost Deletion above an older snapshot stays only if that snapshot has a version to be told apart from. */
function afterDeletion(ci: usize): i32 {
  const next = top(ci);
  const same = next != 0 && sameUserKey(ci, next);
  if (same && stripeOf(ci, trailerOf(next) >> 8) == load<u32>(ci, CI_ENTRY_STRIPE)) {
    count(ci, CI_INPUT_RECORDS, 1);
    count(ci, CI_DROPPED_HIDDEN, 1);
    store<u32>(ci, 1, CI_ADVANCE);
    return GO_ON;
  }
  store<u32>(ci, PHASE_READ, CI_PHASE);
  if (same) {
    store<u32>(ci, 0, CI_VALUE_SIZE);
    return write(ci, 0);
  }
  count(ci, CI_DROPPED_OBSOLETE, 1);
  return GO_ON;
}

/** Gathers operands of one user key and stripe, newest first, down to what they rest on. */
function gather(ci: usize): i32 {
  const next = top(ci);
  if (next == 0 || !sameUserKey(ci, next)) {
    return gathered(ci, historyEndsHere(ci) ? BASE_NONE : BASE_UNKNOWN);
  }
  const trailer = trailerOf(next);
  const sequence = trailer >> 8;
  const type = <u32>(trailer & 0xff);
  const stripe = load<u32>(ci, CI_ENTRY_STRIPE);
  if (stripeOf(ci, sequence) != stripe) return gathered(ci, BASE_UNKNOWN);
  // From here on the entry is hidden by the operands: unless it is one, it stays at the top and `read` drops it.
  if (isRangeDeleted(ci, sequence, stripe)) return gathered(ci, BASE_NONE);
  if (type == TYPE_VALUE) {
    store<u32>(ci, load<u32>(next, C_VALUE), CI_VALUE);
    store<u32>(ci, load<u32>(next, C_VALUE_SIZE), CI_VALUE_SIZE);
    return gathered(ci, BASE_VALUE);
  }
  if (type == TYPE_DELETION || type == TYPE_SINGLE_DELETION) return gathered(ci, BASE_NONE);
  if (type != TYPE_MERGE) {
    store<u32>(ci, type, CI_TYPE);
    return STATUS_UNSUPPORTED_TYPE;
  }
  if (load<u32>(ci, CI_OPERAND_COUNT) != 0) count(ci, CI_INPUT_RECORDS, 1);
  if (!addOperand(ci, next, sequence)) return STATUS_OUT_OF_MEMORY;
  store<u32>(ci, 1, CI_ADVANCE);
  return GO_ON;
}

/** All operands are in: the host folds, unless there is one alone on unknown ground, which stays as it is. */
function gathered(ci: usize, base: u32): i32 {
  store<u32>(ci, base, CI_MERGE_BASE);
  if (base == BASE_UNKNOWN && load<u32>(ci, CI_OPERAND_COUNT) == 1) {
    store<u32>(ci, load<u32>(ci, CI_BYTES), CI_VALUE);
    store<u32>(ci, load<u32>(load<u32>(ci, CI_OPERANDS), 4), CI_VALUE_SIZE);
    return write(ci, 0);
  }
  store<u32>(ci, PHASE_FOLD, CI_PHASE);
  return STATUS_MERGE;
}

/** The host's answer to `filter`. */
export function compactionFilterVerdict(ci: usize, decision: u32, value: usize, valueSize: u32): void {
  if (decision == 1) {
    count(ci, CI_DROPPED_FILTER, 1);
    store<u32>(ci, TYPE_DELETION, CI_TYPE);
    store<u32>(ci, 0, CI_VALUE_SIZE);
  } else if (decision == 2) {
    store<u32>(ci, <u32>value, CI_VALUE);
    store<u32>(ci, valueSize, CI_VALUE_SIZE);
  }
}

/** The host's answer to `merge`: one entry for all. */
export function compactionMerged(ci: usize, type: u32, value: usize, valueSize: u32): void {
  store<u32>(ci, type, CI_TYPE);
  store<u32>(ci, <u32>value, CI_VALUE);
  store<u32>(ci, valueSize, CI_VALUE_SIZE);
  write(ci, 0);
}

/** The host's answer to `merge`: all entries stay. */
export function compactionKeepOperands(ci: usize): void {
  store<u32>(ci, 0, CI_OPERAND_AT);
  store<u32>(ci, PHASE_OPERANDS, CI_PHASE);
}

/** Writes the next gathered operand; behind the last one the base is read as if nothing had hidden it. */
function nextOperand(ci: usize): i32 {
  const index = load<u32>(ci, CI_OPERAND_AT);
  if (index == load<u32>(ci, CI_OPERAND_COUNT)) {
    store<u32>(ci, STRIPE_NONE, CI_STRIPE);
    store<u32>(ci, PHASE_READ, CI_PHASE);
    return GO_ON;
  }
  const row = <usize>load<u32>(ci, CI_OPERANDS) + index * OPERAND_ROW;
  store<u32>(ci, load<u32>(ci, CI_BYTES) + load<u32>(row), CI_VALUE);
  store<u32>(ci, load<u32>(row, 4), CI_VALUE_SIZE);
  store<u64>(ci, <u64>load<f64>(row, 8), CI_SEQUENCE);
  store<u32>(ci, TYPE_MERGE, CI_TYPE);
  store<u32>(ci, index + 1, CI_OPERAND_AT);
  write(ci, 0);
  store<u32>(ci, PHASE_OPERANDS, CI_PHASE);
  return GO_ON;
}

/** Adds the waiting entry to the writer. */
function emit(ci: usize): i32 {
  const writer = load<u32>(ci, CI_WRITER);
  if (writer == 0) return STATUS_CUT;
  if (writer != load<u32>(ci, CI_PREVIOUS_WRITER)) {
    store<u32>(ci, writer, CI_PREVIOUS_WRITER);
    store<u32>(ci, 0, CI_BOUNDARIES);
    crossGrandparents(ci);
    store<f64>(ci, overlapHere(ci), CI_OVERLAP);
  } else if (load<u32>(ci, CI_HAS_OUTPUT) == 0 && mustCut(ci)) {
    store<u32>(ci, 0, CI_WRITER);
    store<u32>(ci, 0, CI_PREVIOUS_WRITER);
    return STATUS_CUT;
  }
  const status = tableWriterAdd(
    writer,
    load<u32>(ci, CI_KEY),
    load<u32>(ci, CI_KEY_SIZE),
    load<u32>(ci, CI_VALUE),
    load<u32>(ci, CI_VALUE_SIZE),
  );
  if (status == 1) return STATUS_BLOCK_FULL;
  if (status != 0) return status == -1 ? STATUS_OUT_OF_MEMORY : STATUS_WRITER_FAILED;
  store<u32>(ci, 0, CI_EMITTING);
  store<u32>(ci, 1, CI_HAS_OUTPUT);
  count(ci, CI_OUTPUT_RECORDS, 1);
  return GO_ON;
}
