/** The last bytes of a table: where its metaindex is, which checksums it has, which version of the format it is. */
import { ByteReader, ByteWriter, getFixed32, setFixed32 } from '../base/coding.ts';
import { corruption } from '../base/db-error.ts';
import { getKernel } from '../kernel/kernel.ts';
import { checksumTypeOf, storedChecksum } from './block-checksum.ts';
import { BLOCK_TRAILER_SIZE, type BlockHandle, readBlockHandle, writeBlockHandle } from './block-handle.ts';

/** What a footer says. */
export interface Footer {
  readonly formatVersion: number;
  readonly checksumId: number;
  readonly metaindex: BlockHandle;
  /** `undefined` from format_version 6 on: there the metaindex names it. */
  readonly index: BlockHandle | undefined;
  /** 0 below format_version 6. */
  readonly baseContextChecksum: number;
}

/** Bytes to read from the end of a file to have any footer. */
export const FOOTER_SIZE_MAX = 53;
/** The newest format_version that is understood. */
export const FORMAT_VERSION_MAX = 7;

const LEGACY_FOOTER_SIZE = 48;
const LEGACY_MAGIC = [0x8b80fb57, 0xdb477524] as const;
const MAGIC = [0x85f4cff7, 0x88e241b7] as const;
const HANDLES_SIZE = 40;
const EXTENDED_MAGIC = [0x3e, 0x00, 0x7a, 0x00] as const;
const CRC32C = 1;

function hasMagic(bytes: Uint8Array, magic: readonly [number, number]): boolean {
  const at = bytes.length - 8;
  return at >= 0 && getFixed32(bytes, at) === magic[0] && getFixed32(bytes, at + 4) === magic[1];
}

function describeMagic(bytes: Uint8Array): string {
  return [...bytes.subarray(-8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Decodes the footer from `tail`, the last bytes of the file (`FOOTER_SIZE_MAX` of them, or all of a shorter file).
 * CORRUPTION when there is none or it is damaged.
 */
export function decodeFooter(tail: Uint8Array, fileSize: number, path: string): Footer {
  if (hasMagic(tail, LEGACY_MAGIC) && tail.length >= LEGACY_FOOTER_SIZE) {
    const at = tail.length - LEGACY_FOOTER_SIZE;
    return { formatVersion: 0, checksumId: CRC32C, ...readHandles(tail, at, path), baseContextChecksum: 0 };
  }
  if (!hasMagic(tail, MAGIC)) {
    throw corruption(
      tail.length < LEGACY_FOOTER_SIZE
        ? `file is too short (${fileSize} bytes) to be an sstable: ${path}`
        : `Bad table magic number: expected 9863518390377041911 in ${path}, found bytes ${describeMagic(tail)}`,
    );
  }
  if (tail.length < FOOTER_SIZE_MAX)
    throw corruption(`file is too short (${fileSize} bytes) to be an sstable: ${path}`);
  const bytes = tail.subarray(tail.length - FOOTER_SIZE_MAX);
  const formatVersion = getFixed32(bytes, FOOTER_SIZE_MAX - 12);
  const checksumId = bytes[0]!;
  if (formatVersion === 0 || formatVersion > FORMAT_VERSION_MAX) {
    throw corruption(`Corrupt or unsupported format_version: ${formatVersion} in ${path}`);
  }
  if (checksumTypeOf(checksumId) === undefined) {
    throw corruption(`Corrupt or unsupported checksum type: ${checksumId} in ${path}`);
  }
  if (formatVersion >= 6) return decodeContextFooter(bytes, formatVersion, fileSize, path);
  return { formatVersion, checksumId, ...readHandles(bytes, 1, path), baseContextChecksum: 0 };
}

function readHandles(bytes: Uint8Array, at: number, path: string): { metaindex: BlockHandle; index: BlockHandle } {
  const reader = new ByteReader(bytes, `${path}: footer`, at, at + HANDLES_SIZE);
  return { metaindex: readBlockHandle(reader), index: readBlockHandle(reader) };
}

function decodeContextFooter(bytes: Uint8Array, formatVersion: number, fileSize: number, path: string): Footer {
  const checksumId = bytes[0]!;
  for (let i = 0; i < 4; i++) {
    if (bytes[1 + i] !== EXTENDED_MAGIC[i]) throw corruption(`Bad extended magic number in the footer of ${path}`);
  }
  const stored = getFixed32(bytes, 5);
  const baseContextChecksum = getFixed32(bytes, 9);
  const metaindexSize = getFixed32(bytes, 13);
  if (baseContextChecksum === 0) throw corruption(`Invalid base context checksum in the footer of ${path}`);
  for (let i = 33; i < 41; i++) if (bytes[i] !== 0) throw corruption(`Reserved bytes are set in the footer of ${path}`);
  const footerOffset = fileSize - FOOTER_SIZE_MAX;
  const computed = footerChecksum(bytes, checksumId, baseContextChecksum, footerOffset);
  if (stored !== computed) {
    throw corruption(
      `Footer checksum mismatch: stored = ${stored}, computed = ${computed}, in ${path} offset ${footerOffset}`,
    );
  }
  const offset = footerOffset - BLOCK_TRAILER_SIZE - metaindexSize;
  if (offset < 0) throw corruption(`Metaindex size ${metaindexSize} in the footer exceeds the file ${path}`);
  return {
    formatVersion,
    checksumId,
    metaindex: { offset, size: metaindexSize },
    index: undefined,
    baseContextChecksum,
  };
}

/** The checksum over a footer's bytes with its own four taken as zeros. */
function footerChecksum(footer: Uint8Array, checksumId: number, base: number, footerOffset: number): number {
  const kernel = getKernel();
  const at = kernel.malloc(FOOTER_SIZE_MAX);
  try {
    const copy = footer.slice();
    setFixed32(copy, 5, 0);
    kernel.copyIn(copy, at);
    return storedChecksum(checksumId, base, footerOffset, at, FOOTER_SIZE_MAX - 1, copy[FOOTER_SIZE_MAX - 1]!);
  } finally {
    kernel.free(at);
  }
}

/** The bytes of a footer that starts at `footerOffset`. Below format_version 6 `footer.index` is needed. */
export function encodeFooter(footer: Footer, footerOffset: number): Uint8Array {
  const writer = new ByteWriter(FOOTER_SIZE_MAX);
  if (footer.formatVersion > 0) writer.uint8(footer.checksumId);
  const handlesAt = writer.size;
  if (footer.formatVersion >= 6) {
    writer.slice(Uint8Array.from(EXTENDED_MAGIC)).fixed32(0).fixed32(footer.baseContextChecksum);
    writer.fixed32(footer.metaindex.size);
  } else {
    writeBlockHandle(writer, footer.metaindex);
    writeBlockHandle(writer, footer.index ?? { offset: 0, size: 0 });
  }
  while (writer.size < handlesAt + HANDLES_SIZE) writer.uint8(0);
  if (footer.formatVersion > 0) writer.fixed32(footer.formatVersion);
  const magic = footer.formatVersion === 0 ? LEGACY_MAGIC : MAGIC;
  writer.fixed32(magic[0]).fixed32(magic[1]);
  const bytes = writer.toBytes();
  if (footer.formatVersion >= 6) {
    setFixed32(bytes, 5, footerChecksum(bytes, footer.checksumId, footer.baseContextChecksum, footerOffset));
  }
  return bytes;
}
