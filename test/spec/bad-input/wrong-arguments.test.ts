/**
 * What the methods of an open database must refuse: keys and values that are no bytes, options of reads and writes that do
 * not exist, handles of other databases. Method: every value of the wrong kind to every method.
 */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DB, DBError, type Options, WriteBatch } from '../../../src/index.ts';
import { scanForward } from '../../support/read-database.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { errorOf, expectRefused } from './refusal.ts';

/** No bytes, no strings. */
const notBytes: unknown[] = [
  undefined,
  null,
  5,
  5n,
  true,
  {},
  [1],
  Symbol('x'),
  new ArrayBuffer(3),
  new Uint16Array(3),
  new DataView(new ArrayBuffer(2)),
  () => {},
];

const keyMethods = 'get getSync put putSync delete deleteSync singleDelete singleDeleteSync keyMayExist merge mergeSync'
  .split(' ')
  .concat(['deleteRange', 'deleteRangeSync']) as (keyof DB)[];

const otherMethods = ['multiGet', 'multiGetSync', 'write', 'writeSync', 'columnFamily', 'createColumnFamily'].concat([
  'dropColumnFamily',
  'compactFiles',
  'getProperty',
  'getIntProperty',
  'getMapProperty',
]) as (keyof DB)[];

async function withDatabase(body: (db: DB, other: DB) => Promise<void>, options: Options = {}): Promise<void> {
  using directory = temporaryDirectory();
  const create = { createIfMissing: true, columnFamilies: { default: {}, side: {} }, mergeOperator: 'stringappend' };
  await using db = await DB.open(join(directory.path, 'one'), { ...create, ...options });
  await using other = await DB.open(join(directory.path, 'two'), { ...create, ...options });
  await body(db, other);
}

type Method = (...args: unknown[]) => unknown;

test('every method refuses what is no key, no value and no name', () =>
  withDatabase(async (db) => {
    await db.put('a', 'one');
    const call = (name: keyof DB, ...args: unknown[]): unknown => (db[name] as Method).apply(db, args);
    for (const value of notBytes) {
      for (const method of [...keyMethods, ...otherMethods]) {
        const error = await errorOf(() => call(method, value, 'x'));
        expect(error, `${String(method)}(${typeof value}): ${String(error)}`).toBeInstanceOf(DBError);
        expect((error as DBError).code).toBe('INVALID_ARGUMENT');
      }
      for (const method of ['put', 'putSync', 'merge', 'mergeSync', 'deleteRange', 'deleteRangeSync'] as const) {
        await expectRefused(() => call(method, 'a', value), 'INVALID_ARGUMENT', /must be a Uint8Array or a string/);
      }
      await expectRefused(() => call('multiGet', [value]), 'INVALID_ARGUMENT', /key|columnFamily/);
      await expectRefused(() => call('multiGetSync', [value]), 'INVALID_ARGUMENT', /key|columnFamily/);
      await expectRefused(() => new WriteBatch().put(value as string, 'x'), 'INVALID_ARGUMENT', /key/);
      await expectRefused(() => new WriteBatch().put('x', value as string), 'INVALID_ARGUMENT', /value/);
      await expectRefused(() => WriteBatch.from(value as Uint8Array), 'INVALID_ARGUMENT', /batch|bytes|Uint8Array/i);
      using cursor = db.newIterator();
      await expectRefused(() => cursor.seek(value as string), 'INVALID_ARGUMENT', /key/);
      await expectRefused(() => cursor.seekForPrevSync(value as string), 'INVALID_ARGUMENT', /key/);
    }
    expect(scanForward(db)).toEqual(['61=6f6e65']);
  }));

test('options of reads, writes, iterators and compactions are checked by name and by value', () =>
  withDatabase(async (db, other) => {
    const read = (options: object): Promise<unknown> => db.get('a', options);
    const write = (options: object): Promise<unknown> => db.put('a', 'b', options);
    const iterate = (options: object): void => db.newIterator(options).close();
    await expectRefused(() => read({ foo: 1 }), 'INVALID_ARGUMENT', /foo is not a read option/);
    await expectRefused(() => read({ verifyChecksums: 1 }), 'INVALID_ARGUMENT', /verifyChecksums/);
    await expectRefused(() => read({ readTier: 'ram' }), 'INVALID_ARGUMENT', /readTier/);
    await expectRefused(() => read({ signal: 5 }), 'INVALID_ARGUMENT', /signal/);
    await expectRefused(() => read({ snapshot: null }), 'INVALID_ARGUMENT', /snapshot/);
    await expectRefused(() => read({ snapshot: {} }), 'INVALID_ARGUMENT', /snapshot/);
    await expectRefused(() => read({ columnFamily: 'side' }), 'INVALID_ARGUMENT', /columnFamily/);
    await expectRefused(() => read(5 as never), 'INVALID_ARGUMENT', /options/);
    using theirs = other.snapshot();
    await expectRefused(() => read({ snapshot: theirs }), 'INVALID_ARGUMENT', /another database/);
    await expectRefused(
      () => read({ columnFamily: other.columnFamily('side') }),
      'INVALID_ARGUMENT',
      /another database/,
    );
    await expectRefused(() => write({ foo: 1 }), 'INVALID_ARGUMENT', /foo is not a write option/);
    await expectRefused(() => write({ sync: 'yes' }), 'INVALID_ARGUMENT', /sync/);
    await expectRefused(
      () => write({ sync: true, disableWAL: true }),
      'INVALID_ARGUMENT',
      /sync contradicts disableWAL/,
    );
    await expectRefused(() => iterate({ limit: -1 }), 'INVALID_ARGUMENT', /limit/);
    await expectRefused(() => iterate({ limit: 1.5 }), 'INVALID_ARGUMENT', /limit/);
    await expectRefused(() => iterate({ iterateLowerBound: 5 }), 'INVALID_ARGUMENT', /iterateLowerBound/);
    await expectRefused(() => iterate({ prefixSameAsStart: true }), 'INVALID_ARGUMENT', /prefixExtractor/);
    await expectRefused(() => db.compactRange(null as never), 'INVALID_ARGUMENT', /compactRange/);
    await expectRefused(() => db.compactRange({ foo: 1 } as never), 'INVALID_ARGUMENT', /foo/);
    await expectRefused(() => db.compactRange({ begin: 5 as never }), 'INVALID_ARGUMENT', /begin/);
    await expectRefused(
      () => db.compactRange({ changeLevel: true, targetLevel: 99 }),
      'INVALID_ARGUMENT',
      /targetLevel/,
    );
    await expectRefused(() => db.compactFiles([], 1), 'INVALID_ARGUMENT', /compactFiles/);
    await expectRefused(() => db.compactFiles(['LOG'], 1), 'INVALID_ARGUMENT', /"LOG" is not the name of a table/);
    await expectRefused(() => db.compactFiles(['000999.sst'], 1), 'INVALID_ARGUMENT', /999/);
  }));

test('writes that mean nothing are refused, and a refused batch leaves no trace', () =>
  withDatabase(
    async (db) => {
      const sequence = db.latestSequence;
      const mixed = (): WriteBatch => new WriteBatch().put('a', 'x');
      await expectRefused(() => db.merge('a', 'b'), 'INVALID_ARGUMENT', /merge needs options.mergeOperator/);
      await expectRefused(() => db.write(mixed().merge('a', 'b')), 'INVALID_ARGUMENT', /mergeOperator/);
      await expectRefused(() => db.deleteRange('b', 'a'), 'INVALID_ARGUMENT', /end key comes before start key/);
      await expectRefused(() => db.write(mixed().deleteRange('b', 'a')), 'INVALID_ARGUMENT', /end key comes before/);
      await expectRefused(
        () => db.write(mixed().put('a', 'b', 'nope')),
        'INVALID_ARGUMENT',
        /"nope", which does not exist/,
      );
      await expectRefused(
        () => db.write(mixed(), { columnFamily: db.columnFamily('side') }),
        'INVALID_ARGUMENT',
        /the batch of write names families itself/,
      );
      await expectRefused(() => new WriteBatch().rollbackToSavePoint(), 'INVALID_ARGUMENT', /save point/i);
      await expectRefused(() => new WriteBatch().popSavePoint(), 'INVALID_ARGUMENT', /save point/i);
      await expectRefused(() => WriteBatch.from(new Uint8Array(5)), 'CORRUPTION', /too small|12 bytes/);
      const unknownTag = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 77]);
      await expectRefused(() => db.write(WriteBatch.from(unknownTag)), 'CORRUPTION', /tag|count/);
      expect(db.latestSequence).toBe(sequence);
      expect(scanForward(db)).toEqual([]);
    },
    { mergeOperator: undefined as never },
  ));

test('families: names that are taken, missing or empty, and the default family, which stays', () =>
  withDatabase(async (db) => {
    await expectRefused(() => db.columnFamily('nope'), 'NOT_FOUND', /"nope" does not exist/);
    await expectRefused(() => db.createColumnFamily('side'), 'INVALID_ARGUMENT', /already exists: side/);
    await expectRefused(() => db.createColumnFamily('default'), 'INVALID_ARGUMENT', /already exists/);
    await expectRefused(() => db.createColumnFamily(''), 'INVALID_ARGUMENT', /non-empty name/);
    await expectRefused(
      () => db.createColumnFamily('x', { foo: 1 } as never),
      'INVALID_ARGUMENT',
      /columnFamilies\.x\.foo/,
    );
    await expectRefused(() => db.createColumnFamily('x', { walDir: 'y' } as never), 'INVALID_ARGUMENT', /walDir/);
    await expectRefused(() => db.dropColumnFamily('default'), 'INVALID_ARGUMENT', /default/);
    const side = db.columnFamily('side');
    await db.dropColumnFamily('side');
    await expectRefused(() => side.put('a', 'b'), 'INVALID_ARGUMENT', /side was dropped/);
    await expectRefused(() => db.dropColumnFamily(side), 'INVALID_ARGUMENT', /side was dropped/);
    await expectRefused(() => db.columnFamily('x'), 'NOT_FOUND', /"x" does not exist/);
  }));

test('an iterator without a position has no key, and moves only from one', () =>
  withDatabase(async (db) => {
    await db.put('a', 'one');
    using cursor = db.newIterator();
    await expectRefused(() => cursor.key, 'INVALID_ARGUMENT', /no present entry/);
    await expectRefused(() => cursor.value, 'INVALID_ARGUMENT', /no present entry/);
    await expectRefused(() => cursor.nextSync(), 'INVALID_ARGUMENT', /no present entry/);
    await expectRefused(() => cursor.prev(), 'INVALID_ARGUMENT', /no present entry/);
    await expectRefused(() => cursor.nextMany(0), 'INVALID_ARGUMENT', /at least 1/);
    expect(cursor.seekToFirstSync()).toBe(true);
    expect(cursor.nextSync()).toBe(false);
    await expectRefused(() => cursor.next(), 'INVALID_ARGUMENT', /no present entry/);
    cursor.close();
    await expectRefused(() => cursor.seekToFirst(), 'CLOSED', /closed/);
  }));
