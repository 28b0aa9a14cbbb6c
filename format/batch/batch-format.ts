/**
 * The layout of a WriteBatch, shared by its writer and its readers (`format/README.md`, "Write batch"):
 * `sequence fixed64 | count fixed32 | records`. Part of the format: never renumber.
 */
import { ValueType } from '../base/internal-key.ts';

/** Bytes before the first record. */
export const BATCH_HEADER_SIZE = 12;
/** Offset of the count. */
export const BATCH_COUNT_OFFSET = 8;
/** The count is 32 bits wide. */
export const BATCH_COUNT_MAX = 0xffffffff;

/** What the body of a record holds, after the tag and, for family tags, the varint32 family id. */
export const BatchBody = {
  /** Two length-prefixed slices: key and value, or begin and end. */
  keyAndValue: 0,
  /** One length-prefixed slice: a key. */
  key: 1,
  /** Nothing. */
  empty: 2,
  /** One length-prefixed slice that is not a key: log data or a transaction's name. */
  blob: 3,
  /** A length-prefixed timestamp, then a length-prefixed transaction name. */
  timestampAndName: 4,
} as const;

/** How one tag is read. */
export interface BatchTag {
  /** The tag's meaning without regard to the family form: `value`, `deletion`, `rangeDeletion` ... of `ValueType`. */
  readonly type: number;
  readonly hasFamily: boolean;
  readonly body: number;
  /** Whether the record takes a sequence number and counts in the header. */
  readonly counts: boolean;
  /** The record's name in error messages, RocksDB's. */
  readonly name: string;
}

function pair(short: number, long: number, body: number, name: string): [number, BatchTag][] {
  return [
    [short, { type: short, hasFamily: false, body, counts: true, name }],
    [long, { type: short, hasFamily: true, body, counts: true, name }],
  ];
}

function marker(type: number, body: number, name: string): [number, BatchTag] {
  return [type, { type, hasFamily: false, body, counts: false, name }];
}

const V = ValueType;

/** Every known tag by its number; holes are unknown tags. */
export const batchTags: readonly (BatchTag | undefined)[] = (() => {
  const table: (BatchTag | undefined)[] = new Array(256).fill(undefined);
  const known: [number, BatchTag][] = [
    ...pair(V.value, V.columnFamilyValue, BatchBody.keyAndValue, 'Put'),
    ...pair(V.deletion, V.columnFamilyDeletion, BatchBody.key, 'Delete'),
    ...pair(V.singleDeletion, V.columnFamilySingleDeletion, BatchBody.key, 'SingleDelete'),
    ...pair(V.rangeDeletion, V.columnFamilyRangeDeletion, BatchBody.keyAndValue, 'DeleteRange'),
    ...pair(V.merge, V.columnFamilyMerge, BatchBody.keyAndValue, 'Merge'),
    ...pair(V.blobIndex, V.columnFamilyBlobIndex, BatchBody.keyAndValue, 'BlobIndex'),
    ...pair(V.wideColumnEntity, V.columnFamilyWideColumnEntity, BatchBody.keyAndValue, 'PutEntity'),
    ...pair(V.valuePreferredSeqno, V.columnFamilyValuePreferredSeqno, BatchBody.keyAndValue, 'TimedPut'),
    marker(V.logData, BatchBody.blob, 'Blob'),
    marker(V.noop, BatchBody.empty, 'Noop'),
    marker(V.beginPrepare, BatchBody.empty, 'BeginPrepare'),
    marker(V.beginPersistedPrepare, BatchBody.empty, 'BeginPersistedPrepare'),
    marker(V.beginUnprepare, BatchBody.empty, 'BeginUnprepare'),
    marker(V.endPrepare, BatchBody.blob, 'EndPrepare XID'),
    marker(V.commit, BatchBody.blob, 'Commit XID'),
    marker(V.commitWithTimestamp, BatchBody.timestampAndName, 'Commit timestamp'),
    marker(V.rollback, BatchBody.blob, 'Rollback XID'),
  ];
  for (const [number, tag] of known) table[number] = tag;
  return table;
})();

/** The tag of the family form of `type`, for families other than the default one. */
export const familyTagOf: ReadonlyMap<number, number> = new Map(
  batchTags.flatMap((tag, number) => (tag?.hasFamily ? [[tag.type, number] as const] : [])),
);
