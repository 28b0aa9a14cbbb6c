/**
 * Writes tables outside of any database, for `ingestExternalFile`: RocksDB's SstFileWriter, with the same bytes. All entries
 * have sequence 0; the database that takes the table in gives them one, if they need it.
 */
import type { Comparator } from '../../format/base/comparator.ts';
import { copyOf } from '../../format/base/bytes.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { closeFile, syncFull } from '../../format/base/file-io.ts';
import { makeInternalKey, userKeyOf, ValueType } from '../../format/base/internal-key.ts';
import { type Io, runAsync, runSync } from '../../format/base/io.ts';
import type { TableOptions } from '../../format/sst/table-options.ts';
import { UNKNOWN_FAMILY_ID } from '../../format/sst/table-properties.ts';
import { TableWriter } from '../../format/sst/table-writer.ts';
import type { TableWriterContext } from '../../format/sst/table-writer-context.ts';
import { Env } from '../env/env.ts';
import { createFresh, unlinkIfPresent } from '../env/file-operations.ts';
import type { FileSystem, WritableFile } from '../env/file-system.ts';
import { hostName } from '../env/host.ts';
import { newSessionId, SystemRandom } from '../env/random.ts';
import type { ColumnFamilyOptions } from '../options/options.ts';
import { resolveOwnFamilyOptions } from '../options/resolve-options.ts';
import type { FamilyOptions } from '../options/resolved-options.ts';
import { absolutePath } from './directory-check.ts';
import { type Bytes, checkBytes, type FamilyHandle, toBytes } from './read-options.ts';
import { withStoredComponents } from './stored-options.ts';

/** What RocksDB's writer calls itself in the properties of its tables. */
const WRITER_NAME = 'SST Writer';

/** Options of `SstFileWriter.open`: those of the family that will take the table in, which must agree in the comparator. */
export interface SstFileWriterOptions extends ColumnFamilyOptions {
  /** Default: `Env.default`. */
  env?: Env | undefined;
  /** Only this family of its database may take the table in. Default: any. */
  columnFamily?: FamilyHandle | undefined;
}

/** A finished table, by RocksDB's names. */
export interface ExternalSstFileInfo {
  /** Absolute. */
  filePath: string;
  /** Empty when there are only range tombstones. */
  smallestKey: Uint8Array;
  largestKey: Uint8Array;
  /** Empty when there are no range tombstones. */
  smallestRangeDelKey: Uint8Array;
  /** Exclusive. */
  largestRangeDelKey: Uint8Array;
  fileSizeBytes: number;
  /** Range tombstones left out. */
  numEntries: number;
  numRangeDelEntries: number;
  /** Of the format of external files. */
  version: number;
}

interface WriterParts {
  path: string;
  fs: FileSystem;
  file: WritableFile;
  comparator: Comparator;
  writer: TableWriter;
}

/**
 * One table being written. Keys come in strictly ascending order. Ends with `finish`; `close` before that removes the file.
 * `xSync()` throws `BUSY` while a promise of this writer is not settled. After a failure everything but `close` fails.
 */
export class SstFileWriter implements AsyncDisposable {
  readonly path: string;
  readonly #parts: WriterParts;
  readonly #tombstones: { begin: Uint8Array; end: Uint8Array }[] = [];
  #first: Uint8Array | undefined;
  #last: Uint8Array | undefined;
  #entries = 0;
  /** The newest operation that waits for the disk; the next one begins behind it. */
  #waiting: Promise<unknown> | undefined;
  #failure: unknown;
  #state: 'open' | 'finished' | 'closed' = 'open';

  private constructor(parts: WriterParts) {
    this.path = parts.path;
    this.#parts = parts;
  }

  /**
   * Begins a table at `path`; a file that stands there is replaced. `INVALID_ARGUMENT` names the option that is wrong,
   * `NOT_SUPPORTED` a codec that is not there; `IO_ERROR`, `NO_SPACE`.
   */
  static async open(path: string, options: SstFileWriterOptions = {}): Promise<SstFileWriter> {
    if (typeof options !== 'object' || options === null) throw invalidArgument('options must be an object');
    const { env = Env.default, columnFamily, ...given } = options;
    if (!(env instanceof Env)) throw invalidArgument('options.env must be an Env');
    const target = absolutePath(path);
    const family = withStoredComponents(
      await resolveOwnFamilyOptions(given),
      columnFamily?.name ?? '',
      undefined,
      undefined,
    );
    const fs = env.fileSystem;
    const file = await runAsync(createFresh(fs, target));
    try {
      const context = contextOf(family, columnFamily);
      const writer = new TableWriter(file, tableOptionsOf(family), context);
      return new SstFileWriter({ path: target, fs, file, comparator: context.comparator, writer });
    } catch (error) {
      await file.close();
      await fs.unlink(target);
      throw error;
    }
  }

  /** Bytes of the file so far, index and filter left out; after `finish` all of them. */
  get fileSize(): number {
    return this.#state === 'open' ? this.#parts.writer.sizeEstimate : this.#parts.file.size;
  }

  /** Adds `key` with `value`. `INVALID_ARGUMENT` unless the key comes behind all before it. */
  put(key: Bytes, value: Bytes): Promise<void> {
    return this.#add(ValueType.value, key, value);
  }

  putSync(key: Bytes, value: Bytes): void {
    this.#addSync(ValueType.value, key, value);
  }

  /** Adds an operand for the merge operator of the family. Errors as `put`. */
  merge(key: Bytes, operand: Bytes): Promise<void> {
    return this.#add(ValueType.merge, key, operand);
  }

  mergeSync(key: Bytes, operand: Bytes): void {
    this.#addSync(ValueType.merge, key, operand);
  }

  /** Adds the removal of `key`. Errors as `put`. */
  delete(key: Bytes): Promise<void> {
    return this.#add(ValueType.deletion, key, '');
  }

  deleteSync(key: Bytes): void {
    this.#addSync(ValueType.deletion, key, '');
  }

  /**
   * Adds the removal of every key in [begin, end) that the database holds before; keys of this table stay. In any order.
   * `INVALID_ARGUMENT` when end lies before begin.
   */
  async deleteRange(begin: Bytes, end: Bytes): Promise<void> {
    this.#addTombstone(begin, end);
  }

  deleteRangeSync(begin: Bytes, end: Bytes): void {
    this.#addTombstone(begin, end);
  }

  /** Completes the table and syncs it. `INVALID_ARGUMENT` when it is empty. */
  finish(): Promise<ExternalSstFileInfo> {
    return this.#enqueue(() => this.#finish());
  }

  finishSync(): ExternalSstFileInfo {
    this.#requireIdle();
    return this.#attempt(() => runSync(this.#finish()));
  }

  /** Lets go of everything; a table that is not finished is removed. Idempotent. */
  async close(): Promise<void> {
    await this.#waiting?.catch(() => {});
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    const { writer, file, fs, path } = this.#parts;
    writer.abandon();
    await file.close();
    await runAsync(unlinkIfPresent(fs, path));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #add(type: number, key: Bytes, value: Bytes): Promise<void> {
    try {
      const internalKey = this.#accept(type, key, value);
      const bytes = toBytes(value);
      const { writer } = this.#parts;
      if (this.#waiting === undefined && writer.tryAdd(internalKey, bytes)) return Promise.resolve();
      const own = copyOf(bytes);
      return this.#enqueue(() => writer.add(internalKey, own));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #addSync(type: number, key: Bytes, value: Bytes): void {
    this.#requireIdle();
    const internalKey = this.#accept(type, key, value);
    this.#attempt(() => runSync(this.#parts.writer.add(internalKey, toBytes(value))));
  }

  /** The internal key of an entry that may follow. */
  #accept(type: number, key: Bytes, value: Bytes): Uint8Array {
    this.#requireOpen();
    checkBytes(key, 'key');
    checkBytes(value, 'value');
    const internalKey = makeInternalKey(toBytes(key), 0, type);
    const userKey = userKeyOf(internalKey);
    if (this.#last !== undefined && this.#parts.comparator.compare(this.#last, userKey) >= 0) {
      throw invalidArgument('Keys must be added in strict ascending order.');
    }
    this.#first ??= userKey;
    this.#last = userKey;
    this.#entries++;
    return internalKey;
  }

  #addTombstone(begin: Bytes, end: Bytes): void {
    this.#requireOpen();
    checkBytes(begin, 'begin');
    checkBytes(end, 'end');
    const range = { begin: copyOf(toBytes(begin)), end: copyOf(toBytes(end)) };
    const order = this.#parts.comparator.compare(range.begin, range.end);
    if (order > 0) throw invalidArgument('end key comes before start key');
    if (order < 0) this.#tombstones.push(range);
  }

  *#finish(): Io<ExternalSstFileInfo> {
    this.#requireOpen();
    const { path, writer, file, comparator } = this.#parts;
    if (this.#entries === 0 && this.#tombstones.length === 0) {
      throw invalidArgument('Cannot create sst file with no entries');
    }
    this.#tombstones.sort((a, b) => comparator.compare(a.begin, b.begin));
    for (const { begin, end } of this.#tombstones) writer.addRangeTombstone(begin, end, 0);
    const { sizeBytes, properties } = yield* writer.finish();
    yield* syncFull(file);
    yield* closeFile(file);
    this.#state = 'finished';
    const none = new Uint8Array(0);
    const ends = this.#tombstones.map(({ end }) => end).sort((a, b) => comparator.compare(a, b));
    return {
      filePath: path,
      smallestKey: copyOf(this.#first ?? none),
      largestKey: copyOf(this.#last ?? none),
      smallestRangeDelKey: this.#tombstones[0]?.begin ?? none,
      largestRangeDelKey: ends.at(-1) ?? none,
      fileSizeBytes: sizeBytes,
      numEntries: this.#entries,
      numRangeDelEntries: this.#tombstones.length,
      version: properties.externalFileVersion,
    };
  }

  #requireOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state !== 'open') throw new DBError('CLOSED', `${this.path}: the table is ${this.#state}`);
  }

  #requireIdle(): void {
    if (this.#waiting === undefined) return;
    throw new DBError('BUSY', `${this.path}: a promise of this writer is not settled`, { retryable: true });
  }

  /** Runs an operation behind those that wait. */
  #enqueue<T>(operation: () => Io<T>): Promise<T> {
    const before = this.#waiting ?? Promise.resolve();
    const result = before.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return runAsync(operation());
    });
    const settled = result.then(
      () => {
        if (this.#waiting === settled) this.#waiting = undefined;
      },
      (error) => {
        this.#failure ??= error;
        if (this.#waiting === settled) this.#waiting = undefined;
      },
    );
    this.#waiting = settled;
    return result;
  }

  #attempt<T>(operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }
}

/** The codec is that of the last level, where such tables go when they can. */
function tableOptionsOf(family: FamilyOptions): TableOptions {
  const compression = family.bottommostCompression ?? family.compressionPerLevel.at(-1) ?? family.compression;
  return { ...family.table, compression };
}

function contextOf(family: FamilyOptions, columnFamily: FamilyHandle | undefined): TableWriterContext {
  return {
    comparator: family.comparator!.value,
    familyId: columnFamily?.id ?? UNKNOWN_FAMILY_ID,
    familyName: columnFamily?.name ?? '',
    // RocksDB's writer leaves the times unknown, too: the data is as old as the database that takes it in says.
    creationTime: 0,
    oldestKeyTime: 0,
    fileCreationTime: 0,
    dbId: WRITER_NAME,
    dbSessionId: newSessionId(new SystemRandom()),
    dbHostId: hostName(),
    fileNumber: 1,
    mergeOperatorName: family.mergeOperator?.value.name,
    prefixExtractor: family.prefixExtractor?.value,
    externalFile: true,
  };
}
