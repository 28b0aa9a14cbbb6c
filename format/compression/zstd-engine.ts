/**
 * The two libraries that zstd may run on: Node's own where it has one that takes dictionaries, else the WebAssembly build in
 * `@bokuweb/zstd-wasm`. Both take and give raw frames.
 */
import * as nodeZlib from 'node:zlib';
import { notSupported } from '../base/db-error.ts';
import { malformed } from './codec.ts';
import { WasmLibrary, WasmScratch } from './wasm-library.ts';

/** One zstd library. Results are borrowed until the next call. */
export interface ZstdEngine {
  compress(source: Uint8Array, level: number, dictionary: Uint8Array | undefined): Uint8Array;
  /** The bytes of all frames in `source`. CORRUPTION when malformed or longer than `capacity`. */
  decompress(source: Uint8Array, capacity: number, dictionary: Uint8Array | undefined): Uint8Array;
}

/** What Node 22.15 added to `node:zlib`; the types of Node 20 lack it. */
interface NodeZstd {
  zstdCompressSync?(source: Uint8Array, options: object): Uint8Array;
  zstdDecompressSync?(source: Uint8Array, options: object): Uint8Array;
  constants: { ZSTD_c_compressionLevel?: number };
}

/**
 * Whether the engine heeds dictionaries: Node's first releases with zstd pass over the option, so that they could neither
 * make use of one nor read what others compressed with it.
 */
export function heedsDictionaries(engine: Pick<ZstdEngine, 'compress'>): boolean {
  const noise = Uint8Array.from({ length: 64 }, (_, i) => (i * i * 167 + i * 31) >>> 3);
  return engine.compress(noise, 3, noise).length < noise.length / 2;
}

/** Node's library, or `undefined` where Node has none that takes dictionaries. */
export function makeNodeZstd(): ZstdEngine | undefined {
  const { zstdCompressSync, zstdDecompressSync, constants } = nodeZlib as unknown as NodeZstd;
  const levelParameter = constants.ZSTD_c_compressionLevel;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined || levelParameter === undefined)
    return undefined;
  const engine: ZstdEngine = {
    compress(source, level, dictionary) {
      const options = { params: { [levelParameter]: level }, pledgedSrcSize: source.length };
      return zstdCompressSync(source, dictionary === undefined ? options : { ...options, dictionary });
    },
    decompress(source, capacity, dictionary) {
      const limits = { maxOutputLength: Math.max(1, capacity), chunkSize: Math.max(64, capacity) };
      try {
        return zstdDecompressSync(source, dictionary === undefined ? limits : { ...limits, dictionary });
      } catch (cause) {
        throw malformed('zstd', (cause as Error).message, cause);
      }
    },
  };
  return heedsDictionaries(engine) ? engine : undefined;
}

/** The exports of `zstd.wasm` of `@bokuweb/zstd-wasm` 0.0.27, whose build shortened their names. */
const exported = {
  memory: 'f',
  initialize: 'g',
  isError: 'h',
  compressBound: 'i',
  createCompressor: 'j',
  compressUsingDictionary: 'l',
  compress: 'm',
  createDecompressor: 'n',
  decompressUsingDictionary: 'q',
  malloc: 's',
  free: 't',
} as const;

/** Bytes of scratch that stay allocated between blocks. */
const KEEP = 1 << 20;

/** The WebAssembly library. NOT_SUPPORTED when the package is missing or another build. */
export function makeWasmZstd(): ZstdEngine {
  const library = new WasmLibrary('zstd', { anchor: '@bokuweb/zstd-wasm', path: 'zstd.wasm' }, exported, importsOf);
  const scratch = {
    input: new WasmScratch(library),
    output: new WasmScratch(library),
    dictionary: new WasmScratch(library),
  };
  const isError = library.function(exported.isError);
  const compressBound = library.function(exported.compressBound);
  const compress = library.function(exported.compress);
  const compressWith = library.function(exported.compressUsingDictionary);
  const decompress = library.function(exported.decompressUsingDictionary);
  const compressor = library.function(exported.createCompressor)();
  const context = library.function(exported.createDecompressor)();
  let placedWords: Uint8Array | undefined;

  function place(into: WasmScratch, bytes: Uint8Array): number {
    into.trim(Math.max(KEEP, bytes.length));
    const at = into.reserve(bytes.length);
    library.bytes().set(bytes, at);
    return at;
  }

  /** The dictionary's address. Every block of a table comes with the same one, which then stays where it is. */
  function placeWords(dictionary: Uint8Array): number {
    if (dictionary === placedWords) return scratch.dictionary.reserve(dictionary.length);
    placedWords = dictionary;
    return place(scratch.dictionary, dictionary);
  }

  function room(capacity: number): number {
    scratch.output.trim(Math.max(KEEP, capacity));
    return scratch.output.reserve(capacity);
  }

  const engine: ZstdEngine = {
    compress(source, level, dictionary) {
      const from = place(scratch.input, source);
      const bound = compressBound(source.length) >>> 0;
      const to = room(bound);
      const written =
        (dictionary === undefined
          ? compress(to, bound, from, source.length, level)
          : compressWith(
              compressor,
              to,
              bound,
              from,
              source.length,
              placeWords(dictionary),
              dictionary.length,
              level,
            )) >>> 0;
      if (isError(written) !== 0) throw new RangeError(`zstd failed to compress ${source.length} bytes`);
      return library.bytes().subarray(to, to + written);
    },
    decompress(source, capacity, dictionary) {
      const from = place(scratch.input, source);
      const words = dictionary === undefined ? 0 : placeWords(dictionary);
      const to = room(capacity);
      const written = decompress(context, to, capacity, from, source.length, words, dictionary?.length ?? 0) >>> 0;
      if (isError(written) !== 0) throw malformed('zstd', `error ${-(written | 0)}`);
      return library.bytes().subarray(to, to + written);
    },
  };
  checkBuild(engine);
  return engine;
}

/** Another build of the package would have other short names; find out at load, not in somebody's data. */
function checkBuild(engine: ZstdEngine): void {
  const sample = new Uint8Array(64).fill(7);
  for (const dictionary of [undefined, new Uint8Array(32).fill(7)]) {
    let back: Uint8Array;
    try {
      back = engine.decompress(engine.compress(sample, 3, dictionary).slice(), sample.length, dictionary);
    } catch (cause) {
      throw notSupported(`Compression type zstd is not available: ${String(cause)}`);
    }
    if (back.length !== sample.length || !back.every((byte) => byte === 7)) {
      throw notSupported('Compression type zstd is not available: unknown build of @bokuweb/zstd-wasm');
    }
  }
}

function importsOf(library: WasmLibrary): Record<string, Record<string, unknown>> {
  const abort = () => {
    throw new Error('zstd aborted');
  };
  // Named a to e by the build: proc_exit, keepalive_clear, abort, setitimer, resize_heap.
  const nothing = () => 0;
  return { a: { a: abort, b: nothing, c: abort, d: nothing, e: (wanted: number) => Number(library.grow(wanted)) } };
}
