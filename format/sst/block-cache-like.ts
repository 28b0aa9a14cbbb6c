/** What a table needs of a block cache. `src/cache/block-cache.ts` is one; without any, each block read is private. */
export interface BlockCacheLike {
  /** The kernel's cache (`format/kernel/abi/block-cache.ts`). */
  readonly address: number;
}
