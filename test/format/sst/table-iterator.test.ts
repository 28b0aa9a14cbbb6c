/**
 * Iterators and lookups against a sorted array: random tables, random targets, steps in both directions, with and
 * without a cache, in every shape of the index; and the same from many lookups at once.
 */
import { expect, test } from 'vitest';
import { compareInternalKeys, makeInternalKey, sequenceOf, userKeyOf } from '../../../format/base/internal-key.ts';
import { bytewiseComparator } from '../../../format/base/comparator.ts';
import { runAsync, runSync } from '../../../format/base/io.ts';
import { GET_RESULT_SIZE, GetResultField } from '../../../format/kernel/abi/block.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import type { TableOptions } from '../../../format/sst/table-options.ts';
import type { TableReader } from '../../../format/sst/table-reader.ts';
import { Random, seedFor } from '../../support/random.ts';
import { current, type Entry, memoryFile, openReader, step, withKey, writeTable } from './table-support.ts';

const shapes: readonly Partial<TableOptions>[] = [
  { indexType: 'binarySearch' },
  { indexType: 'binarySearch', formatVersion: 2, indexBlockRestartInterval: 5 },
  { indexType: 'binarySearchWithFirstKey', indexBlockRestartInterval: 3 },
  { indexType: 'twoLevelIndexSearch' },
  { indexType: 'twoLevelIndexSearch', partitionFilters: true, filterPolicy: { type: 'bloom', bitsPerKey: 12 } },
  { indexType: 'twoLevelIndexSearch', formatVersion: 6, indexBlockRestartInterval: 4, compression: 'lz4' },
  { dataBlockIndexType: 'binaryAndHash', filterPolicy: { type: 'ribbon', bitsPerKey: 10 } },
];

/** Entries in order with runs of versions that are longer than a block. */
function makeEntries(random: Random): Entry[] {
  const entries: Entry[] = [];
  const keys = new Set<string>();
  for (let i = random.between(1, 150); i > 0; i--) {
    keys.add(Buffer.from(random.bytes(random.below(5)).map((byte) => byte % 3)).toString('latin1'));
  }
  for (const key of [...keys].sort()) {
    const versions = random.oneIn(10) ? 60 : random.between(1, 3);
    for (let v = versions; v > 0; v--) {
      entries.push({
        key: makeInternalKey(Buffer.from(key, 'latin1'), v * 3, random.oneIn(5) ? 0 : 1),
        value: random.bytes(random.below(20)),
      });
    }
  }
  return entries;
}

const order = (a: Uint8Array, b: Uint8Array) => compareInternalKeys(bytewiseComparator, a, b);

function expectAt(actual: Entry | undefined, expected: Entry | undefined): void {
  const text = (entry: Entry | undefined) =>
    entry && `${Buffer.from(entry.key).toString('hex')} ${Buffer.from(entry.value).toString('hex')}`;
  expect(text(actual)).toBe(text(expected));
}

function walk(
  reader: TableReader,
  entries: readonly Entry[],
  random: Random,
  sequentialReadSize: number | undefined,
): void {
  const source = reader.newIterator({ sequentialReadSize, fillCache: random.oneIn(2) });
  for (let round = 0; round < 40; round++) {
    const key = random.oneIn(3)
      ? random.pick(entries).key
      : makeInternalKey(
          random.bytes(random.below(5)).map((byte) => byte % 4),
          random.below(200),
          random.oneIn(2) ? 0x18 : 0,
        );
    let at: number;
    if (random.oneIn(2)) {
      withKey(key, (address, size) => runSync(source.seek(address, size)));
      at = entries.findIndex((entry) => order(entry.key, key) >= 0);
      if (at < 0) at = entries.length;
    } else if (random.oneIn(5)) {
      const first = random.oneIn(2);
      runSync(first ? source.seekToFirst() : source.seekToLast());
      at = first ? 0 : entries.length - 1;
    } else {
      withKey(key, (address, size) => runSync(source.seekForPrev(address, size)));
      at = entries.findLastIndex((entry) => order(entry.key, key) <= 0);
    }
    expectAt(current(source), entries[at]);
    const direction = random.oneIn(2) ? 1 : -1;
    for (let steps = random.below(80); steps > 0 && entries[at] !== undefined; steps--) {
      at += direction;
      expectAt(step(source, direction), entries[at]);
    }
  }
  source.close();
}

test('iterators go where a sorted array says, in every shape of the index', () => {
  const random = new Random(seedFor(424242));
  const { x } = getKernel();
  for (let round = 0; round < 10; round++) {
    const entries = makeEntries(random);
    const cache = x.cacheCreate(random.pick([0, 2000, 1 << 20]), 1, 1, 0) >>> 0;
    for (const shape of shapes) {
      const { bytes } = writeTable(entries, {
        blockSize: random.between(1, 300),
        metadataBlockSize: random.between(1, 200),
        ...shape,
      });
      const cached = random.oneIn(2) ? { cache: { address: cache } } : {};
      const reader = openReader(memoryFile(bytes), cached);
      walk(reader, entries, random, random.pick([undefined, undefined, 1, 700]));
      reader.close();
    }
    x.cacheFree(cache);
  }
});

/** A lookup as the engine drives one, each load really awaited. */
async function getAsync(reader: TableReader, userKey: Uint8Array, sequence: number): Promise<string | undefined> {
  const kernel = getKernel();
  const result = kernel.malloc(GET_RESULT_SIZE);
  const key = kernel.malloc(userKey.length + 16);
  kernel.copyIn(userKey, key);
  function* lookup() {
    let status = reader.tryGet(key, userKey.length, sequence, result);
    for (; status === 2; status = reader.tryGet(key, userKey.length, sequence, result)) yield* reader.load(result);
    return status;
  }
  try {
    if ((await runAsync(lookup())) === 0) return undefined;
    const word = (field: number) => kernel.u32[(result + field) >>> 2]!;
    const value = Buffer.from(kernel.bytes(word(GetResultField.value), word(GetResultField.valueSize))).toString('hex');
    const block = word(GetResultField.block);
    if (block !== 0) kernel.x.blockRelease(block);
    return `${kernel.f64[(result + GetResultField.sequence) >>> 3]!} ${value}`;
  } finally {
    kernel.free(key);
    kernel.free(result);
  }
}

test('many lookups at once find the newest version at their sequence, however small the cache', async () => {
  const random = new Random(seedFor(99));
  const { x } = getKernel();
  let before = 0;
  for (let round = 0; round < 6; round++) {
    // Codecs keep working space from their first use on.
    if (round === 1) before = x.allocatedBytes();
    const entries = makeEntries(random);
    const cache = x.cacheCreate(random.pick([0, 3000, 1 << 20]), 0, 1, 0) >>> 0;
    for (const shape of shapes) {
      const { bytes } = writeTable(entries, { blockSize: 60, metadataBlockSize: 50, ...shape });
      const reader = openReader(memoryFile(bytes), random.oneIn(3) ? {} : { cache: { address: cache } });
      const lookups = Array.from({ length: 100 }, async () => {
        const userKey = random.oneIn(5) ? random.bytes(3) : userKeyOf(random.pick(entries).key);
        const sequence = random.below(200);
        const wanted = entries.find(
          ({ key }) => Buffer.compare(userKeyOf(key), userKey) === 0 && sequenceOf(key) <= sequence,
        );
        const expected = wanted && `${sequenceOf(wanted.key)} ${Buffer.from(wanted.value).toString('hex')}`;
        expect(await getAsync(reader, userKey, sequence)).toBe(expected);
      });
      await Promise.all(lookups);
      reader.close();
    }
    x.cacheFree(cache);
  }
  expect(x.allocatedBytes()).toBe(before);
});

test('blocks that are let go go to an owner who asked for them', () => {
  const entries = Array.from({ length: 50 }, (_, i) => ({
    key: makeInternalKey(Buffer.from([i]), 1, 1),
    value: Buffer.from(`v${i}`),
  }));
  const { bytes } = writeTable(entries, { blockSize: 40 });
  const reader = openReader(memoryFile(bytes));
  const retired: number[] = [];
  const source = reader.newIterator({ retire: (block) => retired.push(block) });
  runSync(source.seekToFirst());
  const { u32 } = getKernel();
  const values: [number, number][] = [];
  do {
    values.push([u32[(source.cursor + 16) >>> 2]!, u32[(source.cursor + 20) >>> 2]!]);
  } while (step(source, 1) !== undefined);
  const read = values.map(([at, size]) => Buffer.from(getKernel().bytes(at, size)).toString());
  expect(read).toEqual(entries.map(({ value }) => value.toString()));
  source.close();
  expect(retired.length).toBe(reader.properties.numDataBlocks);
  for (const block of retired) getKernel().x.blockRelease(block);
  reader.close();
});

test('offsets of keys rise with them, up to the end of the data', () => {
  const random = new Random(seedFor(5));
  const entries = Array.from({ length: 2000 }, (_, i) => ({
    key: makeInternalKey(Buffer.from(String(i).padStart(6, '0')), 1, 1),
    value: random.bytes(50),
  }));
  for (const indexType of ['binarySearch', 'twoLevelIndexSearch'] as const) {
    const { bytes, table } = writeTable(entries, { indexType, metadataBlockSize: 500 });
    const reader = openReader(memoryFile(bytes));
    const offsetOf = (text: string) =>
      withKey(makeInternalKey(Buffer.from(text), 1, 1), (at, size) => runSync(reader.approximateOffsetOf(at, size)));
    expect(offsetOf('')).toBe(0);
    expect(offsetOf('zzz')).toBe(table.properties.dataSize);
    const middle = offsetOf('001000') / table.properties.dataSize;
    expect(middle).toBeGreaterThan(0.45);
    expect(middle).toBeLessThan(0.55);
    reader.close();
  }
});
