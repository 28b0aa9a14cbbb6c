/**
 * Whether memtables or tables hold anything in a range of user keys: an entry, or a range tombstone. Unlike the ranges of the
 * MANIFEST this looks at the keys themselves, so a table that fits into a gap between two keys does not overlap.
 */
import type { UserKeyRange } from '../../../compaction/compaction.ts';
import { rangesOverlap } from '../../../compaction/levels-view.ts';
import type { Comparator } from '../../../format/base/comparator.ts';
import type { CursorSource } from '../../../format/base/cursor-source.ts';
import { makeInternalKey, MAX_SEQUENCE, TYPE_FOR_SEEK, userKeyOf } from '../../../format/base/internal-key.ts';
import type { Io } from '../../../format/base/io.ts';
import { CursorField } from '../../../format/kernel/abi/merge.ts';
import type { Kernel } from '../../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../../format/manifest/file-metadata.ts';
import type { MemTable } from '../../memtable/memtable.ts';
import type { ColumnFamilyState } from '../../version/column-family.ts';
import type { Engine } from '../engine.ts';

/** Whether what is not flushed yet holds anything in `range`. */
export function* overlapsMemtables(engine: Engine, family: ColumnFamilyState, range: UserKeyRange): Io<boolean> {
  for (const memtable of [family.active, ...family.immutables]) {
    if (memtable.entryCount > 0 && (yield* memtableHolds(engine, family, memtable, range))) return true;
  }
  return false;
}

/** Whether one of `files` holds anything in `range`. Opens tables and reads blocks. */
export function* overlapsTables(
  engine: Engine,
  family: ColumnFamilyState,
  files: readonly FileMetadata[],
  range: UserKeyRange,
): Io<boolean> {
  for (const file of files) {
    const reader = yield* engine.access.tables.open(file, engine.access.openingOf(family));
    if (anyTombstone(family.comparator, reader.rangeTombstones, range)) return true;
    const held = yield* holdsKey(engine.kernel, family.comparator, reader.newIterator(), range);
    if (held) return true;
  }
  return false;
}

function* memtableHolds(
  engine: Engine,
  { comparator }: ColumnFamilyState,
  memtable: MemTable,
  range: UserKeyRange,
): Io<boolean> {
  if (anyTombstone(comparator, memtable.rangeTombstones(), range)) return true;
  memtable.ref();
  try {
    return yield* holdsKey(engine.kernel, comparator, memtable.source(true), range);
  } finally {
    memtable.unref();
  }
}

/** A tombstone that ends where the range begins counts as well, as in RocksDB: it costs a sequence, no more. */
function anyTombstone(
  comparator: Comparator,
  tombstones: readonly { readonly begin: Uint8Array; readonly end: Uint8Array }[],
  range: UserKeyRange,
): boolean {
  return tombstones.some(({ begin, end }) => rangesOverlap(comparator, { smallest: begin, largest: end }, range));
}

/** Closes `source`. */
function* holdsKey(kernel: Kernel, comparator: Comparator, source: CursorSource, range: UserKeyRange): Io<boolean> {
  const target = makeInternalKey(range.smallest, MAX_SEQUENCE, TYPE_FOR_SEEK);
  const address = kernel.malloc(target.length + 16);
  try {
    kernel.copyIn(target, address);
    yield* source.seek(address, target.length);
    const field = (offset: number): number => kernel.u32[(source.cursor + offset) >>> 2]!;
    if (field(CursorField.valid) !== 1) return false;
    const key = kernel.bytes(field(CursorField.key), field(CursorField.keySize));
    return comparator.compare(userKeyOf(key), range.largest) <= 0;
  } finally {
    kernel.free(address);
    source.close();
  }
}
