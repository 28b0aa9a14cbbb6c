/**
 * Reads one block: from the file into kernel memory, checked and decompressed. Point lookups that block do it without a
 * generator: a block of 4 KiB takes four microseconds to bring, and half a dozen generators would add two.
 */
import { getFixed32 } from '../base/coding.ts';
import { corruption, DBError } from '../base/db-error.ts';
import type { RandomAccessFile } from '../base/file-handles.ts';
import { readAt } from '../base/file-io.ts';
import type { Io } from '../base/io.ts';
import { decompressUnsized, readSizePrefix } from '../compression/block-compression.ts';
import { CompressionId } from '../compression/codec.ts';
import { findCodecById } from '../compression/codec-registry.ts';
import { TableStatsField } from '../kernel/abi/block-cache.ts';
import { getKernel } from '../kernel/kernel.ts';
import { storedChecksum } from './block-checksum.ts';
import { BLOCK_TRAILER_SIZE, type BlockHandle, checkBlockHandle } from './block-handle.ts';
import { countTableStat } from './table-stats.ts';

/** A second cache, of blocks as they are stored: it is asked before the file is. */
export interface CompressedCache {
  /** The kernel's cache. */
  readonly address: number;
  /** The table's id in it. */
  readonly tableId: number;
  /** Address of the thread's counters, 0 none. */
  readonly stats: number;
}

/** A table's file and what is needed to check and decompress its blocks. */
export interface BlockSource {
  readonly file: RandomAccessFile;
  readonly fileSize: number;
  readonly path: string;
  readonly formatVersion: number;
  readonly checksumId: number;
  readonly baseContextChecksum: number;
  readonly verifyChecksums: boolean;
  /** For data blocks only. */
  readonly dictionary?: Uint8Array | undefined;
  readonly compressedCache?: CompressedCache | undefined;
}

/** The same source for a read that does not look at checksums. */
export function withoutVerification(source: BlockSource): BlockSource {
  return source.verifyChecksums ? { ...source, verifyChecksums: false } : source;
}

/** A new private block of the kernel, pinned once. */
export function allocateBlock(size: number): number {
  const block = getKernel().x.blockAlloc(size) >>> 0;
  if (block === 0) throw new RangeError(`kernel memory exhausted: no room for a block of ${size} bytes`);
  return block;
}

/**
 * Reads the block at `handle`, trailer included, into kernel memory: a private block of the kernel that holds
 * `handle.size + 5` stored bytes. The caller owns it. CORRUPTION when the file ends before the block does.
 */
export function* readStoredBlock(source: BlockSource, handle: BlockHandle): Io<number> {
  const block = allocateStored(source, handle);
  try {
    checkWhole(source, handle, yield* readAt(source.file, storedBytes(block, handle), handle.offset));
    return block;
  } catch (error) {
    getKernel().x.blockRelease(block);
    throw error;
  }
}

/** `readStoredBlock` in place. */
function readStoredBlockSync(source: BlockSource, handle: BlockHandle): number {
  const block = allocateStored(source, handle);
  try {
    checkWhole(source, handle, source.file.readSync(storedBytes(block, handle), handle.offset));
    return block;
  } catch (error) {
    getKernel().x.blockRelease(block);
    throw error;
  }
}

function allocateStored(source: BlockSource, handle: BlockHandle): number {
  checkBlockHandle(handle, source.fileSize, source.path);
  return allocateBlock(handle.size + BLOCK_TRAILER_SIZE);
}

function storedBytes(block: number, handle: BlockHandle): Uint8Array {
  return getKernel().bytes(block, handle.size + BLOCK_TRAILER_SIZE);
}

function checkWhole(source: BlockSource, handle: BlockHandle, read: number): void {
  const size = handle.size + BLOCK_TRAILER_SIZE;
  if (read === size) return;
  throw corruption(
    `truncated block read from ${source.path} offset ${handle.offset}, expected ${size} bytes, got ${read}`,
  );
}

/** The kind of checksum that is stored masked. */
const CRC32C = 1;

/** CORRUPTION unless the checksum in the trailer of the stored block at kernel address `at` is right. */
export function verifyBlockChecksum(source: BlockSource, handle: BlockHandle, at: number): void {
  const { checksumId, baseContextChecksum } = source;
  if (checksumId === 0) return;
  const kernel = getKernel();
  const typeByte = kernel.u8[at + handle.size]!;
  const stored = getFixed32(kernel.u8, at + handle.size + 1);
  const computed = storedChecksum(checksumId, baseContextChecksum, handle.offset, at, handle.size, typeByte);
  if (stored === computed) return;
  // As RocksDB tells them: a CRC-32C without its mask.
  const shown = (sum: number): number => (checksumId === CRC32C ? kernel.x.crc32cUnmask(sum) >>> 0 : sum);
  throw corruption(
    `block checksum mismatch: stored = ${shown(stored)}, computed = ${shown(computed)}, type = ${checksumId}  in ${source.path} ` +
      `offset ${handle.offset} size ${handle.size}`,
  );
}

/** Decompresses the stored block at kernel address `at` into a new private block, which the caller owns. */
export function decompressStoredBlock(
  source: BlockSource,
  handle: BlockHandle,
  at: number,
  dictionary: Uint8Array | undefined,
): number {
  const kernel = getKernel();
  const stored = kernel.bytes(at, handle.size);
  const id = kernel.u8[at + handle.size]!;
  let block = 0;
  try {
    const codec = findCodecById(id);
    const { uncompressedSize, payloadAt } = readSizePrefix(codec, id, stored, source.formatVersion);
    if (uncompressedSize === undefined) {
      const bytes = decompressUnsized(codec, stored);
      block = allocateBlock(bytes.length);
      kernel.copyIn(bytes, block);
    } else {
      block = allocateBlock(uncompressedSize);
      const payload = payloadAt === 0 ? stored : stored.subarray(payloadAt);
      codec.decompress(payload, kernel.bytes(block, uncompressedSize), dictionary);
    }
    return block;
  } catch (error) {
    if (block !== 0) kernel.x.blockRelease(block);
    if (error instanceof DBError && error.code === 'CORRUPTION') {
      throw corruption(`${error.message} in ${source.path} offset ${handle.offset} size ${handle.size}`, error);
    }
    throw error;
  }
}

/** The block out of the compressed cache, or 0. What lies there was checked when it was put in. */
function fetchCompressed(source: BlockSource, handle: BlockHandle, dictionary: Uint8Array | undefined): number {
  if (source.compressedCache === undefined) return 0;
  const { address, tableId, stats } = source.compressedCache;
  const { x } = getKernel();
  const stored = x.cacheLookup(address, tableId, handle.offset) >>> 0;
  countTableStat(stats, stored === 0 ? TableStatsField.compressedMisses : TableStatsField.compressedHits);
  if (stored === 0) return 0;
  try {
    return decompressStoredBlock(source, handle, stored, dictionary);
  } finally {
    x.blockRelease(stored);
  }
}

/** Gives a checked stored block to the compressed cache; returns the block to use from now on, pinned. */
function keepCompressed(cache: CompressedCache, handle: BlockHandle, stored: number): number {
  const { x } = getKernel();
  const kept =
    x.cacheInsert(cache.address, cache.tableId, handle.offset, stored, handle.size + BLOCK_TRAILER_SIZE) >>> 0;
  if (kept === 0) return stored;
  countTableStat(cache.stats, TableStatsField.compressedAdds);
  return kept;
}

/**
 * Reads, checks and decompresses the block at `handle`; returns a private block of the kernel, pinned once and owned by
 * the caller. `dictionary` is given for data blocks of tables that have one. A block that is stored compressed comes from
 * the compressed cache if it is there, and goes there unless `fillCache` is false.
 */
export function* fetchBlock(
  source: BlockSource,
  handle: BlockHandle,
  dictionary?: Uint8Array,
  fillCache = true,
): Io<number> {
  const block = fetchCompressed(source, handle, dictionary);
  if (block !== 0) return block;
  return unpack(source, handle, yield* readStoredBlock(source, handle), dictionary, fillCache);
}

/** `fetchBlock` in place. */
export function fetchBlockSync(
  source: BlockSource,
  handle: BlockHandle,
  dictionary?: Uint8Array,
  fillCache = true,
): number {
  const block = fetchCompressed(source, handle, dictionary);
  if (block !== 0) return block;
  return unpack(source, handle, readStoredBlockSync(source, handle), dictionary, fillCache);
}

/** Checks and decompresses a stored block, which it takes over. */
function unpack(
  source: BlockSource,
  handle: BlockHandle,
  block: number,
  dictionary: Uint8Array | undefined,
  fillCache: boolean,
): number {
  const kernel = getKernel();
  const cache = source.compressedCache;
  let stored = block;
  try {
    if (source.verifyChecksums) verifyBlockChecksum(source, handle, block);
    if (kernel.u8[block + handle.size] === CompressionId.none) {
      kernel.x.blockSetSize(block, handle.size);
      stored = 0;
      return block;
    }
    if (cache !== undefined && fillCache) stored = keepCompressed(cache, handle, block);
    return decompressStoredBlock(source, handle, stored, dictionary);
  } finally {
    if (stored !== 0) kernel.x.blockRelease(stored);
  }
}
