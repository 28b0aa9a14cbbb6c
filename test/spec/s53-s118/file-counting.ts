/** A memory file system that counts its calls, and the few shapes of data that the tests of this folder share. */

import type { DB, Options } from '../../../src/index.ts';
import { Env, MemoryFileSystem } from '../../../src/index.ts';

/** An environment in memory with the number of calls by kind and path. */
export class CountingEnv {
  readonly fileSystem: MemoryFileSystem;
  readonly env: Env;
  /** Calls as `kind path`, in order. */
  calls: string[] = [];

  constructor() {
    this.fileSystem = new MemoryFileSystem({
      hooks: {
        before: (_index, operation) => {
          this.calls.push(`${operation.kind} ${operation.path}`);
          return undefined;
        },
      },
    });
    this.env = new Env({ fileSystem: this.fileSystem });
  }

  /** Calls whose `kind path` matches, since the last `clear`. */
  count(pattern: RegExp): number {
    return this.calls.filter((call) => pattern.test(call)).length;
  }

  clear(): void {
    this.calls = [];
  }
}

/** `name` with a number of `width` digits. */
export function numbered(name: string, value: number, width = 6): string {
  return `${name}${String(value).padStart(width, '0')}`;
}

/** Options of a database in memory that compacts only when it is told to. */
export function quietOptions(extra: Options = {}): Options {
  return { createIfMissing: true, disableAutoCompactions: true, env: Env.memory(), ...extra };
}

/** Every row, `key=value` as text. */
export async function rowsOf(db: DB, options?: Parameters<DB['entries']>[0]): Promise<string[]> {
  const rows: string[] = [];
  for await (const [key, value] of db.entries(options)) {
    rows.push(`${Buffer.from(key).toString('latin1')}=${Buffer.from(value).toString('latin1')}`);
  }
  return rows;
}

/** The rows under a prefix, by an iterator that may pass over tables. */
export function prefixRows(db: DB, prefix: string, backward = false): string[] {
  using iterator = db.newIterator({ prefixSameAsStart: true });
  const rows: string[] = [];
  const start = backward ? iterator.seekForPrevSync(`${prefix}~`) : iterator.seekSync(prefix);
  for (let valid = start; valid; valid = backward ? iterator.prevSync() : iterator.nextSync()) {
    rows.push(`${Buffer.from(iterator.key).toString()}=${Buffer.from(iterator.value).toString()}`);
  }
  return rows;
}

/** Reads every row, and gives the number of those with a key. */
export function scanAll(db: DB, options?: Parameters<DB['entriesSync']>[0]): number {
  let count = 0;
  for (const [key] of db.entriesSync(options)) if (key.length > 0) count++;
  return count;
}
