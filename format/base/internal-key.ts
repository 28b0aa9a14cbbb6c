/**
 * An internal key is `user key ‖ fixed64(sequence << 8 | type)`. Internal keys order by user key ascending, then by
 * that 64-bit trailer descending, so the newest version of a key comes first.
 */
import { type Comparator, compareBytes } from './comparator.ts';

/** Kinds of record, as stored. Part of the format: never renumber. */
export const ValueType = {
  deletion: 0x00,
  value: 0x01,
  merge: 0x02,
  logData: 0x03,
  columnFamilyDeletion: 0x04,
  columnFamilyValue: 0x05,
  columnFamilyMerge: 0x06,
  singleDeletion: 0x07,
  columnFamilySingleDeletion: 0x08,
  beginPrepare: 0x09,
  endPrepare: 0x0a,
  commit: 0x0b,
  rollback: 0x0c,
  noop: 0x0d,
  columnFamilyRangeDeletion: 0x0e,
  rangeDeletion: 0x0f,
  columnFamilyBlobIndex: 0x10,
  blobIndex: 0x11,
  beginPersistedPrepare: 0x12,
  beginUnprepare: 0x13,
  deletionWithTimestamp: 0x14,
  commitWithTimestamp: 0x15,
  wideColumnEntity: 0x16,
  columnFamilyWideColumnEntity: 0x17,
  valuePreferredSeqno: 0x18,
  columnFamilyValuePreferredSeqno: 0x19,
} as const;

/** The type of a seek target: not below any type in a file, so that it sorts before all entries of its sequence. */
export const TYPE_FOR_SEEK = 0x18;
/** The type of a target for seeking backward. */
export const TYPE_FOR_SEEK_FOR_PREV = 0x00;
/** Bytes of the trailer. */
export const TRAILER_SIZE = 8;
/**
 * The largest sequence the format can hold is 2^56-1, used in files only as a sentinel. Pumice numbers its own writes
 * below 2^53 so that they are exact in a double.
 */
export const MAX_SEQUENCE = 2 ** 53 - 1;
/** Stands for the format's 2^56-1 (the sentinel of range-tombstone boundaries) where sequences are doubles; exact, since a power of two. */
export const SENTINEL_SEQUENCE = 2 ** 56;

const TWO_24 = 2 ** 24;

/** Makes an internal key. `SENTINEL_SEQUENCE` and above are stored as 2^56-1. */
export function makeInternalKey(userKey: Uint8Array, sequence: number, type: number): Uint8Array {
  const key = new Uint8Array(userKey.length + TRAILER_SIZE);
  key.set(userKey);
  writeTrailer(key, userKey.length, sequence, type);
  return key;
}

/** Writes the 8 trailer bytes at `at`. */
export function writeTrailer(target: Uint8Array, at: number, sequence: number, type: number): void {
  const sentinel = sequence >= SENTINEL_SEQUENCE;
  const low = sentinel ? 0xffffff : sequence % TWO_24;
  const high = sentinel ? 0xffffffff : Math.floor(sequence / TWO_24);
  target[at] = type;
  target[at + 1] = low & 0xff;
  target[at + 2] = (low >>> 8) & 0xff;
  target[at + 3] = low >>> 16;
  target[at + 4] = high & 0xff;
  target[at + 5] = (high >>> 8) & 0xff;
  target[at + 6] = (high >>> 16) & 0xff;
  target[at + 7] = high >>> 24;
}

/** The user key, borrowed from `internalKey`. */
export function userKeyOf(internalKey: Uint8Array): Uint8Array {
  return internalKey.subarray(0, internalKey.length - TRAILER_SIZE);
}

/** The type byte. */
export function typeOf(internalKey: Uint8Array): number {
  return internalKey[internalKey.length - TRAILER_SIZE]!;
}

/** The sequence; 2^56-1 reads as `SENTINEL_SEQUENCE`. Values above 2^53 other than that lose low bits. */
export function sequenceOf(internalKey: Uint8Array): number {
  const at = internalKey.length - TRAILER_SIZE + 1;
  const low = internalKey[at]! | (internalKey[at + 1]! << 8) | (internalKey[at + 2]! << 16);
  const high =
    (internalKey[at + 3]! |
      (internalKey[at + 4]! << 8) |
      (internalKey[at + 5]! << 16) |
      (internalKey[at + 6]! << 24)) >>>
    0;
  if (low === 0xffffff && high === 0xffffffff) return SENTINEL_SEQUENCE;
  return high * TWO_24 + low;
}

function trailerWord(key: Uint8Array, at: number): number {
  return (key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24)) >>> 0;
}

/** Compares two internal keys: user key by `comparator`, then trailer descending. */
export function compareInternalKeys(comparator: Comparator, a: Uint8Array, b: Uint8Array): number {
  const order = comparator.compare(userKeyOf(a), userKeyOf(b));
  if (order !== 0) return order;
  const highA = trailerWord(a, a.length - 4);
  const highB = trailerWord(b, b.length - 4);
  if (highA !== highB) return highA > highB ? -1 : 1;
  const lowA = trailerWord(a, a.length - 8);
  const lowB = trailerWord(b, b.length - 8);
  return lowA === lowB ? 0 : lowA > lowB ? -1 : 1;
}

/** Whether two byte strings are equal. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}
