/** The search of a level by words, against a look at every table. */
import { expect, test } from 'vitest';
import {
  bytewiseComparator,
  type Comparator,
  compareBytes,
  reverseBytewiseComparator,
} from '../../../format/base/comparator.ts';
import { makeInternalKey, SENTINEL_SEQUENCE, ValueType } from '../../../format/base/internal-key.ts';
import type { FileMetadata } from '../../../format/manifest/file-metadata.ts';
import { LevelBounds } from '../../../format/manifest/level-bounds.ts';
import { utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { table } from './edit-builders.ts';

/** Bytes of few values, so that keys share long beginnings, are prefixes of each other and repeat. */
function randomKey(random: Random, prefix: Uint8Array): Uint8Array {
  const tail = random.bytes(random.below(12)).map((byte) => [0, 1, 0x7f, 0x80, 0xff][byte % 5]!);
  return Buffer.concat([prefix, tail]);
}

/** Tables of a sorted level; neighbours may share a boundary, and some end before it. */
function randomLevel(random: Random, comparator: Comparator, prefix: Uint8Array): FileMetadata[] {
  const keys = Array.from({ length: 2 * random.between(1, 40) }, () => randomKey(random, prefix));
  keys.sort((a, b) => comparator.compare(a, b));
  const files: FileMetadata[] = [];
  for (let i = 0; i < keys.length; i += 2) {
    const exclusive = random.oneIn(4) && comparator.compare(keys[i]!, keys[i + 1]!) !== 0;
    files.push({
      ...table(i + 1, 'a', 'b'),
      smallest: makeInternalKey(keys[i]!, 7, ValueType.value),
      largest: exclusive
        ? makeInternalKey(keys[i + 1]!, SENTINEL_SEQUENCE, ValueType.rangeDeletion)
        : makeInternalKey(keys[i + 1]!, 3, ValueType.value),
    });
  }
  return files;
}

interface Bounds {
  smallest: Uint8Array;
  largest: Uint8Array;
  exclusive: boolean;
}

function boundsOf(file: FileMetadata): Bounds {
  const user = (key: Uint8Array): Uint8Array => key.slice(0, -8);
  const trailer = file.largest.slice(-8);
  return {
    smallest: user(file.smallest),
    largest: user(file.largest),
    exclusive: trailer.slice(1).every((byte) => byte === 0xff),
  };
}

const byLength: Comparator = {
  name: 'test.LengthFirst',
  compare: (a, b) => a.length - b.length || compareBytes(a, b),
};

test.each([
  ['bytewise', bytewiseComparator],
  ['reverse', reverseBytewiseComparator],
  ['a comparator of the user', byLength],
])('%s: find, findHolding and holds say what a look at every table says', (_name, comparator) => {
  const random = new Random(seedFor(123));
  let held = 0;
  for (let round = 0; round < 300; round++) {
    const prefix = random.oneIn(2) ? utf8('user:') : new Uint8Array(0);
    const files = randomLevel(random, comparator, prefix);
    const bounds = new LevelBounds(comparator, files, true);
    const plain = files.map(boundsOf);
    const endsBefore = ({ largest, exclusive }: Bounds, key: Uint8Array): boolean => {
      const order = comparator.compare(largest, key);
      return order < 0 || (order === 0 && exclusive);
    };
    for (let probe = 0; probe < 60; probe++) {
      const key = random.oneIn(3)
        ? random.pick(random.oneIn(2) ? bounds.smallest : bounds.largest)
        : randomKey(random, random.oneIn(5) ? utf8('us') : prefix);
      const first = plain.findIndex((bound) => !endsBefore(bound, key));
      const expected = first < 0 ? files.length : first;
      expect(bounds.find(key)).toBe(expected);
      const holds = first >= 0 && comparator.compare(plain[first]!.smallest, key) <= 0;
      expect(bounds.findHolding(key)).toBe(holds ? first : -1);
      if (first >= 0) expect(bounds.holds(first, key)).toBe(holds);
      if (holds) held++;
    }
  }
  expect(held).toBeGreaterThan(1000);
});

test('an empty level holds nothing', () => {
  const bounds = new LevelBounds(bytewiseComparator, [], true);
  expect(bounds.find(utf8('a'))).toBe(0);
  expect(bounds.findHolding(utf8('a'))).toBe(-1);
});
