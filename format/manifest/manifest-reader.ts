/**
 * Reads a whole MANIFEST. Its last record may be torn, since an edit counts only once it is synced; any other damage is
 * an error, because every later state builds on every earlier edit. RocksDB takes a damaged length in the last block for
 * a torn write and loses the edits behind it; here they are searched for.
 */
import { getFixed32 } from '../base/coding.ts';
import { corruption } from '../base/db-error.ts';
import type { RandomAccessFile } from '../base/file-handles.ts';
import { readAt } from '../base/file-io.ts';
import { type Io, io } from '../base/io.ts';
import { getKernel } from '../kernel/kernel.ts';
import { findIntactRecordAfter } from '../log/intact-record-search.ts';
import type { LogEvent, LogEventKind } from '../log/log-event.ts';
import { LOG_HEADER_SIZE, LogRecordType } from '../log/log-format.ts';
import { LogReader, LogStep } from '../log/log-reader.ts';
import { ManifestState } from './manifest-state.ts';

/** A MANIFEST's state and how its file ended. */
export interface ManifestContents {
  readonly state: ManifestState;
  /** Size of the part that was read: up to the end of the last whole record. */
  readonly validBytes: number;
  /** The torn record at the end, if there is one; it was never in force. */
  readonly tornTail: LogEvent | undefined;
}

/** Kinds that a write which a crash cut short can leave at the end of a file. */
const tornKinds: ReadonlySet<LogEventKind> = new Set<LogEventKind>([
  'truncatedHeader',
  'truncatedBody',
  'unfinishedRecord',
]);
/** Kinds that it can leave when some of its sectors reached the disk and others did not. */
const sectorKinds: ReadonlySet<LogEventKind> = new Set<LogEventKind>(['checksumMismatch', 'zeroGap', 'brokenRecord']);

/** The unit in which devices write. */
const SECTOR_SIZE = 512;
/** Zeros of a lost sector that are too few to tell from a record's own. */
const LOST_BYTES_MIN = 4;
/** More bytes than an edit that is torn by a crash is looked at for. */
const TORN_TAIL_MAX = 1 << 20;

/** Replays the MANIFEST `file`. `CORRUPTION` names the file, the offset and what is wrong. */
export function* readManifest(file: RandomAccessFile): Io<ManifestContents> {
  const state = new ManifestState(file.path);
  const reader = new LogReader(file);
  let validBytes = 0;
  let tornTail: LogEvent | undefined;
  try {
    for (;;) {
      const step = yield* reader.next();
      if (step === LogStep.end) break;
      if (step === LogStep.event) {
        tornTail = reader.event!;
        yield* requireTorn(file, tornTail);
        break;
      }
      state.applyRecord(reader.record(), reader.recordOffset);
      validBytes = reader.nextOffset;
    }
  } finally {
    reader.close();
  }
  state.finish();
  return { state, validBytes, tornTail };
}

function* requireTorn(file: RandomAccessFile, event: LogEvent): Io<void> {
  const intact = yield* findIntactRecordAfter(file, event.offset, {});
  if (intact === undefined && (yield* looksTorn(file, event))) return;
  const behind = intact === undefined ? '' : `, followed by an intact record at offset ${intact}`;
  throw corruption(`${file.path}: ${event.kind} at offset ${event.offset}: ${event.reason}${behind}`);
}

function* looksTorn(file: RandomAccessFile, event: LogEvent): Io<boolean> {
  if (!tornKinds.has(event.kind) && !sectorKinds.has(event.kind)) return false;
  const size = yield* io(
    () => file.sizeSync(),
    () => file.size(),
  );
  if (size - event.offset > TORN_TAIL_MAX) return tornKinds.has(event.kind);
  const tail = new Uint8Array(size - event.offset);
  yield* readAt(file, tail, event.offset);
  if (sectorKinds.has(event.kind)) return hasLostSector(tail, event.offset);
  return event.kind === 'unfinishedRecord' || isCutRecord(tail);
}

/**
 * Whether `tail` can be the beginning of a record of a MANIFEST. It cannot where its type is none of a MANIFEST's, nor
 * where the checksum is right for just the bytes that are there: then the record is whole and its length is damaged.
 */
function isCutRecord(tail: Uint8Array): boolean {
  if (tail.length < LOG_HEADER_SIZE) return true;
  const type = tail[6]!;
  if (type < LogRecordType.full || type > LogRecordType.last) return false;
  const kernel = getKernel();
  const at = kernel.malloc(tail.length + 16);
  kernel.copyIn(tail, at);
  const whole = kernel.x.crc32cMask(kernel.x.crc32c(at + 6, tail.length - 6)) >>> 0 === getFixed32(tail, 0);
  kernel.free(at);
  return !whole;
}

/** Whether some sector of the end of the file is all zeros: allocated, but never written. */
function hasLostSector(tail: Uint8Array, offset: number): boolean {
  for (let from = 0; from < tail.length; ) {
    const to = Math.min(tail.length, from + SECTOR_SIZE - ((offset + from) % SECTOR_SIZE));
    if (to - from >= LOST_BYTES_MIN && tail.subarray(from, to).every((byte) => byte === 0)) return true;
    from = to;
  }
  return false;
}
