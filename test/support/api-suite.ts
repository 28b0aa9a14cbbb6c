/**
 * What every database-shaped thing must do, whatever it is made of: run over files, over memory, and over stacked
 * databases. One suite, so that none of them can drift.
 */

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type DB, DBError, type Options, WriteBatch } from '../../src/index.ts';
import { Random } from './random.ts';

/** How to get one: `open` may be called again after a close, and must then give the same content. */
export interface ApiSubject {
  open(options?: Options): Promise<DB>;
  dispose(): Promise<void>;
}

const CREATE: Options = { createIfMissing: true };

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

async function pairs(db: DB, options?: Parameters<DB['entries']>[0]): Promise<string[]> {
  const rows: string[] = [];
  for await (const [key, value] of db.entries(options)) {
    rows.push(`${text(key)}=${text(value)}`);
  }
  return rows;
}

/** Declares the suite's tests; `make` gives a new, empty subject for each. */
export function apiSuite(name: string, make: () => ApiSubject): void {
  async function use(body: (db: DB, subject: ApiSubject) => Promise<void>, options: Options = {}): Promise<void> {
    const subject = make();
    try {
      const db = await subject.open({ ...CREATE, ...options });
      try {
        await body(db, subject);
      } finally {
        await db.close();
      }
    } finally {
      await subject.dispose();
    }
  }

  describe(name, () => {
    test('S18 S25 put, get, delete and scan; absent is undefined', () =>
      use(async (db) => {
        expect(await db.get('a')).toBeUndefined();
        await db.put('a', 'one');
        db.putSync('b', 'two');
        expect(text(await db.get('a'))).toBe('one');
        expect(text(db.getSync('b'))).toBe('two');
        expect(await pairs(db)).toEqual(['a=one', 'b=two']);
        await db.delete('a');
        expect(db.getSync('a')).toBeUndefined();
        expect(await pairs(db)).toEqual(['b=two']);
      }));

    test('S1 S24 keys and values of any bytes and sizes come back as they were', () =>
      use(async (db, subject) => {
        const random = new Random(5);
        const every = new Uint8Array(256).map((_, index) => index);
        const entries: [Uint8Array, Uint8Array][] = [
          [new Uint8Array(0), new Uint8Array(0)],
          [new Uint8Array(1), every],
          [every, new Uint8Array(1)],
          [random.bytes(1 << 20), random.bytes(100)],
          [new Uint8Array([1]), random.bytes(24 << 20)],
        ];
        const digest = (bytes: Uint8Array | undefined): string =>
          createHash('sha256')
            .update(bytes ?? 'absent')
            .digest('hex');
        const check = (open: DB): void => {
          for (const [key, value] of entries) {
            expect(digest(open.getSync(key))).toBe(digest(value));
          }
        };
        for (const [key, value] of entries) {
          await db.put(key, value);
        }
        check(db);
        await db.flush();
        check(db);
        await db.compactRange();
        check(db);
        await db.close();
        const again = await subject.open();
        check(again);
        await again.close();
      }));

    test('S26 multiGet reads all its keys at one point in time', () =>
      use(async (db) => {
        let stop = false;
        const flip = async (): Promise<void> => {
          for (let i = 0; !stop; i++) {
            await db.write(new WriteBatch().put('left', `${i}`).put('right', `${i}`));
          }
        };
        await db.write(new WriteBatch().put('left', '-').put('right', '-'));
        const writer = flip();
        for (let i = 0; i < 2000; i++) {
          const [left, right] = await db.multiGet(['left', 'right']);
          expect(text(left)).toBe(text(right));
          const [first, second] = db.multiGetSync(['left', 'right']);
          expect(text(first)).toBe(text(second));
        }
        stop = true;
        await writer;
      }));

    test('S2 batches over families are seen whole or not at all', () =>
      use(
        async (db) => {
          const other = db.columnFamily('other');
          const accounts = Array.from({ length: 8 }, (_, index) => `account${index}`);
          const start = new WriteBatch();
          for (const account of accounts) {
            start.put(account, '100').put(account, '100', 'other');
          }
          await db.write(start);
          let stop = false;
          const move = async (seed: number): Promise<void> => {
            const random = new Random(seed);
            while (!stop) {
              const account = random.pick(accounts);
              const amount = random.below(100);
              await db.write(new WriteBatch().put(account, `${amount}`).put(account, `${200 - amount}`, 'other'));
            }
          };
          const writers = [1, 2, 3, 4].map(move);
          for (let i = 0; i < 500; i++) {
            const keys = accounts.flatMap((account): [[string, typeof other], string] => [[account, other], account]);
            const values = i % 2 === 0 ? await db.multiGet(keys) : db.multiGetSync(keys);
            const sum = values.reduce((total, value) => total + Number(text(value)), 0);
            expect(sum).toBe(200 * accounts.length);
            using snapshot = db.snapshot();
            let atSnapshot = 0;
            for (const [, value] of db.entriesSync({ snapshot })) {
              atSnapshot += Number(text(value));
            }
            for (const account of accounts) {
              atSnapshot += Number(text(other.getSync(account, { snapshot })));
            }
            expect(atSnapshot).toBe(200 * accounts.length);
          }
          stop = true;
          await Promise.all(writers);
        },
        { createMissingColumnFamilies: true, columnFamilies: { other: {} } },
      ));

    test('S28 a range scan gives what lies between its bounds', () =>
      use(async (db) => {
        for (const key of 'abcdefgh') {
          await db.put(key, key.toUpperCase());
        }
        expect(await pairs(db, { iterateLowerBound: 'c', iterateUpperBound: 'f' })).toEqual(['c=C', 'd=D', 'e=E']);
        const backward = { iterateLowerBound: 'c', iterateUpperBound: 'f', reverse: true };
        expect(await pairs(db, backward)).toEqual(['e=E', 'd=D', 'c=C']);
        expect(await pairs(db, { limit: 2 })).toEqual(['a=A', 'b=B']);
        const keys: string[] = [];
        for await (const key of db.keys({ iterateUpperBound: 'c' })) {
          keys.push(text(key) ?? '');
        }
        expect(keys).toEqual(['a', 'b']);
      }));

    test('S31 S33 an iterator keeps its view over writes, a flush and a compaction', () =>
      use(async (db) => {
        for (let i = 0; i < 100; i++) {
          await db.put(`key${i}`, 'before');
        }
        await db.flush();
        using cursor = db.newIterator();
        for (let i = 0; i < 120; i++) {
          await db.put(`key${i}`, 'after');
        }
        await db.deleteRange('key5', 'key7');
        await db.flush();
        await db.compactRange();
        let count = 0;
        for (cursor.seekToFirstSync(); cursor.valid; cursor.nextSync()) {
          expect(text(cursor.value)).toBe('before');
          count++;
        }
        expect(count).toBe(100);
      }));

    test('S36 snapshots end with the database that made them', () =>
      use(async (db, subject) => {
        await db.put('a', 'one');
        const snapshot = db.snapshot();
        await db.close();
        const again = await subject.open();
        expect(again.getIntProperty('rocksdb.num-snapshots')).toBe(0);
        expect(() => again.getSync('a', { snapshot })).toThrow(DBError);
        await again.close();
      }));

    test('S40 a batch is one thing: all its kinds of writes in their order', () =>
      use(
        async (db) => {
          await db.put('gone', 'x');
          await db.put('once', 'x');
          await db.put('range1', 'x');
          const batch = new WriteBatch();
          batch.put('a', 'one').put('a', 'two').delete('gone').singleDelete('once').deleteRange('range0', 'range9');
          batch.put('range2', 'kept').merge('m', 'x').merge('m', 'y');
          batch.setSavePoint();
          batch.put('never', 'x').rollbackToSavePoint();
          expect(batch.count).toBe(8);
          await db.write(batch);
          expect(await pairs(db)).toEqual(['a=two', 'm=x,y', 'range2=kept']);
          const copy = WriteBatch.from(batch.data());
          expect(copy.count).toBe(8);
        },
        { mergeOperator: 'stringappend' },
      ));

    test('S114 S115 S116 merges combine with puts, flushes and compactions, by a built-in and by a JavaScript operator', async () => {
      const joiner = {
        name: 'test.Joiner',
        fullMerge: (_key: Uint8Array, base: Uint8Array | undefined, operands: Uint8Array[]): Uint8Array =>
          Buffer.from([...(base === undefined ? [] : [base]), ...operands].map(text).join('+')),
      };
      for (const [mergeOperator, by] of [['stringappend', ','] as const, [joiner, '+'] as const]) {
        await use(
          async (db) => {
            await db.put('k', 'base');
            await db.merge('k', 'a');
            using snapshot = db.snapshot();
            await db.flush();
            await db.merge('k', 'b');
            db.mergeSync('fresh', 'f');
            expect(text(db.getSync('k'))).toBe(['base', 'a', 'b'].join(by));
            await db.flush();
            await db.compactRange();
            expect(text(await db.get('k'))).toBe(['base', 'a', 'b'].join(by));
            expect(text(db.getSync('k', { snapshot }))).toBe(['base', 'a'].join(by));
            expect(await pairs(db)).toEqual(['fresh=f', `k=${['base', 'a', 'b'].join(by)}`]);
          },
          { mergeOperator },
        );
      }
    });

    test('S101 S102 reads that must not wait say INCOMPLETE, never not found', () =>
      use(async (db, subject) => {
        for (let i = 0; i < 300; i++) {
          await db.put(`key${i}`, 'x'.repeat(200));
        }
        await db.flush();
        await db.close();
        const again = await subject.open({ blockSize: 512 });
        const cached = { readTier: 'blockCache' } as const;
        expect(() => again.getSync('key123', cached)).toThrow(expect.objectContaining({ code: 'INCOMPLETE' }));
        expect(text(again.getSync('key123'))).toBe('x'.repeat(200));
        expect(text(again.getSync('key123', cached))).toBe('x'.repeat(200));
        await again.close();
      }));

    test('uses after close throw CLOSED, and close may be called twice', () =>
      use(async (db) => {
        await db.put('a', 'one');
        const cursor = db.newIterator();
        await db.close();
        await db.close();
        await expect(db.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
        await expect(db.put('a', 'x')).rejects.toMatchObject({ code: 'CLOSED' });
        expect(() => db.getSync('a')).toThrow(expect.objectContaining({ code: 'CLOSED' }));
        expect(() => cursor.seekToFirstSync()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
        cursor.close();
      }));

    test('families are made, dropped, listed and kept apart', () =>
      use(async (db, subject) => {
        const one = await db.createColumnFamily('one');
        await one.put('k', 'in one');
        await db.put('k', 'in default');
        expect(text(await one.get('k'))).toBe('in one');
        await expect(db.createColumnFamily('one')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
        const two = await db.createColumnFamily('two');
        await two.put('k', 'in two');
        await db.dropColumnFamily('two');
        await db.close();
        const again = await subject.open();
        expect(text(again.columnFamily('one').getSync('k'))).toBe('in one');
        expect(text(again.getSync('k'))).toBe('in default');
        expect(() => again.columnFamily('two')).toThrow(DBError);
        await again.close();
      }));
  });
}
