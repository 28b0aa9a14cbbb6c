/** Batches encoded by hand, whole and damaged, applied to memtables in the kernel. */
import { describe, expect, test } from 'vitest';
import { sequenceOf, typeOf, userKeyOf } from '../../../format/base/internal-key.ts';
import { runSync } from '../../../format/base/io.ts';
import { MemtableSource, memtableTombstones } from '../../../format/iterator/memtable-source.ts';
import { MergingIterator, Position } from '../../../format/iterator/merging-iterator.ts';
import {
  BATCH_RESULT_SIZE,
  BatchResultField,
  BatchStatus,
  FAMILY_ROW_SIZE,
} from '../../../format/kernel/abi/memtable.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';

const kernel = getKernel();
const { x, u32 } = kernel;

const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(Math.floor(n / 128))]);
const lps = (s: string): number[] => [...varint(s.length), ...Buffer.from(s)];

function batchOf(count: number, ...records: number[][]): Uint8Array {
  const header = new Uint8Array(12);
  new DataView(header.buffer).setUint32(8, count, true);
  return Buffer.concat([header, ...records.map((r) => Uint8Array.from(r))]);
}

/** Families 0 and 300 have memtables, 7 is to be skipped. */
class Fixture {
  readonly default = x.memtableCreate(0, 65536) >>> 0;
  readonly other = x.memtableCreate(0, 65536) >>> 0;
  readonly result = kernel.malloc(BATCH_RESULT_SIZE);
  readonly #families = kernel.malloc(FAMILY_ROW_SIZE * 3);

  constructor() {
    u32.set([0, this.default, 7, 0, 300, this.other], this.#families >>> 2);
  }

  #with(batch: Uint8Array, act: (address: number) => number): number {
    const address = kernel.malloc(batch.length + 16);
    kernel.u8.set(batch, address);
    const status = act(address);
    kernel.free(address);
    return status;
  }

  apply(batch: Uint8Array, sequence = 100): number {
    return this.#with(batch, (at) => x.batchApply(at, batch.length, sequence, this.#families, 3, this.result));
  }

  check(batch: Uint8Array): number {
    return this.#with(batch, (at) => x.batchCheck(at, batch.length, this.result));
  }

  field(name: keyof typeof BatchResultField): number {
    return u32[(this.result + BatchResultField[name]) >>> 2]!;
  }

  /** `key#sequence.type=value`, in order. */
  entries(memtable: number): string[] {
    const merging = new MergingIterator(kernel, 0, [new MemtableSource(kernel, memtable)]);
    const list: string[] = [];
    for (let status = runSync(merging.position(Position.first)); status === 0; status = merging.tryNext()) {
      const key = merging.key();
      const value = Buffer.from(merging.value()).toString();
      list.push(`${Buffer.from(userKeyOf(key)).toString()}#${sequenceOf(key)}.${typeOf(key)}=${value}`);
    }
    merging.close();
    return list;
  }

  free(): void {
    x.memtableFree(this.default);
    x.memtableFree(this.other);
    kernel.free(this.result);
    kernel.free(this.#families);
  }
}

const ALL_KINDS = batchOf(
  10,
  [0x01, ...lps('a'), ...lps('1')],
  [0x05, ...varint(300), ...lps('a'), ...lps('2')],
  [0x03, ...lps('a note that is not stored')],
  [0x00, ...lps('b')],
  [0x04, ...varint(300), ...lps('b')],
  [0x0d],
  [0x07, ...lps('c')],
  [0x08, ...varint(300), ...lps('c')],
  [0x02, ...lps('d'), ...lps('+')],
  [0x06, ...varint(300), ...lps('d'), ...lps('+')],
  [0x0f, ...lps('e'), ...lps('g')],
  [0x0e, ...varint(300), ...lps('e'), ...lps('g')],
);

describe('S2 a batch is applied record by record', () => {
  test('every kind of record reaches its family with its own sequence', () => {
    const f = new Fixture();
    expect(f.apply(ALL_KINDS)).toBe(BatchStatus.ok);
    expect([f.field('count'), f.field('inserted'), f.field('offset')]).toEqual([10, 10, ALL_KINDS.length]);
    expect(f.entries(f.default)).toEqual(['a#100.1=1', 'b#102.0=', 'c#104.7=', 'd#106.2=+']);
    expect(f.entries(f.other)).toEqual(['a#101.1=2', 'b#103.0=', 'c#105.7=', 'd#107.2=+']);
    const range = { begin: Uint8Array.from(Buffer.from('e')), end: Uint8Array.from(Buffer.from('g')) };
    expect(memtableTombstones(kernel, f.default)).toEqual([{ ...range, sequence: 108 }]);
    expect(memtableTombstones(kernel, f.other)).toEqual([{ ...range, sequence: 109 }]);
    f.free();
  });

  test('records of a family to be skipped count but are not inserted', () => {
    const f = new Fixture();
    expect(f.apply(batchOf(2, [0x05, 7, ...lps('x'), ...lps('y')], [0x01, ...lps('a'), ...lps('')]))).toBe(0);
    expect([f.field('count'), f.field('inserted')]).toEqual([2, 1]);
    expect(f.entries(f.default)).toEqual(['a#101.1=']);
    f.free();
  });

  test('an empty batch is one', () => {
    const f = new Fixture();
    expect(f.apply(batchOf(0))).toBe(BatchStatus.ok);
    expect(f.check(batchOf(0).subarray(0, 11))).toBe(BatchStatus.malformed);
    f.free();
  });
});

describe('a batch out of order is refused, and where is told', () => {
  const good = [0x01, ...lps('a'), ...lps('1')];
  test.each([
    ['wrong count', batchOf(2, good), BatchStatus.wrongCount, {}],
    ['unknown tag', batchOf(2, good, [0x40]), BatchStatus.unsupportedTag, { offset: 17, tag: 0x40 }],
    ['blob index', batchOf(1, [0x11, ...lps('a'), ...lps('1')]), BatchStatus.unsupportedTag, { offset: 12, tag: 0x11 }],
    ['wide columns', batchOf(1, [0x16, ...lps('a'), ...lps('1')]), BatchStatus.unsupportedTag, { tag: 0x16 }],
    ['two-phase marker', batchOf(1, good, [0x09]), BatchStatus.needsHost, { count: 1, tag: 0x09 }],
    ['unknown family', batchOf(1, [0x05, 9, ...lps('a'), ...lps('1')]), BatchStatus.unknownFamily, { family: 9 }],
    ['length past the end', batchOf(1, [0x01, 1, 97, 250, 1]), BatchStatus.malformed, { offset: 12 }],
    ['varint of six bytes', batchOf(1, [0x01, 255, 255, 255, 255, 255, 1]), BatchStatus.malformed, {}],
  ])('%s', (_name, batch, status, fields) => {
    const f = new Fixture();
    expect(f.apply(batch)).toBe(status);
    for (const [name, value] of Object.entries(fields)) expect(f.field(name as 'tag')).toBe(value);
    if (status !== BatchStatus.unknownFamily) expect(f.check(batch)).toBe(status);
    f.free();
  });

  test('cut at any byte, or with any byte changed, it never reads outside and checking agrees with applying', () => {
    const random = new Random(seedFor(400));
    for (let size = 0; size < ALL_KINDS.length; size++) {
      const f = new Fixture();
      expect(f.check(ALL_KINDS.subarray(0, size))).not.toBe(BatchStatus.ok);
      f.free();
    }
    for (let round = 0; round < 3000; round++) {
      const f = new Fixture();
      const batch = Uint8Array.from(ALL_KINDS);
      for (let i = random.between(1, 3); i > 0; i--) batch[random.between(8, batch.length - 1)] = random.below(256);
      const checked = f.check(batch);
      const applied = f.apply(batch);
      if (applied !== BatchStatus.unknownFamily) expect(applied).toBe(checked);
      f.free();
    }
  });
});

test('long varints and keys of all sizes survive', () => {
  const f = new Fixture();
  const keys = [0, 1, 127, 128, 255, 300, 5000].map((n) => 'k'.repeat(n));
  const batch = batchOf(keys.length, ...keys.map((k) => [0x01, ...lps(k), ...lps(k.toUpperCase())]));
  expect(f.apply(batch, 2 ** 52)).toBe(BatchStatus.ok);
  expect(f.entries(f.default)).toEqual(keys.map((k, i) => `${k}#${2 ** 52 + i}.1=${k.toUpperCase()}`));
  f.free();
});
