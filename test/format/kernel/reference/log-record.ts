/** Framing of one log record, after the description of the format. */

import { crc32cReference, maskReference } from './crc32c.ts';

/** The bytes that follow position `blockOffset` of a block; with `logNumber` the headers are recyclable. */
export function logFrameReference(payload: Uint8Array, blockOffset: number, logNumber?: number): Uint8Array {
  const headerSize = logNumber === undefined ? 7 : 11;
  const pieces: Uint8Array[] = [];
  let offset = blockOffset;
  let done = 0;
  let first = true;
  for (;;) {
    if (32768 - offset < headerSize) {
      pieces.push(new Uint8Array(32768 - offset));
      offset = 0;
    }
    const size = Math.min(payload.length - done, 32768 - offset - headerSize);
    const last = done + size === payload.length;
    const type = (first ? (last ? 1 : 2) : last ? 4 : 3) + (logNumber === undefined ? 0 : 4);
    const record = new Uint8Array(headerSize + size);
    const view = new DataView(record.buffer);
    view.setUint16(4, size, true);
    record[6] = type;
    if (logNumber !== undefined) view.setUint32(7, logNumber, true);
    record.set(payload.subarray(done, done + size), headerSize);
    view.setUint32(0, maskReference(crc32cReference(record.subarray(6))), true);
    pieces.push(record);
    done += size;
    offset = (offset + record.length) % 32768;
    first = false;
    if (last) return Buffer.concat(pieces);
  }
}
