/**
 * What every `MemTableRep` promises, as tests for any test runner. A container that passes them can be given to a database
 * as `memtableFactory`:
 *
 *     import { test } from 'node:test';
 *     memTableConformance(myMemTable(), { test });
 */
import { utf8 } from '../../format/base/bytes.ts';
import {
  bytewiseComparator,
  type Comparator,
  compareBytes,
  reverseBytewiseComparator,
} from '../../format/base/comparator.ts';
import {
  MAX_SEQUENCE,
  makeInternalKey,
  TYPE_FOR_SEEK,
  TYPE_FOR_SEEK_FOR_PREV,
  userKeyOf,
  ValueType,
} from '../../format/base/internal-key.ts';
import type { MemTableFactory, MemTableRepIterator } from '../../format/base/memtable-rep.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import { SeededRandom } from '../env/random.ts';
import { expect, expectBytes, type RegisterTest, showBytes } from './expectation.ts';
import { MemTablePair } from './memtable-pair.ts';

/** How the tests are run. */
export interface MemTableConformanceOptions {
  test: RegisterTest;
  /** Seed of the random tests; a failure repeats under the same seed. Default 1. */
  seed?: number;
}

const PREFIX_SIZE = 2;
const NO_BYTES = new Uint8Array(0);

/** ASCII letters in either case are one letter: different bytes that are one user key. */
const caseless: Comparator = {
  name: 'pumice.test.Caseless',
  compare: (a, b) => compareBytes(lowerCase(a), lowerCase(b)),
};

function lowerCase(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
}

/** The first two bytes; shorter keys have no prefix. Keys that `caseless` holds equal have one prefix. */
const prefixExtractor: SliceTransform = {
  name: 'pumice.test.Prefix',
  transform: (key) => lowerCase(key.subarray(0, PREFIX_SIZE)),
  inDomain: (key) => key.length >= PREFIX_SIZE,
};

const COMPARATORS = [bytewiseComparator, reverseBytewiseComparator, caseless];
const TYPES = [ValueType.value, ValueType.value, ValueType.deletion, ValueType.singleDeletion, ValueType.merge];

/** Keys that stand in each other's way: empty, prefixes of one another, zeros and 0xff, and some that look like trailers. */
const AWKWARD_KEYS: readonly Uint8Array[] = [
  NO_BYTES,
  ...['00', '0000', 'ff', 'ffff', 'ff00', '61', '6100', '6161', '0100000000000000', 'ffffffffffffffffff'].map(
    (hex) => new Uint8Array(Buffer.from(hex, 'hex')),
  ),
];

/** Registers the tests of `factory`'s containers with `options.test`; each throws an Error that says what was wrong. */
export function memTableConformance(factory: MemTableFactory, options: MemTableConformanceOptions): void {
  const { test, seed = 1 } = options;
  const named = (name: string, run: (pair: MemTablePair, random: SeededRandom) => void): void => {
    for (const comparator of COMPARATORS) {
      test(`${factory.name}, ${comparator.name}: ${name}`, () =>
        run(new MemTablePair(factory, comparator, prefixExtractor), new SeededRandom(seed)));
    }
  };
  named('an empty container has no entry', checkEmpty);
  named('entries come in key order, whatever the order of their arrival', checkOrder);
  named('versions of one key come newest first, and get takes the newest it may', checkVersions);
  named('awkward keys and empty values', checkAwkwardKeys);
  named('seeks find the neighbours of entries and of gaps', checkSeeks);
  named('a cursor turns around at every entry and leaves at both ends', checkTurns);
  named('a cursor stays right while entries are inserted', checkInsertsDuringWalk);
  named('a seek meets what was inserted before it', checkSeekAfterInsert);
  named('a cursor without full order meets all entries of its prefix', checkPrefixWalk);
  named('memory in use grows with the entries', checkMemory);
  named('nothing changes when it becomes read-only', checkReadOnly);
  named('random inserts and reads against a sorted array', checkRandom);
  test(`${factory.name}: containers of one factory share nothing`, () => checkApart(factory));
}

function checkEmpty(pair: MemTablePair): void {
  pair.expectWalks();
  pair.expectGet(NO_BYTES, MAX_SEQUENCE);
  pair.expectGet(utf8('key'), MAX_SEQUENCE);
  pair.expectSeeks(makeInternalKey(utf8('key'), 1, ValueType.value));
  expect(!pair.rep.iterator(false).valid, 'a cursor that was never positioned is valid');
}

function checkOrder(pair: MemTablePair, random: SeededRandom): void {
  let sequence = 0;
  const insert = (i: number): void => {
    sequence++;
    pair.insert(utf8(`key${String(i).padStart(4, '0')}`), sequence, ValueType.value, utf8(`value${sequence}`));
  };
  for (let i = 100; i < 160; i++) insert(i);
  for (let i = 99; i >= 40; i--) insert(i);
  for (let i = 0; i < 100; i++) insert(random.below(300));
  pair.expectWalks();
}

function checkVersions(pair: MemTablePair): void {
  const keys = ['a', 'ab', 'b'].map(utf8);
  const sequences = [7, 300, 2 ** 24 + 1, 2 ** 32 + 5, 40, 2 ** 48, MAX_SEQUENCE - 1];
  // Every sequence is used once: the low bit of its place tells the keys apart.
  for (const [i, sequence] of sequences.entries()) {
    for (const [j, key] of keys.entries()) pair.insert(key, sequence - j, TYPES[(i + j) % 5]!, utf8(`${i}.${j}`));
  }
  pair.expectWalks();
  for (const key of [...keys, utf8('aa'), utf8('B'), utf8('c'), NO_BYTES]) {
    for (const sequence of sequences) {
      for (const near of [sequence - 3, sequence - 1, sequence, sequence + 1]) pair.expectGet(key, near);
    }
    pair.expectGet(key, 0);
    pair.expectGet(key, MAX_SEQUENCE);
  }
}

function checkAwkwardKeys(pair: MemTablePair): void {
  AWKWARD_KEYS.forEach((key, i) => {
    pair.insert(key, i + 1, ValueType.value, i % 2 === 0 ? NO_BYTES : key);
  });
  pair.insert(NO_BYTES, 100, ValueType.deletion, NO_BYTES);
  pair.expectWalks();
  for (const key of AWKWARD_KEYS) {
    pair.expectGet(key, MAX_SEQUENCE);
    pair.expectGet(key, 1);
    pair.expectSeeks(makeInternalKey(key, MAX_SEQUENCE, TYPE_FOR_SEEK));
    pair.expectSeeks(makeInternalKey(key, 0, TYPE_FOR_SEEK_FOR_PREV));
  }
}

function checkSeeks(pair: MemTablePair): void {
  for (let i = 0; i < 60; i++) pair.insert(utf8(`k${i % 20}0`), i + 1, ValueType.value, utf8(`${i}`));
  for (let i = 0; i < 20; i++) {
    for (const key of [`k${i}`, `k${i}0`, `k${i}00`, `j${i}`, `l${i}`, `K${i}0`]) {
      for (const sequence of [0, i + 1, i + 20, i + 21, i + 22, 1000]) {
        pair.expectSeeks(makeInternalKey(utf8(key), sequence, TYPE_FOR_SEEK));
        pair.expectSeeks(makeInternalKey(utf8(key), sequence, ValueType.value));
        pair.expectSeeks(makeInternalKey(utf8(key), sequence, TYPE_FOR_SEEK_FOR_PREV));
      }
    }
  }
}

function checkTurns(pair: MemTablePair): void {
  const count = 50;
  for (let i = 0; i < count; i++) pair.insert(utf8(`key${(i * 7) % count}`), i + 1, ValueType.value, utf8(`${i}`));
  const iterator = pair.rep.iterator(true);
  for (let i = 0; i < count; i++) {
    iterator.seek(pair.model.entries[i]!.key);
    pair.expectAt(iterator, i, 'seek to an entry');
    iterator.next();
    pair.expectAt(iterator, i + 1, 'next');
    if (!iterator.valid) continue;
    iterator.prev();
    pair.expectAt(iterator, i, 'prev after next');
    iterator.prev();
    pair.expectAt(iterator, i - 1, 'prev');
    if (!iterator.valid) continue;
    iterator.next();
    pair.expectAt(iterator, i, 'next after prev');
  }
}

/** Steps in one direction while entries arrive around the cursor, and returns the keys it met. */
function walkWhileInserting(pair: MemTablePair, forward: boolean, insert: () => void): Uint8Array[] {
  const iterator: MemTableRepIterator = pair.rep.iterator(true);
  const met: Uint8Array[] = [];
  if (forward) iterator.seekToFirst();
  else iterator.seekToLast();
  while (iterator.valid) {
    const { key, value } = iterator;
    const [keyBefore, valueBefore] = [key.slice(), value.slice()];
    insert();
    expectBytes(iterator.key, keyBefore, 'the key under a cursor after an insert');
    expectBytes(iterator.value, valueBefore, 'the value under a cursor after an insert');
    met.push(keyBefore);
    if (forward) iterator.next();
    else iterator.prev();
    expectBytes(key, keyBefore, 'the bytes of a key that was left');
    expectBytes(value, valueBefore, 'the bytes of a value that was left');
  }
  return met;
}

function checkInsertsDuringWalk(pair: MemTablePair, random: SeededRandom): void {
  let sequence = 0;
  const insert = (): void => {
    sequence++;
    pair.insert(utf8(`key${random.below(400)}`), sequence, ValueType.value, utf8(`v${sequence}`));
  };
  for (let i = 0; i < 200; i++) insert();
  for (const forward of [true, false]) {
    const before = pair.model.entries.map(({ key }) => key);
    // So many steps can be met; the inserts end, so that a cursor that meets them all ends too.
    let left = 300;
    const met = walkWhileInserting(pair, forward, () => {
      if (left-- > 0) insert();
    });
    for (let i = 1; i < met.length; i++) {
      const order = pair.model.compare(met[i - 1]!, met[i]!);
      expect(forward ? order < 0 : order > 0, `a step from ${showBytes(met[i - 1])} led to ${showBytes(met[i])}`);
    }
    const seen = new Set(met.map(showBytes));
    const missed = before.find((key) => !seen.has(showBytes(key)));
    expect(missed === undefined, `a walk during inserts missed ${showBytes(missed)}`);
  }
  pair.expectWalks();
}

function checkSeekAfterInsert(pair: MemTablePair): void {
  const iterator = pair.rep.iterator(true);
  for (let i = 0; i < 40; i++) {
    const key = utf8(`key${(i * 17) % 40}`);
    pair.insert(key, i + 1, ValueType.value, utf8(`${i}`));
    pair.expectGet(key, MAX_SEQUENCE);
    const target = makeInternalKey(key, MAX_SEQUENCE, TYPE_FOR_SEEK);
    iterator.seek(target);
    pair.expectAt(iterator, pair.model.lowerBound(target), 'seek with an old cursor');
    iterator.seekToFirst();
    pair.expectAt(iterator, 0, 'seekToFirst with an old cursor');
    iterator.seekToLast();
    pair.expectAt(iterator, i, 'seekToLast with an old cursor');
  }
}

function checkPrefixWalk(pair: MemTablePair, random: SeededRandom): void {
  const prefixes = Array.from({ length: 40 }, (_, i) => `${String.fromCharCode(0x61 + (i % 26))}${i % 3}`);
  for (let i = 0; i < 400; i++) {
    const key = `${prefixes[random.below(prefixes.length)]}${random.below(50)}`;
    pair.insert(utf8(key), i + 1, ValueType.value, utf8(`${i}`));
  }
  const { entries } = pair.model;
  const iterator = pair.rep.iterator(false);
  for (const text of [...prefixes, 'zz']) {
    const prefix = utf8(text);
    const hasPrefix = (key: Uint8Array): boolean =>
      compareBytes(prefixExtractor.transform(userKeyOf(key)), prefix) === 0;
    const expected = entries.filter(({ key }) => hasPrefix(key));
    // The least internal key of the prefix under this order, wherever the order puts the bare prefix.
    const first = expected[0]?.key ?? makeInternalKey(prefix, MAX_SEQUENCE, TYPE_FOR_SEEK);
    let count = 0;
    for (iterator.seek(first); iterator.valid && hasPrefix(iterator.key); iterator.next()) {
      expectBytes(iterator.key, expected[count++]?.key, `walk through the prefix '${text}'`);
    }
    expect(count === expected.length, `prefix '${text}': expected ${expected.length} entries, found ${count}`);
    for (const { key } of expected.slice(0, 3)) pair.expectGet(userKeyOf(key), MAX_SEQUENCE);
  }
}

function checkMemory(pair: MemTablePair, random: SeededRandom): void {
  let bytes = 0;
  let before = pair.rep.approximateMemoryUsage();
  for (let i = 0; i < 200; i++) {
    const value = new Uint8Array(random.below(2000));
    const key = utf8(`key${i}`);
    pair.insert(key, i + 1, ValueType.value, value);
    bytes += key.length + value.length;
    const now = pair.rep.approximateMemoryUsage();
    expect(now >= before, `memory in use fell from ${before} to ${now} bytes with an insert`);
    before = now;
  }
  expect(before >= bytes, `${bytes} bytes are held, but ${before} are said to be in use`);
}

function checkReadOnly(pair: MemTablePair, random: SeededRandom): void {
  for (let i = 0; i < 300; i++) {
    pair.insert(utf8(`key${random.below(200)}`), i + 1, TYPES[i % 5]!, utf8(`${i}`));
    if (i === 150) pair.expectWalks();
  }
  const iterator = pair.rep.iterator(true);
  iterator.seek(pair.model.entries[100]!.key);
  pair.rep.markReadOnly();
  for (let i = 100; i < 300; i++, iterator.next()) pair.expectAt(iterator, i, 'a cursor from before markReadOnly');
  pair.expectWalks();
  for (let i = 0; i < 200; i++) pair.expectGet(utf8(`key${i}`), random.below(400));
}

function checkRandom(pair: MemTablePair, random: SeededRandom): void {
  const randomKey = (): Uint8Array => {
    const key = new Uint8Array(random.below(5));
    for (let i = 0; i < key.length; i++) key[i] = [0, 0x41, 0x61, 0x62, 0xff][random.below(5)]!;
    return key;
  };
  for (let sequence = 1; sequence <= 600; sequence++) {
    const value = new Uint8Array(random.below(20));
    random.fill(value);
    pair.insert(randomKey(), sequence, TYPES[random.below(TYPES.length)]!, value);
    if (random.below(4) === 0) pair.expectGet(randomKey(), random.below(sequence + 2));
    if (random.below(8) === 0)
      pair.expectSeeks(makeInternalKey(randomKey(), random.below(sequence + 2), TYPE_FOR_SEEK));
    if (random.below(100) === 0) pair.expectWalks();
  }
  pair.expectWalks();
}

function checkApart(factory: MemTableFactory): void {
  const [first, second] = [1, 2].map(() => new MemTablePair(factory, bytewiseComparator, prefixExtractor));
  first!.insert(utf8('one'), 1, ValueType.value, utf8('1'));
  second!.insert(utf8('two'), 2, ValueType.value, utf8('2'));
  for (const pair of [first!, second!]) {
    pair.expectWalks();
    pair.expectGet(utf8('one'), 9);
    pair.expectGet(utf8('two'), 9);
  }
}
