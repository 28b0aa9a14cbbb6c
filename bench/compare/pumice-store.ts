/** Pumice as a store to compare. */

import { BlockCache, DB, WriteBatch } from '../../src/index.ts';
import type { Entry, Store, StoreKind, StoreOptions } from './store.ts';

class PumiceStore implements Store {
  private readonly db: DB;
  private readonly blockCache: BlockCache;

  constructor(db: DB, blockCache: BlockCache) {
    this.db = db;
    this.blockCache = blockCache;
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.db.put(key, value);
  }

  putSync(key: Uint8Array, value: Uint8Array): void {
    this.db.putSync(key, value);
  }

  batch(entries: readonly Entry[]): Promise<void> {
    const batch = new WriteBatch();
    for (const { key, value } of entries) {
      batch.put(key, value);
    }
    return this.db.write(batch);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.db.get(key);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.db.getSync(key);
  }

  async scan(reverse: boolean, chunk: number): Promise<{ entries: number; bytes: number }> {
    using cursor = this.db.newIterator({ reverse });
    let entries = 0;
    let bytes = 0;
    for (let rows = await cursor.nextMany(chunk); rows.length > 0; rows = await cursor.nextMany(chunk)) {
      entries += rows.length;
      for (const [key, value] of rows) {
        bytes += key.length + value.length;
      }
    }
    return { entries, bytes };
  }

  compact(): Promise<void> {
    return this.db.compactRange();
  }

  async close(): Promise<void> {
    await this.db.close();
    this.blockCache.close();
  }
}

/** Pumice with the options that match the other stores' defaults: snappy, Bloom filters of 10 bits a key. */
export const pumice: StoreKind = {
  name: 'pumice',
  async open(directory: string, options: StoreOptions): Promise<Store> {
    const blockCache = new BlockCache({ capacity: options.cacheBytes });
    const db = await DB.open(directory, {
      createIfMissing: true,
      writeBufferSize: options.writeBufferBytes,
      blockCache,
      filterPolicy: { type: 'bloom', bitsPerKey: 10 },
      compression: 'snappy',
    });
    return new PumiceStore(db, blockCache);
  },
};
