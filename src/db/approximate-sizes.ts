/** How many bytes of tables key ranges take, told from the MANIFEST and the tables' indexes; data blocks are not read. */
import { invalidArgument } from '../../format/base/db-error.ts';
import { makeInternalKey, MAX_SEQUENCE, TYPE_FOR_SEEK } from '../../format/base/internal-key.ts';
import { runSync } from '../../format/base/io.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../../format/manifest/file-range.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';
import { type Bytes, checkBytes, toBytes } from './read-options.ts';

/** Keys from `begin` up to, not including, `end`. */
export interface KeyRange {
  begin: Bytes;
  end: Bytes;
}

/** Bytes of each range in the family's tables, compressed as they are. What is only in memtables does not count. */
export function approximateSizes(engine: Engine, family: ColumnFamilyState, ranges: readonly KeyRange[]): number[] {
  if (!Array.isArray(ranges)) throw invalidArgument('getApproximateSizes takes an array of { begin, end }');
  return ranges.map((range: KeyRange) => {
    if (typeof range !== 'object' || range === null) throw invalidArgument('a range must be { begin, end }');
    checkBytes(range.begin, 'begin');
    checkBytes(range.end, 'end');
    return sizeOf(engine, family, toBytes(range.begin), toBytes(range.end));
  });
}

function sizeOf(engine: Engine, family: ColumnFamilyState, begin: Uint8Array, end: Uint8Array): number {
  const { comparator, version } = family;
  if (comparator.compare(begin, end) >= 0) return 0;
  let bytes = 0;
  for (let level = 0; level < version.levelCount; level++) {
    for (const file of version.filesOverlapping(level, begin, end)) {
      const startsInside = comparator.compare(rangeOfFile(file).smallest, begin) >= 0;
      const endsInside = comparator.compare(rangeOfFile(file).largest, end) < 0;
      const from = startsInside ? 0 : offsetIn(engine, family, file, begin);
      const to = endsInside ? file.sizeBytes : offsetIn(engine, family, file, end);
      bytes += Math.max(0, to - from);
    }
  }
  return bytes;
}

/** Where in the file `userKey` would stand. Opens the table if it is not open, in place: the answer is wanted at once. */
function offsetIn(engine: Engine, family: ColumnFamilyState, file: FileMetadata, userKey: Uint8Array): number {
  const { kernel, access } = engine;
  const reader = runSync(access.tables.open(file, access.openingOf(family)));
  const key = makeInternalKey(userKey, MAX_SEQUENCE, TYPE_FOR_SEEK);
  const address = kernel.malloc(key.length + 16);
  try {
    kernel.copyIn(key, address);
    return runSync(reader.approximateOffsetOf(address, key.length));
  } finally {
    kernel.free(address);
  }
}
