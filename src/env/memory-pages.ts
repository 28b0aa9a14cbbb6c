/**
 * The bytes of a file in memory: 4 KiB pages, shared between files and crash images until one of them writes. Taking
 * an image of a file therefore costs one reference a page.
 */

/** Bytes a page. */
export const PAGE_SIZE = 4096;

/** A page. Once `shared` it never changes again; a writer makes its own copy. */
export interface Page {
  readonly bytes: Uint8Array;
  shared: boolean;
  /** Hash of the bytes, kept once the page is shared. */
  hash?: string;
}

/** Pages are cut from slabs: an allocation of its own for each costs ten times as much as filling it. */
const SLAB_SIZE = 32 * PAGE_SIZE;
let slab = new ArrayBuffer(0);
let slabUsed = 0;

function takeBytes(): Uint8Array {
  if (slabUsed === slab.byteLength) {
    slab = new ArrayBuffer(SLAB_SIZE);
    slabUsed = 0;
  }
  const bytes = new Uint8Array(slab, slabUsed, PAGE_SIZE);
  slabUsed += PAGE_SIZE;
  return bytes;
}

/** A page of these bytes (at most `PAGE_SIZE`, the rest is zero). */
export function makePage(bytes?: Uint8Array): Page {
  const page = { bytes: takeBytes(), shared: false };
  if (bytes !== undefined) page.bytes.set(bytes);
  return page;
}

/** Two lanes of 32-bit multiply-rotate; for telling states apart, not for safety. */
function hashWords(words: Int32Array): string {
  let a = 0x2545f491;
  let b = 0x1b873593;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    a = Math.imul(a ^ word, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(((b << 7) | (b >>> 25)) + word, 0x85ebca6b);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

const ZERO_HASH = hashWords(new Int32Array(PAGE_SIZE / 4));

function hashOfPage(page: Page | undefined): string {
  if (page === undefined) return ZERO_HASH;
  if (page.hash !== undefined) return page.hash;
  const hash = hashWords(new Int32Array(page.bytes.buffer, page.bytes.byteOffset, PAGE_SIZE / 4));
  if (page.shared) page.hash = hash;
  return hash;
}

/** A sequence of bytes in pages. Bytes behind `size` in the last page are zero, and a missing page is all zero. */
export class PagedBytes {
  #pages: (Page | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get pageCount(): number {
    return this.#pages.length;
  }

  /** An equal sequence that shares all pages. */
  share(): PagedBytes {
    const copy = new PagedBytes();
    for (const page of this.#pages) if (page !== undefined) page.shared = true;
    copy.#pages = this.#pages.slice();
    copy.#size = this.#size;
    return copy;
  }

  /** The page, from now on shared; `undefined`: zeros. */
  sharePage(index: number): Page | undefined {
    const page = this.#pages[index];
    if (page !== undefined) page.shared = true;
    return page;
  }

  /** Puts a shared page in place. REQUIRES: `clearTail` once the size is right, unless the page is zero behind it. */
  setPage(index: number, page: Page | undefined): void {
    while (this.#pages.length < index) this.#pages.push(undefined);
    this.#pages[index] = page;
  }

  /** Copies to `buffer` what stands from `offset`; gives the count. */
  read(buffer: Uint8Array, offset: number): number {
    const count = Math.max(0, Math.min(buffer.length, this.#size - offset));
    for (let done = 0; done < count; ) {
      const within = (offset + done) % PAGE_SIZE;
      const length = Math.min(PAGE_SIZE - within, count - done);
      const page = this.#pages[Math.floor((offset + done) / PAGE_SIZE)];
      if (page === undefined) buffer.fill(0, done, done + length);
      else buffer.set(page.bytes.subarray(within, within + length), done);
      done += length;
    }
    return count;
  }

  /** Writes at `offset`, growing as need be. */
  write(bytes: Uint8Array, offset: number): void {
    for (let done = 0; done < bytes.length; ) {
      const within = (offset + done) % PAGE_SIZE;
      const length = Math.min(PAGE_SIZE - within, bytes.length - done);
      const page = this.#ownPage(Math.floor((offset + done) / PAGE_SIZE));
      page.bytes.set(length === bytes.length ? bytes : bytes.subarray(done, done + length), within);
      done += length;
    }
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  /** Cuts, or lengthens with zeros. */
  resize(size: number): void {
    const shrinks = size < this.#size;
    this.#size = size;
    if (shrinks) this.clearTail();
  }

  /** Clears what stands behind `size`; needed after `setPage` brought bytes there. */
  clearTail(): void {
    const pages = Math.ceil(this.#size / PAGE_SIZE);
    if (this.#pages.length > pages) this.#pages.length = pages;
    const tail = this.#size % PAGE_SIZE;
    if (tail !== 0 && this.#pages.length === pages && this.#pages[pages - 1] !== undefined) {
      this.#ownPage(pages - 1).bytes.fill(0, tail);
    }
  }

  /** Equal for equal bytes and sizes. */
  hash(): string {
    let text = `${this.#size}`;
    const pages = Math.ceil(this.#size / PAGE_SIZE);
    for (let i = 0; i < pages; i++) text += `,${hashOfPage(this.#pages[i])}`;
    return text;
  }

  #ownPage(index: number): Page {
    while (this.#pages.length <= index) this.#pages.push(undefined);
    let page = this.#pages[index];
    if (page === undefined || page.shared) {
      page = makePage(page?.bytes);
      this.#pages[index] = page;
    }
    return page;
  }
}
