/** What the write path of one database has done since it was opened. Always counted; it costs a few additions a group. */
export class WriteTotals {
  /** Calls that wrote. */
  calls = 0;
  /** Groups that calls were written in. */
  groups = 0;
  keys = 0;
  /** Bytes of the batches. */
  bytes = 0;
  walRecords = 0;
  walBytes = 0;
  walSyncs = 0;
  /** Time that writes were delayed or stopped. */
  stallMicros = 0;
}
