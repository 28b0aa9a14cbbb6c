/** What `assembly/memory.ts` and `assembly/compare.ts` export: the allocator of the shared memory, and orders of keys. */
export interface MemoryExports {
  /**
   * A 16-aligned address (an i32: use `>>> 0`) of `size` usable bytes with undefined contents, or 0 when the memory is
   * exhausted. Safe from any thread; the bytes belong to the caller until `free`.
   */
  malloc(size: number): number;
  /** Gives back an allocation, from any thread; 0 is ignored. Traps on a double free and on a foreign address. */
  free(address: number): void;
  /** Usable bytes of an allocation: what was asked for, rounded up to its size class or to 64 KiB pages. */
  allocationSize(address: number): number;
  /** Bytes allocated by all threads and not yet freed, after rounding. */
  allocatedBytes(): number;
  /** Takes the spin lock at `address`, an i32 that is 0 when free. */
  lockAcquire(address: number): void;
  /** Releases a lock that this thread took. */
  lockRelease(address: number): void;

  /** Unsigned byte order of two strings, the shorter first: negative, 0 or positive. */
  compareBytes(a: number, aSize: number, b: number, bSize: number): number;
  /** Order of two user keys by a comparator id: 0 bytewise, 1 reverse bytewise, else one that the host registered. */
  compareUser(comparator: number, a: number, aSize: number, b: number, bSize: number): number;
  /** Order of two internal keys, both of at least 8 bytes: user keys by comparator, then the 8-byte trailer descending. */
  compareInternal(comparator: number, a: number, aSize: number, b: number, bSize: number): number;
}
