/** Reads a table through, and says what a MANIFEST records of it: its bounds in keys and in sequences. */
import {
  compareInternalKeys,
  makeInternalKey,
  SENTINEL_SEQUENCE,
  sequenceOf,
  ValueType,
} from '../../../format/base/internal-key.ts';
import type { Io } from '../../../format/base/io.ts';
import { type FileMetadata, plainFileFields } from '../../../format/manifest/file-metadata.ts';
import type { TableReader } from '../../../format/sst/table-reader.ts';
import { walkTableKeys } from '../walk-table-keys.ts';
import type { Salvage, SalvagedFamily } from './salvage.ts';

interface Bounds {
  smallest: Uint8Array | undefined;
  largest: Uint8Array | undefined;
  smallestSequence: number;
  largestSequence: number;
}

/** `undefined` for a table without any entry. `CORRUPTION` when any block of it is damaged. */
export function* measureTable(
  salvage: Salvage,
  family: SalvagedFamily,
  table: { path: string; number: number; sizeBytes: number },
): Io<FileMetadata | undefined> {
  const reader = yield* salvage.openTable(family, table, table.number, table.sizeBytes);
  try {
    yield* reader.verifyChecksums();
    const bounds = yield* keyBounds(salvage, reader);
    addTombstones(bounds, family, reader);
    const { smallest, largest, smallestSequence, largestSequence } = bounds;
    if (smallest === undefined || largest === undefined) return undefined;
    return {
      number: table.number,
      sizeBytes: table.sizeBytes,
      smallest,
      largest,
      smallestSequence,
      largestSequence,
      oldestAncestorTime: reader.properties.creationTime,
      fileCreationTime: reader.properties.fileCreationTime,
      ...plainFileFields,
    };
  } finally {
    reader.close();
  }
}

function* keyBounds(salvage: Salvage, reader: TableReader): Io<Bounds> {
  const bounds: Bounds = {
    smallest: undefined,
    largest: undefined,
    smallestSequence: Number.MAX_SAFE_INTEGER,
    largestSequence: 0,
  };
  let last = new Uint8Array(64);
  let lastSize = 0;
  yield* walkTableKeys(salvage.kernel, reader, (key) => {
    bounds.smallest ??= key.slice();
    if (key.length > last.length) last = new Uint8Array(key.length * 2);
    last.set(key);
    lastSize = key.length;
    const sequence = sequenceOf(key);
    bounds.smallestSequence = Math.min(bounds.smallestSequence, sequence);
    bounds.largestSequence = Math.max(bounds.largestSequence, sequence);
  });
  if (lastSize > 0) bounds.largest = last.slice(0, lastSize);
  return bounds;
}

/** A range tombstone reaches to its end, which is not a key of the table. */
function addTombstones(bounds: Bounds, { comparator }: SalvagedFamily, reader: TableReader): void {
  for (const { begin, end, sequence } of reader.rangeTombstones) {
    const first = makeInternalKey(begin, sequence, ValueType.rangeDeletion);
    const last = makeInternalKey(end, SENTINEL_SEQUENCE, ValueType.rangeDeletion);
    const { smallest, largest } = bounds;
    if (smallest === undefined || compareInternalKeys(comparator, first, smallest) < 0) bounds.smallest = first;
    if (largest === undefined || compareInternalKeys(comparator, last, largest) > 0) bounds.largest = last;
    bounds.smallestSequence = Math.min(bounds.smallestSequence, sequence);
    bounds.largestSequence = Math.max(bounds.largestSequence, sequence);
  }
}
