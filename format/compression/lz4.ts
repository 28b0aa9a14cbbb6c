/**
 * LZ4's raw block format, by the kernel. lz4hc is the same format with a better compressor; there is only the fast one
 * here, so a table of type lz4hc is marked as such and read by everyone, but is no smaller than one of type lz4.
 */
import { getKernel } from '../kernel/kernel.ts';
import { type Codec, malformed } from './codec.ts';
import { isInKernel, KernelScratch } from './kernel-scratch.ts';

/** The codec over working space of its own; made once a thread. */
export function makeLz4(type: 'lz4' | 'lz4hc'): Codec {
  const kernel = getKernel();
  const input = new KernelScratch();
  const output = new KernelScratch();
  const words = new KernelScratch();
  return {
    type,
    compress(source, target) {
      const room = kernel.x.lz4CompressedSizeMax(source.length) >>> 0;
      if (room === 0) return 0;
      const from = input.place(source);
      if (target.length >= room && isInKernel(target)) {
        return kernel.x.lz4Compress(from, source.length, target.byteOffset, 0) >>> 0;
      }
      const to = output.reserve(room);
      const written = kernel.x.lz4Compress(from, source.length, to, 0) >>> 0;
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
