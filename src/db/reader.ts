/** Point reads and iterators of an open database, for `DB` and `ColumnFamily`. */
import { copyOf } from '../../format/base/bytes.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import { checkSize, KEY_SIZE_MAX } from '../../format/base/entry-limits.ts';
import { runAsync } from '../../format/base/io.ts';
import type { TrackedHandle } from '../monitoring/leak-tracker.ts';
import { DBIterator } from '../read/db-iterator.ts';
import { IteratorStatistics } from '../read/iterator-statistics.ts';
import { IN_MULTI_GET, LookupStatistics } from '../read/lookup-statistics.ts';
import type { LookupTrace } from '../read/lookup-trace.ts';
import { LookupStatus, PointLookup } from '../read/point-lookup.ts';
import { VisibleRows } from '../read/visible-rows.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { SuperVersion } from '../version/super-version.ts';
import type { Engine } from './engine.ts';
import {
  type Bytes,
  checkBytes,
  checkIteratorOptions,
  checkReadOptions,
  type IteratorOptions,
  type ReadOptions,
  toBytes,
} from './read-options.ts';

/** One key of a multiGet. */
export interface FamilyKey {
  family: ColumnFamilyState;
  key: Bytes;
}

const NO_OPTIONS: ReadOptions = {};

/** Reads of one database. */
export class Reader {
  readonly #engine: Engine;
  /** Point reads that came to an end. */
  lookups = 0;
  #idle: PointLookup[] = [];
  /** Weak where leaks are tracked: a forgotten iterator must be collected to be found. */
  readonly #iterators = new Set<DBIterator | WeakRef<DBIterator>>();
  #closed = false;
  readonly #counts: LookupStatistics | undefined;
  readonly #iteratorStatistics: IteratorStatistics | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    const { statistics, clock } = engine.context;
    this.#counts = statistics === undefined ? undefined : new LookupStatistics(statistics, clock);
    this.#iteratorStatistics = statistics === undefined ? undefined : new IteratorStatistics(statistics, clock);
  }

  /** Iterators that are not closed. */
  get openIterators(): number {
    return this.#iterators.size;
  }

  getSync(family: ColumnFamilyState, key: Bytes, options: ReadOptions = NO_OPTIONS): Uint8Array | undefined {
    return this.#getSync(family, key, options, this.#now());
  }

  #getSync(family: ColumnFamilyState, key: Bytes, options: ReadOptions, startMicros: number): Uint8Array | undefined {
    const snapshot = this.#begin(key, options);
    const lookup = this.#takeLookup(startMicros);
    try {
      lookup.begin(
        family,
        family.superVersion,
        key,
        snapshot,
        options.fillCache !== false,
        options.verifyChecksums !== false,
      );
      return this.#finishSync(lookup, options);
    } finally {
      this.#giveLookup(lookup);
    }
  }

  /** Takes its point in time at the call, and makes no use of the event loop unless a file must be read slowly. */
  get(family: ColumnFamilyState, key: Bytes, options: ReadOptions = NO_OPTIONS): Promise<Uint8Array | undefined> {
    return this.#get(family, key, options, this.#now());
  }

  #get(
    family: ColumnFamilyState,
    key: Bytes,
    options: ReadOptions,
    startMicros: number,
  ): Promise<Uint8Array | undefined> {
    let lookup: PointLookup | undefined;
    try {
      const snapshot = this.#begin(key, options);
      lookup = this.#takeLookup(startMicros);
      const view = family.superVersion;
      lookup.begin(family, view, key, snapshot, options.fillCache !== false, options.verifyChecksums !== false);
      const status = lookup.run();
      if (status === LookupStatus.needsIo) return this.#finish(lookup, view.ref(), options);
      this.#count(lookup, status);
      const { value } = lookup;
      this.#giveLookup(lookup);
      return Promise.resolve(status === LookupStatus.found ? value : undefined);
    } catch (error) {
      if (lookup !== undefined) this.#giveLookup(lookup);
      return Promise.reject(error);
    }
  }

  multiGetSync(keys: readonly FamilyKey[], options: ReadOptions = NO_OPTIONS): (Uint8Array | undefined)[] {
    const startMicros = this.#now();
    const values = keys.map(({ family, key }) => this.#getSync(family, key, options, IN_MULTI_GET));
    this.#counts?.gotMany(startMicros, values);
    return values;
  }

  /** All from the point in time of the call. */
  async multiGet(keys: readonly FamilyKey[], options: ReadOptions = NO_OPTIONS): Promise<(Uint8Array | undefined)[]> {
    // Every lookup begins before any of them waits: one sequence, one set of super-versions.
    const startMicros = this.#now();
    const values = await Promise.all(keys.map(({ family, key }) => this.#get(family, key, options, IN_MULTI_GET)));
    this.#counts?.gotMany(startMicros, values);
    return values;
  }

  /** Whether memory and filters at hand leave it open that the key exists. Reads nothing from files. */
  keyMayExist(family: ColumnFamilyState, key: Bytes, options: ReadOptions = NO_OPTIONS): boolean {
    const snapshot = this.#begin(key, options);
    const lookup = this.#takeLookup(0);
    try {
      lookup.begin(family, family.superVersion, key, snapshot, true);
      return lookup.run() !== LookupStatus.absent;
    } finally {
      this.#giveLookup(lookup);
    }
  }

  /** The merge operands that stand over the key's value, oldest first; they are not folded. */
  async mergeOperands(family: ColumnFamilyState, key: Bytes, options: ReadOptions = NO_OPTIONS): Promise<Uint8Array[]> {
    const lookup = new PointLookup(this.#engine.kernel, this.#engine.access);
    lookup.keepOperands = true;
    return this.#privateLookup(lookup, family, key, options, () => lookup.operands);
  }

  /** A lookup that tells `trace` of every step. Resolves to the value. */
  async traced(
    family: ColumnFamilyState,
    key: Bytes,
    options: ReadOptions,
    trace: LookupTrace,
  ): Promise<Uint8Array | undefined> {
    const lookup = new PointLookup(this.#engine.kernel, this.#engine.access);
    lookup.trace = trace;
    return this.#privateLookup(lookup, family, key, options, () => lookup.value);
  }

  newIterator(family: ColumnFamilyState, options: IteratorOptions = {}): DBIterator {
    const engine = this.#engine;
    engine.requireOpen();
    checkIteratorOptions(options);
    const snapshot = this.#sequence(options);
    const prefix = options.prefixSameAsStart === true ? family.prefixExtractor : undefined;
    if (options.prefixSameAsStart === true && prefix === undefined) {
      throw invalidArgument('prefixSameAsStart needs a prefixExtractor');
    }
    const bounds = {
      lower: options.iterateLowerBound === undefined ? undefined : copyOf(toBytes(options.iterateLowerBound)),
      upper: options.iterateUpperBound === undefined ? undefined : copyOf(toBytes(options.iterateUpperBound)),
    };
    const rows = new VisibleRows(engine.kernel, engine.access, family, snapshot, bounds, {
      fillCache: options.fillCache !== false,
      verifyChecksums: options.verifyChecksums !== false,
      totalOrder: options.totalOrderSeek ?? options.prefixSameAsStart !== true,
      prefix: options.totalOrderSeek === true ? undefined : prefix,
    });
    const iterator = new DBIterator(rows, {
      comparator: family.comparator,
      bounds,
      reverse: options.reverse === true,
      prefix,
      cacheOnly: options.readTier === 'blockCache',
      signal: options.signal,
      onClose: () => this.#forget(held, tracked),
      statistics: this.#iteratorStatistics,
    });
    this.#iteratorStatistics?.created();
    const { leaks } = engine.context;
    const held = leaks === undefined ? iterator : new WeakRef(iterator);
    const tracked = leaks?.track('iterator', iterator, () => {
      this.#iterators.delete(held);
      rows.close();
    });
    this.#iterators.add(held);
    return iterator;
  }

  #forget(held: DBIterator | WeakRef<DBIterator>, tracked: TrackedHandle | undefined): void {
    this.#iterators.delete(held);
    if (tracked !== undefined) this.#engine.context.leaks!.forget(tracked);
  }

  /** Closes every iterator; the database is closing. */
  close(): void {
    if (!this.#closed) this.#warnOfOpen();
    this.#closed = true;
    for (const held of [...this.#iterators]) (held instanceof WeakRef ? held.deref() : held)?.close();
    for (const lookup of this.#idle) lookup.close();
    this.#idle = [];
  }

  /** Tells of what is open still: each with its stack where leaks are tracked, else how many there are. */
  #warnOfOpen(): void {
    const { context, snapshots } = this.#engine;
    context.leaks?.close();
    if (context.leaks !== undefined) return;
    const counts = { iterators: this.#iterators.size, snapshots: snapshots.count };
    for (const [kind, count] of Object.entries(counts)) {
      if (count > 0) context.logger.warn(`${kind} left open at close: ${count} (trackLeaks tells who created them)`);
    }
  }

  #begin(key: Bytes, options: ReadOptions): number {
    this.#engine.requireOpen();
    checkBytes(key, 'key');
    checkSize(key, KEY_SIZE_MAX, 'key');
    if (options !== NO_OPTIONS) checkReadOptions(options);
    return this.#sequence(options);
  }

  #sequence({ snapshot }: ReadOptions): number {
    if (snapshot === undefined) return this.#engine.versions.lastSequence;
    if (typeof snapshot?.check !== 'function') throw invalidArgument('snapshot must be a Snapshot');
    snapshot.check(this.#engine.snapshots);
    return snapshot.sequence;
  }

  #finishSync(lookup: PointLookup, options: ReadOptions): Uint8Array | undefined {
    let status = lookup.run();
    while (status === LookupStatus.needsIo) {
      this.#checkTier(options);
      lookup.loadSync();
      status = lookup.run();
    }
    this.#count(lookup, status);
    return status === LookupStatus.found ? lookup.value : undefined;
  }

  async #finish(lookup: PointLookup, view: SuperVersion, options: ReadOptions): Promise<Uint8Array | undefined> {
    try {
      let status: number = LookupStatus.needsIo;
      while (status === LookupStatus.needsIo) {
        this.#checkTier(options);
        options.signal?.throwIfAborted();
        await runAsync(lookup.load());
        status = lookup.run();
      }
      this.#count(lookup, status);
      return status === LookupStatus.found ? lookup.value : undefined;
    } finally {
      view.unref();
      this.#giveLookup(lookup);
    }
  }

  /** A lookup with an object of its own, closed at the end. Takes its point in time at the call. */
  async #privateLookup<T>(
    lookup: PointLookup,
    family: ColumnFamilyState,
    key: Bytes,
    options: ReadOptions,
    result: () => T,
  ): Promise<T> {
    try {
      const snapshot = this.#begin(key, options);
      const view = family.superVersion.ref();
      try {
        lookup.begin(family, view, key, snapshot, options.fillCache !== false, options.verifyChecksums !== false);
        while (lookup.run() === LookupStatus.needsIo) {
          this.#checkTier(options);
          options.signal?.throwIfAborted();
          await runAsync(lookup.load());
        }
        return result();
      } finally {
        view.unref();
      }
    } finally {
      lookup.close();
    }
  }

  #checkTier(options: ReadOptions): void {
    if (options.readTier !== 'blockCache') return;
    throw new DBError('INCOMPLETE', 'the value is not in memory, and readTier is blockCache', { retryable: true });
  }

  #count(lookup: PointLookup, status: number): void {
    this.lookups++;
    this.#counts?.got(lookup, status);
  }

  /** Monotonic microseconds; 0 where nothing is timed. */
  #now(): number {
    return this.#counts === undefined ? 0 : this.#counts.now();
  }

  #takeLookup(startMicros: number): PointLookup {
    const lookup = this.#idle.pop() ?? new PointLookup(this.#engine.kernel, this.#engine.access);
    lookup.startMicros = startMicros;
    return lookup;
  }

  #giveLookup(lookup: PointLookup): void {
    if (this.#engine.isClosed || this.#idle.length >= 64) lookup.close();
    else this.#idle.push(lookup);
  }
}
