/** What the read iterator shows of random histories, in chunks of every size, against the model. */
import { describe, expect, test } from 'vitest';
import { bytewiseComparator, type Comparator } from '../../../format/base/comparator.ts';
import type { CursorSource } from '../../../format/base/cursor-source.ts';
import { makeInternalKey, sequenceOf, typeOf, ValueType } from '../../../format/base/internal-key.ts';
import { runSync } from '../../../format/base/io.ts';
import { MemtableSource } from '../../../format/iterator/memtable-source.ts';
import { MergingIterator, MUST_LOAD, Position } from '../../../format/iterator/merging-iterator.ts';
import {
  FragmentedTombstones,
  layTombstoneRows,
  type RangeTombstone,
} from '../../../format/iterator/range-tombstones.ts';
import { READ_ROW_SIZE, ReadIteratorField, ReadStatus } from '../../../format/kernel/abi/read-iterator.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { BlockRun } from './reference/block-run.ts';
import { HostRun } from './reference/host-run.ts';
import { comparatorsOf, randomKey, Scratch } from './reference/random-entries.ts';
import { type Entry, type Row, SortedEntries, visibleRows } from './reference/sorted-entries.ts';

const kernel = getKernel();
const { x, u32 } = kernel;
const TYPES = [1, 1, 1, 1, ValueType.deletion, ValueType.singleDeletion, ValueType.merge];

interface History {
  readonly all: SortedEntries;
  readonly parts: SortedEntries[];
  readonly keys: Uint8Array[];
  readonly tombstones: RangeTombstone[];
}

function makeHistory(random: Random, comparator: Comparator, count: number): History {
  const keys = Array.from({ length: Math.ceil(count / 4) }, () => randomKey(random));
  const all = new SortedEntries(comparator);
  const parts = Array.from({ length: 4 }, () => new SortedEntries(comparator));
  const tombstones: RangeTombstone[] = [];
  for (let sequence = 1; sequence <= count; sequence++) {
    if (random.oneIn(40)) {
      const [begin, end] = [random.pick(keys), random.pick(keys)].sort(comparator.compare);
      tombstones.push({ begin: begin!, end: end!, sequence });
      continue;
    }
    const key = random.pick(keys);
    const type = random.pick(TYPES);
    const value = random.bytes(random.below(30));
    all.insert(sequence, type, key, value);
    random.pick(parts).insert(sequence, type, key, value);
  }
  return { all, parts, keys, tombstones };
}

/** Two parts in memtables, two behind host cursors with refills. */
function openSources(history: History, comparator: Comparator, id: number, memtables: number[]): CursorSource[] {
  const scratch = new Scratch(kernel);
  const sources = history.parts.map((part, i): CursorSource => {
    if (i >= 2) return new HostRun(kernel, comparator, part.entries, { blockEntries: 4, loadEvery: i - 2 });
    const memtable = x.memtableCreate(id, 65536) >>> 0;
    memtables.push(memtable);
    for (const { key, value } of part.entries) {
      const size = key.length - 8;
      const user = scratch.put(key.subarray(0, size));
      x.memtableInsert(memtable, sequenceOf(key), typeOf(key), user, size, scratch.put(value, 4096), value.length);
    }
    return new MemtableSource(kernel, memtable);
  });
  scratch.free();
  return sources;
}

function takeRows(it: number): Row[] {
  const rows: Row[] = [];
  const base = u32[(it + ReadIteratorField.rows) >>> 2]!;
  const count = u32[(it + ReadIteratorField.rowCount) >>> 2]!;
  for (let i = 0; i < count; i++) {
    const at = (base + i * READ_ROW_SIZE) >>> 2;
    const value = u32[at + 2]!;
    rows.push({
      key: kernel.bytes(u32[at]!, u32[at + 1]!).slice(),
      value: value === 0 ? 'merge' : kernel.bytes(value, u32[at + 3]!).slice(),
    });
  }
  x.readIteratorClear(it);
  return rows;
}

interface ChunkLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** Reads to the end. With `keepOverRefill` rows gather over refills, which is allowed only when values are copied. */
function readAll(it: number, merging: MergingIterator, forward: boolean, limits: ChunkLimits, keepOverRefill: boolean) {
  const rows: Row[] = [];
  for (;;) {
    const read = forward ? x.readForward : x.readBackward;
    const status = read(it, limits.rows, limits.bytes);
    expect(u32[(it + ReadIteratorField.rowCount) >>> 2]).toBeLessThanOrEqual(limits.rows);
    if (status === ReadStatus.needRefill) {
      if (!keepOverRefill) rows.push(...takeRows(it));
      if (merging.tryRefill() === MUST_LOAD) runSync(merging.refill());
      continue;
    }
    rows.push(...takeRows(it));
    if (status === ReadStatus.mergeOperand) expect(rows[rows.length - 1]!.value).toBe('merge');
    else if (status === ReadStatus.end) return rows;
    else expect(status).toBe(ReadStatus.more);
  }
}

describe.each(comparatorsOf(kernel))('reading in the order of %s', (_name, comparator, id) => {
  test.each([1, 2, 3, 4])('S17 all that a snapshot shows comes out sorted, both ways (history %i)', (round) => {
    const random = new Random(seedFor(200 + round));
    const history = makeHistory(random, comparator, 900);
    const memtables: number[] = [];
    const merging = new MergingIterator(kernel, id, openSources(history, comparator, id, memtables));
    const fragments = new FragmentedTombstones(comparator, history.tombstones);
    const bounds = new Scratch(kernel);
    for (let i = 0; i < 12; i++) {
      const snapshot = random.pick([0, random.between(1, 900), random.between(1, 900), 2 ** 53 - 1, 2 ** 56]);
      const copyValues = random.oneIn(2);
      const visible = fragments.visibleAt(snapshot);
      const rows = layTombstoneRows(kernel, visible);
      const it =
        x.readIteratorCreate(merging.merge, snapshot, 64, random.pick([16, 256, 8192]), copyValues ? 1 : 0) >>> 0;
      x.readIteratorSetTombstones(it, rows, visible.length);
      const lower = random.oneIn(3) ? random.pick(history.keys) : undefined;
      const upper = random.oneIn(3) ? random.pick(history.keys) : undefined;
      x.readIteratorSetBounds(
        it,
        lower === undefined ? 0 : bounds.put(lower),
        lower?.length ?? 0,
        upper === undefined ? 0 : bounds.put(upper, 4096),
        upper?.length ?? 0,
      );
      const limits = { rows: random.pick([1, 2, 7, 64]), bytes: random.pick([1, 100, 100_000]) };
      const forward = random.oneIn(2);
      const expected = visibleRows(comparator, history.all.entries, snapshot, history.tombstones, lower, upper);
      const scratch = new Scratch(kernel);
      if (forward) {
        const target = lower && makeInternalKey(lower, 2 ** 53 - 1, 0x18);
        if (target === undefined) runSync(merging.position(Position.first));
        else runSync(merging.position(Position.seek, scratch.put(target), target.length));
      } else {
        const target = upper && makeInternalKey(upper, 2 ** 53 - 1, 0xff);
        if (target === undefined) runSync(merging.position(Position.last));
        else runSync(merging.position(Position.seekForPrev, scratch.put(target), target.length));
      }
      x.readIteratorReset(it);
      const seen = readAll(it, merging, forward, limits, copyValues && random.oneIn(2));
      expect(seen).toEqual(forward ? expected : expected.reverse());
      x.readIteratorFree(it);
      kernel.free(rows);
      scratch.free();
    }
    bounds.free();
    merging.close();
    for (const memtable of memtables) x.memtableFree(memtable);
  });
});

/** An iterator over one host run of entries, positioned at its start (or end). */
function openOver(entries: Entry[], forward: boolean, slabSize: number): { it: number; merging: MergingIterator } {
  const run = new HostRun(kernel, bytewiseComparator, entries, { blockEntries: 0, loadEvery: 0 });
  const merging = new MergingIterator(kernel, 0, [run]);
  runSync(merging.position(forward ? Position.first : Position.last));
  return { it: x.readIteratorCreate(merging.merge, 2 ** 53 - 1, 16, slabSize, 1) >>> 0, merging };
}

const entry = (key: string, sequence: number, type: number, value = ''): Entry => ({
  key: makeInternalKey(Buffer.from(key), sequence, type),
  value: Buffer.from(value),
});

test.each([true, false])('a type that reading does not support stops it where it stands (forward: %s)', (forward) => {
  const entries = [entry('a', 1, 1, 'x'), entry('b', 2, ValueType.blobIndex), entry('c', 3, 1, 'y')];
  const { it, merging } = openOver(entries, forward, 4096);
  const read = forward ? x.readForward : x.readBackward;
  expect(read(it, 16, 1000)).toBe(ReadStatus.unsupportedType);
  expect(takeRows(it).map(({ key }) => Buffer.from(key).toString())).toEqual([forward ? 'a' : 'c']);
  expect(u32[(it + ReadIteratorField.type) >>> 2]).toBe(ValueType.blobIndex);
  x.readIteratorFree(it);
  merging.close();
});

test('a hidden version of an unsupported type is passed over', () => {
  const { it, merging } = openOver([entry('a', 5, 1, 'x'), entry('a', 2, ValueType.wideColumnEntity)], true, 4096);
  expect(x.readForward(it, 16, 1000)).toBe(ReadStatus.end);
  expect(takeRows(it)).toHaveLength(1);
  x.readIteratorFree(it);
  merging.close();
});

test('tombstones may be replaced while reading', () => {
  const { it, merging } = openOver(
    ['a', 'b', 'c', 'd'].map((key, i) => entry(key, i + 1, 1, key)),
    true,
    4096,
  );
  const rows = layTombstoneRows(kernel, [{ begin: Buffer.from('a'), end: Buffer.from('b'), sequence: 9 }]);
  x.readIteratorSetTombstones(it, rows, 1);
  expect(x.readForward(it, 1, 1000)).toBe(ReadStatus.more);
  expect(Buffer.from(takeRows(it)[0]!.key).toString()).toBe('b');
  const later = layTombstoneRows(kernel, [{ begin: Buffer.from('a'), end: Buffer.from('d'), sequence: 9 }]);
  x.readIteratorSetTombstones(it, later, 1);
  kernel.free(rows);
  expect(x.readForward(it, 16, 1000)).toBe(ReadStatus.end);
  expect(takeRows(it).map(({ key }) => Buffer.from(key).toString())).toEqual(['d']);
  kernel.free(later);
  x.readIteratorFree(it);
  merging.close();
});

test('a corrupt run ends the rows and is told apart from the end', () => {
  const entries = ['a', 'b', 'c'].map((key) => entry(key, 1, 1, key));
  const run = new HostRun(kernel, bytewiseComparator, entries, { blockEntries: 0, loadEvery: 0 });
  run.corruptAt = 2;
  const merging = new MergingIterator(kernel, 0, [run]);
  runSync(merging.position(Position.first));
  const it = x.readIteratorCreate(merging.merge, 10, 16, 4096, 1) >>> 0;
  expect(x.readForward(it, 16, 1000)).toBe(ReadStatus.corrupt);
  expect(takeRows(it)).toHaveLength(2);
  expect(x.readForward(it, 16, 1000)).toBe(ReadStatus.corrupt);
  expect(() => merging.tryRefill()).toThrow('corrupt');
  x.readIteratorFree(it);
  merging.close();
});

test('a tombstone hides lower sequences only, not its own', () => {
  const { it, merging } = openOver([entry('a', 4, 1, 'x'), entry('b', 5, 1, 'y'), entry('c', 6, 1, 'z')], true, 4096);
  const rows = layTombstoneRows(kernel, [{ begin: Buffer.from('a'), end: Buffer.from('d'), sequence: 5 }]);
  x.readIteratorSetTombstones(it, rows, 1);
  expect(x.readForward(it, 16, 1000)).toBe(ReadStatus.end);
  expect(takeRows(it).map(({ key }) => Buffer.from(key).toString())).toEqual(['b', 'c']);
  kernel.free(rows);
  x.readIteratorFree(it);
  merging.close();
});

test.each([1, 2, 3, 8])('blocks of %i entries that vanish when they are left lose no value', (blockEntries) => {
  const random = new Random(seedFor(500 + blockEntries));
  const history = makeHistory(random, bytewiseComparator, 600);
  const parts = history.parts.slice(0, 3);
  const all = new SortedEntries(bytewiseComparator);
  for (const { key, value } of parts.flatMap(({ entries }) => entries)) {
    all.insert(sequenceOf(key), typeOf(key), key.subarray(0, key.length - 8), value);
  }
  const merging = new MergingIterator(
    kernel,
    0,
    parts.map(({ entries }) => new BlockRun(kernel, entries, blockEntries)),
  );
  for (const [forward, copyValues, rows] of [
    [true, false, 64],
    [false, false, 64],
    [false, false, 3],
    [true, true, 64],
    [false, true, 5],
  ] as const) {
    const snapshot = random.between(300, 600);
    const it = x.readIteratorCreate(merging.merge, snapshot, 64, 512, copyValues ? 1 : 0) >>> 0;
    runSync(merging.position(forward ? Position.first : Position.last));
    const seen = readAll(it, merging, forward, { rows, bytes: 400 }, copyValues);
    const expected = visibleRows(bytewiseComparator, all.entries, snapshot, []);
    expect(seen).toEqual(forward ? expected : expected.reverse());
    x.readIteratorFree(it);
  }
  merging.close();
});
