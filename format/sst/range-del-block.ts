/** The block of range tombstones: `begin, sequence -> end`. */
import { corruption } from '../base/db-error.ts';
import { makeInternalKey, sequenceOf, TRAILER_SIZE, typeOf, userKeyOf, ValueType } from '../base/internal-key.ts';
import type { MetadataEntry } from './metadata-block.ts';

/** Deletes the user keys in `[begin, end)` whose sequences are below `sequence`. */
export interface RangeTombstone {
  readonly begin: Uint8Array;
  readonly end: Uint8Array;
  readonly sequence: number;
}

/** The tombstones in file order; they may overlap. CORRUPTION when a key is malformed or of another type. */
export function decodeRangeTombstones(
  entries: readonly MetadataEntry[],
  globalSequence: number | undefined,
  path: string,
): RangeTombstone[] {
  return entries.map(({ key, value }) => {
    if (key.length < TRAILER_SIZE) throw corruption(`range tombstone key of ${key.length} bytes in ${path}`);
    if (typeOf(key) !== ValueType.rangeDeletion)
      throw corruption(`type ${typeOf(key)} among the range tombstones of ${path}`);
    return { begin: userKeyOf(key), end: value, sequence: globalSequence ?? sequenceOf(key) };
  });
}

/** The internal key under which a tombstone is stored. */
export function rangeTombstoneKey(begin: Uint8Array, sequence: number): Uint8Array {
  return makeInternalKey(begin, sequence, ValueType.rangeDeletion);
}
