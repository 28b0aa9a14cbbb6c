/**
 * The framing of log files, shared by its writer and its reader (`format/README.md`, "Log files"). WAL and MANIFEST are
 * log files: blocks of 32 KiB that hold physical records; a logical record is one physical record or a chain of them.
 * Part of the format: never renumber.
 */

/** Physical records never cross a multiple of this. */
export const LOG_BLOCK_SIZE = 32768;
/** Bytes of `crc fixed32 | length fixed16 | type u8`. */
export const LOG_HEADER_SIZE = 7;
/** The same, then `log number fixed32`. */
export const RECYCLABLE_LOG_HEADER_SIZE = 11;

/** Types of physical records. */
export const LogRecordType = {
  /** With length 0: space that was allocated and never written. */
  zero: 0,
  full: 1,
  first: 2,
  middle: 3,
  last: 4,
  recyclableFull: 5,
  recyclableFirst: 6,
  recyclableMiddle: 7,
  recyclableLast: 8,
  setCompressionType: 9,
  userDefinedTimestampSizes: 10,
  recyclableUserDefinedTimestampSizes: 11,
  predecessorWalInfo: 130,
  recyclablePredecessorWalInfo: 131,
} as const;

/** A type with this bit may be skipped by readers that do not know it. */
export const LOG_TYPE_SAFE_IGNORE_MASK = 0x80;

/** Whether the header of this type carries a log number. */
export function isRecyclableType(type: number): boolean {
  return (
    (type >= LogRecordType.recyclableFull && type <= LogRecordType.recyclableLast) ||
    (type >= LogRecordType.userDefinedTimestampSizes && (type & 1) === 1)
  );
}

/** Compression of a WAL's records, as a `setCompressionType` record names it. */
export const LogCompression = { none: 0, zstd: 7 } as const;
