/**
 * Replays the records of a MANIFEST into the state they add up to: column families with their tables, and the counters.
 * Nothing here knows comparators or opens files, so that any MANIFEST can be looked at; `versionOf` then puts a family's
 * tables in order.
 */
import type { Comparator } from '../base/comparator.ts';
import { corruption, type DBError } from '../base/db-error.ts';
import type { Version } from './version.ts';
import { VersionBuilder } from './version-builder.ts';
import type { BlobFileRecord, CompactCursor, VersionEdit } from './version-edit.ts';
import { decodeVersionEdit } from './version-edit-decoder.ts';

/** Name and id of the family that always exists. */
export const DEFAULT_COLUMN_FAMILY = { name: 'default', id: 0 } as const;

/** One live column family, as the MANIFEST tells it. */
export interface ManifestFamily {
  readonly id: number;
  readonly name: string;
  /** The stored comparator name; `undefined` if no record gave one (then it is the bytewise one). */
  comparatorName: string | undefined;
  /** WALs with smaller numbers hold nothing of this family that is not in tables. */
  logNumber: number;
  /** The tables so far; `versionOf` makes a version of them. */
  readonly builder: VersionBuilder;
  /** Deepest level that a table was ever added to. */
  maxLevel: number;
  /** The last cursor of each level. */
  readonly compactCursors: Map<number, CompactCursor>;
  /** Blob files that were added; a database with any is not supported. */
  readonly blobFiles: Map<number, BlobFileRecord>;
  fullHistoryTsLow: Uint8Array | undefined;
}

/** The sum of a MANIFEST's records. */
export class ManifestState {
  /** Live families by id; the default one is always there. */
  readonly families = new Map<number, ManifestFamily>();
  dbId: Uint8Array | undefined;
  nextFileNumber: number | undefined;
  lastSequence: number | undefined;
  prevLogNumber = 0;
  minLogNumberToKeep = 0;
  maxColumnFamily = 0;
  /** Tracked WALs and how far each is known to be synced; empty unless the writer tracks them. */
  readonly wals = new Map<number, number | undefined>();
  /** Edits applied. */
  editCount = 0;
  /** Edits of an atomic group that the file ended within; they are not applied. */
  droppedGroupEdits = 0;

  readonly #source: string;
  #hasLogNumber = false;
  #group: VersionEdit[] = [];
  #groupLeft = 0;

  /** `source` names the MANIFEST in errors. */
  constructor(source: string) {
    this.#source = source;
    this.families.set(DEFAULT_COLUMN_FAMILY.id, newFamily(DEFAULT_COLUMN_FAMILY.id, DEFAULT_COLUMN_FAMILY.name));
  }

  /** Applies one record, which lies at `offset` of the file. `CORRUPTION` when it is malformed or contradicts the others. */
  applyRecord(record: Uint8Array, offset: number): void {
    this.applyEdit(decodeVersionEdit(record, `${this.#source}: VersionEdit in the record at offset ${offset}`), offset);
  }

  /** Applies one decoded edit; those of an atomic group are collected until the group is whole. */
  applyEdit(edit: VersionEdit, offset: number): void {
    if (edit.remainingInGroup === undefined) {
      if (this.#group.length > 0)
        throw this.#error('corrupted atomic group: an edit of no group stands inside', offset);
      this.#apply(edit, offset);
      return;
    }
    if (this.#group.length > 0 && edit.remainingInGroup !== this.#groupLeft - 1)
      throw this.#error(
        `corrupted atomic group: expected ${this.#groupLeft - 1} remaining edits, found ${edit.remainingInGroup}`,
        offset,
      );
    this.#group.push(edit);
    this.#groupLeft = edit.remainingInGroup;
    if (this.#groupLeft > 0) return;
    const group = this.#group;
    this.#group = [];
    for (const member of group) this.#apply(member, offset);
  }

  /** Ends the replay: drops an unfinished group and checks that the counters were given. */
  finish(): void {
    this.droppedGroupEdits = this.#group.length;
    this.#group = [];
    const missing: string[] = [];
    if (!this.#hasLogNumber) missing.push('log_file_number');
    if (this.nextFileNumber === undefined) missing.push('next_file_number');
    if (this.lastSequence === undefined) missing.push('last_sequence');
    if (missing.length > 0) throw corruption(`${this.#source}: no ${missing.join(', ')} entry in MANIFEST`);
  }

  /** The smallest WAL that replay needs: no family has anything unflushed in an older one. */
  get minLogNumber(): number {
    let least = Number.MAX_SAFE_INTEGER;
    for (const family of this.families.values()) least = Math.min(least, family.logNumber);
    return Math.max(least, this.minLogNumberToKeep);
  }

  #apply(edit: VersionEdit, offset: number): void {
    this.editCount++;
    this.#applyCounters(edit);
    if (edit.columnFamilyAdd !== undefined) this.#addFamily(edit, edit.columnFamilyAdd, offset);
    else if (edit.columnFamilyDrop) this.#dropFamily(edit, offset);
    else this.#applyToFamily(edit, offset);
  }

  #applyCounters(edit: VersionEdit): void {
    if (edit.dbId !== undefined) this.dbId = edit.dbId;
    if (edit.prevLogNumber !== undefined) this.prevLogNumber = edit.prevLogNumber;
    if (edit.logNumber !== undefined) this.#hasLogNumber = true;
    if (edit.nextFileNumber !== undefined)
      this.nextFileNumber = Math.max(this.nextFileNumber ?? 0, edit.nextFileNumber);
    if (edit.lastSequence !== undefined) this.lastSequence = Math.max(this.lastSequence ?? 0, edit.lastSequence);
    this.maxColumnFamily = Math.max(this.maxColumnFamily, edit.maxColumnFamily ?? 0);
    this.minLogNumberToKeep = Math.max(this.minLogNumberToKeep, edit.minLogNumberToKeep ?? 0);
    for (const wal of edit.walAdditions) this.wals.set(wal.number, maxSize(this.wals.get(wal.number), wal.syncedSize));
    if (edit.walDeletion !== undefined)
      for (const number of this.wals.keys()) if (number < edit.walDeletion) this.wals.delete(number);
  }

  #addFamily(edit: VersionEdit, name: string, offset: number): void {
    if (edit.columnFamilyDrop || edit.newFiles.length > 0 || edit.deletedFiles.length > 0)
      throw this.#error('an edit that adds a column family has files or a drop', offset);
    const taken = [...this.families.values()].some((family) => family.name === name);
    if (taken || this.families.has(edit.columnFamily))
      throw this.#error(`MANIFEST adding the same column family twice: ${name}`, offset);
    const family = newFamily(edit.columnFamily, name);
    family.comparatorName = edit.comparator;
    family.logNumber = edit.logNumber ?? 0;
    this.families.set(family.id, family);
    this.maxColumnFamily = Math.max(this.maxColumnFamily, family.id);
  }

  #dropFamily(edit: VersionEdit, offset: number): void {
    if (edit.newFiles.length > 0 || edit.deletedFiles.length > 0)
      throw this.#error('an edit that drops a column family has files', offset);
    if (edit.columnFamily === DEFAULT_COLUMN_FAMILY.id)
      throw this.#error('MANIFEST - dropping the default column family', offset);
    if (!this.families.delete(edit.columnFamily))
      throw this.#error('MANIFEST - dropping non-existing column family', offset);
  }

  #applyToFamily(edit: VersionEdit, offset: number): void {
    const family = this.families.get(edit.columnFamily);
    if (family === undefined)
      throw this.#error(`MANIFEST record referencing unknown column family ${edit.columnFamily}`, offset);
    if (edit.comparator !== undefined) this.#setComparator(family, edit.comparator, offset);
    if (edit.logNumber !== undefined) this.#setLogNumber(family, edit.logNumber);
    family.builder.apply(edit);
    for (const { level } of edit.newFiles) family.maxLevel = Math.max(family.maxLevel, level);
    for (const cursor of edit.compactCursors) family.compactCursors.set(cursor.level, cursor);
    for (const blob of edit.blobAdditions) family.blobFiles.set(blob.number, blob);
    for (const { file } of edit.newFiles)
      if (file.oldestBlobFile !== undefined)
        family.blobFiles.set(file.oldestBlobFile, { number: file.oldestBlobFile, count: 0, bytes: 0 });
    if (edit.fullHistoryTsLow !== undefined) family.fullHistoryTsLow = edit.fullHistoryTsLow;
  }

  #setComparator(family: ManifestFamily, name: string, offset: number): void {
    if (family.comparatorName !== undefined && family.comparatorName !== name)
      throw this.#error(
        `column family ${family.name} has two comparators: ${family.comparatorName} and ${name}`,
        offset,
      );
    family.comparatorName = name;
  }

  /** A smaller number than before is an old record that RocksDB warns about and ignores. */
  #setLogNumber(family: ManifestFamily, logNumber: number): void {
    if (logNumber > family.logNumber) family.logNumber = logNumber;
  }

  #error(what: string, offset: number): DBError {
    return corruption(`${this.#source}: ${what} (record at offset ${offset})`);
  }
}

/**
 * The tables of a replayed family as a version of `levelCount` levels. `CORRUPTION` when they break the order of a level
 * or lie too deep.
 */
export function versionOf(
  family: ManifestFamily,
  comparator: Comparator,
  levelCount: number,
  onRelease?: (version: Version) => void,
): Version {
  return family.builder.finish(comparator, levelCount, onRelease);
}

function newFamily(id: number, name: string): ManifestFamily {
  return {
    id,
    name,
    comparatorName: undefined,
    logNumber: 0,
    builder: new VersionBuilder(),
    maxLevel: 0,
    compactCursors: new Map(),
    blobFiles: new Map(),
    fullHistoryTsLow: undefined,
  };
}

function maxSize(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
