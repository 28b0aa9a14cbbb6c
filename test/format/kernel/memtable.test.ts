/** The B+tree memtable against a sorted array, on random histories in every order of arrival. */
import { describe, expect, test } from 'vitest';
import type { Comparator } from '../../../format/base/comparator.ts';
import {
  compareInternalKeys,
  makeInternalKey,
  sequenceOf,
  typeOf,
  ValueType,
} from '../../../format/base/internal-key.ts';
import { GET_RESULT_SIZE, GetResultField } from '../../../format/kernel/abi/block.ts';
import { InsertStatus } from '../../../format/kernel/abi/memtable.ts';
import { CursorField } from '../../../format/kernel/abi/merge.ts';
import { getKernel, Kernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { comparatorsOf, randomKey, Scratch } from './reference/random-entries.ts';
import { type Entry, SortedEntries } from './reference/sorted-entries.ts';

const kernel = getKernel();
const { x, u32, f64 } = kernel;
const CHUNK_SIZE = 65536;
const TYPES = [ValueType.value, ValueType.value, ValueType.deletion, ValueType.singleDeletion, ValueType.merge];

function currentEntry(cursor: number): Entry | undefined {
  const at = (field: number): number => u32[(cursor + field) >>> 2]!;
  if (at(CursorField.valid) === 0) return undefined;
  return {
    key: kernel.bytes(at(CursorField.key), at(CursorField.keySize)).slice(),
    value: kernel.bytes(at(CursorField.value), at(CursorField.valueSize)).slice(),
  };
}

/** A memtable beside its model; both get the same inserts. */
class Pair {
  readonly model: SortedEntries;
  readonly memtable: number;
  readonly scratch = new Scratch(kernel);
  readonly result = kernel.malloc(GET_RESULT_SIZE);

  constructor(comparator: Comparator, id: number) {
    this.model = new SortedEntries(comparator);
    this.memtable = x.memtableCreate(id, CHUNK_SIZE) >>> 0;
  }

  insert(sequence: number, type: number, key: Uint8Array, value: Uint8Array): void {
    const added = this.model.insert(sequence, type, key, value);
    const k = this.scratch.put(key);
    const v = this.scratch.put(value, 4096);
    const status = x.memtableInsert(this.memtable, sequence, type, k, key.length, v, value.length);
    expect(status).toBe(added ? InsertStatus.ok : InsertStatus.duplicate);
  }

  get(key: Uint8Array, sequence: number): { type: number; sequence: number; value: Uint8Array } | undefined {
    const k = this.scratch.put(key);
    if (x.memtableGet(this.memtable, k, key.length, sequence, this.result) === 0) return undefined;
    const at = (field: number): number => u32[(this.result + field) >>> 2]!;
    return {
      type: at(GetResultField.type),
      sequence: f64[(this.result + GetResultField.sequence) >>> 3]!,
      value: kernel.bytes(at(GetResultField.value), at(GetResultField.valueSize)).slice(),
    };
  }

  free(): void {
    x.memtableFree(this.memtable);
    kernel.free(this.result);
    this.scratch.free();
  }
}

function expectWalk(pair: Pair): void {
  const cursor = x.memtableCursorCreate(pair.memtable) >>> 0;
  const { entries } = pair.model;
  let i = 0;
  for (x.cursorSeekToFirst(cursor); u32[(cursor + CursorField.valid) >>> 2] !== 0; x.cursorNext(cursor), i++) {
    expect(currentEntry(cursor)).toEqual(entries[i]);
  }
  expect(i).toBe(entries.length);
  for (x.cursorSeekToLast(cursor); u32[(cursor + CursorField.valid) >>> 2] !== 0; x.cursorPrev(cursor)) {
    expect(currentEntry(cursor)).toEqual(entries[--i]);
  }
  expect(i).toBe(0);
  x.memtableCursorFree(cursor);
}

describe.each(comparatorsOf(kernel))('memtable ordered by %s', (_name, comparator, id) => {
  test.each(['random', 'ascending', 'descending', 'clustered'])('%s inserts answer like the model', (arrival) => {
    const random = new Random(seedFor(11 + arrival.length));
    const pair = new Pair(comparator, id);
    const keys = Array.from({ length: 1500 }, () => randomKey(random));
    if (arrival === 'ascending') keys.sort(comparator.compare);
    if (arrival === 'descending') keys.sort((a, b) => comparator.compare(b, a));
    keys.forEach((key, i) => {
      const repeated =
        arrival === 'clustered' && i > 0 && !random.oneIn(5) ? keys[random.below(Math.min(i, 20))]! : key;
      // Sequences come in any order, as when a log is replayed into two memtables or a caller inserts by hand.
      const sequence = random.oneIn(10) ? random.between(0, 2000) : 1000 + i;
      pair.insert(sequence, random.pick(TYPES), repeated, random.bytes(random.below(60)));
    });
    expectWalk(pair);
    expect(x.memtableCount(pair.memtable)).toBe(pair.model.entries.length);
    for (let i = 0; i < 1500; i++) {
      const key = random.oneIn(3) ? randomKey(random) : random.pick(keys);
      const snapshot = random.pick([random.between(0, 2600), 2 ** 53 - 1, 2 ** 56]);
      const expected = pair.model.get(key, snapshot);
      expect(pair.get(key, snapshot)).toEqual(
        expected && { type: typeOf(expected.key), sequence: sequenceOf(expected.key), value: expected.value },
      );
    }
    const sequences = pair.model.entries.map(({ key }) => sequenceOf(key));
    expect(x.memtableFirstSequence(pair.memtable)).toBe(Math.min(...sequences));
    expect(x.memtableLargestSequence(pair.memtable)).toBe(Math.max(...sequences));
    const deletes = pair.model.entries.filter(({ key }) => typeOf(key) === 0 || typeOf(key) === 7).length;
    expect(x.memtableDeletes(pair.memtable)).toBe(deletes);
    pair.free();
  });

  test('seeks in both directions find what the model finds', () => {
    const random = new Random(seedFor(21));
    const pair = new Pair(comparator, id);
    const cursor = x.memtableCursorCreate(pair.memtable) >>> 0;
    for (let i = 0; i < 1500; i++) {
      const target = makeInternalKey(randomKey(random), random.between(0, 2000), random.pick([0, 1, 0x18]));
      const index = pair.model.indexOf(target);
      const address = pair.scratch.put(target);
      x.cursorSeek(cursor, address, target.length);
      expect(currentEntry(cursor)).toEqual(pair.model.entries[index]);
      const exact = pair.model.entries[index];
      const same = exact !== undefined && compareInternalKeys(comparator, exact.key, target) === 0;
      x.cursorSeekForPrev(cursor, address, target.length);
      expect(currentEntry(cursor)).toEqual(pair.model.entries[same ? index : index - 1]);
      pair.insert(i, random.pick(TYPES), randomKey(random), random.bytes(random.below(20)));
    }
    x.memtableCursorFree(cursor);
    pair.free();
  });

  test('a cursor keeps its place while inserts shift slots and split leaves', () => {
    const random = new Random(seedFor(31));
    const pair = new Pair(comparator, id);
    const cursor = x.memtableCursorCreate(pair.memtable) >>> 0;
    pair.insert(0, ValueType.value, randomKey(random), new Uint8Array(3));
    x.cursorSeekToFirst(cursor);
    let index = 0;
    let here = pair.model.entries[0]!;
    for (let i = 1; i < 3000; i++) {
      pair.insert(i, random.pick(TYPES), randomKey(random), random.bytes(random.below(20)));
      if (random.oneIn(2)) continue;
      index = pair.model.entries.indexOf(here);
      // Drifts towards one end, turning now and then, so that every leaf is crossed.
      const forward = Math.floor(i / 300) % 2 === 0;
      if (forward) x.cursorNext(cursor);
      else x.cursorPrev(cursor);
      const expected = pair.model.entries[forward ? index + 1 : index - 1];
      expect(currentEntry(cursor)).toEqual(expected);
      if (expected === undefined) {
        x.cursorSeekToFirst(cursor);
        here = pair.model.entries[0]!;
      } else {
        here = expected;
      }
    }
    x.memtableCursorFree(cursor);
    pair.free();
  });
});

test('large ordered and shuffled memtables stay in order across four levels of nodes', () => {
  const count = 60_000;
  const random = new Random(seedFor(41));
  const order = Array.from({ length: count }, (_, i) => i);
  for (const shuffled of [false, true]) {
    if (shuffled)
      for (let i = count - 1; i > 0; i--) {
        const j = random.below(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
    const memtable = x.memtableCreate(0, 1 << 20) >>> 0;
    const scratch = new Scratch(kernel);
    for (const n of order) {
      const key = scratch.put(Buffer.from(String(n).padStart(16, '0')));
      expect(x.memtableInsert(memtable, n + 1, 1, key, 16, key, 16)).toBe(0);
    }
    const cursor = x.memtableCursorCreate(memtable) >>> 0;
    let n = 0;
    for (x.cursorSeekToFirst(cursor); u32[(cursor + 4) >>> 2] !== 0; x.cursorNext(cursor), n++) {
      const entry = currentEntry(cursor)!;
      if (Number(Buffer.from(entry.value).toString()) !== n) throw new Error(`entry ${n} out of order`);
    }
    expect(n).toBe(count);
    x.memtableCursorFree(cursor);
    x.memtableFree(memtable);
    scratch.free();
  }
});

test('range tombstones stand in a tree of their own', () => {
  const memtable = x.memtableCreate(0, CHUNK_SIZE) >>> 0;
  const scratch = new Scratch(kernel);
  const begin = scratch.put(Buffer.from('a'));
  const end = scratch.put(Buffer.from('m'), 100);
  x.memtableInsert(memtable, 7, ValueType.rangeDeletion, begin, 1, end, 1);
  x.memtableInsert(memtable, 8, ValueType.value, begin, 1, end, 1);
  const range = x.memtableRangeTree(memtable) >>> 0;
  expect([x.memtableCount(memtable), x.memtableCount(range)]).toEqual([1, 1]);
  expect([x.memtableFirstSequence(range), x.memtableLargestSequence(memtable)]).toEqual([7, 8]);
  const cursor = x.memtableCursorCreate(range) >>> 0;
  x.cursorSeekToFirst(cursor);
  expect(currentEntry(cursor)).toEqual({
    key: makeInternalKey(Buffer.from('a'), 7, 0x0f),
    value: new Uint8Array([109]),
  });
  x.memtableCursorFree(cursor);
  x.memtableFree(memtable);
  scratch.free();
});

test('an empty memtable takes little memory, entries larger than a chunk fit, and freeing gives all back', () => {
  const before = x.allocatedBytes();
  const memtable = x.memtableCreate(0, CHUNK_SIZE) >>> 0;
  const scratch = new Scratch(kernel, 1 << 20);
  const result = kernel.malloc(GET_RESULT_SIZE);
  const empty = x.memtableAllocatedBytes(memtable);
  expect(empty).toBeLessThan(1024);
  expect(x.memtableBytes(memtable)).toBe(empty);
  const value = new Random(seedFor(51)).bytes(300_000);
  const address = scratch.put(value, 64);
  for (let i = 0; i < 200; i++) {
    const key = scratch.put(Buffer.from(`key${i}`));
    expect(x.memtableInsert(memtable, i + 1, 1, key, 4, address, i % 50 === 0 ? value.length : 100)).toBe(0);
  }
  const used = x.memtableBytes(memtable);
  expect(used).toBeGreaterThan(4 * value.length);
  expect(used).toBeLessThan(4 * value.length + CHUNK_SIZE);
  expect(x.memtableAllocatedBytes(memtable)).toBeGreaterThanOrEqual(used);
  expect(x.memtableGet(memtable, scratch.put(Buffer.from('key0')), 4, 10, result)).toBe(1);
  const found = kernel.bytes(u32[(result + 4) >>> 2]!, u32[(result + 8) >>> 2]!);
  expect(Buffer.compare(found, value)).toBe(0);
  x.memtableFree(memtable);
  kernel.free(result);
  scratch.free();
  expect(x.allocatedBytes()).toBe(before);
});

test('another instance of the kernel over the same memory reads a memtable in place', () => {
  const pair = new Pair(comparatorsOf(kernel)[0]![1], 0);
  const random = new Random(seedFor(61));
  for (let i = 1; i < 500; i++) pair.insert(i, ValueType.value, randomKey(random), random.bytes(9));
  const other = new Kernel(kernel.memory);
  const cursor = other.x.memtableCursorCreate(pair.memtable) >>> 0;
  let i = 0;
  for (other.x.cursorSeekToFirst(cursor); u32[(cursor + CursorField.valid) >>> 2] !== 0; other.x.cursorNext(cursor)) {
    expect(currentEntry(cursor)).toEqual(pair.model.entries[i++]);
  }
  expect(i).toBe(pair.model.entries.length);
  other.x.memtableCursorFree(cursor);
  pair.free();
});

test('when memory runs out an insert says so and what is there stays whole', () => {
  const small = new Kernel(new WebAssembly.Memory({ initial: 40, maximum: 40, shared: true }));
  const memtable = small.x.memtableCreate(0, 65536) >>> 0;
  const key = small.malloc(64);
  const random = new Random(seedFor(62));
  const inserted = new Set<string>();
  let refusals = 0;
  for (let i = 1; refusals < 50; i++) {
    const text = String(random.below(1e9)).padStart(9, '0');
    if (inserted.has(text)) continue;
    small.copyIn(Buffer.from(text), key);
    // Sizes differ so that memory runs out for an entry at one time and for a node at another.
    const status = small.x.memtableInsert(memtable, i, 1, key, 9, key, random.below(refusals > 0 ? 20 : 60));
    if (status === InsertStatus.ok) inserted.add(text);
    else refusals++;
    if (status !== InsertStatus.ok) expect(status).toBe(InsertStatus.outOfMemory);
  }
  expect(small.x.memtableCount(memtable)).toBe(inserted.size);
  const result = key + 16;
  for (const text of inserted) {
    small.copyIn(Buffer.from(text), key);
    expect(small.x.memtableGet(memtable, key, 9, 2 ** 50, result)).toBe(1);
  }
  const before = small.x.allocatedBytes();
  const bytes = small.x.memtableAllocatedBytes(memtable);
  small.x.memtableFree(memtable);
  expect(before - small.x.allocatedBytes()).toBeGreaterThanOrEqual(bytes);
});
