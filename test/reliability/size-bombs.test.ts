/**
 * Size bombs: few bytes that claim to be many. Method: every place of the formats that declares a size, with claims from one
 * byte too many to 2^64-1; each is refused with a typed error, and neither kernel memory nor array buffers grow by the claim.
 */

import { expect, test } from 'vitest';
import { ByteReader } from '../../format/base/coding.ts';
import { concatBytes } from '../../format/base/bytes.ts';
import { DBError } from '../../format/base/db-error.ts';
import { decodeSet } from '../../format/base/extra-merge-operators.ts';
import { verifyBatch } from '../../format/batch/write-batch-reader.ts';
import { readSizePrefix } from '../../format/compression/block-compression.ts';
import { CompressionId } from '../../format/compression/codec.ts';
import { findCodec } from '../../format/compression/codec-registry.ts';
import { decompressZstdFrames } from '../../format/compression/zstd.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { decodeVersionEdit } from '../../format/manifest/version-edit-decoder.ts';
import { checkBlockHandle, readBlockHandle } from '../../format/sst/block-handle.ts';
import { readMetadataBlock } from '../../format/sst/metadata-block.ts';
import { decodeBackupMeta } from '../../src/utilities/backup/backup-meta.ts';
import { memoryFile, openReader, readAll, withKey } from '../format/sst/table-support.ts';
import { unhex, utf8 } from '../support/bytes.ts';
import { smallTable } from './fuzz/fuzz-corpus.ts';

/** Much less than any claim below, and more than an error and its stack take. */
const GROWTH_MAX = 4 << 20;

/** Varints: 2^31, 2^32-1, 2^33, 2^53-1, 2^63 and 2^64-5, the last of which wraps to 0 with the bytes of a trailer. */
const VARINTS = {
  '2^31': '8080808008',
  '2^32-1': 'ffffffff0f',
  '2^33': '8080808020',
  '2^53-1': 'ffffffffffffff0f',
  '2^63': '80808080808080808001',
  '2^64-5': 'fbffffffffffffffff01',
};

type Bomb = readonly [name: string, explode: () => unknown];

function claims(name: string, explode: (claim: Uint8Array) => unknown): Bomb[] {
  return Object.entries(VARINTS).map(([size, text]) => [`${name} of ${size}`, () => explode(unhex(text))]);
}

function handle(bytes: Uint8Array): void {
  checkBlockHandle(readBlockHandle(new ByteReader(bytes, 'bomb')), 4096, 'bomb');
}

/** A footer of version 5 whose metaindex or index claims too much, behind a table that is otherwise sound. */
function tableWithHandle(claim: Uint8Array, which: 'metaindex' | 'index'): void {
  const table = smallTable({ blockSize: 256 });
  const handles = which === 'metaindex' ? concatBytes([unhex('00'), claim]) : concatBytes([unhex('000a00'), claim]);
  table.fill(0, table.length - 52, table.length - 12);
  table.set(handles, table.length - 52);
  const reader = openReader(memoryFile(table));
  try {
    readAll(reader);
  } finally {
    reader.close();
  }
}

/** A batch header for one record, and a put whose key or value claims too much. */
function batchWith(claim: Uint8Array, before: string): void {
  verifyBatch(concatBytes([new Uint8Array(8), unhex(`01000000${before}`), claim, utf8('few')]));
}

const codecBombs = (['snappy', 'zlib', 'lz4', 'zstd', 'bzip2'] as const).flatMap((type) =>
  ['8080808008', 'ffffffff0f', '8080808020'].map(
    (text): Bomb => [
      `a block of ${type} that claims ${text}`,
      () => readSizePrefix(findCodec(type), CompressionId[type], concatBytes([unhex(text), utf8('few')]), 5),
    ],
  ),
);

const BOMBS: readonly Bomb[] = [
  ...claims('a block handle', (claim) => handle(concatBytes([unhex('00'), claim]))),
  ...claims('a block handle at an offset', (claim) => handle(concatBytes([claim, unhex('8020')]))),
  ...claims('a metaindex', (claim) => tableWithHandle(claim, 'metaindex')),
  ...claims('an index', (claim) => tableWithHandle(claim, 'index')),
  ...claims('a key in a batch', (claim) => batchWith(claim, '01')),
  ...claims('a value in a batch', (claim) => batchWith(claim, '010161')),
  ...claims('a comparator name in a version edit', (claim) => decodeVersionEdit(concatBytes([unhex('01'), claim]))),
  ...claims('a member of a set', (claim) => decodeSet(concatBytes([claim, utf8('few')]))),
  ...codecBombs,
  [
    'a zstd frame of 2^40 bytes',
    () => decompressZstdFrames(unhex('28b52ffde00000000000010000' + '2b00000041'), 2 ** 45),
  ],
  ['a zstd frame above the limit', () => decompressZstdFrames(unhex('28b52ffda00000008003000041'), 1 << 20)],
  [
    'restart points of a block: 2^28',
    () => withKey(unhex('0000000000000010'), (at, size) => readMetadataBlock(at, size, 'bomb')),
  ],
  [
    'restart points of a block: 2^31-1',
    () => withKey(unhex('00000000ffffff7f'), (at, size) => readMetadataBlock(at, size, 'bomb')),
  ],
  ['a backup of 2^53-1 files', () => decodeBackupMeta(utf8('1\n1\n9007199254740991\nx\n'), 1, 'bomb')],
];

test('R10 there are at least 40 size bombs', () => {
  expect(BOMBS.length).toBeGreaterThanOrEqual(40);
});

test.each(BOMBS)('R10 %s is refused before it is allocated', (_name, explode) => {
  const kernelBefore = getKernel().x.allocatedBytes();
  const buffersBefore = process.memoryUsage().arrayBuffers;
  let refusal: unknown;
  try {
    explode();
  } catch (error) {
    refusal = error;
  }
  expect(process.memoryUsage().arrayBuffers - buffersBefore).toBeLessThan(GROWTH_MAX);
  expect(getKernel().x.allocatedBytes() - kernelBefore).toBeLessThan(GROWTH_MAX);
  expect(refusal).toBeInstanceOf(DBError);
  expect(['CORRUPTION', 'NOT_SUPPORTED']).toContain((refusal as DBError).code);
});
