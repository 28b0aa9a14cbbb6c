/**
 * Page-aligned buffers for reads past the page cache. O_DIRECT takes no others, and WebAssembly's memories are the only ones that
 * JavaScript can have aligned.
 */

/** What positions, lengths and addresses of direct reads are multiples of: the strictest that devices ask for. */
export const DIRECT_ALIGNMENT = 4096;
/** Bytes of one buffer; longer reads take several steps. */
export const DIRECT_BUFFER_SIZE = 256 * 1024;

/** As many reads as run at once in libuv's pool, twice: the others would wait there. */
const ASYNC_BUFFERS = 8;
const PAGE_SIZE = 65536;

/** The buffers of one thread; memory is reserved by the first use, and touched as far as it is used. */
export class DirectBuffers {
  #sync: Uint8Array | undefined;
  #free: Uint8Array[] = [];
  #waiting: ((buffer: Uint8Array) => void)[] = [];

  /** A buffer for a read that ends before anything else runs; never given back. */
  get sync(): Uint8Array {
    if (this.#sync === undefined) this.#reserve();
    return this.#sync!;
  }

  /** A buffer of the caller's until `give`; waits while all are taken. */
  take(): Promise<Uint8Array> {
    if (this.#sync === undefined) this.#reserve();
    const buffer = this.#free.pop();
    if (buffer !== undefined) return Promise.resolve(buffer);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Ends `take`: whoever waits longest gets the buffer. */
  give(buffer: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }

  #reserve(): void {
    const pages = ((ASYNC_BUFFERS + 1) * DIRECT_BUFFER_SIZE) / PAGE_SIZE;
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const part = (i: number): Uint8Array => new Uint8Array(buffer, i * DIRECT_BUFFER_SIZE, DIRECT_BUFFER_SIZE);
    this.#sync = part(ASYNC_BUFFERS);
    this.#free = Array.from({ length: ASYNC_BUFFERS }, (_, i) => part(i));
  }
}
