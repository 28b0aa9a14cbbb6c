/** A MANIFEST as text: every edit if asked for, then the state that they add up to. */
import { ByteReader } from '../../format/base/coding.ts';
import { bytewiseComparator } from '../../format/base/comparator.ts';
import { SENTINEL_SEQUENCE } from '../../format/base/internal-key.ts';
import { runAsync } from '../../format/base/io.ts';
import { LogReader, LogStep } from '../../format/log/log-reader.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { type ManifestContents, readManifest } from '../../format/manifest/manifest-reader.ts';
import type { ManifestFamily } from '../../format/manifest/manifest-state.ts';
import type { VersionEdit } from '../../format/manifest/version-edit.ts';
import { decodeVersionEdit } from '../../format/manifest/version-edit-decoder.ts';
import { FileField } from '../../format/manifest/version-edit-format.ts';
import type { RandomAccessFile } from '../../src/env/file-system.ts';
import { upperHex } from '../lib/hex.ts';
import { internalKeyText, sequenceText } from '../lib/internal-key-text.ts';
import type { Output } from '../lib/output.ts';
import { publicUniqueIdText } from '../lib/unique-id.ts';
import { familyLevels } from './manifest-file.ts';
import { editJson, stateJson } from './manifest-json.ts';

/** What is printed. */
export interface ManifestTextOptions {
  /** Every edit, too. */
  readonly verbose: boolean;
  /** Keys as hex. */
  readonly hex: boolean;
  /** Edits and state as JSON, one object a line. */
  readonly json: boolean;
}

/**
 * Prints the MANIFEST `file`. CORRUPTION when it is damaged; edits before the damage have been printed by then. A torn
 * last record is its end, as for a database that opens.
 */
export async function printManifest(file: RandomAccessFile, options: ManifestTextOptions, out: Output): Promise<void> {
  if (options.verbose || options.json) await printEdits(file, options, out);
  const contents = await runAsync(readManifest(file));
  if (options.json) out.line(JSON.stringify(stateJson(contents, options.hex)));
  else printState(contents, options.hex, out);
}

async function printEdits(file: RandomAccessFile, options: ManifestTextOptions, out: Output): Promise<void> {
  const reader = new LogReader(file);
  let number = 0;
  try {
    while ((await runAsync(reader.next())) === LogStep.record) {
      const edit = decodeVersionEdit(reader.record(), `${file.path}: VersionEdit at offset ${reader.recordOffset}`);
      if (options.json) out.line(JSON.stringify({ editNumber: ++number, ...editJson(edit, options.hex) }));
      else printEdit(edit, options.hex, out);
      if (out.full) await out.flush();
    }
  } finally {
    reader.close();
  }
}

function printEdit(edit: VersionEdit, hex: boolean, out: Output): void {
  out.line('VersionEdit {');
  const field = (name: string, value: unknown): void => {
    if (value !== undefined) out.line(`  ${name}: ${value}`);
  };
  field('DB ID', edit.dbId === undefined ? undefined : Buffer.from(edit.dbId).toString());
  field('Comparator', edit.comparator);
  field('LogNumber', edit.logNumber);
  field('PrevLogNumber', edit.prevLogNumber);
  field('NextFileNumber', edit.nextFileNumber);
  field('MaxColumnFamily', edit.maxColumnFamily);
  field('MinLogNumberToKeep', edit.minLogNumberToKeep);
  field('LastSeq', edit.lastSequence);
  for (const { level, key } of edit.compactCursors)
    out.line(`  CompactCursor: ${level} `, ...internalKeyText(key, hex));
  for (const { level, number } of edit.deletedFiles) out.line(`  DeleteFile: ${level} ${number}`);
  for (const { level, file } of edit.newFiles) out.line(`  AddFile: ${level} `, ...addedFileText(file, hex));
  for (const blob of edit.blobAdditions) {
    out.line(
      `  BlobFileAddition: blob_file_number: ${blob.number} total_blob_count: ${blob.count} ` +
        `total_blob_bytes: ${blob.bytes} checksum_method:  checksum_value: `,
    );
  }
  for (const blob of edit.blobGarbage) {
    out.line(
      `  BlobFileGarbage: blob_file_number: ${blob.number} garbage_blob_count: ${blob.count} ` +
        `garbage_blob_bytes: ${blob.bytes}`,
    );
  }
  for (const wal of edit.walAdditions) {
    const synced = wal.syncedSize === undefined ? '' : ` synced_size_in_bytes: ${wal.syncedSize}`;
    out.line(`  WalAddition: log_number: ${wal.number}${synced}`);
  }
  field('WalDeletion', edit.walDeletion === undefined ? undefined : `log_number: ${edit.walDeletion}`);
  field('ColumnFamily', edit.columnFamily);
  field('ColumnFamilyAdd', edit.columnFamilyAdd);
  if (edit.columnFamilyDrop) out.line('  ColumnFamilyDrop');
  field('AtomicGroup', edit.remainingInGroup === undefined ? undefined : `${edit.remainingInGroup} entries remains`);
  field('FullHistoryTsLow', edit.fullHistoryTsLow === undefined ? undefined : upperHex(edit.fullHistoryTsLow));
  out.line('}');
}

function addedFileText(file: FileMetadata, hex: boolean): (string | Uint8Array)[] {
  const parts: (string | Uint8Array)[] = [`${file.number} ${file.sizeBytes} `];
  parts.push(...internalKeyText(file.smallest, hex), ' .. ', ...internalKeyText(file.largest, hex));
  if (file.oldestBlobFile !== undefined) parts.push(` blob_file:${file.oldestBlobFile}`);
  parts.push(` oldest_ancester_time:${file.oldestAncestorTime} file_creation_time:${file.fileCreationTime}`);
  parts.push(` file_checksum:${upperHex(file.checksum)} file_checksum_func_name: ${file.checksumFunction}`);
  if (file.temperature !== 0) parts.push(` temperature: ${file.temperature}`);
  const uniqueId = storedUniqueId(file);
  if (uniqueId !== undefined) {
    parts.push(
      ` unique_id(internal): {${uniqueId.first},${uniqueId.second}}`,
      ` public_unique_id: ${publicUniqueIdText(uniqueId)}`,
    );
  }
  return parts;
}

function storedUniqueId(file: FileMetadata): { first: bigint; second: bigint } | undefined {
  const body = file.extraFields?.find(({ tag }) => tag === FileField.uniqueId)?.body;
  if (body === undefined || body.length < 16) return undefined;
  const reader = new ByteReader(body, 'unique id');
  return { first: reader.fixed64BigInt('first word'), second: reader.fixed64BigInt('second word') };
}

function printState({ state }: ManifestContents, hex: boolean, out: Output): void {
  const families = [...state.families.values()].sort((a, b) => a.id - b.id);
  for (const [index, family] of families.entries()) {
    // RocksDB numbers versions as it makes them: first an empty one for each family, then those it prints.
    printFamily(family, families.length + index, hex, out);
  }
  out.line(
    `next_file_number ${(state.nextFileNumber ?? 0) + 1} last_sequence ${state.lastSequence}  ` +
      `prev_log_number ${state.prevLogNumber} max_column_family ${state.maxColumnFamily} ` +
      `min_log_number_to_keep ${state.minLogNumberToKeep}`,
  );
}

function printFamily(family: ManifestFamily, versionNumber: number, hex: boolean, out: Output): void {
  out.line(`--------------- Column family "${family.name}"  (ID ${family.id}) --------------`);
  out.line(`log number: ${family.logNumber}`);
  const name = family.comparatorName ?? bytewiseComparator.name;
  const known = name === bytewiseComparator.name;
  out.line(known ? `comparator: ${name}` : `comparator: <${name}>, but the comparator object is not available.`);
  for (const [level, files] of familyLevels(family).entries()) {
    const cursor = family.compactCursors.get(level)?.key;
    const cursorText = cursor === undefined ? [] : [' compact_cursor: ', ...internalKeyText(cursor, hex), ' ---'];
    out.line(`--- level ${level} --- version# ${versionNumber} ---`, ...cursorText);
    for (const file of files) {
      // LevelDB's records have no sequences: RocksDB shows an empty range for them.
      const smallest = file.sequencesKnown ? file.smallestSequence : SENTINEL_SEQUENCE;
      const range = `[${sequenceText(smallest)} .. ${sequenceText(file.largestSequence)}]`;
      const keys = [...internalKeyText(file.smallest, hex), ' .. ', ...internalKeyText(file.largest, hex)];
      const blob = file.oldestBlobFile === undefined ? '' : ` blob_file:${file.oldestBlobFile}`;
      out.line(` ${file.number}:${file.sizeBytes}${range}[`, ...keys, `]${blob}`);
    }
  }
  printBlobFiles(family, versionNumber, out);
}

function printBlobFiles(family: ManifestFamily, versionNumber: number, out: Output): void {
  if (family.blobFiles.size === 0) return;
  out.line(`--- blob files --- version# ${versionNumber} ---`);
  const files = familyLevels(family).flat();
  for (const blob of family.blobFiles.values()) {
    const linked = files
      .filter(({ oldestBlobFile }) => oldestBlobFile === blob.number)
      .map(({ number }) => `${number} `);
    out.line(
      `blob_file_number: ${blob.number} total_blob_count: ${blob.count} total_blob_bytes: ${blob.bytes} ` +
        `checksum_method:  checksum_value:  linked_ssts: { ${linked.join('')}} ` +
        'garbage_blob_count: 0 garbage_blob_bytes: 0',
    );
  }
}
