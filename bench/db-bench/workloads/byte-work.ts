/** Workloads without a database: checksums and compression of blocks. */
import { invalidArgument } from '../../../format/base/db-error.ts';
import { compressBlock, compressionRoom, readSizePrefix } from '../../../format/compression/block-compression.ts';
import { CompressionId } from '../../../format/compression/codec.ts';
import { findCodec } from '../../../format/compression/codec-registry.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import type { BenchThread } from '../bench-run.ts';
import { compressionOf } from '../open-options.ts';
import type { Workload } from '../workload.ts';

/** Bytes that a checksum workload reads: enough for a stable figure in a second or so. */
const CHECKSUM_TOTAL = 512 * 1024 * 1024;
const COMPRESSION_TOTAL = 64 * 1024 * 1024;
const FORMAT_VERSION = 2;

type Checksum = (at: number, size: number) => unknown;

async function checksum(thread: BenchThread, pick: () => Checksum): Promise<void> {
  const kernel = getKernel();
  const size = thread.run.flags.number('block_size');
  const at = kernel.malloc(size);
  try {
    kernel.bytes(at, size).fill(0x78);
    const sum = pick();
    await thread.repeat(Math.ceil(CHECKSUM_TOTAL / size), 'crc', () => {
      sum(at, size);
      thread.stats.bytes += size;
    });
    thread.stats.message = `(${size} per op)`;
  } finally {
    kernel.free(at);
  }
}

function chosenCodec(thread: BenchThread): { codec: ReturnType<typeof findCodec>; id: number } {
  const type = compressionOf(thread.run.flags);
  if (type === 'none') throw invalidArgument('compress and uncompress need a --compression_type');
  return { codec: findCodec(type), id: CompressionId[type] };
}

async function compress(thread: BenchThread): Promise<void> {
  const size = thread.run.flags.number('block_size');
  const { codec } = chosenCodec(thread);
  const target = new Uint8Array(compressionRoom(size));
  let stored = 0;
  await thread.repeat(Math.ceil(COMPRESSION_TOTAL / size), 'compress', () => {
    const source = thread.values.next(size);
    stored += compressBlock(codec, source, target, {}) || size;
    thread.stats.bytes += size;
  });
  thread.stats.message = `(output: ${((100 * stored) / thread.stats.bytes).toFixed(1)}%)`;
}

async function uncompress(thread: BenchThread): Promise<void> {
  const size = thread.run.flags.number('block_size');
  const { codec, id } = chosenCodec(thread);
  const room = new Uint8Array(compressionRoom(size));
  const used = compressBlock(codec, thread.values.next(size), room, {});
  if (used === 0) throw invalidArgument('uncompress needs values that shrink: lower --compression_ratio');
  const stored = room.slice(0, used);
  const { payloadAt } = readSizePrefix(codec, id, stored, FORMAT_VERSION);
  const payload = stored.subarray(payloadAt);
  const target = new Uint8Array(size);
  await thread.repeat(Math.ceil(COMPRESSION_TOTAL / size), 'uncompress', () => {
    codec.decompress(payload, target);
    thread.stats.bytes += size;
  });
}

const sum = (name: string, pick: () => Checksum): Workload => ({
  name,
  help: `${name} of blocks of block_size, again and again`,
  standalone: true,
  run: (thread) => checksum(thread, pick),
});

/** All of them. */
export const BYTE_WORK: readonly Workload[] = [
  sum('crc32c', () => getKernel().x.crc32c),
  sum('xxhash', () => getKernel().x.xxh32),
  sum('xxhash64', () => getKernel().x.xxh64),
  sum('xxh3', () => getKernel().x.xxh3),
  { name: 'compress', help: 'compress blocks of values', standalone: true, run: compress },
  { name: 'uncompress', help: 'uncompress a block again and again', standalone: true, run: uncompress },
];
