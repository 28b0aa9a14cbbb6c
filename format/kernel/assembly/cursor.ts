/** Moves of cursors over sorted runs, dispatched by the kind in their head (`cursor-head.ts`). */
import {
  blockCursorNext,
  blockCursorPrev,
  blockCursorSeek,
  blockCursorSeekForPrev,
  blockCursorSeekToFirst,
  blockCursorSeekToLast,
} from './block-cursor';
import { C_KIND, KIND_BLOCK, KIND_MEMTABLE } from './cursor-head';
import {
  memtableCursorNext,
  memtableCursorPrev,
  memtableCursorSeek,
  memtableCursorSeekForPrev,
  memtableCursorSeekToFirst,
  memtableCursorSeekToLast,
} from './memtable-cursor';

const MOVE_FIRST: u32 = 0;
const MOVE_LAST: u32 = 1;
const MOVE_SEEK: u32 = 2;
const MOVE_SEEK_FOR_PREV: u32 = 3;
const MOVE_NEXT: u32 = 4;
const MOVE_PREV: u32 = 5;

// @ts-ignore: decorator
@external('host', 'moveCursor')
declare function moveHostCursor(cursor: usize, operation: u32, key: usize, size: u32): void;

/** Moves to the next entry. REQUIRES valid. */
export function cursorNext(cursor: usize): void {
  const kind = load<u32>(cursor, C_KIND);
  if (kind == KIND_BLOCK) blockCursorNext(cursor);
  else if (kind == KIND_MEMTABLE) memtableCursorNext(cursor);
  else moveHostCursor(cursor, MOVE_NEXT, 0, 0);
}

/** Moves to the entry before. REQUIRES valid. */
export function cursorPrev(cursor: usize): void {
  const kind = load<u32>(cursor, C_KIND);
  if (kind == KIND_BLOCK) blockCursorPrev(cursor);
  else if (kind == KIND_MEMTABLE) memtableCursorPrev(cursor);
  else moveHostCursor(cursor, MOVE_PREV, 0, 0);
}

/** First entry >= the internal key. */
export function cursorSeek(cursor: usize, key: usize, size: u32): void {
  const kind = load<u32>(cursor, C_KIND);
  if (kind == KIND_BLOCK) blockCursorSeek(cursor, key, size);
  else if (kind == KIND_MEMTABLE) memtableCursorSeek(cursor, key, size);
  else moveHostCursor(cursor, MOVE_SEEK, key, size);
}

/** Last entry <= the internal key. */
export function cursorSeekForPrev(cursor: usize, key: usize, size: u32): void {
  const kind = load<u32>(cursor, C_KIND);
  if (kind == KIND_BLOCK) blockCursorSeekForPrev(cursor, key, size);
  else if (kind == KIND_MEMTABLE) memtableCursorSeekForPrev(cursor, key, size);
  else moveHostCursor(cursor, MOVE_SEEK_FOR_PREV, key, size);
}

export function cursorSeekToFirst(cursor: usize): void {
  const kind = load<u32>(cursor, C_KIND);
  if (kind == KIND_BLOCK) blockCursorSeekToFirst(cursor);
  else if (kind == KIND_MEMTABLE) memtableCursorSeekToFirst(cursor);
  else moveHostCursor(cursor, MOVE_FIRST, 0, 0);
}

export function cursorSeekToLast(cursor: usize): void {
  const kind = load<u32>(cursor, C_KIND);
  if (kind == KIND_BLOCK) blockCursorSeekToLast(cursor);
  else if (kind == KIND_MEMTABLE) memtableCursorSeekToLast(cursor);
  else moveHostCursor(cursor, MOVE_LAST, 0, 0);
}
