/**
 * Edits of a level that was checked before, which look at what is new only. Oracle: the same tables sorted and checked as a
 * whole. And what is noted beside a table's metadata.
 */
import { expect, test } from 'vitest';
import { bytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, userKeyOf, ValueType } from '../../../format/base/internal-key.ts';
import type { FileMetadata } from '../../../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../../../format/manifest/file-range.ts';
import { levelFacts } from '../../../format/manifest/level-facts.ts';
import { checkLevel, insertByKey } from '../../../format/manifest/level-order.ts';
import { Random, seedFor } from '../../support/random.ts';
import { table } from './edit-builders.ts';

const SLOTS = 30;

/** A table in the `slot`th part of the key space; `wide` ones reach into the next, and `turned` ones end before they begin. */
function tableAt(number: number, slot: number, random: Random, wide: boolean, turned: boolean): FileMetadata {
  const key = (at: number): Uint8Array => makeInternalKey(Uint8Array.of(at >> 8, at & 255), 9, ValueType.value);
  const begin = slot * 10 + random.below(3);
  const end = begin + random.below(5) + (wide ? 12 : 0);
  const [smallest, largest] = turned ? [key(end + 1), key(begin)] : [key(begin), key(end)];
  return { ...table(number, 'a', 'b'), smallest, largest };
}

function attempt(act: () => readonly FileMetadata[]): number[] | 'refused' {
  try {
    return act().map(({ number }) => number);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CORRUPTION' });
    return 'refused';
  }
}

function asAWhole(files: FileMetadata[]): readonly FileMetadata[] {
  const compare = bytewiseComparator.compare;
  const sorted = files.toSorted((a, b) => compare(userKeyOf(a.smallest), userKeyOf(b.smallest)) || a.number - b.number);
  checkLevel(3, sorted, bytewiseComparator);
  return sorted;
}

test('tables inserted into a level stand where sorting puts them, and disorder is refused as in a look at all', () => {
  const random = new Random(seedFor(71));
  const outcomes = { refused: 0, accepted: 0 };
  for (let round = 0; round < 3000; round++) {
    const slots = Array.from({ length: SLOTS }, (_, i) => i).filter(() => random.oneIn(2));
    const base = slots.map((slot, i) => tableAt(i + 1, slot, random, false, false));
    const free = Array.from({ length: SLOTS }, (_, i) => i).filter(
      (slot) => !slots.includes(slot) || random.oneIn(200),
    );
    const added = Array.from({ length: random.below(5) }, (_, i) => {
      const slot = free[random.below(free.length)]!;
      return tableAt(100 + i, slot, random, random.oneIn(15), random.oneIn(40));
    });
    const expected = attempt(() => asAWhole([...base, ...added]));
    expect(attempt(() => insertByKey(3, base, added, bytewiseComparator))).toEqual(expected);
    outcomes[expected === 'refused' ? 'refused' : 'accepted']++;
  }
  expect(outcomes.refused).toBeGreaterThan(300);
  expect(outcomes.accepted).toBeGreaterThan(300);
});

test('the range that is noted with a table is not part of it: copies have their own', () => {
  const file = table(7, 'b', 'd');
  const plain = structuredClone(file);
  const range = rangeOfFile(file);
  expect(range).toEqual({ smallest: userKeyOf(file.smallest), largest: userKeyOf(file.largest) });
  expect(rangeOfFile(file)).toBe(range);
  expect(Reflect.ownKeys(structuredClone(file))).toEqual(Reflect.ownKeys(plain));
  const moved = { ...file, smallest: makeInternalKey(Uint8Array.of(1), 1, ValueType.value) };
  expect(rangeOfFile(moved).smallest).toEqual(Uint8Array.of(1));
});

test('the facts of a level are those of its tables', () => {
  const files = [table(7, 'a', 'b'), table(3, 'c', 'd'), table(12, 'e', 'f')];
  expect(levelFacts(files)).toEqual({
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    numbers: Float64Array.of(7, 3, 12),
  });
  expect(levelFacts([])).toEqual({ sizeBytes: 0, numbers: new Float64Array(0) });
});
