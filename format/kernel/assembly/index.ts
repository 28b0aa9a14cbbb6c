/** What the kernel exports: one line a file, the functions that `abi/*.ts` describes. */
export { allocatedBytes, allocationSize, free, lockAcquire, lockRelease, malloc } from './memory';
export { compareBytes, compareInternal, compareUser } from './compare';
export { crc32c, crc32cExtend, crc32cMask, crc32cUnmask } from './crc32c';
export { blockChecksum, bufferChecksum, hash64, hashHigh, xxh3, xxh32, xxh64 } from './checksum';
export { hash32, hash32Unsigned } from './filter-hash';
export { bloomBuild, bloomSize, legacyBloomBuild, legacyBloomSize } from './bloom';
export { ribbonBuild, ribbonSize } from './ribbon';
export { filterMayMatch } from './filter';
