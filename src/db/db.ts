/** The public database. Methods check what they are given and ask the part that does the work; what that is stands there. */
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { ValueType } from '../../format/base/internal-key.ts';
import type { WriteBatch } from '../../format/batch/write-batch.ts';
import type { Env } from '../env/env.ts';
import type { Statistics } from '../monitoring/statistics.ts';
import type { ColumnFamilyOptions, MutableOptions, Options } from '../options/options.ts';
import { familyPart } from '../options/resolve-options.ts';
import type { IteratorShape } from '../read/iterator-shape.ts';
import type { Snapshot } from '../read/snapshot-list.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Update } from '../wal/update-stream.ts';
import type { WalFileInfo } from '../wal/wal-listing.ts';
import type { RecoveryReport } from '../wal/wal-recovery.ts';
import { type Amplification, measureAmplification } from './amplification.ts';
import { approximateSizes, type KeyRange } from './approximate-sizes.ts';
import { createCheckpoint } from './checkpoint.ts';
import { ColumnFamily, type CompactRangeOptions } from './column-family-handle.ts';
import { destroyDatabase, listFamilies } from './directory-operations.ts';
import type { Engine } from './engine.ts';
import { AsyncEntries, syncEntries } from './entry-iteration.ts';
import { type ExplainedGet, explainGet } from './explain.ts';
import { changeOptions, createFamily, dropFamily } from './family-admin.ts';
import { deleteFile, deleteFilesInRange } from './file-deletion.ts';
import { ingestExternalFiles } from './ingest/ingest-external-files.ts';
import { type IngestOptions, resolveIngestOptions } from './ingest/ingest-options.ts';
import { allKeyVersions, type KeyVersion, type KeyVersionsOptions } from './key-versions.ts';
import {
  type ColumnFamilyMetaData,
  columnFamilyMetaData,
  type LiveFileMetaData,
  liveFiles,
  liveFilesMetaData,
} from './live-files.ts';
import { type LiveFileStorageInfo, liveFilesStorage } from './live-files-storage.ts';
import { ManualCompaction } from './manual-compaction.ts';
import { openEngine } from './open.ts';
import { intProperty, mapProperty, textProperty } from './properties.ts';
import {
  type Bytes,
  checkIteratorOptions,
  type FamilyHandle,
  type IteratorOptions,
  type ReadOptions,
  type WriteOptions,
} from './read-options.ts';
import { Reader } from './reader.ts';
import { repairDatabase } from './repair/repair.ts';
import type { RepairReport } from './repair/repair-report.ts';
import { sortedWalFiles, type UpdatesOptions, updatesSince } from './replication.ts';
import { Writer } from './writer.ts';

type Entry = [Uint8Array, Uint8Array];
/** A key of `multiGet`: in the family of the options, or with its own. */
export type MultiGetKey = Bytes | readonly [Bytes, ColumnFamily];

/** Names a family where there are no other options; default: the default family. */
export interface FamilyChoice {
  columnFamily?: FamilyHandle | undefined;
}

/**
 * A database in one directory. Every method throws `CLOSED` after `close`; `x()` promises what its blocking twin `xSync()`
 * returns, with the same errors. A blocking write out of a listener of this database, or out of a filter or operator that a
 * blocking write carries out, is refused with `BUSY`: it would come in the middle of what called it.
 */
export class DB implements AsyncDisposable {
  /** The database's directory, absolute. */
  readonly path: string;
  readonly env: Env;
  /** What open replayed from the logs, and every byte that it left out and why. */
  readonly recovery: RecoveryReport;
  readonly statistics: Statistics | undefined;
  readonly #engine: Engine;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #manual: ManualCompaction;
  readonly #handles = new Map<number, ColumnFamily>();
  /** The general family options of `open`, for families created later, and what each family was given. */
  readonly #general: ColumnFamilyOptions;
  readonly #given = new Map<ColumnFamilyState, ColumnFamilyOptions>();
  readonly #default: ColumnFamilyState;

  private constructor(engine: Engine, options: Options) {
    this.#engine = engine;
    this.path = engine.context.path;
    this.env = engine.context.options.env;
    this.recovery = engine.recovery;
    this.statistics = engine.context.statistics;
    this.#reader = new Reader(engine);
    this.#writer = new Writer(engine);
    this.#manual = new ManualCompaction(engine);
    this.#general = familyPart(options);
    this.#default = engine.versions.families.get(0)!;
    for (const family of engine.versions.families.values()) {
      this.#given.set(family, { ...this.#general, ...options.columnFamilies?.[family.name] });
    }
  }

  /**
   * Opens the database in `path`. `INVALID_ARGUMENT` names the option that is wrong or contradicts what is stored; `LOCKED` when
   * another process or another open has it; `CORRUPTION`, `NOT_SUPPORTED`, `IO_ERROR`, `NO_SPACE` say what is wrong with the files. A
   * refused open leaves the directory as it was.
   */
  static async open(path: string, options: Options = {}): Promise<DB> {
    if (typeof options !== 'object' || options === null) throw invalidArgument('options must be an object');
    return new DB(await openEngine(path, options), options);
  }

  /** Names of the column families of a database that need not be open, in the order they were made. */
  static listColumnFamilies(path: string, options: Options = {}): Promise<string[]> {
    return listFamilies(path, options);
  }

  /** Removes what a database owns in its directory, and nothing else; the directory, too, if that leaves it empty. */
  static destroy(path: string, options: Options = {}): Promise<void> {
    return destroyDatabase(path, options);
  }

  /**
   * Repairs a database whose MANIFEST or CURRENT is gone or damaged, from the tables and logs that are intact; families are
   * known by the tables. Files that are not part of it afterwards are in `lost/`, none is deleted. `INVALID_ARGUMENT` when
   * no database is there, or names a comparator or merge operator that must be given; `LOCKED` when it is open.
   */
  static repair(path: string, options: Options = {}): Promise<RepairReport> {
    return repairDatabase(path, options);
  }

  /** The value of `key`, or `undefined`. The caller owns the bytes. */
  get(key: Bytes, options?: ReadOptions): Promise<Uint8Array | undefined> {
    try {
      return this.#reader.get(this.#familyOf(options), key, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getSync(key: Bytes, options?: ReadOptions): Uint8Array | undefined {
    return this.#reader.getSync(this.#familyOf(options), key, options);
  }

  /** The values of `keys`, in their order, all from one point in time. */
  async multiGet(keys: readonly MultiGetKey[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    return this.#reader.multiGet(this.#familyKeys(keys, options), options);
  }

  multiGetSync(keys: readonly MultiGetKey[], options?: ReadOptions): (Uint8Array | undefined)[] {
    return this.#reader.multiGetSync(this.#familyKeys(keys, options), options);
  }

  /** False only if the key does not exist; decided without any I/O. */
  keyMayExist(key: Bytes, options?: ReadOptions): boolean {
    return this.#reader.keyMayExist(this.#familyOf(options), key, options);
  }

  /** Sets `key` to `value`. */
  put(key: Bytes, value: Bytes, options?: WriteOptions): Promise<void> {
    return this.#add(ValueType.value, key, value, options);
  }

  putSync(key: Bytes, value: Bytes, options?: WriteOptions): void {
    this.#writer.addSync(ValueType.value, this.#familyOf(options), key, value, options);
  }

  /** Removes `key`. */
  delete(key: Bytes, options?: WriteOptions): Promise<void> {
    return this.#add(ValueType.deletion, key, undefined, options);
  }

  deleteSync(key: Bytes, options?: WriteOptions): void {
    this.#writer.addSync(ValueType.deletion, this.#familyOf(options), key, undefined, options);
  }

  /** Removes a key that was put exactly once since it was last removed, and never merged; anything else is undefined. */
  singleDelete(key: Bytes, options?: WriteOptions): Promise<void> {
    return this.#add(ValueType.singleDeletion, key, undefined, options);
  }

  singleDeleteSync(key: Bytes, options?: WriteOptions): void {
    this.#writer.addSync(ValueType.singleDeletion, this.#familyOf(options), key, undefined, options);
  }

  /** Removes every key in [begin, end). `INVALID_ARGUMENT` when end lies before begin. */
  deleteRange(begin: Bytes, end: Bytes, options?: WriteOptions): Promise<void> {
    return this.#add(ValueType.rangeDeletion, begin, end, options);
  }

  deleteRangeSync(begin: Bytes, end: Bytes, options?: WriteOptions): void {
    this.#writer.addSync(ValueType.rangeDeletion, this.#familyOf(options), begin, end, options);
  }

  /** Adds `operand` to what the family's merge operator makes of `key`. `INVALID_ARGUMENT` without an operator. */
  merge(key: Bytes, operand: Bytes, options?: WriteOptions): Promise<void> {
    return this.#add(ValueType.merge, key, operand, options);
  }

  mergeSync(key: Bytes, operand: Bytes, options?: WriteOptions): void {
    this.#writer.addSync(ValueType.merge, this.#familyOf(options), key, operand, options);
  }

  /** Applies a batch: all of it or nothing, across column families. Its content is taken at the call. */
  write(batch: WriteBatch, options?: WriteOptions): Promise<void> {
    return this.#writer.write(batch, options);
  }

  writeSync(batch: WriteBatch, options?: WriteOptions): void {
    this.#writer.writeSync(batch, options);
  }

  /** A cursor over the entries as they are now. Close it: it keeps files and memory. */
  newIterator(options?: IteratorOptions): IteratorShape {
    return this.#reader.newIterator(this.#familyOf(options), options);
  }

  /** Entries in key order, from `iterateLowerBound` to `iterateUpperBound`; the caller owns the bytes. */
  entries(options: IteratorOptions = {}): AsyncIterableIterator<Entry> {
    return new AsyncEntries(this.newIterator(options), options.limit ?? Number.POSITIVE_INFINITY, (entry) => entry);
  }

  /** The keys of `entries`. */
  keys(options: IteratorOptions = {}): AsyncIterableIterator<Uint8Array> {
    return new AsyncEntries(this.newIterator(options), options.limit ?? Number.POSITIVE_INFINITY, ([key]) => key);
  }

  /** The values of `entries`. */
  values(options: IteratorOptions = {}): AsyncIterableIterator<Uint8Array> {
    return new AsyncEntries(this.newIterator(options), options.limit ?? Number.POSITIVE_INFINITY, ([, value]) => value);
  }

  /** `entries`, blocking. */
  entriesSync(options: IteratorOptions = {}): IterableIterator<Entry> {
    checkIteratorOptions(options);
    return syncEntries(this.newIterator(options), options.limit ?? Number.POSITIVE_INFINITY);
  }

  /** A point in time to read at. Release it: it keeps old versions of keys alive. */
  snapshot(): Snapshot {
    this.#engine.requireOpen();
    return this.#engine.snapshots.take(this.#engine.versions.lastSequence);
  }

  /** The handle of a column family. `NOT_FOUND` when there is none of that name. */
  columnFamily(name: string): ColumnFamily {
    this.#engine.requireOpen();
    if (typeof name !== 'string') throw invalidArgument('the name of a column family must be a string');
    const family = this.#engine.versions.byName(name);
    if (family === undefined)
      throw new DBError('NOT_FOUND', `column family ${JSON.stringify(name)} does not exist or is not open`);
    return this.#handle(family);
  }

  /** Creates a column family; options not given are those of `open`. */
  async createColumnFamily(name: string, options: ColumnFamilyOptions = {}): Promise<ColumnFamily> {
    const family = await createFamily(this.#engine, name, this.#general, options);
    this.#given.set(family, { ...this.#general, ...options });
    return this.#handle(family);
  }

  /** Drops a column family with everything in it. */
  async dropColumnFamily(name: string | ColumnFamily): Promise<void> {
    const handle = typeof name === 'string' ? this.columnFamily(name) : name;
    const family = this.#stateOf(handle);
    await dropFamily(this.#engine, family);
    this.#handles.delete(family.id);
    this.#given.delete(family);
  }

  /** Writes the memtables of every column family to tables. */
  async flush(): Promise<void> {
    this.#requireWritable();
    await this.#engine.flush([...this.#engine.versions.families.values()]);
  }

  /** Compacts the default column family's keys in a range; left out: all. */
  async compactRange(range: CompactRangeOptions = {}): Promise<void> {
    await this.#manual.compactRange(this.#default, range);
  }

  /** Compacts tables, by name, into one level; returns the names of the new ones. */
  compactFiles(files: readonly string[], outputLevel: number): Promise<string[]> {
    return this.#manual.compactFiles(this.#default, files, outputLevel);
  }

  /** Stops flushes and compactions, and resolves when none runs. Calls nest. */
  async pauseBackgroundWork(): Promise<void> {
    this.#engine.requireOpen();
    await this.#engine.background.pause();
  }

  /** Undoes one `pauseBackgroundWork`. */
  continueBackgroundWork(): void {
    this.#engine.requireOpen();
    this.#engine.background.continue();
  }

  /** Changes mutable options of the database and of every column family. */
  async setOptions(options: MutableOptions): Promise<void> {
    const families = [...this.#engine.versions.families.values()];
    await changeOptions(this.#engine, families, this.#given, options);
  }

  /** Makes every write so far survive a power cut, but for those with `disableWAL`. */
  async syncWal(): Promise<void> {
    this.#requireWritable();
    await this.#engine.queue.barrier(() => this.#engine.writes.syncLog());
  }

  /** Hands the bytes that `manualWalFlush` holds back to the operating system; with `sync`, to the disk. */
  async flushWal(sync = false): Promise<void> {
    this.#requireWritable();
    if (sync) return this.syncWal();
    await this.#engine.queue.whenIdle();
    this.#engine.writes.flushLog();
  }

  /** After a background error: writes what is in memory to tables and accepts writes again. Throws if it is not over. */
  async resume(): Promise<void> {
    this.#engine.requireOpen();
    await this.#engine.resume();
  }

  /** Keeps obsolete files on disk until `enableFileDeletions`. Calls nest. */
  async disableFileDeletions(): Promise<void> {
    this.#engine.requireOpen();
    await this.#engine.obsolete.suspend();
  }

  /** Undoes one `disableFileDeletions`, or with `force` all. Resolves when what was kept only for that is gone. */
  async enableFileDeletions(force = false): Promise<void> {
    this.#engine.requireOpen();
    this.#engine.obsolete.resume(force);
    await this.#engine.obsolete.idle();
  }

  /** Names of the files that make up the database but for its logs, relative to its directory, after a flush unless told not to. */
  async getLiveFiles(options: { flush?: boolean } = {}): Promise<{ files: string[]; manifestFileSize: number }> {
    this.#engine.requireOpen();
    if (options.flush !== false && !this.#engine.readOnly) await this.flush();
    return liveFiles(this.#engine);
  }

  /**
   * Makes an openable copy of the database in `dir`, which must not exist (`INVALID_ARGUMENT`) and appears when it is
   * complete and durable. It holds every write made before the call, and a prefix of those made meanwhile.
   */
  async createCheckpoint(dir: string): Promise<void> {
    this.#engine.requireOpen();
    await createCheckpoint(this.#engine, dir);
  }

  /** Every log that holds a write, archived ones included, ascending by number. */
  async getSortedWalFiles(): Promise<WalFileInfo[]> {
    this.#engine.requireOpen();
    return sortedWalFiles(this.#engine);
  }

  /**
   * Every batch of the log from the one that holds `sequence` on (whole, also if `sequence` is not its first operation), in
   * order, each once. What was committed as one group is one batch. Ends at the newest visible write, or with `follow`
   * waits for more until `signal` is aborted or the database closes (`CLOSED`). Writes that `manualWalFlush` holds back
   * come when they are flushed. `NOT_FOUND` when updates from `sequence` on, or later ones, are not in the logs any more or
   * never were (`disableWAL`): nothing is left out in silence. Without `walTtlSeconds` or `walSizeLimitMB`, logs are
   * deleted as soon as their data is in tables.
   */
  getUpdatesSince(sequence: number, options: UpdatesOptions = {}): AsyncIterableIterator<Update> {
    this.#engine.requireOpen();
    return updatesSince(this.#engine, sequence, options);
  }

  /**
   * The files of one moment with what a copy must take of each, after a flush unless told not to. They stay as they are only
   * while deletions are disabled: call `disableFileDeletions` before, and enable them when the copy is made.
   */
  async getLiveFilesStorageInfo(options: { flush?: boolean } = {}): Promise<LiveFileStorageInfo[]> {
    this.#engine.requireOpen();
    return liveFilesStorage(this.#engine, options.flush ?? true);
  }

  /** Every live table. */
  getLiveFilesMetaData(): LiveFileMetaData[] {
    this.#engine.requireOpen();
    return liveFilesMetaData(this.#engine);
  }

  /** The default column family's tables by level. */
  getColumnFamilyMetaData(): ColumnFamilyMetaData {
    this.#engine.requireOpen();
    return columnFamilyMetaData(this.#engine, this.#default);
  }

  /** Sequence of the newest write that is visible. */
  get latestSequence(): number {
    return this.#engine.versions.lastSequence;
  }

  /** A property by RocksDB's name (`rocksdb.stats`), or `undefined` for an unknown one. */
  getProperty(name: string): string | undefined {
    this.#engine.requireOpen();
    return textProperty(this.#engine, this.#default, name);
  }

  /** An integer property, or `undefined`. */
  getIntProperty(name: string): number | undefined {
    this.#engine.requireOpen();
    return intProperty(this.#engine, this.#default, name);
  }

  /** A property of several values, or `undefined`. */
  getMapProperty(name: string): Record<string, string> | undefined {
    this.#engine.requireOpen();
    return mapProperty(this.#engine, this.#default, name);
  }

  /** Bytes that each range takes in the tables of the family; what is only in memory does not count. */
  getApproximateSizes(ranges: readonly KeyRange[], options?: FamilyChoice): number[] {
    this.#engine.requireOpen();
    return approximateSizes(this.#engine, this.#familyOf(options), ranges);
  }

  /**
   * The merge operands over the key's value that no read or compaction has folded yet, oldest first; none for a key without.
   * The caller owns the bytes.
   */
  async getMergeOperands(key: Bytes, options?: ReadOptions): Promise<Uint8Array[]> {
    return this.#reader.mergeOperands(this.#familyOf(options), key, options);
  }

  /** Every record of the keys in a range that memtables and tables still hold, whether a read sees it or not, newest first. */
  async getAllKeyVersions(options: KeyVersionsOptions = {}): Promise<KeyVersion[]> {
    this.#engine.requireOpen();
    return allKeyVersions(this.#engine, this.#familyOf(options), options);
  }

  /** How much more is read, written and stored than was asked for, measured since open. */
  getAmplification(): Amplification {
    this.#engine.requireOpen();
    return measureAmplification(this.#engine, this.#reader.lookups);
  }

  /** Reads that tell which memtables, tables, filters and blocks they touched. */
  get explain(): { get(key: Bytes, options?: ReadOptions): Promise<ExplainedGet> } {
    return {
      get: async (key, options) => explainGet(this.#engine, this.#reader, this.#familyOf(options), key, options),
    };
  }

  /**
   * Deletes a table by name where nothing older can come to light (the oldest of level 0, or one in the last level), or a log
   * of the archive (`archive/000012.log`). `INVALID_ARGUMENT` for any other file, `BUSY` while a compaction reads it.
   */
  async deleteFile(name: string): Promise<void> {
    this.#requireWritable();
    await deleteFile(this.#engine, name);
  }

  /** Deletes the tables below level 0 that lie wholly in [begin, end]; `undefined` is open. Other keys of the range stay. */
  async deleteFilesInRange(begin?: Bytes, end?: Bytes, options?: FamilyChoice): Promise<void> {
    this.#requireWritable();
    await deleteFilesInRange(this.#engine, this.#familyOf(options), begin, end);
  }

  /**
   * Makes tables that an `SstFileWriter` wrote part of a column family, all at once: copied (or with `moveFiles` linked) into the
   * directory, as deep in the tree as their keys allow, over what they overlap. Of files that overlap each other a later one
   * wins. Durable when it resolves; the log holds nothing of them, so `getUpdatesSince` cannot give them. On failure nothing has
   * changed: `INVALID_ARGUMENT` for what is no such table, was made for another comparator or family, or needs what an
   * option forbids; `CORRUPTION` for damage; `TRY_AGAIN` by `failIfNotBottommostLevel`; `IO_ERROR`, `NO_SPACE`.
   */
  async ingestExternalFile(paths: readonly string[], options: IngestOptions = {}): Promise<void> {
    this.#requireWritable();
    const resolved = resolveIngestOptions(options);
    await ingestExternalFiles(this.#engine, this.#familyOf(options), paths, resolved);
  }

  /** Waits for running work, flushes what no log holds, and lets go of everything. Idempotent. */
  async close(): Promise<void> {
    const closing = this.#engine.close();
    this.#reader.close();
    await closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For `ColumnFamily.flush`. */
  async flushFamily(handle: ColumnFamily): Promise<void> {
    this.#requireWritable();
    await this.#engine.flush([this.#stateOf(handle)]);
  }

  /** For `ColumnFamily.compactRange`. */
  async compactFamily(handle: ColumnFamily, range: CompactRangeOptions): Promise<void> {
    await this.#manual.compactRange(this.#stateOf(handle), range);
  }

  /** For `ColumnFamily.getProperty`. */
  familyProperty(handle: ColumnFamily, name: string): string | undefined {
    this.#engine.requireOpen();
    return textProperty(this.#engine, this.#stateOf(handle), name);
  }

  #add(type: number, key: Bytes, value: Bytes | undefined, options: WriteOptions | undefined): Promise<void> {
    try {
      return this.#writer.add(type, this.#familyOf(options), key, value, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #familyOf(options: { columnFamily?: FamilyHandle | undefined } | undefined): ColumnFamilyState {
    return options?.columnFamily === undefined ? this.#default : this.#stateOf(options.columnFamily);
  }

  #familyKeys(
    keys: readonly MultiGetKey[],
    options: ReadOptions | undefined,
  ): { family: ColumnFamilyState; key: Bytes }[] {
    if (!Array.isArray(keys)) throw invalidArgument('multiGet takes an array of keys');
    const general = this.#familyOf(options);
    return keys.map((key: MultiGetKey) =>
      Array.isArray(key)
        ? { family: this.#stateOf(key[1] as ColumnFamily), key: key[0] as Bytes }
        : { family: general, key: key as Bytes },
    );
  }

  #stateOf(handle: FamilyHandle): ColumnFamilyState {
    if (!(handle instanceof ColumnFamily))
      throw invalidArgument('columnFamily must be a ColumnFamily of this database');
    const family = this.#engine.versions.families.get(handle.id);
    if (family === undefined || family.dropped || this.#handles.get(handle.id) !== handle) {
      this.#engine.requireOpen();
      throw invalidArgument(`column family ${handle.name} was dropped or belongs to another database`);
    }
    return family;
  }

  #handle(family: ColumnFamilyState): ColumnFamily {
    let handle = this.#handles.get(family.id);
    if (handle === undefined) {
      handle = new ColumnFamily(family.id, family.name, this);
      this.#handles.set(family.id, handle);
    }
    return handle;
  }

  #requireWritable(): void {
    this.#engine.requireOpen();
    if (this.#engine.readOnly) throw new DBError('READ_ONLY', 'the database was opened with readOnly');
    this.#engine.writes.checkWritable();
  }
}
