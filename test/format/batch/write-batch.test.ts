/** WriteBatch against RocksDB's own bytes, against a model, and against hostile input. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromHex, textOf, toHex, utf8 } from '../../../format/base/bytes.ts';
import { setFixed32, setFixed64 } from '../../../format/base/coding.ts';
import { ValueType } from '../../../format/base/internal-key.ts';
import { WriteBatch } from '../../../format/batch/write-batch.ts';
import { type WriteBatchHandler, WriteBatchReader } from '../../../format/batch/write-batch-reader.ts';
import { randomBytes, seededRandom } from '../base/byte-files.ts';
import { readLog, recordsOf } from '../log/log-steps.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

/** Writes what it is given as lines. */
function lines(): { handler: WriteBatchHandler; out: string[] } {
  const out: string[] = [];
  const text = (bytes: Uint8Array): string => textOf(bytes);
  const handler: WriteBatchHandler = {
    put: (family, key, value) => void out.push(`put ${family} ${text(key)} ${text(value)}`),
    delete: (family, key) => void out.push(`delete ${family} ${text(key)}`),
    singleDelete: (family, key) => void out.push(`singleDelete ${family} ${text(key)}`),
    deleteRange: (family, begin, end) => void out.push(`deleteRange ${family} ${text(begin)} ${text(end)}`),
    merge: (family, key, operand) => void out.push(`merge ${family} ${text(key)} ${text(operand)}`),
    logData: (blob) => void out.push(`logData ${text(blob)}`),
    noop: () => void out.push('noop'),
    markBeginPrepare: (kind) => void out.push(`beginPrepare ${kind}`),
    markEndPrepare: (xid) => void out.push(`endPrepare ${text(xid)}`),
    markCommit: (xid) => void out.push(`commit ${text(xid)}`),
    markCommitWithTimestamp: (xid, ts) => void out.push(`commit ${text(xid)} at ${text(ts)}`),
    markRollback: (xid) => void out.push(`rollback ${text(xid)}`),
    putEntity: (family, key) => void out.push(`putEntity ${family} ${text(key)}`),
    putBlobIndex: (family, key) => void out.push(`putBlobIndex ${family} ${text(key)}`),
    timedPut: (family, key) => void out.push(`timedPut ${family} ${text(key)}`),
  };
  return { handler, out };
}

describe('encoding', () => {
  test('a put is encoded as RocksDB encodes it', () => {
    const golden = readFileSync(join(fixtures, 'tiny/db/000008.log')).subarray(7);
    const data = new WriteBatch().put('cherry', 'dark').data();
    setFixed64(data, 0, 4);
    expect(toHex(data)).toBe(toHex(golden));
  });

  test('every operation, short tags for family 0 and long ones for others', () => {
    const batch = new WriteBatch();
    const family = { id: 300 };
    batch.put('k', 'v').delete('d').singleDelete('s').deleteRange('a', 'b').merge('m', 'o').putLogData('log');
    batch.put('k', 'v', family).delete('d', family).singleDelete('s', family).deleteRange('a', 'b', family);
    batch.merge('m', 'o', family).put('k', 'v', { id: 0 }).put('k', 'v', 'default');
    expect(batch.count).toBe(12);
    const data = batch.data();
    expect(data.length).toBe(batch.byteSize);
    const body =
      '01016b0176' +
      '000164' +
      '070173' +
      '0f01610162' +
      '02016d016f' +
      '03036c6f67' +
      '05ac02016b0176' +
      '04ac020164' +
      '08ac020173' +
      '0eac0201610162' +
      '06ac02016d016f' +
      '01016b0176' +
      '01016b0176';
    expect(toHex(data)).toBe(`0000000000000000${'0c000000'}${body}`);
    const { handler, out } = lines();
    batch.iterate(handler);
    expect(out).toEqual([
      'put 0 k v',
      'delete 0 d',
      'singleDelete 0 s',
      'deleteRange 0 a b',
      'merge 0 m o',
      'logData log',
      'put 300 k v',
      'delete 300 d',
      'singleDelete 300 s',
      'deleteRange 300 a b',
      'merge 300 m o',
      'put 0 k v',
      'put 0 k v',
    ]);
  });

  test('an empty batch is its header', () => {
    expect(toHex(new WriteBatch().data())).toBe('00'.repeat(12));
    expect(new WriteBatch().byteSize).toBe(12);
  });

  test('strings are UTF-8 at every length', () => {
    const random = seededRandom(2);
    for (let length = 0; length < 200; length++) {
      const ascii = 'x'.repeat(length);
      const mixed = Array.from({ length }, () => ['a', 'é', '漢', '😀'][Math.floor(random() * 4)]).join('');
      const seen: string[] = [];
      new WriteBatch()
        .put(ascii, mixed)
        .iterate({ put: (_, key, value) => void seen.push(textOf(key), textOf(value)) });
      expect(seen).toEqual([ascii, mixed]);
    }
  });

  test('bytes of every length, across growth', () => {
    const random = seededRandom(3);
    const batch = new WriteBatch();
    const expected: string[] = [];
    for (let length = 0; length < 300; length++) {
      const key = randomBytes(random, length);
      const value = randomBytes(random, length === 299 ? 1 << 20 : 300 - length);
      batch.put(key, value);
      expected.push(toHex(key), toHex(value));
    }
    const seen: string[] = [];
    batch.iterate({ put: (_, key, value) => void seen.push(toHex(key), toHex(value)) });
    expect(seen).toEqual(expected);
  });

  test('golden batches come back byte for byte through from and data', () => {
    for (const log of ['wal-multi-cf/db/000004.log', 'wal-2pc/db/000004.log', 'wal-only/db/000004.log']) {
      for (const record of recordsOf(readLog(readFileSync(join(fixtures, log))))) {
        const batch = WriteBatch.from(record);
        expect(toHex(batch.data())).toBe(toHex(record));
        expect(batch.count).toBe(new WriteBatchReader(record).count);
      }
    }
  });
});

describe('families by name', () => {
  const ids: Readonly<Record<string, number>> = { a: 0, b: 5, c: 1_000_000 };
  const idOf = (name: string): number => {
    const id = ids[name];
    if (id === undefined) throw new Error(`no family ${name}`);
    return id;
  };

  test('are put in when the batch is encoded, as often as needed', () => {
    const batch = new WriteBatch().put('1', 'x', 'b').delete('2', 'c').merge('3', 'y', 'a').put('4', 'z', { id: 7 });
    const direct = new WriteBatch()
      .put('1', 'x', { id: 5 })
      .delete('2', { id: 1_000_000 })
      .merge('3', 'y')
      .put('4', 'z', { id: 7 });
    expect(toHex(batch.encode(idOf))).toBe(toHex(direct.data()));
    batch.put('5', 'w', 'c');
    direct.put('5', 'w', { id: 1_000_000 });
    expect(toHex(batch.encode(idOf))).toBe(toHex(direct.data()));
    expect(() => batch.data()).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => batch.encode(() => idOf('zz'))).toThrowError('no family zz');
  });

  test('more than 128 names', () => {
    const batch = new WriteBatch();
    const direct = new WriteBatch();
    for (let i = 0; i < 300; i++) {
      batch.put(`k${i}`, 'v', `family ${i}`);
      direct.put(`k${i}`, 'v', { id: i + 1 });
    }
    expect(toHex(batch.encode((name) => Number(name.slice(7)) + 1))).toBe(toHex(direct.data()));
  });

  test('a rollback forgets them', () => {
    const batch = new WriteBatch().put('1', 'x').setSavePoint().put('2', 'x', 'b').rollbackToSavePoint();
    expect(toHex(batch.data())).toBe(toHex(new WriteBatch().put('1', 'x').data()));
  });
});

describe('save points', () => {
  test('nest, roll back and pop', () => {
    const batch = new WriteBatch().put('a', '1').setSavePoint().put('b', '2').setSavePoint().delete('c');
    batch.popSavePoint().put('d', '3').rollbackToSavePoint();
    expect(toHex(batch.data())).toBe(toHex(new WriteBatch().put('a', '1').data()));
    expect(batch.count).toBe(1);
    expect(() => batch.rollbackToSavePoint()).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => batch.popSavePoint()).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('clear forgets everything', () => {
    const batch = new WriteBatch()
      .put('a', 'x'.repeat(3 << 20))
      .setSavePoint()
      .clear();
    expect(batch.byteSize).toBe(12);
    expect(batch.count).toBe(0);
    expect(() => batch.popSavePoint()).toThrowError();
    expect(toHex(batch.put('k', 'v').data())).toBe(toHex(new WriteBatch().put('k', 'v').data()));
  });
});

describe('refusals', () => {
  test.each([
    ['a number as key', () => new WriteBatch().put(1 as never, 'v')],
    ['null as value', () => new WriteBatch().put('k', null as never)],
    ['an array as key', () => new WriteBatch().delete([] as never)],
    ['a family without id', () => new WriteBatch().put('k', 'v', {} as never)],
    ['a family with a fraction as id', () => new WriteBatch().put('k', 'v', { id: 1.5 })],
    ['log data of a number', () => new WriteBatch().putLogData(5 as never)],
    ['from of a string', () => WriteBatch.from('x' as never)],
  ])('%s', (_, act) => {
    expect(act).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('a refused operation leaves the batch as it was', () => {
    const batch = new WriteBatch().put('a', '1');
    expect(() => batch.put('k', undefined as never)).toThrowError();
    expect(toHex(batch.data())).toBe(toHex(new WriteBatch().put('a', '1').data()));
  });

  const header = '0100000000000000';
  test.each([
    ['too small', '00'.repeat(11), /malformed WriteBatch \(too small\)/],
    ['a count too high', `${header}02000000${'0101610162'}`, /WriteBatch has wrong count: expected 2 records, found 1/],
    ['a count too low', `${header}00000000${'0101610162'}`, /WriteBatch has wrong count/],
    ['an unknown tag', `${header}01000000${'7f'}`, /unknown WriteBatch tag 0x7f at offset 12/],
    [
      'a key that runs over the end',
      `${header}01000000${'01056162'}`,
      /bad WriteBatch Put at offset 12: expected 5 bytes, found 2/,
    ],
    ['a missing value', `${header}01000000${'010161'}`, /bad WriteBatch Put/],
    ['an endless varint', `${header}01000000${'00ffffffffffff'}`, /bad WriteBatch Delete .* longer number/],
    ['a varint above 32 bits', `${header}01000000${'00ffffffff7f'}`, /bad WriteBatch Delete/],
    ['a huge length', `${header}01000000${'02ffffffff0f00'}`, /bad WriteBatch Merge/],
    ['a marker without its name', `${header}00000000${'0a'}`, /bad WriteBatch EndPrepare XID/],
  ])('from refuses %s', (_, hex, message) => {
    expect(() => WriteBatch.from(fromHex(hex))).toThrowError(
      expect.objectContaining({ code: 'CORRUPTION', message: expect.stringMatching(message) }),
    );
  });

  test('random bytes give typed errors or batches, never anything else', () => {
    const random = seededRandom(77);
    let accepted = 0;
    for (let i = 0; i < 20_000; i++) {
      const data = randomBytes(random, 12 + Math.floor(random() * 20));
      for (let j = 12; j < data.length; j++) data[j]! &= random() < 0.7 ? 0x0f : 0xff;
      setFixed32(data, 8, Math.floor(random() * 4));
      try {
        WriteBatch.from(data);
        accepted++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'CORRUPTION' });
      }
    }
    expect(accepted).toBeGreaterThan(50);
  });
});

test('markers of transactions reach the handler', () => {
  const { handler, out } = lines();
  const golden = recordsOf(readLog(readFileSync(join(fixtures, 'wal-2pc/db/000004.log'))));
  for (const record of golden) WriteBatch.from(record).iterate(handler);
  expect(out).toContain(`beginPrepare ${ValueType.beginPrepare}`);
  expect(out).toContain('endPrepare committed');
  expect(out).toContain('commit committed');
  expect(out).toContain('rollback rolledback');
  expect(out).toContain('noop');
  const timed = WriteBatch.from(fromHex(`${'00'.repeat(12)}15027473027869`));
  timed.iterate(handler);
  expect(out.at(-1)).toBe('commit xi at ts');
});

test('S83 log data stands in the batch and does not count', () => {
  const batch = new WriteBatch().putLogData(utf8('origin 7')).put('k', 'v');
  expect(batch.count).toBe(1);
  const { handler, out } = lines();
  batch.iterate(handler);
  expect(out).toEqual(['logData origin 7', 'put 0 k v']);
});
