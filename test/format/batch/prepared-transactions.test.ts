/** Two-phase commit: the golden log's transactions, and markers that do not pair. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { concatBytes, textOf, toHex, utf8 } from '../../../format/base/bytes.ts';
import { setFixed32, setFixed64 } from '../../../format/base/coding.ts';
import { PreparedTransactions } from '../../../format/batch/prepared-transactions.ts';
import { iterateBatch, WriteBatchReader } from '../../../format/batch/write-batch-reader.ts';
import { readLog, recordsOf } from '../log/log-steps.ts';

const fixture = join(import.meta.dirname, '../../fixtures/wal-2pc');

const begin = new Uint8Array([0x09]);
const named = (tag: number, name: string): Uint8Array => concatBytes([new Uint8Array([tag, name.length]), utf8(name)]);
const end = (name: string): Uint8Array => named(0x0a, name);
const commit = (name: string): Uint8Array => named(0x0b, name);
const rollback = (name: string): Uint8Array => named(0x0c, name);
const put = (key: string): Uint8Array => concatBytes([new Uint8Array([1, key.length]), utf8(key), new Uint8Array([0])]);

function batch(sequence: number, count: number, ...records: Uint8Array[]): Uint8Array {
  const data = concatBytes([new Uint8Array(12), ...records]);
  setFixed64(data, 0, sequence);
  setFixed32(data, 8, count);
  return data;
}

/** The keys that are put, with their sequences. */
function puts(data: Uint8Array): string[] {
  const out: string[] = [];
  const reader = new WriteBatchReader(data);
  let sequence = reader.sequence;
  while (reader.next()) {
    if (reader.type === 1) out.push(`${textOf(reader.key())}@${sequence}`);
    if (reader.counts) sequence++;
  }
  return out;
}

describe('two-phase commit', () => {
  test('the golden log replays to what RocksDB shows, and one transaction stays prepared', () => {
    const transactions = new PreparedTransactions(true);
    const entries = new Map<string, string>();
    let next = 1;
    for (const record of recordsOf(readLog(readFileSync(join(fixture, 'db/000004.log'))))) {
      const plain = transactions.take(record, 4, 'test');
      const { sequence, count } = new WriteBatchReader(plain);
      expect(sequence).toBe(next);
      next = sequence + count;
      iterateBatch(plain, {
        put: (_, key, value) => void entries.set(toHex(key), toHex(value)),
        delete: (_, key) => void entries.delete(toHex(key)),
      });
    }
    expect(next - 1).toBe(30);
    const expected = readFileSync(join(fixture, 'expected.jsonl'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { k: string; v: string });
    expect(Object.fromEntries(entries)).toEqual(Object.fromEntries(expected.map(({ k, v }) => [k, v])));
    expect([...transactions.open.keys()]).toEqual(['dangling']);
    expect(transactions.minLogNumber).toBe(4);
  });

  test("without allow_2pc a prepare is refused with RocksDB's words", () => {
    const transactions = new PreparedTransactions(false);
    expect(() => transactions.take(batch(1, 1, begin, put('a'), end('t')), 4, 'log')).toThrowError(
      expect.objectContaining({
        code: 'NOT_SUPPORTED',
        message: 'log: WAL contains prepared transactions. Open with TransactionDB::Open().',
      }),
    );
  });

  test('a batch without markers is returned itself', () => {
    const plain = batch(1, 1, put('a'));
    expect(new PreparedTransactions(false).take(plain, 1, 'log')).toBe(plain);
  });

  test('a commit applies where it stands, and records behind it follow', () => {
    const transactions = new PreparedTransactions(true);
    const prepared = transactions.take(batch(5, 2, begin, put('a'), put('b'), end('t')), 7, 'log');
    expect(new WriteBatchReader(prepared).count).toBe(0);
    expect(transactions.minLogNumber).toBe(7);
    const applied = transactions.take(batch(5, 2, put('x'), commit('t'), put('y')), 8, 'log');
    expect(puts(applied)).toEqual(['x@5', 'a@6', 'b@7', 'y@8']);
    expect(transactions.open.size).toBe(0);
    expect(transactions.minLogNumber).toBeUndefined();
  });

  test('prepare and commit may share a batch, and a name may be used again', () => {
    const transactions = new PreparedTransactions(true);
    const data = batch(1, 2, begin, put('a'), end('t'), commit('t'), begin, put('b'), end('t'), rollback('t'));
    expect(puts(transactions.take(data, 1, 'log'))).toEqual(['a@1']);
    expect(transactions.open.size).toBe(0);
  });

  test('commits and rollbacks of unknown names are passed over', () => {
    const transactions = new PreparedTransactions(true);
    expect(puts(transactions.take(batch(1, 1, commit('gone'), rollback('gone'), put('a')), 1, 'log'))).toEqual(['a@1']);
  });

  test.each([
    ['a prepare without end', batch(1, 1, begin, put('a'))],
    ['an end without prepare', batch(1, 1, put('a'), end('t'))],
    ['a prepare inside a prepare', batch(1, 0, begin, begin, end('t'))],
    ['a commit inside a prepare', batch(1, 0, begin, commit('t'), end('t'))],
    ['a name prepared twice', batch(1, 0, begin, end('t'), begin, end('t'))],
    ['a wrong count', batch(1, 9, begin, put('a'), end('t'))],
  ])('%s is corruption and changes nothing', (_, data) => {
    const transactions = new PreparedTransactions(true);
    transactions.take(batch(1, 1, begin, put('k'), end('kept')), 3, 'log');
    expect(() => transactions.take(data, 4, 'log')).toThrowError(expect.objectContaining({ code: 'CORRUPTION' }));
    expect([...transactions.open.keys()]).toEqual(['kept']);
  });

  test('other write policies are not supported', () => {
    for (const tag of [0x12, 0x13])
      expect(() => new PreparedTransactions(true).take(batch(1, 0, new Uint8Array([tag])), 1, 'log')).toThrowError(
        expect.objectContaining({ code: 'NOT_SUPPORTED' }),
      );
  });
});
