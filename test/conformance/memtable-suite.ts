/**
 * What the engine expects of a `MemTable`, as tests for each of its kinds: entries come out of the kernel's cursor and of
 * lookups as they went in, and the tree that a flush reads holds them all.
 */
import { describe, expect, test } from 'vitest';
import type { Comparator } from '../../format/base/comparator.ts';
import type { CursorSource } from '../../format/base/cursor-source.ts';
import {
  MAX_SEQUENCE,
  makeInternalKey,
  sequenceOf,
  TYPE_FOR_SEEK,
  typeOf,
  userKeyOf,
  ValueType,
} from '../../format/base/internal-key.ts';
import { runSync } from '../../format/base/io.ts';
import { MemtableSource, memtableTombstones } from '../../format/iterator/memtable-source.ts';
import { GET_RESULT_SIZE, GetResultField } from '../../format/kernel/abi/block.ts';
import { CursorField } from '../../format/kernel/abi/merge.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import type { MemTable } from '../../src/memtable/memtable.ts';
import { SortedEntries } from '../../src/testing/sorted-entries.ts';
import { hex, utf8 } from '../support/bytes.ts';
import { Random } from '../support/random.ts';

const kernel = getKernel();
const { x, u32, f64 } = kernel;
const TYPES = [ValueType.value, ValueType.deletion, ValueType.merge, ValueType.singleDeletion];

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Entries as text, which compares much faster than arrays do. */
function shown(...entries: (Entry | undefined)[]): string[] {
  return entries.map((entry) => (entry ? `${hex(entry.key)}=${hex(entry.value)}` : 'none'));
}

function entryAt(source: CursorSource): Entry | undefined {
  const at = (field: number): number => u32[(source.cursor + field) >>> 2]!;
  if (at(CursorField.valid) === 0) return undefined;
  return {
    key: kernel.copyOut(at(CursorField.key), at(CursorField.keySize)),
    value: kernel.copyOut(at(CursorField.value), at(CursorField.valueSize)),
  };
}

function allEntries(source: CursorSource): Entry[] {
  const entries: Entry[] = [];
  runSync(source.seekToFirst());
  for (let entry = entryAt(source); entry !== undefined; entry = entryAt(source)) {
    entries.push(entry);
    x.cursorNext(source.cursor);
  }
  source.close();
  return entries;
}

function lookUp(memtable: MemTable, userKey: Uint8Array, sequence: number): Entry | undefined {
  const key = kernel.malloc(userKey.length + 16);
  const result = kernel.malloc(GET_RESULT_SIZE);
  try {
    kernel.copyIn(userKey, key);
    if (memtable.get(key, userKey.length, sequence, result) === 0) return undefined;
    const at = (field: number): number => u32[(result + field) >>> 2]!;
    const found = f64[(result + GetResultField.sequence) >>> 3]!;
    return {
      key: makeInternalKey(userKey, found, at(GetResultField.type)),
      value: kernel.copyOut(at(GetResultField.value), at(GetResultField.valueSize)),
    };
  } finally {
    kernel.free(key);
    kernel.free(result);
  }
}

/** Fills a memtable and its model with `count` random entries; keys repeat. */
function fill(memtable: MemTable, model: SortedEntries, count: number, seed: number): void {
  const random = new Random(seed);
  for (let sequence = 10; sequence < 10 + count; sequence++) {
    const key = utf8(`key${random.below(count)}`.slice(0, random.between(0, 9)));
    const value = random.bytes(random.oneIn(50) ? 20_000 : random.below(40));
    const type = random.pick(TYPES);
    memtable.add(type, sequence, key, value);
    model.insert(makeInternalKey(key, sequence, type), value);
  }
}

/** Registers the tests. `make` gives an empty memtable with one reference, of the comparator. */
export function memTableSuite(
  title: string,
  comparators: readonly Comparator[],
  make: (comparator: Comparator) => MemTable,
): void {
  describe.each(comparators)(`${title}, $name`, (comparator) => {
    let memtable: MemTable;
    const withOne = (body: (model: SortedEntries) => void) => () => {
      memtable = make(comparator);
      try {
        body(new SortedEntries(comparator));
      } finally {
        memtable.unref();
      }
    };

    test(
      'is empty at first',
      withOne(() => {
        expect([memtable.entryCount, memtable.firstSequence, memtable.largestSequence]).toEqual([0, 0, 0]);
        expect(allEntries(memtable.source(true))).toEqual([]);
        expect(lookUp(memtable, utf8('key'), MAX_SEQUENCE)).toBeUndefined();
        memtable.markImmutable();
        expect(x.memtableCount(memtable.flushAddress())).toBe(0);
      }),
    );

    test(
      'a cursor shows every entry in order',
      withOne((model) => {
        fill(memtable, model, 500, 3);
        expect(shown(...allEntries(memtable.source(true)))).toEqual(shown(...model.entries));
        expect([memtable.entryCount, memtable.firstSequence, memtable.largestSequence]).toEqual([500, 10, 509]);
      }),
    );

    test(
      'a cursor steps and seeks in both directions',
      withOne((model) => {
        fill(memtable, model, 200, 4);
        const source = memtable.source(true);
        const { entries } = model;
        runSync(source.seekToLast());
        for (let i = entries.length - 1; i >= 0; i--, x.cursorPrev(source.cursor)) {
          expect(shown(entryAt(source))).toEqual(shown(entries[i]));
        }
        const target = kernel.malloc(64);
        for (let i = 0; i < 250; i++) {
          const key = makeInternalKey(utf8(`key${i}`.slice(0, i % 7)), i, TYPE_FOR_SEEK);
          kernel.copyIn(key, target);
          runSync(source.seek(target, key.length));
          expect(shown(entryAt(source))).toEqual(shown(entries[model.lowerBound(key)]));
          x.cursorSeek(source.cursor, target, key.length);
          expect(shown(entryAt(source))).toEqual(shown(entries[model.lowerBound(key)]));
          runSync(source.seekForPrev(target, key.length));
          expect(shown(entryAt(source))).toEqual(shown(entries[model.upperBound(key)]));
        }
        kernel.free(target);
        source.close();
        source.close();
      }),
    );

    test(
      'a lookup finds the newest version it may see',
      withOne((model) => {
        fill(memtable, model, 300, 5);
        for (const { key } of model.entries) {
          const userKey = userKeyOf(key);
          for (const sequence of [sequenceOf(key), sequenceOf(key) - 1, 150, MAX_SEQUENCE]) {
            expect(shown(lookUp(memtable, userKey, sequence))).toEqual(shown(model.get(userKey, sequence)));
          }
        }
        expect(lookUp(memtable, utf8('no such key'), MAX_SEQUENCE)).toBeUndefined();
      }),
    );

    test(
      'range tombstones stand apart from points',
      withOne(() => {
        memtable.add(ValueType.rangeDeletion, 7, utf8('b'), utf8('d'));
        memtable.add(ValueType.value, 8, utf8('c'), utf8('v'));
        memtable.add(ValueType.rangeDeletion, 5, utf8('a'), utf8('z'));
        const tombstones = memtable.rangeTombstones().toSorted((a, b) => a.sequence - b.sequence);
        expect(tombstones).toEqual([
          { begin: utf8('a'), end: utf8('z'), sequence: 5 },
          { begin: utf8('b'), end: utf8('d'), sequence: 7 },
        ]);
        expect(allEntries(memtable.source(true)).map(({ key }) => typeOf(key))).toEqual([ValueType.value]);
        expect([memtable.entryCount, memtable.firstSequence, memtable.largestSequence]).toEqual([3, 5, 8]);
      }),
    );

    test(
      'memory in use covers what was put in',
      withOne((model) => {
        const before = memtable.bytes;
        fill(memtable, model, 100, 6);
        const bytes = model.entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
        expect(memtable.bytes - before).toBeGreaterThanOrEqual(bytes);
        const points = memtable.bytes;
        memtable.add(ValueType.rangeDeletion, 500, utf8('a'), new Uint8Array(5000));
        expect(memtable.bytes - points).toBeGreaterThanOrEqual(5000);
      }),
    );

    test(
      'the arrays given to add are not kept',
      withOne(() => {
        const key = utf8('key');
        const value = utf8('value');
        memtable.add(ValueType.value, 1, key, value);
        memtable.add(ValueType.rangeDeletion, 2, key, value);
        key.fill(0);
        value.fill(0);
        expect(lookUp(memtable, utf8('key'), 9)?.value).toEqual(utf8('value'));
        expect(memtable.rangeTombstones()).toEqual([{ begin: utf8('key'), end: utf8('value'), sequence: 2 }]);
      }),
    );

    test(
      'a flush reads the same entries in the kernel, at one address',
      withOne((model) => {
        fill(memtable, model, 400, 7);
        memtable.add(ValueType.rangeDeletion, 600, utf8('a'), utf8('m'));
        memtable.add(ValueType.rangeDeletion, 601, utf8('b'), utf8('c'));
        memtable.markImmutable();
        const address = memtable.flushAddress();
        expect(memtable.flushAddress()).toBe(address);
        expect(shown(...allEntries(new MemtableSource(kernel, address)))).toEqual(shown(...model.entries));
        const bySequence = memtableTombstones(kernel, address).toSorted((a, b) => a.sequence - b.sequence);
        expect(bySequence).toEqual([
          { begin: utf8('a'), end: utf8('m'), sequence: 600 },
          { begin: utf8('b'), end: utf8('c'), sequence: 601 },
        ]);
        // Reads go on while the flush has it.
        expect(shown(...allEntries(memtable.source(true)))).toEqual(shown(...model.entries));
      }),
    );

    test('the last reference frees it, its copy for a flush included', () => {
      const used = (): number => x.allocatedBytes();
      const run = (): void => {
        const one = make(comparator);
        const model = new SortedEntries(comparator);
        fill(one, model, 50, 8);
        one.markImmutable();
        one.flushAddress();
        allEntries(one.source(true));
        lookUp(one, utf8('key'), MAX_SEQUENCE);
        one.ref();
        one.unref();
        expect(allEntries(one.source(true))).toHaveLength(50);
        one.unref();
        expect(() => one.unref()).toThrow(/freed twice/);
        expect(() => one.ref()).toThrow(/freed memtable/);
      };
      run();
      const before = used();
      for (let i = 0; i < 5; i++) run();
      expect(used()).toBe(before);
    });
  });
}
