/**
 * The record that says: the sequences before the first record of this log were used by writes that bypassed the log.
 * Without it, a log whose first record does not continue the log before it tells of lost records. To RocksDB it is an empty
 * batch with log data, which changes nothing.
 */

import { getFixed32, setFixed64 } from '../../format/base/coding.ts';
import { BATCH_COUNT_OFFSET, BATCH_HEADER_SIZE } from '../../format/batch/batch-format.ts';

/** RocksDB's tag of log data in a batch. Part of the format: never change it. */
const LOG_DATA_TAG = 3;
const MARK = 'pumice.sequence-jump';

/** The record's bytes; the caller owns them. `sequence` is that of the record which follows. */
export function sequenceJumpRecord(sequence: number): Uint8Array {
  const record = new Uint8Array(BATCH_HEADER_SIZE + 2 + MARK.length);
  setFixed64(record, 0, sequence);
  record[BATCH_HEADER_SIZE] = LOG_DATA_TAG;
  record[BATCH_HEADER_SIZE + 1] = MARK.length;
  for (let i = 0; i < MARK.length; i++) record[BATCH_HEADER_SIZE + 2 + i] = MARK.charCodeAt(i);
  return record;
}

/** Whether a record of a log is one of these. */
export function isSequenceJump(record: Uint8Array): boolean {
  if (record.length !== BATCH_HEADER_SIZE + 2 + MARK.length) return false;
  if (getFixed32(record, BATCH_COUNT_OFFSET) !== 0 || record[BATCH_HEADER_SIZE] !== LOG_DATA_TAG) return false;
  for (let i = 0; i < MARK.length; i++) {
    if (record[BATCH_HEADER_SIZE + 2 + i] !== MARK.charCodeAt(i)) return false;
  }
  return true;
}
