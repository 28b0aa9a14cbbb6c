/**
 * Inserts an encoded write batch into memtables: `sequence fixed64 | count fixed32 | records`, as it also stands in the
 * log. A record is a tag, for the families other than the default one a varint32 id, then one or two length-prefixed
 * strings. The i-th record that counts gets the batch's sequence + i.
 */
import { readVarint32 } from './bytes';
import { memtableAdd } from './memtable';
import { INSERT_OUT_OF_MEMORY } from './memtable-btree';

const BATCH_OK: i32 = 0;
const BATCH_MALFORMED: i32 = 1;
const BATCH_WRONG_COUNT: i32 = 2;
const BATCH_UNSUPPORTED_TAG: i32 = 3;
const BATCH_UNKNOWN_FAMILY: i32 = 4;
const BATCH_OUT_OF_MEMORY: i32 = 5;
const BATCH_NEEDS_HOST: i32 = 6;

const HEADER_SIZE: u32 = 12;
const COUNT_OFFSET: usize = 8;
const FAMILY_ROW_SIZE: u32 = 8;

// Offsets in the result.
const R_COUNT: usize = 0;
const R_OFFSET: usize = 4;
const R_TAG: usize = 8;
const R_FAMILY: usize = 12;
const R_INSERTED: usize = 16;
const RESULT_SIZE: usize = 20;

// What a tag says: bits 0..1 strings that follow, bit 2 a family id comes first, bit 3 it counts, bits 4..5 which
// status it ends with, bits 8.. the type of the entry.
const ONE: u32 = 1;
const TWO: u32 = 2;
const STRINGS: u32 = 3;
const FAMILY: u32 = 4;
const COUNTS: u32 = 8;
const HOST: u32 = 16;
const REFUSED: u32 = 32;
const TYPE_SHIFT: u32 = 8;

function shapeOf(tag: u32): u32 {
  switch (tag) {
    case 0x01:
    case 0x02:
    case 0x0f:
      return (tag << TYPE_SHIFT) | TWO | COUNTS;
    case 0x00:
    case 0x07:
      return (tag << TYPE_SHIFT) | ONE | COUNTS;
    case 0x05:
      return (0x01 << TYPE_SHIFT) | TWO | COUNTS | FAMILY;
    case 0x06:
      return (0x02 << TYPE_SHIFT) | TWO | COUNTS | FAMILY;
    case 0x0e:
      return (0x0f << TYPE_SHIFT) | TWO | COUNTS | FAMILY;
    case 0x04:
      return (0x00 << TYPE_SHIFT) | ONE | COUNTS | FAMILY;
    case 0x08:
      return (0x07 << TYPE_SHIFT) | ONE | COUNTS | FAMILY;
    case 0x03:
      return ONE;
    case 0x0d:
      return 0;
    case 0x09:
    case 0x0a:
    case 0x0b:
    case 0x0c:
    case 0x12:
    case 0x13:
    case 0x15:
      return HOST;
    default:
      return REFUSED;
  }
}

/** The memtable of a family, 0 to skip it, -1 if it is not in the table. */
function findFamily(families: usize, familyCount: u32, id: u32): i64 {
  let low: u32 = 0;
  let high = familyCount;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(families + middle * FAMILY_ROW_SIZE) < id) low = middle + 1;
    else high = middle;
  }
  const row = families + low * FAMILY_ROW_SIZE;
  return low < familyCount && load<u32>(row) == id ? <i64>load<u32>(row, 4) : -1;
}

// The record that `readRecord` decoded. Globals are per instance, so per thread.
let shape: u32 = 0;
let family: u32 = 0;
let key: usize = 0;
let keySize: u32 = 0;
let value: usize = 0;
let valueSize: u32 = 0;
let next: usize = 0;

/** Decodes the record at `start` into the globals. */
function readRecord(start: usize, limit: usize): i32 {
  shape = shapeOf(load<u8>(start));
  family = 0;
  valueSize = 0;
  let p = start + 1;
  if ((shape & (HOST | REFUSED)) != 0) return (shape & HOST) != 0 ? BATCH_NEEDS_HOST : BATCH_UNSUPPORTED_TAG;
  if ((shape & FAMILY) != 0) {
    const varint = readVarint32(p, limit);
    if (varint == 0) return BATCH_MALFORMED;
    family = <u32>varint;
    p = <usize>(varint >> 32);
  }
  const strings = shape & STRINGS;
  if (strings != 0) {
    const varint = readVarint32(p, limit);
    keySize = <u32>varint;
    key = <usize>(varint >> 32);
    if (varint == 0 || keySize > <u32>(limit - key)) return BATCH_MALFORMED;
    p = key + keySize;
  }
  if (strings == TWO) {
    const varint = readVarint32(p, limit);
    valueSize = <u32>varint;
    value = <usize>(varint >> 32);
    if (varint == 0 || valueSize > <u32>(limit - value)) return BATCH_MALFORMED;
    p = value + valueSize;
  }
  next = p;
  return BATCH_OK;
}

/** Walks the batch; with `apply` it also inserts. */
function walk(batch: usize, size: u32, apply: bool, first: u64, families: usize, familyCount: u32, result: usize): i32 {
  memory.fill(result, 0, RESULT_SIZE);
  if (size < HEADER_SIZE) return BATCH_MALFORMED;
  const limit = batch + size;
  let count: u32 = 0;
  let inserted: u32 = 0;
  let status = BATCH_OK;
  // Records of one family mostly come in a row: each row is searched for once.
  let knownFamily: u32 = 0;
  let memtable = findFamily(families, familyCount, 0);
  let p = batch + HEADER_SIZE;
  for (; p < limit; p = next) {
    status = readRecord(p, limit);
    if (status != BATCH_OK) break;
    if ((shape & COUNTS) == 0) continue;
    if (apply) {
      if (family != knownFamily) {
        memtable = findFamily(families, familyCount, family);
        knownFamily = family;
      }
      if (memtable < 0) {
        status = BATCH_UNKNOWN_FAMILY;
        break;
      }
      if (memtable != 0) {
        const type = shape >> TYPE_SHIFT;
        if (memtableAdd(<usize>memtable, first + count, type, key, keySize, value, valueSize) == INSERT_OUT_OF_MEMORY) {
          status = BATCH_OUT_OF_MEMORY;
          break;
        }
        inserted++;
      }
    }
    count++;
  }
  if (status != BATCH_OK) {
    store<u32>(result, load<u8>(p), R_TAG);
    store<u32>(result, family, R_FAMILY);
  } else if (count != load<u32>(batch, COUNT_OFFSET)) {
    status = BATCH_WRONG_COUNT;
  }
  store<u32>(result, count, R_COUNT);
  store<u32>(result, <u32>(p - batch), R_OFFSET);
  store<u32>(result, inserted, R_INSERTED);
  return status;
}

/** Parses without applying. */
export function batchCheck(batch: usize, size: u32, result: usize): i32 {
  return walk(batch, size, false, 0, 0, 0, result);
}

/** Applies; `abi/memtable.ts` says what the codes and the result mean. */
export function batchApply(
  batch: usize,
  size: u32,
  sequence: f64,
  families: usize,
  familyCount: u32,
  result: usize,
): i32 {
  return walk(batch, size, true, <u64>sequence, families, familyCount, result);
}
