/** bzip2 (libbz2 1.0.8), block size 1 as RocksDB writes it ("BZh1"). It has no dictionaries. */
import { type Codec, type CodecType, malformed } from './codec.ts';
import { type WasmFunction, WasmLibrary, WasmScratch } from './wasm-library.ts';

const type: CodecType = 'bzip2';
/** The one parameter RocksDB passes: blocks of 100 kB. */
const BLOCK_SIZE_100K = 1;
const BZ_OUTBUFF_FULL = -8;
/** Bytes of scratch that stay allocated between blocks. */
const KEEP = 1 << 20;

/** The codec over an instance of the library; made once a thread. */
export function makeBzip2(): Codec {
  const library = new WasmLibrary(
    type,
    { anchor: 'bzip2-wasm', path: 'bzip2-1.0.8/bzip2.wasm' },
    { memory: 'memory', initialize: '__wasm_call_ctors', malloc: 'malloc', free: 'free' },
    importsOf,
  );
  const input = new WasmScratch(library);
  const output = new WasmScratch(library);
  const size = library.allocate(4);
  const compressBuffer = library.function('BZ2_bzBuffToBuffCompress');
  const decompressBuffer = library.function('BZ2_bzBuffToBuffDecompress');

  /** Runs `source` through `call`; the result lies in `output`. Returns its size or the negative error. */
  function run(call: WasmFunction, source: Uint8Array, capacity: number, ...rest: number[]): number {
    const from = input.reserve(source.length);
    const to = output.reserve(capacity);
    library.bytes().set(source, from);
    writeU32(library.bytes(), size, capacity);
    const status = call(to, size, from, source.length, ...rest);
    return status === 0 ? readU32(library.bytes(), size) : status;
  }

  function take(length: number): Uint8Array {
    const at = output.reserve(0);
    return library.bytes().subarray(at, at + length);
  }

  function trim(): void {
    input.trim(KEEP);
    output.trim(KEEP);
  }

  function unsized(source: Uint8Array, limit: number): Uint8Array {
    for (
      let capacity = Math.min(limit, Math.max(65536, source.length * 8));
      ;
      capacity = Math.min(limit, capacity * 8)
    ) {
      const written = run(decompressBuffer, source, capacity, 0, 0);
      if (written === BZ_OUTBUFF_FULL && capacity < limit) continue;
      if (written < 0) throw malformed(type, `error ${written}`);
      return take(written).slice();
    }
  }

  return {
    type,
    compress(source, target) {
      const written = run(compressBuffer, source, target.length, BLOCK_SIZE_100K, 0, 0);
      if (written > 0) target.set(take(written));
      trim();
      return Math.max(0, written);
    },
    decompress(source, target) {
      const written = run(decompressBuffer, source, target.length, 0, 0);
      if (written !== target.length) throw malformed(type, `expected ${target.length} bytes, result ${written}`);
      target.set(take(written));
      trim();
    },
    decompressUnsized(source, limit) {
      const bytes = unsized(source, limit);
      trim();
      return bytes;
    },
  };
}

function importsOf(library: WasmLibrary): Record<string, Record<string, unknown>> {
  const refuse = () => {
    throw new Error('bzip2 called the operating system');
  };
  return {
    env: {
      exit: refuse,
      emscripten_memcpy_big: (to: number, from: number, length: number) =>
        void library.bytes().copyWithin(to >>> 0, from >>> 0, (from >>> 0) + (length >>> 0)),
      emscripten_resize_heap: (wanted: number) => Number(library.grow(wanted)),
    },
    wasi_snapshot_preview1: { fd_close: refuse, fd_write: refuse, fd_seek: refuse },
  };
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (8 * i);
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
