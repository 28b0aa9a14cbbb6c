/** The point lookup in a block against a search of the plain entries. */
import { afterEach, describe, expect, test } from 'vitest';
import { bytewiseComparator, type Comparator, reverseBytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, sequenceOf, typeOf, userKeyOf } from '../../../format/base/internal-key.ts';
import { BlockFlags, GET_RESULT_SIZE, GetResultField } from '../../../format/kernel/abi/block.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { hex, utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { lengthFirst, randomEntries, randomUserKey, Scratch } from './block-fixture.ts';
import { type Entry, encodeBlock, type BlockShape } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;
const scratch = new Scratch();
afterEach(() => scratch.clear());

const FLAGS = BlockFlags.internalKeys | BlockFlags.dataBlock;

interface Found {
  type: number;
  sequence: number;
  value: string;
}

type Outcome = Found | 'absent' | 'ended' | 'corrupt';

function get(block: Uint8Array, comparator: number, userKey: Uint8Array, sequence: number, global?: number): Outcome {
  const result = scratch.room(GET_RESULT_SIZE);
  const flags = global === undefined ? FLAGS : FLAGS | BlockFlags.globalSequence;
  const address = scratch.put(block);
  const key = scratch.put(userKey);
  const status = x.blockGet(
    address,
    block.length,
    flags,
    comparator,
    global ?? 0,
    key,
    userKey.length,
    sequence,
    result,
  );
  if (status === 0) return 'absent';
  if (status === 2) return 'ended';
  if (status === -1) return 'corrupt';
  const value = kernel.u32[(result + GetResultField.value) >>> 2]!;
  const valueSize = kernel.u32[(result + GetResultField.valueSize) >>> 2]!;
  return {
    type: kernel.u32[(result + GetResultField.type) >>> 2]!,
    sequence: kernel.f64[(result + GetResultField.sequence) >>> 3]!,
    value: hex(kernel.u8.slice(value, value + valueSize)),
  };
}

/** What a search entry by entry finds. With a hash index, `absent` may also be told at the end of the block. */
function plainGet(entries: readonly Entry[], order: Comparator, userKey: Uint8Array, sequence: number): Outcome {
  for (const { key, value } of entries) {
    const difference = order.compare(userKeyOf(key), userKey);
    if (difference > 0) return 'absent';
    if (difference === 0 && sequenceOf(key) <= sequence) {
      return { type: typeOf(key), sequence: sequenceOf(key), value: hex(value) };
    }
  }
  return 'ended';
}

const orders: [string, number, Comparator][] = [
  ['bytewise', 0, bytewiseComparator],
  ['reverse bytewise', 1, reverseBytewiseComparator],
  ['host', kernel.registerComparator(lengthFirst), lengthFirst],
];

describe.each(orders)('%s order', (_name, id, order) => {
  test.each([1, 2, 16, 128])('finds what is there and says where to go on, restart interval %i', (restartInterval) => {
    const random = new Random(seedFor(100 + restartInterval));
    for (let round = 0; round < 60; round++) {
      const entries = randomEntries(random, random.below(70), order);
      const shape: BlockShape = { restartInterval };
      const hashed = random.oneIn(2);
      if (hashed) shape.utilRatio = random.pick([0.1, 0.75, 1, 8]);
      const block = encodeBlock(entries, shape);
      for (let probe = 0; probe < 40; probe++) {
        const known = entries.length > 0 && random.oneIn(2);
        const userKey = known ? userKeyOf(random.pick(entries).key) : randomUserKey(random);
        const sequence = random.oneIn(4) ? 2 ** 53 - 1 : random.below(420);
        const outcome = get(block, id, userKey, sequence);
        const expected = plainGet(entries, order, userKey, sequence);
        // The hash index may prove absence where a scan would have to look into the next block, and the other way round:
        // a key without a bucket is only looked for at the end of the block. Never may it change what is found.
        if (hashed && typeof expected === 'string') expect(['absent', 'ended']).toContain(outcome);
        else expect(outcome).toEqual(expected);
        if (expected === 'ended' && !entries.some((e) => order.compare(userKeyOf(e.key), userKey) === 0)) {
          const last = entries.at(-1);
          if (!hashed || last === undefined) expect(outcome).toBe('ended');
        }
      }
      scratch.clear();
    }
  });
});

test('many versions: each sequence sees its own, through shared trailers', () => {
  const versions = Array.from({ length: 300 }, (_, i) => 300 - i);
  const entries = ['k', 'k\x01\x05', 'kk'].flatMap((name) =>
    versions.map((v) => ({ key: makeInternalKey(utf8(name), v * 7, 1), value: utf8(`${name}@${v}`) })),
  );
  for (const restartInterval of [1, 16, 1000]) {
    const block = encodeBlock(entries, { restartInterval, utilRatio: 0.75 });
    for (const name of ['k', 'k\x01\x05', 'kk']) {
      for (const v of [1, 2, 17, 128, 255, 256, 300]) {
        const wanted = { type: 1, sequence: v * 7, value: hex(utf8(`${name}@${v}`)) };
        expect(get(block, 0, utf8(name), v * 7 + 6)).toEqual(wanted);
      }
      expect(get(block, 0, utf8(name), 6)).toBe(name === 'kk' ? 'ended' : 'absent');
    }
    scratch.clear();
  }
});

test('with a global sequence an entry is visible from there on', () => {
  const entries = ['a', 'b', 'c'].map((name) => ({ key: makeInternalKey(utf8(name), 0, 1), value: utf8(name) }));
  for (const restartInterval of [1, 16]) {
    const block = encodeBlock(entries, { restartInterval });
    expect(get(block, 0, utf8('b'), 100, 100)).toEqual({ type: 1, sequence: 100, value: '62' });
    expect(get(block, 0, utf8('b'), 99, 100)).toBe('absent');
    expect(get(block, 0, utf8('c'), 99, 100)).toBe('ended');
  }
});

test('a hash index that names a restart point which is not there is corrupt', () => {
  const entries = ['a', 'b'].map((name) => ({ key: makeInternalKey(utf8(name), 5, 1), value: utf8(name) }));
  const block = encodeBlock(entries, { restartInterval: 16, utilRatio: 0.75 });
  expect(get(block, 0, utf8('a'), 9)).toEqual({ type: 1, sequence: 5, value: '61' });
  const buckets = block.length - 6 - 3;
  for (let i = buckets; i < buckets + 3; i++) if (block[i] === 0) block[i] = 9;
  expect(get(block, 0, utf8('a'), 9)).toBe('corrupt');
});

test('a collision falls back to the search, a missing key is looked for at the end of the block only', () => {
  const names = Array.from({ length: 40 }, (_, i) => `key${100 + i}`);
  const entries = names.map((name) => ({ key: makeInternalKey(utf8(name), 5, 1), value: utf8(name) }));
  const block = encodeBlock(entries, { restartInterval: 4, utilRatio: 0.75 });
  const buckets = block[block.length - 6]!;
  const collided = new Uint8Array(block);
  collided.fill(254, block.length - 6 - buckets, block.length - 6);
  const empty = new Uint8Array(block);
  empty.fill(255, block.length - 6 - buckets, block.length - 6);
  for (const name of names) {
    const wanted = { type: 1, sequence: 5, value: hex(utf8(name)) };
    expect(get(block, 0, utf8(name), 9)).toEqual(wanted);
    expect(get(collided, 0, utf8(name), 9)).toEqual(wanted);
  }
  expect(get(empty, 0, utf8('key100'), 9)).toBe('absent');
  expect(get(empty, 0, utf8('key139'), 9)).toEqual({ type: 1, sequence: 5, value: hex(utf8('key139')) });
  expect(get(empty, 0, utf8('key999'), 9)).toBe('ended');
});
