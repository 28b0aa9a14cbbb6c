/** Every version of keys that memtables and tables still hold, also those that no read sees any more. For inspection and tests. */
import { copyOf } from '../../format/base/bytes.ts';
import { invalidArgument } from '../../format/base/db-error.ts';
import {
  MAX_SEQUENCE,
  makeInternalKey,
  sequenceOf,
  TYPE_FOR_SEEK,
  typeOf,
  userKeyOf,
  ValueType,
} from '../../format/base/internal-key.ts';
import { type Io, runAsync } from '../../format/base/io.ts';
import { MergingIterator, MUST_LOAD, Position } from '../../format/iterator/merging-iterator.ts';
import { makeSources, TombstoneView } from '../read/iterator-sources.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';
import { type Bytes, checkBytes, type FamilyHandle, toBytes } from './read-options.ts';

/** One record of one key; the arrays are copies. */
export interface KeyVersion {
  userKey: Uint8Array;
  value: Uint8Array;
  sequence: number;
  /** RocksDB's number of the record's kind: 0 deletion, 1 value, 2 merge, 7 single deletion. */
  type: number;
}

/** Which versions. */
export interface KeyVersionsOptions {
  /** Inclusive; left out: open. */
  begin?: Bytes | undefined;
  /** Inclusive, as RocksDB has it; left out: open. */
  end?: Bytes | undefined;
  /** At most so many. Default: all. */
  maxVersions?: number | undefined;
  columnFamily?: FamilyHandle | undefined;
}

/** Versions by key, the newest of each first. Range tombstones are not records of a key and are left out. */
export async function allKeyVersions(
  engine: Engine,
  family: ColumnFamilyState,
  options: KeyVersionsOptions,
): Promise<KeyVersion[]> {
  const { begin, end, maxVersions = Number.POSITIVE_INFINITY } = options;
  if (begin !== undefined) checkBytes(begin, 'begin');
  if (end !== undefined) checkBytes(end, 'end');
  if (!(maxVersions >= 0)) throw invalidArgument('maxVersions must be at least 0');
  const view = family.superVersion.ref();
  const tombstones = new TombstoneView(engine.kernel, family, view, MAX_SEQUENCE);
  const read = { fillCache: false, verifyChecksums: true, totalOrder: true, prefix: undefined };
  const sources = makeSources(engine.kernel, engine.access, family, view, tombstones, read);
  const merging = new MergingIterator(engine.kernel, family.comparatorId, sources);
  const from = begin === undefined ? undefined : copyOf(toBytes(begin));
  const to = end === undefined ? undefined : copyOf(toBytes(end));
  try {
    return await runAsync(collect(engine, family, merging, { from, to, maxVersions }));
  } finally {
    merging.close();
    tombstones.close();
    view.unref();
  }
}

function* collect(
  engine: Engine,
  family: ColumnFamilyState,
  merging: MergingIterator,
  range: { from: Uint8Array | undefined; to: Uint8Array | undefined; maxVersions: number },
): Io<KeyVersion[]> {
  const versions: KeyVersion[] = [];
  yield* seek(engine, merging, range.from);
  while (merging.valid && versions.length < range.maxVersions) {
    const key = merging.key();
    const userKey = userKeyOf(key);
    if (range.to !== undefined && family.comparator.compare(userKey, range.to) > 0) break;
    const type = typeOf(key);
    if (type !== ValueType.rangeDeletion) {
      versions.push({ userKey: userKey.slice(), value: merging.value().slice(), sequence: sequenceOf(key), type });
    }
    if (merging.tryNext() === MUST_LOAD) yield* merging.refill();
  }
  return versions;
}

function* seek(engine: Engine, merging: MergingIterator, from: Uint8Array | undefined): Io<void> {
  if (from === undefined) {
    yield* merging.position(Position.first);
    return;
  }
  const { kernel } = engine;
  const target = makeInternalKey(from, MAX_SEQUENCE, TYPE_FOR_SEEK);
  const address = kernel.malloc(target.length + 16);
  try {
    kernel.copyIn(target, address);
    yield* merging.position(Position.seek, address, target.length);
  } finally {
    kernel.free(address);
  }
}
