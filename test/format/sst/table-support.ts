/** What the tests of tables share: files, entries as JavaScript values, tables written and read back whole. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { bytewiseComparator } from '../../../format/base/comparator.ts';
import type { CursorSource } from '../../../format/base/cursor-source.ts';
import { DBError } from '../../../format/base/db-error.ts';
import type { RandomAccessFile, WritableFile } from '../../../format/base/file-handles.ts';
import { makeInternalKey } from '../../../format/base/internal-key.ts';
import { runSync } from '../../../format/base/io.ts';
import { GET_RESULT_SIZE, GetResultField } from '../../../format/kernel/abi/block.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { defaultTableOptions, type TableOptions } from '../../../format/sst/table-options.ts';
import { TableReader, type TableReaderOptions } from '../../../format/sst/table-reader.ts';
import { TableWriter, type WrittenTable } from '../../../format/sst/table-writer.ts';
import type { TableWriterContext } from '../../../format/sst/table-writer-context.ts';

/** The bytewise comparator as readers want it. */
export const bytewise = { id: 0, name: bytewiseComparator.name };
/** The reverse one. */
export const reverse = { id: 1, name: 'rocksdb.ReverseBytewiseComparator' };

/** A file on disk, read only. */
export function openFile(path: string): RandomAccessFile {
  const fd = openSync(path, 'r');
  return fileOf(
    path,
    (buffer, offset) => readSync(fd, buffer, 0, buffer.length, offset),
    () => fstatSync(fd).size,
    () => closeSync(fd),
  );
}

/** Bytes as a file. */
export function memoryFile(bytes: Uint8Array, path = 'memory.sst'): RandomAccessFile {
  const read = (buffer: Uint8Array, offset: number) => {
    const part = bytes.subarray(offset, offset + buffer.length);
    buffer.set(part);
    return part.length;
  };
  return fileOf(
    path,
    read,
    () => bytes.length,
    () => undefined,
  );
}

function fileOf(
  path: string,
  readSync: (buffer: Uint8Array, offset: number) => number,
  sizeSync: () => number,
  closeSync: () => void,
): RandomAccessFile {
  return {
    path,
    readSync,
    sizeSync,
    closeSync,
    read: async (buffer, offset) => readSync(buffer, offset),
    size: async () => sizeSync(),
    close: async () => closeSync(),
  };
}

/** Collects what is appended. */
export class CollectingFile implements WritableFile {
  readonly path = 'collected.sst';
  readonly poisoned = false;
  readonly #parts: Uint8Array[] = [];
  size = 0;

  appendSync(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#parts.push(part.slice());
      this.size += part.length;
    }
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    this.appendSync(parts);
  }

  async sync(): Promise<void> {}
  syncSync(): void {}
  async close(): Promise<void> {}
  closeSync(): void {}

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}

/** Every table of the golden databases. */
export function goldenTables(): { name: string; path: string }[] {
  const root = join(import.meta.dirname, '../../fixtures');
  const tables: { name: string; path: string }[] = [];
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const file of readdirSync(join(root, entry.name, 'db'))) {
      if (/\.(sst|ldb)$/.test(file)) tables.push({ name: entry.name, path: join(root, entry.name, 'db', file) });
    }
  }
  return tables;
}

/** Opens a table with checksums verified. */
export function openReader(file: RandomAccessFile, options: Partial<TableReaderOptions> = {}): TableReader {
  const fileSize = file.sizeSync();
  return runSync(
    TableReader.open({ file, fileSize, fileNumber: 9, comparator: bytewise, verifyChecksums: true, ...options }),
  );
}

/** Opens a table with whichever built-in comparator its properties name. */
export function openWithItsComparator(
  open: () => RandomAccessFile,
  options: Partial<TableReaderOptions> = {},
): TableReader {
  try {
    return openReader(open(), options);
  } catch (error) {
    if (error instanceof DBError && error.code === 'INVALID_ARGUMENT')
      return openReader(open(), { ...options, comparator: reverse });
    throw error;
  }
}

/** One entry: the internal key and the value. */
export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const VALID = 4;
const KEY = 8;
const VALUE = 16;

function pair(cursor: number, field: number): Uint8Array {
  const { u32 } = getKernel();
  return getKernel().copyOut(u32[(cursor + field) >>> 2]!, u32[(cursor + field + 4) >>> 2]!);
}

/** The entry that a source stands on, `undefined` if none. */
export function current(source: CursorSource): Entry | undefined {
  if (getKernel().u32[(source.cursor + VALID) >>> 2] === 0) return undefined;
  return { key: pair(source.cursor, KEY), value: pair(source.cursor, VALUE) };
}

/** Steps a source as a merge does. */
export function step(source: CursorSource, direction: 1 | -1): Entry | undefined {
  const { x } = getKernel();
  if (direction === 1) x.blockCursorNext(source.cursor);
  else x.blockCursorPrev(source.cursor);
  if (getKernel().u32[(source.cursor + VALID) >>> 2] === 0) {
    while (source.tryRefill(direction) === -1) runSync(source.load());
  }
  return current(source);
}

/** All entries from where the source stands. */
export function drain(source: CursorSource, direction: 1 | -1): Entry[] {
  const entries: Entry[] = [];
  for (let entry = current(source); entry !== undefined; entry = step(source, direction)) entries.push(entry);
  return entries;
}

/** All entries of a table. */
export function readAll(reader: TableReader, direction: 1 | -1 = 1, sequentialReadSize?: number): Entry[] {
  const source = reader.newIterator({ sequentialReadSize });
  try {
    runSync(direction === 1 ? source.seekToFirst() : source.seekToLast());
    return drain(source, direction);
  } finally {
    source.close();
  }
}

/** Runs `use` with `bytes` at a kernel address. */
export function withKey<T>(bytes: Uint8Array, use: (at: number, size: number) => T): T {
  const kernel = getKernel();
  const at = kernel.malloc(bytes.length + 16);
  try {
    kernel.copyIn(bytes, at);
    return use(at, bytes.length);
  } finally {
    kernel.free(at);
  }
}

/** What a point lookup finds. */
export function get(
  reader: TableReader,
  userKey: Uint8Array,
  sequence: number,
): { type: number; sequence: number; value: Uint8Array } | undefined {
  const kernel = getKernel();
  const result = kernel.malloc(GET_RESULT_SIZE);
  try {
    return withKey(userKey, (at, size) => {
      let status = reader.tryGet(at, size, sequence, result);
      for (; status === 2; status = reader.tryGet(at, size, sequence, result)) runSync(reader.load(result));
      if (status === 0) return undefined;
      const word = (field: number) => kernel.u32[(result + field) >>> 2]!;
      const found = {
        type: word(GetResultField.type),
        sequence: kernel.f64[(result + GetResultField.sequence) >>> 3]!,
        value: kernel.copyOut(word(GetResultField.value), word(GetResultField.valueSize)),
      };
      const block = word(GetResultField.block);
      if (block !== 0) kernel.x.blockRelease(block);
      return found;
    });
  } finally {
    kernel.free(result);
  }
}

/** A context with fixed names. */
export const context: TableWriterContext = {
  comparator: bytewiseComparator,
  familyId: 0,
  familyName: 'default',
  creationTime: 1_700_000_000,
  oldestKeyTime: 1_700_000_000,
  fileCreationTime: 1_700_000_000,
  dbId: 'bf5e6ec7-3ac5-4cbe-8ef5-1e8c9dc4b6d3',
  dbSessionId: 'OH43WF25JTVWHEWYW200',
  dbHostId: 'host',
  fileNumber: 9,
};

/** Writes a table of the entries, in their order. */
export function writeTable(
  entries: readonly Entry[],
  options: Partial<TableOptions> = {},
  more: Partial<TableWriterContext> & { tombstones?: readonly (readonly [string, string, number])[] } = {},
): { bytes: Uint8Array; table: WrittenTable } {
  const file = new CollectingFile();
  const { tombstones = [], ...rest } = more;
  const writer = new TableWriter(file, { ...defaultTableOptions, ...options }, { ...context, ...rest });
  for (const { key, value } of entries) runSync(writer.add(key, value));
  for (const [begin, end, sequence] of tombstones) {
    writer.addRangeTombstone(Buffer.from(begin), Buffer.from(end), sequence);
  }
  const table = runSync(writer.finish());
  return { bytes: file.bytes(), table };
}

/** An entry of a text key. */
export function entry(key: string, sequence: number, value: string | Uint8Array = '', type = 1): Entry {
  return {
    key: makeInternalKey(Buffer.from(key), sequence, type),
    value: typeof value === 'string' ? Buffer.from(value) : value,
  };
}
