/**
 * Tells a torn tail from damage in the middle of a log: searches what lies behind a damaged place for a later record that
 * is whole and correct. A wrong length hides all records behind it, so block starts are not enough and every byte is a
 * candidate. Only used when something is wrong already, since it may read the whole rest of the file.
 */
import { getFixed32 } from '../base/coding.ts';
import type { RandomAccessFile } from '../base/file-handles.ts';
import { readAt } from '../base/file-io.ts';
import type { Io } from '../base/io.ts';
import { getKernel } from '../kernel/kernel.ts';
import { LOG_BLOCK_SIZE, LOG_HEADER_SIZE, LogRecordType, RECYCLABLE_LOG_HEADER_SIZE } from './log-format.ts';
import { LogReader, type LogReaderOptions, LogStep } from './log-reader.ts';

/**
 * Says whether a whole, correct record is one that the log's writer put there, rather than bytes of some value that
 * happen to look like a record (a value may hold a copy of a log). `record` is borrowed for the call.
 */
export type IntactRecordTest = (record: Uint8Array, offset: number) => boolean;

const SLACK = 16;

/**
 * Offset of the first intact record that begins behind `offset`, or `undefined`. A record counts when all its fragments
 * are there and correct and `accept` agrees; fragments without their first one do not. In a log with log numbers only
 * records of `options.logNumber` count.
 */
export function* findIntactRecordAfter(
  file: RandomAccessFile,
  offset: number,
  options: LogReaderOptions,
  accept: IntactRecordTest = () => true,
): Io<number | undefined> {
  const kernel = getKernel();
  const block = kernel.malloc(LOG_BLOCK_SIZE + SLACK);
  try {
    for (let blockOffset = offset - (offset % LOG_BLOCK_SIZE); ; blockOffset += LOG_BLOCK_SIZE) {
      const target = kernel.bytes(block, LOG_BLOCK_SIZE);
      const size = yield* readAt(file, target, blockOffset);
      const start = blockOffset > offset ? 0 : offset + 1 - blockOffset;
      for (let at = start; (at = nextCandidate(block, at, size, options.logNumber)) < size; at++) {
        if (yield* isIntact(file, blockOffset + at, options, accept)) return blockOffset + at;
      }
      if (size < LOG_BLOCK_SIZE) return undefined;
    }
  } finally {
    kernel.free(block);
  }
}

/** Position of the next correct physical record that begins a logical one, from `from` on; `size` when there is none. */
function nextCandidate(block: number, from: number, size: number, logNumber: number | undefined): number {
  const { u8, x } = getKernel();
  for (let at = from; at + LOG_HEADER_SIZE <= size; at++) {
    const header = block + at;
    const type = u8[header + 6]!;
    const plain = type === LogRecordType.full || type === LogRecordType.first;
    if (!plain && type !== LogRecordType.recyclableFull && type !== LogRecordType.recyclableFirst) continue;
    const headerSize = plain ? LOG_HEADER_SIZE : RECYCLABLE_LOG_HEADER_SIZE;
    const length = u8[header + 4]! | (u8[header + 5]! << 8);
    if (at + headerSize + length > size) continue;
    if (!plain && (logNumber === undefined || getFixed32(u8, header + 7) !== logNumber % 2 ** 32)) continue;
    const covered = headerSize - LOG_HEADER_SIZE + 1 + length;
    if (x.crc32cMask(x.crc32c(header + 6, covered)) >>> 0 === getFixed32(u8, header)) return at;
  }
  return size;
}

/** Reads the logical record at `offset` to its end. */
function* isIntact(
  file: RandomAccessFile,
  offset: number,
  options: LogReaderOptions,
  accept: IntactRecordTest,
): Io<boolean> {
  const reader = new LogReader(file, { ...options, startOffset: offset, readSize: 2 * LOG_BLOCK_SIZE });
  try {
    const step = yield* reader.next();
    return step === LogStep.record && reader.recordOffset === offset && accept(reader.record(), offset);
  } finally {
    reader.close();
  }
}
