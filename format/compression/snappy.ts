/** snappy's raw block format, by the kernel. It has no levels and no dictionaries. */
import { getKernel } from '../kernel/kernel.ts';
import { type Codec, malformed } from './codec.ts';
import { isInKernel, KernelScratch } from './kernel-scratch.ts';

/** The codec over working space of its own; made once a thread. */
export function makeSnappy(): Codec {
  const kernel = getKernel();
  const input = new KernelScratch();
  const output = new KernelScratch();
  return {
    type: 'snappy',
    compress(source, target) {
      const room = kernel.x.snappyCompressedSizeMax(source.length) >>> 0;
      if (room === 0) return 0;
      const from = input.place(source);
      if (target.length >= room && isInKernel(target)) {
        return kernel.x.snappyCompress(from, source.length, target.byteOffset) >>> 0;
      }
      const to = output.reserve(room);
      const written = kernel.x.snappyCompress(from, source.length, to) >>> 0;
      if (written > target.length) return 0;
      target.set(kernel.bytes(to, written));
      return written;
    },
    decompress(source, target) {
      const inPlace = isInKernel(target);
      const to = inPlace ? target.byteOffset : output.reserve(target.length);
      const written = kernel.x.snappyDecompress(input.place(source), source.length, to, target.length);
      if (written !== target.length) throw malformed('snappy', `expected ${target.length} bytes, result ${written}`);
      if (!inPlace) target.set(kernel.bytes(to, written));
    },
  };
}
