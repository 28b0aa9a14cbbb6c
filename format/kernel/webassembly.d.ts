/** The part of the WebAssembly interface that the kernel uses: neither the language's types nor Node's declare it. */
declare namespace WebAssembly {
  /** Linear memory, in pages of 64 KiB. Shared memory must have a maximum. */
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
  }

  /** Compiled code without state. */
  class Module {
    constructor(bytes: Uint8Array);
  }

  /** A module over its imports. */
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }

  /** What a trap throws. */
  class RuntimeError extends Error {}
}
