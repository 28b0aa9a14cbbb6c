/**
 * Pumice as an `abstract-level` database, so that everything written for Level runs on it. The public methods are
 * abstract-level's, which checks and encodes; the methods with an underscore here do the work with encoded keys and values.
 */
import { type AbstractDatabaseOptions, AbstractLevel } from 'abstract-level';
import { WriteBatch } from '../../../format/batch/write-batch.ts';
import { DB } from '../../db/db.ts';
import type { ReadOptions } from '../../db/read-options.ts';
import type { Options } from '../../options/options.ts';
import { LevelChainedBatch } from './level-chained-batch.ts';
import { asLevel, asLevelSync, LevelError } from './level-error.ts';
import {
  boundBehind,
  bytesOf,
  decoderOf,
  type LevelData,
  type LevelRange,
  type LevelWriteOptions,
  lowerBound,
  upperBound,
} from './level-format.ts';
import { LevelIterator, type LevelIteratorOptions } from './level-iterator.ts';
import { LevelSnapshot } from './level-snapshot.ts';

/** What the database can do, as abstract-level asks for it; all of it is real. */
const MANIFEST = {
  encodings: { utf8: true, buffer: true, view: true },
  seek: true,
  has: true,
  getSync: true,
  permanence: true,
  implicitSnapshots: true,
  explicitSnapshots: true,
  createIfMissing: true,
  errorIfExists: true,
  signals: { iterators: true },
  additionalMethods: { approximateSize: true, compactRange: true },
};

/** Deletions that a `clear` with a limit or a snapshot writes at once. */
const CLEAR_BATCH = 1000;

/** Options of the engine for a Level database. Keys are in bytewise order, as every Level database has them. */
export type LevelEngineOptions = Omit<Options, 'createIfMissing' | 'errorIfExists' | 'comparator' | 'columnFamilies'>;

/** Options of the constructor and of `open`. */
export interface PumiceLevelOptions<K, V> extends AbstractDatabaseOptions<K, V> {
  /** Create the database if there is none. Default true. */
  createIfMissing?: boolean;
  /** Refuse to open a database that exists. Default false. */
  errorIfExists?: boolean;
  /** Everything else that `DB.open` takes. */
  database?: LevelEngineOptions;
}

interface LevelReadOptions {
  keyEncoding: string;
  valueEncoding: string;
  snapshot?: LevelSnapshot;
  fillCache?: boolean;
}

interface LevelClearOptions extends LevelRange {
  limit: number;
  reverse?: boolean;
  snapshot?: LevelSnapshot;
}

interface LevelOperation {
  type: 'put' | 'del';
  key: LevelData;
  value: LevelData;
}

/** A database in the directory `location`. It opens by itself, as every Level database does. */
export class PumiceLevel<K = string, V = string> extends AbstractLevel<LevelData, K, V> {
  /** The directory. */
  readonly location: string;
  #db: DB | undefined;

  constructor(location: string, options?: PumiceLevelOptions<K, V>) {
    if (typeof location !== 'string' || location === '') {
      throw new TypeError("The first argument 'location' must be a non-empty string");
    }
    super(MANIFEST, options);
    this.location = location;
  }

  /** Removes the database in `location`, and nothing else that lies there. */
  static destroy(location: string, options?: LevelEngineOptions): Promise<void> {
    return asLevel(() => DB.destroy(location, options));
  }

  /** The engine's database, for what Level has no word for. `LEVEL_DATABASE_NOT_OPEN` before it is open. */
  get database(): DB {
    if (this.#db === undefined) throw new LevelError('LEVEL_DATABASE_NOT_OPEN', 'Database is not open');
    return this.#db;
  }

  /** Roughly the bytes that the entries from `start` up to `end` take in tables. */
  async approximateSize(start: K, end: K, options?: { keyEncoding?: string }): Promise<number> {
    if (this.status === 'opening') return this.deferAsync(() => this.approximateSize(start, end, options));
    const range = this.#encodedRange(start, end, options);
    return asLevelSync(() => this.database.getApproximateSizes([range]))[0]!;
  }

  /** Compacts the entries from `start` to `end`. */
  async compactRange(start: K, end: K, options?: { keyEncoding?: string }): Promise<void> {
    if (this.status === 'opening') return this.deferAsync(() => this.compactRange(start, end, options));
    const range = this.#encodedRange(start, end, options);
    await asLevel(() => this.database.compactRange(range));
  }

  /** A property of the engine, by RocksDB's name; `undefined` for an unknown one. */
  getProperty(name: string): string | undefined {
    return asLevelSync(() => this.database.getProperty(name));
  }

  async _open(options: PumiceLevelOptions<K, V>): Promise<void> {
    const { createIfMissing = true, errorIfExists = false, database = {} } = options;
    const create = createIfMissing && database.readOnly !== true;
    this.#db = await asLevel(() => DB.open(this.location, { ...database, createIfMissing: create, errorIfExists }));
  }

  async _close(): Promise<void> {
    const db = this.#db;
    this.#db = undefined;
    if (db !== undefined) await asLevel(() => db.close());
  }

  async _get(key: LevelData, options: LevelReadOptions): Promise<LevelData | undefined> {
    const value = await asLevel(() => this.database.get(key, readOptions(options)));
    return value === undefined ? undefined : decoderOf(options.valueEncoding)(value);
  }

  _getSync(key: LevelData, options: LevelReadOptions): LevelData | undefined {
    const value = asLevelSync(() => this.database.getSync(key, readOptions(options)));
    return value === undefined ? undefined : decoderOf(options.valueEncoding)(value);
  }

  async _getMany(keys: LevelData[], options: LevelReadOptions): Promise<(LevelData | undefined)[]> {
    const decode = decoderOf(options.valueEncoding);
    const values = await asLevel(() => this.database.multiGet(keys, readOptions(options)));
    return values.map((value) => (value === undefined ? undefined : decode(value)));
  }

  async _has(key: LevelData, options: LevelReadOptions): Promise<boolean> {
    return (await asLevel(() => this.database.get(key, readOptions(options)))) !== undefined;
  }

  async _hasMany(keys: LevelData[], options: LevelReadOptions): Promise<boolean[]> {
    const values = await asLevel(() => this.database.multiGet(keys, readOptions(options)));
    return values.map((value) => value !== undefined);
  }

  _put(key: LevelData, value: LevelData, options: LevelWriteOptions): Promise<void> {
    return asLevel(() => this.database.put(key, value, { sync: options.sync === true }));
  }

  _del(key: LevelData, options: LevelWriteOptions): Promise<void> {
    return asLevel(() => this.database.delete(key, { sync: options.sync === true }));
  }

  _batch(operations: LevelOperation[], options: LevelWriteOptions): Promise<void> {
    const batch = new WriteBatch();
    for (const { type, key, value } of operations) {
      if (type === 'put') batch.put(key, value);
      else batch.delete(key);
    }
    return asLevel(() => this.database.write(batch, { sync: options.sync === true }));
  }

  _chainedBatch(): LevelChainedBatch<K, V> {
    return new LevelChainedBatch<K, V>(this, (batch, options) => this.database.write(batch, options));
  }

  _iterator(options: LevelIteratorOptions & { snapshot?: LevelSnapshot }): LevelIterator<K, V> {
    const open = () => this.database.newIterator({ ...rangeOptions(options), signal: options.signal });
    // With a closed snapshot it is the first read that must fail, and abstract-level sees to that.
    return new LevelIterator(this, options, options.snapshot?.isClosed === true ? undefined : asLevelSync(open));
  }

  _snapshot(options: object): LevelSnapshot {
    return new LevelSnapshot(
      options,
      asLevelSync(() => this.database.snapshot()),
    );
  }

  /** Everything in the range: one range tombstone. A limit or a snapshot asks for single keys. */
  async _clear(options: LevelClearOptions): Promise<void> {
    const single = options.limit >= 0 || options.snapshot !== undefined;
    await asLevel(() => (single ? this.#clearSingly(options) : this.#clearRange(options)));
  }

  async #clearRange(options: LevelClearOptions): Promise<void> {
    const db = this.database;
    const upper = upperBound(options) ?? this.#endOfKeys();
    const lower = lowerBound(options) ?? new Uint8Array(0);
    if (upper === undefined || Buffer.compare(lower, upper) >= 0) return;
    await db.deleteRange(lower, upper);
  }

  /** The least key above all keys. In place, so that no write can slip in between this and the deletion. */
  #endOfKeys(): Uint8Array | undefined {
    using iterator = this.database.newIterator();
    return iterator.seekToLastSync() ? boundBehind(iterator.key) : undefined;
  }

  async #clearSingly(options: LevelClearOptions): Promise<void> {
    const db = this.database;
    using iterator = db.newIterator(rangeOptions(options));
    for (let left = options.limit < 0 ? Number.POSITIVE_INFINITY : options.limit; left > 0; ) {
      const wanted = Math.min(left, CLEAR_BATCH);
      const rows = await iterator.nextMany(wanted);
      if (rows.length === 0) return;
      const batch = new WriteBatch();
      for (const [key] of rows) batch.delete(key);
      await db.write(batch);
      if (rows.length < wanted) return;
      left -= rows.length;
    }
  }

  #encodedRange(start: K, end: K, options?: { keyEncoding?: string }): { begin: Uint8Array; end: Uint8Array } {
    if (start === undefined || end === undefined) {
      throw new TypeError("The arguments 'start' and 'end' are required");
    }
    const encoding = this.keyEncoding(options?.keyEncoding as never);
    const encode = (key: K): Uint8Array => bytesOf(encoding.encode(key as never) as LevelData);
    return { begin: encode(start), end: encode(end) };
  }
}

function readOptions({ snapshot, fillCache }: { snapshot?: LevelSnapshot; fillCache?: boolean }): ReadOptions {
  return { snapshot: snapshot?.point, fillCache: fillCache !== false };
}

function rangeOptions(
  options: LevelRange & { reverse?: boolean; fillCache?: boolean; snapshot?: LevelSnapshot },
): ReadOptions & {
  iterateLowerBound?: Uint8Array | undefined;
  iterateUpperBound?: Uint8Array | undefined;
  reverse: boolean;
} {
  return {
    ...readOptions(options),
    iterateLowerBound: lowerBound(options),
    iterateUpperBound: upperBound(options),
    reverse: options.reverse === true,
  };
}
