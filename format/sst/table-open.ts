/** Opening a table: footer, metaindex, properties, global sequence, tombstones, dictionary, index, filter. */
import { ByteReader, getFixed32, setFixed32 } from '../base/coding.ts';
import { corruption, invalidArgument } from '../base/db-error.ts';
import type { RandomAccessFile } from '../base/file-handles.ts';
import type { Io } from '../base/io.ts';
import { BlockFlags } from '../kernel/abi/block.ts';
import { getKernel } from '../kernel/kernel.ts';
import { storedChecksum } from './block-checksum.ts';
import {
  type BlockSource,
  type CompressedCache,
  decompressStoredBlock,
  fetchBlock,
  readStoredBlock,
  verifyBlockChecksum,
} from './block-fetch.ts';
import type { BlockHandle } from './block-handle.ts';
import { decodeFooter, FOOTER_SIZE_MAX, type Footer } from './footer.ts';
import { decodeMetaindex, type Metaindex } from './metaindex.ts';
import { readMetadataBlock } from './metadata-block.ts';
import { decodeRangeTombstones, type RangeTombstone } from './range-del-block.ts';
import { decodeTableProperties, emptyTableProperties, PropertyName, type TableProperties } from './table-properties.ts';
import { TailFile } from './tail-file.ts';

/** What must be known to open a table. */
export interface TableOpenOptions {
  readonly file: RandomAccessFile;
  readonly fileSize: number;
  /** The comparator of the family: its id in the kernel, and its name to check against the file's. */
  readonly comparator: { readonly id: number; readonly name: string };
  readonly verifyChecksums: boolean;
  /** The MANIFEST's largest sequence of the file: the global sequence of an ingested file that does not say. */
  readonly largestSequence?: number | undefined;
  /** For data blocks and partitions; what is pinned while the table is open is never put there. */
  readonly compressedCache?: CompressedCache | undefined;
}

/** The index of a table: the pinned block and how it is to be read. */
export interface TableIndex {
  readonly block: number;
  readonly size: number;
  /** `BlockFlags` of the entries of data-block handles (in the partitions, if there are any). */
  readonly flags: number;
  /** Whether the pinned block's entries lead to index partitions. */
  readonly partitioned: boolean;
}

/** The filter: a pinned full filter, or the pinned index of filter partitions. */
export interface TableFilter {
  readonly block: number;
  readonly size: number;
  readonly partitioned: boolean;
}

/** An opened table's parts. The pinned blocks are owned by whoever has this. */
export interface TableParts {
  readonly source: BlockSource;
  readonly footer: Footer;
  readonly metaindex: Metaindex;
  readonly properties: TableProperties;
  /** Sequence of every key; `undefined`: keys have their own. */
  readonly globalSequence: number | undefined;
  readonly rangeTombstones: readonly RangeTombstone[];
  readonly index: TableIndex;
  readonly filter: TableFilter | undefined;
}

const INDEX_PARTITIONED = 2;
const INDEX_WITH_FIRST_KEYS = 3;
const GLOBAL_SEQUENCE_SIZE = 8;

/** Reads everything about a table but its data. CORRUPTION when a part is damaged. */
export function* openTable(options: TableOpenOptions): Io<TableParts> {
  const { path } = options.file;
  const { footer, meta, metaindex } = yield* readTail(options.file, options.fileSize, options.verifyChecksums);
  const properties = yield* readProperties(meta, metaindex.properties);
  checkComparator(options, properties, path);
  const globalSequence = decideGlobalSequence(properties, options.largestSequence, path);
  const rangeTombstones = yield* readRangeTombstones(meta, metaindex, globalSequence);
  const dictionary = yield* readDictionary(meta, metaindex);
  const indexHandle = footer.index ?? metaindex.index;
  if (indexHandle === undefined) throw corruption(`the metaindex of ${path} names no index block`);
  const { compressedCache } = options;
  const source: BlockSource = { ...meta, file: options.file, dictionary, compressedCache };
  const block = yield* fetchBlock(meta, indexHandle);
  try {
    const index: TableIndex = {
      block,
      size: getKernel().x.blockSize(block) >>> 0,
      flags: indexFlagsOf(properties),
      partitioned: properties.indexType === INDEX_PARTITIONED,
    };
    const filter = yield* readFilter(meta, metaindex);
    return { source, footer, metaindex, properties, globalSequence, rangeTombstones, index, filter };
  } catch (error) {
    getKernel().x.blockRelease(block);
    throw error;
  }
}

/**
 * Reads nothing of a table but its properties: what can be known before its family and comparator are. The file stays the
 * caller's. CORRUPTION when what was read is damaged.
 */
export function* readTableProperties(handle: RandomAccessFile, fileSize: number): Io<TableProperties> {
  const { meta, metaindex } = yield* readTail(handle, fileSize, true);
  return yield* readProperties(meta, metaindex.properties);
}

/**
 * Where the 8 bytes of the global sequence stand in a file made for ingestion. The file stays the caller's. INVALID_ARGUMENT
 * when there are none to overwrite, CORRUPTION when what was read is damaged.
 */
export function* readGlobalSequenceOffset(handle: RandomAccessFile, fileSize: number): Io<number> {
  const { path } = handle;
  const { meta, metaindex } = yield* readTail(handle, fileSize, true);
  const { properties } = metaindex;
  if (properties === undefined) throw corruption(`the metaindex of ${path} names no properties block`);
  const kernel = getKernel();
  const block = yield* readStoredBlock(meta, properties);
  try {
    const plain = kernel.u8[block + properties.size] === 0;
    const bytes = kernel.u8.subarray(block, block + properties.size);
    const at = plain ? findProperty(bytes, PropertyName.globalSequence) : -1;
    if (at < 0)
      throw invalidArgument(`Trying to set global seqno for a file that don't have a global seqno field: ${path}`);
    return properties.offset + at;
  } finally {
    kernel.x.blockRelease(block);
  }
}

/** Where a table's parts are, and where to read all of them but its data from. */
interface TableTail {
  readonly footer: Footer;
  readonly meta: BlockSource;
  readonly metaindex: Metaindex;
}

/** Reads the end of the file, where what describes a table lies together. */
function* readTail(handle: RandomAccessFile, fileSize: number, verifyChecksums: boolean): Io<TableTail> {
  const { path } = handle;
  const file = yield* TailFile.read(handle, fileSize);
  const footer = decodeFooter(file.lastBytes(FOOTER_SIZE_MAX), fileSize, path);
  const { formatVersion, checksumId, baseContextChecksum } = footer;
  const meta: BlockSource = { file, fileSize, path, formatVersion, checksumId, baseContextChecksum, verifyChecksums };
  return { footer, meta, metaindex: yield* readMetaindex(meta, footer) };
}

function* readMetaindex(source: BlockSource, footer: Footer): Io<Metaindex> {
  const kernel = getKernel();
  const block = yield* fetchBlock(source, footer.metaindex);
  try {
    const entries = readMetadataBlock(block, kernel.x.blockSize(block) >>> 0, `metaindex of ${source.path}`);
    return decodeMetaindex(entries, source.path);
  } finally {
    kernel.x.blockRelease(block);
  }
}

/**
 * Reads the properties. Old RocksDB writes the global sequence of an ingested file into this block without mending its
 * checksum, so a block is also right whose checksum holds for a global sequence of zero.
 */
function* readProperties(source: BlockSource, handle: BlockHandle | undefined): Io<TableProperties> {
  if (handle === undefined) return emptyTableProperties();
  const kernel = getKernel();
  const stored = yield* readStoredBlock(source, handle);
  let block = stored;
  try {
    const compressed = kernel.u8[stored + handle.size] !== 0;
    if (source.verifyChecksums) {
      if (compressed) verifyBlockChecksum(source, handle, stored);
      else verifyProperties(source, handle, stored);
    }
    if (compressed) block = decompressStoredBlock(source, handle, stored, undefined);
    const size = compressed ? kernel.x.blockSize(block) >>> 0 : handle.size;
    return decodeTableProperties(readMetadataBlock(block, size, `properties of ${source.path}`), source.path);
  } finally {
    if (block !== stored) kernel.x.blockRelease(block);
    kernel.x.blockRelease(stored);
  }
}

function verifyProperties(source: BlockSource, handle: BlockHandle, block: number): void {
  const { u8 } = getKernel();
  const stored = getFixed32(u8, block + handle.size + 1);
  const compute = () =>
    storedChecksum(
      source.checksumId,
      source.baseContextChecksum,
      handle.offset,
      block,
      handle.size,
      u8[block + handle.size]!,
    );
  if (source.checksumId === 0 || compute() === stored) return;
  const at = findProperty(u8.subarray(block, block + handle.size), PropertyName.globalSequence);
  if (at < 0) {
    verifyBlockChecksum(source, handle, block);
    return;
  }
  const low = getFixed32(u8, block + at);
  const high = getFixed32(u8, block + at + 4);
  setFixed32(u8, block + at, 0);
  setFixed32(u8, block + at + 4, 0);
  const plausible = compute() === stored;
  setFixed32(u8, block + at, low);
  setFixed32(u8, block + at + 4, high);
  if (!plausible) verifyBlockChecksum(source, handle, block);
}

/** Offset of the 8-byte value of property `name` in a properties block, or -1. Entries share prefixes of their names. */
function findProperty(block: Uint8Array, name: string): number {
  const reader = new ByteReader(block, 'properties');
  let key = Buffer.alloc(0);
  try {
    while (reader.remaining > 8) {
      const shared = reader.varint32('shared');
      const unshared = reader.varint32('unshared');
      const valueSize = reader.varint32('value size');
      if (shared > key.length) return -1;
      key = Buffer.concat([key.subarray(0, shared), reader.slice(unshared, 'name')]);
      const at = reader.position;
      reader.slice(valueSize, 'value');
      if (key.toString('latin1') === name) return valueSize === GLOBAL_SEQUENCE_SIZE ? at : -1;
    }
  } catch {
    // Damaged: the caller reports the checksum.
  }
  return -1;
}

function checkComparator(options: TableOpenOptions, properties: TableProperties, path: string): void {
  const { comparatorName } = properties;
  if (comparatorName === '' || comparatorName === options.comparator.name) return;
  throw invalidArgument(
    `${path} is ordered by comparator ${comparatorName}, the column family by ${options.comparator.name}`,
  );
}

function decideGlobalSequence(
  properties: TableProperties,
  largestSequence: number | undefined,
  path: string,
): number | undefined {
  if (properties.externalFileVersion < 2) {
    if (properties.globalSequence === 0) return undefined;
    throw corruption(`${path} has a global sequence but external file version ${properties.externalFileVersion}`);
  }
  const { globalSequence } = properties;
  if (largestSequence === undefined) return globalSequence === 0 ? undefined : globalSequence;
  if (globalSequence !== 0 && globalSequence !== largestSequence) {
    throw corruption(
      `${path}: global sequence ${globalSequence} in the file, largest sequence ${largestSequence} in the MANIFEST`,
    );
  }
  return largestSequence;
}

function* readRangeTombstones(
  source: BlockSource,
  metaindex: Metaindex,
  globalSequence: number | undefined,
): Io<readonly RangeTombstone[]> {
  if (metaindex.rangeDeletions === undefined) return [];
  const kernel = getKernel();
  const block = yield* fetchBlock(source, metaindex.rangeDeletions);
  try {
    const entries = readMetadataBlock(block, kernel.x.blockSize(block) >>> 0, `range tombstones of ${source.path}`);
    return decodeRangeTombstones(entries, globalSequence, source.path);
  } finally {
    kernel.x.blockRelease(block);
  }
}

function* readDictionary(source: BlockSource, metaindex: Metaindex): Io<Uint8Array | undefined> {
  if (metaindex.compressionDictionary === undefined) return undefined;
  const kernel = getKernel();
  const block = yield* fetchBlock(source, metaindex.compressionDictionary);
  const dictionary = kernel.bytes(block, kernel.x.blockSize(block) >>> 0).slice();
  kernel.x.blockRelease(block);
  return dictionary.length === 0 ? undefined : dictionary;
}

function* readFilter(source: BlockSource, metaindex: Metaindex): Io<TableFilter | undefined> {
  if (metaindex.filter === undefined) return undefined;
  const { handle, partitioned } = metaindex.filter;
  const block = yield* fetchBlock(source, handle);
  return { block, size: getKernel().x.blockSize(block) >>> 0, partitioned };
}

function indexFlagsOf(properties: TableProperties): number {
  return (
    BlockFlags.handles |
    (properties.indexKeyIsUserKey ? BlockFlags.userKeys : BlockFlags.internalKeys) |
    (properties.indexValueIsDeltaEncoded ? BlockFlags.deltaValues : 0) |
    (properties.indexType === INDEX_WITH_FIRST_KEYS ? BlockFlags.firstKeys : 0)
  );
}
