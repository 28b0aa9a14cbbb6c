/** The kinds of memtable that Pumice ships, for the option `memtableFactory`. The names are those that RocksDB stores. */
import { invalidArgument, notSupported } from '../../format/base/db-error.ts';
import { BTREE_MEMTABLE_NAME, type MemTableFactory } from '../../format/base/memtable-rep.ts';
import { PrefixHashMemTable } from './prefix-hash-memtable.ts';
import { SkipListMemTable } from './skiplist-memtable.ts';
import { VectorMemTable } from './vector-memtable.ts';

const BUCKET_COUNT_DEFAULT = 4096;
const BUCKET_COUNT_MAX = 2 ** 24;

/**
 * The default: a B+tree in the kernel's memory. Batches go into it without passing through JavaScript, and worker
 * threads flush it in place. The engine makes it by itself; `create` throws `NOT_SUPPORTED`.
 */
export function bTreeMemTable(): MemTableFactory {
  return {
    name: BTREE_MEMTABLE_NAME,
    create() {
      throw notSupported('the B+tree memtable lives in the kernel: the engine makes it, not its factory');
    },
  };
}

/** A skip list in JavaScript: RocksDB's default container. Slower than the B+tree; made for comparison and as a model. */
export function skipListMemTable(): MemTableFactory {
  return { name: 'SkipListFactory', create: (options) => new SkipListMemTable(options) };
}

/**
 * A vector for bulk loads: an insert appends, the first read sorts. A database that is read while it is written should
 * not use it.
 */
export function vectorMemTable(): MemTableFactory {
  return { name: 'VectorRepFactory', create: (options) => new VectorMemTable(options) };
}

/** Settings of `prefixHashMemTable`. */
export interface PrefixHashMemTableOptions {
  /** Hash buckets of an empty memtable, rounded up to a power of two; it grows with the number of prefixes. Default 4096. */
  bucketCount?: number;
}

/**
 * A hash table of prefixes with a skip list each, for gets, puts and scans within the prefixes of `prefixExtractor`.
 * Iterators with `prefixSameAsStart` search one list; any other has to sort all entries before it begins.
 *
 * `INVALID_ARGUMENT` for a count that is not between 1 and 2^24, and from `create` when there is no `prefixExtractor`.
 */
export function prefixHashMemTable(options: PrefixHashMemTableOptions = {}): MemTableFactory {
  const { bucketCount = BUCKET_COUNT_DEFAULT } = options;
  if (!Number.isInteger(bucketCount) || bucketCount < 1 || bucketCount > BUCKET_COUNT_MAX) {
    throw invalidArgument(`bucketCount must be a whole number from 1 to ${BUCKET_COUNT_MAX}, not ${bucketCount}`);
  }
  return {
    name: 'HashSkipListRepFactory',
    create(rep) {
      if (rep.prefixExtractor === undefined) throw invalidArgument('prefixHashMemTable needs a prefixExtractor');
      return new PrefixHashMemTable(rep, rep.prefixExtractor, 2 ** Math.ceil(Math.log2(bucketCount)));
    },
  };
}
