/**
 * Databases whose values expire: RocksDB's DBWithTTL, with the same bytes on disk. Every value is stored with the time it was
 * written; compactions drop the ones that have outlived the time to live. Until a compaction gets to a stale value it is
 * still read. The core knows nothing of all this.
 */
import { mergeOperatorByName } from '../../format/base/builtin-merge-operators.ts';
import type { CompactionFilter, CompactionFilterFactory } from '../../format/base/compaction-filter.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import { WriteBatch } from '../../format/batch/write-batch.ts';
import { iterateBatch } from '../../format/batch/write-batch-reader.ts';
import type { ColumnFamily } from '../db/column-family-handle.ts';
import { DB, type MultiGetKey } from '../db/db.ts';
import {
  type Bytes,
  checkBytes,
  type IteratorOptions,
  type ReadOptions,
  type WriteOptions,
} from '../db/read-options.ts';
import { storedFamilies } from '../db/stored-families.ts';
import type { Clock } from '../env/clock.ts';
import { Env } from '../env/env.ts';
import { mergeOperatorComponent, namedComponent } from '../options/components.ts';
import type { ColumnFamilyOptions, Options } from '../options/options.ts';
import { familyPart } from '../options/resolve-options.ts';
import type { DatabaseShape } from './database-shape.ts';
import { StackableDB } from './stackable-db.ts';
import { filterOption, operatorOption, type TimeToLive } from './ttl-components.ts';
import { TtlIterator } from './ttl-iterator.ts';
import { checkedPlainValue, nowSeconds, plainValue, withTimestamp } from './ttl-value.ts';

/** The largest time to live: a signed 32-bit number of seconds, as RocksDB has it. */
const TTL_MAX = 0x7fff_ffff;

/** Options of one family of a TTL database. */
export interface TtlColumnFamilyOptions extends ColumnFamilyOptions {
  /** How long its values live, in seconds; 0 or less: for ever. Default: the database's. */
  ttlSeconds?: number;
}

/** Options of `TtlDB.open`. */
export interface TtlOptions extends Omit<Options, 'columnFamilies'> {
  /** How long values live, in seconds; 0 or less: for ever. */
  ttlSeconds: number;
  columnFamilies?: Record<string, TtlColumnFamilyOptions>;
}

/** What `open` hands to the constructor. */
interface TtlParts {
  base: DatabaseShape;
  clock: Clock;
  general: ColumnFamilyOptions;
  ttlSeconds: number;
  ttls: Map<string, TimeToLive>;
}

/** A database whose values expire. Times come from the clock of its `env`. */
export class TtlDB extends StackableDB {
  readonly #parts: TtlParts;

  private constructor(parts: TtlParts) {
    super(parts.base);
    this.#parts = parts;
  }

  /**
   * Opens a TTL database; all it holds must have been written by one. A merge operator, compaction filter or factory of the
   * user's sees values without their times. Errors as `DB.open`; `INVALID_ARGUMENT` for a bad `ttlSeconds`.
   */
  static async open(path: string, options: TtlOptions): Promise<TtlDB> {
    if (typeof options !== 'object' || options === null) throw invalidArgument('options must be an object');
    const { ttlSeconds, columnFamilies, ...plain } = options;
    checkTtl(ttlSeconds);
    const clock = (plain.env ?? Env.default).clock;
    const stored = await storedFamilies(path, plain);
    const general = familyPart(plain);
    const given = columnFamilies ?? Object.fromEntries(stored.map(({ name }) => [name, {}]));
    const ttls = new Map<string, TimeToLive>();
    const families: Record<string, ColumnFamilyOptions> = {};
    for (const [name, own] of Object.entries<TtlColumnFamilyOptions>({ default: {}, ...given })) {
      const { ttlSeconds: ownTtl = ttlSeconds, ...rest } = own;
      const ttl = { seconds: checkTtl(ownTtl) };
      ttls.set(name, ttl);
      const operator = storedUserOperator(stored.find((family) => family.name === name)?.mergeOperator);
      families[name] = await familyOptions(
        operator === undefined ? general : { mergeOperator: operator, ...general },
        rest,
        ttl,
        clock,
      );
    }
    const { compactionFilter: _a, compactionFilterFactory: _b, mergeOperator: _c, ...rest } = plain;
    const base = await DB.open(path, { ...rest, columnFamilies: families });
    return new TtlDB({ base, clock, general, ttlSeconds, ttls });
  }

  /** Changes how long a family's values live; left out: the default family's. Values written before count as well. */
  setTtl(ttlSeconds: number, family: ColumnFamily | string = 'default'): void {
    checkTtl(ttlSeconds);
    const name = typeof family === 'string' ? family : family.name;
    const ttl = this.#parts.ttls.get(name);
    if (ttl === undefined) throw new DBError('NOT_FOUND', `column family ${JSON.stringify(name)} is not open`);
    ttl.seconds = ttlSeconds;
  }

  /** How long a family's values live, in seconds. */
  getTtl(family: ColumnFamily | string = 'default'): number | undefined {
    return this.#parts.ttls.get(typeof family === 'string' ? family : family.name)?.seconds;
  }

  override async createColumnFamily(name: string, options: TtlColumnFamilyOptions = {}): Promise<ColumnFamily> {
    const { ttlSeconds = this.#parts.ttlSeconds, ...own } = options;
    const ttl = { seconds: checkTtl(ttlSeconds) };
    const { general, clock, ttls } = this.#parts;
    const family = await super.createColumnFamily(name, await familyOptions(general, own, ttl, clock));
    ttls.set(name, ttl);
    return family;
  }

  override async get(key: Bytes, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return withoutTime(await super.get(key, options));
  }

  override getSync(key: Bytes, options?: ReadOptions): Uint8Array | undefined {
    return withoutTime(super.getSync(key, options));
  }

  override async multiGet(keys: readonly MultiGetKey[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    return (await super.multiGet(keys, options)).map(withoutTime);
  }

  override multiGetSync(keys: readonly MultiGetKey[], options?: ReadOptions): (Uint8Array | undefined)[] {
    return super.multiGetSync(keys, options).map(withoutTime);
  }

  override async getMergeOperands(key: Bytes, options?: ReadOptions): Promise<Uint8Array[]> {
    return (await super.getMergeOperands(key, options)).map(plainValue);
  }

  override put(key: Bytes, value: Bytes, options?: WriteOptions): Promise<void> {
    return rejecting(() => super.put(key, this.#stamp(value, 'value'), options));
  }

  override putSync(key: Bytes, value: Bytes, options?: WriteOptions): void {
    super.putSync(key, this.#stamp(value, 'value'), options);
  }

  override merge(key: Bytes, operand: Bytes, options?: WriteOptions): Promise<void> {
    return rejecting(() => super.merge(key, this.#stamp(operand, 'operand'), options));
  }

  override mergeSync(key: Bytes, operand: Bytes, options?: WriteOptions): void {
    super.mergeSync(key, this.#stamp(operand, 'operand'), options);
  }

  override write(batch: WriteBatch, options?: WriteOptions): Promise<void> {
    return rejecting(() => super.write(this.#stampBatch(batch), options));
  }

  override writeSync(batch: WriteBatch, options?: WriteOptions): void {
    super.writeSync(this.#stampBatch(batch), options);
  }

  override newIterator(options?: IteratorOptions): TtlIterator {
    return new TtlIterator(super.newIterator(options));
  }

  #stamp(value: Bytes, what: string): Uint8Array {
    checkBytes(value, what);
    return withTimestamp(value, nowSeconds(this.#parts.clock));
  }

  /** The same operations, values and operands with the present time. */
  #stampBatch(batch: WriteBatch): WriteBatch {
    if (!(batch instanceof WriteBatch)) throw invalidArgument('write takes a WriteBatch');
    const now = nowSeconds(this.#parts.clock);
    const stamped = new WriteBatch();
    iterateBatch(
      batch.encode((name) => this.columnFamily(name).id),
      {
        put: (id, key, value) => stamped.put(key, withTimestamp(value, now), { id }),
        delete: (id, key) => stamped.delete(key, { id }),
        singleDelete: (id, key) => stamped.singleDelete(key, { id }),
        deleteRange: (id, begin, end) => stamped.deleteRange(begin, end, { id }),
        merge: (id, key, operand) => stamped.merge(key, withTimestamp(operand, now), { id }),
        logData: (blob) => stamped.putLogData(blob),
      },
    );
    return stamped;
  }
}

function checkTtl(seconds: number): number {
  if (Number.isInteger(seconds) && Math.abs(seconds) <= TTL_MAX) return seconds;
  throw invalidArgument(`ttlSeconds must be a whole number up to ${TTL_MAX}, got ${String(seconds)}`);
}

function withoutTime(stored: Uint8Array | undefined): Uint8Array | undefined {
  return stored === undefined ? undefined : checkedPlainValue(stored);
}

function rejecting<T>(start: () => Promise<T>): Promise<T> {
  try {
    return start();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The operator inside a stored one of DBWithTTL, if it is built in: nobody needs to give it. */
function storedUserOperator(text: string | undefined): MergeOperator | undefined {
  const inner = /^\{id=TtlMergeOperator;user_operator=(.*?);?\}$/s.exec(text ?? '')?.[1];
  if (inner === undefined) return undefined;
  return mergeOperatorByName(inner) ?? mergeOperatorByName(/^\{id=([^;{}]+);/.exec(inner)?.[1] ?? '');
}

/** A family's own options over the general ones, with its components put behind those of the layer. */
async function familyOptions(
  general: ColumnFamilyOptions,
  own: ColumnFamilyOptions,
  ttl: TimeToLive,
  clock: Clock,
): Promise<ColumnFamilyOptions> {
  const { compactionFilter, compactionFilterFactory, mergeOperator, ...rest } = own;
  const ownFilters = compactionFilter !== undefined || compactionFilterFactory !== undefined;
  const filters = ownFilters ? own : general;
  const filter = await namedComponent<CompactionFilter>('compactionFilter', filters.compactionFilter, 'filter');
  const factory = await namedComponent<CompactionFilterFactory>(
    'compactionFilterFactory',
    filters.compactionFilterFactory,
    'createFilter',
  );
  const operator = await mergeOperatorComponent(mergeOperator ?? general.mergeOperator);
  return {
    ...rest,
    compactionFilterFactory: filterOption(ttl, clock, { filter: filter?.value, factory: factory?.value }),
    ...(operator === undefined ? {} : { mergeOperator: operatorOption(operator, clock) }),
  };
}
