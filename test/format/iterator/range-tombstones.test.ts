/** Fragments of range tombstones against the definition: a key is covered by each tombstone whose range holds it. */
import { describe, expect, test } from 'vitest';
import { bytewiseComparator, type Comparator, reverseBytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, SENTINEL_SEQUENCE } from '../../../format/base/internal-key.ts';
import { memtableTombstones } from '../../../format/iterator/memtable-source.ts';
import { clipToFile, FragmentedTombstones, type RangeTombstone } from '../../../format/iterator/range-tombstones.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { comparatorsOf, randomKey, Scratch } from '../kernel/reference/random-entries.ts';

const kernel = getKernel();

const t = (begin: string, end: string, sequence: number): RangeTombstone => ({
  begin: Buffer.from(begin),
  end: Buffer.from(end),
  sequence,
});
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const shown = (list: readonly RangeTombstone[]): string[] =>
  list.map(({ begin, end, sequence }) => `${text(begin)}-${text(end)}#${sequence}`);

function coveredBy(comparator: Comparator, list: readonly RangeTombstone[], key: Uint8Array, snapshot: number): number {
  const over = list.filter(
    ({ begin, end, sequence }) =>
      sequence <= snapshot && comparator.compare(begin, key) <= 0 && comparator.compare(key, end) < 0,
  );
  return Math.max(0, ...over.map(({ sequence }) => sequence));
}

test('overlapping tombstones become fragments with all sequences, highest first', () => {
  const { fragments } = new FragmentedTombstones(bytewiseComparator, [t('f', 't', 5), t('a', 'm', 9), t('f', 'g', 9)]);
  expect(fragments.map(({ begin, end, sequences }) => [text(begin), text(end), ...sequences])).toEqual([
    ['a', 'f', 9],
    ['f', 'g', 9, 5],
    ['g', 'm', 9, 5],
    ['m', 't', 5],
  ]);
});

test('empty and inverted ranges cover nothing', () => {
  const tombstones = new FragmentedTombstones(bytewiseComparator, [t('c', 'c', 3), t('d', 'b', 4)]);
  expect(tombstones.isEmpty).toBe(true);
  expect(tombstones.coveringSequence(Buffer.from('c'), 10)).toBe(0);
});

test('a snapshot sees the highest sequence up to its own, and adjacent equal ranges as one', () => {
  const tombstones = new FragmentedTombstones(bytewiseComparator, [t('a', 'z', 3), t('f', 'h', 7), t('x', 'zz', 5)]);
  expect(shown(tombstones.visibleAt(2))).toEqual([]);
  expect(shown(tombstones.visibleAt(4))).toEqual(['a-z#3']);
  expect(shown(tombstones.visibleAt(6))).toEqual(['a-x#3', 'x-zz#5']);
  expect(shown(tombstones.visibleAt(7))).toEqual(['a-f#3', 'f-h#7', 'h-x#3', 'x-zz#5']);
});

describe.each(comparatorsOf(kernel))('fragments ordered by %s', (_name, comparator) => {
  test('random tombstones cover what they covered before, at every snapshot', () => {
    const random = new Random(seedFor(300));
    for (let round = 0; round < 40; round++) {
      const keys = Array.from({ length: 30 }, () => randomKey(random));
      const list = Array.from({ length: random.below(25) }, () => {
        const begin = random.pick(keys);
        return { begin, end: random.pick(keys), sequence: random.between(1, 30) };
      });
      const tombstones = new FragmentedTombstones(comparator, list);
      const { fragments } = tombstones;
      fragments.forEach(({ begin, end, sequences }, i) => {
        expect(comparator.compare(begin, end)).toBeLessThan(0);
        if (i > 0) expect(comparator.compare(fragments[i - 1]!.end, begin)).toBeLessThanOrEqual(0);
        expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => b - a));
        const over = list.filter((one) => coveredBy(comparator, [one], begin, 2 ** 53) > 0);
        expect([...sequences].reverse()).toEqual(
          [...new Set(over.map(({ sequence }) => sequence))].sort((a, b) => a - b),
        );
      });
      for (const key of [...keys, ...Array.from({ length: 20 }, () => randomKey(random))]) {
        const snapshot = random.pick([0, random.between(1, 30), SENTINEL_SEQUENCE]);
        const expected = coveredBy(comparator, list, key, snapshot);
        expect(tombstones.coveringSequence(key, snapshot)).toBe(expected);
        expect(coveredBy(comparator, tombstones.visibleAt(snapshot), key, snapshot)).toBe(expected);
      }
    }
  });

  test('the tombstones of a memtable come back as they were written', () => {
    const id = comparatorsOf(kernel).find(([, c]) => c === comparator)![2];
    const memtable = kernel.x.memtableCreate(id, 65536) >>> 0;
    const scratch = new Scratch(kernel);
    const random = new Random(seedFor(301));
    const list = Array.from({ length: 50 }, (_, i) => ({
      begin: randomKey(random),
      end: randomKey(random),
      sequence: 2 ** 52 + i,
    }));
    expect(memtableTombstones(kernel, memtable)).toEqual([]);
    for (const { begin, end, sequence } of list) {
      const key = scratch.put(begin);
      kernel.x.memtableInsert(memtable, sequence, 0x0f, key, begin.length, scratch.put(end, 4096), end.length);
    }
    list.sort((a, b) => comparator.compare(a.begin, b.begin) || b.sequence - a.sequence);
    expect(memtableTombstones(kernel, memtable)).toEqual(list);
    kernel.x.memtableFree(memtable);
    scratch.free();
  });
});

describe('tombstones of a file act only inside its boundaries', () => {
  const key = (user: string, sequence: number): Uint8Array => makeInternalKey(Buffer.from(user), sequence, 0x0f);
  const list = [t('a', 'z', 3), t('d', 'f', 4), t('x', 'z', 5)];

  test('a sentinel largest key is exclusive', () => {
    const clipped = clipToFile(bytewiseComparator, list, key('c', 9), key('k', SENTINEL_SEQUENCE));
    expect(shown(clipped)).toEqual(['c-k#3', 'd-f#4']);
    expect(clipped[1]).toBe(list[1]);
  });

  test('any other largest key is covered itself', () => {
    expect(shown(clipToFile(bytewiseComparator, list, key('a', 9), key('k', 2)))).toEqual(['a-k\0#3', 'd-f#4']);
    const tombstones = [t('z', 'a', 3)];
    expect(shown(clipToFile(reverseBytewiseComparator, tombstones, key('k', 9), key('c', 2)))).toEqual(['k-a#3']);
  });
});
