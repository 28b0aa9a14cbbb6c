/**
 * Reads a whole MANIFEST. Its last record may be torn, since an edit counts only once it is synced; any other damage is
 * an error, because every later state builds on every earlier edit. RocksDB takes a damaged length in the last block for
 * a torn write and loses the edits behind it; here they are searched for.
 */
import { corruption } from '../base/db-error.ts';
import type { RandomAccessFile } from '../base/file-handles.ts';
import { type Io, io } from '../base/io.ts';
import { findIntactRecordAfter } from '../log/intact-record-search.ts';
import type { LogEvent, LogEventKind } from '../log/log-event.ts';
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
  const torn = tornKinds.has(event.kind) || (sectorKinds.has(event.kind) && (yield* hasLostSector(file, event.offset)));
  if (intact === undefined && torn) return;
  const behind = intact === undefined ? '' : `, followed by an intact record at offset ${intact}`;
  throw corruption(`${file.path}: ${event.kind} at offset ${event.offset}: ${event.reason}${behind}`);
}

/** Whether some sector of the file's end, from `offset` on, is all zeros: allocated, but never written. */
function* hasLostSector(file: RandomAccessFile, offset: number): Io<boolean> {
  const size = yield* io(
    () => file.sizeSync(),
    () => file.size(),
  );
  if (size - offset > TORN_TAIL_MAX) return false;
  const tail = new Uint8Array(size - offset);
  yield* io(
    () => file.readSync(tail, offset),
    () => file.read(tail, offset),
  );
  for (let from = 0; from < tail.length; ) {
    const to = Math.min(tail.length, from + SECTOR_SIZE - ((offset + from) % SECTOR_SIZE));
    if (to - from >= LOST_BYTES_MIN && tail.subarray(from, to).every((byte) => byte === 0)) return true;
    from = to;
  }
  return false;
}
