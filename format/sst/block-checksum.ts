/**
 * Checksums of blocks: which functions there are, and the context that format_version 6 mixes in so that a block that
 * was moved within a file, or between files, is found out.
 */
import { crc32c } from '../kernel/crc32c-choice.ts';
import { getKernel } from '../kernel/kernel.ts';
import type { ChecksumType } from './table-options.ts';

const names: readonly ChecksumType[] = ['none', 'crc32c', 'xxHash', 'xxHash64', 'xxh3'];
const CRC32C_ID = 1;
const TWO_32 = 2 ** 32;

/** The id that a footer stores. Part of the format. */
export function checksumIdOf(type: ChecksumType): number {
  return names.indexOf(type);
}

/** The type of a stored id, `undefined` when there is none. */
export function checksumTypeOf(id: number): ChecksumType | undefined {
  return names[id];
}

/** What is added, modulo 2^32, to the checksum of the block at `offset`; 0 without a context (format_version <= 5). */
export function contextModifier(baseContextChecksum: number, offset: number): number {
  if (baseContextChecksum === 0) return 0;
  return (baseContextChecksum ^ ((offset % TWO_32) + Math.floor(offset / TWO_32))) >>> 0;
}

function plainChecksum(checksumId: number, at: number, size: number, typeByte: number): number {
  const { u8, x } = getKernel();
  if (checksumId !== CRC32C_ID || crc32c().name === 'wasm') return x.blockChecksum(checksumId, at, size, typeByte);
  // The type byte has its place behind the block.
  u8[at + size] = typeByte;
  return x.crc32cMask(crc32c().extend(0, at, size + 1));
}

/** The value stored for `size` bytes at kernel address `at` followed by `typeByte`, for a block at `offset` of its file. */
export function storedChecksum(
  checksumId: number,
  baseContextChecksum: number,
  offset: number,
  at: number,
  size: number,
  typeByte: number,
): number {
  const plain = checksumId === 0 ? 0 : plainChecksum(checksumId, at, size, typeByte);
  return (plain + contextModifier(baseContextChecksum, offset)) >>> 0;
}
