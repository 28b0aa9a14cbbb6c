/**
 * The struct of a compaction iterator, and the small questions about its current user key that all its parts ask. Fields
 * that the host sees are described in `abi/compaction-iterator.ts`.
 */
import { compareUser, TRAILER_SIZE } from './compare';

export const FLAG_BOTTOMMOST: u32 = 1;
export const FLAG_DEEPER_KNOWN: u32 = 2;
export const FLAG_FILTER: u32 = 4;
export const FLAG_DYNAMIC_FILE_SIZE: u32 = 8;

export const CI_MERGE: usize = 0;
export const CI_COMPARATOR: usize = 4;
export const CI_FLAGS: usize = 8;
export const CI_WRITER: usize = 12;
export const CI_SNAPSHOTS: usize = 16;
export const CI_SNAPSHOT_COUNT: usize = 20;
export const CI_TOMBSTONES: usize = 24;
export const CI_TOMBSTONE_COUNT: usize = 28;
export const CI_TOMBSTONE_AT: usize = 32;
export const CI_DEEPER: usize = 36;
export const CI_DEEPER_COUNT: usize = 40;
export const CI_DEEPER_AT: usize = 44;
export const CI_GRANDPARENTS: usize = 48;
export const CI_GRANDPARENT_COUNT: usize = 52;
export const CI_GRANDPARENT_AT: usize = 56;
export const CI_SLICE: usize = 60;
export const CI_KEY: usize = 64;
export const CI_KEY_CAPACITY: usize = 68;
export const CI_KEY_SIZE: usize = 72;
export const CI_VALUE: usize = 76;
export const CI_VALUE_SIZE: usize = 80;
export const CI_TYPE: usize = 84;
export const CI_OPERANDS: usize = 88;
export const CI_OPERAND_CAPACITY: usize = 92; // rows
export const CI_OPERAND_COUNT: usize = 96;
export const CI_MERGE_BASE: usize = 100;
export const CI_BYTES: usize = 104;
export const CI_BYTES_CAPACITY: usize = 108;
export const CI_BYTES_USED: usize = 112;
export const CI_PHASE: usize = 116;
export const CI_EMITTING: usize = 120; // 1: the entry in key, value waits for the writer
export const CI_ADVANCE: usize = 124; // 1: the merge must step before the phase goes on
export const CI_WAITING: usize = 128; // 1: that step waits for a refill
export const CI_AT_END: usize = 132;
export const CI_HAS_KEY: usize = 136; // the key buffer holds the user key of the last entry read
export const CI_STRIPE: usize = 140; // stripe of the last version that was kept or dropped by rule
export const CI_HAS_OUTPUT: usize = 144; // an entry of this user key was written
export const CI_ZEROED: usize = 148; // and its sequence became 0
export const CI_CLEAR_NEXT: usize = 152; // the Put behind a kept SingleDelete is written without its value
export const CI_OPERAND_AT: usize = 156; // next operand to write unmerged
export const CI_FILE_BYTES: usize = 160;
export const CI_FILE_BYTES_MAX: usize = 168;
export const CI_FILE_BYTES_TARGET: usize = 176;
export const CI_OVERLAP_MAX: usize = 184;
export const CI_CONFLICT: usize = 192;
export const CI_OVERLAP: usize = 200; // f64: bytes of grandparents that the current output overlaps
export const CI_INPUT_RECORDS: usize = 208;
export const CI_INPUT_KEY_BYTES: usize = 216;
export const CI_INPUT_VALUE_BYTES: usize = 224;
export const CI_INPUT_DELETIONS: usize = 232;
export const CI_DROPPED_HIDDEN: usize = 240;
export const CI_DROPPED_OBSOLETE: usize = 248;
export const CI_DROPPED_RANGE: usize = 256;
export const CI_DROPPED_FILTER: usize = 264;
export const CI_ZEROED_COUNT: usize = 272;
export const CI_MISMATCHES: usize = 280;
export const CI_OUTPUT_RECORDS: usize = 288;
export const CI_SEQUENCE: usize = 296; // u64: of the current entry
export const CI_ENTRY_STRIPE: usize = 304; // its stripe
export const CI_LAST_STRIPE: usize = 308; // CI_STRIPE before the current entry
export const CI_FRAGMENT: usize = 312; // row of the tombstones that cover the user key, 0 none
export const CI_IN_GAP: usize = 316; // the last key written lies before grandparent number CI_GRANDPARENT_AT, not in it
export const CI_SEEN_KEY: usize = 320; // grandparents are positioned
export const CI_BOUNDARIES: usize = 324; // grandparent boundaries inside the current output
export const CI_PREVIOUS_WRITER: usize = 328; // the writer that the overlap counts for
export const CI_END_KEY: usize = 332; // address of the user key that the range ends before, 0 none
export const CI_END_KEY_SIZE: usize = 336;
export const CI_SIZE: u32 = 344;

export const TOMBSTONE_ROW: u32 = 24;
export const RANGE_ROW: u32 = 24;
export const OPERAND_ROW: u32 = 16;

/** Size of the user key in the key buffer. */
// @ts-ignore: decorator
@inline
export function userKeySize(ci: usize): u32 {
  return load<u32>(ci, CI_KEY_SIZE) - TRAILER_SIZE;
}

/** Number of snapshots that cannot see `sequence`: versions with the same number lie in one stripe. */
export function stripeOf(ci: usize, sequence: u64): u32 {
  const snapshots = <usize>load<u32>(ci, CI_SNAPSHOTS);
  let low: u32 = 0;
  let high = load<u32>(ci, CI_SNAPSHOT_COUNT);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (<u64>load<f64>(snapshots + (middle << 3)) < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Order of a user key against the one in the buffer. */
// @ts-ignore: decorator
@inline
export function compareToKey(ci: usize, key: usize, size: u32): i32 {
  return compareUser(load<u32>(ci, CI_COMPARATOR), key, size, load<u32>(ci, CI_KEY), userKeySize(ci));
}
