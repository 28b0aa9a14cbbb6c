/** zstd frames, with trained or raw dictionaries on reading and raw ones on writing. */
import { type Codec, malformed } from './codec.ts';
import { makeNodeZstd, makeWasmZstd, type ZstdEngine } from './zstd-engine.ts';
import { listZstdFrames } from './zstd-frame.ts';

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
      const result = engine.compress(source, wanted > MAX_LEVEL ? DEFAULT_LEVEL : wanted, options.dictionary);
      if (result.length > target.length) return 0;
      target.set(result);
      return result.length;
    },
    decompress(source, target, dictionary) {
      const written = decompressFrames(engine, source, target, dictionary);
      if (written !== target.length) throw malformed('zstd', `expected ${target.length} bytes, found ${written}`);
    },
  };
}

/** Decompresses the frames one after the other: Node's library stops after the first. The bytes written. */
function decompressFrames(
  engine: ZstdEngine,
  source: Uint8Array,
  target: Uint8Array,
  dictionary: Uint8Array | undefined,
): number {
  let written = 0;
  for (const { start, end } of listZstdFrames(source)) {
    const result = engine.decompress(source.subarray(start, end), target.length - written, dictionary);
    if (result.length > target.length - written) throw malformed('zstd', `more than ${target.length} bytes`);
    target.set(result, written);
    written += result.length;
  }
  return written;
}

/**
 * Decompresses whole zstd frames of unknown content size: a record of a compressed WAL, its fragments joined. The result
 * is owned by the caller. CORRUPTION when malformed or longer than `limit`.
 */
export function decompressZstdFrames(bytes: Uint8Array, limit: number): Uint8Array {
  const frames = listZstdFrames(bytes);
  const engine = findEngine();
  if (frames.length === 1) return engine.decompress(bytes, Math.min(frames[0]!.bound, limit), undefined).slice();
  const bound = frames.reduce((sum, frame) => sum + frame.bound, 0);
  const target = new Uint8Array(Math.min(bound, limit));
  return target.slice(0, decompressFrames(engine, bytes, target, undefined));
}
