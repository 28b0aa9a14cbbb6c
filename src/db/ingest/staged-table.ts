/**
 * A table from outside, brought into the database's directory under a number of its own and looked at there. Nothing refers
 * to it yet: until the MANIFEST does, it is a leftover that a failed ingestion or the next open removes.
 */
import type { UserKeyRange } from '../../../compaction/compaction.ts';
import { corruption, invalidArgument } from '../../../format/base/db-error.ts';
import { closeFile, syncFull } from '../../../format/base/file-io.ts';
import {
  compareInternalKeys,
  makeInternalKey,
  SENTINEL_SEQUENCE,
  sequenceOf,
  typeOf,
  userKeyOf,
  ValueType,
} from '../../../format/base/internal-key.ts';
import { type Io, io } from '../../../format/base/io.ts';
import { CursorField } from '../../../format/kernel/abi/merge.ts';
import { type FileMetadata, plainFileFields } from '../../../format/manifest/file-metadata.ts';
import { tableFileName } from '../../../format/manifest/file-name.ts';
import type { TableIterator } from '../../../format/sst/table-iterator.ts';
import { readGlobalSequenceOffset } from '../../../format/sst/table-open.ts';
import { UNKNOWN_FAMILY_ID } from '../../../format/sst/table-properties.ts';
import { TableReader } from '../../../format/sst/table-reader.ts';
import { errnoOf } from '../../env/file-error.ts';
import { copyFile, copyPatched, openRandom, statFile, unlinkIfPresent } from '../../env/file-operations.ts';
import type { FileSystem } from '../../env/file-system.ts';
import type { ColumnFamilyState } from '../../version/column-family.ts';
import type { Engine } from '../engine.ts';
import type { ResolvedIngestOptions } from './ingest-options.ts';

/** Why a file cannot have a second name inside the database: other disk, other owner, a symbolic link, a file of several names. */
const NO_LINK = new Set(['EXDEV', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS', 'ELOOP']);

/** The external file versions: 1 has no room for a sequence. */
const VERSION_WITH_SEQUENCE = 2;

/** One file of an ingestion. */
export class StagedTable {
  readonly externalPath: string;
  readonly number: number;
  readonly sizeBytes: number;
  /** User keys, both inclusive. */
  readonly range: UserKeyRange;
  /** The sequence that the file's properties hold. */
  sequence: number;
  readonly #smallest: Uint8Array;
  readonly #largest: Uint8Array;
  readonly #version: number;

  /** Made by `check`. */
  constructor(externalPath: string, reader: TableReader, sizeBytes: number, bounds: [Uint8Array, Uint8Array]) {
    this.externalPath = externalPath;
    this.number = reader.fileNumber;
    this.sizeBytes = sizeBytes;
    [this.#smallest, this.#largest] = bounds;
    this.range = { smallest: userKeyOf(this.#smallest), largest: userKeyOf(this.#largest) };
    this.sequence = reader.properties.globalSequence;
    this.#version = reader.properties.externalFileVersion;
  }

  /** Whether no key of this table comes behind the first key of `next`, whose first key is not before this one's. */
  endsBefore(family: ColumnFamilyState, next: StagedTable): boolean {
    const order = family.comparator.compare(this.range.largest, next.range.smallest);
    return order < 0 || (order === 0 && sequenceOf(this.#largest) === SENTINEL_SEQUENCE);
  }

  /** `INVALID_ARGUMENT` when the file cannot get `sequence`. */
  requireSequence(sequence: number, options: ResolvedIngestOptions): void {
    if (sequence === this.sequence) return;
    if (!options.allowGlobalSeqno) {
      throw invalidArgument(
        `Global seqno is required, but disabled: ${this.externalPath} overlaps data or a snapshot exists`,
      );
    }
    if (this.#version < VERSION_WITH_SEQUENCE) {
      throw invalidArgument(`External SST file V1 does not support global seqno: ${this.externalPath}`);
    }
  }

  /** Whether the bytes must be changed for the table to have `sequence`: readers refuse another one in the file. */
  mustRewrite(sequence: number, options: ResolvedIngestOptions): boolean {
    return sequence !== this.sequence && (options.writeGlobalSeqno || this.sequence !== 0);
  }

  /** Rewrites the file with `sequence` in its properties, in a file of its own: another name of the old one keeps its bytes. */
  *rewrite(fs: FileSystem, directory: string, sequence: number): Io<void> {
    const path = `${directory}/${tableFileName(this.number)}`;
    const file = yield* openRandom(fs, path);
    let offset: number;
    try {
      offset = yield* readGlobalSequenceOffset(file, this.sizeBytes);
    } finally {
      yield* closeFile(file);
    }
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(sequence), true);
    yield* copyPatched(fs, path, bytes, offset);
    this.sequence = sequence;
  }

  /** What the MANIFEST records of the table when all its entries have `sequence`. */
  metadata(sequence: number, nowSeconds: number): FileMetadata {
    return {
      number: this.number,
      sizeBytes: this.sizeBytes,
      smallest: withSequence(this.#smallest, sequence),
      largest: withSequence(this.#largest, sequence),
      smallestSequence: sequence,
      largestSequence: sequence,
      oldestAncestorTime: nowSeconds,
      fileCreationTime: nowSeconds,
      ...plainFileFields,
    };
  }
}

/**
 * Brings a file in under `number` and checks it. `INVALID_ARGUMENT` when it is no table for this family, `CORRUPTION` when it is
 * damaged. The file stays in the directory also when it is refused.
 */
export function* stageTable(
  engine: Engine,
  family: ColumnFamilyState,
  externalPath: string,
  number: number,
  options: ResolvedIngestOptions,
): Io<StagedTable> {
  const { fs, path } = engine.context;
  const inside = `${path}/${tableFileName(number)}`;
  const { kind, size } = yield* statFile(fs, externalPath);
  if (kind !== 'file') throw invalidArgument(`${externalPath} is not a file`);
  yield* unlinkIfPresent(fs, inside);
  if (!options.moveFiles || !(yield* tryLink(fs, externalPath, inside, options))) {
    const copied = yield* copyFile(fs, externalPath, inside, size);
    if (copied !== size) throw corruption(`${externalPath}: expected ${size} bytes, found ${copied}`);
  }
  const reader = yield* TableReader.open({
    file: yield* openRandom(fs, inside),
    fileSize: size,
    fileNumber: number,
    comparator: { id: family.comparatorId, name: family.comparator.name },
    verifyChecksums: true,
  });
  try {
    return yield* check(engine, family, reader, externalPath, size, options);
  } finally {
    reader.close();
  }
}

/** False when the file must be copied. The one who wrote it may not have synced it. */
function* tryLink(fs: FileSystem, from: string, to: string, options: ResolvedIngestOptions): Io<boolean> {
  try {
    const file = yield* io(
      () => fs.reopenWritableSync(from),
      () => fs.reopenWritable(from),
    );
    try {
      yield* syncFull(file);
    } finally {
      yield* closeFile(file);
    }
    yield* io(
      () => fs.linkSync(from, to),
      () => fs.link(from, to),
    );
    return true;
  } catch (error) {
    if (!options.failedMoveFallBackToCopy || !NO_LINK.has(errnoOf(error) ?? '')) throw error;
    return false;
  }
}

function* check(
  engine: Engine,
  family: ColumnFamilyState,
  reader: TableReader,
  path: string,
  sizeBytes: number,
  options: ResolvedIngestOptions,
): Io<StagedTable> {
  const { properties } = reader;
  const { externalFileVersion, columnFamilyId } = properties;
  if (externalFileVersion === 0) {
    throw corruption(`External file version not found: ${path} was not made by an SstFileWriter`);
  }
  if (externalFileVersion > VERSION_WITH_SEQUENCE) {
    throw invalidArgument(`External file version not supported: ${path} has version ${externalFileVersion}`);
  }
  if (columnFamilyId !== UNKNOWN_FAMILY_ID && columnFamilyId !== family.id) {
    throw invalidArgument(
      `External file column family id don't match: ${path} was made for ${columnFamilyId}, not ${family.id}`,
    );
  }
  if (options.verifyChecksumsBeforeIngest) yield* reader.verifyChecksums();
  const bounds = yield* boundsOf(engine, family, reader);
  if (bounds === undefined) throw invalidArgument(`File contain no entries: ${path}`);
  return new StagedTable(path, reader, sizeBytes, bounds);
}

/** The first and the last internal key, ends of range tombstones included, with sequence 0; `undefined` for an empty table. */
function* boundsOf(
  engine: Engine,
  { comparator }: ColumnFamilyState,
  reader: TableReader,
): Io<[Uint8Array, Uint8Array] | undefined> {
  const iterator = reader.newIterator();
  let smallest: Uint8Array | undefined;
  let largest: Uint8Array | undefined;
  try {
    yield* iterator.seekToFirst();
    smallest = keyAt(engine, iterator, reader);
    yield* iterator.seekToLast();
    largest = keyAt(engine, iterator, reader);
  } finally {
    iterator.close();
  }
  for (const { begin, end } of reader.rangeTombstones) {
    const first = makeInternalKey(begin, 0, ValueType.rangeDeletion);
    const last = makeInternalKey(end, SENTINEL_SEQUENCE, ValueType.rangeDeletion);
    if (smallest === undefined || compareInternalKeys(comparator, first, smallest) < 0) smallest = first;
    if (largest === undefined || compareInternalKeys(comparator, last, largest) > 0) largest = last;
  }
  return smallest === undefined || largest === undefined ? undefined : [smallest, largest];
}

/** A copy of the key that the cursor stands on. `CORRUPTION` when it has a sequence of its own. */
function keyAt({ kernel }: Engine, { cursor }: TableIterator, reader: TableReader): Uint8Array | undefined {
  const field = (offset: number): number => kernel.u32[(cursor + offset) >>> 2]!;
  if (field(CursorField.valid) !== 1) return undefined;
  const key = kernel.copyOut(field(CursorField.key), field(CursorField.keySize));
  if (sequenceOf(key) !== (reader.globalSequence ?? 0)) {
    throw corruption(`External file has non zero sequence number: ${reader.path}`);
  }
  return makeInternalKey(userKeyOf(key), 0, typeOf(key));
}

/** Only zeros are replaced: the end of a range tombstone keeps its sentinel. */
function withSequence(key: Uint8Array, sequence: number): Uint8Array {
  return sequenceOf(key) === 0 ? makeInternalKey(userKeyOf(key), sequence, typeOf(key)) : key;
}
