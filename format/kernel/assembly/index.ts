/** What the kernel exports: one line a file, the functions that `abi/*.ts` describes. */
export { allocatedBytes, allocationSize, free, lockAcquire, lockRelease, malloc } from './memory';
export { compareBytes, compareInternal, compareUser } from './compare';
