/**
 * One column family of an open database: its options, its memtables and its current version. Changes happen in single
 * stretches without `await`, and each ends with `refresh`, so that readers see memtables and tables change together.
 */
import { assert } from '../../format/base/assert.ts';
import type { Comparator } from '../../format/base/comparator.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import type { CompactCursor } from '../../format/manifest/version-edit.ts';
import type { Version } from '../../format/manifest/version.ts';
import type { MemTable } from '../memtable/memtable.ts';
import type { FamilyOptions } from '../options/resolved-options.ts';
import { SuperVersion } from './super-version.ts';

/** What a family is made with; constant for its life. */
export interface ColumnFamilyIdentity {
  id: number;
  name: string;
  comparator: Comparator;
  /** The comparator's id in the kernel of this thread. */
  comparatorId: number;
}

/** Mutable state of one family. */
export class ColumnFamilyState {
  readonly id: number;
  readonly name: string;
  readonly comparator: Comparator;
  readonly comparatorId: number;
  /** Complete; the fields of `MutableFamilySettings` are replaced by `setOptions`. */
  options: FamilyOptions;
  /** Receives writes. */
  active: MemTable;
  /** Full memtables that are not flushed yet, oldest first. */
  immutables: MemTable[] = [];
  version: Version;
  /** Logs below this hold nothing unflushed of this family, as the MANIFEST says. */
  logNumber: number;
  readonly compactCursors: Map<number, CompactCursor>;
  dropped = false;
  /** Flush even fewer immutables than `minWriteBufferNumberToMerge`: somebody waits, or their log must go. */
  flushRequested = false;
  superVersion: SuperVersion;
  /** Super-versions made so far. */
  superVersionNumber = 0;

  constructor(
    identity: ColumnFamilyIdentity,
    options: FamilyOptions,
    active: MemTable,
    version: Version,
    logNumber: number,
    compactCursors: Map<number, CompactCursor> = new Map(),
  ) {
    this.id = identity.id;
    this.name = identity.name;
    this.comparator = identity.comparator;
    this.comparatorId = identity.comparatorId;
    this.options = options;
    this.active = active;
    this.version = version;
    this.logNumber = logNumber;
    this.compactCursors = compactCursors;
    this.superVersion = new SuperVersion([active], version);
  }

  get mergeOperator(): MergeOperator | undefined {
    return this.options.mergeOperator?.value;
  }

  get prefixExtractor(): SliceTransform | undefined {
    return this.options.prefixExtractor?.value;
  }

  /** Whether anything is not in tables yet. */
  get hasUnflushedData(): boolean {
    return this.active.entryCount > 0 || this.immutables.length > 0;
  }

  /** The oldest log that still holds something of this family that is not in tables. */
  get oldestLogNeeded(): number {
    const oldest = this.immutables[0] ?? this.active;
    return oldest.entryCount > 0 ? Math.max(oldest.logNumber, this.logNumber) : Number.MAX_SAFE_INTEGER;
  }

  /** Puts `fresh` in the place of the active memtable. `logNumber` is the log that `fresh` begins with. */
  switchMemtable(fresh: MemTable, logNumber: number): void {
    this.active.markImmutable();
    this.active.nextLogNumber = logNumber;
    this.immutables = [...this.immutables, this.active];
    fresh.logNumber = logNumber;
    this.active = fresh;
    this.refresh();
  }

  /** Installs a version and takes away the memtables that it contains now. Takes over the caller's reference to `version`. */
  install(version: Version, flushed: readonly MemTable[] = []): void {
    const previous = this.version;
    this.version = version;
    this.immutables = this.immutables.filter((memtable) => !flushed.includes(memtable));
    this.refresh();
    previous.unref();
    for (const memtable of flushed) memtable.unref();
  }

  /** Makes a super-version of the present state. */
  refresh(): void {
    const previous = this.superVersion;
    this.superVersion = new SuperVersion([this.active, ...this.immutables.toReversed()], this.version);
    this.superVersionNumber++;
    previous.unref();
  }

  /** Gives up everything the family owns; readers keep what they hold. REQUIRES no job of it to run. */
  release(): void {
    assert(this.superVersion !== undefined, 'a family is released once');
    this.superVersion.unref();
    this.active.unref();
    for (const memtable of this.immutables) memtable.unref();
    this.immutables = [];
    this.version.unref();
  }
}
