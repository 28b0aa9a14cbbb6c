/** Filters: blocks compared with plain references and with those of the C++ library, and hostile blocks. */

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PROJECT_ROOT } from '../../support/source-files.ts';
import { PoisonedBuffer } from './poisoned-buffer.ts';
import { bloomReference, legacyBloomReference } from './reference/bloom.ts';
import { hash32Reference, hash64Reference } from './reference/filter-hash.ts';
import { readPlainTable } from './reference/plain-table.ts';
import { ribbonReference } from './reference/ribbon.ts';

const BLOOM_SEED = 0xbc9f1d34;
const kernel = getKernel();
const x = kernel.x;
const keyBuffer = new PoisonedBuffer(kernel, 20_000);

function key(i: number): Uint8Array {
  return Buffer.from(`key${i}`);
}

function mayMatch(filter: PoisonedBuffer, bytes: Uint8Array, size = filter.size): boolean {
  return x.filterMayMatch(filter.at, size, keyBuffer.set(bytes).at, bytes.length) === 1;
}

/** The keys' hashes as an array in kernel memory. */
function hashes64(keys: readonly Uint8Array[]): PoisonedBuffer {
  const array = Buffer.alloc(keys.length * 8);
  keys.forEach((bytes, i) => void array.writeBigUInt64LE(hash64Reference(bytes), i * 8));
  return new PoisonedBuffer(kernel, array.length).set(array);
}

function hashes32(keys: readonly Uint8Array[]): PoisonedBuffer {
  const array = Buffer.alloc(keys.length * 4);
  keys.forEach((bytes, i) => void array.writeUInt32LE(hash32Reference(bytes, BLOOM_SEED), i * 4));
  return new PoisonedBuffer(kernel, array.length).set(array);
}

function build(size: number, write: (out: number) => number): PoisonedBuffer {
  const filter = new PoisonedBuffer(kernel, size);
  expect(write(filter.at)).toBe(size);
  filter.expectUntouched();
  return filter;
}

/** A probe of a FastLocalBloom or legacy block must say what setting the key's bits in it would not change. */
function expectProbesLikeReference(filter: PoisonedBuffer, holds: (bytes: Uint8Array) => boolean): void {
  let matches = 0;
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(`other${i}`);
    const got = mayMatch(filter, bytes);
    expect(got).toBe(holds(bytes));
    if (got) matches++;
  }
  expect(matches).toBeLessThan(1500);
}

function isSubset(part: Uint8Array, whole: Uint8Array): boolean {
  return part.every((byte, i) => (byte & whole[i]!) === byte);
}

describe('Bloom filters', () => {
  const probesByMillibits = [
    [1000, 1],
    [2080, 1],
    [2081, 2],
    [3581, 3],
    [5101, 4],
    [6641, 5],
    [8301, 6],
    [10_000, 6],
    [10_071, 7],
    [11_721, 8],
    [14_002, 9],
    [16_051, 10],
    [18_301, 11],
    [22_002, 12],
    [25_502, 11],
    [40_000, 18],
    [50_000, 23],
    [50_001, 24],
  ] as const;

  test('FastLocalBloom blocks are the reference’s, byte for byte, and have no false negatives', () => {
    for (const [millibits, probes] of probesByMillibits) {
      for (const count of [1, 2, 51, 700]) {
        const keys = Array.from({ length: count }, (_, i) => key(i));
        const size = x.bloomSize(count, millibits);
        expect(size).toBe(Math.ceil(Math.ceil((count * millibits) / 8000) / 64) * 64 + 5);
        const hashes = hashes64(keys);
        const filter = build(size, (out) => x.bloomBuild(hashes.at, count, millibits, out));
        expect(Buffer.compare(filter.get(), bloomReference(keys.map(hash64Reference), size, probes))).toBe(0);
        for (const bytes of keys) expect(mayMatch(filter, bytes)).toBe(true);
        filter.free();
        hashes.free();
      }
    }
  });

  test('FastLocalBloom says no exactly when a bit is missing', () => {
    const keys = Array.from({ length: 500 }, (_, i) => key(i));
    const hashes = hashes64(keys);
    const size = x.bloomSize(500, 6000);
    const filter = build(size, (out) => x.bloomBuild(hashes.at, 500, 6000, out));
    const bits = filter.get();
    expectProbesLikeReference(filter, (bytes) => isSubset(bloomReference([hash64Reference(bytes)], size, 4), bits));
    filter.free();
    hashes.free();
  });

  test('legacy blocks are the reference’s, with other line sizes too', () => {
    for (const [millibits, probes] of [
      [1000, 1],
      [10_000, 6],
      [14_000, 9],
      [20_000, 13],
      [60_000, 30],
    ] as const) {
      for (const count of [1, 51, 52, 700]) {
        const keys = Array.from({ length: count }, (_, i) => key(i));
        const hashes = hashes32(keys);
        const size = x.legacyBloomSize(count, millibits);
        const lines = Math.ceil((count * millibits) / 1000 / 512) | 1;
        expect(size).toBe(lines * 64 + 5);
        const filter = build(size, (out) => x.legacyBloomBuild(hashes.at, count, millibits, out));
        const plain = keys.map((bytes) => hash32Reference(bytes, BLOOM_SEED));
        expect(Buffer.compare(filter.get(), legacyBloomReference(plain, size, probes))).toBe(0);
        for (const bytes of keys) expect(mayMatch(filter, bytes)).toBe(true);
        filter.free();
        hashes.free();
      }
    }
    for (const lineSize of [32, 64, 128]) {
      const keys = Array.from({ length: 300 }, (_, i) => hash32Reference(key(i), BLOOM_SEED));
      const size = 7 * lineSize * 3 + 5;
      const block = legacyBloomReference(keys, size, 6, lineSize);
      const filter = new PoisonedBuffer(kernel, size).set(block);
      expectProbesLikeReference(filter, (bytes) =>
        isSubset(legacyBloomReference([hash32Reference(bytes, BLOOM_SEED)], size, 6, lineSize), block),
      );
      filter.free();
    }
  });

  test.each(['bloom-fastlocal', 'bloom-legacy'])('%s: the block that C++ wrote is the one we write', (name) => {
    const table = readPlainTable(join(PROJECT_ROOT, 'test/fixtures', name, 'db/000009.sst'));
    const legacy = name === 'bloom-legacy';
    const hashes = legacy ? hashes32(table.keys) : hashes64(table.keys);
    const count = table.keys.length;
    const size = legacy ? x.legacyBloomSize(count, 10_000) : x.bloomSize(count, 10_000);
    expect(size).toBe(table.filter.length);
    const write = legacy ? x.legacyBloomBuild : x.bloomBuild;
    const filter = build(size, (out) => write(hashes.at, count, 10_000, out));
    expect(Buffer.from(filter.get()).toString('hex')).toBe(table.filter.toString('hex'));
    filter.free();
    hashes.free();
  });
});

describe('Ribbon filters', () => {
  test('the block that C++ wrote matches its keys and few others', () => {
    const table = readPlainTable(join(PROJECT_ROOT, 'test/fixtures/ribbon/db/000009.sst'));
    const filter = new PoisonedBuffer(kernel, table.filter.length).set(table.filter);
    expect(table.filter.readInt8(table.filter.length - 5)).toBe(-2);
    for (const bytes of table.keys) expect(mayMatch(filter, bytes)).toBe(true);
    let wrong = 0;
    for (let i = 0; i < 20_000; i++) if (mayMatch(filter, Buffer.from(`absent${i}`))) wrong++;
    expect(wrong).toBeLessThan(20_000 * 0.02);
    filter.free();
  });

  test('built blocks hold all keys, probe like the reference, and are wrong as seldom as asked', () => {
    for (const [count, oneIn] of [
      [1, 100],
      [200, 2],
      [2000, 100],
      [2000, 300],
      [20_000, 1000],
      [5000, 1e12],
    ] as const) {
      const keys = Array.from({ length: count }, (_, i) => key(i));
      const hashes = hashes64(keys);
      const filter = build(x.ribbonSize(count, oneIn), (out) => x.ribbonBuild(hashes.at, count, oneIn, out));
      for (const bytes of keys) expect(mayMatch(filter, bytes)).toBe(true);
      const block = filter.get();
      for (let i = 0; i < 400; i++) {
        const bytes = Buffer.from(`other${i}`);
        expect(mayMatch(filter, bytes)).toBe(ribbonReference(block, hash64Reference(bytes)));
      }
      let wrong = 0;
      for (let i = 0; i < 20_000; i++) if (mayMatch(filter, Buffer.from(`absent${i}`))) wrong++;
      // A few blocks cannot have the fraction of a column that the rate asks for.
      expect(wrong).toBeLessThan((20_000 / oneIn) * (count < 200 ? 2 : 1.3) + 20);
      filter.free();
      hashes.free();
    }
  });

  test('equal hashes do not keep a filter from being built; no keys do', () => {
    const hashes = hashes64(Array.from({ length: 3000 }, (_, i) => key(i % 1000)));
    const size = x.ribbonSize(3000, 100);
    const filter = build(size, (out) => x.ribbonBuild(hashes.at, 3000, 100, out));
    for (let i = 0; i < 1000; i++) expect(mayMatch(filter, key(i))).toBe(true);
    expect(x.ribbonSize(0, 100)).toBe(0);
    expect(x.ribbonBuild(hashes.at, 0, 100, filter.at)).toBe(0);
    filter.free();
    hashes.free();
  });
});

describe('filter blocks that are not understood', () => {
  const bits = new Uint8Array(64);

  function answer(metadata: readonly number[], body = bits): boolean {
    const filter = new PoisonedBuffer(kernel, body.length + 5);
    filter.set(Buffer.concat([body, Uint8Array.from(metadata)]));
    const result = mayMatch(filter, Buffer.from('key'));
    filter.free();
    return result;
  }

  test('match nothing without a bit of data, and everything when the kind is unknown', () => {
    expect(answer([0xff, 0, 6, 0, 0], new Uint8Array(0))).toBe(false);
    expect(answer([0xff, 0, 6, 0, 0])).toBe(false);
    expect(answer([6, 1, 0, 0, 0])).toBe(false);
    for (const kind of [0, 0x80, 0xfd, 0xfe]) expect(answer([kind, 0, 0, 0, 0])).toBe(true);
    expect(answer([0xff, 1, 6, 0, 0])).toBe(true);
    expect(answer([0xff, 0, 6 | 0x20, 0, 0])).toBe(true);
    expect(answer([0xff, 0, 0, 0, 0])).toBe(true);
    expect(answer([0xff, 0, 31, 0, 0])).toBe(true);
    expect(answer([0xff, 0, 6, 1, 0])).toBe(true);
    expect(answer([0xff, 0, 6, 0, 1])).toBe(true);
    expect(answer([6, 0, 0, 0, 0])).toBe(true);
    expect(answer([6, 3, 0, 0, 0])).toBe(true);
    expect(answer([6, 1, 0, 0, 0], new Uint8Array(48))).toBe(true);
    expect(answer([0xfe, 0, 1, 0, 0])).toBe(true);
  });

  test('random blocks are answered from their own bytes alone', () => {
    const random = new Random(seedFor(51));
    for (let i = 0; i < 4000; i++) {
      const body = random.bytes(random.below(300));
      const metadata = random.bytes(5);
      metadata[0] = random.pick([0xff, 0xfe, 1, 6, 30, 127, random.below(256)]);
      if (random.oneIn(2)) metadata.set([random.below(4), random.below(6), 0, 0], 1);
      const block = Buffer.concat([body, metadata]);
      const probe = random.bytes(random.below(20));
      const answers = [0x00, 0xff].map((poison) => {
        const filter = new PoisonedBuffer(kernel, block.length, poison).set(block);
        const result = mayMatch(filter, probe);
        filter.expectUntouched(block.length);
        filter.free();
        return result;
      });
      expect(answers[0]).toBe(answers[1]);
      if (metadata[0] === 0xfe && body.length > 0) {
        expect(answers[0]).toBe(ribbonReference(block, hash64Reference(probe)));
      }
    }
  });
});
