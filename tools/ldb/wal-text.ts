/** A write-ahead log as text: a line for each batch, with every record in it. */

import { ValueType } from '../../format/base/internal-key.ts';
import { runAsync } from '../../format/base/io.ts';
import { WriteBatchReader } from '../../format/batch/write-batch-reader.ts';
import { decompressZstdFrames } from '../../format/compression/zstd.ts';
import type { LogEvent, LogEventKind } from '../../format/log/log-event.ts';
import { LogReader, LogStep } from '../../format/log/log-reader.ts';
import { parseFileName } from '../../format/manifest/file-name.ts';
import type { RandomAccessFile } from '../../src/env/file-system.ts';
import { bytesText } from '../lib/bytes-text.ts';
import { prefixedHex } from '../lib/hex.ts';
import { statusText } from '../lib/status-text.ts';
import type { CommandContext } from './command-context.ts';
import { commandFailure } from './command-failure.ts';

/** More bytes than a batch is decompressed to. */
const DECOMPRESSED_MAX = 1 << 30;

/** What is printed. */
export interface WalTextOptions {
  /** Names of the columns, as the first line. */
  readonly header: boolean;
  /** Values beside the keys. */
  readonly values: boolean;
}

/** Events that RocksDB's tool reports, and its words for them; others are the ends of logs that a crash leaves. */
const REPORTED: ReadonlyMap<LogEventKind, string> = new Map<LogEventKind, string>([
  ['checksumMismatch', 'checksum mismatch'],
  ['badLength', 'bad record length'],
  ['partialRecord', 'partial record without end'],
  ['missingStart', 'missing start of fragmented record'],
  ['unknownType', 'unknown record type'],
  ['brokenRecord', 'error in middle of record'],
  ['badCompression', 'could not decompress a record'],
]);

/** Prints the log at `path`. Damage is reported on stderr and stepped over, as far as that can be done. */
export async function printWal(context: CommandContext, path: string, options: WalTextOptions): Promise<void> {
  let file: RandomAccessFile;
  try {
    await context.requireFile(path);
    file = await context.fileSystem.openRandom(path);
  } catch (error) {
    throw commandFailure(`Failed to open WAL file ${statusText(error)}`);
  }
  const name = parseFileName(path.slice(path.lastIndexOf('/') + 1));
  const reader = new LogReader(file, {
    ...(name?.kind === 'wal' ? { logNumber: name.number } : {}),
    decompress: (bytes) => decompressZstdFrames(bytes, DECOMPRESSED_MAX),
  });
  if (options.header && !context.json) {
    context.out.line(`Sequence,Count,ByteSize,Physical Offset,Key(s)${options.values ? ' : value ' : ''}`);
  }
  try {
    for (let step = await runAsync(reader.next()); step !== LogStep.end; step = await runAsync(reader.next())) {
      if (step === LogStep.event) report(context, reader.event!);
      else printBatch(context, reader, options);
      if (context.out.full) await context.out.flush();
    }
  } finally {
    reader.close();
    await file.close();
  }
}

function report(context: CommandContext, event: LogEvent): void {
  const words = REPORTED.get(event.kind);
  if (words !== undefined) context.err.line(`Corruption detected in log file Corruption: ${words}`);
}

function printBatch(context: CommandContext, reader: LogReader, options: WalTextOptions): void {
  const record = reader.record();
  let batch: WriteBatchReader;
  try {
    batch = new WriteBatchReader(record, reader.path);
  } catch {
    context.err.line('Corruption detected in log file Corruption: log record too small');
    return;
  }
  if (context.json) {
    context.out.line(JSON.stringify(batchJson(context, reader, batch, options)));
    return;
  }
  let line = `${batch.sequence},${batch.count},${record.length},${reader.recordOffset},`;
  try {
    while (batch.next()) {
      // RocksDB's tool passes over log data, which is not part of the database.
      if (batch.type !== ValueType.logData) line += `${recordText(batch, options.values)} `;
    }
    context.out.line(line);
  } catch (error) {
    context.out.line(line);
    context.err.line(statusText(error));
  }
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [ValueType.value, 'PUT'],
  [ValueType.deletion, 'DELETE'],
  [ValueType.singleDeletion, 'SINGLE_DELETE'],
  [ValueType.rangeDeletion, 'DELETE_RANGE'],
  [ValueType.merge, 'MERGE'],
  [ValueType.blobIndex, 'PUT_BLOB_INDEX'],
  [ValueType.wideColumnEntity, 'PUT_ENTITY'],
  [ValueType.valuePreferredSeqno, 'TIMED_PUT'],
  [ValueType.logData, 'LOG_DATA'],
  [ValueType.noop, 'NOOP'],
  [ValueType.endPrepare, 'END_PREPARE'],
  [ValueType.commit, 'COMMIT'],
  [ValueType.commitWithTimestamp, 'COMMIT_WITH_TIMESTAMP'],
  [ValueType.rollback, 'ROLLBACK'],
]);

const BEGIN_PREPARE = 'BEGIN_PREPARE';

function recordText(batch: WriteBatchReader, values: boolean): string {
  const name = NAMES.get(batch.type) ?? BEGIN_PREPARE;
  const key = prefixedHex(batch.key());
  switch (batch.type) {
    case ValueType.value:
    case ValueType.merge:
    case ValueType.blobIndex:
    case ValueType.wideColumnEntity:
    case ValueType.valuePreferredSeqno:
      return `${name}(${batch.family}) : ${key}${values ? ` : ${prefixedHex(batch.value())}` : ''}`;
    case ValueType.deletion:
    case ValueType.singleDeletion:
      return `${name}(${batch.family}) : ${key}`;
    case ValueType.rangeDeletion:
      return `${name}(${batch.family}) : ${key} ${prefixedHex(batch.value())}`;
    case ValueType.noop:
      return name;
    case ValueType.endPrepare:
    case ValueType.commit:
    case ValueType.commitWithTimestamp:
    case ValueType.rollback:
      return `${name}(${key})`;
    default:
      return `${name}(${batch.type === ValueType.beginUnprepare})`;
  }
}

function batchJson(
  context: CommandContext,
  reader: LogReader,
  batch: WriteBatchReader,
  options: WalTextOptions,
): Record<string, unknown> {
  const records: Record<string, unknown>[] = [];
  const result: Record<string, unknown> = {
    sequence: batch.sequence,
    count: batch.count,
    byteSize: reader.recordSize,
    offset: reader.recordOffset,
    records,
  };
  try {
    while (batch.next()) records.push(recordJson(context, batch, options.values));
  } catch (error) {
    result.error = statusText(error);
  }
  return result;
}

function recordJson(context: CommandContext, batch: WriteBatchReader, values: boolean): Record<string, unknown> {
  const record: Record<string, unknown> = { type: NAMES.get(batch.type) ?? BEGIN_PREPARE };
  if (batch.counts) record.family = batch.family;
  if (batch.keySize > 0 || batch.counts) record.key = context.jsonKey(batch.key());
  if (batch.type === ValueType.rangeDeletion) record.end = context.jsonKey(batch.value());
  else if (values && batch.valueSize > 0) record.value = bytesText(batch.value(), context.valueHex);
  return record;
}
