/**
 * A layer over a database that changes nothing: every method is forwarded. Layers that do change something extend it and
 * override only that; since it offers what `DB` offers, layers stack.
 *
 * Handles of column families are the layer's own, so that what is called on a handle passes through the layer, too. A layer
 * takes handles of its own and of the databases below it.
 */
import type { WriteBatch } from '../../format/batch/write-batch.ts';
import { ColumnFamily, type CompactRangeOptions } from '../db/column-family-handle.ts';
import { DB, type FamilyChoice, type MultiGetKey } from '../db/db.ts';
import { AsyncEntries, syncEntries } from '../db/entry-iteration.ts';
import type { Bytes, IteratorOptions, ReadOptions, WriteOptions } from '../db/read-options.ts';
import type { Env } from '../env/env.ts';
import type { Statistics } from '../monitoring/statistics.ts';
import type { ColumnFamilyOptions, MutableOptions, Options } from '../options/options.ts';
import type { IteratorShape } from '../read/iterator-shape.ts';
import type { Snapshot } from '../read/snapshot-list.ts';
import type { RecoveryReport } from '../wal/wal-recovery.ts';
import type { DatabaseShape } from './database-shape.ts';

type Entry = [Uint8Array, Uint8Array];
type Result<M extends keyof DatabaseShape> = DatabaseShape[M] extends (...args: never) => infer R ? R : never;

/** Forwards everything to `base`, which it owns: closing the layer closes it. */
export class StackableDB implements DatabaseShape {
  /** The database below. */
  readonly base: DatabaseShape;
  /** The layer's handles by those of the base, and the other way round. */
  readonly #handles = new WeakMap<ColumnFamily, ColumnFamily>();
  readonly #baseHandles = new WeakMap<ColumnFamily, ColumnFamily>();

  /** Takes `base` over. */
  constructor(base: DatabaseShape) {
    this.base = base;
  }

  /** See `DB.listColumnFamilies`; layers do not change what a directory holds. */
  static listColumnFamilies(path: string, options?: Options): Promise<string[]> {
    return DB.listColumnFamilies(path, options);
  }

  /** See `DB.destroy`. */
  static destroy(path: string, options?: Options): Promise<void> {
    return DB.destroy(path, options);
  }

  /** See `DB.repair`. */
  static repair(...args: Parameters<typeof DB.repair>): ReturnType<typeof DB.repair> {
    return DB.repair(...args);
  }

  get path(): string {
    return this.base.path;
  }

  get env(): Env {
    return this.base.env;
  }

  get recovery(): RecoveryReport {
    return this.base.recovery;
  }

  get statistics(): Statistics | undefined {
    return this.base.statistics;
  }

  get latestSequence(): number {
    return this.base.latestSequence;
  }

  get explain(): DatabaseShape['explain'] {
    return { get: async (key, options) => this.base.explain.get(key, this.toBase(options)) };
  }

  get(key: Bytes, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.base.get(key, this.toBase(options));
  }

  getSync(key: Bytes, options?: ReadOptions): Uint8Array | undefined {
    return this.base.getSync(key, this.toBase(options));
  }

  multiGet(keys: readonly MultiGetKey[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    return this.base.multiGet(this.#keysToBase(keys), this.toBase(options));
  }

  multiGetSync(keys: readonly MultiGetKey[], options?: ReadOptions): (Uint8Array | undefined)[] {
    return this.base.multiGetSync(this.#keysToBase(keys), this.toBase(options));
  }

  keyMayExist(key: Bytes, options?: ReadOptions): boolean {
    return this.base.keyMayExist(key, this.toBase(options));
  }

  getMergeOperands(key: Bytes, options?: ReadOptions): Promise<Uint8Array[]> {
    return this.base.getMergeOperands(key, this.toBase(options));
  }

  getAllKeyVersions(options: Parameters<DatabaseShape['getAllKeyVersions']>[0] = {}): Result<'getAllKeyVersions'> {
    return this.base.getAllKeyVersions(this.toBase(options));
  }

  put(key: Bytes, value: Bytes, options?: WriteOptions): Promise<void> {
    return this.base.put(key, value, this.toBase(options));
  }

  putSync(key: Bytes, value: Bytes, options?: WriteOptions): void {
    this.base.putSync(key, value, this.toBase(options));
  }

  delete(key: Bytes, options?: WriteOptions): Promise<void> {
    return this.base.delete(key, this.toBase(options));
  }

  deleteSync(key: Bytes, options?: WriteOptions): void {
    this.base.deleteSync(key, this.toBase(options));
  }

  singleDelete(key: Bytes, options?: WriteOptions): Promise<void> {
    return this.base.singleDelete(key, this.toBase(options));
  }

  singleDeleteSync(key: Bytes, options?: WriteOptions): void {
    this.base.singleDeleteSync(key, this.toBase(options));
  }

  deleteRange(begin: Bytes, end: Bytes, options?: WriteOptions): Promise<void> {
    return this.base.deleteRange(begin, end, this.toBase(options));
  }

  deleteRangeSync(begin: Bytes, end: Bytes, options?: WriteOptions): void {
    this.base.deleteRangeSync(begin, end, this.toBase(options));
  }

  merge(key: Bytes, operand: Bytes, options?: WriteOptions): Promise<void> {
    return this.base.merge(key, operand, this.toBase(options));
  }

  mergeSync(key: Bytes, operand: Bytes, options?: WriteOptions): void {
    this.base.mergeSync(key, operand, this.toBase(options));
  }

  write(batch: WriteBatch, options?: WriteOptions): Promise<void> {
    return this.base.write(batch, this.toBase(options));
  }

  writeSync(batch: WriteBatch, options?: WriteOptions): void {
    this.base.writeSync(batch, this.toBase(options));
  }

  newIterator(options?: IteratorOptions): IteratorShape {
    return this.base.newIterator(this.toBase(options));
  }

  // The four below run over the layer's own iterator: a layer that overrides it has overridden them.

  entries(options: IteratorOptions = {}): AsyncIterableIterator<Entry> {
    return new AsyncEntries(this.newIterator(options), options.limit ?? Number.POSITIVE_INFINITY, (entry) => entry);
  }

  keys(options: IteratorOptions = {}): AsyncIterableIterator<Uint8Array> {
    return new AsyncEntries(this.newIterator(options), options.limit ?? Number.POSITIVE_INFINITY, ([key]) => key);
  }

  values(options: IteratorOptions = {}): AsyncIterableIterator<Uint8Array> {
    return new AsyncEntries(this.newIterator(options), options.limit ?? Number.POSITIVE_INFINITY, ([, value]) => value);
  }

  entriesSync(options: IteratorOptions = {}): IterableIterator<Entry> {
    return syncEntries(this.newIterator(options), options.limit ?? Number.POSITIVE_INFINITY);
  }

  snapshot(): Snapshot {
    return this.base.snapshot();
  }

  columnFamily(name: string): ColumnFamily {
    return this.#handleOf(this.base.columnFamily(name));
  }

  async createColumnFamily(name: string, options?: ColumnFamilyOptions): Promise<ColumnFamily> {
    return this.#handleOf(await this.base.createColumnFamily(name, options));
  }

  dropColumnFamily(family: string | ColumnFamily): Promise<void> {
    return this.base.dropColumnFamily(typeof family === 'string' ? family : this.baseHandle(family));
  }

  flush(): Promise<void> {
    return this.base.flush();
  }

  compactRange(range?: CompactRangeOptions): Promise<void> {
    return this.base.compactRange(range);
  }

  compactFiles(files: readonly string[], outputLevel: number): Promise<string[]> {
    return this.base.compactFiles(files, outputLevel);
  }

  deleteFile(name: string): Promise<void> {
    return this.base.deleteFile(name);
  }

  deleteFilesInRange(begin?: Bytes, end?: Bytes, options?: FamilyChoice): Promise<void> {
    return this.base.deleteFilesInRange(begin, end, this.toBase(options));
  }

  ingestExternalFile(...[paths, options]: Parameters<DatabaseShape['ingestExternalFile']>): Promise<void> {
    return this.base.ingestExternalFile(paths, this.toBase(options));
  }

  pauseBackgroundWork(): Promise<void> {
    return this.base.pauseBackgroundWork();
  }

  continueBackgroundWork(): void {
    this.base.continueBackgroundWork();
  }

  setOptions(options: MutableOptions): Promise<void> {
    return this.base.setOptions(options);
  }

  syncWal(): Promise<void> {
    return this.base.syncWal();
  }

  flushWal(sync?: boolean): Promise<void> {
    return this.base.flushWal(sync);
  }

  resume(): Promise<void> {
    return this.base.resume();
  }

  disableFileDeletions(): Promise<void> {
    return this.base.disableFileDeletions();
  }

  enableFileDeletions(force?: boolean): Promise<void> {
    return this.base.enableFileDeletions(force);
  }

  getLiveFiles(options?: { flush?: boolean }): Result<'getLiveFiles'> {
    return this.base.getLiveFiles(options);
  }

  getLiveFilesStorageInfo(
    ...args: Parameters<DatabaseShape['getLiveFilesStorageInfo']>
  ): Result<'getLiveFilesStorageInfo'> {
    return this.base.getLiveFilesStorageInfo(...args);
  }

  createCheckpoint(dir: string): Promise<void> {
    return this.base.createCheckpoint(dir);
  }

  getSortedWalFiles(): Result<'getSortedWalFiles'> {
    return this.base.getSortedWalFiles();
  }

  getUpdatesSince(...args: Parameters<DatabaseShape['getUpdatesSince']>): Result<'getUpdatesSince'> {
    return this.base.getUpdatesSince(...args);
  }

  getLiveFilesMetaData(): Result<'getLiveFilesMetaData'> {
    return this.base.getLiveFilesMetaData();
  }

  getColumnFamilyMetaData(): Result<'getColumnFamilyMetaData'> {
    return this.base.getColumnFamilyMetaData();
  }

  getProperty(name: string): string | undefined {
    return this.base.getProperty(name);
  }

  getIntProperty(name: string): number | undefined {
    return this.base.getIntProperty(name);
  }

  getMapProperty(name: string): Record<string, string> | undefined {
    return this.base.getMapProperty(name);
  }

  getApproximateSizes(...[ranges, options]: Parameters<DatabaseShape['getApproximateSizes']>): number[] {
    return this.base.getApproximateSizes(ranges, this.toBase(options));
  }

  getAmplification(): Result<'getAmplification'> {
    return this.base.getAmplification();
  }

  close(): Promise<void> {
    return this.base.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For `ColumnFamily.flush`. */
  flushFamily(family: ColumnFamily): Promise<void> {
    return this.base.flushFamily(this.baseHandle(family));
  }

  /** For `ColumnFamily.compactRange`. */
  compactFamily(family: ColumnFamily, range: CompactRangeOptions): Promise<void> {
    return this.base.compactFamily(this.baseHandle(family), range);
  }

  /** For `ColumnFamily.getProperty`. */
  familyProperty(family: ColumnFamily, name: string): string | undefined {
    return this.base.familyProperty(this.baseHandle(family), name);
  }

  /** Options as the base takes them: a handle of this layer becomes the base's. For layers that call `base` themselves. */
  protected toBase<O extends FamilyChoice | undefined>(options: O): O {
    const family = options?.columnFamily;
    if (family === undefined) return options;
    return { ...options, columnFamily: this.baseHandle(family as ColumnFamily) };
  }

  /** The base's handle behind one of this layer; any other is given back as it is, for the base to judge. */
  protected baseHandle(family: ColumnFamily): ColumnFamily {
    return this.#baseHandles.get(family) ?? family;
  }

  #keysToBase(keys: readonly MultiGetKey[]): readonly MultiGetKey[] {
    if (!Array.isArray(keys) || !keys.some(Array.isArray)) return keys;
    return keys.map((key: MultiGetKey) =>
      Array.isArray(key) ? [key[0] as Bytes, this.baseHandle(key[1] as ColumnFamily)] : key,
    );
  }

  #handleOf(base: ColumnFamily): ColumnFamily {
    const known = this.#handles.get(base);
    if (known !== undefined) return known;
    const handle = new ColumnFamily(base.id, base.name, this);
    this.#handles.set(base, handle);
    this.#baseHandles.set(handle, base);
    return handle;
  }
}
