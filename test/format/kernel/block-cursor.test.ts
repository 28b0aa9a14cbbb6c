/** The block cursor against a sorted array. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { bytewiseComparator, type Comparator, reverseBytewiseComparator } from '../../../format/base/comparator.ts';
import { compareInternalKeys, makeInternalKey, userKeyOf } from '../../../format/base/internal-key.ts';
import { BlockCursorField, BlockFlags } from '../../../format/kernel/abi/block.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { hex, utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PROJECT_ROOT } from '../../support/source-files.ts';
import { entryText, lengthFirst, randomEntries, randomUserKey, readCursor, Scratch } from './block-fixture.ts';
import { type Entry, encodeBlock, encodeIndex, type IndexEntry } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;
const scratch = new Scratch();
afterEach(() => scratch.clear());

const orders: [string, number, Comparator][] = [
  ['bytewise', 0, bytewiseComparator],
  ['reverse bytewise', 1, reverseBytewiseComparator],
  ['host', kernel.registerComparator(lengthFirst), lengthFirst],
];

function randomWalk(random: Random, cursor: number, entries: readonly Entry[], comparator: Comparator): void {
  let at = -1;
  for (let step = 0; step < 60; step++) {
    const target = makeInternalKey(
      entries.length > 0 && random.oneIn(2) ? userKeyOf(random.pick(entries).key) : randomUserKey(random),
      random.below(500),
      random.pick([0, 1, 0x18]),
    );
    const address = scratch.put(target);
    switch (random.below(6)) {
      case 0:
        x.blockCursorSeekToFirst(cursor);
        at = 0;
        break;
      case 1:
        x.blockCursorSeekToLast(cursor);
        at = entries.length - 1;
        break;
      case 2:
        x.blockCursorSeek(cursor, address, target.length);
        at = entries.findIndex((entry) => compareInternalKeys(comparator, entry.key, target) >= 0);
        if (at < 0) at = entries.length;
        break;
      case 3:
        x.blockCursorSeekForPrev(cursor, address, target.length);
        at = entries.findLastIndex((entry) => compareInternalKeys(comparator, entry.key, target) <= 0);
        break;
      case 4:
        if (entries[at] === undefined) continue;
        x.blockCursorNext(cursor);
        at++;
        break;
      default:
        if (entries[at] === undefined) continue;
        x.blockCursorPrev(cursor);
        at--;
    }
    expect(readCursor(cursor)).toBe(entryText(entries[at]));
  }
}

describe.each(orders)('%s order', (_name, id, comparator) => {
  test.each([1, 2, 3, 16, 128])('random walks equal those over an array, restart interval %i', (restartInterval) => {
    const random = new Random(seedFor(11 + restartInterval));
    const cursor = x.blockCursorCreate();
    for (let round = 0; round < 40; round++) {
      const entries = randomEntries(random, random.below(60), comparator);
      const utilRatio = random.oneIn(2) ? 0.75 : undefined;
      const block = encodeBlock(entries, { restartInterval, ...(utilRatio === undefined ? {} : { utilRatio }) });
      const flags = BlockFlags.internalKeys | BlockFlags.dataBlock;
      expect(x.blockCursorInit(cursor, scratch.put(block), block.length, flags, id, 0)).toBe(1);
      randomWalk(random, cursor, entries, comparator);
      scratch.clear();
    }
    x.blockCursorDestroy(cursor);
  });
});

test.each([
  [16, 300],
  [128, 300],
  [5000, 1000],
])(
  'walks over whole blocks in both directions meet every entry once, restart interval %i',
  (restartInterval, count) => {
    const random = new Random(seedFor(3));
    const entries = randomEntries(random, count, bytewiseComparator);
    // Now and then a key is too long for what a cursor keeps for steps back.
    const stem = randomUserKey(random);
    for (const tail of ['x', 'y', 'z']) {
      const userKey = new Uint8Array(Buffer.concat([Buffer.alloc(5000, 0xfe), stem, Buffer.from(tail)]));
      entries.push({ key: makeInternalKey(userKey, 7, 1), value: utf8(tail) });
    }
    entries.sort((a, b) => compareInternalKeys(bytewiseComparator, a.key, b.key));
    const block = encodeBlock(entries, { restartInterval });
    const cursor = x.blockCursorCreate();
    x.blockCursorInit(cursor, scratch.put(block), block.length, BlockFlags.internalKeys, 0, 0);
    const forward: string[] = [];
    for (x.blockCursorSeekToFirst(cursor); readCursor(cursor) !== 'end'; x.blockCursorNext(cursor)) {
      forward.push(readCursor(cursor));
    }
    const backward: string[] = [];
    for (x.blockCursorSeekToLast(cursor); readCursor(cursor) !== 'end'; x.blockCursorPrev(cursor)) {
      backward.push(readCursor(cursor));
    }
    expect(forward).toEqual(entries.map(entryText));
    expect(backward.reverse()).toEqual(forward);
    // To and fro: two steps back, one forward.
    x.blockCursorSeekToLast(cursor);
    for (let at = entries.length - 1; at >= 2; at -= 1) {
      x.blockCursorPrev(cursor);
      expect(readCursor(cursor)).toBe(forward[at - 1]);
      x.blockCursorPrev(cursor);
      expect(readCursor(cursor)).toBe(forward[at - 2]);
      x.blockCursorNext(cursor);
      expect(readCursor(cursor)).toBe(forward[at - 1]);
    }
    x.blockCursorDestroy(cursor);
  },
);

test('a global sequence replaces that of every key, in what is shown and in what is compared', () => {
  const random = new Random(seedFor(5));
  const sequence = 1234567;
  const cursor = x.blockCursorCreate();
  for (let round = 0; round < 40; round++) {
    const keys = new Map(Array.from({ length: 50 }, () => randomUserKey(random)).map((key) => [hex(key), key]));
    const userKeys = [...keys.values()].sort(bytewiseComparator.compare);
    // Keys that end like a trailer make neighbours share bytes of the trailer before.
    const stored = userKeys.map((key) => ({ key: makeInternalKey(key, 0, 1), value: key.slice(0, 4) }));
    const shown = userKeys.map((key) => ({ key: makeInternalKey(key, sequence, 1), value: key.slice(0, 4) }));
    const block = encodeBlock(stored, { restartInterval: random.pick([1, 4, 16]) });
    const flags = BlockFlags.internalKeys | BlockFlags.globalSequence;
    x.blockCursorInit(cursor, scratch.put(block), block.length, flags, 0, sequence);
    randomWalk(random, cursor, shown, bytewiseComparator);
    const target = makeInternalKey(userKeys[9]!, sequence, 0x18);
    x.blockCursorSeek(cursor, scratch.put(target), target.length);
    expect(readCursor(cursor)).toBe(entryText(shown[9]));
  }
  x.blockCursorDestroy(cursor);
});

test('plain keys compare bytewise, whatever the comparator', () => {
  const names = ['a', 'fullfilter.rocksdb.BuiltinBloomFilter', 'rocksdb.properties', 'rocksdb.range_del'];
  const entries = names.map((name) => ({ key: utf8(name), value: utf8(`handle of ${name}`) }));
  const block = encodeBlock(entries, { restartInterval: 1 });
  const cursor = x.blockCursorCreate();
  expect(x.blockCursorInit(cursor, scratch.put(block), block.length, 0, 1, 0)).toBe(1);
  const target = utf8('rocksdb.properties');
  x.blockCursorSeek(cursor, scratch.put(target), target.length);
  expect(readCursor(cursor)).toBe(entryText(entries[2]));
  expect(x.blockCursorNumRestarts(cursor)).toBe(4);
  x.blockCursorDestroy(cursor);
});

/** Entries of an index: ascending keys, handles one behind the other but for `gaps`. */
function randomIndex(random: Random, internal: boolean, firstKeys: boolean, gaps: boolean): IndexEntry[] {
  const keys = new Map(Array.from({ length: 80 }, () => randomUserKey(random)).map((key) => [hex(key), key]));
  let offset = 0;
  return [...keys.values()].sort(bytewiseComparator.compare).map((userKey) => {
    const size = random.between(1, 9000);
    const entry: IndexEntry = { key: internal ? makeInternalKey(userKey, random.below(99), 1) : userKey, offset, size };
    if (firstKeys) entry.firstKey = makeInternalKey(userKey, random.below(99), 1);
    offset += size + 5 + (gaps ? random.below(100) : 0);
    return entry;
  });
}

describe.each([
  [1, false],
  [1, true],
  [8, true],
  [16, false],
] as const)('index, restart interval %i, first keys %s', (interval, firstKeys) => {
  test.each([
    ['user keys, delta', true, false],
    ['internal keys, delta', true, true],
    ['user keys, plain', false, false],
    ['internal keys, plain', false, true],
  ])('%s: seeks give the right handles', (_name, delta, internal) => {
    const random = new Random(seedFor(17 + interval));
    const cursor = x.blockCursorCreate();
    for (let round = 0; round < 15; round++) {
      const entries = randomIndex(random, internal, firstKeys, !delta);
      const block = encodeIndex(entries, interval, delta);
      let flags = BlockFlags.handles | (internal ? BlockFlags.internalKeys : BlockFlags.userKeys);
      if (delta) flags |= BlockFlags.deltaValues;
      if (firstKeys) flags |= BlockFlags.firstKeys;
      x.blockCursorInit(cursor, scratch.put(block), block.length, flags, 0, 0);
      for (let probe = 0; probe < 40; probe++) {
        const userKey = random.oneIn(2) ? randomUserKey(random) : indexUserKey(random.pick(entries), internal);
        const target = makeInternalKey(userKey, random.below(99), 0x18);
        x.blockCursorSeek(cursor, scratch.put(target), target.length);
        const wanted = entries.find((entry) =>
          internal
            ? compareInternalKeys(bytewiseComparator, entry.key, target) >= 0
            : bytewiseComparator.compare(entry.key, userKey) >= 0,
        );
        expect(readHandle(cursor, firstKeys)).toEqual(wanted);
      }
      scratch.clear();
    }
    x.blockCursorDestroy(cursor);
  });
});

function indexUserKey(entry: IndexEntry, internal: boolean): Uint8Array {
  return internal ? userKeyOf(entry.key) : entry.key;
}

function readHandle(cursor: number, firstKeys: boolean): IndexEntry | undefined {
  const { u32, f64, u8 } = kernel;
  if (u32[(cursor >>> 2) + 1] === 0) return undefined;
  const bytes = (field: number, size: number): Uint8Array => {
    const address = u32[(cursor + field) >>> 2]!;
    return new Uint8Array(u8.slice(address, address + u32[(cursor + size) >>> 2]!));
  };
  const entry: IndexEntry = {
    key: bytes(8, 12),
    offset: f64[(cursor + BlockCursorField.handleOffset) >>> 3]!,
    size: f64[(cursor + BlockCursorField.handleSize) >>> 3]!,
  };
  if (firstKeys) entry.firstKey = bytes(BlockCursorField.firstKey, BlockCursorField.firstKeySize);
  return entry;
}

test('reads the blocks of fixture tiny', () => {
  const file = readFileSync(join(PROJECT_ROOT, 'test/fixtures/tiny/db/000009.sst'));
  const data = new Uint8Array(file.subarray(0, 66));
  const cursor = x.blockCursorCreate();
  expect(x.blockCursorInit(cursor, scratch.put(data), data.length, BlockFlags.internalKeys, 0, 0)).toBe(1);
  const rows: string[] = [];
  for (x.blockCursorSeekToFirst(cursor); readCursor(cursor) !== 'end'; x.blockCursorNext(cursor)) {
    rows.push(readCursor(cursor));
  }
  expect(rows).toEqual([
    `${hex(makeInternalKey(utf8('apple'), 1, 1))}=${hex(utf8('red'))}`,
    `${hex(makeInternalKey(utf8('apricot'), 2, 1))}=${hex(utf8('orange'))}`,
    `${hex(makeInternalKey(utf8('banana'), 3, 0))}=`,
  ]);
  const index = new Uint8Array(file.subarray(145, 145 + 18));
  const flags = BlockFlags.userKeys | BlockFlags.deltaValues;
  expect(x.blockCursorInit(cursor, scratch.put(index), index.length, flags, 0, 0)).toBe(1);
  x.blockCursorSeekToFirst(cursor);
  expect(readHandle(cursor, false)).toEqual({ key: utf8('banana'), offset: 0, size: 66 });
  x.blockCursorDestroy(cursor);
});

test('an empty block has a restart point and no entries', () => {
  const block = encodeBlock([], { restartInterval: 16 });
  expect(hex(block)).toBe('0000000001000000');
  const cursor = x.blockCursorCreate();
  expect(x.blockCursorInit(cursor, scratch.put(block), block.length, BlockFlags.internalKeys, 0, 0)).toBe(1);
  const target = scratch.put(makeInternalKey(utf8('k'), 1, 1));
  for (const move of [
    () => x.blockCursorSeekToFirst(cursor),
    () => x.blockCursorSeekToLast(cursor),
    () => x.blockCursorSeek(cursor, target, 9),
    () => x.blockCursorSeekForPrev(cursor, target, 9),
  ]) {
    move();
    expect(readCursor(cursor)).toBe('end');
  }
  x.blockCursorDestroy(cursor);
});
