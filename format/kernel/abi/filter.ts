/**
 * What `assembly/filter.ts`, `bloom.ts` and `ribbon.ts` export: filter blocks, built whole from an array of hashes in
 * memory, and probed. `millibits` is the bits for each key, in thousandths. Sizes include the five bytes of metadata.
 */
export interface FilterExports {
  /** 0 if the key (or prefix) was surely not added to the filter block of any kind; 1 if it may have been. */
  filterMayMatch(filter: number, size: number, key: number, keySize: number): number;
  /** Bytes of a FastLocalBloom block for `count` keys; 0 if out of range. */
  bloomSize(count: number, millibits: number): number;
  /** Writes a FastLocalBloom block for `count` u64 hashes (`hash64`) to `out` and returns its size; 0 if out of range. */
  bloomBuild(hashes: number, count: number, millibits: number, out: number): number;
  /** Bytes of a legacy Bloom block for `count` keys; 0 if out of range. */
  legacyBloomSize(count: number, millibits: number): number;
  /** Writes a legacy Bloom block for `count` u32 hashes (`hash32`, seed 0xbc9f1d34) and returns its size. */
  legacyBloomBuild(hashes: number, count: number, millibits: number, out: number): number;
  /** Bytes of a Standard128Ribbon block for `count` keys and one false positive in `oneIn`; 0 if out of range. */
  ribbonSize(count: number, oneIn: number): number;
  /**
   * Writes a Ribbon block for `count` u64 hashes (`hash64`), which a false positive in `oneIn` is wanted of, and returns
   * its size; 0 if it cannot be built, then a Bloom filter must take its place. Needs 24 bytes a key of memory meanwhile.
   */
  ribbonBuild(hashes: number, count: number, oneIn: number, out: number): number;
}
