/** LZ4's raw block format, by the kernel. lz4hc is the same format from a compressor that looks longer for matches. */
import { getKernel } from '../kernel/kernel.ts';
import { type Codec, type CodecOptions, malformed } from './codec.ts';
import { isInKernel, KernelScratch } from './kernel-scratch.ts';

/** What the kernel takes for LZ4HC's own default level, 9; RocksDB stores 32767 for "the codec's own". */
const LEVEL_DEFAULT = 0;
const STORED_LEVEL_DEFAULT = 32767;
/** How far back the format can refer: no more of a dictionary counts. */
const OFFSET_MAX = 65535;

/** The codec over working space of its own; made once a thread. */
export function makeLz4(type: 'lz4' | 'lz4hc'): Codec {
  const kernel = getKernel();
  const input = new KernelScratch();
  const output = new KernelScratch();
  const words = new KernelScratch();
  const behindWords = new KernelScratch();
  let wordsBefore: Uint8Array | undefined;
  /** Copies `source` directly behind the dictionary, which is brought there only when it is another than last time. */
  const placeBehind = (dictionary: Uint8Array, source: Uint8Array): number => {
    const used = Math.min(dictionary.length, OFFSET_MAX);
    const { capacity } = behindWords;
    const at = behindWords.reserve(used + source.length);
    if (dictionary !== wordsBefore || behindWords.capacity !== capacity) {
      kernel.copyIn(dictionary.subarray(dictionary.length - used), at);
      wordsBefore = dictionary;
    }
    kernel.copyIn(source, at + used);
    return at + used;
  };
  const compressTo = (from: number, size: number, to: number, { level, dictionary }: CodecOptions): number => {
    const used = Math.min(dictionary?.length ?? 0, OFFSET_MAX);
    if (type === 'lz4') return kernel.x.lz4Compress(from, size, to, used) >>> 0;
    const effort = level === undefined || level === STORED_LEVEL_DEFAULT ? LEVEL_DEFAULT : level;
    return kernel.x.lz4hcCompress(from, size, to, effort, used) >>> 0;
  };
  return {
    type,
    compress(source, target, options) {
      const room = kernel.x.lz4CompressedSizeMax(source.length) >>> 0;
      if (room === 0) return 0;
      const { dictionary } = options;
      const from = dictionary === undefined ? input.place(source) : placeBehind(dictionary, source);
      if (target.length >= room && isInKernel(target)) {
        return compressTo(from, source.length, target.byteOffset, options);
      }
      const to = output.reserve(room);
      const written = compressTo(from, source.length, to, options);
      if (written > target.length) return 0;
      target.set(kernel.bytes(to, written));
      return written;
    },
    decompress(source, target, dictionary) {
      const inPlace = isInKernel(target);
      const to = inPlace ? target.byteOffset : output.reserve(target.length);
      const dictionaryAt = dictionary === undefined ? 0 : words.place(dictionary);
      const { length } = target;
      const from = input.place(source);
      const written = kernel.x.lz4Decompress(from, source.length, to, length, dictionaryAt, dictionary?.length ?? 0);
      if (written !== length) throw malformed(type, `expected ${length} bytes, result ${written}`);
      if (!inPlace) target.set(kernel.bytes(to, written));
    },
  };
}
