/**
 * Open tables by file number, at most `maxOpenFiles` of them: the least recently used one that nobody reads is closed
 * when another is needed. Readers that wait hold a pin.
 */
import type { Io } from '../../format/base/io.ts';
import { io } from '../../format/base/io.ts';
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import { levelDbTableFileName, tableFileName } from '../../format/manifest/file-name.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import type { BlockCacheLike } from '../../format/sst/block-cache-like.ts';
import { TableReader } from '../../format/sst/table-reader.ts';
import { isNotFound } from '../env/file-error.ts';
import type { FileSystem, RandomAccessFile } from '../env/file-system.ts';
import type { TimedStatistics } from '../monitoring/timed-statistics.ts';
import { TimedFile } from './timed-file.ts';

/** What a family's tables are opened with. */
export interface TableOpening {
  comparator: { id: number; name: string };
  cache: BlockCacheLike | undefined;
  /** The second cache, of blocks as they are stored. */
  compressedCache?: BlockCacheLike | undefined;
  prefixExtractor: SliceTransform | undefined;
  /** Read past the page cache of the system where that can be. */
  directReads: boolean;
  /** Address of the lookup counters in kernel memory. */
  stats: number;
}

/** Where tables are and how many may be open. */
export interface TableCacheOptions {
  fileSystem: FileSystem;
  directory: string;
  /** `Infinity`: no limit. */
  maxOpenFiles: number;
  /** Told of opens and reads; `undefined` costs nothing. */
  observer: TimedStatistics | undefined;
  /** Called for the first table that was to be read directly and cannot be. */
  onDirectRefused?: (path: string) => void;
}

interface Entry {
  reader: TableReader;
  pins: number;
  /** Taken out of the cache while pinned; closed by the last unpin. */
  evicted: boolean;
}

/** The open tables of one database. */
export class TableCache {
  readonly #options: TableCacheOptions;
  readonly #bounded: boolean;
  /** In order of use, least recent first, when the number is bounded. */
  readonly #entries = new Map<number, Entry>();
  /** Ids under which tables' blocks are cached: kept while the file lives, so that a reopened table finds its blocks. */
  readonly #tableIds = new Map<number, { plain: number; compressed: number }>();
  /** Tables that are being opened now: they count as open. */
  #opening = 0;
  /** Lookups that may still begin to read; fewer than 0 when blocking ones did not wait. */
  #lookupSlots: number;
  #waitingLookups: (() => void)[] = [];
  #closed = false;
  #toldOfRefusal = false;

  constructor(options: TableCacheOptions) {
    this.#options = options;
    this.#bounded = Number.isFinite(options.maxOpenFiles);
    // Half of the tables, so that those which lookups hold never keep all others from being opened.
    this.#lookupSlots = Math.max(1, Math.floor(options.maxOpenFiles / 2));
  }

  /** Tables open now. */
  get openCount(): number {
    return this.#entries.size;
  }

  /** The open table, or `undefined`; borrowed until the caller next waits. */
  find(number: number): TableReader | undefined {
    const entry = this.#entries.get(number);
    if (entry === undefined) return undefined;
    if (this.#bounded) this.#touch(number, entry);
    return entry.reader;
  }

  /** Opens a table unless it is open. The reader is borrowed until the caller next waits; `pin` keeps it longer. */
  *open(file: FileMetadata, opening: TableOpening): Io<TableReader> {
    const open = this.find(file.number);
    if (open !== undefined) return open;
    this.#opening++;
    let reader: TableReader;
    try {
      if (this.#bounded) this.#shrink();
      reader = yield* this.#openReader(file, opening);
    } finally {
      this.#opening--;
    }
    // Another caller may have opened it while this one waited.
    const other = this.#entries.get(file.number);
    if (other !== undefined || this.#closed) {
      reader.close();
      if (other !== undefined) return other.reader;
    } else this.#entries.set(file.number, { reader, pins: 0, evicted: false });
    return reader;
  }

  *#openReader(file: FileMetadata, opening: TableOpening): Io<TableReader> {
    const { observer } = this.#options;
    const startMicros = observer?.now() ?? 0;
    const plain = yield* this.#openFile(file.number, opening.directReads);
    const handle = observer === undefined ? plain : new TimedFile(plain, observer);
    const known = this.#tableIds.get(file.number);
    const reader = yield* TableReader.open({
      file: handle,
      fileSize: file.sizeBytes,
      fileNumber: file.number,
      comparator: opening.comparator,
      cache: opening.cache,
      tableId: known?.plain,
      compressedCache: opening.compressedCache,
      compressedTableId: known?.compressed,
      verifyChecksums: true,
      prefixExtractor: opening.prefixExtractor,
      largestSequence: file.largestSequence,
      stats: opening.stats,
    });
    this.#tableIds.set(file.number, { plain: reader.tableId, compressed: reader.compressedTableId });
    observer?.statistics.count('rocksdb.no.file.opens');
    observer?.recordSince('rocksdb.table.open.io.micros', startMicros);
    return reader;
  }

  /**
   * Lets a lookup open or read a table; it calls `leaveLookup` afterwards, and waits for nothing but that in between. So
   * thousands of lookups at once do not hold more tables than the limit. Blocking lookups are alone and pass.
   */
  *enterLookup(): Io<void> {
    if (this.#lookupSlots > 0) this.#lookupSlots--;
    else {
      yield* io(
        () => {
          this.#lookupSlots--;
        },
        () => new Promise<void>((resolve) => this.#waitingLookups.push(resolve)),
      );
    }
  }

  /** Ends `enterLookup`: the one that waits longest takes the place. */
  leaveLookup(): void {
    const next = this.#waitingLookups.shift();
    if (next === undefined) this.#lookupSlots++;
    else next();
  }

  /** Keeps the table open until the returned function is called. `undefined` when it is not open. */
  pin(number: number): (() => void) | undefined {
    const entry = this.#entries.get(number);
    if (entry === undefined) return undefined;
    entry.pins++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--entry.pins === 0 && entry.evicted) entry.reader.close();
    };
  }

  /** Takes a table out whose file is about to be deleted, and its blocks out of the block cache. */
  evict(number: number): void {
    const entry = this.#entries.get(number);
    this.#tableIds.delete(number);
    if (entry === undefined) return;
    entry.reader.eraseFromCache();
    this.#remove(number, entry);
  }

  /** Closes every table as soon as nobody reads it. */
  close(): void {
    this.#closed = true;
    for (const [number, entry] of [...this.#entries]) this.#remove(number, entry);
  }

  *#openFile(number: number, direct: boolean): Io<RandomAccessFile> {
    const { fileSystem, directory } = this.#options;
    const open = (name: string): Io<RandomAccessFile> =>
      io(
        () => fileSystem.openRandomSync(`${directory}/${name}`, { direct }),
        () => fileSystem.openRandom(`${directory}/${name}`, { direct }),
      );
    try {
      const file = yield* open(tableFileName(number));
      if (direct && file.direct !== true) this.#directRefused(file.path);
      return file;
    } catch (error) {
      this.#options.observer?.statistics.count('rocksdb.no.file.errors');
      if (!isNotFound(error)) throw error;
      try {
        return yield* open(levelDbTableFileName(number));
      } catch (second) {
        throw isNotFound(second) ? error : second;
      }
    }
  }

  #directRefused(path: string): void {
    if (this.#toldOfRefusal) return;
    this.#toldOfRefusal = true;
    this.#options.onDirectRefused?.(path);
  }

  #touch(number: number, entry: Entry): void {
    this.#entries.delete(number);
    this.#entries.set(number, entry);
  }

  /** Makes room for the tables that are being opened, as far as unpinned ones allow. */
  #shrink(): void {
    let excess = this.#entries.size + this.#opening - this.#options.maxOpenFiles;
    if (excess <= 0) return;
    for (const [number, entry] of [...this.#entries]) {
      if (excess <= 0) return;
      if (entry.pins > 0) continue;
      this.#remove(number, entry);
      excess--;
    }
  }

  #remove(number: number, entry: Entry): void {
    this.#entries.delete(number);
    entry.evicted = true;
    if (entry.pins === 0) entry.reader.close();
  }
}
