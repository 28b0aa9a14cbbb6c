/**
 * The allocator of the shared memory, and the smallest helpers over raw bytes: wide copies, varints with bounds.
 *
 * Its whole state lies at the fixed addresses 64..4095, so that the instances of all threads agree on it; one spin lock
 * guards it. The heap begins with a table of one descriptor a 64 KiB page, followed by the pages themselves:
 *
 * - Small objects (up to 32 KiB) come from spans: one to four pages cut into objects of one size class, with the free
 *   objects of a span in a list threaded through them. Eight classes a doubling keep the waste under 12.5 %.
 * - Larger requests are runs of whole pages. Free runs stand in bins by length, carry their length in the descriptors of
 *   both their ends, and so coalesce with their neighbours when freed.
 *
 * The last page of the memory is never handed out: a wide load near the end of any allocation stays inside the memory.
 */

/** Bytes that parsers may read past an allocation which was made with this much to spare. */
export const SLACK: usize = 16;

const LOCK: usize = 64;
const READY: usize = 68;
const FRONTIER: usize = 72; // first page never handed out
const PAGE_LIMIT: usize = 76; // first page that must not be used
const DESCRIPTORS: usize = 80; // address of the page descriptors
const BIN_MAP: usize = 88; // u64: which bins hold a run
const ALLOCATED: usize = 96; // u64: bytes handed out, after rounding
const CLASS_HEADS: usize = 128; // first page of a span with a free object, one u32 a class
const CLASS_HEADS_END: usize = 128 + 72 * 4;
const BIN_HEADS: usize = 512; // first page of a free run, one u32 a bin

const PAGE_SHIFT: u32 = 16;
const PAGE_SIZE: u32 = 1 << PAGE_SHIFT;
const SMALL_SIZE_MAX: u32 = 32768;
const EXACT_BINS: u32 = 32;

// A page descriptor. `count` is the pages of the run or span, in the tail of a free run and inside a span the head page.
const DESCRIPTOR_SIZE: u32 = 32;
const D_KIND: usize = 0;
const D_COUNT: usize = 4;
const D_NEXT: usize = 8;
const D_PREVIOUS: usize = 12;
const D_CLASS: usize = 16;
const D_FREE: usize = 20; // address of the first freed object
const D_FRESH: usize = 24; // address of the first object never handed out, 0 if none is left
const D_USED: usize = 28;

const KIND_NONE: u32 = 0;
const KIND_FREE_HEAD: u32 = 1;
const KIND_FREE_TAIL: u32 = 2;
const KIND_RUN: u32 = 3;
const KIND_SPAN: u32 = 4;
const KIND_SPAN_INNER: u32 = 5;

/** Written into a freed object, mixed with its address: finding it on free means that the object is free already. */
const FREED: u64 = 0xf7ee_d0b1_ec70_aaaa;

/** Takes the spin lock at `address` (an i32 that is 0 when free); yields the processor when the holder was preempted. */
export function lockAcquire(address: usize): void {
  let spins = 0;
  while (atomic.cmpxchg<i32>(address, 0, 1) != 0) {
    if (++spins > 400) {
      atomic.wait<i32>(address, 1, 50_000);
      spins = 0;
    }
  }
}

/** Releases a lock taken by `lockAcquire`. */
export function lockRelease(address: usize): void {
  atomic.store<i32>(address, 0);
}

/** A 16-aligned address of `size` usable bytes (contents undefined), or 0 when the memory is exhausted. */
export function malloc(size: u32): usize {
  lockAcquire(LOCK);
  if (load<u32>(READY) == 0) initialize();
  const address = size <= SMALL_SIZE_MAX ? mallocSmall(size) : mallocRun(size);
  lockRelease(LOCK);
  return address;
}

/** Gives back what `malloc` returned (0 is ignored). Traps on a double free and on an address that is no allocation. */
export function free(address: usize): void {
  if (address == 0) return;
  lockAcquire(LOCK);
  const page = headPage(address);
  const d = descriptor(page);
  const kind = load<u32>(d, D_KIND);
  let valid: bool;
  if (kind == KIND_SPAN) valid = freeSmall(address, page, d);
  else valid = kind == KIND_RUN && address == <usize>(page << PAGE_SHIFT) && freeRunOf(page, d);
  lockRelease(LOCK);
  if (!valid) unreachable();
}

/** The usable size of an allocation: at least what was asked for. */
export function allocationSize(address: usize): u32 {
  const d = descriptor(headPage(address));
  if (load<u32>(d, D_KIND) == KIND_RUN) return load<u32>(d, D_COUNT) << PAGE_SHIFT;
  return classSize(load<u32>(d, D_CLASS));
}

/** Bytes handed out and not yet freed, after rounding to size classes and pages. */
export function allocatedBytes(): f64 {
  lockAcquire(LOCK);
  const bytes = <f64>load<u64>(ALLOCATED);
  lockRelease(LOCK);
  return bytes;
}

function initialize(): void {
  const pages = <u32>memory.size();
  const first = <u32>((__heap_base + PAGE_SIZE - 1) >> PAGE_SHIFT);
  const tablePages = (pages * DESCRIPTOR_SIZE + PAGE_SIZE - 1) >> PAGE_SHIFT;
  store<u32>(DESCRIPTORS, first << PAGE_SHIFT);
  store<u32>(FRONTIER, first + tablePages);
  store<u32>(PAGE_LIMIT, pages - 1);
  store<u32>(READY, 1);
}

// @ts-ignore: decorator
@inline
function descriptor(page: u32): usize {
  return load<u32>(DESCRIPTORS) + page * DESCRIPTOR_SIZE;
}

/** The first page of the run or span that `address` lies in; traps for an address outside the heap. */
function headPage(address: usize): u32 {
  const page = <u32>(address >> PAGE_SHIFT);
  if (page >= load<u32>(FRONTIER) || address < <usize>load<u32>(DESCRIPTORS)) {
    lockRelease(LOCK);
    unreachable();
  }
  const d = descriptor(page);
  return load<u32>(d, D_KIND) == KIND_SPAN_INNER ? load<u32>(d, D_COUNT) : page;
}

/** Classes 0..7 are 16..128 in steps of 16; from there on eight a doubling. */
function classOf(size: u32): u32 {
  if (size <= 128) return size == 0 ? 0 : (size - 1) >> 4;
  const log = 31 - clz(size - 1);
  return ((log - 7) << 3) + ((size - 1) >> (log - 3));
}

function classSize(index: u32): u32 {
  if (index < 8) return (index + 1) << 4;
  return ((index & 7) + 9) << ((index >> 3) + 3);
}

function mallocSmall(size: u32): usize {
  const index = classOf(size);
  const objectSize = classSize(index);
  const head = CLASS_HEADS + (index << 2);
  let page = load<u32>(head);
  if (page == 0) {
    page = newSpan(index, objectSize);
    if (page == 0) return 0;
  }
  const d = descriptor(page);
  let address: usize = load<u32>(d, D_FREE);
  if (address != 0) {
    store<u32>(d, load<u32>(address), D_FREE);
  } else {
    address = load<u32>(d, D_FRESH);
    const next = <u32>address + objectSize;
    const end = (page + load<u32>(d, D_COUNT)) << PAGE_SHIFT;
    store<u32>(d, next + objectSize <= end ? next : 0, D_FRESH);
  }
  store<u64>(address, 0, 8); // a mark may be left here, even in a fresh object: from an earlier life of the page
  store<u32>(d, load<u32>(d, D_USED) + 1, D_USED);
  if (load<u32>(d, D_FREE) == 0 && load<u32>(d, D_FRESH) == 0) unlink(head, d);
  store<u64>(ALLOCATED, load<u64>(ALLOCATED) + objectSize);
  return address;
}

function newSpan(index: u32, objectSize: u32): u32 {
  const count: u32 = objectSize <= 8192 ? 1 : 4;
  const page = takePages(count);
  if (page == 0) return 0;
  const d = descriptor(page);
  store<u32>(d, KIND_SPAN, D_KIND);
  store<u32>(d, index, D_CLASS);
  store<u32>(d, 0, D_FREE);
  store<u32>(d, page << PAGE_SHIFT, D_FRESH);
  store<u32>(d, 0, D_USED);
  for (let i: u32 = 1; i < count; i++) {
    const inner = descriptor(page + i);
    store<u32>(inner, KIND_SPAN_INNER, D_KIND);
    store<u32>(inner, page, D_COUNT);
  }
  push(CLASS_HEADS + (index << 2), page, d);
  return page;
}

function freeSmall(address: usize, page: u32, d: usize): bool {
  const index = load<u32>(d, D_CLASS);
  const objectSize = classSize(index);
  if ((<u32>address - (page << PAGE_SHIFT)) % objectSize != 0) return false;
  const mark = FREED ^ <u64>address;
  if (load<u64>(address, 8) == mark) return false;
  const head = CLASS_HEADS + (index << 2);
  const first = load<u32>(d, D_FREE);
  if (first == 0 && load<u32>(d, D_FRESH) == 0) push(head, page, d);
  store<u32>(address, first);
  store<u64>(address, mark, 8);
  store<u32>(d, <u32>address, D_FREE);
  store<u64>(ALLOCATED, load<u64>(ALLOCATED) - objectSize);
  const used = load<u32>(d, D_USED) - 1;
  store<u32>(d, used, D_USED);
  // One empty span a class stays, so that a lone object which comes and goes does not cut a span each time.
  if (used == 0 && (load<u32>(head) != page || load<u32>(d, D_NEXT) != 0)) {
    unlink(head, d);
    releasePages(page, load<u32>(d, D_COUNT));
  }
  return true;
}

function mallocRun(size: u32): usize {
  const count = <u32>((<u64>size + PAGE_SIZE - 1) >> PAGE_SHIFT);
  const page = takePages(count);
  if (page == 0) return 0;
  store<u32>(descriptor(page), KIND_RUN, D_KIND);
  store<u64>(ALLOCATED, load<u64>(ALLOCATED) + (<u64>count << PAGE_SHIFT));
  return page << PAGE_SHIFT;
}

function freeRunOf(page: u32, d: usize): bool {
  const count = load<u32>(d, D_COUNT);
  store<u64>(ALLOCATED, load<u64>(ALLOCATED) - (<u64>count << PAGE_SHIFT));
  releasePages(page, count);
  return true;
}

/** Bins 0..31 hold runs of exactly 1..32 pages; each further bin one doubling. */
function binOf(count: u32): u32 {
  if (count <= EXACT_BINS) return count - 1;
  return EXACT_BINS + (31 - clz(count - 1)) - 5;
}

/** Takes `count` adjacent pages and sets the count of the first; 0 if there are none even after giving up empty spans. */
function takePages(count: u32): u32 {
  const page = findPages(count);
  return page == 0 && releaseEmptySpans() ? findPages(count) : page;
}

/** Gives back the empty spans that were kept; false if there was none. */
function releaseEmptySpans(): bool {
  let any = false;
  for (let head = CLASS_HEADS; head < CLASS_HEADS_END; head += 4) {
    for (let page = load<u32>(head); page != 0; ) {
      const d = descriptor(page);
      const next = load<u32>(d, D_NEXT);
      if (load<u32>(d, D_USED) == 0) {
        unlink(head, d);
        releasePages(page, load<u32>(d, D_COUNT));
        any = true;
      }
      page = next;
    }
  }
  return any;
}

/** The first free run that fits, else pages never used. */
function findPages(count: u32): u32 {
  let bins = load<u64>(BIN_MAP) >> binOf(count) << binOf(count);
  while (bins != 0) {
    const bin = <u32>ctz(bins);
    bins &= bins - 1;
    for (let page = load<u32>(BIN_HEADS + (bin << 2)); page != 0; page = load<u32>(descriptor(page), D_NEXT)) {
      const have = load<u32>(descriptor(page), D_COUNT);
      if (have < count) continue;
      removeRun(page, have);
      if (have > count) insertRun(page + count, have - count);
      store<u32>(descriptor(page), count, D_COUNT);
      return page;
    }
  }
  const page = load<u32>(FRONTIER);
  const limit = load<u32>(PAGE_LIMIT);
  if (page >= limit || limit - page < count) return 0;
  store<u32>(FRONTIER, page + count);
  store<u32>(descriptor(page), count, D_COUNT);
  return page;
}

function releasePages(first: u32, length: u32): void {
  let page = first;
  let count = length;
  for (let i: u32 = 0; i < count; i++) store<u32>(descriptor(page + i), KIND_NONE, D_KIND);
  const before = descriptor(page - 1);
  // The page before the first heap page holds descriptors; its own descriptor is never written, so its kind is 0.
  if (load<u32>(before, D_KIND) == KIND_FREE_TAIL) {
    const head = load<u32>(before, D_COUNT);
    removeRun(head, page - head);
    count += page - head;
    page = head;
  } else if (load<u32>(before, D_KIND) == KIND_FREE_HEAD) {
    removeRun(page - 1, 1);
    count += 1;
    page -= 1;
  }
  const next = page + count;
  const frontier = load<u32>(FRONTIER);
  if (next < frontier && load<u32>(descriptor(next), D_KIND) == KIND_FREE_HEAD) {
    const more = load<u32>(descriptor(next), D_COUNT);
    removeRun(next, more);
    count += more;
  }
  if (page + count == frontier) store<u32>(FRONTIER, page);
  else insertRun(page, count);
}

function insertRun(page: u32, count: u32): void {
  const tail = descriptor(page + count - 1);
  store<u32>(tail, KIND_FREE_TAIL, D_KIND);
  store<u32>(tail, page, D_COUNT);
  const d = descriptor(page);
  store<u32>(d, KIND_FREE_HEAD, D_KIND);
  store<u32>(d, count, D_COUNT);
  const bin = binOf(count);
  push(BIN_HEADS + (bin << 2), page, d);
  store<u64>(BIN_MAP, load<u64>(BIN_MAP) | ((<u64>1) << bin));
}

function removeRun(page: u32, count: u32): void {
  const d = descriptor(page);
  store<u32>(descriptor(page + count - 1), KIND_NONE, D_KIND);
  store<u32>(d, KIND_NONE, D_KIND);
  const bin = binOf(count);
  const head = BIN_HEADS + (bin << 2);
  unlink(head, d);
  if (load<u32>(head) == 0) store<u64>(BIN_MAP, load<u64>(BIN_MAP) & ~((<u64>1) << bin));
}

function push(head: usize, page: u32, d: usize): void {
  const next = load<u32>(head);
  store<u32>(d, next, D_NEXT);
  store<u32>(d, 0, D_PREVIOUS);
  if (next != 0) store<u32>(descriptor(next), page, D_PREVIOUS);
  store<u32>(head, page);
}

function unlink(head: usize, d: usize): void {
  const next = load<u32>(d, D_NEXT);
  const previous = load<u32>(d, D_PREVIOUS);
  if (previous != 0) store<u32>(descriptor(previous), next, D_NEXT);
  else store<u32>(head, next);
  if (next != 0) store<u32>(descriptor(next), previous, D_PREVIOUS);
}
