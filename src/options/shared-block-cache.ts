/** What an option may hold as a block cache: `src/cache/block-cache.ts` is the implementation. May be shared by databases. */
export interface SharedBlockCache {
  /** Bytes the cache may hold. */
  capacity: number;
  readonly usage: number;
  readonly pinnedUsage: number;
}
