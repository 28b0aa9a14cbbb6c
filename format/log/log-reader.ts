/**
 * Reads a log file record by record. The file is read in large pieces straight into kernel memory, where checksums are
 * verified in place; a record that is one fragment is handed out where it lies, a chain of fragments is joined first.
 *
 * The reader takes no decisions about damage. It reports each finding as an event and, when asked to go on, resumes where
 * RocksDB's reader would: behind the record, or at the next block when the length cannot be trusted.
 */
import { getFixed32, setFixed32 } from '../base/coding.ts';
import { notSupported } from '../base/db-error.ts';
import type { RandomAccessFile } from '../base/file-handles.ts';
import { readAt } from '../base/file-io.ts';
import type { Io } from '../base/io.ts';
import { type Crc32c, crc32c } from '../kernel/crc32c-choice.ts';
import { getKernel, type Kernel } from '../kernel/kernel.ts';
import type { LogEvent, LogEventKind } from './log-event.ts';
import {
  isRecyclableType,
  LOG_BLOCK_SIZE,
  LOG_HEADER_SIZE,
  LOG_TYPE_SAFE_IGNORE_MASK,
  LogCompression,
  LogRecordType,
  RECYCLABLE_LOG_HEADER_SIZE,
} from './log-format.ts';

/** What a step of the reader came upon. */
export const LogStep = {
  /** `record` is valid. */
  record: 0,
  /** `event` is valid; another step goes on behind it. */
  event: 1,
  /** The end of the file. */
  end: 2,
  /** `load` must run before the next step. */
  needData: 3,
} as const;

/**
 * Decompresses one logical record of a compressed WAL: `compressed` is one whole zstd frame without a content size.
 * Throws when it is malformed or would exceed what the implementation allows.
 */
export type LogDecompressor = (compressed: Uint8Array) => Uint8Array;

/** How a file is to be read. */
export interface LogReaderOptions {
  /** The WAL's number; without it records with a log number in their header are not compared (MANIFEST has none). */
  readonly logNumber?: number;
  /** A record boundary to begin at, for instance the `nextOffset` of an earlier reader. */
  readonly startOffset?: number;
  /** Needed for compressed WALs; without it they are `NOT_SUPPORTED`. */
  readonly decompress?: LogDecompressor;
  /** Bytes read at once; a multiple of the block size. */
  readonly readSize?: number;
}

const DEFAULT_READ_SIZE = 1 << 20;
/** The kernel's loops may read this far behind what they are given. */
const SLACK = 16;

/** A cursor over one log file. It borrows the file; `close` frees its memory. */
export class LogReader {
  readonly path: string;
  /** The current record: an address in kernel memory, valid until the next step. */
  recordAddress = 0;
  recordSize = 0;
  /** File offset of the record's first header. */
  recordOffset = 0;
  /** File offset behind the last record or event. */
  nextOffset: number;
  /** The event of the last step that returned `LogStep.event`. */
  event: LogEvent | undefined;
  /** Whether the file's first record has a log number, so that older records may follow the last one. */
  recycled = false;
  /** Compression that the file announces. */
  compression: number = LogCompression.none;

  readonly #file: RandomAccessFile;
  readonly #logNumber: number | undefined;
  readonly #decompress: LogDecompressor | undefined;
  readonly #kernel: Kernel = getKernel();
  readonly #crc32c: Crc32c = crc32c();
  readonly #readSize: number;
  #chunk: number;
  /** File offset of the chunk; a multiple of the block size. */
  #chunkOffset: number;
  #chunkSize = 0;
  /** Whether the chunk reaches the end of the file. */
  #atEnd = false;

  /** Fragments of the open chain, joined. */
  #joined = 0;
  #joinedSize = 0;
  #joinedCapacity = 0;
  #inChain = false;
  #chainOffset = 0;

  /** Where skipped zeros began; -1 none. */
  #zerosFrom = -1;
  #firstRecordSeen = false;

  constructor(file: RandomAccessFile, options: LogReaderOptions = {}) {
    this.path = file.path;
    this.#file = file;
    this.#logNumber = options.logNumber;
    this.#decompress = options.decompress;
    this.#readSize = options.readSize ?? DEFAULT_READ_SIZE;
    this.nextOffset = options.startOffset ?? 0;
    this.#firstRecordSeen = this.nextOffset > 0;
    this.#chunkOffset = this.nextOffset - (this.nextOffset % LOG_BLOCK_SIZE);
    this.#chunk = this.#kernel.malloc(this.#readSize + SLACK);
  }

  /** The current record: a view of kernel memory, valid until the next step. */
  record(): Uint8Array {
    return this.#kernel.bytes(this.recordAddress, this.recordSize);
  }

  /** Frees the reader's memory; the file is the caller's. */
  close(): void {
    this.#kernel.free(this.#chunk);
    this.#kernel.free(this.#joined);
    this.#chunk = 0;
    this.#joined = 0;
    this.#joinedCapacity = 0;
  }

  /** Steps and loads until there is a record, an event or the end. */
  *next(): Io<number> {
    for (;;) {
      const step = this.tryNext();
      if (step !== LogStep.needData) return step;
      yield* this.load();
    }
  }

  /** Reads the next piece of the file. REQUIRES that the last step returned `needData`. */
  *load(): Io<void> {
    const offset = this.nextOffset - (this.nextOffset % LOG_BLOCK_SIZE);
    const target = this.#kernel.bytes(this.#chunk, this.#readSize);
    const size = yield* readAt(this.#file, target, offset);
    this.#chunkOffset = offset;
    this.#chunkSize = size;
    this.#atEnd = size < this.#readSize;
  }

  /** One step over what is loaded. */
  tryNext(): number {
    for (;;) {
      const at = this.nextOffset - this.#chunkOffset;
      if (at >= this.#chunkSize) {
        if (!this.#atEnd) return LogStep.needData;
        return this.#inChain ? this.#endInChain() : LogStep.end;
      }
      const blockEnd = at - (at % LOG_BLOCK_SIZE) + LOG_BLOCK_SIZE;
      const end = Math.min(blockEnd, this.#chunkSize);
      const type = end - at < LOG_HEADER_SIZE ? -1 : this.#kernel.u8[this.#chunk + at + 6]!;
      const headerSize = isRecyclableType(type) ? RECYCLABLE_LOG_HEADER_SIZE : LOG_HEADER_SIZE;
      if (end - at < headerSize) {
        if (end === blockEnd) {
          this.nextOffset = this.#chunkOffset + blockEnd;
          continue;
        }
        return this.#lose('truncatedHeader', end - at, end, `expected ${headerSize} header bytes, found ${end - at}`);
      }
      const step = this.#readPhysical(at, end, type, headerSize);
      if (step >= 0) return step;
    }
  }

  /** Takes the physical record at chunk position `at`; -1 when the logical record goes on. */
  #readPhysical(at: number, end: number, type: number, headerSize: number): number {
    const header = this.#chunk + at;
    const { u8 } = this.#kernel;
    const length = u8[header + 4]! | (u8[header + 5]! << 8);
    if (headerSize === RECYCLABLE_LOG_HEADER_SIZE) {
      if (at + this.#chunkOffset === 0) this.recycled = true;
      if (this.#logNumber !== undefined && getFixed32(u8, header + 7) !== this.#logNumber % 2 ** 32)
        return this.#oldRecord(at, end, headerSize, length);
    }
    if (headerSize + length > end - at) return this.#badLength(at, end, headerSize + length);
    if (type === LogRecordType.zero && length === 0) return this.#zeros(at, end);
    if (this.#zerosFrom >= 0) return this.#endOfZeros(at);
    if (!this.#checksumMatches(header, headerSize, length))
      return this.#lose(
        'checksumMismatch',
        end - at,
        end,
        `the record of type ${type} and length ${length} is damaged`,
      );
    const step = this.#takeFragment(at, type, header + headerSize, length);
    return step;
  }

  #checksumMatches(header: number, headerSize: number, length: number): boolean {
    const { u8, x } = this.#kernel;
    const covered = headerSize - LOG_HEADER_SIZE + 1 + length;
    return x.crc32cMask(this.#crc32c.extend(0, header + 6, covered)) >>> 0 === getFixed32(u8, header);
  }

  /** A fragment whose checksum is right. */
  #takeFragment(at: number, type: number, payload: number, length: number): number {
    const offset = this.#chunkOffset + at;
    const next = this.#chunkOffset + (payload - this.#chunk) + length;
    switch (type) {
      case LogRecordType.full:
      case LogRecordType.recyclableFull:
      case LogRecordType.first:
      case LogRecordType.recyclableFirst:
        if (this.#inChain && this.#joinedSize > 0) return this.#partialRecord(offset);
        this.nextOffset = next;
        this.#firstRecordSeen = true;
        return this.#begin(
          offset,
          payload,
          length,
          type === LogRecordType.full || type === LogRecordType.recyclableFull,
        );
      case LogRecordType.middle:
      case LogRecordType.recyclableMiddle:
      case LogRecordType.last:
      case LogRecordType.recyclableLast:
        this.nextOffset = next;
        if (!this.#inChain)
          return this.#report('missingStart', offset, next - offset, 'a fragment without its first one');
        this.#join(payload, length);
        if (type === LogRecordType.middle || type === LogRecordType.recyclableMiddle) return -1;
        return this.#finish(this.#joined, this.#joinedSize, this.#chainOffset);
      case LogRecordType.setCompressionType:
        this.nextOffset = next;
        return this.#setCompression(offset, payload, length, next);
      case LogRecordType.userDefinedTimestampSizes:
      case LogRecordType.recyclableUserDefinedTimestampSizes:
        this.nextOffset = next;
        return -1;
      default:
        this.nextOffset = next;
        if ((type & LOG_TYPE_SAFE_IGNORE_MASK) !== 0) return -1;
        this.#dropChain();
        return this.#report('unknownType', offset, next - offset, `unknown record type ${type}`);
    }
  }

  #begin(offset: number, payload: number, length: number, whole: boolean): number {
    this.#inChain = !whole;
    this.#joinedSize = 0;
    this.#chainOffset = offset;
    if (whole) return this.#finish(payload, length, offset);
    this.#join(payload, length);
    return -1;
  }

  #join(payload: number, length: number): void {
    const kernel = this.#kernel;
    const needed = this.#joinedSize + length;
    if (needed > this.#joinedCapacity) {
      const capacity = Math.max(needed, this.#joinedCapacity * 2, 2 * LOG_BLOCK_SIZE);
      const grown = kernel.malloc(capacity + SLACK);
      kernel.u8.copyWithin(grown, this.#joined, this.#joined + this.#joinedSize);
      kernel.free(this.#joined);
      this.#joined = grown;
      this.#joinedCapacity = capacity;
    }
    kernel.u8.copyWithin(this.#joined + this.#joinedSize, payload, payload + length);
    this.#joinedSize = needed;
  }

  #finish(address: number, size: number, offset: number): number {
    this.#inChain = false;
    this.recordOffset = offset;
    this.recordAddress = address;
    this.recordSize = size;
    return this.compression === LogCompression.none ? LogStep.record : this.#decompressRecord(offset);
  }

  /** The chunk may hold the compressed bytes, so the plain ones get memory of their own: that of the joined fragments. */
  #decompressRecord(offset: number): number {
    let plain: Uint8Array;
    try {
      // A copy, because codecs do not all take views of shared memory.
      plain = this.#decompress!(this.record().slice());
    } catch (error) {
      const reason = `the record does not decompress: ${error instanceof Error ? error.message : String(error)}`;
      return this.#report('badCompression', offset, this.nextOffset - offset, reason);
    }
    const kernel = this.#kernel;
    this.#joinedSize = 0;
    if (plain.length > this.#joinedCapacity) {
      kernel.free(this.#joined);
      this.#joined = 0;
      this.#joinedCapacity = 0;
      this.#joined = kernel.malloc(plain.length + SLACK);
      this.#joinedCapacity = plain.length;
    }
    kernel.copyIn(plain, this.#joined);
    this.recordAddress = this.#joined;
    this.recordSize = plain.length;
    return LogStep.record;
  }

  #setCompression(offset: number, payload: number, length: number, next: number): number {
    const early = !this.#firstRecordSeen && this.compression === LogCompression.none;
    if (length !== 4 || !early)
      return this.#report('badCompression', offset, next - offset, 'a compression record that is not the first record');
    const type = getFixed32(this.#kernel.u8, payload);
    if (type !== LogCompression.none && (type !== LogCompression.zstd || this.#decompress === undefined))
      throw notSupported(`${this.path}: WAL compression type ${type} is not supported`);
    this.compression = type;
    return -1;
  }

  #oldRecord(at: number, end: number, headerSize: number, length: number): number {
    const size = headerSize + length;
    const whole = size <= end - at;
    const intact = whole && this.#checksumMatches(this.#chunk + at, headerSize, length);
    // A recycled file begins with a whole record, its own or an old one, and no other file has records of this shape.
    const recycled = this.recycled && this.#chunkOffset + at > 0;
    if (!intact && (!recycled || (whole && this.#isOwnButForNumber(at, headerSize, length)))) {
      if (!recycled) this.recycled = false;
      return this.#lose('checksumMismatch', end - at, end, `a record of length ${length} of no known log is damaged`);
    }
    const kind = intact ? 'oldRecord' : 'damagedOldRecord';
    this.#dropChain();
    const found = getFixed32(this.#kernel.u8, this.#chunk + at + 7);
    return this.#lose(kind, 0, whole ? at + size : end, `expected log number ${this.#logNumber}, found ${found}`, at);
  }

  /** Whether only the log number of the record is damaged: with this log's number its checksum is right. */
  #isOwnButForNumber(at: number, headerSize: number, length: number): boolean {
    const { u8 } = this.#kernel;
    const header = this.#chunk + at;
    const found = getFixed32(u8, header + 7);
    setFixed32(u8, header + 7, this.#logNumber! % 2 ** 32);
    const matches = this.#checksumMatches(header, headerSize, length);
    setFixed32(u8, header + 7, found);
    return matches;
  }

  /** In the short last block it is what a torn write leaves; elsewhere no writer ever made it. */
  #badLength(at: number, end: number, size: number): number {
    const last = end % LOG_BLOCK_SIZE !== 0;
    const reason = `expected a record of ${size} bytes, found ${end - at} before the end of the ${last ? 'file' : 'block'}`;
    return this.#lose(last ? 'truncatedBody' : 'badLength', end - at, end, reason);
  }

  /**
   * Zeros are space that was allocated ahead: skipped to the end of the block without a word. But something other than
   * zeros behind them means that records are gone, which RocksDB does not notice. Fewer bytes than a header with a log
   * number are the padding of a block.
   */
  #zeros(at: number, end: number): number {
    const { u8 } = this.#kernel;
    const offset = this.#chunkOffset + at;
    const padding = end - at < RECYCLABLE_LOG_HEADER_SIZE && (offset + end - at) % LOG_BLOCK_SIZE === 0;
    if (this.#zerosFrom < 0 && !padding) this.#zerosFrom = offset;
    let i = this.#chunk + at;
    const limit = this.#chunk + end;
    while (i < limit && u8[i] === 0) i++;
    this.nextOffset = this.#chunkOffset + end;
    if (i < limit) return this.#gap(this.nextOffset);
    if (!this.#inChain) return -1;
    const chainOffset = this.#chainOffset;
    this.#dropChain();
    return this.#report('brokenRecord', chainOffset, offset - chainOffset, 'zeros inside a fragmented record');
  }

  #endOfZeros(at: number): number {
    return this.#gap(this.#chunkOffset + at);
  }

  #gap(end: number): number {
    const from = this.#zerosFrom;
    this.#zerosFrom = -1;
    this.#dropChain();
    return this.#report('zeroGap', from, end - from, 'zeros where a record is expected, and data behind them');
  }

  #partialRecord(offset: number): number {
    const from = this.#chainOffset;
    this.#dropChain();
    return this.#report('partialRecord', from, offset - from, 'a fragmented record without its end');
  }

  #endInChain(): number {
    const from = this.#chainOffset;
    this.#dropChain();
    return this.#report('unfinishedRecord', from, this.nextOffset - from, 'the file ends inside a fragmented record');
  }

  /** Reports the record at the current position and goes on at chunk position `next`. */
  #lose(
    kind: LogEventKind,
    bytes: number,
    next: number,
    reason: string,
    at = this.nextOffset - this.#chunkOffset,
  ): number {
    const offset = this.#chunkOffset + at;
    this.nextOffset = this.#chunkOffset + next;
    this.#zerosFrom = -1;
    const chain = this.#inChain && kind !== 'truncatedHeader' ? offset - this.#chainOffset : 0;
    if (chain > 0) this.#dropChain();
    return this.#report(kind, offset, bytes + chain, reason);
  }

  #dropChain(): void {
    this.#inChain = false;
    this.#joinedSize = 0;
  }

  #report(kind: LogEventKind, offset: number, bytes: number, reason: string): number {
    this.event = { kind, offset, bytes, reason };
    return LogStep.event;
  }
}
