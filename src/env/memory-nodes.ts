/**
 * Files and directories in memory, each twice: as programs see it, and as a disk would hold it after a power cut, with
 * the ordered list of what lies between. A sync moves operations from the list to the durable side.
 */
import { PAGE_SIZE, type Page, type PagedBytes } from './memory-pages.ts';

/** A change of a file's bytes that no sync has covered. `index` is its place among all operations of the file system. */
export interface FileChange {
  readonly index: number;
  /** `undefined`: a change of size only. */
  readonly range: { readonly start: number; readonly end: number } | undefined;
  readonly sizeAfter: number;
  /** The bytes, once they may differ from what the file holds now. */
  bytes: Uint8Array | undefined;
}

/**
 * What a failed sync leaves of the bytes it should have written; all pages count as clean afterwards. `cached`: they can
 * be read until the power goes, and are not on the disk. `old`: the pages fell back to what the disk holds. `zero`: the
 * same, and the new length is on the disk, so that zeros stand where nothing was before.
 */
export type FailedSyncOutcome = 'cached' | 'old' | 'zero';

/** A file. */
export class MemoryFile {
  readonly kind = 'file';
  readonly current: PagedBytes;
  durable: PagedBytes;
  readonly changes: FileChange[] = [];
  modifiedMicros: number;
  links = 0;
  handles = 0;
  lockedSince: number | undefined;
  /** End of the furthest range in `changes`; a write before it may overlap one of them. */
  #changedTo = 0;
  /** Whether bytes can be read that neither `durable` nor `changes` have, left by a failed sync. */
  #hasLostBytes = false;

  /** A file whose bytes are durable. */
  constructor(durable: PagedBytes, modifiedMicros: number) {
    this.durable = durable;
    this.current = durable.share();
    this.modifiedMicros = modifiedMicros;
  }

  /** Writes; `index` undefined: durability is not modelled. */
  write(index: number | undefined, bytes: Uint8Array, offset: number): void {
    if (index !== undefined && offset < this.#changedTo) this.#keepBytes();
    this.current.write(bytes, offset);
    if (index === undefined) return;
    const end = offset + bytes.length;
    const last = this.changes.at(-1);
    // The parts of one append are one write: a cut leaves a prefix of them all.
    const isNextPart = last?.index === index && last.range?.end === offset;
    const start = isNextPart ? last.range!.start : offset;
    if (isNextPart) this.changes.pop();
    this.#changedTo = Math.max(this.#changedTo, end);
    this.changes.push({ index, range: { start, end }, sizeAfter: this.current.size, bytes: undefined });
  }

  resize(index: number | undefined, size: number): void {
    if (index !== undefined) this.#keepBytes();
    this.current.resize(size);
    if (index !== undefined) this.changes.push({ index, range: undefined, sizeAfter: size, bytes: undefined });
  }

  /** A sync that was called before operation `limit` has succeeded. */
  commit(limit: number): void {
    const covered = this.#takeChanges(limit);
    if (covered.length === 0) return;
    const isWhole = this.changes.length === 0 && covered.every((change) => change.range !== undefined);
    if (isWhole) {
      for (const page of pagesOf(covered)) this.durable.setPage(page, this.current.sharePage(page));
      this.durable.resize(covered.at(-1)!.sizeAfter);
    } else {
      for (const change of covered) this.apply(change, this.durable);
    }
  }

  /** A sync that was called before operation `limit` has failed: Linux reports that once and calls the pages clean. */
  failSync(limit: number, outcome: FailedSyncOutcome): void {
    const covered = this.#takeChanges(limit);
    if (outcome === 'cached') this.#hasLostBytes = true;
    if (outcome === 'cached' || covered.length === 0) return;
    this.#keepBytes();
    for (const page of pagesOf(covered)) this.current.setPage(page, this.durable.sharePage(page));
    this.current.clearTail();
    if (outcome === 'zero') this.durable.resize(Math.max(this.durable.size, covered.at(-1)!.sizeAfter));
  }

  /** The bytes after a cut that keeps all changes. */
  bytesOfAllChanges(): PagedBytes {
    if (!this.#hasLostBytes) return this.current.share();
    const bytes = this.durable.share();
    for (const change of this.changes) this.apply(change, bytes);
    return bytes;
  }

  /** Carries a change out on `target`; `end` cuts a write short. */
  apply(change: FileChange, target: PagedBytes, end = Number.POSITIVE_INFINITY): void {
    if (change.range === undefined) {
      target.resize(change.sizeAfter);
      return;
    }
    const { start } = change.range;
    const bytes = this.bytesOf(change).subarray(0, Math.max(0, end - start));
    if (start > target.size) target.resize(start);
    target.write(bytes, start);
  }

  /** The bytes that a write wrote. */
  bytesOf(change: FileChange): Uint8Array {
    if (change.bytes !== undefined) return change.bytes;
    if (change.range === undefined) return new Uint8Array(0);
    const bytes = new Uint8Array(change.range.end - change.range.start);
    this.current.read(bytes, change.range.start);
    return bytes;
  }

  /** Pages that a power cut may leave old or new. */
  dirtyPages(): Set<number> {
    return pagesOf(this.changes);
  }

  /** From here on the bytes of the changes so far cannot be read back from the file. */
  #keepBytes(): void {
    for (const change of this.changes) change.bytes ??= this.bytesOf(change);
    this.#changedTo = 0;
  }

  #takeChanges(limit: number): FileChange[] {
    let count = 0;
    while (count < this.changes.length && this.changes[count]!.index < limit) count++;
    const covered = this.changes.splice(0, count);
    if (this.changes.length === 0) this.#changedTo = 0;
    return covered;
  }
}

function pagesOf(changes: readonly FileChange[]): Set<number> {
  const pages = new Set<number>();
  for (const { range } of changes) {
    if (range === undefined || range.end === range.start) continue;
    const last = Math.floor((range.end - 1) / PAGE_SIZE);
    for (let page = Math.floor(range.start / PAGE_SIZE); page <= last; page++) pages.add(page);
  }
  return pages;
}

/** A name in a directory. */
export interface EntryPlace {
  readonly directory: MemoryDirectory;
  readonly name: string;
}

/** A change of names. A rename has both sides and happens whole or not at all, between two directories too. */
export interface EntryChange {
  readonly index: number;
  readonly removed: EntryPlace | undefined;
  readonly added: (EntryPlace & { readonly node: MemoryNode }) | undefined;
  /** Directories that must still be synced before the change is durable. */
  readonly unsynced: Set<MemoryDirectory>;
}

/** A directory. */
export class MemoryDirectory {
  readonly kind = 'directory';
  readonly entries: Map<string, MemoryNode>;
  modifiedMicros: number;
  /** Durable names, without those of `changes`. */
  readonly #durable: Map<string, MemoryNode>;
  #changes: EntryChange[] = [];

  /** A directory whose names are durable. */
  constructor(durable: Map<string, MemoryNode>, modifiedMicros: number) {
    this.#durable = durable;
    this.entries = new Map(durable);
    this.modifiedMicros = modifiedMicros;
  }

  /** Changes since the oldest that is not durable; later ones may be durable already. */
  get changes(): readonly EntryChange[] {
    return this.#changes;
  }

  record(change: EntryChange): void {
    this.#changes.push(change);
  }

  /** A sync that was called before operation `limit` has succeeded. */
  commit(limit: number): void {
    const touched = new Set<MemoryDirectory>([this]);
    for (const change of this.#changes) {
      if (change.index >= limit) break;
      change.unsynced.delete(this);
      if (change.removed !== undefined) touched.add(change.removed.directory);
      if (change.added !== undefined) touched.add(change.added.directory);
    }
    for (const directory of touched) directory.#fold();
  }

  /** The names after a power cut that keeps those changes that `keep` says, and all that are durable. */
  namesAfterCut(keep: (change: EntryChange) => boolean): Map<string, MemoryNode> {
    const names = new Map(this.#durable);
    for (const change of this.#changes) if (change.unsynced.size === 0 || keep(change)) this.#apply(change, names);
    return names;
  }

  #fold(): void {
    let count = 0;
    while (count < this.#changes.length && this.#changes[count]!.unsynced.size === 0) {
      this.#apply(this.#changes[count]!, this.#durable);
      count++;
    }
    if (count > 0) this.#changes = this.#changes.slice(count);
  }

  #apply(change: EntryChange, names: Map<string, MemoryNode>): void {
    if (change.removed?.directory === this) names.delete(change.removed.name);
    if (change.added?.directory === this) names.set(change.added.name, change.added.node);
  }
}

/** What a name stands for. */
export type MemoryNode = MemoryFile | MemoryDirectory;

/** Pages of deleted files, which a careless disk shows in new files after a cut. */
export class StalePages {
  readonly #pages: Page[] = [];
  readonly #limit = 16;

  /** Remembers pages of a file that is going away. */
  add(bytes: PagedBytes): void {
    for (let i = 0; i < Math.min(bytes.pageCount, 4); i++) {
      const page = bytes.sharePage(i);
      if (page !== undefined) this.#pages.push(page);
    }
    if (this.#pages.length > this.#limit) this.#pages.splice(0, this.#pages.length - this.#limit);
  }

  get pages(): readonly Page[] {
    return this.#pages;
  }
}
