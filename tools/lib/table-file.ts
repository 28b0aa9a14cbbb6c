/**
 * One table file looked at by itself, without a database: what its footer, metaindex and properties say, and its entries
 * as they are stored. The comparator is the built-in one that the file names.
 */
import { builtinComparators, type Comparator } from '../../format/base/comparator.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { type Io, io, runAsync } from '../../format/base/io.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { type BlockSource, fetchBlock } from '../../format/sst/block-fetch.ts';
import type { BlockHandle } from '../../format/sst/block-handle.ts';
import { decodeFooter, FOOTER_SIZE_MAX, type Footer } from '../../format/sst/footer.ts';
import { type MetadataEntry, readMetadataBlock } from '../../format/sst/metadata-block.ts';
import { decodeMetaindex } from '../../format/sst/metaindex.ts';
import { openTable, type TableParts } from '../../format/sst/table-open.ts';
import { TableReader } from '../../format/sst/table-reader.ts';
import type { FileSystem, RandomAccessFile } from '../../src/env/file-system.ts';

/** Kernel ids of the built-in comparators. */
const COMPARATOR_IDS: ReadonlyMap<string, number> = new Map([
  ['leveldb.BytewiseComparator', 0],
  ['rocksdb.ReverseBytewiseComparator', 1],
]);

/** What opening a table came to; all but `footer` may be missing in a damaged one. */
export interface TableFileHead {
  readonly footer: Footer;
  /** Entries of the metaindex block as stored. */
  readonly metaindex: readonly MetadataEntry[];
  /** Entries of the properties block as stored. */
  readonly properties: readonly MetadataEntry[];
}

/** A table that was opened. `close` it. */
export interface OpenTableFile {
  readonly path: string;
  readonly head: TableFileHead;
  readonly comparator: Comparator;
  readonly comparatorId: number;
  readonly reader: TableReader;
  /** For reading blocks one by one; its file stays open as long as the table does. */
  readonly source: BlockSource;
  readonly indexFlags: number;
  readonly partitionedIndex: boolean;
  close(): void;
}

/** Footer, metaindex and properties without a look at anything else. CORRUPTION when one of them is damaged. */
export async function readTableHead(fileSystem: FileSystem, path: string): Promise<TableFileHead> {
  const file = await fileSystem.openRandom(path);
  try {
    return await runAsync(readHead(file, true));
  } finally {
    await file.close();
  }
}

/** Whether the file ends in a footer of a table; the error says why not. */
export async function readTableFooter(fileSystem: FileSystem, path: string): Promise<Footer> {
  const file = await fileSystem.openRandom(path);
  try {
    return (await runAsync(readFooter(file))).footer;
  } finally {
    await file.close();
  }
}

/**
 * Opens a table. Checksums of everything but data blocks are always verified, those of data blocks when
 * `verifyChecksums`. CORRUPTION when it is damaged, INVALID_ARGUMENT when its comparator is not built in.
 */
export async function openTableFile(
  fileSystem: FileSystem,
  path: string,
  verifyChecksums: boolean,
  largestSequence?: number,
): Promise<OpenTableFile> {
  const file = await fileSystem.openRandom(path);
  try {
    const fileSize = await file.size();
    const { comparator, comparatorId, parts } = await openParts(file, fileSize, largestSequence);
    const head = await runAsync(readHead(file, false));
    const { x } = getKernel();
    x.blockRelease(parts.index.block);
    if (parts.filter !== undefined) x.blockRelease(parts.filter.block);
    const reader = await runAsync(
      TableReader.open({
        file: await fileSystem.openRandom(path),
        fileSize,
        fileNumber: 0,
        comparator: { id: comparatorId, name: comparator.name },
        verifyChecksums,
        largestSequence,
      }),
    );
    const close = (): void => {
      reader.close();
      file.closeSync();
    };
    const source = { ...parts.source, verifyChecksums };
    const { flags, partitioned } = parts.index;
    return {
      path,
      head,
      comparator,
      comparatorId,
      reader,
      source,
      indexFlags: flags,
      partitionedIndex: partitioned,
      close,
    };
  } catch (error) {
    file.closeSync();
    throw error;
  }
}

/** Tries the built-in comparators until one is the file's; a table that names none opens with the first. */
async function openParts(
  file: RandomAccessFile,
  fileSize: number,
  largestSequence: number | undefined,
): Promise<{ comparator: Comparator; comparatorId: number; parts: TableParts }> {
  let refusal: unknown;
  for (const comparator of builtinComparators.values()) {
    const comparatorId = COMPARATOR_IDS.get(comparator.name)!;
    const named = { id: comparatorId, name: comparator.name };
    try {
      const parts = await runAsync(
        openTable({ file, fileSize, comparator: named, verifyChecksums: true, largestSequence }),
      );
      return { comparator, comparatorId, parts };
    } catch (error) {
      if (!(error instanceof DBError && error.code === 'INVALID_ARGUMENT')) throw error;
      refusal = error;
    }
  }
  throw invalidArgument(`${file.path}: its comparator is not built in`, refusal);
}

function* readFooter(file: RandomAccessFile): Io<{ footer: Footer; fileSize: number }> {
  const fileSize = yield* io(
    () => file.sizeSync(),
    () => file.size(),
  );
  const tail = new Uint8Array(Math.min(fileSize, FOOTER_SIZE_MAX));
  yield* io(
    () => file.readSync(tail, fileSize - tail.length),
    () => file.read(tail, fileSize - tail.length),
  );
  return { footer: decodeFooter(tail, fileSize, file.path), fileSize };
}

function* readHead(file: RandomAccessFile, verifyChecksums: boolean): Io<TableFileHead> {
  const { footer, fileSize } = yield* readFooter(file);
  const { formatVersion, checksumId, baseContextChecksum } = footer;
  const source = { file, fileSize, path: file.path, formatVersion, checksumId, baseContextChecksum, verifyChecksums };
  const metaindex = yield* readEntries(source, footer.metaindex, 'metaindex');
  const { properties } = decodeMetaindex(metaindex, file.path);
  return {
    footer,
    metaindex,
    properties: properties === undefined ? [] : yield* readEntries(source, properties, 'properties'),
  };
}

/** All entries of a metadata block. */
export function* readEntries(source: BlockSource, handle: BlockHandle, what: string): Io<MetadataEntry[]> {
  const { x } = getKernel();
  const block = yield* fetchBlock(source, handle);
  try {
    return readMetadataBlock(block, x.blockSize(block) >>> 0, `${what} of ${source.path}`);
  } finally {
    x.blockRelease(block);
  }
}
