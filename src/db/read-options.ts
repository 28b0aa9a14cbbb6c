/** The options of reads and writes, and how they are checked. */
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import type { Snapshot } from '../read/snapshot-list.ts';

/** A key or value as it is given: bytes, or a string that is taken as UTF-8. */
export type Bytes = Uint8Array | string;

/** A column family as options name it: a `ColumnFamily` of the database. */
export interface FamilyHandle {
  readonly id: number;
  readonly name: string;
}

/** Options of point reads. */
export interface ReadOptions {
  /** Read as of this point in time; default: the moment of the call. */
  snapshot?: Snapshot | undefined;
  /** Default: the default family. */
  columnFamily?: FamilyHandle | undefined;
  /** Check the checksum of every block that has to be read. Default true. */
  verifyChecksums?: boolean | undefined;
  /** Put blocks that have to be read into the block cache. Default true. */
  fillCache?: boolean | undefined;
  /** `'blockCache'`: no I/O; a read that would need some throws `INCOMPLETE`. */
  readTier?: 'all' | 'blockCache' | undefined;
  /** Ends waiting early; the read rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of iterators. */
export interface IteratorOptions extends ReadOptions {
  /** Inclusive. */
  iterateLowerBound?: Bytes | undefined;
  /** Exclusive. */
  iterateUpperBound?: Bytes | undefined;
  /** Show only keys with the prefix of the last seek; needs a prefixExtractor. */
  prefixSameAsStart?: boolean | undefined;
  /** Iterate in full order even where the family's memtable keeps prefixes apart. Default true unless `prefixSameAsStart`. */
  totalOrderSeek?: boolean | undefined;
  /** For `entries`, `keys`, `values` and an unpositioned `nextMany`: from the last entry to the first. */
  reverse?: boolean | undefined;
  /** For `entries`, `keys`, `values`: at most so many. */
  limit?: number | undefined;
}

/** Options of writes. */
export interface WriteOptions {
  /** Settle only when the write survives a power cut. Default false: it survives a killed process. */
  sync?: boolean | undefined;
  /** Leave the write out of the log: a crash before the next flush loses it. */
  disableWAL?: boolean | undefined;
  /** Fail with `INCOMPLETE` instead of waiting while writes are slowed down or stopped. */
  noSlowdown?: boolean | undefined;
  /** Default: the default family. Not for `write`, whose batch names families itself. */
  columnFamily?: FamilyHandle | undefined;
}

/** Refuses what is neither bytes nor a string. */
export function checkBytes(value: unknown, what: string): void {
  if (typeof value === 'string' || value instanceof Uint8Array) return;
  const got = value === null ? 'null' : typeof value;
  throw invalidArgument(`${what} must be a Uint8Array or a string, got ${got}`);
}

const READ_NAMES = new Set(['snapshot', 'columnFamily', 'verifyChecksums', 'fillCache', 'readTier', 'signal']);
const ITERATOR_NAMES = new Set([
  ...READ_NAMES,
  'iterateLowerBound',
  'iterateUpperBound',
  'prefixSameAsStart',
  'totalOrderSeek',
  'reverse',
  'limit',
]);
const WRITE_NAMES = new Set(['sync', 'disableWAL', 'noSlowdown', 'columnFamily']);

function checkNames(options: object, names: ReadonlySet<string>, what: string): void {
  if (typeof options !== 'object' || options === null) throw invalidArgument(`${what} options must be an object`);
  for (const name in options) {
    if (!names.has(name)) throw invalidArgument(`${name} is not a ${what} option`);
  }
}

function checkFlag(options: object, name: string): void {
  const value = (options as Record<string, unknown>)[name];
  if (value !== undefined && typeof value !== 'boolean') throw invalidArgument(`${name} must be true or false`);
}

/** Checks the options of a point read. */
export function checkReadOptions(options: ReadOptions): void {
  checkNames(options, READ_NAMES, 'read');
  checkCommon(options);
}

function checkCommon(options: ReadOptions): void {
  checkFlag(options, 'verifyChecksums');
  checkFlag(options, 'fillCache');
  const { readTier, signal } = options;
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw invalidArgument('signal must be an AbortSignal');
  }
  if (readTier !== undefined && readTier !== 'all' && readTier !== 'blockCache') {
    throw invalidArgument("readTier must be 'all' or 'blockCache'");
  }
}

/** Checks the options of an iterator. */
export function checkIteratorOptions(options: IteratorOptions): void {
  checkNames(options, ITERATOR_NAMES, 'iterator');
  checkCommon(options);
  checkFlag(options, 'prefixSameAsStart');
  checkFlag(options, 'totalOrderSeek');
  checkFlag(options, 'reverse');
  if (options.iterateLowerBound !== undefined) checkBytes(options.iterateLowerBound, 'iterateLowerBound');
  if (options.iterateUpperBound !== undefined) checkBytes(options.iterateUpperBound, 'iterateUpperBound');
  const { limit } = options;
  if (limit !== undefined && limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw invalidArgument('limit must be a whole number >= 0');
  }
}

/** Checks the options of a write. */
export function checkWriteOptions(options: WriteOptions): void {
  checkNames(options, WRITE_NAMES, 'write');
  checkFlag(options, 'sync');
  checkFlag(options, 'disableWAL');
  checkFlag(options, 'noSlowdown');
  if (options.sync === true && options.disableWAL === true) {
    throw new DBError('INVALID_ARGUMENT', 'sync contradicts disableWAL: there is no log to sync');
  }
}

const encoder = new TextEncoder();

/** The bytes of a key; borrowed if bytes were given. */
export function toBytes(value: Bytes): Uint8Array {
  return typeof value === 'string' ? encoder.encode(value) : value;
}
