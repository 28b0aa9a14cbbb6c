/**
 * Keys in the order of a comparator, and cursors that move over them. Method: random operations against a sorted model, for
 * the built-in orders and for orders written in JavaScript, with flushes and compactions in between.
 */

import { describe, expect, test } from 'vitest';
import { DB, type DBIterator, Env, type Options } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { expectRefused } from '../bad-input/refusal.ts';

type Compare = (a: Uint8Array, b: Uint8Array) => number;

const numberOf = (key: Uint8Array): number => (key.length === 0 ? 0 : Number(Buffer.from(key)));
const folded = (key: Uint8Array): string => Buffer.from(key).toString('latin1').toLowerCase();

/** Orders, with the keys that suit them. */
const orders: Record<
  string,
  { comparator: Options['comparator']; compare: Compare; makeKey: (random: Random) => string }
> = {
  bytewise: {
    comparator: 'leveldb.BytewiseComparator',
    compare: (a, b) => Buffer.compare(a, b),
    makeKey: (random) => `k${random.below(400)}`,
  },
  'reverse bytewise': {
    comparator: 'rocksdb.ReverseBytewiseComparator',
    compare: (a, b) => Buffer.compare(b, a),
    makeKey: (random) => `k${random.below(400)}`,
  },
  numeric: {
    comparator: { name: 'test.Numeric', compare: (a, b) => numberOf(a) - numberOf(b) },
    compare: (a, b) => numberOf(a) - numberOf(b),
    makeKey: (random) => `${random.below(400)}`,
  },
  'ignoring case': {
    comparator: {
      name: 'test.IgnoreCase',
      compare: (a, b) => (folded(a) < folded(b) ? -1 : folded(a) > folded(b) ? 1 : 0),
      findShortestSeparator: (start) => start,
      findShortSuccessor: (key) => key,
    },
    compare: (a, b) => (folded(a) < folded(b) ? -1 : folded(a) > folded(b) ? 1 : 0),
    makeKey: (random) => (random.oneIn(2) ? 'key' : 'KEY') + random.below(300),
  },
};

const SMALL: Options = {
  createIfMissing: true,
  writeBufferSize: 16 << 10,
  targetFileSizeBase: 8 << 10,
  maxBytesForLevelBase: 32 << 10,
  level0FileNumCompactionTrigger: 2,
  blockSize: 256,
};

/** Rows sorted by a comparator; keys that compare equal are one. */
class Model {
  rows: [string, string][] = [];
  readonly compare: (a: string, b: string) => number;

  constructor(compare: Compare) {
    this.compare = (a, b) => compare(Buffer.from(a), Buffer.from(b));
  }

  /** Index of the first row at or behind `key`. */
  find(key: string): number {
    const at = this.rows.findIndex(([other]) => this.compare(other, key) >= 0);
    return at < 0 ? this.rows.length : at;
  }

  set(key: string, value: string | undefined): void {
    const at = this.find(key);
    const present = at < this.rows.length && this.compare(this.rows[at]![0], key) === 0;
    this.rows.splice(at, present ? 1 : 0, ...(value === undefined ? [] : [[key, value] as [string, string]]));
  }
}

/** Of keys that compare equal either spelling may be shown, in RocksDB too. */
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString().toLowerCase();

function here(cursor: DBIterator | { valid: boolean; key: Uint8Array; value: Uint8Array }): string | undefined {
  return cursor.valid ? `${text(cursor.key)}=${text(cursor.value)}` : undefined;
}

async function filled(name: string, body: (db: DB, model: Model, random: Random) => Promise<void>): Promise<void> {
  const { comparator, compare, makeKey } = orders[name]!;
  const random = new Random(seedFor(1700));
  const model = new Model(compare);
  await using db = await DB.open('/db', { ...SMALL, env: Env.memory(), comparator: comparator! });
  for (let i = 0; i < 1500; i++) {
    const key = makeKey(random);
    if (random.oneIn(4)) {
      await db.delete(key);
      model.set(key, undefined);
    } else {
      const value = `value ${i} `.repeat(random.between(1, 8));
      await db.put(key, value);
      model.set(key, value);
    }
    if (random.oneIn(400)) await db.flush();
    if (random.oneIn(700)) await db.compactRange();
  }
  await body(db, model, random);
}

describe.each(Object.keys(orders))('%s order', (name) => {
  const { makeKey } = orders[name]!;
  const shown = ([key, value]: [string, string]): string => `${key}=${value}`.toLowerCase();

  test('S17 S27 iteration gives the rows in the order of the comparator', () =>
    filled(name, async (db, model) => {
      const rows: string[] = [];
      for await (const [key, value] of db.entries()) rows.push(`${text(key)}=${text(value)}`);
      expect(rows).toEqual(model.rows.map(shown));
      for (const [key, value] of model.rows) expect(text((await db.get(key))!)).toBe(value);
    }));

  test('S28 ranges are what lies between their bounds, in both directions', () =>
    filled(name, async (db, model, random) => {
      for (let i = 0; i < 60; i++) {
        const [iterateLowerBound, iterateUpperBound] = [makeKey(random), makeKey(random)];
        const wanted = model.rows.slice(model.find(iterateLowerBound), model.find(iterateUpperBound)).map(shown);
        const rows: string[] = [];
        for await (const [key, value] of db.entries({ iterateLowerBound, iterateUpperBound })) {
          rows.push(`${text(key)}=${text(value)}`);
        }
        expect(rows).toEqual(wanted);
        const backward: string[] = [];
        for (const [key, value] of db.entriesSync({ iterateLowerBound, iterateUpperBound, reverse: true })) {
          backward.push(`${text(key)}=${text(value)}`);
        }
        expect(backward.reverse()).toEqual(wanted);
      }
    }));

  test('S29 S30 random walks of next, prev and all kinds of seek stay where the model is', () =>
    filled(name, async (db, model, random) => {
      const at = (index: number): string | undefined => {
        const row = model.rows[index];
        return row === undefined ? undefined : shown(row);
      };
      for (let walk = 0; walk < 20; walk++) {
        using cursor = db.newIterator();
        let index = -1;
        for (let step = 0; step < 150; step++) {
          const move = index < 0 || index >= model.rows.length ? random.between(2, 5) : random.below(7);
          const key = makeKey(random);
          const sync = random.oneIn(2);
          if (move === 0 || move === 6) {
            index++;
            await (sync ? cursor.nextSync() : cursor.next());
          } else if (move === 1) {
            index--;
            await (sync ? cursor.prevSync() : cursor.prev());
          } else if (move === 2) {
            index = model.find(key);
            await (sync ? cursor.seekSync(key) : cursor.seek(key));
          } else if (move === 3) {
            index = model.find(key);
            if (index >= model.rows.length || model.compare(model.rows[index]![0], key) > 0) index--;
            await (sync ? cursor.seekForPrevSync(key) : cursor.seekForPrev(key));
          } else if (move === 4) {
            index = 0;
            await (sync ? cursor.seekToFirstSync() : cursor.seekToFirst());
          } else {
            index = model.rows.length - 1;
            await (sync ? cursor.seekToLastSync() : cursor.seekToLast());
          }
          expect(here(cursor), `walk ${walk} step ${step} move ${move}`).toBe(at(index));
        }
      }
    }));
});

test('S27 a comparator is kept by its name: another one is refused', async () => {
  const env = Env.memory();
  const { comparator } = orders.numeric!;
  {
    await using db = await DB.open('/db', { env, createIfMissing: true, comparator: comparator! });
    for (const key of ['10', '9', '100', '1']) await db.put(key, 'x');
    await db.flush();
  }
  const other = { name: 'test.Other', compare: () => 0 };
  const words = /test\.Other: does not match existing comparator test\.Numeric/;
  await expectRefused(() => DB.open('/db', { env, comparator: other }), 'INVALID_ARGUMENT', words);
  await using db = await DB.open('/db', { env, comparator: comparator! });
  expect([...db.entriesSync()].map(([key]) => text(key))).toEqual(['1', '9', '10', '100']);
});

test('S25 get is undefined for what is not there, whatever it was before', async () => {
  await using db = await DB.open('/db', { env: Env.memory(), createIfMissing: true });
  expect(await db.get('a')).toBeUndefined();
  await db.put('a', '');
  expect(await db.get('a')).toEqual(new Uint8Array(0));
  expect(db.getSync('a')).toEqual(new Uint8Array(0));
  await db.delete('a');
  expect(db.getSync('a')).toBeUndefined();
  await db.flush();
  expect(await db.get('a')).toBeUndefined();
  await db.put('once', 'x');
  await db.singleDelete('once');
  expect(await db.get('once')).toBeUndefined();
  await db.put('m', 'x');
  await db.deleteRange('m', 'n');
  expect(await db.get('m')).toBeUndefined();
  const value = Uint8Array.of(1, 2, 3);
  await db.put('owned', value);
  value.fill(9);
  const got = (await db.get('owned'))!;
  got.fill(7);
  expect(await db.get('owned')).toEqual(Uint8Array.of(1, 2, 3));
});
