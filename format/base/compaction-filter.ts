/** What a compaction filter says of one entry. */
export type FilterVerdict = 'keep' | 'remove' | { value: Uint8Array };

/** Lets an application drop or change values while a compaction passes over them. */
export interface CompactionFilter {
  readonly name: string;
  /**
   * Called once for each value that no snapshot can see. The arrays are borrowed for the call. A throw fails the
   * compaction and leaves its inputs as they were.
   */
  filter(level: number, key: Uint8Array, value: Uint8Array): FilterVerdict;
}

/** Makes a filter of its own for each compaction. */
export interface CompactionFilterFactory {
  readonly name: string;
  createFilter(context: { isFullCompaction: boolean; isManualCompaction: boolean }): CompactionFilter | undefined;
}
