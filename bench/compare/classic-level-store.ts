/** classic-level, the LevelDB binding of the Node world, as a store to compare. */

import { ClassicLevel } from 'classic-level';
import type { Entry, Store, StoreKind, StoreOptions } from './store.ts';

type Level = ClassicLevel<Uint8Array, Uint8Array>;

class ClassicLevelStore implements Store {
  private readonly db: Level;

  constructor(db: Level) {
    this.db = db;
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.db.put(key, value);
  }

  batch(entries: readonly Entry[]): Promise<void> {
    return this.db.batch(entries.map(({ key, value }) => ({ type: 'put', key, value })));
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.db.get(key);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.db.getSync(key);
  }

  async scan(reverse: boolean, chunk: number): Promise<{ entries: number; bytes: number }> {
    const iterator = this.db.iterator({ reverse, fillCache: true });
    let entries = 0;
    let bytes = 0;
    try {
      for (let rows = await iterator.nextv(chunk); rows.length > 0; rows = await iterator.nextv(chunk)) {
        entries += rows.length;
        for (const [key, value] of rows) {
          bytes += key.length + value.length;
        }
      }
    } finally {
      await iterator.close();
    }
    return { entries, bytes };
  }

  compact(): Promise<void> {
    return this.db.compactRange(new Uint8Array(0), new Uint8Array(32).fill(0xff));
  }

  close(): Promise<void> {
    return this.db.close();
  }
}

/** classic-level with its own defaults but for the memory, which is that of the other stores. */
export const classicLevel: StoreKind = {
  name: 'classic-level',
  async open(directory: string, options: StoreOptions): Promise<Store> {
    const db: Level = new ClassicLevel(directory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      writeBufferSize: options.writeBufferBytes,
      cacheSize: options.cacheBytes,
    });
    await db.open();
    return new ClassicLevelStore(db);
  },
};
