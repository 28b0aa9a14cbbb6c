/**
 * Damaged and hostile tables: whatever bit is flipped and wherever the file is cut, a reader gives the right data or
 * CORRUPTION (for a few names: INVALID_ARGUMENT or NOT_SUPPORTED), and no claimed size is allocated that the file cannot hold.
 */
import { describe, expect, test } from 'vitest';
import { DBError } from '../../../format/base/db-error.ts';
import { userKeyOf } from '../../../format/base/internal-key.ts';
import { runSync } from '../../../format/base/io.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { storedChecksum } from '../../../format/sst/block-checksum.ts';
import { decodeFooter } from '../../../format/sst/footer.ts';
import type { TableOptions } from '../../../format/sst/table-options.ts';
import { Random, seedFor } from '../../support/random.ts';
import { type Entry, entry, get, memoryFile, openReader, readAll, writeTable } from './table-support.ts';

const codes: ReadonlySet<string> = new Set(['CORRUPTION', 'INVALID_ARGUMENT', 'NOT_SUPPORTED']);

function text(entries: readonly Entry[]): string[] {
  return entries.map(({ key, value }) => `${Buffer.from(key).toString('hex')}=${Buffer.from(value).toString('hex')}`);
}

/** Reads all that there is; `undefined` when the table was refused. */
function readEverything(bytes: Uint8Array, verifyChecksums: boolean): string[] | undefined {
  try {
    const reader = openReader(memoryFile(bytes), { verifyChecksums });
    try {
      const entries = text(readAll(reader));
      expect(text(readAll(reader, -1)).length).toBeGreaterThanOrEqual(0);
      readAll(reader, 1, 300);
      get(reader, Buffer.from('key5'), 1e6);
      return entries;
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!(error instanceof DBError)) throw error;
    expect(codes.has(error.code), error.message).toBe(true);
    return undefined;
  }
}

const entries = Array.from({ length: 60 }, (_, i) =>
  entry(`key${String(i).padStart(2, '0')}`, i + 1, `value ${i} `.repeat(4)),
);

const shapes: readonly Partial<TableOptions>[] = [
  { checksum: 'crc32c', blockSize: 256 },
  { formatVersion: 6, blockSize: 256, filterPolicy: { type: 'bloom', bitsPerKey: 10 } },
  {
    indexType: 'twoLevelIndexSearch',
    metadataBlockSize: 64,
    blockSize: 128,
    partitionFilters: true,
    filterPolicy: { type: 'bloom', bitsPerKey: 10 },
    compression: 'zstd',
  },
  { formatVersion: 2, compression: 'zlib', blockSize: 256, indexType: 'binarySearchWithFirstKey' },
];

test('every flipped byte is found out or harmless: the entries are right or the table is refused', () => {
  const random = new Random(seedFor(1));
  for (const shape of shapes) {
    const { bytes } = writeTable(entries, shape, { tombstones: [['key1', 'key2', 99]] });
    const right = text(entries);
    expect(readEverything(bytes, true)).toEqual(right);
    let refused = 0;
    for (let at = 0; at < bytes.length; at += random.between(1, 5)) {
      const bad = bytes.slice();
      bad[at]! ^= 1 << random.below(8);
      const found = readEverything(bad, true);
      if (found === undefined) refused++;
      else expect(found, `byte ${at} of ${bytes.length}`).toEqual(right);
    }
    expect(refused).toBeGreaterThan(bytes.length / 5);
  }
});

test('without checksums damage may give wrong data, but nothing worse', () => {
  const random = new Random(seedFor(2));
  const kernel = getKernel();
  for (const shape of shapes) {
    const { bytes } = writeTable(entries, { ...shape, checksum: 'none' }, { tombstones: [['key1', 'key2', 99]] });
    for (let round = 0; round < 600; round++) {
      const bad = bytes.slice();
      for (let flips = random.between(1, 4); flips > 0; flips--) bad[random.below(bad.length)] = random.below(256);
      readEverything(bad, false);
    }
    const before = kernel.x.allocatedBytes();
    for (let round = 0; round < 50; round++) {
      const bad = bytes.slice();
      bad[random.below(bad.length)] = 0xff;
      readEverything(bad, false);
    }
    // Working space of codecs may grow a little; what a table held must be free again.
    expect(kernel.x.allocatedBytes() - before).toBeLessThan(256 << 10);
  }
});

test('a file cut anywhere is refused', () => {
  const { bytes } = writeTable(entries, {});
  for (let size = 0; size < bytes.length; size += 7) {
    expect(readEverything(bytes.subarray(0, size), true), `${size} of ${bytes.length}`).toBeUndefined();
    // The MANIFEST says more than there is.
    const file = memoryFile(bytes.subarray(0, size));
    expect(() => openReader({ ...file, sizeSync: () => bytes.length })).toThrow(/too short|truncated/);
  }
});

describe('claimed sizes', () => {
  test('R10 a block handle that reaches behind the file is refused before a byte is allocated', () => {
    const { bytes } = writeTable(entries, {});
    const bad = bytes.slice();
    // The metaindex handle of the footer: offset 0, size 2^34.
    bad.set([0, 0x80, 0x80, 0x80, 0x80, 0x40], bad.length - 52);
    const before = getKernel().x.allocatedBytes();
    expect(() => openReader(memoryFile(bad))).toThrow(
      /bad block handle: offset 0 size 17179869184 reach behind the end/,
    );
    expect(getKernel().x.allocatedBytes()).toBe(before);
  });

  test('R10 a compressed block that claims a gigabyte is refused by what its codec can make of it', () => {
    for (const compression of ['snappy', 'lz4', 'zlib', 'zstd', 'bzip2'] as const) {
      const { bytes } = writeTable([entry('a', 1, 'z'.repeat(2000))], { compression, checksum: 'crc32c' });
      const bad = bytes.slice();
      const reader = openReader(memoryFile(bytes));
      const size = reader.properties.dataSize - 5;
      reader.close();
      bad.set([0xff, 0xff, 0xff, 0xff, 0x03], 0);
      mendChecksum(bad, size);
      expect(readEverything(bad, true), compression).toBeUndefined();
      const damaged = openReader(memoryFile(bad));
      expect(() => readAll(damaged)).toThrow(/Corrupted compressed block contents: \w+: .*in memory.sst offset 0/);
      damaged.close();
    }
  });

  test('an unknown compression type and a codec that is not there are told apart', () => {
    const { bytes } = writeTable([entry('a', 1, 'z'.repeat(50))], { compression: 'none', checksum: 'crc32c' });
    const reader = openReader(memoryFile(bytes));
    const size = reader.properties.dataSize - 5;
    reader.close();
    for (const [type, message] of [
      [99, /unknown compression type 99 in memory.sst offset 0/],
      [6, /Xpress is not available/],
    ] as const) {
      const bad = bytes.slice();
      bad[size] = type;
      mendChecksum(bad, size);
      const damaged = openReader(memoryFile(bad));
      expect(() => readAll(damaged)).toThrow(message);
      damaged.close();
    }
  });
});

/** Makes the checksum of the block at the start of a version 5 file right again. */
function mendChecksum(bytes: Uint8Array, size: number): void {
  const kernel = getKernel();
  const { checksumId } = decodeFooter(bytes.subarray(-53), bytes.length, 'x');
  const at = kernel.malloc(size + 32);
  kernel.copyIn(bytes.subarray(0, size), at);
  const checksum = storedChecksum(checksumId, 0, 0, at, size, bytes[size]!);
  kernel.free(at);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(size + 1, checksum, true);
}

test('a checksum mismatch is reported in the words of RocksDB, with file, offset and size', () => {
  const { bytes } = writeTable(entries, { checksum: 'crc32c', compression: 'none' });
  const bad = bytes.slice();
  bad[3]! ^= 1;
  const reader = openReader(memoryFile(bad, '000009.sst'));
  const pattern =
    /^block checksum mismatch: stored = \d+, computed = \d+, type = 1 {2}in 000009.sst offset 0 size \d+$/;
  expect(() => readAll(reader)).toThrow(pattern);
  expect(() => get(reader, userKeyOf(entries[0]!.key), 1e6)).toThrow(pattern);
  expect(() => runSync(reader.verifyChecksums())).toThrow(pattern);
  reader.close();
});
