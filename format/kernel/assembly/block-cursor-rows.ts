/**
 * The entries that a step back has passed, kept so that the following steps back find theirs decoded. A bounded number
 * of them, for blocks with few restart points may hold any number of entries.
 */
import { C_BUFFER, C_CURRENT, C_FLAGS, C_NEXT, C_NUM_ROWS, C_ROW_KEYS_USED, C_ROWS } from './block-cursor-layout';
import { FLAG_DELTA_VALUES, FLAG_GLOBAL_SEQUENCE, FLAG_HANDLES } from './block-format';
import { copyWide } from './bytes';
import { C_KEY, C_KEY_SIZE, C_VALUE, C_VALUE_SIZE } from './cursor-head';
import { malloc, SLACK } from './memory';

// A row: an entry passed on the way to the one that a step back went to.
const ROW_SIZE: u32 = 24;
const ROW_CURRENT: usize = 0;
const ROW_NEXT: usize = 4;
const ROW_KEY: usize = 8;
const ROW_KEY_SIZE: usize = 12;
const ROW_VALUE: usize = 16;
const ROW_VALUE_SIZE: usize = 20;
const ROWS_MAX: u32 = 64;
const ROW_KEYS: usize = 1536; // their keys lie behind the rows
const ROW_KEYS_CAPACITY: u32 = 4096;

/** Keeps the current entry as a row. When there is no more room the rows start anew: the last ones are wanted first. */
export function keepRow(c: usize): void {
  // Rows have no room for handles, nor for the trailer that a global sequence hides.
  if ((load<u32>(c, C_FLAGS) & (FLAG_HANDLES | FLAG_DELTA_VALUES | FLAG_GLOBAL_SEQUENCE)) != 0) return;
  let rows: usize = load<u32>(c, C_ROWS);
  if (rows == 0) {
    rows = malloc(<u32>ROW_KEYS + ROW_KEYS_CAPACITY + <u32>SLACK);
    if (rows == 0) return;
    store<u32>(c, <u32>rows, C_ROWS);
  }
  const keySize = load<u32>(c, C_KEY_SIZE);
  let key: usize = load<u32>(c, C_KEY);
  const inBuffer = key == <usize>load<u32>(c, C_BUFFER);
  let used = load<u32>(c, C_ROW_KEYS_USED);
  let count = load<u32>(c, C_NUM_ROWS);
  if (count == ROWS_MAX || (inBuffer && keySize > ROW_KEYS_CAPACITY - used)) {
    used = 0;
    count = 0;
  }
  if (inBuffer) {
    if (keySize > ROW_KEYS_CAPACITY) {
      store<u32>(c, 0, C_NUM_ROWS);
      return;
    }
    copyWide(rows + ROW_KEYS + used, key, keySize);
    key = rows + ROW_KEYS + used;
    used += keySize;
  }
  const row = rows + count * ROW_SIZE;
  store<u32>(row, load<u32>(c, C_CURRENT), ROW_CURRENT);
  store<u32>(row, load<u32>(c, C_NEXT), ROW_NEXT);
  store<u32>(row, <u32>key, ROW_KEY);
  store<u32>(row, keySize, ROW_KEY_SIZE);
  store<u32>(row, load<u32>(c, C_VALUE), ROW_VALUE);
  store<u32>(row, load<u32>(c, C_VALUE_SIZE), ROW_VALUE_SIZE);
  store<u32>(c, count + 1, C_NUM_ROWS);
  store<u32>(c, used, C_ROW_KEYS_USED);
}

/** Moves to the entry of the last row if it is the one before `current`. */
export function takeRow(c: usize, current: usize): bool {
  const count = load<u32>(c, C_NUM_ROWS);
  if (count == 0) return false;
  const row = <usize>load<u32>(c, C_ROWS) + (count - 1) * ROW_SIZE;
  if (<usize>load<u32>(row, ROW_NEXT) != current) return false;
  store<u32>(c, count - 1, C_NUM_ROWS);
  store<u32>(c, load<u32>(row, ROW_CURRENT), C_CURRENT);
  store<u32>(c, load<u32>(row, ROW_NEXT), C_NEXT);
  store<u32>(c, load<u32>(row, ROW_KEY), C_KEY);
  store<u32>(c, load<u32>(row, ROW_KEY_SIZE), C_KEY_SIZE);
  store<u32>(c, load<u32>(row, ROW_VALUE), C_VALUE);
  store<u32>(c, load<u32>(row, ROW_VALUE_SIZE), C_VALUE_SIZE);
  return true;
}
