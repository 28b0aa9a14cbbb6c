/**
 * The outer structure of zstd frames: enough to know, before anything is allocated or decompressed, how many bytes they
 * can stand for. The entropy-coded insides are the library's.
 */
import { malformed } from './codec.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const MAX_BLOCK = 128 * 1024;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;

function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  if (at + length > bytes.length) throw malformed('zstd', `frame ends at byte ${bytes.length}`);
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

interface FrameHeader {
  size: number;
  /** `undefined` when the frame does not say. */
  contentSize: number | undefined;
  hasChecksum: boolean;
}

/** The header after the magic number at `at`. */
function readHeader(bytes: Uint8Array, at: number): FrameHeader {
  const descriptor = littleEndian(bytes, at, 1);
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = descriptor >>> 6 === 0 ? (singleSegment ? 1 : 0) : CONTENT_SIZE_BYTES[descriptor >>> 6]!;
  const sizeAt = 1 + (singleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[descriptor & 3]!;
  const stored = littleEndian(bytes, at + sizeAt, sizeBytes);
  return {
    size: sizeAt + sizeBytes,
    contentSize: sizeBytes === 0 ? undefined : sizeBytes === 2 ? stored + 256 : stored,
    hasChecksum: (descriptor & 4) !== 0,
  };
}

/** Walks the blocks that start at `at`; where they end and the most they can stand for. */
function measureBlocks(bytes: Uint8Array, at: number): { end: number; bound: number } {
  let bound = 0;
  for (let last = false; !last; ) {
    const header = littleEndian(bytes, at, 3);
    last = (header & 1) !== 0;
    const kind = (header >>> 1) & 3;
    const size = header >>> 3;
    if (kind === 3 || size > MAX_BLOCK) throw malformed('zstd', `bad block header at byte ${at}`);
    bound += kind === 2 ? MAX_BLOCK : size;
    at += 3 + (kind === 1 ? 1 : size);
    if (at > bytes.length) throw malformed('zstd', `frame ends at byte ${bytes.length}`);
  }
  return { end: at, bound };
}

/** One frame in a run of them. */
export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** Its content size, or where it does not say the most that its blocks can hold. */
  readonly bound: number;
}

/**
 * The frames in `bytes`, which must be whole and nothing else; skippable ones are left out. CORRUPTION when the outer
 * structure is malformed or a frame claims more than its blocks can hold.
 */
export function listZstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const frames: ZstdFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const magic = littleEndian(bytes, at, 4);
    const skippable = (magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC;
    if (skippable) at += 8 + littleEndian(bytes, at + 4, 4);
    else if (magic !== MAGIC) throw malformed('zstd', `no frame at byte ${at}`);
    else {
      const header = readHeader(bytes, at + 4);
      const { end, bound } = measureBlocks(bytes, at + 4 + header.size);
      if (header.contentSize !== undefined && header.contentSize > bound) {
        throw malformed('zstd', `frame claims ${header.contentSize} bytes, its blocks hold at most ${bound}`);
      }
      at = end + (header.hasChecksum ? 4 : 0);
      frames.push({ start, end: at, bound: header.contentSize ?? bound });
    }
    if (at > bytes.length) throw malformed('zstd', `frame ends at byte ${bytes.length}`);
  }
  return frames;
}
