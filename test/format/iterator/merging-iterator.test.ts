/** The merge of many runs, in memory and behind refills, against one sorted array. */
import { describe, expect, test } from 'vitest';
import type { Comparator } from '../../../format/base/comparator.ts';
import type { CursorSource } from '../../../format/base/cursor-source.ts';
import { compareInternalKeys, makeInternalKey, ValueType } from '../../../format/base/internal-key.ts';
import { runAsync, runSync } from '../../../format/base/io.ts';
import { MemtableSource } from '../../../format/iterator/memtable-source.ts';
import { MergingIterator, MUST_LOAD, Position } from '../../../format/iterator/merging-iterator.ts';
import { MergeStatus } from '../../../format/kernel/abi/merge.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { HostRun } from '../kernel/reference/host-run.ts';
import { comparatorsOf, randomKey, Scratch } from '../kernel/reference/random-entries.ts';
import { type Entry, SortedEntries } from '../kernel/reference/sorted-entries.ts';

const kernel = getKernel();
const { x } = kernel;

interface Mix {
  readonly iterator: MergingIterator;
  readonly all: Entry[];
  readonly free: () => void;
}

/** Deals random entries to memtables and host runs; some host runs need refills, some of those loads. */
function makeMix(random: Random, comparator: Comparator, id: number, runs: number, count: number): Mix {
  const parts = Array.from({ length: runs }, () => new SortedEntries(comparator));
  const whole = new SortedEntries(comparator);
  // Stretches of one run, as real levels have them, and single entries in between.
  let part = random.pick(parts);
  for (let i = 0; i < count; i++) {
    if (random.oneIn(3)) part = random.pick(parts);
    const key = randomKey(random);
    const value = random.bytes(random.below(30));
    if (whole.insert(i, ValueType.value, key, value)) part.insert(i, ValueType.value, key, value);
  }
  const memtables: number[] = [];
  const scratch = new Scratch(kernel);
  const sources = parts.map((run, i): CursorSource => {
    if (i % 3 !== 0)
      return new HostRun(kernel, comparator, run.entries, { blockEntries: i % 3 === 1 ? 3 : 0, loadEvery: i % 2 });
    const memtable = x.memtableCreate(id, 65536) >>> 0;
    for (const { key, value } of run.entries) {
      const sequence = Number(Buffer.from(key.subarray(key.length - 8)).readBigUInt64LE() >> 8n);
      const user = scratch.put(key.subarray(0, key.length - 8));
      x.memtableInsert(memtable, sequence, 1, user, key.length - 8, scratch.put(value, 4096), value.length);
    }
    memtables.push(memtable);
    return new MemtableSource(kernel, memtable);
  });
  const iterator = new MergingIterator(kernel, id, sources);
  const free = (): void => {
    iterator.close();
    for (const memtable of memtables) x.memtableFree(memtable);
    scratch.free();
  };
  return { iterator, all: whole.entries, free };
}

function entryOf(iterator: MergingIterator): Entry | undefined {
  return iterator.valid ? { key: iterator.key().slice(), value: iterator.value().slice() } : undefined;
}

describe.each(comparatorsOf(kernel))('merge ordered by %s', (_name, comparator, id) => {
  test.each([1, 2, 3, 7, 20])('%i runs come out as one, both ways', (runs) => {
    const mix = makeMix(new Random(seedFor(100 + runs)), comparator, id, runs, 700);
    const { iterator, all } = mix;
    let i = 0;
    let status = runSync(iterator.position(Position.first));
    for (; status === MergeStatus.entry; i++) {
      expect(entryOf(iterator)).toEqual(all[i]);
      status = iterator.tryNext();
      if (status === MUST_LOAD) status = runSync(iterator.refill());
    }
    expect([status, i]).toEqual([MergeStatus.end, all.length]);
    status = runSync(iterator.position(Position.last));
    while (status === MergeStatus.entry) {
      expect(entryOf(iterator)).toEqual(all[--i]);
      status = iterator.tryPrev();
      if (status === MUST_LOAD) status = runSync(iterator.refill());
    }
    expect([status, i]).toEqual([MergeStatus.end, 0]);
    mix.free();
  });

  test('seeks and turns stand where the model stands', async () => {
    const random = new Random(seedFor(7));
    const mix = makeMix(random, comparator, id, 6, 500);
    const { iterator, all } = mix;
    const scratch = new Scratch(kernel);
    for (let round = 0; round < 300; round++) {
      const target = random.oneIn(2) ? random.pick(all).key : makeInternalKey(randomKey(random), random.below(500), 1);
      const address = scratch.put(target);
      const forward = random.oneIn(2);
      const atLeast = all.findIndex(({ key }) => compareInternalKeys(comparator, key, target) >= 0);
      const above = all.findIndex(({ key }) => compareInternalKeys(comparator, key, target) > 0);
      let index = forward ? (atLeast < 0 ? all.length : atLeast) : (above < 0 ? all.length : above) - 1;
      const where = forward ? Position.seek : Position.seekForPrev;
      await runAsync(iterator.position(where, address, target.length));
      expect(entryOf(iterator)).toEqual(all[index]);
      for (let step = random.below(8); step > 0 && iterator.valid; step--) {
        const up = random.oneIn(2);
        index += up ? 1 : -1;
        const status = runSync(up ? iterator.next() : iterator.prev());
        expect(status).toBe(all[index] === undefined ? MergeStatus.end : MergeStatus.entry);
        expect(entryOf(iterator)).toEqual(all[index]);
      }
    }
    scratch.free();
    mix.free();
  });
});

test('of equal entries that of the earlier source comes first, both ways', () => {
  const entry = (value: number): Entry => ({
    key: makeInternalKey(Buffer.from('k'), 5, 1),
    value: new Uint8Array([value]),
  });
  const [, comparator] = comparatorsOf(kernel)[0]!;
  const sources = [1, 2, 3].map(
    (value) => new HostRun(kernel, comparator, [entry(value)], { blockEntries: 0, loadEvery: 0 }),
  );
  const iterator = new MergingIterator(kernel, 0, sources);
  for (const where of [Position.first, Position.last]) {
    runSync(iterator.position(where));
    const seen = [iterator.value()[0]];
    while ((where === Position.first ? iterator.tryNext() : iterator.tryPrev()) === 0) seen.push(iterator.value()[0]);
    expect(seen).toEqual([1, 2, 3]);
  }
  iterator.close();
});

test('without waiting: memtables are positioned, a run that must load is said to', () => {
  const random = new Random(seedFor(9));
  const [, comparator, id] = comparatorsOf(kernel)[0]!;
  const ready = makeMix(random, comparator, id, 1, 50);
  expect(ready.iterator.tryPosition(Position.first)).toBe(MergeStatus.entry);
  expect(entryOf(ready.iterator)).toEqual(ready.all[0]);
  ready.free();
  const waiting = makeMix(random, comparator, id, 6, 50);
  expect(waiting.iterator.tryPosition(Position.first)).toBe(MUST_LOAD);
  waiting.free();
});

test('a corrupt run throws what its owner says, on positioning no less than on the way', () => {
  const [, comparator] = comparatorsOf(kernel)[0]!;
  const entries = ['a', 'b', 'c', 'd'].map((k) => ({
    key: makeInternalKey(Buffer.from(k), 1, 1),
    value: Buffer.from(k),
  }));
  const run = new HostRun(kernel, comparator, entries, { blockEntries: 8, loadEvery: 0 });
  const other = new HostRun(kernel, comparator, entries, { blockEntries: 0, loadEvery: 0 });
  const iterator = new MergingIterator(kernel, 0, [other, run]);
  run.corruptAt = 2;
  runSync(iterator.position(Position.first));
  expect(() => {
    while (iterator.tryNext() === 0);
  }).toThrow('the run of the test is corrupt');
  expect(iterator.valid).toBe(false);
  run.corruptAt = 0;
  expect(() => runSync(iterator.position(Position.first))).toThrow('the run of the test is corrupt');
  iterator.close();
  iterator.close();
});

test('a merge without runs is at its end', () => {
  const iterator = new MergingIterator(kernel, 0, []);
  expect(iterator.tryPosition(Position.first)).toBe(MergeStatus.end);
  expect(iterator.valid).toBe(false);
  iterator.close();
});
