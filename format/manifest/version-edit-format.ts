/**
 * Numbers of the fields in a version edit, shared by its encoder and its decoder (`format/README.md`, "Version edit").
 * Part of the format: never renumber.
 */

/** Tags of a version edit. */
export const EditTag = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactCursor: 5,
  deletedFile: 6,
  newFile: 7,
  prevLogNumber: 9,
  minLogNumberToKeep: 10,
  newFile2: 100,
  newFile3: 102,
  newFile4: 103,
  columnFamily: 200,
  columnFamilyAdd: 201,
  columnFamilyDrop: 202,
  maxColumnFamily: 203,
  inAtomicGroup: 300,
  blobFileAddition: 400,
  blobFileGarbage: 401,
  dbId: 8193,
  oldBlobFileAddition: 8194,
  oldBlobFileGarbage: 8195,
  oldWalAddition: 8196,
  oldWalDeletion: 8197,
  fullHistoryTsLow: 8198,
  walAddition: 8199,
  walDeletion: 8200,
} as const;

/** A tag with this bit may be skipped by readers that do not know it: a length-prefixed body follows. */
export const SAFE_IGNORE_MASK = 0x2000;

/** Custom fields at the end of a NewFile4 record. */
export const FileField = {
  end: 1,
  needCompaction: 2,
  minLogNumberToKeep: 3,
  oldestBlobFile: 4,
  oldestAncestorTime: 5,
  fileCreationTime: 6,
  checksum: 7,
  checksumFunction: 8,
  temperature: 9,
  uniqueId: 12,
  epochNumber: 13,
  pathId: 65,
} as const;

/** A custom field of a file with this bit must be understood. */
export const FILE_FIELD_REQUIRED_MASK = 0x40;

/** Fields inside a WalAddition. */
export const WalField = { end: 1, syncedSize: 2 } as const;

/** Checksum function name of a file that has no whole-file checksum. */
export const UNKNOWN_CHECKSUM_FUNCTION = 'Unknown';

/** Levels a file may name. Far above any real tree; it bounds what a damaged record can make a reader allocate. */
export const LEVEL_COUNT_MAX = 64;
