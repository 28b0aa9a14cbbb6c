/**
 * A version edit: one record of the MANIFEST, the difference between two states of a database. This file holds what an
 * edit is and how it is written; `version-edit-decoder.ts` reads it.
 */
import { utf8 } from '../base/bytes.ts';
import { ByteWriter } from '../base/coding.ts';
import type { FileMetadata } from './file-metadata.ts';
import { EditTag, FileField, WalField } from './version-edit-format.ts';

/** A table that an edit adds to a level. */
export interface NewFile {
  readonly level: number;
  readonly file: FileMetadata;
}

/** A table that an edit removes from a level. */
export interface DeletedFile {
  readonly level: number;
  readonly number: number;
}

/** Where the next compaction of a level starts: LevelDB's round-robin cursor. */
export interface CompactCursor {
  readonly level: number;
  /** Internal key. */
  readonly key: Uint8Array;
}

/** A WAL that came into being (`syncedSize` absent) or was synced up to `syncedSize` bytes. */
export interface WalAddition {
  readonly number: number;
  readonly syncedSize: number | undefined;
}

/** A blob file, as far as it must be known to refuse it. */
export interface BlobFileRecord {
  readonly number: number;
  readonly count: number;
  readonly bytes: number;
}

/** One edit. Absent fields change nothing; arrays are empty rather than absent. */
export interface VersionEdit {
  dbId?: Uint8Array;
  comparator?: string;
  /** WALs with smaller numbers hold nothing of this family that is not in tables. */
  logNumber?: number;
  prevLogNumber?: number;
  nextFileNumber?: number;
  lastSequence?: number;
  /** Largest family id ever used. */
  maxColumnFamily?: number;
  /** WALs with smaller numbers are of no use to any family. */
  minLogNumberToKeep?: number;
  compactCursors: CompactCursor[];
  deletedFiles: DeletedFile[];
  newFiles: NewFile[];
  blobAdditions: BlobFileRecord[];
  blobGarbage: BlobFileRecord[];
  walAdditions: WalAddition[];
  /** WALs with smaller numbers are gone. */
  walDeletion?: number;
  /** Id of the family the edit is about. */
  columnFamily: number;
  /** Name of the family that comes into being with id `columnFamily`. */
  columnFamilyAdd?: string;
  columnFamilyDrop: boolean;
  /** How many edits of the same atomic group follow; absent outside groups. */
  remainingInGroup?: number;
  fullHistoryTsLow?: Uint8Array;
  /** Tags that the reader did not know and was allowed to skip. */
  skippedTags: number[];
}

/** An edit that changes nothing. */
export function emptyEdit(columnFamily = 0): VersionEdit {
  return {
    compactCursors: [],
    deletedFiles: [],
    newFiles: [],
    blobAdditions: [],
    blobGarbage: [],
    walAdditions: [],
    columnFamily,
    columnFamilyDrop: false,
    skippedTags: [],
  };
}

/**
 * The record's bytes, fields in RocksDB's order, so that RocksDB 7.8.3 reads them. `blobAdditions`, `blobGarbage` and
 * `skippedTags` are not written: a database that has blob files is never opened for writing.
 */
export function encodeVersionEdit(edit: VersionEdit): Uint8Array {
  const out = new ByteWriter();
  if (edit.dbId !== undefined) out.varint(EditTag.dbId).lengthPrefixed(edit.dbId);
  if (edit.comparator !== undefined) out.varint(EditTag.comparator).lengthPrefixed(utf8(edit.comparator));
  putNumber(out, EditTag.logNumber, edit.logNumber);
  putNumber(out, EditTag.prevLogNumber, edit.prevLogNumber);
  putNumber(out, EditTag.nextFileNumber, edit.nextFileNumber);
  putNumber(out, EditTag.maxColumnFamily, edit.maxColumnFamily);
  putNumber(out, EditTag.minLogNumberToKeep, edit.minLogNumberToKeep);
  if (edit.lastSequence !== undefined) out.varint(EditTag.lastSequence).sequence(edit.lastSequence);
  for (const { level, key } of edit.compactCursors) out.varint(EditTag.compactCursor).varint(level).lengthPrefixed(key);
  for (const { level, number } of edit.deletedFiles) out.varint(EditTag.deletedFile).varint(level).varint(number);
  putNewFiles(out, edit);
  for (const wal of edit.walAdditions) putWalAddition(out, wal);
  if (edit.walDeletion !== undefined)
    out.varint(EditTag.walDeletion).lengthPrefixed(new ByteWriter(16).varint(edit.walDeletion).view());
  if (edit.columnFamily !== 0) out.varint(EditTag.columnFamily).varint(edit.columnFamily);
  if (edit.columnFamilyAdd !== undefined)
    out.varint(EditTag.columnFamilyAdd).lengthPrefixed(utf8(edit.columnFamilyAdd));
  if (edit.columnFamilyDrop) out.varint(EditTag.columnFamilyDrop);
  putNumber(out, EditTag.inAtomicGroup, edit.remainingInGroup);
  if (edit.fullHistoryTsLow !== undefined) out.varint(EditTag.fullHistoryTsLow).lengthPrefixed(edit.fullHistoryTsLow);
  return out.toBytes();
}

function putNumber(out: ByteWriter, tag: number, value: number | undefined): void {
  if (value !== undefined) out.varint(tag).varint(value);
}

/** RocksDB repeats MinLogNumberToKeep inside the first new file, for readers that do not know its tag. */
function putNewFiles(out: ByteWriter, edit: VersionEdit): void {
  let minLogNumberToKeep = edit.minLogNumberToKeep;
  for (const { level, file } of edit.newFiles) {
    if (!file.sequencesKnown) {
      putLevelDbFile(out, level, file);
      continue;
    }
    putNewFile4(out, level, file, minLogNumberToKeep);
    minLogNumberToKeep = undefined;
  }
}

/** LevelDB's form, the only one that can leave the sequence range out. */
function putLevelDbFile(out: ByteWriter, level: number, file: FileMetadata): void {
  out.varint(EditTag.newFile).varint(level).varint(file.number).varint(file.sizeBytes);
  out.lengthPrefixed(file.smallest).lengthPrefixed(file.largest);
}

function putNewFile4(out: ByteWriter, level: number, file: FileMetadata, minLogNumberToKeep: number | undefined): void {
  out.varint(EditTag.newFile4).varint(level).varint(file.number).varint(file.sizeBytes);
  out.lengthPrefixed(file.smallest).lengthPrefixed(file.largest);
  out.sequence(file.smallestSequence).sequence(file.largestSequence);
  putVarintField(out, FileField.oldestAncestorTime, file.oldestAncestorTime);
  putVarintField(out, FileField.fileCreationTime, file.fileCreationTime);
  if (file.epochNumber !== undefined) putVarintField(out, FileField.epochNumber, file.epochNumber);
  out.varint(FileField.checksum).lengthPrefixed(file.checksum);
  out.varint(FileField.checksumFunction).lengthPrefixed(utf8(file.checksumFunction));
  if (file.pathId !== 0) putByteField(out, FileField.pathId, file.pathId);
  if (file.temperature !== 0) putByteField(out, FileField.temperature, file.temperature);
  if (file.markedForCompaction) putByteField(out, FileField.needCompaction, 1);
  if (minLogNumberToKeep !== undefined) out.varint(FileField.minLogNumberToKeep).varint(8).fixed64(minLogNumberToKeep);
  if (file.oldestBlobFile !== undefined) putVarintField(out, FileField.oldestBlobFile, file.oldestBlobFile);
  for (const field of file.extraFields ?? []) out.varint(field.tag).lengthPrefixed(field.body);
  out.varint(FileField.end);
}

function putVarintField(out: ByteWriter, tag: number, value: number): void {
  out.varint(tag).lengthPrefixed(new ByteWriter(16).varint(value).view());
}

function putByteField(out: ByteWriter, tag: number, value: number): void {
  out.varint(tag).varint(1).uint8(value);
}

function putWalAddition(out: ByteWriter, wal: WalAddition): void {
  const body = new ByteWriter(32).varint(wal.number);
  if (wal.syncedSize !== undefined) body.varint(WalField.syncedSize).varint(wal.syncedSize);
  body.varint(WalField.end);
  out.varint(EditTag.walAddition).lengthPrefixed(body.view());
}
