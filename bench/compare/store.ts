/** What a comparison needs of a key-value store; one small file a store implements it. */

/** One entry to write. */
export interface Entry {
  key: Uint8Array;
  value: Uint8Array;
}

/** An open store. All calls have the durability of a write that is with the operating system, not synced. */
export interface Store {
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  /** Undefined where the store has no blocking write. */
  putSync?(key: Uint8Array, value: Uint8Array): void;
  batch(entries: readonly Entry[]): Promise<void>;
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  getSync(key: Uint8Array): Uint8Array | undefined;
  /** Reads every entry in batches of `chunk`, forward or backward; the number of entries and bytes met. */
  scan(reverse: boolean, chunk: number): Promise<{ entries: number; bytes: number }>;
  /** A full compaction of everything. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

/** How to open a store; both get the same memory. */
export interface StoreOptions {
  writeBufferBytes: number;
  cacheBytes: number;
}

/** A kind of store. */
export interface StoreKind {
  name: string;
  open(directory: string, options: StoreOptions): Promise<Store>;
}
