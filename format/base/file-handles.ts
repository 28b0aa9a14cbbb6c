/**
 * What readers and writers of the formats need of a file. The full seam to a disk, with directories, locks and crash
 * behaviour, is `src/env/file-system.ts`; its files implement these.
 */

/** A file read at any offset. The async form may serve a read in place when the device is known to answer fast. */
export interface RandomAccessFile {
  readonly path: string;
  /** Whether reads go past the page cache of the system. */
  readonly direct?: boolean;
  /** Reads up to `buffer.length` bytes at `offset` into `buffer`; resolves to the bytes read, fewer only at end of file. */
  read(buffer: Uint8Array, offset: number): Promise<number>;
  readSync(buffer: Uint8Array, offset: number): number;
  size(): Promise<number>;
  sizeSync(): number;
  close(): Promise<void>;
  closeSync(): void;
}

/**
 * A file that grows at its end. After a failed `append` or `sync` the position is undefined and the file is
 * `poisoned`: every later append and sync fails, and nothing may be acknowledged on it.
 */
export interface WritableFile {
  readonly path: string;
  /** Bytes appended so far. */
  readonly size: number;
  readonly poisoned: boolean;
  /** Appends all parts or throws; the parts may be reused once it settles. Survives a killed process, not a power cut. */
  append(parts: readonly Uint8Array[]): Promise<void>;
  appendSync(parts: readonly Uint8Array[]): void;
  /** fdatasync (`data`) or fsync (`full`) of this descriptor; covers appends that completed before the call. */
  sync(kind: 'data' | 'full'): Promise<void>;
  syncSync(kind: 'data' | 'full'): void;
  /** Never implies sync. */
  close(): Promise<void>;
  closeSync(): void;
}
