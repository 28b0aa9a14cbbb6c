/** Cursors over sorted runs and their merge: what `assembly/cursor.ts` and `assembly/merge.ts` export. */

/** Values of `kind` in a cursor's head. */
export const CursorKind = { block: 1, memtable: 2, host: 3 } as const;

/** Offsets of the head that all cursors share; every field is a u32 (`format/kernel/README.md`, "Cursors"). */
export const CursorField = {
  kind: 0,
  valid: 4,
  key: 8,
  keySize: 12,
  value: 16,
  valueSize: 20,
  error: 24,
  tag: 28,
} as const;

/** Bytes of the shared head; a host cursor needs no more. */
export const CURSOR_HEAD_SIZE = 32;

/** What the moves of a merge return. */
export const MergeStatus = {
  /** An entry is at the top. */
  entry: 0,
  /** All runs have ended. */
  end: 1,
  /** Child `mergeNeed` ran out of bytes: make its cursor valid again or leave it invalid (ended), then `mergeResume`. */
  needRefill: 2,
  /** The cursor of child `mergeCorruptChild` met corrupt bytes. */
  corrupt: 3,
} as const;

/** Moves of a single cursor, by its kind; and the merge of many. */
export interface MergeExports {
  /** REQUIRES a valid cursor. */
  cursorNext(cursor: number): void;
  /** REQUIRES a valid cursor. */
  cursorPrev(cursor: number): void;
  /** First entry >= the internal key, which is borrowed for the call. */
  cursorSeek(cursor: number, key: number, keySize: number): void;
  /** Last entry <= the internal key. */
  cursorSeekForPrev(cursor: number, key: number, keySize: number): void;
  cursorSeekToFirst(cursor: number): void;
  cursorSeekToLast(cursor: number): void;

  /** A merge of up to `capacity` runs, ordered by a comparator id; 0 when memory is exhausted. */
  mergeCreate(comparator: number, capacity: number): number;
  /** Frees the merge; its cursors belong to their owners. */
  mergeFree(merge: number): void;
  /**
   * Sets child number `child` (0 .. capacity-1; equal entries come in this order) and writes the number into the cursor's
   * tag; cursor 0 empties the place. `refillable` 1: when the cursor becomes invalid the run may go on after a refill.
   */
  mergeSetChild(merge: number, child: number, cursor: number, refillable: number): void;
  /**
   * Starts in `direction` (1 or -1) from cursors already positioned and refilled; an invalid one has ended. Returns entry,
   * end or corrupt.
   */
  mergeStart(merge: number, direction: number): number;
  /** One step forward; any status. REQUIRES an entry at the top and direction 1. */
  mergeNext(merge: number): number;
  /** One step backward; any status. REQUIRES an entry at the top and direction -1. */
  mergePrev(merge: number): number;
  /** Goes on after `needRefill`. Returns entry, end or corrupt. */
  mergeResume(merge: number): number;
  /** Address of the cursor whose entry is the current one; 0 at the end and while a refill is awaited. */
  mergeTop(merge: number): number;
  /** The child that awaits a refill, or -1. */
  mergeNeed(merge: number): number;
  /** The child whose bytes were corrupt, or -1. */
  mergeCorruptChild(merge: number): number;
}
