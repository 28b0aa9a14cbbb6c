/**
 * Reads one version edit, with every bound checked. All forms that LevelDB and RocksDB ever wrote are understood; newer
 * tags that are marked as skippable are skipped and noted.
 */
import { strictTextOf } from '../base/bytes.ts';
import { ByteReader } from '../base/coding.ts';
import { TRAILER_SIZE } from '../base/internal-key.ts';
import { type ExtraFileField, type FileMetadata, plainFileFields } from './file-metadata.ts';
import { type BlobFileRecord, emptyEdit, type VersionEdit, type WalAddition } from './version-edit.ts';
import {
  EditTag,
  FILE_FIELD_REQUIRED_MASK,
  FileField,
  LEVEL_COUNT_MAX,
  SAFE_IGNORE_MASK,
  WalField,
} from './version-edit-format.ts';

/**
 * Decodes `record`; what is kept of it is copied. `CORRUPTION`, with a message that begins with `source`, when a field is
 * cut off, a tag is unknown and not skippable, or a value cannot be.
 */
export function decodeVersionEdit(record: Uint8Array, source = 'VersionEdit'): VersionEdit {
  const edit = emptyEdit();
  const reader = new ByteReader(record, source);
  while (reader.remaining > 0) {
    const start = reader.position;
    decodeField(reader, edit, reader.varint32('invalid tag'), start);
  }
  return edit;
}

function decodeField(reader: ByteReader, edit: VersionEdit, tag: number, start: number): void {
  if (decodeScalar(reader, edit, tag) || decodeFileField(reader, edit, tag) || decodeFamilyField(reader, edit, tag))
    return;
  if (decodeRareField(reader, edit, tag)) return;
  if ((tag & SAFE_IGNORE_MASK) === 0) throw reader.error(`unknown tag ${tag}`, start);
  reader.lengthPrefixed('safely ignoreable tag length error');
  edit.skippedTags.push(tag);
}

function decodeScalar(reader: ByteReader, edit: VersionEdit, tag: number): boolean {
  switch (tag) {
    case EditTag.logNumber:
      edit.logNumber = reader.varint64('log number');
      return true;
    case EditTag.prevLogNumber:
      edit.prevLogNumber = reader.varint64('previous log number');
      return true;
    case EditTag.nextFileNumber:
      edit.nextFileNumber = reader.varint64('next file number');
      return true;
    case EditTag.lastSequence:
      edit.lastSequence = reader.sequence('last sequence number');
      return true;
    case EditTag.minLogNumberToKeep:
      edit.minLogNumberToKeep = reader.varint64('min log number to keep');
      return true;
    case EditTag.maxColumnFamily:
      edit.maxColumnFamily = reader.varint32('max column family');
      return true;
    case EditTag.inAtomicGroup:
      edit.remainingInGroup = reader.varint32('remaining entries');
      return true;
    default:
      return false;
  }
}

function decodeFileField(reader: ByteReader, edit: VersionEdit, tag: number): boolean {
  switch (tag) {
    case EditTag.compactCursor:
      edit.compactCursors.push({ level: level(reader), key: internalKey(reader, 'compaction cursor') });
      return true;
    case EditTag.deletedFile:
      edit.deletedFiles.push({ level: level(reader), number: reader.varint64('deleted file') });
      return true;
    case EditTag.newFile:
    case EditTag.newFile2:
    case EditTag.newFile3:
    case EditTag.newFile4:
      edit.newFiles.push({ level: level(reader), file: decodeNewFile(reader, edit, tag) });
      return true;
    default:
      return false;
  }
}

function decodeFamilyField(reader: ByteReader, edit: VersionEdit, tag: number): boolean {
  switch (tag) {
    case EditTag.comparator:
      edit.comparator = text(reader, 'comparator name');
      return true;
    case EditTag.columnFamily:
      edit.columnFamily = reader.varint32('set column family id');
      return true;
    case EditTag.columnFamilyAdd:
      edit.columnFamilyAdd = text(reader, 'column family add');
      return true;
    case EditTag.columnFamilyDrop:
      edit.columnFamilyDrop = true;
      return true;
    case EditTag.dbId:
      edit.dbId = reader.lengthPrefixed('db id').slice();
      return true;
    case EditTag.fullHistoryTsLow:
      edit.fullHistoryTsLow = reader.lengthPrefixed('full_history_ts_low').slice();
      return true;
    default:
      return false;
  }
}

function decodeRareField(reader: ByteReader, edit: VersionEdit, tag: number): boolean {
  switch (tag) {
    case EditTag.blobFileAddition:
    case EditTag.oldBlobFileAddition:
      edit.blobAdditions.push(decodeBlobAddition(reader));
      return true;
    case EditTag.blobFileGarbage:
    case EditTag.oldBlobFileGarbage:
      edit.blobGarbage.push(decodeBlobGarbage(reader));
      return true;
    case EditTag.oldWalAddition:
      edit.walAdditions.push(decodeWalAddition(reader));
      return true;
    case EditTag.walAddition: {
      const body = enclosed(reader, 'wal addition');
      edit.walAdditions.push(decodeWalAddition(body));
      return true;
    }
    case EditTag.oldWalDeletion:
      edit.walDeletion = reader.varint64('wal deletion');
      return true;
    case EditTag.walDeletion:
      edit.walDeletion = enclosed(reader, 'wal deletion').varint64('wal deletion');
      return true;
    default:
      return false;
  }
}

/** A reader of the next length-prefixed body, whose errors keep the record's offsets. */
function enclosed(reader: ByteReader, what: string): ByteReader {
  const body = reader.lengthPrefixed(what);
  return reader.within(reader.position - body.length, reader.position);
}

function level(reader: ByteReader): number {
  const start = reader.position;
  const value = reader.varint32('level');
  if (value >= LEVEL_COUNT_MAX)
    throw reader.error(`level: expected a number below ${LEVEL_COUNT_MAX}, found ${value}`, start);
  return value;
}

function text(reader: ByteReader, what: string): string {
  const start = reader.position;
  const value = strictTextOf(reader.lengthPrefixed(what));
  if (value === undefined) throw reader.error(`${what}: expected UTF-8`, start);
  return value;
}

function internalKey(reader: ByteReader, what: string): Uint8Array {
  const start = reader.position;
  const key = reader.lengthPrefixed(what);
  if (key.length < TRAILER_SIZE)
    throw reader.error(`${what}: expected an internal key, found ${key.length} bytes`, start);
  return key.slice();
}

function decodeNewFile(reader: ByteReader, edit: VersionEdit, tag: number): FileMetadata {
  const what = tag === EditTag.newFile ? 'new-file entry' : `new-file${tag - EditTag.newFile2 + 1} entry`;
  const start = reader.position;
  const number = reader.varint64(what);
  if (number === 0) throw reader.error(`${what}: file number 0 is not valid`, start);
  const pathId = tag === EditTag.newFile3 ? checkedPathId(reader, reader.varint32('path_id field')) : 0;
  const file = {
    number,
    sizeBytes: reader.varint64(what),
    smallest: internalKey(reader, what),
    largest: internalKey(reader, what),
    smallestSequence: 0,
    largestSequence: 0,
    oldestAncestorTime: 0,
    fileCreationTime: 0,
    ...plainFileFields,
    pathId,
    sequencesKnown: tag !== EditTag.newFile,
  };
  if (tag === EditTag.newFile) return file;
  file.smallestSequence = reader.sequence(what);
  file.largestSequence = reader.sequence(what);
  return tag === EditTag.newFile4 ? decodeFileFields(reader, edit, file) : file;
}

type MutableFile = { -readonly [K in keyof FileMetadata]: FileMetadata[K] };

function decodeFileFields(reader: ByteReader, edit: VersionEdit, file: FileMetadata): FileMetadata {
  const result: MutableFile = { ...file };
  const extraFields: ExtraFileField[] = [];
  for (;;) {
    const start = reader.position;
    const tag = reader.varint32('new-file4 custom field');
    if (tag === FileField.end) break;
    const body = enclosed(reader, 'new-file4 custom field');
    if (decodeKnownFileField(body, result, edit, tag)) continue;
    if ((tag & FILE_FIELD_REQUIRED_MASK) !== 0)
      throw reader.error(`new-file4 custom field ${tag} not supported`, start);
    extraFields.push({ tag, body: body.slice(body.remaining, 'new-file4 custom field').slice() });
  }
  return extraFields.length === 0 ? result : { ...result, extraFields };
}

function decodeKnownFileField(body: ByteReader, file: MutableFile, edit: VersionEdit, tag: number): boolean {
  switch (tag) {
    case FileField.needCompaction:
      file.markedForCompaction = singleByte(body, 'need_compaction field') === 1;
      return true;
    case FileField.minLogNumberToKeep:
      edit.minLogNumberToKeep = body.fixed64('min_log_number_to_keep field');
      return true;
    case FileField.oldestBlobFile:
      file.oldestBlobFile = body.varint64('oldest blob file number field');
      return true;
    case FileField.oldestAncestorTime:
      file.oldestAncestorTime = body.varint64('oldest ancestor time field');
      return true;
    case FileField.fileCreationTime:
      file.fileCreationTime = body.varint64('file creation time field');
      return true;
    case FileField.checksum:
      file.checksum = body.slice(body.remaining, 'file checksum field').slice();
      return true;
    case FileField.checksumFunction:
      file.checksumFunction = wholeText(body);
      return true;
    case FileField.temperature:
      file.temperature = singleByte(body, 'temperature field');
      return true;
    case FileField.epochNumber:
      file.epochNumber = body.varint64('epoch number field');
      return true;
    case FileField.pathId:
      file.pathId = pathIdOf(body);
      return true;
    default:
      return false;
  }
}

function singleByte(body: ByteReader, what: string): number {
  if (body.remaining !== 1) throw body.error(`${what}: expected 1 byte, found ${body.remaining}`);
  return body.uint8(what);
}

function pathIdOf(body: ByteReader): number {
  return checkedPathId(body, singleByte(body, 'path_id field'));
}

function checkedPathId(reader: ByteReader, value: number): number {
  if (value > 3) throw reader.error(`path_id field: expected at most 3, found ${value}`, reader.position - 1);
  return value;
}

function wholeText(body: ByteReader): string {
  const start = body.position;
  const value = strictTextOf(body.slice(body.remaining, 'file checksum function'));
  if (value === undefined) throw body.error('file checksum function: expected UTF-8', start);
  return value;
}

function decodeWalAddition(reader: ByteReader): WalAddition {
  const number = reader.varint64('wal addition');
  let syncedSize: number | undefined;
  for (;;) {
    const start = reader.position;
    const tag = reader.varint32('wal addition');
    if (tag === WalField.end) return { number, syncedSize };
    if (tag !== WalField.syncedSize) throw reader.error(`wal addition: unexpected field ${tag}`, start);
    syncedSize = reader.varint64('wal addition');
  }
}

function decodeBlobAddition(reader: ByteReader): BlobFileRecord {
  const what = 'blob file addition';
  const record = { number: reader.varint64(what), count: reader.varint64(what), bytes: reader.varint64(what) };
  reader.lengthPrefixed(what);
  reader.lengthPrefixed(what);
  skipBlobFields(reader, what);
  return record;
}

function decodeBlobGarbage(reader: ByteReader): BlobFileRecord {
  const what = 'blob file garbage';
  const record = { number: reader.varint64(what), count: reader.varint64(what), bytes: reader.varint64(what) };
  skipBlobFields(reader, what);
  return record;
}

function skipBlobFields(reader: ByteReader, what: string): void {
  for (;;) {
    const start = reader.position;
    const tag = reader.varint32(what);
    if (tag === 0) return;
    if ((tag & FILE_FIELD_REQUIRED_MASK) !== 0) throw reader.error(`${what}: field ${tag} not supported`, start);
    reader.lengthPrefixed(what);
  }
}
