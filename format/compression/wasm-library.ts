/**
 * A C library compiled to WebAssembly, taken as the bare `.wasm` file out of a package and instantiated synchronously:
 * the packages' own loaders are asynchronous, keep global state and copy once more. Every thread has its own instance.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { notSupported } from '../base/db-error.ts';

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** One exported C function; sizes and addresses are i32. */
export type WasmFunction = (...args: number[]) => number;

interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface WasmConstructors {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, Record<string, unknown>>) => WasmInstance;
}

/** The names that a library's file gives to what every library needs. */
export interface WasmLibraryNames {
  memory: string;
  initialize: string;
  malloc: string;
  free: string;
}

/** The bytes of a file in an installed package. `anchor` is something of the package that can be resolved. */
function packageFile(anchor: string, path: string): Uint8Array {
  const resolved = createRequire(import.meta.url).resolve(anchor);
  // Not a file of a database but part of the program, so it does not go through the file system seam.
  const { readFileSync } = process.getBuiltinModule('node:fs');
  return readFileSync(join(dirname(resolved), path));
}

const PAGE = 65536;

/** An instantiated library with its memory. */
export class WasmLibrary {
  readonly #memory: WasmMemory;
  readonly #exports: Readonly<Record<string, unknown>>;
  readonly #malloc: WasmFunction;
  readonly #free: WasmFunction;
  #bytes: Uint8Array;

  /** `host` makes the import object; it may use `memory` only when called by the library. */
  constructor(
    name: string,
    file: { anchor: string; path: string },
    names: WasmLibraryNames,
    host: (library: WasmLibrary) => Record<string, Record<string, unknown>>,
  ) {
    const wasm = (globalThis as unknown as { WebAssembly: WasmConstructors }).WebAssembly;
    try {
      const instance = new wasm.Instance(new wasm.Module(packageFile(file.anchor, file.path)), host(this));
      this.#exports = instance.exports;
    } catch (cause) {
      throw notSupported(`Compression type ${name} is not available: ${String(cause)}`);
    }
    this.#memory = this.#exports[names.memory] as WasmMemory;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#malloc = this.function(names.malloc);
    this.#free = this.function(names.free);
    this.function(names.initialize)();
  }

  /** The exported function `name`. */
  function(name: string): WasmFunction {
    return this.#exports[name] as WasmFunction;
  }

  /** The library's memory; the view is good until the library allocates again. */
  bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  /** Allocates in the library's memory, to be given back with `free`. */
  allocate(size: number): number {
    const address = this.#malloc(Math.max(1, size)) >>> 0;
    if (address === 0) throw new RangeError(`out of memory for ${size} bytes`);
    return address;
  }

  /** Frees what `allocate` gave. */
  free(address: number): void {
    this.#free(address);
  }

  /** Grows the memory to at least `size` bytes; the C runtime asks for this. */
  grow(size: number): boolean {
    const missing = Math.ceil(((size >>> 0) - this.#memory.buffer.byteLength) / PAGE);
    try {
      if (missing > 0) this.#memory.grow(missing);
      return true;
    } catch {
      return false;
    }
  }
}

/** Working space in a library's memory that only grows up to a bound, so that blocks do not allocate. */
export class WasmScratch {
  readonly #library: WasmLibrary;
  #address = 0;
  #size = 0;

  constructor(library: WasmLibrary) {
    this.#library = library;
  }

  /** Address of at least `size` bytes, good until the next call. */
  reserve(size: number): number {
    if (size <= this.#size) return this.#address;
    this.release();
    this.#address = this.#library.allocate(size);
    this.#size = size;
    return this.#address;
  }

  /** Gives back space beyond `keep` bytes: one huge block must not hold memory for good. */
  trim(keep: number): void {
    if (this.#size > keep) this.release();
  }

  private release(): void {
    if (this.#size > 0) this.#library.free(this.#address);
    this.#size = 0;
  }
}
