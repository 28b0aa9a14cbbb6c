/**
 * What the writer frames the reader gives back, at every position in a block; and the first bytes are those that RocksDB
 * wrote. Kernel memory must come back when reader and writer close.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromHex, utf8 } from '../../../format/base/bytes.ts';
import { runAsync, runSync } from '../../../format/base/io.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { LOG_BLOCK_SIZE } from '../../../format/log/log-format.ts';
import { LogReader, LogStep } from '../../../format/log/log-reader.ts';
import { LogWriter, type LogWriterOptions } from '../../../format/log/log-writer.ts';
import { bytesFile, GrowingFile, randomBytes, seededRandom } from '../base/byte-files.ts';
import { eventsOf, readLog, recordsOf } from './log-steps.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

function write(records: readonly Uint8Array[], options: LogWriterOptions = {}): Uint8Array {
  const file = new GrowingFile();
  const writer = new LogWriter(file, options);
  for (const record of records) runSync(writer.append(record));
  writer.close();
  return file.bytes;
}

describe('log files', () => {
  test('a record is framed as RocksDB frames it', () => {
    const golden = readFileSync(join(fixtures, 'tiny/db/000008.log'));
    const batch = fromHex('040000000000000001000000010663686572727904' + '6461726b');
    expect(Buffer.from(write([batch])).equals(golden)).toBe(true);
  });

  test.each([undefined, 14])('records of every size round a block edge come back (log number %s)', (logNumber) => {
    const options = logNumber === undefined ? {} : { recyclableLogNumber: logNumber };
    const random = seededRandom(7);
    for (let gap = 0; gap <= 40; gap++) {
      const first = randomBytes(random, LOG_BLOCK_SIZE - 11 - gap);
      const records = [first, randomBytes(random, gap), utf8(''), randomBytes(random, 70_000), utf8('end')];
      const bytes = write(records, options);
      const found = readLog(bytes, logNumber === undefined ? {} : { logNumber });
      expect(eventsOf(found), `gap ${gap}`).toEqual([]);
      expect(sameBytes(recordsOf(found), records), `gap ${gap}`).toBe(true);
    }
  });

  test('many random records, read in small pieces, synchronously and not', async () => {
    const random = seededRandom(11);
    const records = Array.from({ length: 400 }, () => randomBytes(random, Math.floor(random() ** 4 * 120_000)));
    const bytes = write(records);
    expect(sameBytes(recordsOf(readLog(bytes, { readSize: LOG_BLOCK_SIZE })), records)).toBe(true);
    const reader = new LogReader(bytesFile(bytes), { readSize: 3 * LOG_BLOCK_SIZE });
    let count = 0;
    while ((await runAsync(reader.next())) === LogStep.record) {
      expect(sameBytes([reader.record()], [records[count]!])).toBe(true);
      count++;
    }
    reader.close();
    expect(count).toBe(records.length);
  });

  test('a later reader goes on where an earlier one stood', () => {
    const records = ['a', 'bb', 'ccc'].map(utf8);
    const bytes = write(records);
    const reader = new LogReader(bytesFile(bytes));
    expect(runSync(reader.next())).toBe(LogStep.record);
    const rest = readLog(bytes, { startOffset: reader.nextOffset });
    reader.close();
    expect(recordsOf(rest)).toEqual(records.slice(1));
  });

  test('records added together become one append, and more may be added while it is under way', async () => {
    const file = new GrowingFile();
    const writer = new LogWriter(file);
    writer.add(utf8('one'));
    writer.add(utf8('two'));
    expect(writer.bufferedBytes).toBe(20);
    const flushed = writer.flush();
    writer.add(utf8('three'));
    await flushed;
    expect(file.appends).toBe(1);
    expect(recordsOf(readLog(file.bytes))).toEqual(['one', 'two'].map(utf8));
    writer.flushSync();
    expect(writer.size).toBe(file.size);
    expect(recordsOf(readLog(file.bytes))).toEqual(['one', 'two', 'three'].map(utf8));
    writer.close();
  });

  test('a failed append is thrown and drops what was buffered', async () => {
    const file = new GrowingFile();
    const writer = new LogWriter(file);
    file.fail = true;
    await expect(runAsync(writer.append(utf8('lost')))).rejects.toThrowError('append failed');
    expect(writer.bufferedBytes).toBe(0);
    expect(() => runSync(writer.append(utf8('later')))).toThrowError('append failed');
    writer.close();
  });

  test('S1 a value of 40 MiB is one record, and no kernel memory stays behind', () => {
    const before = getKernel().x.allocatedBytes();
    const big = randomBytes(seededRandom(3), 1 << 20);
    const record = new Uint8Array(40 << 20);
    for (let at = 0; at < record.length; at += big.length) record.set(big, at);
    const found = recordsOf(readLog(write([record])));
    expect(Buffer.compare(found[0]!, record)).toBe(0);
    expect(getKernel().x.allocatedBytes()).toBe(before);
  });

  test('golden logs are read whole, and what we frame of their records equals the files', () => {
    let count = 0;
    for (const name of ['wal-block-edges', 'wal-multi-cf', 'wal-only', 'wal-2pc', 'leveldb-wal-only', 'large-values']) {
      for (const path of logsOf(name)) {
        const bytes = readFileSync(path);
        const found = readLog(bytes);
        expect(eventsOf(found), path).toEqual([]);
        expect(Buffer.compare(write(recordsOf(found)), bytes), path).toBe(0);
        count += recordsOf(found).length;
      }
    }
    expect(count).toBeGreaterThan(100);
  });
});

/** Far faster than `toEqual` on large arrays. */
function sameBytes(found: readonly Uint8Array[], expected: readonly Uint8Array[]): boolean {
  return found.length === expected.length && found.every((bytes, i) => Buffer.compare(bytes, expected[i]!) === 0);
}

function logsOf(name: string): string[] {
  const db = join(fixtures, name, 'db');
  return readdirSync(db)
    .filter((file) => file.endsWith('.log'))
    .map((file) => join(db, file));
}
