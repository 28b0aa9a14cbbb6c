/** What users hold of a column family: the reads and writes of `DB`, for one family. */
import type { IteratorShape } from '../read/iterator-shape.ts';
import type { IngestOptions } from './ingest/ingest-options.ts';
import type { Bytes, IteratorOptions, ReadOptions, WriteOptions } from './read-options.ts';

/** A range for `compactRange`; both ends inclusive, left out: open. */
export interface CompactRangeOptions {
  begin?: Bytes | undefined;
  end?: Bytes | undefined;
  /** Move the result to the highest level that can hold it, or to `targetLevel`. */
  changeLevel?: boolean | undefined;
  targetLevel?: number | undefined;
  /** Whether the last level's files are rewritten, too. Default `ifHaveCompactionFilter`. */
  bottommostLevelCompaction?: 'skip' | 'ifHaveCompactionFilter' | 'force' | undefined;
  /** Key ranges into which one large compaction is divided; 0 or left out: the database's `maxSubcompactions`. */
  maxSubcompactions?: number | undefined;
}

type Read<O> = Omit<O, 'columnFamily'>;
type Write = Omit<WriteOptions, 'columnFamily'>;

/** What a handle asks its database for; `DB` is one. */
export interface FamilyHost {
  get(key: Bytes, options: ReadOptions): Promise<Uint8Array | undefined>;
  getSync(key: Bytes, options: ReadOptions): Uint8Array | undefined;
  multiGet(keys: readonly Bytes[], options: ReadOptions): Promise<(Uint8Array | undefined)[]>;
  multiGetSync(keys: readonly Bytes[], options: ReadOptions): (Uint8Array | undefined)[];
  keyMayExist(key: Bytes, options: ReadOptions): boolean;
  put(key: Bytes, value: Bytes, options: WriteOptions): Promise<void>;
  putSync(key: Bytes, value: Bytes, options: WriteOptions): void;
  delete(key: Bytes, options: WriteOptions): Promise<void>;
  deleteSync(key: Bytes, options: WriteOptions): void;
  singleDelete(key: Bytes, options: WriteOptions): Promise<void>;
  singleDeleteSync(key: Bytes, options: WriteOptions): void;
  deleteRange(begin: Bytes, end: Bytes, options: WriteOptions): Promise<void>;
  deleteRangeSync(begin: Bytes, end: Bytes, options: WriteOptions): void;
  merge(key: Bytes, operand: Bytes, options: WriteOptions): Promise<void>;
  mergeSync(key: Bytes, operand: Bytes, options: WriteOptions): void;
  newIterator(options: IteratorOptions): IteratorShape;
  entries(options: IteratorOptions): AsyncIterableIterator<[Uint8Array, Uint8Array]>;
  keys(options: IteratorOptions): AsyncIterableIterator<Uint8Array>;
  values(options: IteratorOptions): AsyncIterableIterator<Uint8Array>;
  entriesSync(options: IteratorOptions): IterableIterator<[Uint8Array, Uint8Array]>;
  ingestExternalFile(paths: readonly string[], options: IngestOptions): Promise<void>;
  flushFamily(family: ColumnFamily): Promise<void>;
  compactFamily(family: ColumnFamily, range: CompactRangeOptions): Promise<void>;
  familyProperty(family: ColumnFamily, name: string): string | undefined;
}

/** One column family. It ends with its database, or when the family is dropped. */
export class ColumnFamily {
  readonly id: number;
  readonly name: string;
  readonly #host: FamilyHost;

  /** Made by the database. */
  constructor(id: number, name: string, host: FamilyHost) {
    this.id = id;
    this.name = name;
    this.#host = host;
  }

  get(key: Bytes, options?: Read<ReadOptions>): Promise<Uint8Array | undefined> {
    return this.#host.get(key, { ...options, columnFamily: this });
  }

  getSync(key: Bytes, options?: Read<ReadOptions>): Uint8Array | undefined {
    return this.#host.getSync(key, { ...options, columnFamily: this });
  }

  multiGet(keys: readonly Bytes[], options?: Read<ReadOptions>): Promise<(Uint8Array | undefined)[]> {
    return this.#host.multiGet(keys, { ...options, columnFamily: this });
  }

  multiGetSync(keys: readonly Bytes[], options?: Read<ReadOptions>): (Uint8Array | undefined)[] {
    return this.#host.multiGetSync(keys, { ...options, columnFamily: this });
  }

  keyMayExist(key: Bytes, options?: Read<ReadOptions>): boolean {
    return this.#host.keyMayExist(key, { ...options, columnFamily: this });
  }

  put(key: Bytes, value: Bytes, options?: Write): Promise<void> {
    return this.#host.put(key, value, { ...options, columnFamily: this });
  }

  putSync(key: Bytes, value: Bytes, options?: Write): void {
    this.#host.putSync(key, value, { ...options, columnFamily: this });
  }

  delete(key: Bytes, options?: Write): Promise<void> {
    return this.#host.delete(key, { ...options, columnFamily: this });
  }

  deleteSync(key: Bytes, options?: Write): void {
    this.#host.deleteSync(key, { ...options, columnFamily: this });
  }

  singleDelete(key: Bytes, options?: Write): Promise<void> {
    return this.#host.singleDelete(key, { ...options, columnFamily: this });
  }

  singleDeleteSync(key: Bytes, options?: Write): void {
    this.#host.singleDeleteSync(key, { ...options, columnFamily: this });
  }

  deleteRange(begin: Bytes, end: Bytes, options?: Write): Promise<void> {
    return this.#host.deleteRange(begin, end, { ...options, columnFamily: this });
  }

  deleteRangeSync(begin: Bytes, end: Bytes, options?: Write): void {
    this.#host.deleteRangeSync(begin, end, { ...options, columnFamily: this });
  }

  merge(key: Bytes, operand: Bytes, options?: Write): Promise<void> {
    return this.#host.merge(key, operand, { ...options, columnFamily: this });
  }

  mergeSync(key: Bytes, operand: Bytes, options?: Write): void {
    this.#host.mergeSync(key, operand, { ...options, columnFamily: this });
  }

  newIterator(options?: Read<IteratorOptions>): IteratorShape {
    return this.#host.newIterator({ ...options, columnFamily: this });
  }

  entries(options?: Read<IteratorOptions>): AsyncIterableIterator<[Uint8Array, Uint8Array]> {
    return this.#host.entries({ ...options, columnFamily: this });
  }

  keys(options?: Read<IteratorOptions>): AsyncIterableIterator<Uint8Array> {
    return this.#host.keys({ ...options, columnFamily: this });
  }

  values(options?: Read<IteratorOptions>): AsyncIterableIterator<Uint8Array> {
    return this.#host.values({ ...options, columnFamily: this });
  }

  entriesSync(options?: Read<IteratorOptions>): IterableIterator<[Uint8Array, Uint8Array]> {
    return this.#host.entriesSync({ ...options, columnFamily: this });
  }

  /** Makes tables that an `SstFileWriter` wrote part of this family; see `DB.ingestExternalFile`. */
  ingestExternalFile(paths: readonly string[], options?: Omit<IngestOptions, 'columnFamily'>): Promise<void> {
    return this.#host.ingestExternalFile(paths, { ...options, columnFamily: this });
  }

  /** Writes this family's memtables to tables. */
  flush(): Promise<void> {
    return this.#host.flushFamily(this);
  }

  /** Compacts this family's keys in a range. */
  compactRange(range: CompactRangeOptions = {}): Promise<void> {
    return this.#host.compactFamily(this, range);
  }

  /** A property of this family, by RocksDB's name. */
  getProperty(name: string): string | undefined {
    return this.#host.familyProperty(this, name);
  }
}
