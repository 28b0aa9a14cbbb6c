/** zstd frames, with trained or raw dictionaries on reading. */
import { type Codec, malformed } from './codec.ts';
import { makeNodeZstd, makeWasmZstd, type ZstdEngine } from './zstd-engine.ts';
import { measureZstdFrames } from './zstd-frame.ts';

const DEFAULT_LEVEL = 3;
const MAX_LEVEL = 22;

let shared: ZstdEngine | undefined;

/** The thread's engine. NOT_SUPPORTED when neither library is there. */
function findEngine(): ZstdEngine {
  shared ??= makeNodeZstd() ?? makeWasmZstd();
  return shared;
}

/** The codec over `engine`. */
export function makeZstd(engine: ZstdEngine = findEngine()): Codec {
  return {
    type: 'zstd',
    compress(source, target, options) {
      const wanted = options.level ?? DEFAULT_LEVEL;
      const result = engine.compress(source, wanted > MAX_LEVEL ? DEFAULT_LEVEL : wanted);
      if (result.length > target.length) return 0;
      target.set(result);
      return result.length;
    },
    decompress(source, target, dictionary) {
      measureZstdFrames(source);
      const result = engine.decompress(source, target.length, dictionary);
      if (result.length !== target.length) {
        throw malformed('zstd', `expected ${target.length} bytes, found ${result.length}`);
      }
      target.set(result);
    },
  };
}

/**
 * Decompresses whole zstd frames of unknown content size: a record of a compressed WAL, its fragments joined. The result
 * is owned by the caller. CORRUPTION when malformed or longer than `limit`.
 */
export function decompressZstdFrames(bytes: Uint8Array, limit: number): Uint8Array {
  const bound = measureZstdFrames(bytes);
  if (bytes.length === 0) return new Uint8Array(0);
  return findEngine().decompress(bytes, Math.min(bound, limit), undefined).slice();
}
