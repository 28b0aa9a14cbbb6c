/**
 * What the reader reports of every kind of damage, of recycled and compressed logs; and that no flipped bit of a small log
 * loses a record in silence.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { setFixed16, setFixed32 } from '../../../format/base/coding.ts';
import { concatBytes, utf8 } from '../../../format/base/bytes.ts';
import { runSync } from '../../../format/base/io.ts';
import { WriteBatchReader } from '../../../format/batch/write-batch-reader.ts';
import { decompressZstdFrames } from '../../../format/compression/zstd.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { findIntactRecordAfter } from '../../../format/log/intact-record-search.ts';
import { LOG_BLOCK_SIZE } from '../../../format/log/log-format.ts';
import { LogWriter, type LogWriterOptions } from '../../../format/log/log-writer.ts';
import { WalRecoveryPolicy } from '../../../format/log/recovery-policy.ts';
import { bytesFile, GrowingFile, randomBytes, seededRandom } from '../base/byte-files.ts';
import { eventsOf, readLog, recordsOf } from './log-steps.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');
const decompress = (frame: Uint8Array): Uint8Array => decompressZstdFrames(frame, 1 << 30);

/** One physical record with a right checksum. */
function physical(type: number, payload: Uint8Array, logNumber?: number): Uint8Array {
  const headerSize = logNumber === undefined ? 7 : 11;
  const bytes = new Uint8Array(headerSize + payload.length);
  setFixed16(bytes, 4, payload.length);
  bytes[6] = type;
  if (logNumber !== undefined) setFixed32(bytes, 7, logNumber);
  bytes.set(payload, headerSize);
  const kernel = getKernel();
  const at = kernel.malloc(bytes.length + 16);
  kernel.copyIn(bytes, at);
  setFixed32(bytes, 0, kernel.x.crc32cMask(kernel.x.crc32c(at + 6, bytes.length - 6)));
  kernel.free(at);
  return bytes;
}

function write(records: readonly Uint8Array[], options: LogWriterOptions = {}): Uint8Array {
  const file = new GrowingFile();
  const writer = new LogWriter(file, options);
  for (const record of records) runSync(writer.append(record));
  writer.close();
  return file.bytes;
}

const payload = utf8('some payload bytes');
const whole = physical(1, payload);

describe('events', () => {
  test('the end of the file inside a header, a body and a chain', () => {
    expect(readLog(concatBytes([whole, whole.subarray(0, 4)])).at(-1)).toEqual({
      event: 'truncatedHeader',
      offset: whole.length,
      bytes: 4,
    });
    expect(readLog(concatBytes([whole, whole.subarray(0, 20)])).at(-1)).toEqual({
      event: 'truncatedBody',
      offset: whole.length,
      bytes: 20,
    });
    expect(readLog(concatBytes([whole, physical(2, payload)])).at(-1)).toEqual({
      event: 'unfinishedRecord',
      offset: whole.length,
      bytes: 25,
    });
  });

  test('fragments out of order', () => {
    expect(eventsOf(readLog(physical(3, payload)))).toEqual(['missingStart']);
    expect(eventsOf(readLog(physical(4, payload)))).toEqual(['missingStart']);
    const found = readLog(
      concatBytes([physical(2, payload), whole, physical(2, payload), physical(2, payload), physical(4, payload)]),
    );
    expect(eventsOf(found)).toEqual(['partialRecord', 'partialRecord']);
    expect(recordsOf(found)).toEqual([payload, concatBytes([payload, payload])]);
  });

  test('an empty first fragment before a whole record is a habit of old writers, not damage', () => {
    const found = readLog(concatBytes([physical(2, utf8('')), whole]));
    expect(eventsOf(found)).toEqual([]);
    expect(recordsOf(found)).toEqual([payload]);
  });

  test('types: unknown ones are reported, skippable and timestamp ones passed over', () => {
    expect(eventsOf(readLog(concatBytes([physical(12, payload), whole])))).toEqual(['unknownType']);
    const passed = [
      physical(10, payload),
      physical(11, payload, 5),
      physical(130, payload),
      physical(131, payload, 5),
      whole,
    ];
    const found = readLog(concatBytes(passed), { logNumber: 5 });
    expect(eventsOf(found)).toEqual([]);
    expect(recordsOf(found)).toEqual([payload]);
  });

  test('a wrong checksum drops the rest of its block, a wild length too', () => {
    const block = write(Array.from({ length: 4 }, () => new Uint8Array(20_000).fill(7)));
    const flipped = block.slice();
    flipped[100]! ^= 1;
    expect(eventsOf(readLog(flipped))).toEqual(['checksumMismatch', 'missingStart']);
    const wild = block.slice();
    setFixed16(wild, 4, 60_000);
    expect(eventsOf(readLog(wild))).toEqual(['badLength', 'missingStart']);
    expect(recordsOf(readLog(wild))).toHaveLength(2);
  });

  test('zeros are silent at the end and a gap in the middle, also over whole blocks', () => {
    expect(eventsOf(readLog(concatBytes([whole, new Uint8Array(100_000)])))).toEqual([]);
    const gap = new Uint8Array(2 * LOG_BLOCK_SIZE - whole.length);
    const found = readLog(concatBytes([whole, gap, whole]));
    expect(found[1]).toEqual({ event: 'zeroGap', offset: whole.length, bytes: gap.length });
    expect(recordsOf(found)).toHaveLength(2);
    expect(eventsOf(readLog(concatBytes([physical(2, payload), new Uint8Array(50)])))).toEqual(['brokenRecord']);
  });

  test('records of another log number end a recycled log', () => {
    const old = write([payload, payload, payload], { recyclableLogNumber: 3 });
    const bytes = concatBytes([write([payload], { recyclableLogNumber: 9 }), old.subarray(29)]);
    const found = readLog(bytes, { logNumber: 9 });
    expect(recordsOf(found)).toHaveLength(1);
    expect(eventsOf(found)).toEqual(['oldRecord', 'oldRecord']);
    const damaged = bytes.slice();
    damaged[29 + 7]! ^= 1;
    expect(eventsOf(readLog(damaged, { logNumber: 9 }))[0]).toBe('damagedOldRecord');
  });

  test('the golden recycled log ends in old records', () => {
    const path = join(fixtures, 'wal-recycled/db/000014.log');
    const found = readLog(readFileSync(path), { logNumber: 14 });
    const batches = recordsOf(found).map((record) => new WriteBatchReader(record));
    const last = batches.at(-1)!;
    expect(last.sequence + last.count - 1).toBe(520);
    expect(found.findIndex((item) => 'event' in item)).toBe(batches.length);
  });
});

describe('compressed logs', () => {
  test('the golden one is read', () => {
    const found = readLog(readFileSync(join(fixtures, 'wal-compressed-zstd/db/000004.log')), { decompress });
    expect(eventsOf(found)).toEqual([]);
    expect(recordsOf(found).length).toBeGreaterThan(1);
    let next = 1;
    for (const record of recordsOf(found)) {
      const reader = new WriteBatchReader(record);
      while (reader.next());
      expect(reader.sequence).toBe(next);
      next += reader.count;
    }
  });

  test('without a decompressor they are not supported', () => {
    const bytes = readFileSync(join(fixtures, 'wal-compressed-zstd/db/000004.log'));
    expect(() => readLog(bytes)).toThrowError(expect.objectContaining({ code: 'NOT_SUPPORTED' }));
  });

  test('records that do not decompress are reported, and the next ones read', () => {
    const compress = (record: Uint8Array): Uint8Array => record;
    const bytes = write([utf8('bad'), utf8('good')], { compress });
    const picky = (frame: Uint8Array): Uint8Array => {
      if (frame[0] === 'b'.charCodeAt(0)) throw new Error('no frame');
      return concatBytes([frame, frame]);
    };
    const found = readLog(bytes, { decompress: picky });
    expect(eventsOf(found)).toEqual(['badCompression']);
    expect(recordsOf(found)).toEqual([utf8('goodgood')]);
  });

  test('a compression record later than first is damage', () => {
    expect(eventsOf(readLog(concatBytes([whole, physical(9, new Uint8Array([7, 0, 0, 0]))]), { decompress }))).toEqual([
      'badCompression',
    ]);
  });
});

describe('the search for intact records', () => {
  test('finds the next one behind a damaged length, and none behind the last record', () => {
    const bytes = write([payload, payload, payload]);
    setFixed16(bytes, 25 + 4, 60_000);
    const file = bytesFile(bytes);
    expect(runSync(findIntactRecordAfter(file, 25, {}))).toBe(50);
    expect(runSync(findIntactRecordAfter(file, 50, {}))).toBeUndefined();
    expect(runSync(findIntactRecordAfter(file, 25, {}, () => false))).toBeUndefined();
  });

  test('fragments without their first one do not count, whole chains in later blocks do', () => {
    const random = seededRandom(5);
    const tail = write([randomBytes(random, 100_000)]);
    tail[10]! ^= 1;
    expect(runSync(findIntactRecordAfter(bytesFile(tail), 0, {}))).toBeUndefined();
    const more = write([randomBytes(random, 100_000), randomBytes(random, 100_000)]);
    more[10]! ^= 1;
    expect(runSync(findIntactRecordAfter(bytesFile(more), 0, {}))).toBe(100_000 + 4 * 7);
  });
});

test('every flipped bit of a log: each record is read, or its loss is an error or is reported', () => {
  const random = seededRandom(23);
  const records = [40, 0, 33_000, 12, 25].map((size) => randomBytes(random, size));
  const bytes = write(records);
  let errors = 0;
  for (let at = 0; at < bytes.length; at += at > 60 && at < 33_000 ? 499 : 1) {
    for (let bit = 0; bit < 8; bit++) {
      bytes[at]! ^= 1 << bit;
      const policy = new WalRecoveryPolicy('pointInTime', 'errorIfNotTail');
      const file = bytesFile(bytes);
      const found = readLog(bytes);
      const first = found.findIndex((item) => 'event' in item);
      const event = found[first];
      expect(event, `byte ${at} bit ${bit}`).toBeDefined();
      if (event !== undefined && 'event' in event) {
        const intact = runSync(findIntactRecordAfter(file, event.offset, {})) !== undefined;
        const action = policy.onDamage(event.event, false, intact);
        if (action === 'error') errors++;
        else expect(first, `byte ${at} bit ${bit}: only the last record may be given up`).toBe(records.length - 1);
      }
      bytes[at]! ^= 1 << bit;
    }
  }
  expect(errors).toBeGreaterThan(1000);
}, 120_000);
