/**
 * What a log reader can meet besides records. An event is a fact about the file; whether it is an error, the end or
 * something to step over is decided by whoever reads (`recovery-policy.ts`, `manifest-reader.ts`).
 */

/** Kinds of damage, or of what looks like it. */
export type LogEventKind =
  /** Fewer bytes than a header at the end of the file. */
  | 'truncatedHeader'
  /** A record runs over the end of the file: a torn write, or a wrong length in the last block. */
  | 'truncatedBody'
  /** The file ends inside a chain of fragments. */
  | 'unfinishedRecord'
  /** A record runs over the end of its block, and the file goes on. */
  | 'badLength'
  | 'checksumMismatch'
  /** A record begins while a chain of fragments is open. */
  | 'partialRecord'
  /** A middle or last fragment without a first one. */
  | 'missingStart'
  | 'unknownType'
  /** Zeros inside a chain of fragments. */
  | 'brokenRecord'
  /** Zeros where a record could stand, and something other than zeros behind them. */
  | 'zeroGap'
  /** A record, with a correct checksum, of the log that this file was before it was recycled. */
  | 'oldRecord'
  /** The same with a wrong checksum: rest of the old log, or damage. */
  | 'damagedOldRecord'
  /** A compression record that is malformed or not the first one, or a record that does not decompress. */
  | 'badCompression'
  /** A logical record too short to be a batch. Told by readers of batches. */
  | 'recordTooSmall'
  /** A batch that is malformed. Told by readers of batches. */
  | 'malformedBatch';

/** One such fact. */
export interface LogEvent {
  readonly kind: LogEventKind;
  /** File offset of the header, or of the first byte, that it is about. */
  readonly offset: number;
  /** Bytes that are lost by stepping over it. */
  readonly bytes: number;
  /** For people: what was expected and what was found. */
  readonly reason: string;
}
