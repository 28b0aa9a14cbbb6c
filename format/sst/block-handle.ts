/** Where a block lies in its file. */
import type { ByteReader, ByteWriter } from '../base/coding.ts';
import { corruption } from '../base/db-error.ts';

/** Offset of a block and its size without the trailer, in bytes. */
export interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/** Bytes behind every block: compression type and checksum. */
export const BLOCK_TRAILER_SIZE = 5;

/** Reads a handle; CORRUPTION when it is malformed. */
export function readBlockHandle(reader: ByteReader): BlockHandle {
  const offset = reader.varint64('block handle offset');
  return { offset, size: reader.varint64('block handle size') };
}

/** Writes a handle. */
export function writeBlockHandle(writer: ByteWriter, handle: BlockHandle): void {
  writer.varint(handle.offset).varint(handle.size);
}

/** CORRUPTION unless block and trailer lie inside the file: asked before anything is allocated for the block. */
export function checkBlockHandle(handle: BlockHandle, fileSize: number, path: string): void {
  if (handle.offset + handle.size + BLOCK_TRAILER_SIZE <= fileSize) return;
  throw corruption(
    `bad block handle: offset ${handle.offset} size ${handle.size} reach behind the end of ${path}, ${fileSize} bytes long`,
  );
}
