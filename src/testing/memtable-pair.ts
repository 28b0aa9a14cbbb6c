/** A memtable container beside its model: both get the same inserts, and every read is compared. */
import type { Comparator } from '../../format/base/comparator.ts';
import { compareInternalKeys, makeInternalKey, TYPE_FOR_SEEK } from '../../format/base/internal-key.ts';
import type { MemTableFactory, MemTableRep, MemTableRepIterator } from '../../format/base/memtable-rep.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import { expect, expectBytes, showBytes } from './expectation.ts';
import { type ModelEntry, SortedEntries } from './sorted-entries.ts';

/** A container and what it must hold. */
export class MemTablePair {
  readonly rep: MemTableRep;
  readonly model: SortedEntries;

  constructor(factory: MemTableFactory, comparator: Comparator, prefixExtractor: SliceTransform) {
    this.model = new SortedEntries(comparator);
    this.rep = factory.create({ compare: (a, b) => compareInternalKeys(comparator, a, b), prefixExtractor });
  }

  /** Inserts into both, in arrays of their own. */
  insert(userKey: Uint8Array, sequence: number, type: number, value: Uint8Array): void {
    const key = makeInternalKey(userKey, sequence, type);
    this.model.insert(key.slice(), value.slice());
    this.rep.insert(key, value.slice());
  }

  /** `get` of the user key at the sequence. */
  expectGet(userKey: Uint8Array, sequence: number): void {
    const found = this.rep.get(makeInternalKey(userKey, sequence, TYPE_FOR_SEEK));
    const expected = this.model.get(userKey, sequence);
    const what = `get of ${showBytes(userKey)} at ${sequence}`;
    expectBytes(found?.key, expected?.key, `${what}: key`);
    expectBytes(found?.value, expected?.value, `${what}: value`);
  }

  /** Walks all entries in both directions with a cursor of full order. */
  expectWalks(): void {
    const { entries } = this.model;
    const iterator = this.rep.iterator(true);
    let index = 0;
    for (iterator.seekToFirst(); iterator.valid; iterator.next()) this.expectAt(iterator, index++, 'walk forward');
    expect(index === entries.length, `walk forward: expected ${entries.length} entries, found ${index}`);
    for (iterator.seekToLast(); iterator.valid; iterator.prev()) this.expectAt(iterator, --index, 'walk backward');
    expect(index === 0, `walk backward: ${index} entries were not met`);
  }

  /** `seek` and `seekForPrev` to an internal key. */
  expectSeeks(target: Uint8Array): void {
    const iterator = this.rep.iterator(true);
    iterator.seek(target);
    this.expectAt(iterator, this.model.lowerBound(target), `seek to ${showBytes(target)}`);
    iterator.seekForPrev(target);
    this.expectAt(iterator, this.model.upperBound(target), `seekForPrev to ${showBytes(target)}`);
  }

  /** The cursor stands on the model's entry `index`, or is invalid where there is none. */
  expectAt(iterator: MemTableRepIterator, index: number, what: string): void {
    const expected: ModelEntry | undefined = this.model.entries[index];
    expectBytes(iterator.valid ? iterator.key : undefined, expected?.key, `${what}: key`);
    expectBytes(iterator.valid ? iterator.value : undefined, expected?.value, `${what}: value`);
  }
}
